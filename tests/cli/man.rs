//! `hadeploy man`: pages that `man` renders without a word of complaint.
#![expect(clippy::print_stdout, reason = "a skipped test says so")]

use std::path::Path;
use std::process::Command;

use crate::{Ran, Sandbox};

#[test]
fn there_is_a_page_for_each_subcommand() {
    let sandbox = Sandbox::new(&[]);
    let ran = sandbox.run(&["man", "--dir", "pages/man1"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    let folder = sandbox.home("../work/pages/man1");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("the folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect();
    names.sort();
    assert_eq!(
        ran.stdout,
        format!("{} pages in `pages/man1`\n", names.len())
    );
    for name in [
        "hadeploy.1",
        "hadeploy-apply.1",
        "hadeploy-lab-up.1",
        "hadeploy-vault-encrypt-string.1",
    ] {
        assert!(names.iter().any(|there| there == name), "{name}: {names:?}");
    }
    if !Path::new("/usr/bin/man").exists() {
        println!("skipped: no man on this machine");
        return;
    }
    for name in &names {
        let mut man = Command::new("man");
        man.args(["--warnings", "-E", "UTF-8", "-l"])
            .arg(folder.join(name))
            .env("MANWIDTH", "80")
            .env("LC_ALL", "C.UTF-8");
        let shown = Ran::of(man);
        assert_eq!((shown.status, shown.stderr.as_str()), (0, ""), "{name}");
        assert!(
            shown.stdout.contains("SYNOPSIS") && shown.stdout.contains("EXAMPLES"),
            "{name}"
        );
        // Each example is a line of its own.
        let examples = shown.stdout.split("EXAMPLES\n").nth(1).unwrap_or_default();
        let first = examples.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("         hadeploy ") && !first.contains("  hadeploy  "),
            "{name}: {first}"
        );
        assert!(!shown.stdout.contains("-help(1)"), "{name}");
        if Path::new("/usr/bin/mandoc").exists() {
            let mut lint = Command::new("mandoc");
            lint.args(["-T", "lint", "-W", "warning"])
                .arg(folder.join(name));
            let said = Ran::of(lint);
            assert_eq!((said.status, said.stdout.as_str()), (0, ""), "{name}");
        }
    }
}

#[test]
fn one_page_is_printed() {
    let sandbox = Sandbox::new(&[]);
    let ran = sandbox.run(&["man", "pg", "status"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert!(
        ran.stdout.contains(".TH hadeploy-pg-status 1"),
        "{}",
        ran.stdout
    );
    let ran = sandbox.run(&["man", "aply"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
    assert_eq!(
        ran.stderr,
        "error: there is no subcommand `aply`\nhelp: did you mean `apply`?\n"
    );
}
