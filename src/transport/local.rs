//! This machine: commands run in `/bin/sh`, without a login.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::task::{Context, Poll};

use async_trait::async_trait;
use tokio::io::AsyncWrite;
use tokio::process::{ChildStdin, Command};

use super::error::TransportError;
use super::{Exit, Process, ProcessExit, Transport};
use crate::secret::PASSWORD_VARIABLE;

/// The way to this machine; there is nothing to connect.
#[derive(Debug, Default)]
pub struct LocalTransport;

#[async_trait]
impl Transport for LocalTransport {
    async fn start(&self, command: &str) -> Result<Process, TransportError> {
        let failed = |error: io::Error| TransportError::Protocol {
            host: "local".to_string(),
            reason: format!("/bin/sh can't be started: {error}"),
        };
        let pipes = || Stdio::piped();
        let mut child = Command::new("/bin/sh")
            .arg("-c")
            .arg(command)
            .env_remove(PASSWORD_VARIABLE)
            .stdin(pipes())
            .stdout(pipes())
            .stderr(pipes())
            // A Ctrl-C is for hadeploy alone: what it ends gives its lease back.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let missing = || failed(io::Error::other("it has no pipes"));
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        Ok(Process {
            stdin: Box::new(Stdin(Some(stdin))),
            stdout: Box::new(stdout),
            stderr: Box::new(stderr),
            exit: ProcessExit::new(async move {
                let status = child.wait().await.map_err(|error| TransportError::Lost {
                    host: "local".to_string(),
                    reason: error.to_string(),
                })?;
                Ok(exit_of(status))
            }),
        })
    }

    fn describe(&self) -> String {
        "local".to_string()
    }

    async fn close(&self) {}
}

fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Status(code.unsigned_abs()),
        (None, signal) => Exit::Signal(signal_name(signal.unwrap_or_default())),
    }
}

fn signal_name(number: i32) -> String {
    let name = match number {
        libc::SIGHUP => "HUP",
        libc::SIGINT => "INT",
        libc::SIGQUIT => "QUIT",
        libc::SIGILL => "ILL",
        libc::SIGABRT => "ABRT",
        libc::SIGFPE => "FPE",
        libc::SIGKILL => "KILL",
        libc::SIGSEGV => "SEGV",
        libc::SIGPIPE => "PIPE",
        libc::SIGALRM => "ALRM",
        libc::SIGTERM => "TERM",
        libc::SIGUSR1 => "USR1",
        libc::SIGUSR2 => "USR2",
        _ => return number.to_string(),
    };
    name.to_string()
}

/// A pipe that shutting down closes; tokio's own is closed only by dropping it.
struct Stdin(Option<ChildStdin>);

impl AsyncWrite for Stdin {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Some(pipe) => Pin::new(pipe).poll_write(cx, buf),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Some(pipe) => Pin::new(pipe).poll_flush(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0 = None;
        Poll::Ready(Ok(()))
    }
}
