//! The real fragments run by the real shell over a real folder, read back.

use std::collections::HashMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use proptest::prelude::*;

use crate::fact::{Answer, Missing, Question, parse, script};

fn ask(questions: impl IntoIterator<Item = Question>) -> HashMap<Question, Answer> {
    let questions = Missing::new(questions);
    let script = script(&questions, "n0nce");
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("script");
    std::fs::write(&file, script).expect("written");
    let output = std::process::Command::new("/bin/sh")
        .arg(&file)
        .current_dir("/")
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .expect("sh runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
    parse(&questions, "n0nce", &output.stdout)
        .expect("readable")
        .into_iter()
        .collect()
}

fn path(text: &str) -> Question {
    Question::Path(text.into())
}

fn info(answers: &HashMap<Question, Answer>, key: &str) -> super::PathInfo {
    match &answers[&path(key)] {
        Answer::Path(info) => info.clone(),
        other => panic!("{other:?}"),
    }
}

fn at(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().expect("utf-8").to_owned()
}

const NASTY: [&str; 9] = [
    "plain",
    "with space",
    "it's \"quoted\"",
    "two\nlines",
    "-leading",
    "öñ 漢字 🦀",
    "$HOME `id` \\",
    "*?[a]",
    "%s%%\\0",
];

#[test]
fn nasty_names_are_answered_in_every_way() {
    let folder = tempfile::tempdir().expect("folder");
    let root = folder.path();
    for name in NASTY {
        std::fs::write(root.join(name), name).expect("written");
    }
    let keys: Vec<String> = NASTY.iter().map(|name| at(root, name)).collect();
    let answers = ask(keys.iter().flat_map(|key| {
        [
            path(key),
            Question::Digest(key.as_str().into()),
            Question::Text(key.as_str().into()),
        ]
    }));
    for (key, name) in keys.iter().zip(NASTY) {
        let found = info(&answers, key);
        let stat = found.stat.expect("there");
        assert_eq!((stat.kind, stat.size), ('f', name.len() as u64), "{name:?}");
        assert_eq!(&*found.abs, key.as_str());
        let Answer::Text(Some(text)) = &answers[&Question::Text(key.as_str().into())] else {
            panic!("no text of {name:?}");
        };
        assert_eq!(&**text, name.as_bytes());
        let Answer::Digest(Some(_)) = &answers[&Question::Digest(key.as_str().into())] else {
            panic!("no digest of {name:?}");
        };
    }
}

#[test]
fn kinds_links_and_absences() {
    let folder = tempfile::tempdir().expect("folder");
    let root = folder.path().canonicalize().expect("real");
    std::fs::write(root.join("file"), "x").expect("written");
    std::fs::set_permissions(root.join("file"), std::fs::Permissions::from_mode(0o4751))
        .expect("mode");
    symlink("file", root.join("link")).expect("link");
    symlink("nowhere", root.join("broken")).expect("link");
    symlink("loop", root.join("loop")).expect("link");
    std::process::Command::new("mkfifo")
        .arg(root.join("fifo"))
        .status()
        .expect("fifo");
    let key = |name: &str| at(&root, name);
    let names = ["file", "link", "broken", "loop", "fifo", "absent/below"];
    let answers = ask(names.iter().flat_map(|name| {
        [
            path(&key(name)),
            Question::Digest(key(name).into()),
            Question::Text(key(name).into()),
        ]
    }));
    let file = info(&answers, &key("file")).stat.expect("there");
    assert_eq!((file.kind, file.target_kind, file.mode), ('f', 'f', 0o4751));
    let link = info(&answers, &key("link"));
    assert_eq!(&*link.real, key("file"));
    let stat = link.stat.expect("there");
    assert_eq!((stat.kind, stat.target_kind), ('l', 'f'));
    assert_eq!(stat.link.as_deref(), Some("file"));
    let broken = info(&answers, &key("broken"));
    assert_eq!(broken.stat.expect("there").target_kind, 'N');
    assert_eq!(&*broken.real, key("nowhere"));
    assert_eq!(
        info(&answers, &key("loop"))
            .stat
            .expect("there")
            .target_kind,
        'L'
    );
    let absent = info(&answers, &key("absent/below"));
    assert_eq!(absent.stat, None);
    assert_eq!(&*absent.real, key("absent/below"));
    assert_eq!(
        answers[&Question::Digest(key("link").into())],
        Answer::Digest(Some(
            "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881".into()
        ))
    );
    for name in ["broken", "loop", "fifo", "absent/below"] {
        assert_eq!(
            answers[&Question::Digest(key(name).into())],
            Answer::Digest(None)
        );
        assert_eq!(
            answers[&Question::Text(key(name).into())],
            Answer::Text(None)
        );
    }
}

#[test]
fn homes_are_the_nodes_to_resolve() {
    let answers = ask([
        path("~root/a 'b'"),
        path("~root"),
        path("~no-such-user-here/x"),
        path("~bad name/x"),
        path("~"),
    ]);
    assert_eq!(&*info(&answers, "~root/a 'b'").abs, "/root/a 'b'");
    assert_eq!(&*info(&answers, "~root").abs, "/root");
    assert!(!info(&answers, "~").is_homeless());
    for key in ["~no-such-user-here/x", "~bad name/x"] {
        let found = info(&answers, key);
        assert!(found.is_homeless());
        assert_eq!((&*found.abs, &*found.real, found.stat), (key, key, None));
    }
}

#[test]
fn folders_are_listed_also_behind_a_link_and_with_foreign_bytes() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().expect("folder");
    let root = folder.path();
    std::fs::create_dir_all(root.join("tree/sub dir")).expect("made");
    std::fs::write(root.join("tree/sub dir/two\nlines"), "x").expect("written");
    std::fs::write(
        root.join("tree")
            .join(std::ffi::OsStr::from_bytes(b"latin\xe9")),
        "",
    )
    .expect("written");
    symlink("tree", root.join("link")).expect("link");
    let answers = ask(["link", "absent"].map(|name| Question::Tree(at(root, name).into())));
    let Answer::Tree(Some(tree)) = &answers[&Question::Tree(at(root, "link").into())] else {
        panic!("no tree");
    };
    let mut names: Vec<&str> = tree.iter().map(|entry| &*entry.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["latin\u{fffd}", "sub dir", "sub dir/two\nlines"]);
    assert_eq!(
        answers[&Question::Tree(at(root, "absent").into())],
        Answer::Tree(None)
    );
}

#[test]
fn patterns_match_as_in_the_shell_and_nothing_else_is_special() {
    let folder = tempfile::tempdir().expect("folder");
    let root = folder.path();
    for name in ["a1", "a2", "b1", "$(id) x1", "[x", ".a1"] {
        std::fs::write(root.join(name), "").expect("written");
    }
    let matches = |pattern: &str| -> Vec<String> {
        let key = Question::Glob(at(root, pattern).into());
        let answers = ask([key.clone()]);
        let Answer::Glob(paths) = &answers[&key] else {
            panic!("no match");
        };
        paths
            .iter()
            .map(|path| path[at(root, "").len()..].to_owned())
            .collect()
    };
    assert_eq!(matches("a*"), ["a1", "a2"]);
    assert_eq!(matches("[ab]1"), ["a1", "b1"]);
    assert_eq!(matches("[!a]1"), ["b1"]);
    assert_eq!(matches("$(id) *"), ["$(id) x1"]);
    assert_eq!(matches("[x"), ["[x"]);
    assert_eq!(matches("?1"), ["a1", "b1"]);
    assert!(matches("zzz*").is_empty());
    assert!(matches("zzz").is_empty());
}

#[test]
fn ten_thousand_paths_are_one_script() {
    let keys: Vec<String> = (0..10_000)
        .map(|number| format!("/etc/a folder that is not there/number {number}"))
        .chain(["/etc/passwd".to_owned()])
        .collect();
    let answers = ask(keys
        .iter()
        .flat_map(|key| [path(key), Question::Digest(key.as_str().into())]));
    assert_eq!(answers.len(), 20_002);
    assert_eq!(info(&answers, "/etc/passwd").stat.expect("there").kind, 'f');
}

#[test]
fn a_truncated_answer_is_an_error() {
    let body = b"/x\0/x\0f\0f\x00644\0";
    assert!(super::parse_paths(&["/x"], body).is_err());
    assert!(super::parse_paths(&["/x"], b"").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_name_comes_back(names in prop::collection::btree_set("[^/\0]{1,20}", 1..6)) {
        let folder = tempfile::tempdir().expect("folder");
        let root = folder.path().canonicalize().expect("real");
        let names: Vec<&String> = names.iter().filter(|name| *name != "." && *name != "..").collect();
        for name in &names {
            std::fs::write(root.join(name), name.as_bytes()).expect("written");
        }
        let answers = ask(names.iter().flat_map(|name| {
            let key = at(&root, name);
            [path(&key), Question::Text(key.into())]
        }));
        for name in names {
            let key = at(&root, name);
            let found = info(&answers, &key);
            prop_assert_eq!(&*found.real, key.as_str());
            prop_assert_eq!(found.stat.map(|stat| stat.kind), Some('f'));
            prop_assert_eq!(&answers[&Question::Text(key.into())], &Answer::Text(Some(name.as_bytes().into())));
        }
    }
}

#[test]
fn a_listing_stops_at_its_level() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("it's/deep")).unwrap();
    let path = folder.path().display();
    let keys = [
        format!("0 {path}"),
        format!("1 {path}"),
        "0 /no/where".to_owned(),
    ];
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let output = std::process::Command::new("/bin/sh")
        .arg("-c")
        .arg(super::listings_script(&keys))
        .output()
        .unwrap();
    let answers = super::parse_listings(&keys, &output.stdout).unwrap();
    let names: Vec<Option<Vec<String>>> = answers
        .iter()
        .map(|(_, answer)| match answer {
            super::super::Answer::Listing(listing) => listing.as_ref().map(|listing| {
                assert!(listing.now > 1e9 && *listing.folder == *path.to_string());
                listing
                    .entries
                    .iter()
                    .map(|entry| entry.name.to_string())
                    .collect()
            }),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        names,
        [
            Some(vec!["it's".to_owned(), "it's/deep".to_owned()]),
            Some(vec!["it's".to_owned()]),
            None
        ]
    );
}
