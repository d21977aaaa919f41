//! `exec` and `facts` on this machine, without a lease: what they print, and how they end.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::Sandbox;

const HERE: &str = "\
[here]
a ansible_connection=local
b ansible_connection=local
c ansible_connection=local n=3
";

/// How long something may take that is to happen at once.
const PATIENCE: Duration = Duration::from_secs(30);

fn sandbox() -> Sandbox {
    Sandbox::new(&[("h.ini", HERE)])
}

/// The folder that the kernel has of the process whose number a command writes into a file.
fn begun(pid: &Path) -> PathBuf {
    let patience = Instant::now() + PATIENCE;
    while !pid.exists() {
        assert!(Instant::now() < patience, "the command did not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    let number = std::fs::read_to_string(pid).expect("a file");
    Path::new("/proc").join(number.trim())
}

#[test]
fn one_host_is_shown_line_by_line() {
    let sandbox = sandbox();
    let ran = sandbox.run(&[
        "exec",
        "a",
        "--no-lease",
        "-i",
        "h.ini",
        "--",
        "echo one; echo two >&2; echo three",
    ]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    let mut lines: Vec<&str> = ran.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["one", "three", "two"]);
    let ran = sandbox.run(&[
        "exec",
        "a",
        "--no-lease",
        "-i",
        "h.ini",
        "--",
        "echo x; exit 7",
    ]);
    assert_eq!(ran.status, 3);
    assert!(
        ran.stdout.starts_with("x\nfailed: exit status 7 ("),
        "{}",
        ran.stdout
    );
}

#[test]
fn words_are_not_taken_apart_again() {
    let sandbox = sandbox();
    let ran = sandbox.run(&[
        "exec",
        "a",
        "--no-lease",
        "-i",
        "h.ini",
        "--",
        "printf",
        "<%s>",
        "a  b",
        "$HOME",
        "it's",
    ]);
    assert_eq!(
        (ran.status, ran.stdout.as_str()),
        (0, "<a  b><$HOME><it's>\n")
    );
}

#[test]
fn hosts_with_the_same_answer_stand_together() {
    let sandbox = sandbox();
    let ran = sandbox.run(&[
        "exec",
        "here",
        "--no-lease",
        "-i",
        "h.ini",
        "--",
        "echo same",
    ]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(
        ran.stdout
            .starts_with("a, b, c (3 hosts)\n  same\nok on 3 hosts ("),
        "{}",
        ran.stdout
    );
    // A folder is made once: the others fail.
    let path = sandbox.home("once");
    let command = format!("mkdir {}", path.display());
    let ran = sandbox.run(&[
        "exec",
        "here",
        "--no-lease",
        "-f",
        "1",
        "-i",
        "h.ini",
        "--",
        &command,
    ]);
    assert_eq!(ran.status, 3);
    assert!(
        ran.stdout.contains("(2 hosts): exit status 1\n  mkdir: "),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("failed: 2 of 3 hosts failed: "),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("full log: "), "{}", ran.stdout);
}

#[test]
fn programs_get_one_event_a_host() {
    let sandbox = sandbox();
    let ran = sandbox.run(&[
        "exec",
        "a:b",
        "--no-lease",
        "-i",
        "h.ini",
        "--output",
        "json",
        "--",
        "echo out; echo err >&2; exit 4",
    ]);
    assert_eq!(ran.status, 3);
    let events = ran.events();
    assert_eq!(events[0]["event"], "run_started");
    assert_eq!(events[0]["mode"], "exec");
    let ended: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "command_finished")
        .collect();
    assert_eq!(ended.len(), 2);
    for event in ended {
        assert_eq!(
            (&event["stdout"], &event["stderr"], &event["rc"]),
            (&"out\n".into(), &"err\n".into(), &4.into())
        );
    }
    let last = events.last().expect("an end");
    assert_eq!(
        (&last["exit_code"], &last["touched"]),
        (&3.into(), &true.into())
    );
    assert_eq!(last["hosts"]["a"]["failed"], 1);
}

#[test]
fn an_interrupt_ends_the_command() {
    let sandbox = sandbox();
    let pid = sandbox.home("pid");
    let command = format!(
        "echo $$ >{0}.new; mv {0}.new {0}; sleep 100; echo never",
        pid.display()
    );
    let child = sandbox
        .command(&["exec", "a", "--no-lease", "-i", "h.ini", "--", &command])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let own = begun(&pid);
    let status = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill");
    assert!(status.success());
    let output = child.wait_with_output().expect("its end");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(
        said.contains("the command was ended where it still ran"),
        "{said}"
    );
    assert!(!own.exists());
}

/// A command that does not heed the first is left to its node, and it is not said to go on as the steps of an apply do.
#[test]
fn a_second_interrupt_says_what_becomes_of_the_command() {
    let sandbox = sandbox();
    let pid = sandbox.home("pid");
    let command = format!(
        "trap '' TERM; echo $$ >{0}.new; mv {0}.new {0}; while :; do sleep 0.2; done",
        pid.display()
    );
    let mut child = sandbox
        .command(&["exec", "a", "--no-lease", "-i", "h.ini", "--", &command])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let own = begun(&pid);
    // Two signals that come together are one.
    let patience = Instant::now() + PATIENCE;
    while child.try_wait().expect("a status").is_none() {
        assert!(Instant::now() < patience, "it does not end");
        let status = std::process::Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .expect("kill");
        assert!(status.success());
        std::thread::sleep(Duration::from_millis(500));
    }
    let output = child.wait_with_output().expect("its end");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert_eq!(
        said,
        "stopped at once; where the command still ran, it ends with the connection, killed after 5 s if it does not by itself: a\n"
    );
    let patience = Instant::now() + PATIENCE;
    while own.exists() {
        assert!(Instant::now() < patience, "the command goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A controller that dies takes its commands along.
#[test]
fn a_dead_controller_leaves_no_command() {
    let sandbox = sandbox();
    let pid = sandbox.home("pid");
    let command = format!("echo $$ >{0}.new; mv {0}.new {0}; sleep 100", pid.display());
    let mut child = sandbox
        .command(&["exec", "a", "--no-lease", "-i", "h.ini", "--", &command])
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("the binary runs");
    let own = begun(&pid);
    child.kill().expect("it is there");
    child.wait().expect("its end");
    let patience = Instant::now() + PATIENCE;
    while own.exists() {
        assert!(Instant::now() < patience, "the command goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn facts_are_shown_by_name() {
    let sandbox = sandbox();
    let ran = sandbox.run(&[
        "facts",
        "a",
        "--filter",
        "ansible_service_mgr,user_i*",
        "-i",
        "h.ini",
    ]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[0], "a");
    assert!(lines[1].starts_with("  service_mgr: "), "{}", ran.stdout);
    assert!(lines[2].starts_with("  user_id: "), "{}", ran.stdout);
    assert_eq!(lines.len(), 3, "{}", ran.stdout);
    let events = sandbox
        .run(&["facts", "a:c", "-i", "h.ini", "--output", "json"])
        .events();
    let facts: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "facts")
        .collect();
    assert_eq!(facts.len(), 2);
    assert!(facts[0]["facts"]["memtotal_mb"].is_u64());
    assert_eq!(events.last().expect("an end")["exit_code"], 0);
}

#[test]
fn mistakes_are_said_before_connecting() {
    let sandbox = sandbox();
    for (words, said) in [
        (
            &["facts", "a", "--filter", "memtotl_mb", "-i", "h.ini"][..],
            "did you mean `memtotal_mb`?",
        ),
        (
            &["facts", "d", "-i", "h.ini"],
            "no host or group is called `d`",
        ),
        (&["facts", "-i", "h.ini"], "<PATTERN>"),
        (&["exec", "a", "-i", "h.ini"], "<COMMAND>"),
        (
            &["exec", "d", "-i", "h.ini", "--", "ls"],
            "no host or group is called `d`",
        ),
        (
            &[
                "exec",
                "a",
                "--no-lease",
                "--lock-timeout",
                "1s",
                "-i",
                "h.ini",
                "--",
                "ls",
            ],
            "cannot be used with",
        ),
    ] {
        let ran = sandbox.run(words);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{words:?}");
        assert!(ran.stderr.contains(said), "{words:?}: {}", ran.stderr);
    }
}
