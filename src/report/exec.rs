//! What commands on hosts said: line by line from one host; from several at the end, hosts with the same answer together.

use std::sync::Arc;

use super::style::{Ink, Palette};
use super::text;
use crate::diagnostic::count;
use crate::event::{CommandResult, Recap};

/// Names in a head; the others are counted.
const NAMES: usize = 8;

/// The outputs of a run.
#[derive(Default)]
pub(super) struct Outputs {
    hosts: usize,
    /// Whether lines were told as they came.
    told: bool,
    results: Vec<CommandResult>,
}

impl Outputs {
    pub(super) fn begin(&mut self, hosts: usize) {
        self.hosts = hosts;
    }

    /// Whether there is one host, whose lines are told as they come.
    pub(super) fn is_of_one(&self) -> bool {
        self.hosts == 1
    }

    /// A line, from the only host.
    pub(super) fn line(&mut self, line: &str, error: bool, palette: Palette) -> Vec<String> {
        if !self.is_of_one() {
            return Vec::new();
        }
        self.told = true;
        shown(line, error, palette)
    }

    pub(super) fn note(&mut self, result: &CommandResult) -> Vec<String> {
        self.results.push(result.clone());
        Vec::new()
    }

    /// All outputs that were not told, and how it ended.
    pub(super) fn lines(&self, recap: &Recap, log: Option<&str>, palette: Palette) -> Vec<String> {
        let mut lines = Vec::new();
        for alike in self.alike(recap) {
            let Some(first) = alike.first() else { continue };
            if self.is_of_one() && self.told {
                continue;
            }
            let indent = if self.is_of_one() { "" } else { "  " };
            if !self.is_of_one() {
                lines.push(head(&alike, palette));
            }
            for (part, error) in [(&first.stdout, false), (&first.stderr, true)] {
                for line in part.lines() {
                    let shown = shown(line, error, palette);
                    lines.extend(shown.into_iter().map(|line| format!("{indent}{line}")));
                }
            }
            if first.cut {
                let note = "… there was more than is kept";
                lines.push(format!("{indent}{}", palette.paint(Ink::Dim, note)));
            }
        }
        lines.extend(self.end(recap, palette));
        if let Some(log) = log.filter(|_| recap.exit_code != 0 && !self.is_of_one()) {
            lines.push(format!("full log: {}", text::clean(log)));
        }
        lines
    }

    /// Results that say the same, in the order of the hosts.
    fn alike(&self, recap: &Recap) -> Vec<Vec<&CommandResult>> {
        let mut results: Vec<&CommandResult> = self.results.iter().collect();
        results.sort_by_key(|result| recap.hosts.get_index_of(&result.host));
        let mut groups: Vec<Vec<&CommandResult>> = Vec::new();
        for result in results {
            let same = |other: &CommandResult| {
                (other.rc, &other.stdout, &other.stderr, &other.msg)
                    == (result.rc, &result.stdout, &result.stderr, &result.msg)
            };
            match groups.iter_mut().find(|group| same(group[0])) {
                Some(group) => group.push(result),
                None => groups.push(vec![result]),
            }
        }
        groups
    }

    fn end(&self, recap: &Recap, palette: Palette) -> Option<String> {
        let time = text::duration(recap.elapsed_ms);
        let reason = text::clean(&recap.reason);
        let only = self.results.first().filter(|_| self.is_of_one());
        match (recap.exit_code, only) {
            (0, Some(_)) => None,
            (0, None) => Some(palette.paint(Ink::Good, &format!("{reason} ({time})"))),
            (3, Some(result)) => Some(palette.paint(
                Ink::Bad,
                &format!("failed: {} ({time})", state(result).unwrap_or(reason)),
            )),
            (130, _) => Some(palette.paint(Ink::Bad, &format!("interrupted: {reason} ({time})"))),
            _ if recap.touched => {
                Some(palette.paint(Ink::Bad, &format!("failed: {reason} ({time})")))
            }
            _ => Some(palette.paint(
                Ink::Bad,
                &format!("failed: {reason}; nothing was started ({time})"),
            )),
        }
    }
}

/// A line of a command. What it wrote for a terminal is dropped.
fn shown(line: &str, error: bool, palette: Palette) -> Vec<String> {
    let clean = text::clean_lines(line);
    let line = clean.into_iter().next().unwrap_or_default();
    vec![match error {
        true => palette.paint(Ink::Changed, &line),
        false => line,
    }]
}

/// `n1, n2 (2 hosts)`, with how it ended where that was not well.
fn head(alike: &[&CommandResult], palette: Palette) -> String {
    let names: Vec<String> = alike
        .iter()
        .take(NAMES)
        .map(|result| text::clean(&result.host))
        .collect();
    let mut head = names.join(", ");
    match alike.len() {
        1 => {}
        hosts if hosts > NAMES => {
            head.push_str(&format!(" and {} more ({hosts} hosts)", hosts - NAMES));
        }
        hosts => head.push_str(&format!(" ({})", count(hosts, "host"))),
    }
    let state = alike.first().and_then(|first| state(first));
    match state {
        Some(state) => palette.paint(Ink::Bad, &format!("{head}: {state}")),
        None => palette.paint(Ink::Heading, &head),
    }
}

/// How it ended, where that was not well.
fn state(result: &CommandResult) -> Option<String> {
    match result.rc {
        Some(0) => None,
        Some(rc @ 129..=192) => Some(format!("exit status {rc}, by signal {}", rc - 128)),
        Some(rc) => Some(format!("exit status {rc}")),
        None => Some(text::clean(&result.msg)),
    }
}

/// The facts of a host as YAML below its name.
pub(super) fn facts(
    host: &Arc<str>,
    facts: &serde_json::Map<String, serde_json::Value>,
    palette: Palette,
) -> Vec<String> {
    let mut lines = vec![palette.paint(Ink::Heading, &text::clean(host))];
    if facts.is_empty() {
        return lines;
    }
    let yaml = serde_yaml::to_string(facts).unwrap_or_default();
    lines.extend(yaml.lines().map(|line| format!("  {}", text::clean(line))));
    lines
}
