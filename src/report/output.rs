//! A writer that outlives its reader: a closed pipe ends it quietly, other trouble is remembered.

use std::io::{self, Write};

/// Where a reporter writes.
pub(super) struct Output {
    writer: Option<Box<dyn Write + Send>>,
    trouble: Option<String>,
}

impl Output {
    /// Writes to `writer`, which needs no buffer of its own: each call writes once and flushes.
    pub(super) fn new(writer: Box<dyn Write + Send>) -> Output {
        Output {
            writer: Some(writer),
            trouble: None,
        }
    }

    /// Writes all of `bytes` and flushes; nothing once an earlier call has failed.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        let Some(writer) = &mut self.writer else {
            return;
        };
        if let Err(error) = writer.write_all(bytes).and_then(|()| writer.flush()) {
            self.fail(&error);
        }
    }

    /// Ends the output; why it ended is remembered unless its reader went away.
    pub(super) fn fail(&mut self, error: &io::Error) {
        self.writer = None;
        if error.kind() != io::ErrorKind::BrokenPipe && self.trouble.is_none() {
            self.trouble = Some(error.to_string());
        }
    }

    /// What [`Output::fail`] remembered.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.clone()
    }
}
