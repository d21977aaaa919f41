//! What goes wrong on a node while it is worked on: the old state stays whole, the message says why, others are not held up.

use std::thread;
use std::time::{Duration, Instant};

use crate::Case;
use crate::run::Site;
use crate::world::{Node, World};

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("faults::a_full_disk", a_full_disk).beside(13),
        Case::new("faults::a_read_only_file_system", a_read_only_file_system),
        Case::new("faults::no_such_package", no_such_package),
        Case::new("faults::apt_is_locked_for_a_while", locked_for_a_while),
        Case::new("faults::apt_stays_locked", apt_stays_locked),
        Case::new("faults::validate_refuses", validate_refuses),
        Case::new("faults::ignored_failures_say_why", ignored),
        Case::new("faults::a_handler_that_is_not_there", no_such_handler),
        Case::new("faults::a_step_past_its_deadline", past_its_deadline),
        Case::new("faults::one_bad_node_of_three", one_bad_node_of_three),
        Case::new("faults::two_applies_at_once", two_applies_at_once),
    ]
}

/// A play on n1 with these tasks, written below `tasks:`.
fn play(tasks: &str) -> String {
    format!("- hosts: n1\n  gather_facts: false\n  tasks:\n{tasks}")
}

fn a_full_disk(world: &World) {
    let node = world.first(13);
    // One that is brought through the node's memory, and one that is staged on its disk.
    for size in [900 << 10, 30 << 20] {
        let site = Site::with(
            &node.lab,
            &play("    - name: write\n      copy: {src: large, dest: /srv/full/old}\n"),
        );
        site.write("files/large", vec![b'x'; size]);
        node.sh("mkdir -p /srv/full; seq 100000 >/srv/full/old; sha256sum </srv/full/old >/srv/full/sum
            dd if=/dev/zero of=/srv/filler bs=1M 2>/dev/null; dd if=/dev/zero of=/srv/filler2 bs=4k 2>/dev/null
            truncate -s -500K /srv/filler; sync");
        let run = site.expect(&["apply"], 3);
        assert_eq!(run.status("write"), "failed", "{run}");
        run.says(&["the disk is full"]);
        assert_eq!(
            node.sh("cd /srv/full; sha256sum <old | cmp - sum && ls -A | sort | tr '\\n' ' '"),
            "old sum"
        );
        node.sh("rm /srv/filler /srv/filler2");
        assert_eq!(node.sh("find /var/lib/hadeploy/stage -type f"), "");
        let run = site.apply();
        assert_eq!(run.with("changed"), ["write"], "{run}");
        assert_eq!(
            node.sh("stat -c %s /srv/full/old; rm -r /srv/full"),
            size.to_string()
        );
    }
}

fn a_read_only_file_system(world: &World) {
    let node = world.node("n1");
    node.sh("mkdir -p /srv/ro; mount -t tmpfs tmpfs /srv/ro; echo old >/srv/ro/file; mount -o remount,ro /srv/ro");
    let site = Site::with(
        &node.lab,
        &play(
            "    - name: write\n      copy: {content: new, dest: /srv/ro/file}\n    - name: never\n      command: touch /srv/ro-ran\n",
        ),
    );
    let run = site.expect(&["apply"], 3);
    assert_eq!(run.status("write"), "failed", "{run}");
    run.says(&["ead-only file system"]);
    assert_eq!(
        node.sh("cat /srv/ro/file; ls -A /srv/ro; ls /srv/ro-ran 2>&1 | grep -c cannot"),
        "old\nfile\n1"
    );
    node.sh("mount -o remount,rw /srv/ro");
    let run = site.apply();
    assert_eq!(run.with("changed"), ["write", "never"], "{run}");
    node.sh("umount /srv/ro");
}

fn no_such_package(world: &World) {
    let node = world.node("n1");
    let site = Site::with(
        &node.lab,
        &play("    - name: install\n      apt: {name: [tree, no-such-thing-9]}\n"),
    );
    let before = node.sh("dpkg -l | sha256sum");
    let run = site.expect(&["apply"], 3);
    assert_eq!(run.status("install"), "failed", "{run}");
    run.says(&["`no-such-thing-9`"]);
    assert_eq!(node.sh("dpkg -l | sha256sum"), before);
    // Nothing of a plan that fails is pending.
    let plan = site.run(&["plan", "--detailed-exitcode"]);
    assert_ne!(plan.code, 0, "{plan}");
    plan.says(&["`no-such-thing-9`"]);
}

/// Another package manager at work, which holds its lock for some seconds.
fn hold_lock(node: &Node, seconds: u32) {
    node.sh(&format!(
        "rm -f /run/locked; dpkg -P cowsay >/dev/null 2>&1; systemd-run --quiet --collect --unit=holder apt-get -y -o 'DPkg::Pre-Invoke::=touch /run/locked; sleep {seconds}' install cowsay"
    ));
    node.wait_for("test -e /run/locked");
}

fn locked_for_a_while(world: &World) {
    let node = world.node("n1");
    node.sh("dpkg -P hello >/dev/null 2>&1 || true");
    let site = Site::with(
        &node.lab,
        &play("    - name: install\n      apt: {name: hello, lock_timeout: 60}\n"),
    );
    hold_lock(&node, 4);
    let run = site.apply();
    assert_eq!(run.with("changed"), ["install"], "{run}");
    assert_eq!(
        node.sh("hello; dpkg-query -W -f '${db:Status-Abbrev}' cowsay"),
        "Hello, world!\nii"
    );
}

fn apt_stays_locked(world: &World) {
    let node = world.node("n1");
    node.sh("dpkg -P hello >/dev/null 2>&1 || true");
    let site = Site::with(
        &node.lab,
        &play("    - name: install\n      apt: {name: hello, lock_timeout: 2}\n"),
    );
    hold_lock(&node, 600);
    let start = Instant::now();
    let run = site.expect(&["apply"], 3);
    assert!(start.elapsed() < Duration::from_secs(20), "{run}");
    assert_eq!(run.status("install"), "failed", "{run}");
    run.says(&[
        "/var/lib/dpkg/lock-frontend is held by process",
        "apt-get -y -o",
    ]);
    node.sh("systemctl stop holder; dpkg --configure -a; rm -f /run/locked");
    let run = site.apply();
    assert_eq!(run.with("changed"), ["install"], "{run}");
}

fn validate_refuses(world: &World) {
    let node = world.node("n1");
    node.sh("mkdir -p /srv/va; echo 'good old' >/srv/va/conf; chmod 0640 /srv/va/conf");
    let site = Site::with(
        &node.lab,
        &play(
            "    - name: write\n      copy: {content: \"bad new\\n\", dest: /srv/va/conf, mode: '0600', validate: 'grep -q good %s'}\n      notify: act\n  handlers:\n    - name: act\n      command: touch /srv/va/acted\n",
        ),
    );
    let run = site.expect(&["apply"], 3);
    assert_eq!(run.status("write"), "failed", "{run}");
    run.says(&["grep -q good"]);
    assert_eq!(
        node.sh("cd /srv/va; cat conf; stat -c %a conf; ls -A; ls -A /var/lib/hadeploy/owed 2>/dev/null || true"),
        "good old\n640\nconf"
    );
}

/// `ignore_errors` does not let a failed step be read back.
fn ignored(world: &World) {
    let node = world.node("n1");
    let site = Site::with(
        &node.lab,
        &play(
            "    - name: write\n      copy: {content: \"bad\\n\", dest: /srv/ignored, validate: 'grep -q good %s'}\n      ignore_errors: true\n    - name: after\n      command: \"true\"\n",
        ),
    );
    let run = site.apply();
    assert_eq!(run.status("write"), "failed", "{run}");
    run.says(&["grep -q good"]);
    assert_eq!(run.status("after"), "changed", "{run}");
    assert_eq!(node.sh("ls /srv/ignored 2>/dev/null || echo none"), "none");
}

/// A name that only a template gives is known late, but before the change.
fn no_such_handler(world: &World) {
    let node = world.node("n1");
    let site = Site::with(
        &node.lab,
        &play(
            "    - name: write\n      copy: {content: a, dest: /srv/unheard}\n      notify: \"{{ 're' ~ 'start' }}\"\n  handlers:\n    - name: restore\n      command: \"true\"\n",
        ),
    );
    let run = site.expect(&["apply"], 3);
    assert_eq!(run.status("write"), "failed", "{run}");
    run.says(&["there is no handler `restart`"]);
    assert_eq!(node.sh("ls /srv/unheard 2>/dev/null || echo none"), "none");
}

fn past_its_deadline(world: &World) {
    let node = world.node("n1");
    let site = Site::with(
        &node.lab,
        &play(
            "    - name: slow\n      shell: sleep 4711; touch /srv/late\n      timeout: 2\n    - name: never\n      command: touch /srv/never\n",
        ),
    );
    let start = Instant::now();
    let run = site.expect(&["apply"], 3);
    assert!(start.elapsed() < Duration::from_secs(30), "{run}");
    assert_eq!(run.status("slow"), "failed", "{run}");
    run.says(&["2 s"]);
    assert_eq!(
        node.sh("pgrep -x -f 'sleep 4711' || echo gone; ls /srv/late /srv/never 2>/dev/null || echo none"),
        "gone\nnone"
    );
}

fn one_bad_node_of_three(world: &World) {
    let lab = world.lab(12);
    let mut site = Site::with(
        lab,
        "- hosts: nodes\n  gather_facts: false\n  tasks:\n    - name: first\n      copy: {content: x, dest: /srv/three}\n    - name: bad\n      command: \"false\"\n      when: inventory_hostname == 'n2'\n    - name: last\n      command: touch /srv/three-last\n",
    );
    for host in ["n1", "n2", "n3"] {
        world.node(host).sh("rm -f /srv/three /srv/three-last");
    }
    let run = site.expect(&["apply"], 3);
    assert_eq!(run.on("n2", "bad")["status"], "failed", "{run}");
    assert_eq!(run.on("n2", "bad")["rc"], 1, "{run}");
    for host in ["n1", "n3"] {
        assert_eq!(run.on(host, "last")["status"], "changed", "{run}");
        world.node(host).sh("test -e /srv/three-last");
    }
    world
        .node("n2")
        .sh("test -e /srv/three; test ! -e /srv/three-last");
    assert!(
        run.tasks()
            .all(|task| task["host"] != "n2" || task["task"] != "last"),
        "{run}"
    );

    // The one that cannot be reached at all.
    let text = std::fs::read_to_string(lab.inventory().unwrap()).unwrap();
    site.inventory(&text.replace("        n2:\n", "        n2:\n          ansible_port: 1\n"));
    for host in ["n1", "n2", "n3"] {
        world.node(host).sh("rm -f /srv/three /srv/three-last");
    }
    let run = site.expect(&["apply"], 3);
    assert_eq!(run.named("host_unreachable")[0]["host"], "n2", "{run}");
    assert_eq!(run.count("n2", "unreachable"), 1, "{run}");
    for host in ["n1", "n3"] {
        assert_eq!(run.on(host, "last")["status"], "changed", "{run}");
    }
    world.node("n2").sh("test ! -e /srv/three");
}

fn two_applies_at_once(world: &World) {
    let node = world.node("n1");
    node.sh("rm -f /srv/begun /srv/other");
    let slow = Site::with(
        &node.lab,
        &play("    - name: slow\n      shell: touch /srv/begun; sleep 5\n"),
    );
    let other = Site::with(
        &node.lab,
        "- hosts: nodes\n  gather_facts: false\n  tasks:\n    - name: write\n      copy: {content: x, dest: /srv/other}\n",
    );
    for host in ["n2", "n3"] {
        world.node(host).sh("rm -f /srv/other");
    }
    let first = slow.start(&["apply"]);
    node.wait_for("test -e /srv/begun");
    let second = other.expect(&["apply"], 4);
    assert_eq!(second.events.last().unwrap()["touched"], false, "{second}");
    second.says(&["root@", "hadeploy apply", "play.yml"]);
    // All or none: the lease of the others is not kept either, and nothing was written there.
    for host in ["n1", "n2", "n3"] {
        world.node(host).sh("test ! -e /srv/other");
    }
    let plan = other.plan();
    assert_eq!(plan.with("changed").len(), 3, "{plan}");
    let first = first.wait();
    assert_eq!(
        (first.code, first.with("changed")),
        (0, vec!["slow"]),
        "{first}"
    );
    thread::sleep(Duration::from_millis(200));
    let third = other.apply();
    assert_eq!(third.with("changed").len(), 3, "{third}");
}
