//! A connection whose bytes stop where a seed says, to a shell on this machine.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use hadeploy::transport::fake::{FakeCommand, FakeEnd, FakeTransport};
use hadeploy::transport::{Exit, Transport};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::process::Command;

use crate::played::Host;

/// What becomes of one connection.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// It cannot be made.
    Refused,
    /// After so many bytes to the host (or from it) nothing flows any more, and after `lag` it is lost.
    Cut {
        to_host: bool,
        after: usize,
        lag: Duration,
    },
}

/// What every launch holds and nothing else.
const LAUNCH: &[u8] = b"mkdir \"$D/started\"";

/// Bytes that may still flow each way.
struct Budget {
    to_host: AtomicI64,
    from_host: AtomicI64,
    lag: Duration,
}

/// A connection to `host` that ends as `fault` says.
pub fn connection(host: Arc<Host>, fault: Option<Fault>) -> Arc<dyn Transport> {
    let mut budget = Budget {
        to_host: AtomicI64::new(i64::MAX),
        from_host: AtomicI64::new(i64::MAX),
        lag: Duration::ZERO,
    };
    if let Some(Fault::Cut {
        to_host,
        after,
        lag,
    }) = fault
    {
        let left = AtomicI64::new(after as i64);
        match to_host {
            true => budget.to_host = left,
            false => budget.from_host = left,
        }
        budget.lag = lag;
    }
    let budget = Arc::new(budget);
    Arc::new(FakeTransport::new(host.name.clone(), move |command| {
        play(command, host.clone(), budget.clone())
    }))
}

async fn play(command: FakeCommand, host: Arc<Host>, budget: Arc<Budget>) -> FakeEnd {
    let line = String::from_utf8(host.translate(command.line.as_bytes())).expect("utf-8");
    let mut child = Command::new("/bin/sh")
        .arg("-c")
        .arg(line)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell");
    let stdin = child.stdin.take().expect("piped");
    let stdout = child.stdout.take().expect("piped");
    let stderr = child.stderr.take().expect("piped");
    let flow = async {
        let up = to_host(command.stdin, stdin, &host, &budget);
        let out = from_host(stdout, command.stdout, &budget);
        let err = from_host(stderr, command.stderr, &budget);
        tokio::pin!(up, out, err);
        let mut open = 3;
        let (mut up_open, mut out_open, mut err_open) = (true, true, true);
        while open > 0 {
            let whole = tokio::select! {
                whole = &mut up, if up_open => { up_open = false; whole }
                whole = &mut out, if out_open => { out_open = false; whole }
                whole = &mut err, if err_open => { err_open = false; whole }
            };
            if !whole {
                return false;
            }
            open -= 1;
        }
        true
    };
    tokio::select! {
        whole = flow => if !whole {
            tokio::time::sleep(budget.lag).await;
            return FakeEnd::Lost("a fault was injected".to_owned());
        },
        // The shell is gone although the controller holds its input open.
        _ = child.wait() => tokio::time::sleep(Duration::from_millis(20)).await,
    }
    let code = child.wait().await.ok().and_then(|status| status.code());
    FakeEnd::Exit(Exit::Status(code.unwrap_or(255).unsigned_abs()))
}

/// False when the budget ended first.
async fn to_host(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    host: &Host,
    budget: &Budget,
) -> bool {
    let mut held = Vec::new();
    let mut piece = vec![0; 16 << 10];
    loop {
        let length = from.read(&mut piece).await.unwrap_or(0);
        held.extend_from_slice(&piece[..length]);
        // What may be the beginning of the path waits for the rest.
        let keep = match length {
            0 => 0,
            _ => host.unfinished(&held),
        };
        let ready = held.len() - keep;
        let text = host.translate(&held[..ready]);
        held.drain(..ready);
        if memchr::memmem::find(&text, LAUNCH).is_some() {
            host.launching().await;
        }
        let left = budget
            .to_host
            .fetch_sub(text.len() as i64, Ordering::SeqCst);
        let may = text.len().min(left.max(0) as usize);
        let _ = to.write_all(&text[..may]).await;
        let _ = to.flush().await;
        if may < text.len() {
            // The host does not know yet that the connection is gone.
            tokio::time::sleep(budget.lag).await;
            return false;
        }
        if length == 0 {
            return true;
        }
    }
}

async fn from_host(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    budget: &Budget,
) -> bool {
    let mut piece = vec![0; 16 << 10];
    loop {
        let length = from.read(&mut piece).await.unwrap_or(0);
        if length == 0 {
            return true;
        }
        let left = budget.from_host.fetch_sub(length as i64, Ordering::SeqCst);
        let may = length.min(left.max(0) as usize);
        let _ = to.write_all(&piece[..may]).await;
        if may < length {
            return false;
        }
    }
}
