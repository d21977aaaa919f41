//! Events as lines for people, the same on a terminal and without one.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::exec::Outputs;
use super::screen::Screen;
use super::style::{Ink, Palette};
use super::task::{self, Layout};
use super::{Limits, Looks, ReportOptions, diff, recap, rollout, text, unified};
use crate::change::Field;
use crate::diagnostic::{Diagnostic, count};
use crate::event::{Event, LeaseEvent, Mode, Moved, Status, TaskResult};

/// Lines of one diff, without `-v`.
const DIFF_LINES: usize = 40;
/// Columns of a line of a diff, without `-v`.
const DIFF_COLUMNS: usize = 400;
/// Columns that names of hosts are padded to, at most.
const HOST_COLUMNS: usize = 24;

/// To the first column of the first line.
const HOME: &str = "\x1b[H";
/// Clears from the cursor to the end of the line.
const END_OF_LINE: &str = "\x1b[K";
/// Clears from the cursor to the end of the screen.
const REST: &str = "\x1b[J";
/// A line up: the newline that follows leads to the same place again.
const UP: &str = "\x1b[A";

/// What has been told so far, as far as it shapes what comes.
pub(super) struct Human {
    options: ReportOptions,
    mode: Mode,
    log: Option<String>,
    host: usize,
    /// Hosts of the play, for its head.
    plays: HashMap<Arc<str>, usize>,
    /// The play whose head was printed last.
    play: Option<Arc<str>>,
    /// Diffs that were shown, by place and content, with the host they were shown for.
    shown: HashMap<u64, Arc<str>>,
    /// What was found of the platform since the last look.
    screen: Screen,
    /// What commands said.
    outputs: Outputs,
    /// Whether this is about looks, of which the platform itself is the result.
    looked: bool,
    /// Whether anything was printed, for blank lines.
    begun: bool,
}

impl Human {
    /// Nothing told yet.
    pub(super) fn new(options: ReportOptions) -> Human {
        Human {
            options,
            mode: Mode::Apply,
            log: None,
            host: 0,
            plays: HashMap::new(),
            play: None,
            shown: HashMap::new(),
            screen: Screen::default(),
            outputs: Outputs::default(),
            looked: false,
            begun: false,
        }
    }

    /// The lines to print for an event, each ended by a newline; often none.
    pub(super) fn tell(&mut self, event: &Event) -> String {
        let lines = self.lines(event);
        let mut told = String::new();
        for line in &lines {
            told.push_str(line);
            told.push('\n');
        }
        self.begun |= !told.is_empty();
        told
    }

    fn lines(&mut self, event: &Event) -> Vec<String> {
        match event {
            Event::RunStarted {
                mode, hosts, log, ..
            } => {
                self.mode = *mode;
                self.log = log.clone();
                self.outputs.begin(hosts.len());
                self.widen(hosts);
                Vec::new()
            }
            Event::PlayStarted { play, hosts } => {
                self.widen(hosts);
                self.plays.insert(play.clone(), hosts.len());
                self.play = None;
                Vec::new()
            }
            Event::HostConnected { host } => self.aside(host, "connected"),
            Event::HostWorking { host, what } => self.aside(host, &text::clean(what)),
            Event::CommandOutput { error, line, .. } => {
                self.outputs.line(line, *error, self.palette())
            }
            Event::CommandFinished(result) => self.outputs.note(result),
            Event::Facts { host, facts } => {
                self.looked = true;
                super::exec::facts(host, facts, self.palette())
            }
            Event::RunFinished(recap) if self.looked => recap::looked(recap, self.palette()),
            // It has a row of its own, as long as it lasts.
            Event::HostUnreachable { .. } if self.options.looks != Looks::One => Vec::new(),
            Event::HostUnreachable { host, error } => {
                let layout = self.layout();
                let head = Status::Unreachable;
                let mut lines = vec![task::line(host, head.word(), head, "", &layout)];
                if let Some(line) = lines.first_mut() {
                    line.truncate(line.trim_end().len());
                }
                let block = super::failure::block(error, "", layout.verbose, layout.palette);
                lines.extend(block);
                lines
            }
            Event::TaskFinished(result) => self.task(result),
            // Who asks shows the question.
            Event::Paused {
                hidden: Some(_), ..
            } => Vec::new(),
            Event::Paused { task, words, .. } => {
                vec![format!("{}: {}", text::clean(task), text::clean(words))]
            }
            Event::Warning { host, message } => self.warning(host.as_deref(), message),
            Event::Diagnostic(diagnostic) => self.diagnostic(diagnostic),
            Event::Owed {
                host,
                handler,
                since,
            } => self.warning(
                Some(host),
                &format!("an earlier run owes handler `{handler}` since {since}"),
            ),
            // It stands in the command, or in a line of its own when the nodes go back.
            Event::Release { .. } => Vec::new(),
            Event::NodeState {
                host,
                state,
                ms,
                detail,
            } => self.node(host, state, *ms, detail),
            Event::Lease(lease) => vec![self.lease(lease)],
            Event::Cluster(report) => {
                self.screen.cluster(report);
                Vec::new()
            }
            Event::Node(report) => {
                self.screen.node(report);
                Vec::new()
            }
            Event::PlanMoved(moved) => self.moved(moved),
            Event::PlanSaved { file } => vec![format!("saved to {}", text::clean(file))],
            Event::Looked { at, ms, .. } => self.looked(at, *ms),
            Event::RunFinished(recap) if self.options.sentence && self.mode == Mode::Exec => self
                .outputs
                .lines(recap, self.log.as_deref(), self.palette()),
            Event::RunFinished(recap) if self.options.sentence => {
                vec![recap::sentence(recap, self.palette())]
            }
            Event::RunFinished(recap) => {
                let mut lines = Vec::new();
                if self.begun {
                    lines.push(String::new());
                }
                let log = self.log.as_deref();
                lines.extend(recap::lines(recap, self.mode, log, &self.options));
                lines
            }
        }
    }

    /// The whole screen.
    fn looked(&mut self, at: &str, ms: u64) -> Vec<String> {
        let head = match self.options.looks {
            Looks::One => text::duration(ms),
            Looks::Below | Looks::InPlace => format!("{at}, {}", text::duration(ms)),
        };
        let palette = self.palette();
        let mut lines = self.screen.lines(&head, self.options.width, palette);
        match self.options.looks {
            Looks::One => {}
            Looks::Below if self.looked => lines.insert(0, String::new()),
            Looks::Below => {}
            Looks::InPlace => {
                let mut begin = HOME.to_owned();
                if !self.looked {
                    begin.push_str(REST);
                }
                for line in &mut lines {
                    line.push_str(END_OF_LINE);
                    *line = line.replace('\n', &format!("{END_OF_LINE}\n"));
                }
                if let Some(first) = lines.first_mut() {
                    first.insert_str(0, &begin);
                }
                if let Some(last) = lines.last_mut() {
                    // Below the last line, once that has ended.
                    last.push_str(&format!("\n{REST}"));
                    last.push_str(UP);
                }
            }
        }
        self.looked = true;
        lines
    }

    fn widen(&mut self, hosts: &[Arc<str>]) {
        for host in hosts {
            let columns = text::columns(&text::clean(host)).min(HOST_COLUMNS);
            self.host = self.host.max(columns);
        }
    }

    fn layout(&self) -> Layout {
        Layout {
            mode: self.mode,
            host: self.host,
            width: self.options.width,
            verbose: self.verbose(),
            palette: self.palette(),
        }
    }

    /// Whether the lines of commands are printed as they come.
    pub(super) fn tells_lines(&self) -> bool {
        self.outputs.is_of_one()
    }

    fn verbose(&self) -> bool {
        self.options.verbosity > 0
    }

    fn palette(&self) -> Palette {
        Palette::new(self.options.colour)
    }

    /// What only `-v` shows.
    fn aside(&self, host: &str, what: &str) -> Vec<String> {
        if !self.verbose() || what.is_empty() {
            return Vec::new();
        }
        let host = text::pad(&text::clean(host), self.host);
        vec![format!("{host}  {}", self.palette().paint(Ink::Dim, what))]
    }

    /// A node came to another state of a rolling update.
    fn node(&mut self, host: &str, state: &str, ms: u64, detail: &str) -> Vec<String> {
        // The tasks of the next node stand under the head of their play again.
        self.play = None;
        let mut line = format!(
            "{}  {}",
            text::pad(&text::clean(host), self.host),
            self.palette()
                .paint(rollout::ink(state), rollout::word(state)),
        );
        if ms > 0 {
            let took = format!(" (after {})", text::duration(ms));
            line.push_str(&self.palette().paint(Ink::Dim, &took));
        }
        if !detail.is_empty() {
            line.push_str(&format!(": {}", text::clean(detail)));
        }
        vec![line]
    }

    fn warning(&self, host: Option<&str>, message: &str) -> Vec<String> {
        let word = self.palette().paint(Ink::Changed, "warning:");
        let message = text::clean(message);
        vec![match host {
            Some(host) => format!("{word} {}: {message}", text::clean(host)),
            None => format!("{word} {message}"),
        }]
    }

    fn lease(&self, lease: &LeaseEvent) -> String {
        let (ink, state) = match lease {
            LeaseEvent { freed: true, .. } => (Ink::Good, "given back"),
            LeaseEvent { lives: true, .. } => (Ink::Changed, "held"),
            LeaseEvent { works: true, .. } => (Ink::Bad, "dead, its last step still runs"),
            _ => (Ink::Bad, "dead"),
        };
        format!(
            "{}: {}: run {}, `{}` by {}, since {}, silent for {} s",
            text::clean(&lease.host),
            self.palette().paint(ink, state),
            text::clean(&lease.run),
            text::clean(&lease.command),
            text::clean(&lease.holder),
            text::clean(&lease.since),
            lease.silent_s,
        )
    }

    /// What is otherwise than planned.
    fn moved(&self, moved: &Moved) -> Vec<String> {
        let word = self.palette().paint(Ink::Bad, "moved");
        let what = match (&moved.host, &moved.file) {
            (Some(host), _) => text::pad(&text::clean(host), self.host),
            (None, Some(file)) => text::clean(file),
            (None, None) => String::new(),
        };
        let task = moved.task.as_ref().map(|task| {
            let at = moved.at.as_deref().map(|at| format!(" ({at})"));
            format!("  {}{}", text::clean(task), at.unwrap_or_default())
        });
        vec![
            format!("{what}  {word}{}", task.unwrap_or_default()),
            format!(
                "    {}: planned {}, now {}",
                text::clean(&moved.field),
                text::clean(&moved.planned),
                text::clean(&moved.now)
            ),
        ]
    }

    fn diagnostic(&self, diagnostic: &Diagnostic) -> Vec<String> {
        let rendered = diagnostic.render(self.options.colour);
        let blank = self.begun.then(String::new);
        let lines = rendered.lines().map(text::clean_painted);
        blank.into_iter().chain(lines).collect()
    }

    fn task(&mut self, result: &TaskResult) -> Vec<String> {
        if !task::shown(result, self.verbose()) {
            return Vec::new();
        }
        let mut lines = self.head(&result.play);
        lines.extend(task::lines(result, &self.layout()));
        if self.options.diff || (self.mode == Mode::Plan && !self.options.brief) {
            for field in &result.changes {
                lines.extend(self.diff(result, "", field));
            }
            for item in &result.items {
                for field in &item.changes {
                    lines.extend(self.diff(result, &item.item, field));
                }
            }
        }
        lines
    }

    /// The head of a play, printed when the first of its lines is.
    fn head(&mut self, play: &Arc<str>) -> Vec<String> {
        if self.play.as_ref() == Some(play) {
            return Vec::new();
        }
        self.play = Some(play.clone());
        let mut head = format!("play {}", text::clean(play));
        if let Some(hosts) = self.plays.get(play) {
            head.push_str(&format!(" ({})", count(*hosts, "host")));
        }
        let head = self.palette().paint(Ink::Heading, &head);
        match self.begun {
            true => vec![String::new(), head],
            false => vec![head],
        }
    }

    /// The diff of a text, indented; of a diff that another host had already, only that.
    fn diff(&mut self, result: &TaskResult, item: &str, field: &Field) -> Vec<String> {
        let Some((before, after)) = diff::texts(field) else {
            return Vec::new();
        };
        let limits = match self.verbose() {
            true => Limits::WHOLE,
            false => Limits {
                lines: DIFF_LINES,
                ..Limits::WHOLE
            },
        };
        let name = match item {
            "" => field.name().to_owned(),
            item => format!("{item}: {}", field.name()),
        };
        let diff = unified(&text::clean(&name), before, after, limits);
        let mut hasher = DefaultHasher::new();
        (&result.at, &result.task, &diff).hash(&mut hasher);
        let key = hasher.finish();
        match self.shown.get(&key) {
            Some(host) if *host != result.host => {
                let note = format!("same difference as on {}", text::clean(host));
                return vec![format!("    {}", self.palette().paint(Ink::Dim, &note))];
            }
            _ => {
                self.shown.insert(key, result.host.clone());
            }
        }
        diff.lines().map(|line| self.diff_line(line)).collect()
    }

    fn diff_line(&self, line: &str) -> String {
        let mut clean = text::clean(line);
        if !self.verbose() {
            clean = text::fit(&clean, DIFF_COLUMNS);
        }
        let ink = match line.as_bytes().first() {
            Some(b'+') => Ink::Good,
            Some(b'-') => Ink::Bad,
            Some(b'@') => Ink::Unknown,
            Some(b' ') => return format!("    {clean}"),
            _ => Ink::Dim,
        };
        format!("    {}", self.palette().paint(ink, &clean))
    }
}
