//! Ways to a host: a [`Transport`] starts commands there and carries their streams.
//!
//! [`ssh`] leads to nodes, [`local`] to this machine, and [`fake`] to a program inside a test that plays a node.

pub mod error;
pub mod fake;
pub mod local;
pub mod ssh;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};

pub use error::TransportError;

/// A way to one host. It may be used by several tasks at once.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Starts `command`, one line for the login shell, and returns its streams at once: bytes may be written to its standard input
    /// before the far side confirmed anything, which saves a round trip.
    ///
    /// # Errors
    /// [`TransportError::Lost`] when the connection is gone, [`TransportError::Protocol`] when the far side grants no more commands.
    async fn start(&self, command: &str) -> Result<Process, TransportError>;

    /// Where it leads, for people: `root@10.77.0.11:22`.
    fn describe(&self) -> String;

    /// Ends the connection. What still runs on it ends in [`TransportError::Lost`].
    async fn close(&self);
}

/// A command that runs on the host, and its streams.
pub struct Process {
    /// `shutdown()`, or dropping it, sends the end of the input. Once the command has ended, writing fails with `BrokenPipe`.
    pub stdin: Box<dyn AsyncWrite + Send + Unpin>,
    /// Ends with the command, and also when the connection is lost: only `exit` tells these apart.
    pub stdout: Box<dyn AsyncRead + Send + Unpin>,
    /// As `stdout`.
    pub stderr: Box<dyn AsyncRead + Send + Unpin>,
    /// How it ends. Dropping this without waiting gives the command up: over SSH its channel is closed, and the command itself goes on
    /// until it notices.
    pub exit: ProcessExit,
}

/// The end of a command, still to come.
pub struct ProcessExit(Pin<Box<dyn Future<Output = Result<Exit, TransportError>> + Send>>);

impl ProcessExit {
    /// Wraps what a transport waits for.
    pub fn new(end: impl Future<Output = Result<Exit, TransportError>> + Send + 'static) -> Self {
        Self(Box::pin(end))
    }

    /// Waits until the command has ended and all its output has arrived. Read both streams meanwhile, or before: only SSH keeps what
    /// nobody takes, elsewhere the command would wait for its reader.
    ///
    /// # Errors
    /// [`TransportError::Lost`] when the connection ended first: nobody knows how the command ends, or whether it still runs.
    pub async fn wait(self) -> Result<Exit, TransportError> {
        self.0.await
    }
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// With this status, 0 to 255.
    Status(u32),
    /// By this signal, without the `SIG`: `TERM`.
    Signal(String),
}

impl Exit {
    /// Whether the status is 0.
    pub fn success(&self) -> bool {
        *self == Self::Status(0)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status {status}"),
            Self::Signal(name) => write!(f, "signal {name}"),
        }
    }
}
