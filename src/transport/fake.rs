//! A host that a program inside a test plays.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::error::TransportError;
use super::{Exit, Process, ProcessExit, Transport};

/// What lies in one stream before its writer waits.
const PIPE: usize = 64 << 10;

/// How a played command ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FakeEnd {
    /// As a command does.
    Exit(Exit),
    /// The connection is lost at this point, for this reason; so is everything else on it.
    Lost(String),
    /// It never ends; its streams stay open.
    Hang,
}

impl FakeEnd {
    /// The common end.
    pub fn status(status: u32) -> Self {
        Self::Exit(Exit::Status(status))
    }
}

/// A command as the played host sees it.
pub struct FakeCommand {
    /// The line that was started.
    pub line: String,
    /// Counts the commands of this transport, from 0.
    pub number: usize,
    /// Ends when the controller shuts its side down.
    pub stdin: DuplexStream,
    /// To the controller.
    pub stdout: DuplexStream,
    /// To the controller.
    pub stderr: DuplexStream,
    /// Cuts the connection: everything on it is lost at once, this command too.
    pub connection: Cut,
}

/// A pair of scissors.
#[derive(Clone, Default)]
pub struct Cut(CancellationToken);

impl Cut {
    /// Loses the connection. Commands still running on it stop where they wait; later ones can't be started.
    pub fn cut(&self) {
        self.0.cancel();
    }
}

type Player = dyn Fn(FakeCommand) -> Pin<Box<dyn Future<Output = FakeEnd> + Send>> + Send + Sync;

/// The way to a played host.
pub struct FakeTransport {
    name: String,
    player: Arc<Player>,
    started: AtomicUsize,
    cut: Cut,
}

impl FakeTransport {
    /// `player` is called for each command and plays it; dropping what it was given closes the streams.
    pub fn new<F, E>(name: impl Into<String>, player: F) -> Self
    where
        F: Fn(FakeCommand) -> E + Send + Sync + 'static,
        E: Future<Output = FakeEnd> + Send + 'static,
    {
        let player = Arc::new(
            move |command| -> Pin<Box<dyn Future<Output = FakeEnd> + Send>> {
                Box::pin(player(command))
            },
        );
        Self {
            name: name.into(),
            player,
            started: AtomicUsize::new(0),
            cut: Cut::default(),
        }
    }

    /// Scissors for this connection.
    pub fn connection(&self) -> Cut {
        self.cut.clone()
    }

    /// How many commands were started.
    pub fn started(&self) -> usize {
        self.started.load(Ordering::SeqCst)
    }

    fn lost(&self, reason: &str) -> TransportError {
        TransportError::Lost {
            host: self.name.clone(),
            reason: reason.to_string(),
        }
    }
}

#[async_trait]
impl Transport for FakeTransport {
    async fn start(&self, command: &str) -> Result<Process, TransportError> {
        let cut = self.cut.clone();
        if cut.0.is_cancelled() {
            return Err(self.lost("it was cut"));
        }
        let (stdin_reader, stdin) = duplex(PIPE);
        let (stdout, stdout_writer) = duplex(PIPE);
        let (stderr, stderr_writer) = duplex(PIPE);
        let number = self.started.fetch_add(1, Ordering::SeqCst);
        let line = command.to_string();
        let play = (self.player)(FakeCommand {
            line,
            number,
            stdin: stdin_reader,
            stdout: stdout_writer,
            stderr: stderr_writer,
            connection: cut.clone(),
        });
        let (send, end) = oneshot::channel();
        tokio::spawn(async move {
            let reason = tokio::select! {
                end = play => match end {
                    FakeEnd::Exit(exit) => {
                        let _ = send.send(Ok(exit));
                        return;
                    }
                    FakeEnd::Hang => {
                        cut.0.cancelled().await;
                        "it was cut".to_string()
                    }
                    FakeEnd::Lost(reason) => reason,
                },
                () = cut.0.cancelled() => "it was cut".to_string(),
            };
            let _ = send.send(Err(reason));
            cut.cut();
        });
        let host = self.name.clone();
        Ok(Process {
            stdin: Box::new(stdin),
            stdout: Box::new(stdout),
            stderr: Box::new(stderr),
            exit: ProcessExit::new(async move {
                match end.await {
                    Ok(Ok(exit)) => Ok(exit),
                    Ok(Err(reason)) => Err(TransportError::Lost { host, reason }),
                    Err(_) => Err(TransportError::Lost {
                        host,
                        reason: "the player gave up".to_string(),
                    }),
                }
            }),
        })
    }

    fn describe(&self) -> String {
        self.name.clone()
    }

    async fn close(&self) {
        self.cut.cut();
    }
}
