//! Usage errors are exit status 1, help and version 0.

use crate::Sandbox;

#[test]
fn help_and_version_are_good_ends() {
    let sandbox = Sandbox::new(&[]);
    let version = sandbox.run(&["--version"]);
    assert_eq!(
        (
            version.status,
            version.stdout.as_str(),
            version.stderr.as_str()
        ),
        (0, concat!("hadeploy ", env!("CARGO_PKG_VERSION"), "\n"), "")
    );
    for words in [
        &["--help"][..],
        &["plan", "--help"],
        &["apply", "-h"],
        &["validate", "--help"],
        &["rolling-update", "--help"],
        &["deploy", "--help"],
        &["rollback", "-h"],
        &["hosts", "--help"],
        &["lab", "up", "--help"],
    ] {
        let help = sandbox.run(words);
        assert_eq!((help.status, help.stderr.as_str()), (0, ""), "{words:?}");
        let wide: Vec<&str> = help
            .stdout
            .lines()
            .filter(|line| line.chars().count() > 80)
            .collect();
        assert!(wide.is_empty(), "{words:?}: {wide:?}");
    }
    assert!(sandbox.run(&["apply", "-h"]).stdout.contains("Examples:"));
}

#[test]
fn what_is_not_known_is_a_usage_error() {
    let sandbox = Sandbox::new(&[]);
    for (words, said) in [
        (&[][..], "Usage: hadeploy"),
        (&["aply"], "similar subcommands exist: 'deploy', 'apply'"),
        (&["plan"], "<PLAYBOOK>"),
        (&["rolling-update"], "<PLAYBOOK>"),
        (
            &["rolling-update", "s.yml", "--max-unavailable", "0"],
            "--max-unavailable",
        ),
        (&["plan", "s.yml", "--frobnicate"], "--frobnicate"),
        (&["plan", "s.yml", "--yes"], "--yes"),
        (
            &["apply", "s.yml", "--detailed-exitcode"],
            "--detailed-exitcode",
        ),
        (&["apply", "s.yml", "-f", "0"], "0 is not in 1..=10000"),
        (
            &["apply", "s.yml", "--lock-timeout", "soon"],
            "not a duration",
        ),
        (&["apply", "s.yml", "--output", "xml"], "xml"),
        (
            &["apply", "s.yml", "-K", "--become-password-file", "p"],
            "cannot be used with",
        ),
    ] {
        let ran = sandbox.run(words);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{words:?}");
        assert!(ran.stderr.contains(said), "{words:?}: {}", ran.stderr);
    }
}

#[test]
fn what_ansible_has_and_what_comes_later_is_refused_by_name() {
    let sandbox = Sandbox::new(&[]);
    for (words, said) in [
        (&["apply", "s.yml", "-C"][..], "`hadeploy plan`"),
        (&["apply", "--check", "s.yml"], "`hadeploy plan`"),
        (&["apply", "s.yml", "--syntax-check"], "`hadeploy validate`"),
        (&["apply", "s.yml", "-k"], "`--private-key`"),
        (
            &["plan", "s.yml", "--out", "f"],
            "`--out` comes in a later release",
        ),
        (
            &["apply", "s.yml", "--from", "f"],
            "`--from` comes in a later release",
        ),
        (
            &["apply", "s.yml", "--vault-password-file", "f"],
            "`--vault-password-file` comes in a later release",
        ),
        (
            &["facts", "all", "-i", "x"],
            "`hadeploy facts` comes in a later release",
        ),
        (
            &["exec", "all", "--", "ls"],
            "`hadeploy exec` comes in a later release",
        ),
        (&["vault"], "`hadeploy vault` comes in a later release"),
    ] {
        let ran = sandbox.run(words);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{words:?}");
        assert!(ran.stderr.contains(said), "{words:?}: {}", ran.stderr);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_trouble() {
    let hosts: String = (0..4000).map(|n| format!("    host{n}:\n")).collect();
    let sandbox = Sandbox::new(&[("h.yml", &format!("all:\n  hosts:\n{hosts}"))]);
    let mut child = sandbox
        .command(&["hosts", "-i", "h.yml"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
