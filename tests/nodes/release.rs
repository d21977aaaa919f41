//! `release` over time: what stays, what goes, the way back, and what is refused.

use crate::Case;
use crate::run::Site;
use crate::world::World;

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("release::old_ones_go", |world| old_ones_go(world, 12)),
        Case::new("release::old_ones_go_on_13", |world| old_ones_go(world, 13)).beside(13),
    ]
}

fn play(words: &str) -> String {
    format!(
        "- hosts: n1\n  gather_facts: false\n  tasks:\n    - name: release\n      release: {{path: /srv/life/app, keep: 2, {words}}}\n"
    )
}

fn old_ones_go(world: &World, release: u8) {
    let node = world.first(release);
    node.sh("systemctl stop worker 2>/dev/null; rm -rf /srv/life");
    let site = Site::with(&node.lab, &play("src: app, release: r1"));
    let releases = || {
        node.sh("ls /srv/life/app/releases | tr '\\n' ' '; readlink /srv/life/app/current /srv/life/app/previous | tr '\\n' ' '")
    };
    site.write("files/app/main", "1\n");
    site.apply();
    node.sh("systemd-run --quiet --collect --unit=worker --working-directory=/srv/life/app/releases/r1 sleep infinity");
    for number in 2..=4 {
        site.write("play.yml", play(&format!("src: app, release: r{number}")));
        site.write("files/app/main", format!("{number}\n"));
        site.apply();
    }
    // A worker still runs in r1; r3 is the one before; r2 is gone.
    assert_eq!(releases(), "r1 r3 r4 releases/r4 releases/r3");

    // Another content under an id that is taken.
    site.write("files/app/main", "other\n");
    let run = site.expect(&["apply"], 3);
    run.says(&["release `r4` was unpacked from another source"]);
    assert_eq!(node.sh("cat /srv/life/app/current/main"), "4");

    // Back, without a source; then only unpacked.
    site.write("play.yml", play("release: r3"));
    let run = site.apply();
    assert_eq!(run.with("changed"), ["release"], "{run}");
    assert_eq!(node.sh("cat /srv/life/app/current/main"), "3");
    site.write("play.yml", play("release: r9"));
    let run = site.expect(&["apply"], 3);
    run.says(&["release `r9` is not unpacked"]);
    node.sh("systemctl stop worker");
    site.write("play.yml", play("src: app, release: r5, current: false"));
    site.apply();
    // Where `previous` leads is further back, not to what was left.
    assert_eq!(releases(), "r1 r3 r4 r5 releases/r3 releases/r1");

    // A tarball of the node that is not the one that was meant.
    node.sh("tar -C /srv/life/app/releases/r3 -czf /srv/life/a.tgz main");
    site.write(
        "play.yml",
        play(&format!(
            "src: /srv/life/a.tgz, remote_src: true, checksum: '{}', release: r6",
            "0".repeat(64)
        )),
    );
    let run = site.expect(&["apply"], 3);
    run.says(&["/srv/life/a.tgz has another checksum"]);
    assert_eq!(releases(), "r1 r3 r4 r5 releases/r3 releases/r1");
    let sum = node.sh("sha256sum </srv/life/a.tgz | cut -d ' ' -f 1");
    site.write(
        "play.yml",
        play(&format!(
            "src: /srv/life/a.tgz, remote_src: true, checksum: 'sha256:{sum}', release: r6"
        )),
    );
    let run = site.apply();
    assert_eq!(run.with("changed"), ["release"], "{run}");
    assert_eq!(releases(), "r3 r5 r6 releases/r6 releases/r3");
    // Its own tarball of the controller.
    site.write("files/b.tar", b"no tarball".repeat(100));
    site.write("play.yml", play("src: b.tar, release: r7"));
    site.expect(&["apply"], 3);
    assert_eq!(releases(), "r3 r5 r6 releases/r6 releases/r3");
    assert_eq!(
        node.sh("ls -A /srv/life/app/releases | grep hadeploy || echo clean"),
        "clean"
    );
}
