//! `hadeploy doctor` where no node is: this machine, and hosts that cannot be reached.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use crate::Sandbox;

/// A port of this machine where nobody listens.
fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

#[test]
fn hosts_that_cannot_be_reached_are_told_of() {
    let port = closed_port();
    let inventory = format!(
        "all:\n  hosts:\n    far: {{ansible_host: no-such-host.invalid}}\n    shut: {{ansible_host: 127.0.0.1, ansible_port: {port}}}\n"
    );
    let sandbox = Sandbox::new(&[("i.yml", &inventory)]);
    let ran = sandbox.run(&["doctor", "-i", "i.yml"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (1, ""), "{}", ran.stdout);
    for part in [
        "this machine\n  ok    keys         no key files; an agent may have some\n",
        "\nfar (no-such-host.invalid)\n  bad   name         no address is known for",
        "  →  set `ansible_host`",
        "\nshut (127.0.0.1)\n  ok    name         127.0.0.1\n  bad   tcp          `127.0.0.1` port",
    ] {
        assert!(ran.stdout.contains(part), "{part}\n---\n{}", ran.stdout);
    }
    assert!(
        ran.stdout
            .lines()
            .last()
            .is_some_and(|line| line.ends_with("2 bad")),
        "{}",
        ran.stdout
    );

    let events = sandbox
        .run(&["doctor", "far", "-i", "i.yml", "--output", "json"])
        .events();
    let bad: Vec<_> = events
        .iter()
        .filter(|line| line["level"] == "bad")
        .collect();
    assert_eq!(bad.len(), 1);
    assert_eq!(
        (&bad[0]["event"], &bad[0]["host"], &bad[0]["check"]),
        (&"check".into(), &"far".into(), &"name".into())
    );
    let end = events.last().expect("an end");
    assert_eq!(
        (&end["event"], &end["exit_code"]),
        (&"run_finished".into(), &1.into())
    );
}

#[test]
fn this_machine_is_looked_at_without_a_login() {
    let sandbox = Sandbox::new(&[(
        "i.yml",
        "all: {hosts: {here: {ansible_connection: local}}}\n",
    )]);
    let ran = sandbox.run(&["doctor", "-i", "i.yml"]);
    assert_eq!(ran.stderr, "");
    assert!(
        ran.stdout
            .contains("\nhere\n  ok    login        this machine, without a login\n"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("\n  ok    clock        as here\n"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_key_that_others_can_read_is_bad() {
    let sandbox = Sandbox::new(&[(
        "i.yml",
        "all: {hosts: {here: {ansible_connection: local}}}\n",
    )]);
    let ssh = sandbox.home(".ssh");
    std::fs::create_dir(&ssh).expect("a folder");
    std::fs::set_permissions(&ssh, std::fs::Permissions::from_mode(0o700)).expect("a mode");
    let key = ssh.join("id_ed25519");
    std::fs::write(&key, "").expect("a file");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    let ran = sandbox.run(&["doctor", "-i", "i.yml"]);
    assert_eq!(ran.status, 1);
    let line = format!(
        "  bad   keys         others can read `{0}`  →  chmod 600 {0}\n",
        key.display()
    );
    assert!(ran.stdout.contains(&line), "{}", ran.stdout);
}
