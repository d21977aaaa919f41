//! `hadeploy doctor` on a node that is well, and on one with a fault after the other.

use serde_json::Value;

use crate::Case;
use crate::run::{Run, Site};
use crate::world::World;

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![Case::new("doctor::names_each_fault", names_each_fault)]
}

/// What was found of one thing on n1: how it is, and what was seen.
fn check<'a>(run: &'a Run, name: &str) -> (&'a str, &'a str) {
    let all = run.named("check");
    let found: Vec<&&Value> = all
        .iter()
        .filter(|line| line["host"] == "n1" && line["check"] == name)
        .collect();
    assert_eq!(found.len(), 1, "{name}: {run}");
    let word = |key: &str| found[0][key].as_str().unwrap();
    (word("level"), word("said"))
}

/// Does `harm`, looks, and mends it, whatever was seen.
fn with(world: &World, harm: &str, mend: &str, code: i32) -> Run {
    let node = world.node("n1");
    let site = Site::new(&node.lab);
    node.sh(harm);
    let run = std::panic::catch_unwind(|| site.expect_bare(&["doctor", "n1"], code));
    node.sh(mend);
    run.unwrap_or_else(|why| std::panic::resume_unwind(why))
}

fn names_each_fault(world: &World) {
    let node = world.node("n1");
    let site = Site::new(&node.lab);
    let well = site.expect_bare(&["doctor", "n1"], 0);
    for name in [
        "name", "tcp", "host key", "login", "sudo", "release", "clock", "memory", "dpkg",
    ] {
        assert_eq!(check(&well, name).0, "ok", "{name}: {well}");
    }

    // A key that the node does not know: the way ends at the login.
    let key = site.path("stranger");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status();
    assert!(made.unwrap().success());
    let inventory = format!(
        "all:\n  hosts:\n    n1: {{ansible_host: {}, ansible_user: root, ansible_ssh_private_key_file: {}, ansible_ssh_common_args: -o UserKnownHostsFile={}}}\n",
        node.address(),
        key.display(),
        node.lab.known_hosts().display()
    );
    let mut stranger = Site::new(&node.lab);
    stranger.inventory(&inventory);
    let run = stranger.expect_bare(&["doctor", "n1"], 1);
    assert_eq!(check(&run, "host key").0, "ok", "{run}");
    let (level, said) = check(&run, "login");
    assert!(level == "bad" && said.contains("stranger"), "{run}");
    assert!(
        !run.named("check")
            .iter()
            .any(|line| line["check"] == "sudo" && line["host"] == "n1")
    );

    // Nobody is known there, and nobody listens.
    stranger.inventory(&inventory.replace("UserKnownHostsFile=", "UserKnownHostsFile=/dev/null#"));
    let run = stranger.expect_bare(&["doctor", "n1"], 1);
    assert_eq!(check(&run, "host key").0, "bad", "{run}");
    stranger.inventory(&inventory.replace("{ansible_host", "{ansible_port: 9, ansible_host"));
    let run = stranger.expect_bare(&["doctor", "n1"], 1);
    assert_eq!(check(&run, "tcp").0, "bad", "{run}");

    // An account that may not become root, then one that may.
    node.sh("useradd -m dora; install -d -o dora -m 700 /home/dora/.ssh; install -o dora -m 600 /root/.ssh/authorized_keys /home/dora/.ssh/; rm -f /etc/sudoers.d/dora");
    stranger.inventory(
        &inventory
            .replace("ansible_user: root", "ansible_user: dora")
            .replace(
                &key.display().to_string(),
                &node.lab.key().display().to_string(),
            ),
    );
    let run = stranger.expect_bare(&["doctor", "n1"], 1);
    let (level, _) = check(&run, "sudo");
    assert_eq!(level, "bad", "{run}");
    // What needs no root is seen all the same.
    assert_eq!(check(&run, "release").0, "ok", "{run}");

    node.sh("command -v sudo || { apt-get update && apt-get install -y sudo; }; echo 'dora ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/dora");
    let run = stranger.expect_bare(&["doctor", "n1"], 0);
    assert_eq!(check(&run, "sudo"), ("ok", "dora may become root"), "{run}");
    node.sh("rm /etc/sudoers.d/dora; userdel -r dora 2>/dev/null || true");

    let half = "sed -i '/^Package: tar$/,/^$/s/^Status: install ok .*/Status: install ok STATE/' /var/lib/dpkg/status";
    let run = with(
        world,
        &half.replace("STATE", "half-configured"),
        &half.replace("STATE", "installed"),
        1,
    );
    assert_eq!(
        check(&run, "dpkg"),
        ("bad", "tar is half-configured"),
        "{run}"
    );

    let run = with(
        world,
        "systemd-run -q --unit=doctor-ill false; sleep 1; touch /run/reboot-required",
        "systemctl reset-failed doctor-ill; rm /run/reboot-required",
        0,
    );
    assert_eq!(
        check(&run, "systemd"),
        ("warn", "failed: doctor-ill.service"),
        "{run}"
    );
    assert_eq!(check(&run, "reboot").0, "warn", "{run}");
}
