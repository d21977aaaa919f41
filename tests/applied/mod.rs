//! The kinds that write files, run for real: questions read by the real shell, steps run by it in a folder, and read again.
//! After each change a second look finds nothing to do, and what was predicted is what is there.

mod node;

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use hadeploy::change::{Action, Content};
use hadeploy::fact::Known;
use serde_json::json;

use self::node::{Node, account, ask, run, verify};
use crate::support::answers::sha256;

const NASTY: [&str; 7] = [
    "plain",
    "with space",
    "it's \"quoted\"",
    "two\nlines",
    "-leading",
    "öñ 漢字 🦀",
    "$HOME `id` \\%s",
];

#[test]
fn files_with_nasty_names_are_written_and_mended() {
    let node = Node::new();
    for name in NASTY {
        let dest = node.text(name);
        let change = node.apply(
            "copy",
            json!({ "content": name, "dest": dest, "mode": "0640" }),
        );
        assert_eq!(change.action, Action::Create);
        assert_eq!((node.read(name).as_str(), node.mode(name)), (name, 0o640));
        node.write(name, "altered");
        let change = node.apply(
            "copy",
            json!({ "content": name, "dest": dest, "backup": true }),
        );
        assert_eq!(change.action, Action::Update);
        assert_eq!((node.read(name).as_str(), node.mode(name)), (name, 0o640));
        let backup = change.result["backup_file"].as_str().expect("a backup");
        assert_eq!(std::fs::read_to_string(backup).expect("kept"), "altered");
        node.apply("file", json!({ "path": dest, "state": "absent" }));
        assert!(!node.path(name).exists());
    }
}

#[test]
fn what_fails_leaves_the_old_file() {
    let node = Node::new();
    node.write("x", "old");
    let arguments =
        |validate: &str| json!({ "content": "new", "dest": node.text("x"), "validate": validate });
    let words = node.fails("copy", arguments("grep -q old %s"), "");
    assert!(words.contains("does not pass `grep -q old %s`"), "{words}");
    assert_eq!(node.read("x"), "old");
    assert_eq!(
        std::fs::read_dir(node.root.path())
            .expect("a folder")
            .count(),
        1
    );
    node.apply("copy", arguments("grep -q new %s"));
    assert_eq!(node.read("x"), "new");
}

/// A write that ends in the middle, as on a full disk.
#[test]
fn a_write_cut_short_leaves_the_old_file() {
    let node = Node::new();
    node.write("x", "old");
    let content = "0123456789".repeat(10_000);
    let arguments = json!({ "content": content, "dest": node.text("x") });
    node.fails("copy", arguments.clone(), "ulimit -f 8");
    assert_eq!(node.read("x"), "old");
    let left = std::fs::read_dir(node.root.path()).expect("a folder");
    assert_eq!(left.count(), 1);
    node.apply("copy", arguments);
    assert_eq!(node.read("x"), content);
}

#[test]
fn links_are_replaced_or_followed() {
    let node = Node::new();
    node.write("target", "old");
    symlink("target", node.path("link")).expect("linked");
    node.apply(
        "copy",
        json!({ "content": "behind", "dest": node.text("link"), "follow": true }),
    );
    assert_eq!(node.read("target"), "behind");
    assert!(node.path("link").is_symlink());
    node.apply(
        "copy",
        json!({ "content": "instead", "dest": node.text("link") }),
    );
    assert_eq!(node.read("target"), "behind");
    assert!(!node.path("link").is_symlink());
}

#[test]
fn a_large_file_is_moved() {
    let node = Node::new();
    let bytes: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(node.files.path().join("large"), &bytes).expect("written");
    node.apply(
        "copy",
        json!({ "src": "large", "dest": node.text("large"), "mode": "0600" }),
    );
    let found = std::fs::read(node.path("large")).expect("readable");
    assert_eq!(
        (sha256(&found), node.mode("large")),
        (sha256(&bytes), 0o600)
    );
}

#[test]
fn folders_are_made_and_removed() {
    let node = Node::new();
    node.apply(
        "file",
        json!({ "path": node.text("a b/c/d"), "state": "directory", "mode": "2750" }),
    );
    assert_eq!(node.mode("a b"), 0o2750);
    node.apply(
        "file",
        json!({ "path": node.text("a b/c/d/e"), "state": "directory", "mode": "0755" }),
    );
    assert_eq!(node.mode("a b/c/d/e"), 0o755);
    node.apply(
        "file",
        json!({ "path": node.text("a b/c"), "state": "directory", "mode": "0700" }),
    );
    assert_eq!(node.mode("a b/c"), 0o700);
    node.apply(
        "file",
        json!({ "path": node.text("a b"), "state": "absent" }),
    );
    assert!(!node.path("a b").exists());
}

#[test]
fn links_of_both_kinds_are_made() {
    let node = Node::new();
    node.write("file", "x");
    node.apply(
        "file",
        json!({ "path": node.text("soft"), "src": "file", "state": "link" }),
    );
    assert_eq!(
        std::fs::read_link(node.path("soft")).expect("a link"),
        Path::new("file")
    );
    node.apply("file", json!({ "path": node.text("soft"), "src": node.text("none"), "state": "link", "force": true }));
    node.apply(
        "file",
        json!({ "path": node.text("hard"), "src": node.text("file"), "state": "hard" }),
    );
    let inode = |name: &str| node.path(name).metadata().expect("there").ino();
    assert_eq!(inode("hard"), inode("file"));
}

#[test]
fn all_below_a_folder_gets_its_mode() {
    let node = Node::new();
    for name in NASTY {
        std::fs::create_dir_all(node.path(&format!("t/{name}"))).expect("made");
        node.write(&format!("t/{name}/{name}"), "");
    }
    node.apply(
        "file",
        json!({ "path": node.text("t"), "recurse": true, "mode": "u=rwX,go=" }),
    );
    assert_eq!(node.mode("t/-leading"), 0o700);
    assert_eq!(node.mode("t/two\nlines/two\nlines"), 0o600);
}

#[test]
fn five_thousand_files_are_one_step_and_only_what_differs_is_sent() {
    let node = Node::new();
    for name in NASTY {
        std::fs::create_dir_all(node.files.path().join("site").join(name)).expect("made");
    }
    for number in 0..5_000 {
        let name = format!("site/{}/{number} {}", NASTY[number % 7], NASTY[number % 5]);
        std::fs::write(node.files.path().join(name), number.to_string()).expect("written");
    }
    let arguments = json!({ "src": "site/", "dest": node.text("www"), "mode": "0640", "directory_mode": "0750" });
    let change = node.apply("copy", arguments.clone());
    assert_eq!(change.steps.len(), 2);
    assert_eq!(node.read("www/with space/1 with space"), "1");
    assert_eq!(
        (node.mode("www/plain"), node.mode("www/plain/0 plain")),
        (0o750, 0o640)
    );
    node.write("www/plain/0 plain", "altered");
    std::fs::remove_file(node.path("www/with space/1 with space")).expect("removed");
    std::fs::set_permissions(
        node.path("www/plain/70 plain"),
        std::fs::Permissions::from_mode(0o600),
    )
    .expect("mode");
    let change = node.apply("copy", arguments);
    let [Content::Tar(entries)] = change.steps[0].inputs.as_slice() else {
        panic!("no stream");
    };
    assert_eq!(entries.len(), 2);
    assert_eq!(node.mode("www/plain/70 plain"), 0o640);
}

#[test]
#[allow(clippy::print_stderr)]
fn owners_are_set_where_the_tests_run_as_root() {
    if account() != "root" {
        eprintln!("skipped: only root can give files away");
        return;
    }
    let node = Node::new();
    let owner = |name: &str| {
        let metadata = node.path(name).metadata().expect("there");
        (metadata.uid(), metadata.gid())
    };
    node.apply("copy", json!({ "content": "x", "dest": node.text("x"), "owner": "33", "group": "34", "mode": "4755" }));
    assert_eq!((owner("x"), node.mode("x")), ((33, 34), 0o4755));
    node.apply("copy", json!({ "content": "y", "dest": node.text("x") }));
    assert_eq!((owner("x"), node.mode("x")), ((33, 34), 0o4755));
    node.apply("file", json!({ "path": node.text("x"), "owner": "root" }));
    assert_eq!((owner("x"), node.mode("x")), ((0, 34), 0o4755));
    std::fs::create_dir(node.files.path().join("site")).expect("made");
    std::fs::write(node.files.path().join("site/a"), "a").expect("written");
    node.apply(
        "copy",
        json!({ "src": "site", "dest": node.text(""), "owner": "1234" }),
    );
    assert_eq!(owner("site/a").0, 1234);
    assert_eq!(owner("site").0, 1234);
}

#[test]
fn ten_lines_go_on_from_what_was_predicted() {
    let node = Node::new();
    node.write("conf", "first\nlast");
    let mut known = Known::default();
    let mut steps = Vec::new();
    for number in 0..10 {
        let arguments = json!({
            "path": node.text("conf"),
            "line": format!("line {number}"),
            "insertbefore": "^last",
        });
        let resource = node.bind("lineinfile", &arguments);
        let mut waves = 0;
        let change = loop {
            match resource.diff(&known) {
                Ok(change) => break change,
                Err(missing) => {
                    waves += 1;
                    known.learn(ask(&missing));
                }
            }
        };
        assert_eq!(waves, usize::from(number == 0), "only the first asks");
        for step in change.steps {
            step.touches.iter().for_each(|touch| known.touch(touch));
            known.learn(step.predicts.iter().cloned());
            steps.push(step);
        }
    }
    assert_eq!(steps.len(), 10);
    for step in &steps {
        assert!(run(step).status.success());
        step.verify.iter().for_each(verify);
    }
    let wanted: Vec<String> = (0..10).map(|number| format!("line {number}")).collect();
    assert_eq!(
        node.read("conf"),
        format!("first\n{}\nlast", wanted.join("\n"))
    );
}

#[test]
fn times_are_set_also_of_what_is_made() {
    let node = Node::new();
    // To read a file's hash, as these tests do, is an access: only the folder keeps that time.
    let times = |name: &str, state: &str, access: &str| {
        json!({
            "path": node.text(name),
            "state": state,
            "access_time": access,
            "modification_time": "2021-02-03",
            "modification_time_format": "%Y-%m-%d",
        })
    };
    let metadata = |name: &str| node.path(name).metadata().expect("there");
    node.apply("file", times("-a b", "touch", "preserve"));
    node.apply("file", times("folder", "directory", "202001020304.05"));
    assert_eq!(metadata("folder").atime(), 1_577_934_245);
    for name in ["-a b", "folder"] {
        assert_eq!(metadata(name).mtime(), 1_612_310_400, "{name}");
    }
    node.write("-a b", "altered");
    let change = node.apply("file", times("-a b", "file", "preserve"));
    assert_eq!(change.fields.len(), 1);
}

#[test]
fn templates_go_into_folders() {
    let node = Node::new();
    std::fs::write(node.files.path().join("a b.j2"), "text").expect("written");
    std::fs::create_dir(node.path("into")).expect("made");
    for dest in ["into", "into/"] {
        node.apply(
            "template",
            json!({ "src": "a b.j2", "dest": node.text(dest), "mode": "u=rw,go=" }),
        );
        assert_eq!(
            (node.read("into/a b.j2"), node.mode("into/a b.j2")),
            ("text".to_owned(), 0o600)
        );
    }
}

#[test]
fn a_file_of_the_node_is_copied_there() {
    let node = Node::new();
    node.write("it's", "here");
    node.apply("copy", json!({ "src": node.text("it's"), "dest": node.text("too"), "remote_src": true, "mode": "0600" }));
    assert_eq!(
        (node.read("too"), node.mode("too")),
        ("here".to_owned(), 0o600)
    );
}

/// An archive of one file and what comes before it; names and link targets are as given.
fn archive(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, target) in entries {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_mode(0o644);
        header.set_entry_type(match *target {
            "" => tar::EntryType::Regular,
            _ => tar::EntryType::Symlink,
        });
        header.set_cksum();
        builder.append(&header, std::io::empty()).expect("appended");
    }
    builder.into_inner().expect("ended")
}

#[test]
fn no_archive_leaves_its_folder() {
    let node = Node::new();
    for folder in ["in", "outside"] {
        std::fs::create_dir(node.path(folder)).expect("made");
    }
    node.write("outside/kept", "kept");
    let outside = node.text("outside");
    for (entries, words) in [
        (
            vec![("ok", ""), ("a/../../outside/evil", "")],
            "below `dest`",
        ),
        (vec![("/evil", "")], "below `dest`"),
        (vec![("x", &*outside), ("x/evil", "")], "x/evil"),
    ] {
        std::fs::write(node.path("a.tar"), archive(&entries)).expect("written");
        let arguments =
            json!({ "src": node.text("a.tar"), "dest": node.text("in"), "remote_src": true });
        let said = node.fails("unarchive", arguments, "");
        assert!(said.contains(words), "{said}");
        for folder in ["in", "outside"] {
            let left = std::fs::read_dir(node.path(folder)).expect("a folder");
            assert_eq!(left.count(), usize::from(folder == "outside"), "{said}");
        }
    }
}
