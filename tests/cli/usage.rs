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
        (0, concat!("hadeploy ", env!("HADEPLOY_VERSION"), "\n"), "")
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
        &["explain", "--help"],
        &["facts", "--help"],
        &["exec", "--help"],
        &["history", "--help"],
        &["log", "--help"],
        &["lab", "up", "--help"],
        &["lab", "renew", "--help"],
        &["node", "--help"],
        &["node", "forget", "--help"],
        &["node", "replace", "-h"],
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

/// What is wrong with an order about a node is said before anything connects.
#[test]
fn a_node_to_forget_or_replace_is_named_with_care() {
    let playbook = "- hosts: all\n  tasks:\n    - redis_cluster: {group: all, password: p}\n";
    let hosts = "all:\n  hosts:\n    n1: {private_address: 192.0.2.1}\n    n3: {private_address: 192.0.2.3}\n";
    let one = "all:\n  hosts:\n    n1: {private_address: 192.0.2.1}\n";
    let files = [("p.yml", playbook), ("i.yml", hosts), ("one.yml", one)];
    let sandbox = Sandbox::new(&files);
    let common = ["--playbook", "p.yml"];
    for (words, said) in [
        (&["node"][..], "Usage: hadeploy node"),
        (&["node", "replace", "-i", "i.yml"], "<NODE>"),
        (
            &[
                "node",
                "forget",
                "n3",
                "--address",
                "next door",
                "-i",
                "i.yml",
            ],
            "--address",
        ),
    ] {
        let ran = sandbox.run(words);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{words:?}");
        assert!(ran.stderr.contains(said), "{words:?}: {}", ran.stderr);
    }
    for (words, said) in [
        (
            &["node", "replace", "n33", "-i", "i.yml"][..],
            "did you mean `n3`?",
        ),
        (
            &["node", "forget", "n33", "-i", "i.yml"],
            "did you mean `n3`?",
        ),
        (&["node", "forget", "n3", "-i", "i.yml"], "say `--yes`"),
        (
            &["node", "forget", "n1", "-i", "one.yml", "--yes"],
            "the only host",
        ),
    ] {
        let ran = sandbox.run(&[words, &common[..]].concat());
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{words:?}");
        assert!(ran.stderr.contains(said), "{words:?}: {}", ran.stderr);
    }
}
