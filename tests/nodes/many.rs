//! Large and many files: memory stays small, and the node has exactly what the controller has.

use std::fs;
use std::io::Write;
use std::process::Command;

use crate::Case;
use crate::run::{Run, Site};
use crate::world::World;

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("many::a_copy_of_100_mb", a_copy_of_100_mb),
        Case::new("many::a_folder_of_5000_files", a_folder_of_5000_files),
    ]
}

/// The memory a run may hold, in kilobytes.
const MEMORY: u64 = 80 << 10;

const SUMS: &str = "find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum";

fn small(run: &Run) {
    assert!(
        run.peak_kb > 0 && run.peak_kb < MEMORY,
        "{} kB\n{run}",
        run.peak_kb
    );
}

fn here(site: &Site, folder: &str) -> String {
    let output = Command::new("sh")
        .args(["-c", SUMS])
        .current_dir(site.path(folder))
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn a_copy_of_100_mb(world: &World) {
    let node = world.node("n1");
    let site = Site::with(
        &node.lab,
        "- hosts: n1\n  gather_facts: false\n  tasks:\n    - copy: {src: big/, dest: /srv/big/, mode: '0600'}\n      name: folder\n    \
         - copy: {src: big/bytes, dest: /srv/single}\n      name: single\n",
    );
    fs::create_dir_all(site.path("files/big")).unwrap();
    let mut file = fs::File::create(site.path("files/big/bytes")).unwrap();
    // No two blocks are alike, and none can be compressed away to nothing.
    let mut seed = 1u64;
    for _ in 0..1600 {
        let mut block = Vec::with_capacity(1 << 16);
        while block.len() < 1 << 16 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            block.extend(seed.to_be_bytes());
        }
        file.write_all(&block).unwrap();
    }
    drop(file);
    let plan = site.plan();
    assert_eq!(plan.with("changed"), ["folder", "single"], "{plan}");
    small(&plan);
    let apply = site.apply();
    small(&apply);
    let sums = here(&site, "files/big");
    assert_eq!(node.sh(&format!("cd /srv/big && {SUMS}")), sums);
    assert_eq!(
        node.sh("cmp /srv/big/bytes /srv/single && stat -c '%a %s' /srv/big/bytes"),
        "600 104857600"
    );
    assert_eq!(
        node.sh("find /var/lib/hadeploy/stage -type f 2>/dev/null || true"),
        ""
    );
    let again = site.apply();
    assert!(again.with("changed").is_empty(), "{again}");
    small(&again);

    node.sh("printf x | dd of=/srv/single bs=1 seek=50000000 conv=notrunc 2>/dev/null");
    let plan = site.plan();
    assert_eq!(plan.with("changed"), ["single"], "{plan}");
    let mend = site.apply();
    assert_eq!(mend.with("changed"), ["single"], "{mend}");
    node.sh("cmp /srv/big/bytes /srv/single; rm -r /srv/big /srv/single");
}

fn a_folder_of_5000_files(world: &World) {
    let node = world.node("n1");
    let site = Site::with(
        &node.lab,
        "- hosts: n1\n  gather_facts: false\n  tasks:\n    - copy: {src: many, dest: /srv, owner: daemon}\n      name: folder\n",
    );
    for number in 0..5000 {
        site.write(
            &format!("files/many/part {}/it's {number}", number % 50),
            format!("file {number}\n"),
        );
    }
    let apply = site.apply();
    assert_eq!(apply.with("changed"), ["folder"], "{apply}");
    small(&apply);
    assert!(apply.count("n1", "round_trips") <= 5, "{apply}");
    let sums = here(&site, "files/many");
    assert_eq!(node.sh(&format!("cd /srv/many && {SUMS}")), sums);
    assert_eq!(
        node.sh("find /srv/many -type f -user daemon | wc -l; find /srv/many -user daemon | wc -l"),
        "5000\n5051"
    );
    let again = site.apply();
    assert!(again.with("changed").is_empty(), "{again}");
    assert!(again.count("n1", "round_trips") <= 3, "{again}");

    node.sh("cd '/srv/many/part 7' && rm \"it's 4957\" && echo x >\"it's 7\"");
    let plan = site.plan();
    let fields: Vec<&str> = plan.task("folder")["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|change| change["field"].as_str())
        .collect();
    assert_eq!(fields.len(), 2, "{plan}");
    plan.says(&["part 7/it's 4957", "part 7/it's 7"]);
    site.apply();
    assert_eq!(node.sh(&format!("cd /srv/many && {SUMS}")), sums);
}
