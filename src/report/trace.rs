//! Log lines between live lines: the bars step aside while one is written.

use std::io::{self, Write};
use std::sync::Mutex;

use indicatif::MultiProgress;
use tracing_subscriber::fmt::MakeWriter;

/// Where tracing writes. Give its layer `with_ansi` from the same option as the reporter: it would colour a pipe too.
pub struct LogWriter {
    bars: Option<MultiProgress>,
    sink: Mutex<Box<dyn Write + Send>>,
}

impl LogWriter {
    /// Writes to `sink`, while `bars` are suspended if there are any.
    pub fn new(bars: Option<MultiProgress>, sink: Box<dyn Write + Send>) -> LogWriter {
        LogWriter {
            bars,
            sink: Mutex::new(sink),
        }
    }

    fn write(&self, record: &[u8]) -> io::Result<()> {
        let write = || {
            let mut sink = self
                .sink
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            sink.write_all(record).and_then(|()| sink.flush())
        };
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = Record<'a>;

    fn make_writer(&'a self) -> Record<'a> {
        Record {
            log: self,
            bytes: Vec::new(),
        }
    }
}

/// One log record, written at once when it is complete.
pub struct Record<'a> {
    log: &'a LogWriter,
    bytes: Vec<u8>,
}

impl Write for Record<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.bytes);
        self.log.write(&bytes)
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        // A log that cannot be written has nowhere to say so, and must not stop a run.
        let _ = self.flush();
    }
}
