//! Sections in the log of GitLab's pipelines: each play can be folded away there.

use std::io::Write;

use super::output::Output;
use super::{Reporter, text};
use crate::event::Event;

/// Writes where sections begin and end. It is told before the reporter whose lines they hold.
pub struct Gitlab {
    output: Output,
    open: Option<usize>,
    begun: usize,
    clock: fn() -> i64,
}

impl Gitlab {
    /// To the stream that people's lines go to.
    pub fn new(writer: Box<dyn Write + Send>) -> Gitlab {
        Gitlab {
            output: Output::new(writer),
            open: None,
            begun: 0,
            clock: || jiff::Timestamp::now().as_second(),
        }
    }

    fn end(&mut self) {
        if let Some(number) = self.open.take() {
            let now = (self.clock)();
            let line = format!("\u{1b}[0Ksection_end:{now}:hadeploy_play_{number}\r\u{1b}[0K\n");
            self.output.write(line.as_bytes());
        }
    }
}

impl Reporter for Gitlab {
    fn event(&mut self, event: &Event) {
        match event {
            Event::PlayStarted { play, .. } => {
                self.end();
                self.begun += 1;
                self.open = Some(self.begun);
                let (now, number) = ((self.clock)(), self.begun);
                let line = format!(
                    "\u{1b}[0Ksection_start:{now}:hadeploy_play_{number}\r\u{1b}[0K{}\n",
                    text::clean(play)
                );
                self.output.write(line.as_bytes());
            }
            Event::RunFinished(_) => self.end(),
            _ => {}
        }
    }

    fn finish(&mut self) {
        self.end();
    }

    fn trouble(&self) -> Option<String> {
        self.output.trouble()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::Gitlab;
    use crate::event::Event;
    use crate::report::Reporter;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("a page").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn each_section_ends_before_the_next_begins() {
        let page = Page::default();
        let mut gitlab = Gitlab::new(Box::new(page.clone()));
        gitlab.clock = || 7;
        for name in ["web\nsection_end:1:x", "db"] {
            gitlab.event(&Event::PlayStarted {
                play: name.into(),
                hosts: Vec::new(),
            });
        }
        gitlab.finish();
        gitlab.finish();
        let text = String::from_utf8(page.0.lock().expect("a page").clone()).expect("text");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text:?}");
        assert!(
            lines[0].starts_with("\u{1b}[0Ksection_start:7:hadeploy_play_1\r\u{1b}[0Kweb"),
            "{text:?}"
        );
        assert_eq!(
            lines[1],
            "\u{1b}[0Ksection_end:7:hadeploy_play_1\r\u{1b}[0K"
        );
        assert_eq!(
            lines[2],
            "\u{1b}[0Ksection_start:7:hadeploy_play_2\r\u{1b}[0Kdb"
        );
        assert_eq!(
            lines[3],
            "\u{1b}[0Ksection_end:7:hadeploy_play_2\r\u{1b}[0K"
        );
    }
}
