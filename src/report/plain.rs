//! Human output without a terminal: lines, in the order things happened.

use std::io::Write;

use super::human::Human;
use super::output::Output;
use super::{ReportOptions, Reporter};
use crate::event::Event;

/// Writes plain lines.
pub struct Plain {
    human: Human,
    output: Output,
}

impl Plain {
    /// Each event's lines are written and flushed at once.
    pub fn new(options: ReportOptions, writer: Box<dyn Write + Send>) -> Plain {
        Plain {
            human: Human::new(options),
            output: Output::new(writer),
        }
    }
}

impl Reporter for Plain {
    fn event(&mut self, event: &Event) {
        let text = self.human.tell(event);
        if !text.is_empty() {
            self.output.write(text.as_bytes());
        }
    }

    fn finish(&mut self) {}

    fn trouble(&self) -> Option<String> {
        self.output.trouble()
    }
}
