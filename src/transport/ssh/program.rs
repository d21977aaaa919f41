//! A program on this machine that carries a connection: `ProxyCommand`.

use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{oneshot, watch};

use crate::secret::PASSWORD_VARIABLE;

/// So many of the last bytes on standard error are kept.
const KEPT: usize = 2048;

/// So long the last words of a program are waited for once its stream has ended.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// The program's standard input and output. When this is dropped the program may say why it ends, and is killed if it does not.
pub(crate) struct ProgramStream {
    stdin: ChildStdin,
    stdout: ChildStdout,
    _held: oneshot::Sender<()>,
}

/// What a program writes to standard error, for the error that its end makes.
pub(crate) struct Complaints {
    text: Arc<Mutex<Vec<u8>>>,
    done: watch::Receiver<bool>,
}

/// Starts a command line by `sh`, as OpenSSH does by the user's shell.
///
/// It has a process group of its own: a Ctrl-C is hadeploy's to answer, which needs the connection for that.
pub(crate) fn start(command: &str) -> io::Result<(ProgramStream, Complaints)> {
    let mut child = Command::new("/bin/sh")
        .arg("-c")
        .arg(format!("exec {command}"))
        .env_remove(PASSWORD_VARIABLE)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let missing = || io::Error::other("it has no pipes");
    let stdin = child.stdin.take().ok_or_else(missing)?;
    let stdout = child.stdout.take().ok_or_else(missing)?;
    let stderr = child.stderr.take().ok_or_else(missing)?;
    let (held, dropped) = oneshot::channel();
    tokio::spawn(end(child, dropped));
    let stream = ProgramStream {
        stdin,
        stdout,
        _held: held,
    };
    Ok((stream, Complaints::of(stderr)))
}

/// Waits until nobody holds the stream, then for the program.
async fn end(mut child: Child, dropped: oneshot::Receiver<()>) {
    let _ = dropped.await;
    if tokio::time::timeout(LAST_WORDS, child.wait())
        .await
        .is_err()
    {
        // One that has ended by now needs no signal.
        let _ = child.kill().await;
    }
}

impl Complaints {
    fn of(mut stderr: ChildStderr) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let (ended, done) = watch::channel(false);
        let kept = Arc::clone(&text);
        tokio::spawn(async move {
            let mut buffer = [0; 512];
            while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(&buffer[..count]);
                let surplus = kept.len().saturating_sub(KEPT);
                kept.drain(..surplus);
            }
            let _ = ended.send(true);
        });
        Self { text, done }
    }

    /// The last line that says something.
    pub(crate) async fn last(&self) -> Option<String> {
        let mut done = self.done.clone();
        let _ = tokio::time::timeout(LAST_WORDS, done.wait_for(|done| *done)).await;
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&text);
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
        Some(line.to_string())
    }
}

impl AsyncRead for ProgramStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdout).poll_read(cx, buf)
    }
}

impl AsyncWrite for ProgramStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stdin).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdin).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // One that has ended already can't be told the end.
        let _ = ready!(Pin::new(&mut self.stdin).poll_shutdown(cx));
        Poll::Ready(Ok(()))
    }
}
