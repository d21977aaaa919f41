//! That content streams through: alone in its program, because memory is counted for the whole of it.
#![allow(clippy::print_stderr)]

#[allow(dead_code)]
#[path = "transport/sshd.rs"]
mod sshd;

use hadeploy::transport::ssh::SshTransport;
use hadeploy::transport::{Exit, Transport as _};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::sshd::{client, sshd};

#[tokio::test]
async fn a_large_upload_arrives_whole_and_is_not_held_in_memory() {
    let Some(sshd) = sshd() else { return };
    let transport = SshTransport::connect(sshd.options(), &client())
        .await
        .unwrap();
    let mut process = transport.start("sha256sum").await.unwrap();
    let before = resident_kb();
    let mut most = before;
    let mut hash = Sha256::new();
    let mut chunk = vec![0u8; 64 << 10];
    for round in 0..1600u32 {
        for (place, byte) in chunk.iter_mut().enumerate() {
            *byte = (place as u32).wrapping_mul(round ^ 0x9e37).to_le_bytes()[1];
        }
        hash.update(&chunk);
        process.stdin.write_all(&chunk).await.unwrap();
        most = most.max(resident_kb());
    }
    process.stdin.shutdown().await.unwrap();
    let mut answer = String::new();
    process.stdout.read_to_string(&mut answer).await.unwrap();
    assert_eq!(process.exit.wait().await.unwrap(), Exit::Status(0));
    let expected: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(answer, format!("{expected}  -\n"));
    assert!(
        most - before < 20_000,
        "100 MB of input took {} kB of memory",
        most - before
    );
}

/// Memory of this process.
fn resident_kb() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
