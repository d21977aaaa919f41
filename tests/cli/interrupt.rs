//! SIGINT and SIGTERM, while a node accepts the connection and never says a word.

use std::io::Read;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Sandbox;

/// A node that says nothing, and a playbook for it.
fn mute() -> (TcpListener, Sandbox) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let inventory =
        format!("all:\n  hosts:\n    mute: {{ansible_host: 127.0.0.1, ansible_port: {port}}}\n");
    let playbook = "- hosts: all\n  tasks:\n    - ping:\n";
    let sandbox = Sandbox::new(&[("h.yml", &inventory), ("s.yml", playbook)]);
    (listener, sandbox)
}

fn start(sandbox: &Sandbox, listener: &TcpListener, words: &[&str]) -> (Child, impl Sized + use<>) {
    let child = sandbox
        .command(words)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let connection = listener.accept().expect("a connection");
    (child, connection)
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([format!("-{name}"), child.id().to_string()])
        .status();
    assert!(status.expect("kill runs").success());
}

#[test]
fn two_signals_end_it_at_once_and_programs_still_see_the_end() {
    for name in ["INT", "TERM"] {
        let (listener, sandbox) = mute();
        let words = ["apply", "s.yml", "-i", "h.yml", "--output", "json"];
        let (mut child, _connection) = start(&sandbox, &listener, &words);
        let began = Instant::now();
        signal(&child, name);
        let mut stderr = child.stderr.take().expect("piped");
        let mut said = vec![0; "finishing what runs; press again to stop at once\n".len()];
        stderr.read_exact(&mut said).expect("words");
        assert_eq!(
            String::from_utf8_lossy(&said),
            "finishing what runs; press again to stop at once\n"
        );
        // The first may have been enough.
        if child.try_wait().expect("a status").is_none() {
            signal(&child, name);
        }
        let output = child.wait_with_output().expect("its end");
        assert_eq!(output.status.code(), Some(130), "{name}");
        assert!(began.elapsed() < Duration::from_secs(5), "{name}");
        let stdout = String::from_utf8(output.stdout).expect("text");
        let last = stdout.lines().last().expect("events");
        let event: serde_json::Value = serde_json::from_str(last).expect(last);
        assert_eq!(event["event"], "run_finished", "{stdout}");
        assert_eq!(event["exit_code"], 130, "{stdout}");
        assert!(event["hosts"]["mute"].is_object(), "{stdout}");
    }
}
