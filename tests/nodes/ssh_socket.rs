//! Nodes where ssh.socket listens in place of ssh.service.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::Case;
use crate::lockout::{after_s, site, state};
use crate::run::Run;
use crate::world::Node;

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![
        crate::waiting("ssh_socket::what_is_right_stays", |world| {
            with_socket(&world.spare("n2"), right);
        }),
        Case::new("ssh_socket::what_is_right_stays_on_13", |world| {
            with_socket(&world.first(13), right);
        })
        .beside(13),
        Case::long("ssh_socket::each_opens_again", |world| {
            with_socket(&world.spare("n2"), wrong);
        })
        .beside(1),
        Case::long("ssh_socket::each_opens_again_on_13", |world| {
            with_socket(&world.first(13), wrong);
        })
        .beside(13),
    ]
}

const DROP_IN: &str = "/etc/systemd/system/ssh.socket.d/port.conf";

/// Runs `act` while the socket listens; afterwards the daemon does, as before.
fn with_socket(node: &Node, act: fn(&Node)) {
    node.sh("systemctl disable -q --now ssh.service 2>&1; systemctl enable -q --now ssh.socket 2>&1; systemctl is-active ssh.socket");
    let done = catch_unwind(AssertUnwindSafe(|| act(node)));
    node.sh("rm -rf /etc/systemd/system/ssh.socket.d /etc/ssh/sshd_config.d/10-test.conf; systemctl daemon-reload; systemctl stop ssh.socket ssh.service; systemctl disable -q ssh.socket 2>&1; systemctl reset-failed 'ssh*'; systemctl enable -q --now ssh.service 2>&1; systemctl is-active ssh.service");
    if let Err(why) = done {
        resume_unwind(why);
    }
}

/// What listens, and what would at the next boot.
fn units(node: &Node) -> String {
    node.sh("for u in ssh.socket ssh.service; do echo $u $(systemctl is-active $u) $(systemctl is-enabled $u); done; ss -Hltn | sed -n 's/.*[]*0]:\\([0-9]*\\) .*/\\1/p' | grep -x -e 22 -e 2222 | sort -nu | tr '\\n' ' '")
}

fn listens(lines: &[&str]) -> String {
    let lines = lines.iter().map(|line| format!("ListenStream={line}\\n"));
    let text: String = lines.collect();
    format!("copy: {{dest: {DROP_IN}, content: \"[Socket]\\n{text}\"}}")
}

fn sshd(line: &str) -> String {
    format!("copy: {{dest: /etc/ssh/sshd_config.d/10-test.conf, content: \"{line}\\n\"}}")
}

/// Nothing of a guarded change is left to be undone.
fn is_quiet(node: &Node) {
    assert_eq!(
        node.sh("ls /var/lib/hadeploy/guard 2>/dev/null; systemctl list-units --all --plain --no-legend 'hadeploy-guard*'"),
        ""
    );
}

fn right(node: &Node) {
    let by = |port: Option<u16>, task: &str| site(node, "root", port, task).apply();
    // It has started the daemon for the first of us, and still listens.
    let socket = "ssh.socket active enabled\nssh.service active disabled\n22";
    by(None, "ping:");
    assert_eq!(units(node), socket);
    node.sh("mkdir -p /etc/systemd/system/ssh.socket.d");

    let run = by(None, &sshd("LogLevel VERBOSE"));
    assert_eq!(run.with("changed"), ["task"], "{run}");
    assert_eq!(units(node), socket);
    let before = state(node);
    let bad = site(node, "root", None, &sshd("NoSuchOption yes")).expect(&["apply"], 3);
    bad.says(&["/etc/ssh/sshd_config.d/10-test.conf", "line 1"]);
    assert_eq!(state(node), before, "{bad}");
    // The port of sshd's files has no say.
    let run = by(None, &sshd("Port 2222"));
    assert_eq!(run.with("changed"), ["task"], "{run}");
    assert_eq!(units(node), socket);
    by(None, &file_away("/etc/ssh/sshd_config.d/10-test.conf"));

    // Another port: only both at first.
    let before = state(node);
    let only = site(node, "root", None, &listens(&["", "2222"])).expect(&["apply"], 3);
    only.says(&[
        "ssh.socket would listen on port 2222 only, and this run came in by 22",
        "`ListenStream=22` and `ListenStream=2222`",
    ]);
    assert_eq!(state(node), before, "{only}");
    assert_eq!(units(node), socket);
    by(None, &listens(&["", "22", "2222"]));
    assert_eq!(units(node), socket.to_owned() + " 2222");
    by(Some(2222), &listens(&["", "2222"]));
    assert_eq!(units(node), socket.replace("\n22", "\n2222"));
    let back = site(node, "root", Some(2222), &file_away(DROP_IN)).expect(&["apply"], 3);
    back.says(&["ssh.socket would listen on port 22 only, and this run came in by 2222"]);
    by(Some(2222), &listens(&["", "22", "2222"]));
    by(None, &file_away(DROP_IN));
    assert_eq!(units(node), socket);

    // Nothing would listen at the next boot; and systemd starts no socket whose service runs. Both are as before at once.
    for (task, why) in [
        (
            "systemd: {name: ssh.socket, state: stopped, enabled: false}",
            "would start at the next boot",
        ),
        (
            "systemd: {name: ssh.socket, state: restarted}",
            "ssh.socket",
        ),
    ] {
        let before = state(node);
        let run = site(node, "root", None, task).expect(&["apply"], 3);
        run.says(&[why]);
        assert!(!run.text().contains("the way in was lost"), "{run}");
        assert_eq!(units(node), socket, "{run}");
        assert_eq!(state(node), before, "{run}");
    }
    is_quiet(node);
}

fn file_away(path: &str) -> String {
    format!("file: {{path: {path}, state: absent}}")
}

/// Within its minute the node is as before.
#[track_caller]
fn undone(node: &Node, task: &str, why: &[&str]) -> Run {
    let (files, units_before) = (state(node), units(node));
    let run = site(node, "root", None, task).run(&["apply"]);
    assert_eq!(run.code, 3, "{task}\n{run}");
    run.says(&[
        "the way in was lost",
        "the node put the old state back by itself",
    ]);
    run.says(why);
    assert!(after_s(&run) <= 66, "{task}\n{run}");
    assert_eq!(units(node), units_before, "{task}\n{run}");
    assert_eq!(state(node), files, "{task}\n{run}");
    let ping = site(node, "root", None, "ping:").apply();
    assert_eq!(ping.with("ok"), ["task"], "{ping}");
    is_quiet(node);
    run
}

fn wrong(node: &Node) {
    node.sh("mkdir -p /etc/systemd/system/ssh.socket.d");
    site(node, "root", None, "ping:").apply();
    undone(node, &sshd("AllowUsers nobody"), &["is not let in"]);
    undone(
        node,
        &listens(&["", "127.0.0.1:22"]),
        &[DROP_IN, "connection refused"],
    );
    is_quiet(node);
}
