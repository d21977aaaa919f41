//! Commands and their streams, over SSH.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hadeploy::transport::ssh::SshTransport;
use hadeploy::transport::{Exit, Transport, TransportError};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use crate::sshd::{Sshd, client, run, sshd, sshd_with};

async fn connect(sshd: &Sshd) -> SshTransport {
    SshTransport::connect(sshd.options(), &client())
        .await
        .unwrap()
}

#[tokio::test]
async fn output_and_status_come_back() {
    let Some(sshd) = sshd() else { return };
    let transport = connect(&sshd).await;
    assert_eq!(
        transport.describe(),
        format!("root@127.0.0.1:{}", sshd.port)
    );
    let output = run(&transport, "echo out; echo err >&2; exit 7").await;
    assert_eq!(output.text(), "out\n");
    assert_eq!(output.stderr, b"err\n");
    assert_eq!(output.exit.unwrap(), Exit::Status(7));
    assert_eq!(
        run(&transport, "kill -TERM $$").await.exit.unwrap(),
        Exit::Signal("TERM".to_string())
    );
    transport.close().await;
}

#[tokio::test]
async fn a_large_output_arrives_whole() {
    let Some(sshd) = sshd() else { return };
    let transport = connect(&sshd).await;
    let output = run(&transport, "seq 1 5000000").await;
    assert_eq!(output.exit.unwrap(), Exit::Status(0));
    let expected: Vec<u8> = (1..=5_000_000)
        .flat_map(|n: u32| format!("{n}\n").into_bytes())
        .collect();
    assert!(output.stdout == expected);
}

#[tokio::test]
async fn output_that_nobody_reads_does_not_stop_the_others() {
    let Some(sshd) = sshd() else { return };
    let transport = connect(&sshd).await;
    let mut unread = transport.start("head -c 60000000 /dev/zero").await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let quick = tokio::time::timeout(Duration::from_secs(5), run(&transport, "echo quick"))
        .await
        .unwrap();
    assert_eq!(quick.text(), "quick\n");
    let mut bytes = Vec::new();
    unread.stdout.read_to_end(&mut bytes).await.unwrap();
    assert_eq!(bytes.len(), 60_000_000);
    assert_eq!(unread.exit.wait().await.unwrap(), Exit::Status(0));
}

#[tokio::test]
async fn two_commands_run_at_once() {
    let Some(sshd) = sshd() else { return };
    let transport = connect(&sshd).await;
    let fifo = sshd.path("fifo").display().to_string();
    // Neither ends without the other.
    let (one, two) = tokio::join!(
        run_owned(
            &transport,
            format!("mkfifo -m 600 '{fifo}'; echo met > '{fifo}'")
        ),
        async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            run_owned(&transport, format!("cat '{fifo}'")).await
        }
    );
    assert!(one.exit.unwrap().success());
    assert_eq!(two.text(), "met\n");
}

async fn run_owned(transport: &SshTransport, command: String) -> crate::sshd::Output {
    run(transport, &command).await
}

#[tokio::test]
async fn more_commands_than_the_server_grants_wait_their_turn() {
    for sessions in [1, 3] {
        let Some(sshd) = sshd_with(&format!("MaxSessions {sessions}")) else {
            return;
        };
        let transport = connect(&sshd).await;
        let runs = (0..8).map(|n| run_owned(&transport, format!("sleep 0.05; echo {n}")));
        let mut runs: Vec<_> = runs.map(Box::pin).collect();
        for (n, output) in join_all(&mut runs).await.into_iter().enumerate() {
            assert_eq!(output.text(), format!("{n}\n"));
            assert!(output.exit.unwrap().success());
        }
    }
}

/// All of these at once.
async fn join_all<F: Future + Unpin>(futures: &mut [F]) -> Vec<F::Output> {
    let mut done: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (future, slot) in futures.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let std::task::Poll::Ready(value) = std::pin::Pin::new(future).poll(cx)
            {
                *slot = Some(value);
            }
        }
        if done.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_server_that_dies_under_a_command_is_lost_and_never_ok() {
    let Some(sshd) = sshd() else { return };
    let transport = connect(&sshd).await;
    let mut process = transport.start("echo $$; exec sleep 600").await.unwrap();
    let _sleeper = Sleeper(read_line(&mut process.stdout).await);
    for child in children_of(sshd.pid()) {
        assert!(
            Command::new("kill")
                .args(["-KILL", &child])
                .status()
                .unwrap()
                .success()
        );
    }
    let mut rest = Vec::new();
    process.stdout.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty());
    let end = process.exit.wait().await;
    assert!(matches!(&end, Err(TransportError::Lost { .. })), "{end:?}");
    let later = transport.start("true").await.map(|_| ());
    assert!(
        matches!(&later, Err(TransportError::Lost { .. })),
        "{later:?}"
    );
    assert!(end.unwrap_err().to_string().starts_with(&format!(
        "the connection to `root@127.0.0.1:{}` was lost: ",
        sshd.port
    )));
}

/// A command that outlives its connection, ended when dropped.
struct Sleeper(String);

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-KILL", &self.0]).status();
    }
}

async fn read_line(stream: &mut (dyn AsyncRead + Send + Unpin)) -> String {
    let mut line = String::new();
    loop {
        match stream.read_u8().await.unwrap() {
            b'\n' => return line,
            byte => line.push(char::from(byte)),
        }
    }
}

fn children_of(pid: u32) -> Vec<String> {
    let output = Command::new("ps")
        .args(["-o", "pid=", "--ppid", &pid.to_string()])
        .stdout(Stdio::piped())
        .output()
        .unwrap();
    let pids: Vec<String> = String::from_utf8(output.stdout)
        .unwrap()
        .split_whitespace()
        .map(str::to_string)
        .collect();
    assert!(!pids.is_empty());
    pids
}

#[tokio::test]
async fn a_server_that_freezes_is_noticed() {
    let Some(sshd) = sshd() else { return };
    let mut options = sshd.options();
    options.keepalive_interval = Duration::from_millis(300);
    options.keepalive_max = 2;
    let transport = SshTransport::connect(options, &client()).await.unwrap();
    let mut process = transport.start("echo $$; exec sleep 600").await.unwrap();
    let _sleeper = Sleeper(read_line(&mut process.stdout).await);
    let frozen = children_of(sshd.pid());
    for child in &frozen {
        assert!(
            Command::new("kill")
                .args(["-STOP", child])
                .status()
                .unwrap()
                .success()
        );
    }
    let end = tokio::time::timeout(Duration::from_secs(10), process.exit.wait()).await;
    for child in &frozen {
        assert!(
            Command::new("kill")
                .args(["-KILL", child])
                .status()
                .unwrap()
                .success()
        );
    }
    let error = end.unwrap().unwrap_err();
    assert!(
        error.to_string().ends_with("the host gave no sign of life"),
        "{error}"
    );
}

#[tokio::test]
async fn input_for_a_command_that_has_ended_is_refused_and_does_not_hang() {
    let Some(sshd) = sshd() else { return };
    let transport = connect(&sshd).await;
    let mut process = transport.start("exit 3").await.unwrap();
    let writing = async {
        let chunk = vec![0; 1 << 20];
        loop {
            if let Err(error) = process.stdin.write_all(&chunk).await {
                return error;
            }
        }
    };
    let error = tokio::time::timeout(Duration::from_secs(10), writing)
        .await
        .unwrap();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    assert_eq!(process.exit.wait().await.unwrap(), Exit::Status(3));
}

#[tokio::test]
async fn a_command_given_up_loses_its_streams() {
    let Some(sshd) = sshd() else { return };
    let transport = connect(&sshd).await;
    let mark = sshd.path("mark").display().to_string();
    let process = transport
        .start(&format!("cat > /dev/null; echo ended > '{mark}'"))
        .await
        .unwrap();
    let start = Instant::now();
    drop(process);
    while !sshd.path("mark").exists() {
        assert!(start.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(run(&transport, "true").await.exit.unwrap().success());
}

#[tokio::test]
async fn a_server_that_grants_no_command_at_all_says_so_in_time() {
    let Some(sshd) = sshd_with("MaxSessions 0") else {
        return;
    };
    let transport = connect(&sshd).await;
    let starting = tokio::time::timeout(Duration::from_secs(10), transport.start("true"));
    let refused = starting.await.unwrap().map(|_| ());
    assert!(
        matches!(&refused, Err(TransportError::Protocol { .. })),
        "{refused:?}"
    );
}
