//! Who tells what happened: reporters turn events into lines for people, for programs and for the log of a run.

mod cluster;
mod diff;
mod exec;
mod failure;
mod github;
mod gitlab;
mod human;
mod impact;
mod journal;
mod json;
mod junit;
mod output;
mod plain;
mod recap;
mod replay;
mod rollout;
mod screen;
mod style;
mod task;
mod text;
mod trace;
mod tty;
mod undiff;

pub use diff::{Limits, unified};
pub use github::{Github, Workspace};
pub use gitlab::Gitlab;
pub use journal::{Journal, JournalError};
pub use json::{Json, line};
pub use junit::Junit;
pub use plain::Plain;
pub use replay::{Replayed, replay};
pub use trace::LogWriter;
pub use tty::{Tty, human};

use crate::event::Event;

/// Told of each event in order, then once of the end. Any order of events is survived.
///
/// A closed pipe ends the output quietly; any other trouble with writing is kept for [`Reporter::trouble`], so
/// that a full disk below a log never stops a run half-way.
pub trait Reporter: Send {
    /// Tells one event.
    fn event(&mut self, event: &Event);

    /// Clears what is live and writes what is held back. Nothing is told after it.
    fn finish(&mut self);

    /// Why some of the output is missing, one sentence; none when all was written or the reader went away.
    fn trouble(&self) -> Option<String> {
        None
    }
}

/// What people want to see.
#[derive(Debug, Clone)]
pub struct ReportOptions {
    /// 0 shows changes and failures; 1 (`-v`) also what was ok or skipped, and nothing is shortened.
    pub verbosity: u8,
    /// Whether an apply shows text diffs; a plan always does.
    pub diff: bool,
    /// Whether colours may be used (a terminal, and NO_COLOR is not set).
    pub colour: bool,
    /// Columns of the output; 80 where that is not known.
    pub width: usize,
    /// For a plan the command that applies it, for an apply the one that goes on; said in the last line.
    pub next_command: Option<String>,
    /// How looks at a platform follow one another.
    pub looks: Looks,
    /// Nothing is counted: the end is a sentence.
    pub sentence: bool,
    /// A plan that only comes before a question: without the differences of texts.
    pub brief: bool,
}

/// How looks at a platform follow one another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Looks {
    /// There is one.
    #[default]
    One,
    /// Each stands below the one before.
    Below,
    /// Each takes the place of the one before, on a terminal.
    InPlace,
}

impl Default for ReportOptions {
    fn default() -> ReportOptions {
        ReportOptions {
            verbosity: 0,
            diff: false,
            colour: false,
            width: 80,
            next_command: None,
            looks: Looks::One,
            sentence: false,
            brief: false,
        }
    }
}

/// `file:line` as two; none when it names no line.
fn place(at: &str) -> Option<(String, usize)> {
    let (file, line) = at.rsplit_once(':')?;
    Some((file.to_owned(), line.parse().ok()?))
}

/// Several reporters that are all told the same, in order.
#[derive(Default)]
pub struct Reporters(pub Vec<Box<dyn Reporter>>);

impl Reporter for Reporters {
    fn event(&mut self, event: &Event) {
        for reporter in &mut self.0 {
            reporter.event(event);
        }
    }

    fn finish(&mut self) {
        for reporter in &mut self.0 {
            reporter.finish();
        }
    }

    fn trouble(&self) -> Option<String> {
        self.0.iter().find_map(|reporter| reporter.trouble())
    }
}
