//! Commands and their streams, over SSH.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hadeploy::transport::ssh::SshTransport;
use hadeploy::transport::{Exit, Transport, TransportError};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

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
