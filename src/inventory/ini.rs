//! The INI inventory: `[group]` with hosts, `[group:children]`, `[group:vars]`.

use std::collections::HashSet;
use std::sync::Arc;

use super::draft::Draft;
use super::{address, host_fault, literal, range, words};
use crate::diagnostic::Diagnostic;
use crate::name::{GroupName, HostName};
use crate::source::{Source, Span};
use crate::value::{self, Entry, Kind, Map, Value};
use crate::vault::Keyring;

/// What the lines of a section are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Hosts,
    Children,
    Vars,
}

/// Reads a file as ansible-core does, and says where it would not.
pub(super) fn parse(
    source: &Arc<Source>,
    keyring: &Keyring,
    draft: &mut Draft,
    faults: &mut Vec<Diagnostic>,
) {
    let Ok(ungrouped) = GroupName::new("ungrouped") else {
        return;
    };
    let mut file = File {
        source,
        keyring,
        draft,
        faults,
        group: Some(ungrouped),
        section: Section::Hosts,
        vars: Map::new(),
        begun: HashSet::new(),
        awaited: Vec::new(),
    };
    for (start, line) in lines(source.text()) {
        let lead = line.len() - line.trim_start().len();
        let text = line.trim();
        if !(text.is_empty() || text.starts_with(['#', ';'])) {
            file.line(start + lead, text);
        }
    }
    file.end_vars();
    file.check_awaited();
}

/// Lines with the bytes they begin at. Python takes more for a line break than others do.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    const BREAKS: &[char] = &[
        '\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}',
        '\u{2029}',
    ];
    let mut start = 0;
    text.split_inclusive(BREAKS).map(move |line| {
        let at = start;
        start += line.len();
        (at, line)
    })
}

struct File<'a> {
    source: &'a Arc<Source>,
    keyring: &'a Keyring,
    draft: &'a mut Draft,
    faults: &'a mut Vec<Diagnostic>,
    /// The group of the section; none where its name is wrong.
    group: Option<GroupName>,
    section: Section,
    /// Of a `:vars` section, until it ends.
    vars: Map,
    /// Groups that have a section of hosts or children.
    begun: HashSet<GroupName>,
    /// Groups that need one: named by `:children`, or `:vars` of them.
    awaited: Vec<(GroupName, Span, Section)>,
}

impl File<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, start as u32, end as u32)
    }

    fn line(&mut self, start: usize, text: &str) {
        if text.starts_with('[') && !is_bracketed_host(text) {
            self.end_vars();
            self.header(start, text);
            return;
        }
        let Some(group) = self.group.clone() else {
            return;
        };
        match self.section {
            Section::Hosts => self.host(start, text, &group),
            Section::Children => self.child(start, text, &group),
            Section::Vars => self.var(start, text),
        }
    }

    /// `[web]`, `[web:children]`, `[web:vars]`, perhaps with a comment behind it.
    fn header(&mut self, start: usize, text: &str) {
        self.group = None;
        let whole = self.span(start, start + text.len());
        let Some(close) = text.find(']') else {
            self.faults.push(
                Diagnostic::at(&whole, "the section has no `]`")
                    .help("a section is written `[web]`, `[web:children]` or `[web:vars]`"),
            );
            return;
        };
        let behind = text[close + 1..].trim_start();
        if !(behind.is_empty() || behind.starts_with('#')) {
            let at = start + text.len() - behind.len();
            self.faults.push(
                Diagnostic::at(
                    &self.span(at, start + text.len()),
                    "nothing but a comment can stand behind a section",
                )
                .help("a comment there begins with `#`"),
            );
            return;
        }
        let inner = &text[1..close];
        let (name, kind) = match inner.split_once(':') {
            Some((name, kind)) => (name, Some(kind)),
            None => (inner, None),
        };
        let section = match kind {
            None | Some("hosts") => Section::Hosts,
            Some("children") => Section::Children,
            Some("vars") => Section::Vars,
            Some(other) => {
                let at = start + 2 + name.len();
                self.faults.push(
                    Diagnostic::at(
                        &self.span(at, at + other.len()),
                        format!("`{other}` is no kind of section"),
                    )
                    .nearest(other, ["children", "vars", "hosts"])
                    .help("a section is written `[web]`, `[web:children]` or `[web:vars]`"),
                );
                return;
            }
        };
        let span = self.span(start + 1, start + 1 + name.len());
        let span = if name.is_empty() { whole } else { span };
        let Some(group) = self.group_name(name, &span) else {
            return;
        };
        if section == Section::Vars && !self.draft.has_group(&group) {
            self.awaited.push((group.clone(), span.clone(), section));
        }
        if section != Section::Vars {
            self.begun.insert(group.clone());
        }
        self.draft.add_group(&group, &span);
        self.section = section;
        self.group = Some(group);
    }

    fn group_name(&mut self, name: &str, span: &Span) -> Option<GroupName> {
        match GroupName::new(name) {
            Ok(group) => Some(group),
            Err(error) => {
                self.faults.push(
                    Diagnostic::at(span, format!("`{name}` cannot be the name of a group"))
                        .label(error.to_string())
                        .help("a name holds letters, digits, `.`, `_` and `-`"),
                );
                None
            }
        }
    }

    fn child(&mut self, start: usize, text: &str, group: &GroupName) {
        let name = text.split('#').next().unwrap_or(text).trim_end();
        let span = self.span(start, start + name.len());
        if let Some(at) = name.find(|c: char| c.is_whitespace() || c == '=') {
            let rest = self.span(start + at, start + name.len());
            self.faults.push(
                Diagnostic::at(&rest, "a line of `:children` is the name of a group").help(
                    format!(
                        "variables of a group stand below `[{}:vars]`",
                        name[..at].trim()
                    ),
                ),
            );
            return;
        }
        let Some(child) = self.group_name(name, &span) else {
            return;
        };
        if !self.draft.has_group(&child) {
            self.awaited
                .push((child.clone(), span.clone(), Section::Children));
            self.draft.add_group(&child, &span);
        }
        self.draft.add_child(group, &child, &span, self.faults);
    }

    fn var(&mut self, start: usize, text: &str) {
        let Some((key, written)) = text.split_once('=') else {
            self.faults.push(
                Diagnostic::at(
                    &self.span(start, start + text.len()),
                    "a line of `:vars` is written `name=value`",
                )
                .help("put a `=` behind the name"),
            );
            return;
        };
        let name = key.trim_end();
        let value_start = start + text.len() - written.trim_start().len();
        let value = self.span(value_start, start + text.len());
        let entry = Entry {
            key: self.span(start, start + name.len()),
            value: self.value(written.trim(), &value),
        };
        // The weaker of two stays to be seen.
        if self.vars.contains_key(name) {
            self.end_vars();
        }
        self.vars.insert(name.into(), entry);
    }

    fn value(&self, text: &str, span: &Span) -> Value {
        let value = literal::read(text, span);
        if self.source.is_sealed() {
            value::hide(&value, self.keyring);
        }
        value
    }

    /// Gives the group what a `:vars` section has set so far.
    fn end_vars(&mut self) {
        let vars = std::mem::take(&mut self.vars);
        if let Some(group) = self.group.as_ref().filter(|_| !vars.is_empty()) {
            self.draft.add_group_vars(group, &vars, self.faults);
        }
    }

    fn host(&mut self, start: usize, text: &str, group: &GroupName) {
        let words = match words::split(text) {
            Ok(words) => words,
            Err((at, why)) => {
                let place = self.span(start + at, start + text.len());
                self.faults.push(
                    Diagnostic::at(&place, why).help("quotes are as in a shell: `name='one two'`"),
                );
                return;
            }
        };
        let Some((first, rest)) = words.split_first() else {
            return;
        };
        let place = self.span(start + first.start, start + first.end);
        let mut vars = Map::new();
        for word in rest {
            let span = self.span(start + word.start, start + word.end);
            let Some((name, written)) = word.text.split_once('=') else {
                self.faults.push(
                    Diagnostic::at(&span, format!("`{}` is not `name=value`", word.text))
                        .help("behind a host stand its variables; each host has a line of its own"),
                );
                return;
            };
            let entry = Entry {
                key: self.span(
                    start + word.start,
                    (start + word.start + name.len()).min(start + word.end),
                ),
                value: self.value(written, &span),
            };
            vars.insert(name.into(), entry);
        }
        if first.text.starts_with("---") {
            self.faults.push(
                Diagnostic::at(&place, "this file is read as INI, and begins as YAML does")
                    .help("a YAML inventory is called `.yml`, and has no line such as `[web]`"),
            );
            return;
        }
        self.add_hosts(&first.text, &place, vars, group);
    }

    fn add_hosts(&mut self, spelling: &str, place: &Span, vars: Map, group: &GroupName) {
        let spelled = match address::read(spelling) {
            Ok(spelled) => spelled,
            Err(sentence) => {
                self.faults.push(
                    Diagnostic::at(place, format!("`{spelling}` is not a host"))
                        .label(sentence)
                        .help("a host is written `web1`, `web1:2222` or `web[01:10]`"),
                );
                return;
            }
        };
        if self.draft.host_count() + spelled.names.len() > range::MAX_HOSTS {
            self.faults.push(Diagnostic::at(
                place,
                format!("the inventory has more than {} hosts", range::MAX_HOSTS),
            ));
            return;
        }
        super::draft::check_vars(&vars, false, self.faults);
        let vars = Arc::new(vars);
        let port = spelled.port.map(|port| {
            let entry = Entry {
                key: place.clone(),
                value: Value::new(Kind::Int(port.into()), place),
            };
            Arc::new(Map::from_iter([(Arc::from("ansible_port"), entry)]))
        });
        for name in &spelled.names {
            let name = match HostName::new(name) {
                Ok(name) => name,
                Err(error) => {
                    self.faults.push(host_fault(name, place, &error));
                    return;
                }
            };
            // As in Ansible, a port counts where the host is first named.
            match &port {
                Some(port) if !self.draft.has_host(&name) => {
                    self.draft.add_host(&name, group, Some(port), place);
                }
                Some(port) if !self.draft.sets(&name, port) => self.faults.push(
                    Diagnostic::warning(
                        place,
                        format!("the port has no effect: `{name}` is named before"),
                    )
                    .help("say it there, or as `ansible_port=…`"),
                ),
                _ => {}
            }
            self.draft.add_host(&name, group, Some(&vars), place);
        }
    }

    /// A group that is only spoken of is a slip of the hand.
    fn check_awaited(&mut self) {
        for (group, span, section) in std::mem::take(&mut self.awaited) {
            if self.begun.contains(&group) {
                continue;
            }
            let name = group.as_str();
            let fault = match section {
                Section::Vars => Diagnostic::at(
                    &span,
                    format!("`[{name}:vars]` is of a group that no section has"),
                ),
                _ => Diagnostic::at(&span, format!("no section has the group `{name}`")),
            };
            self.faults.push(
                fault
                    .nearest(name, self.begun.iter().map(GroupName::as_str))
                    .help(format!("write `[{name}]`; it may hold no host")),
            );
        }
    }
}

/// `[fe80::1]:2222` and `[web1]:22`, which are no sections.
fn is_bracketed_host(text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or(text);
    word.rsplit_once("]:")
        .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}
