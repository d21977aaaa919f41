//! What a kind makes of the end of its act, where that is not a command's: whether anything changed, and what `register` gets.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value};

/// How an act ended.
#[derive(Debug, Clone, Copy)]
pub struct ActOutput<'a> {
    /// Exit status; every other than 0 is a failure.
    pub rc: i32,
    /// Standard output.
    pub stdout: &'a [u8],
    /// Standard error.
    pub stderr: &'a [u8],
}

/// What an act's end means.
#[derive(Debug, Clone, Default)]
pub struct Interpreted {
    /// Whether it changed anything.
    pub changed: bool,
    /// A word about it; why it failed when it did.
    pub message: String,
    /// What to do about a failure.
    pub help: Option<String>,
    /// What `register` gets.
    pub result: Map<String, Value>,
}

type Read = dyn Fn(&ActOutput) -> Option<Interpreted> + Send + Sync;

/// A pure function of an act's output. Without an answer, the end is told as that of a command.
#[derive(Clone)]
pub struct Reading {
    /// Whether a plan says that the act will change something; else it says that nobody knows.
    pub foreseen: bool,
    read: Arc<Read>,
}

impl Reading {
    /// By this function; a plan does not know what it will say.
    pub fn new(
        read: impl Fn(&ActOutput) -> Option<Interpreted> + Send + Sync + 'static,
    ) -> Reading {
        Reading {
            foreseen: false,
            read: Arc::new(read),
        }
    }

    /// A plan knows that it changes something.
    pub fn foreseen(mut self) -> Reading {
        self.foreseen = true;
        self
    }

    /// What the end means.
    pub fn read(&self, output: &ActOutput) -> Option<Interpreted> {
        (self.read)(output)
    }
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reading")
    }
}

/// A file to write on the controller.
#[derive(Debug, Clone)]
pub struct LocalFile {
    /// Where.
    pub path: PathBuf,
    /// What.
    pub bytes: Arc<[u8]>,
}
