//! JUnit's XML, for pipelines that show tests: a suite for each play, a case for each task on each host.

use std::fmt::Write as _;
use std::io::Write;

use super::output::Output;
use super::{Reporter, place, text};
use crate::event::{Event, Failure, Recap, Status, TaskResult};

/// Collects a run, and writes it as one document at its end.
pub struct Junit {
    suites: Vec<Suite>,
    title: String,
    output: Output,
}

/// The cases of a play, or what came before all of them.
struct Suite {
    name: String,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    host: String,
    at: Option<(String, usize)>,
    ms: u64,
    end: End,
}

enum End {
    Passed,
    Skipped(String),
    /// What was tried did not work: `failure`.
    Failed(String, String),
    /// It could not be tried: `error`.
    Broken(String, String),
}

impl Junit {
    /// Nothing is written before the run has ended.
    pub fn new(writer: Box<dyn Write + Send>) -> Junit {
        Junit {
            suites: Vec::new(),
            title: "hadeploy".to_owned(),
            output: Output::new(writer),
        }
    }

    fn add(&mut self, suite: &str, case: Case) {
        if self.suites.last().is_none_or(|last| last.name != suite) {
            self.suites.push(Suite {
                name: suite.to_owned(),
                cases: Vec::new(),
            });
        }
        if let Some(last) = self.suites.last_mut() {
            last.cases.push(case);
        }
    }

    fn document(&self, recap: Option<&Recap>) -> String {
        let all: Vec<&Case> = self.suites.iter().flat_map(|suite| &suite.cases).collect();
        let time = recap.map_or(0, |recap| recap.elapsed_ms);
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\" {} time=\"{}\">\n",
            escaped(&self.title),
            counts(&all),
            seconds(time)
        );
        for suite in &self.suites {
            let cases: Vec<&Case> = suite.cases.iter().collect();
            let ms = cases
                .iter()
                .map(|case| case.ms)
                .fold(0, u64::saturating_add);
            let _ = writeln!(
                text,
                "  <testsuite name=\"{}\" {} time=\"{}\">",
                escaped(&suite.name),
                counts(&cases),
                seconds(ms)
            );
            cases.iter().for_each(|case| text.push_str(&element(case)));
            text.push_str("  </testsuite>\n");
        }
        text.push_str("</testsuites>\n");
        text
    }
}

impl Reporter for Junit {
    fn event(&mut self, event: &Event) {
        match event {
            Event::RunStarted { mode, playbook, .. } => {
                self.title = format!("hadeploy {} {playbook}", mode.word());
            }
            Event::Release { release } => {
                let _ = write!(self.title, ", release {release}");
            }
            Event::TaskFinished(result) => self.add(&result.play, of_task(result)),
            Event::HostUnreachable { host, error } => self.add(
                "connections",
                Case {
                    name: "reach the host".to_owned(),
                    host: host.to_string(),
                    at: None,
                    ms: 0,
                    end: End::Broken(error.message.clone(), told(error)),
                },
            ),
            Event::Diagnostic(fault) if fault.is_error() => self.add(
                "files",
                Case {
                    name: fault.message.clone(),
                    host: "files".to_owned(),
                    at: fault.span.as_ref().and_then(|span| place(&span.at())),
                    ms: 0,
                    end: End::Broken(fault.message.clone(), fault.render(false)),
                },
            ),
            Event::RunFinished(recap) => {
                let text = self.document(Some(recap));
                self.suites.clear();
                self.output.write(text.as_bytes());
            }
            _ => {}
        }
    }

    fn finish(&mut self) {
        // A run that was cut off has no end; what it did is told all the same.
        if !self.suites.is_empty() {
            let text = self.document(None);
            self.output.write(text.as_bytes());
        }
    }

    fn trouble(&self) -> Option<String> {
        self.output.trouble()
    }
}

fn of_task(result: &TaskResult) -> Case {
    let said = Failure::new(result.msg.clone());
    let failure = result.failure.as_ref().unwrap_or(&said);
    let end = match result.status {
        // What was taken up by the playbook is no failure of it.
        Status::Failed | Status::Unreachable if result.ignored || result.rescued => End::Passed,
        Status::Failed => End::Failed(failure.message.clone(), told(failure)),
        Status::Unreachable => End::Broken(failure.message.clone(), told(failure)),
        Status::Skipped => End::Skipped(result.msg.clone()),
        Status::Unknown => End::Skipped("not known before an apply".to_owned()),
        Status::Ok | Status::Changed => End::Passed,
    };
    Case {
        name: match result.handler {
            true => format!("handler: {}", result.task),
            false => result.task.to_string(),
        },
        host: result.host.to_string(),
        at: place(&result.at),
        ms: result.duration_ms,
        end,
    }
}

/// A failure in lines.
fn told(failure: &Failure) -> String {
    let mut lines = vec![failure.message.clone()];
    lines.extend(
        failure
            .command
            .as_ref()
            .map(|command| format!("command: {command}")),
    );
    lines.extend(failure.rc.map(|rc| format!("status: {rc}")));
    lines.extend(failure.output.iter().flat_map(|it| text::clean_lines(it)));
    lines.extend(failure.help.as_ref().map(|help| format!("help: {help}")));
    lines.join("\n")
}

fn counts(cases: &[&Case]) -> String {
    let of = |is: fn(&End) -> bool| cases.iter().filter(|case| is(&case.end)).count();
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"",
        cases.len(),
        of(|end| matches!(end, End::Failed(..))),
        of(|end| matches!(end, End::Broken(..))),
        of(|end| matches!(end, End::Skipped(_))),
    )
}

fn element(case: &Case) -> String {
    let mut text = format!(
        "    <testcase name=\"{}\" classname=\"{}\" time=\"{}\"",
        escaped(&case.name),
        escaped(&case.host),
        seconds(case.ms)
    );
    if let Some((file, line)) = &case.at {
        let _ = write!(text, " file=\"{}\" line=\"{line}\"", escaped(file));
    }
    let inner = match &case.end {
        End::Passed => return text + "/>\n",
        End::Skipped(why) => format!("<skipped message=\"{}\"/>", escaped(why)),
        End::Failed(message, body) => format!(
            "<failure message=\"{}\">{}</failure>",
            escaped(message),
            escaped_text(body)
        ),
        End::Broken(message, body) => format!(
            "<error message=\"{}\">{}</error>",
            escaped(message),
            escaped_text(body)
        ),
    };
    text + ">\n      " + &inner + "\n    </testcase>\n"
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// For the value of an attribute, where a line break would be read as a space.
fn escaped(text: &str) -> String {
    escaped_text(text)
        .replace('"', "&quot;")
        .replace('\n', "&#10;")
        .replace('\t', "&#9;")
}

/// For text between tags. Characters that no XML 1.0 document may hold, however they are written, have a mark in their place.
fn escaped_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' | '\n' => out.push(char),
            '\r' => out.push_str("&#13;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            char => out.push(char),
        }
    }
    out
}
