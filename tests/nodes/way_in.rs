//! The way into a node, when it is barred: what is said, and that nothing was touched.

use std::fs;
use std::process::Command;

use crate::Case;
use crate::run::{Run, Site};
use crate::world::{Node, World};

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("way_in::refused_connection", |world| {
            let run = barred(world, "ansible_port: 1", None);
            run.says(&["refused"]);
        }),
        Case::new("way_in::unknown_host_key", |world| {
            let run = barred(world, "", Some(""));
            run.says(&["key", "known"]);
        }),
        Case::new("way_in::changed_host_key", changed_host_key),
        Case::new("way_in::wrong_key", |world| {
            let run = barred(world, "ansible_ssh_private_key_file: KEY", None);
            run.says(&["key"]);
        }),
        Case::new("way_in::no_such_user", |world| {
            let run = barred(world, "ansible_user: nobody-here", None);
            run.says(&["nobody-here"]);
        }),
        Case::new("way_in::no_sudo_on_the_node", no_sudo_on_the_node),
        Case::new("way_in::sudo", sudo),
    ]
}

const PLAY: &str = "- hosts: n3\n  gather_facts: false\n  become: true\n  tasks:\n    - name: write\n      copy: {content: x, dest: /srv/way}\n    - name: who\n      command: id -un\n      register: who\n    - name: say\n      debug: {msg: \"I am {{ who.stdout }}\"}\n";

/// An inventory of n3 alone, with other settings, and another file of known hosts.
fn site(world: &World, settings: &str, known_hosts: Option<&str>) -> Site {
    let lab = world.lab(12);
    let mut site = Site::with(lab, PLAY);
    let known = match known_hosts {
        Some(text) => {
            site.write("known_hosts", text);
            site.path("known_hosts")
        }
        None => lab.known_hosts(),
    };
    let key = site.path("other_key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-N", "", "-t", "ed25519", "-f"])
        .arg(&key)
        .status();
    assert!(made.unwrap().success());
    let mut lines = vec![
        format!("ansible_host: {}", world.node("n3").address()),
        format!(
            "ansible_ssh_common_args: -o UserKnownHostsFile={} -o StrictHostKeyChecking=yes",
            known.display()
        ),
    ];
    let settings = settings.replace("KEY", &key.display().to_string());
    lines.extend(settings.lines().map(String::from));
    for (name, value) in [
        ("ansible_user", "root".to_owned()),
        (
            "ansible_ssh_private_key_file",
            lab.key().display().to_string(),
        ),
    ] {
        if !settings.contains(name) {
            lines.push(format!("{name}: {value}"));
        }
    }
    let lines = lines.join("\n          ");
    site.inventory(&format!(
        "all:\n  children:\n    nodes:\n      hosts:\n        n3:\n          {lines}\n"
    ));
    site
}

/// A run that must not come in.
fn barred(world: &World, settings: &str, known_hosts: Option<&str>) -> Run {
    let node = world.node("n3");
    node.sh("rm -f /srv/way");
    let site = site(world, settings, known_hosts);
    site.expect(&["plan"], 1);
    let run = site.expect(&["apply"], 1);
    refused(&run, &node);
    run
}

fn refused(run: &Run, node: &Node) {
    assert_eq!(run.named("host_unreachable").len(), 1, "{run}");
    assert_eq!(run.tasks().count(), 0, "{run}");
    assert_eq!(run.events.last().unwrap()["touched"], false, "{run}");
    node.sh("test ! -e /srv/way");
}

fn changed_host_key(world: &World) {
    let node = world.node("n3");
    let known = fs::read_to_string(world.lab(12).known_hosts()).unwrap();
    // The keys of another node under this one's address, as after a takeover of the address.
    let other = world.node("n1").address();
    let wrong: String = known
        .lines()
        .filter(|line| line.starts_with(&format!("{other} ")))
        .map(|line| line.replace(&other, &node.address()) + "\n")
        .collect();
    let run = barred(world, "", Some(&wrong));
    let fingerprint = |node: &Node| {
        let text = node.sh("ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub");
        text.split(' ').nth(1).unwrap().to_owned()
    };
    run.says(&[
        &fingerprint(&node),
        &fingerprint(&world.node("n1")),
        "known_hosts",
    ]);
}

/// An account that logs in with the lab's key.
fn account(node: &Node, name: &str) {
    node.sh(&format!(
        "id {name} >/dev/null 2>&1 || useradd -m -s /bin/sh {name}
         mkdir -p /home/{name}/.ssh; cp /root/.ssh/authorized_keys /home/{name}/.ssh/; chown -R {name} /home/{name}"
    ));
}

fn no_sudo_on_the_node(world: &World) {
    let node = world.node("n3");
    account(&node, "plain");
    node.sh("mv /usr/bin/sudo /usr/bin/sudo.away");
    let run = std::panic::catch_unwind(|| barred(world, "ansible_user: plain", None));
    node.sh("mv /usr/bin/sudo.away /usr/bin/sudo");
    run.unwrap().says(&["no sudo on the node"]);
}

fn sudo(world: &World) {
    let node = world.node("n3");
    for name in ["plain", "free", "asked"] {
        account(&node, name);
    }
    node.sh("echo 'asked:right pass\"word' | chpasswd
        printf 'free ALL=(ALL:ALL) NOPASSWD: ALL\\nasked ALL=(ALL:ALL) ALL\\n' >/etc/sudoers.d/way; chmod 0440 /etc/sudoers.d/way");

    let run = barred(world, "ansible_user: plain", None);
    run.says(&["sudo"]);

    let site = self::site(world, "ansible_user: free", None);
    let run = site.apply();
    assert_eq!(run.with("changed"), ["write", "who"], "{run}");
    run.says(&["I am root"]);
    assert_eq!(node.sh("stat -c %U /srv/way; rm /srv/way"), "root");

    let run = barred(world, "ansible_user: asked", None);
    run.says(&["password"]);

    let site = self::site(world, "ansible_user: asked", None);
    site.write("right", "right pass\"word\n");
    site.write("wrong", "wr0ng-s3cret\n");
    let wrong = site.path("wrong").display().to_string();
    let run = site.expect(&["apply", "--become-password-file", &wrong], 1);
    refused(&run, &node);
    run.says(&["refused the password"]);
    assert!(!run.text().contains("wr0ng-s3cret"), "{run}");

    let right = site.path("right").display().to_string();
    let run = site.expect(&["apply", "--become-password-file", &right], 0);
    run.says(&["I am root"]);
    assert!(!run.text().contains("right pass"), "{run}");
    assert_eq!(node.sh("stat -c %U /srv/way"), "root");
}
