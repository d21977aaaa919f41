//! What GitHub's pipelines show beside the log: failures at their lines, and a summary of the run as a page.

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::output::Output;
use super::{Reporter, place, text};
use crate::event::{Event, Failure, Recap, TaskResult};

/// The most rows of failures in a summary, and the most letters of why; the most rows of hosts. GitHub drops a page of more than a megabyte.
const ROWS: usize = 100;
const WHY: usize = 500;
const HOSTS: usize = 2_000;

/// Where GitHub's places begin.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    /// The folder of the repository.
    pub root: PathBuf,
    /// The working folder.
    pub folder: PathBuf,
}

/// Writes annotations as they come, and the summary at the end.
pub struct Github {
    output: Output,
    summary: Option<Output>,
    workspace: Workspace,
    /// While people's lines go to the same stream, GitHub takes no commands but after this word: what nodes say gives none.
    token: Option<String>,
    begun: bool,
    failures: Vec<Row>,
    more: usize,
    title: String,
}

struct Row {
    host: String,
    task: String,
    at: String,
    message: String,
}

impl Github {
    /// Annotations go to `writer`. With a `token`, which nobody can guess, all other lines on the stream stop to be commands.
    pub fn new(
        writer: Box<dyn Write + Send>,
        summary: Option<Box<dyn Write + Send>>,
        workspace: Workspace,
        token: Option<String>,
    ) -> Github {
        Github {
            output: Output::new(writer),
            summary: summary.map(Output::new),
            workspace,
            token,
            begun: false,
            failures: Vec::new(),
            more: 0,
            title: "hadeploy".to_owned(),
        }
    }

    /// Before the first line of anybody.
    fn begin(&mut self) {
        if let (false, Some(token)) = (self.begun, &self.token) {
            let line = format!("::stop-commands::{token}\n");
            self.output.write(line.as_bytes());
        }
        self.begun = true;
    }

    fn annotate(&mut self, level: &str, at: Option<&str>, title: &str, message: &str) {
        let mut line = format!("::{level} ");
        if let Some((file, number)) = at.and_then(place) {
            let _ = write!(line, "file={},line={number},", property(&self.path(&file)));
        }
        let _ = writeln!(line, "title={}::{}", property(title), data(message));
        if let Some(token) = &self.token {
            line = format!("::{token}::\n{line}::stop-commands::{token}\n");
        }
        self.output.write(line.as_bytes());
    }

    /// A path as the repository knows it.
    fn path(&self, file: &str) -> String {
        let whole = self.workspace.folder.join(file);
        let within = whole.strip_prefix(&self.workspace.root);
        within.unwrap_or(Path::new(file)).display().to_string()
    }

    fn failed(&mut self, host: &str, task: &str, at: &str, failure: &Failure) {
        let mut message = failure.message.clone();
        for line in failure.output.iter().rev().take(5).rev() {
            message.push('\n');
            message.push_str(line);
        }
        if let Some(help) = &failure.help {
            message.push_str("\nhelp: ");
            message.push_str(help);
        }
        let at_line = (!at.is_empty()).then_some(at);
        self.annotate("error", at_line, &format!("{task} on {host}"), &message);
        match self.failures.len() < ROWS {
            true => self.failures.push(Row {
                host: host.to_owned(),
                task: task.to_owned(),
                at: at.to_owned(),
                message: failure.message.clone(),
            }),
            false => self.more += 1,
        }
    }

    fn task(&mut self, result: &TaskResult) {
        use crate::event::Status::{Failed, Unreachable};
        if !matches!(result.status, Failed | Unreachable) || result.ignored || result.rescued {
            return;
        }
        let said = Failure::new(result.msg.clone());
        let failure = result.failure.as_ref().unwrap_or(&said);
        self.failed(&result.host, &result.task, &result.at, failure);
    }

    fn summarize(&mut self, recap: &Recap) {
        let Some(summary) = &mut self.summary else {
            return;
        };
        let mut page = format!(
            "### {}\n\n{} ({})\n",
            markdown(&self.title),
            markdown(&recap.reason),
            text::duration(recap.elapsed_ms)
        );
        if !recap.hosts.is_empty() {
            page.push_str("\n| host | ok | changed | skipped | failed | unreachable |\n|---|--:|--:|--:|--:|--:|\n");
        }
        for (host, tally) in recap.hosts.iter().take(HOSTS) {
            let _ = writeln!(
                page,
                "| {} | {} | {} | {} | {} | {} |",
                markdown(host),
                tally.ok,
                tally.changed,
                tally.skipped,
                tally.failed,
                tally.unreachable
            );
        }
        if let Some(more) = recap
            .hosts
            .len()
            .checked_sub(HOSTS)
            .filter(|more| *more > 0)
        {
            let _ = writeln!(page, "\n… and {more} more hosts");
        }
        if !self.failures.is_empty() {
            page.push_str("\n| failed on | task | at | why |\n|---|---|---|---|\n");
        }
        for row in &self.failures {
            let why = text::fit(&row.message, WHY);
            let cells = [&row.host, &row.task, &row.at, &why].map(|cell| markdown(cell));
            let _ = writeln!(page, "| {} |", cells.join(" | "));
        }
        if self.more > 0 {
            let _ = writeln!(page, "\n… and {} more", self.more);
        }
        page.push('\n');
        summary.write(page.as_bytes());
    }
}

impl Reporter for Github {
    fn event(&mut self, event: &Event) {
        self.begin();
        match event {
            Event::RunStarted { mode, playbook, .. } => {
                self.title = format!("hadeploy {} {playbook}", mode.word())
                    .trim()
                    .to_owned();
            }
            Event::Release { release } => {
                let _ = write!(self.title, ", release {release}");
            }
            Event::TaskFinished(result) => self.task(result),
            Event::HostUnreachable { host, error } => {
                self.failed(host, "reach the host", "", error);
            }
            Event::Warning { host, message } => {
                let title = host.as_deref().unwrap_or("hadeploy");
                self.annotate("warning", None, title, message);
            }
            Event::Diagnostic(fault) => {
                let at = fault.span.as_ref().map(crate::source::Span::at);
                let mut message = fault.message.clone();
                for words in fault.label.iter().chain(&fault.help) {
                    message.push('\n');
                    message.push_str(words);
                }
                self.annotate(fault.severity.word(), at.as_deref(), "hadeploy", &message);
            }
            Event::RunFinished(recap) => self.summarize(recap),
            _ => {}
        }
    }

    fn finish(&mut self) {
        if let Some(token) = self.token.take().filter(|_| self.begun) {
            let line = format!("::{token}::\n");
            self.output.write(line.as_bytes());
        }
    }

    fn trouble(&self) -> Option<String> {
        let summary = self.summary.as_ref().and_then(Output::trouble);
        self.output.trouble().or(summary)
    }
}

/// The message of a command: GitHub undoes this.
fn data(text: &str) -> String {
    let text = text::clean_lines(text).join("\n");
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property of a command, where colons and commas divide.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A cell of a table: one line, and nothing in it is markup.
fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' | '\r' => out.push(' '),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '~' | '!' | '@' => {
                out.push('\\');
                out.push(char);
            }
            char if char.is_control() => {}
            char => out.push(char),
        }
    }
    out
}
