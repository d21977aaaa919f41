//! Connections cut and controllers killed in the middle: the true result is reported, nothing runs twice, no handler is lost.

use crate::Case;
use crate::run::{Run, Site};
use crate::world::{Node, World};

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("drills::cut_in_a_command", cut_in_a_command),
        Case::new("drills::cut_in_an_install", cut_in_an_install),
        Case::new("drills::cut_again_and_again", cut_again_and_again),
        Case::new("drills::killed_in_an_install", killed_in_an_install),
        Case::new(
            "drills::killed_before_the_handler",
            killed_before_the_handler,
        ),
        Case::new(
            "drills::a_lease_nobody_gives_back",
            a_lease_nobody_gives_back,
        ),
    ]
}

fn play(tasks: &str) -> String {
    format!("- hosts: n2\n  gather_facts: false\n  tasks:\n{tasks}")
}

/// Ends every SSH session of the node, by the process that serves it.
fn cut(node: &Node) {
    let ended = node.sh(
        "for p in /proc/[0-9]*; do
            words=$(tr '\\0' ' ' <$p/cmdline 2>/dev/null)
            case $words in 'sshd: root'*|'sshd-session: root'*) kill -9 ${p#/proc/} && echo cut;; esac
        done",
    );
    assert!(ended.contains("cut"), "there was no session to cut");
}

/// Package installs on this node take some seconds from now on, and note that they began.
fn slow_apt(node: &Node, seconds: u32) {
    begin(node);
    node.sh(&format!(
        "echo 'DPkg::Pre-Invoke {{\"echo began >>/srv/dr/apt; sleep {seconds}\";}};' >/etc/apt/apt.conf.d/99slow
        dpkg -P hello >/dev/null 2>&1; : >/var/log/dpkg.log"
    ));
}

/// The names of the handlers that were said to be owed.
fn owed(run: &Run) -> Vec<&str> {
    let mut names: Vec<&str> = run
        .named("owed")
        .into_iter()
        .filter_map(|event| event["handler"].as_str())
        .collect();
    names.sort_unstable();
    names
}

/// A folder for notes, and no lease of a dead run that a failed case left.
fn begin(node: &Node) {
    node.sh("rm -rf /run/hadeploy/lease /srv/dr; mkdir -p /srv/dr");
}

/// The lease of a dead run counts as silent for long.
#[track_caller]
fn age_lease(node: &Node) {
    node.sh("test -e /run/hadeploy/lease/run && echo 0 >/run/hadeploy/lease/beat");
}

fn cut_in_a_command(world: &World) {
    let node = world.node("n2");
    begin(&node);
    let site = Site::with(
        &node.lab,
        &play(
            "    - name: before\n      copy: {content: x, dest: /srv/dr/before}\n    - name: long\n      shell: echo begun >>/srv/dr/log; sleep 3; echo the end; exit 3\n      register: r\n      failed_when: r.rc != 3\n    - name: after\n      copy: {content: \"{{ r.stdout }}\", dest: /srv/dr/after}\n",
        ),
    );
    let running = site.start(&["apply"]);
    node.wait_for("test -e /srv/dr/log");
    cut(&node);
    let run = running.wait();
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(run.with("changed"), ["before", "long", "after"], "{run}");
    assert_eq!(run.task("long")["rc"], 3, "{run}");
    assert_eq!(node.sh("cat /srv/dr/log /srv/dr/after"), "begun\nthe end");
}

fn cut_in_an_install(world: &World) {
    let node = world.node("n2");
    slow_apt(&node, 3);
    let site = Site::with(
        &node.lab,
        &play("    - name: install\n      apt: {name: hello}\n"),
    );
    let running = site.start(&["apply"]);
    node.wait_for("test -e /srv/dr/apt");
    cut(&node);
    let run = running.wait();
    node.sh("rm /etc/apt/apt.conf.d/99slow");
    assert_eq!(
        (run.code, run.with("changed")),
        (0, vec!["install"]),
        "{run}"
    );
    assert_eq!(
        node.sh("sort -u /srv/dr/apt; hello"),
        "began\nHello, world!"
    );
    let again = site.apply();
    assert!(again.with("changed").is_empty(), "{again}");
}

fn cut_again_and_again(world: &World) {
    let node = world.node("n2");
    begin(&node);
    let cuts = [0, 2, 3, 5];
    // A step in which the connection is cut goes on when it was: on a slow machine nobody may be connected again yet.
    let tasks: String = (0..6)
        .map(|n| {
            let wait = match cuts.contains(&n) {
                true => format!("until [ -e /srv/dr/cut-{n} ]; do sleep 0.1; done"),
                false => "sleep 0.7".to_owned(),
            };
            format!("    - name: step {n}\n      shell: echo {n} >>/srv/dr/log; {wait}\n")
        })
        .collect();
    let site = Site::with(&node.lab, &play(&tasks));
    let running = site.start(&["apply"]);
    for number in cuts {
        node.wait_for(&format!("grep -q {number} /srv/dr/log"));
        node.wait_for("pgrep -f '^sshd(-session)?: root'");
        cut(&node);
        node.sh(&format!("touch /srv/dr/cut-{number}"));
    }
    let run = running.wait();
    assert_eq!((run.code, run.with("changed").len()), (0, 6), "{run}");
    assert_eq!(node.sh("tr -d '\\n' </srv/dr/log"), "012345");
}

fn killed_in_an_install(world: &World) {
    let node = world.node("n2");
    slow_apt(&node, 6);
    let site = Site::with(
        &node.lab,
        &play("    - name: install\n      apt: {name: hello}\n"),
    );
    let running = site.start(&["apply"]);
    node.wait_for("test -e /srv/dr/apt");
    running.kill();
    // What it began still runs: the machine is held as long.
    let held = site.expect(&["apply"], 4);
    held.says(&["another run holds the lease of n2"]);
    let run = site.expect(&["apply", "--lock-timeout", "60s"], 0);
    node.sh("rm /etc/apt/apt.conf.d/99slow");
    assert_eq!(run.with("ok"), ["install"], "{run}");
    // The hook runs once for each call of dpkg, so a second install would begin anew.
    assert_eq!(node.sh("dpkg --audit; dpkg-query -W -f '${db:Status-Abbrev}' hello; grep -c ' install hello' /var/log/dpkg.log"), "ii 1");
    node.wait_for("! ls /run/hadeploy/lease /run/hadeploy/steps/* 2>/dev/null");
    assert_eq!(
        node.sh("ls /var/lib/hadeploy/stage 2>/dev/null || true"),
        ""
    );
}

fn killed_before_the_handler(world: &World) {
    let node = world.node("n2");
    begin(&node);
    let site = Site::with(
        &node.lab,
        &play(
            "    - name: change\n      copy: {content: new, dest: /srv/dr/conf}\n      notify: [act, never twice]\n    - name: slow\n      shell: touch /srv/dr/begun; sleep 3\n      args: {creates: /srv/dr/begun}\n  handlers:\n    - name: act\n      shell: echo acted >>/srv/dr/acts\n    - name: listener\n      listen: never twice\n      shell: echo listened >>/srv/dr/acts\n",
        ),
    );
    let running = site.start(&["apply"]);
    node.wait_for("test -e /srv/dr/begun");
    running.kill();
    node.sh("grep -q new /srv/dr/conf; test ! -e /srv/dr/acts; test -n \"$(ls /var/lib/hadeploy/owed)\"");
    let plan = site.plan();
    assert_eq!(owed(&plan), ["act", "listener"], "{plan}");
    node.sh("test ! -e /srv/dr/acts");
    let run = site.expect(&["apply", "--lock-timeout", "60s"], 0);
    assert_eq!(owed(&run), ["act", "listener"], "{run}");
    assert_eq!(run.named("owed")[0]["host"], "n2", "{run}");
    assert_eq!(run.status("change"), "ok", "{run}");
    assert_eq!(run.named("handler_finished").len(), 2, "{run}");
    assert_eq!(
        node.sh("cat /srv/dr/acts; ls -A /var/lib/hadeploy/owed"),
        "acted\nlistened"
    );
    let again = site.apply();
    assert!(again.named("owed").is_empty(), "{again}");
    assert_eq!(again.named("handler_finished").len(), 0, "{again}");
}

fn a_lease_nobody_gives_back(world: &World) {
    let node = world.node("n2");
    begin(&node);
    let site = Site::with(
        &node.lab,
        &play("    - name: slow\n      shell: echo begun >>/srv/dr/log; sleep 1\n"),
    );
    let running = site.start(&["apply"]);
    node.wait_for("test -e /srv/dr/log");
    // Nobody is left to give the lease back, as when the node lost its power: it must expire.
    node.sh("rm /run/hadeploy/lease/shell-*");
    running.kill();
    node.sh("sleep 2; test -e /run/hadeploy/lease/run");
    site.expect(&["apply"], 4);
    age_lease(&node);
    let run = site.apply();
    run.says(&["took over the lease"]);
    assert_eq!(node.sh("cat /srv/dr/log"), "begun\nbegun");
}
