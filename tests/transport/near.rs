//! This machine, and the host that a test plays.

use std::time::Duration;

use hadeploy::transport::fake::{FakeEnd, FakeTransport};
use hadeploy::transport::local::LocalTransport;
use hadeploy::transport::{Exit, Transport as _, TransportError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::sshd::run;

#[tokio::test]
async fn local_commands_run_in_sh() {
    let output = run(&LocalTransport, "echo out; echo err >&2; exit 7").await;
    assert_eq!(
        (output.text(), output.stderr.as_slice()),
        ("out\n", b"err\n".as_slice())
    );
    assert_eq!(output.exit.unwrap(), Exit::Status(7));
    assert_eq!(
        run(&LocalTransport, "kill -KILL $$").await.exit.unwrap(),
        Exit::Signal("KILL".to_string())
    );
    assert_eq!(LocalTransport.describe(), "local");
}

#[tokio::test]
async fn local_input_ends_with_shutdown() {
    let mut process = LocalTransport.start("cat").await.unwrap();
    process.stdin.write_all(b"hello").await.unwrap();
    process.stdin.shutdown().await.unwrap();
    let mut text = String::new();
    tokio::time::timeout(
        Duration::from_secs(5),
        process.stdout.read_to_string(&mut text),
    )
    .await
    .unwrap()
    .unwrap();
    assert_eq!(text, "hello");
    assert!(process.exit.wait().await.unwrap().success());
}

fn echo() -> FakeTransport {
    FakeTransport::new("n1", |mut command| async move {
        let mut input = String::new();
        command.stdin.read_to_string(&mut input).await.unwrap();
        command
            .stdout
            .write_all(format!("{} {} {input}", command.number, command.line).as_bytes())
            .await
            .unwrap();
        match command.line.as_str() {
            "hang" => FakeEnd::Hang,
            "lose" => FakeEnd::Lost("power cut".to_string()),
            _ => FakeEnd::status(3),
        }
    })
}

#[tokio::test]
async fn a_played_host_answers() {
    let host = echo();
    let mut process = host.start("go").await.unwrap();
    process.stdin.write_all(b"x").await.unwrap();
    process.stdin.shutdown().await.unwrap();
    let mut text = String::new();
    process.stdout.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "0 go x");
    assert_eq!(process.exit.wait().await.unwrap(), Exit::Status(3));
    assert_eq!(run(&host, "again").await.text(), "1 again ");
    assert_eq!((host.started(), host.describe()), (2, "n1".to_string()));
}

#[tokio::test]
async fn a_played_host_can_be_lost_at_any_point() {
    let host = echo();
    let hanging = host.start("hang").await.unwrap();
    let lost = run(&host, "lose").await;
    assert_eq!(lost.text(), "1 lose ");
    assert_eq!(
        lost.exit.unwrap_err().to_string(),
        "the connection to `n1` was lost: power cut"
    );
    // All that ran on the connection goes with it.
    let end = tokio::time::timeout(Duration::from_secs(5), hanging.exit.wait())
        .await
        .unwrap();
    assert!(matches!(end, Err(TransportError::Lost { .. })));
    assert!(matches!(
        host.start("go").await.map(|_| ()),
        Err(TransportError::Lost { .. })
    ));
}

#[tokio::test]
async fn scissors_stop_a_command_where_it_waits() {
    let host = echo();
    let process = host.start("waits for input that never ends").await.unwrap();
    host.connection().cut();
    let end = tokio::time::timeout(Duration::from_secs(5), process.exit.wait())
        .await
        .unwrap();
    assert_eq!(
        end.unwrap_err().to_string(),
        "the connection to `n1` was lost: it was cut"
    );
}
