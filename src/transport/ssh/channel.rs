//! A command on a session channel.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};
use tokio::io::AsyncWrite;
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::guard::Story;
use super::spool::{SpoolWriter, spool};
use crate::transport::error::TransportError;
use crate::transport::{Exit, Process, ProcessExit};

/// Of the extended data of a channel, the standard error.
const STDERR: u32 = 1;

/// Starts `command` on `channel`. `done` is dropped when the channel has ended.
pub(crate) async fn run(
    channel: Channel<Msg>,
    command: &str,
    host: &str,
    story: Arc<Story>,
    done: impl Send + 'static,
) -> Result<Process, TransportError> {
    let (reading, writing) = channel.split();
    let writing = Arc::new(writing);
    if writing.exec(true, command).await.is_err() {
        return Err(TransportError::Lost {
            host: host.to_string(),
            reason: story.end(),
        });
    }
    let (stdout, stdout_reader) = spool();
    let (stderr, stderr_reader) = spool();
    let (exit, exit_receiver) = oneshot::channel();
    let ended = CancellationToken::new();
    let pump = Pump {
        reading,
        writing: Arc::clone(&writing),
        stdout,
        stderr,
        host: host.to_string(),
        story: Arc::clone(&story),
    };
    let ended_with_pump = ended.clone().drop_guard();
    tokio::spawn(async move {
        pump.run(exit).await;
        drop(ended_with_pump);
        drop(done);
    });
    let host = host.to_string();
    Ok(Process {
        stdin: Box::new(Stdin::new(writing, ended)),
        stdout: Box::new(stdout_reader),
        stderr: Box::new(stderr_reader),
        exit: ProcessExit::new(async move {
            let lost = || TransportError::Lost {
                host,
                reason: story.end(),
            };
            exit_receiver.await.unwrap_or_else(|_| Err(lost()))
        }),
    })
}

/// Takes what arrives on a channel, always at once.
struct Pump {
    reading: ChannelReadHalf,
    writing: Arc<ChannelWriteHalf<Msg>>,
    stdout: SpoolWriter,
    stderr: SpoolWriter,
    host: String,
    story: Arc<Story>,
}

impl Pump {
    async fn run(mut self, mut exit: oneshot::Sender<Result<Exit, TransportError>>) {
        let mut found = None;
        let mut output_ended = false;
        loop {
            let message = tokio::select! {
                message = self.reading.wait() => message,
                // Nobody waits for this command any more.
                () = exit.closed() => {
                    let _ = self.writing.close().await;
                    return;
                }
            };
            match message {
                Some(ChannelMsg::Data { data }) => self.stdout.push(data),
                Some(ChannelMsg::ExtendedData { data, ext: STDERR }) => self.stderr.push(data),
                Some(ChannelMsg::ExitStatus { exit_status }) => {
                    found = Some(Exit::Status(exit_status))
                }
                Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                    found = Some(Exit::Signal(signal_name_of(signal_name)))
                }
                Some(ChannelMsg::Eof) => output_ended = true,
                Some(ChannelMsg::Failure) => {
                    let reason = "it refuses to run a command".to_string();
                    let _ = exit.send(Err(TransportError::Protocol {
                        host: self.host,
                        reason,
                    }));
                    let _ = self.writing.close().await;
                    return;
                }
                Some(ChannelMsg::Close) => break,
                // The connection is gone: without a status, or with output that may be cut, nobody knows how it ended.
                None if !output_ended => {
                    let _ = exit.send(Err(self.lost()));
                    return;
                }
                None => break,
                Some(_) => {}
            }
            if output_ended && found.is_some() {
                break;
            }
        }
        let end = found.ok_or_else(|| self.lost());
        let Self {
            stdout,
            stderr,
            writing,
            ..
        } = self;
        drop((stdout, stderr));
        let _ = exit.send(end);
        let _ = writing.close().await;
    }

    fn lost(&self) -> TransportError {
        TransportError::Lost {
            host: self.host.clone(),
            reason: self.story.end(),
        }
    }
}

fn signal_name_of(signal: Sig) -> String {
    match signal {
        Sig::Custom(name) => name,
        known => format!("{known:?}"),
    }
}

/// The standard input of a command. russh's own writer waits for ever when the command ends while the window is full; this one does not.
struct Stdin {
    inner: Pin<Box<dyn AsyncWrite + Send>>,
    channel: Arc<ChannelWriteHalf<Msg>>,
    ended: CancellationToken,
    ending: Pin<Box<WaitForCancellationFutureOwned>>,
    shut: bool,
}

impl Stdin {
    fn new(channel: Arc<ChannelWriteHalf<Msg>>, ended: CancellationToken) -> Self {
        Self {
            inner: Box::pin(channel.make_writer()),
            channel,
            ending: Box::pin(ended.clone().cancelled_owned()),
            ended,
            shut: false,
        }
    }
}

impl AsyncWrite for Stdin {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if self.shut || self.ending.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::BrokenPipe,
                "the command has ended",
            )));
        }
        self.inner.as_mut().poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.shut || self.ending.as_mut().poll(cx).is_ready() {
            self.shut = true;
            return Poll::Ready(Ok(()));
        }
        let result = self.inner.as_mut().poll_shutdown(cx);
        self.shut = result.is_ready();
        result
    }
}

impl Drop for Stdin {
    fn drop(&mut self) {
        if self.shut || self.ended.is_cancelled() {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let channel = Arc::clone(&self.channel);
            runtime.spawn(async move {
                let _ = channel.eof().await;
            });
        }
    }
}
