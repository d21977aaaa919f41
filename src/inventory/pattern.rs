//! Host patterns: names, groups, globs, regular expressions, unions, exclusions, intersections and indexes.

use globset::{Glob, GlobMatcher};
use indexmap::IndexSet;
use regex::Regex;

use super::Inventory;
use crate::diagnostic::Diagnostic;
use crate::name::HostName;
use crate::source::Span;
use crate::value::{Kind, Value, place};

/// An expression that selects hosts.
#[derive(Debug, Clone)]
pub struct HostPattern {
    terms: Vec<Term>,
}

/// What a pattern selected.
#[derive(Debug, Clone, Default)]
pub struct Matched {
    /// In inventory order.
    pub hosts: Vec<HostName>,
    /// Known groups in the pattern that hold no host.
    pub empty_groups: Vec<String>,
}

#[derive(Debug, Clone)]
struct Term {
    role: Role,
    matcher: Matcher,
    subscript: Option<Subscript>,
    /// The term as written, without `!` or `&`.
    text: String,
    span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Add,
    Keep,
    Remove,
}

#[derive(Debug, Clone)]
enum Matcher {
    All,
    Name(String),
    Glob(GlobMatcher),
    Regex(Regex),
}

/// Both ends count, as in Ansible: `web[0:2]` is three hosts.
#[derive(Debug, Clone, Copy)]
enum Subscript {
    At(i64),
    From(usize, Option<usize>),
}

impl HostPattern {
    /// A pattern given on the command line; `option` names it in messages (`--limit`).
    pub fn from_option(option: &str, text: &str) -> Result<HostPattern, Vec<Diagnostic>> {
        let source = crate::source::Source::new(format!("<{option}>"), text);
        let span = Span::new(&source, 0, text.len() as u32);
        HostPattern::parse(&Value::str(text, &span))
    }

    /// A play's `hosts`: text, or a list of texts.
    pub fn parse(value: &Value) -> Result<HostPattern, Vec<Diagnostic>> {
        let mut terms = Vec::new();
        let mut faults = Vec::new();
        let mut add = |value: &Value| match &value.kind {
            Kind::Str(text) => parse_text(text, &value.span, &mut terms, &mut faults),
            _ => faults.push(
                Diagnostic::at(
                    &value.span,
                    format!("a host pattern is text, not {}", value.type_name()),
                )
                .help("write group or host names, such as `web` or `web:!web3`"),
            ),
        };
        match value.as_list() {
            Some(items) => items.iter().for_each(&mut add),
            None => add(value),
        }
        if faults.is_empty() && terms.is_empty() {
            faults.push(
                Diagnostic::at(&value.span, "the host pattern is empty")
                    .help("`all` means every host of the inventory"),
            );
        }
        if faults.is_empty() {
            Ok(HostPattern { terms })
        } else {
            Err(faults)
        }
    }

    /// Whether it names `localhost` by itself, which needs no inventory.
    pub fn names_localhost(&self) -> bool {
        self.terms.iter().any(|term| {
            term.role == Role::Add
                && matches!(&term.matcher, Matcher::Name(name) if name == "localhost")
        })
    }

    /// The hosts it selects. Names that no inventory knows are errors; a known group without hosts is not.
    pub fn select(&self, inventory: &Inventory) -> Result<Matched, Vec<Diagnostic>> {
        let mut faults = Vec::new();
        let mut matched = Matched::default();
        let mut chosen: IndexSet<HostName> = IndexSet::new();
        // Whatever their order in the pattern: first what is added, then what must also hold, then what goes.
        if !self.terms.iter().any(|term| term.role == Role::Add) {
            chosen.extend(all(inventory));
        }
        for role in [Role::Add, Role::Keep, Role::Remove] {
            for term in self.terms.iter().filter(|term| term.role == role) {
                let found = match term.select(inventory, &mut matched.empty_groups) {
                    Ok(found) => found,
                    Err(fault) => {
                        faults.push(*fault);
                        continue;
                    }
                };
                match role {
                    Role::Add => chosen.extend(found),
                    Role::Keep => chosen.retain(|name| found.contains(name)),
                    Role::Remove => chosen.retain(|name| !found.contains(name)),
                }
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        matched.hosts = inventory
            .hosts
            .keys()
            .filter(|name| chosen.contains(*name))
            .cloned()
            .collect();
        Ok(matched)
    }
}

/// Every host that is in the group `all`; the implicit localhost is not.
fn all(inventory: &Inventory) -> Vec<HostName> {
    inventory
        .groups
        .get("all")
        .map(|group| group.hosts.clone())
        .unwrap_or_default()
}

impl Term {
    fn select(
        &self,
        inventory: &Inventory,
        empty_groups: &mut Vec<String>,
    ) -> Result<IndexSet<HostName>, Box<Diagnostic>> {
        let mut found: IndexSet<HostName> = IndexSet::new();
        let mut known = false;
        let mut take = |wanted: &dyn Fn(&str) -> bool| {
            for group in inventory.groups.values() {
                if wanted(group.name.as_str()) {
                    known = true;
                    found.extend(group.hosts.iter().cloned());
                }
            }
            for host in inventory.hosts.keys() {
                if wanted(host.as_str()) {
                    known = true;
                    found.insert(host.clone());
                }
            }
        };
        match &self.matcher {
            Matcher::All => {
                known = true;
                found.extend(all(inventory));
            }
            Matcher::Name(name) if inventory.groups.contains_key(name.as_str()) => {
                known = true;
                found.extend(inventory.groups[name.as_str()].hosts.iter().cloned());
                if found.is_empty() {
                    empty_groups.push(name.clone());
                }
            }
            Matcher::Name(name) => take(&|candidate| candidate == name),
            Matcher::Glob(glob) => take(&|candidate| glob.is_match(candidate)),
            Matcher::Regex(regex) => {
                take(&|candidate| regex.find(candidate).is_some_and(|hit| hit.start() == 0));
            }
        }
        if !known {
            return Err(Box::new(self.unknown(inventory)));
        }
        match self.subscript {
            Some(subscript) => self.subscripted(subscript, inventory, &found),
            None => Ok(found),
        }
    }

    fn unknown(&self, inventory: &Inventory) -> Diagnostic {
        match &self.matcher {
            Matcher::Name(name) => {
                Diagnostic::at(&self.span, format!("no host or group is called `{name}`"))
                    .nearest(name, inventory.names())
                    .help("`hadeploy hosts -i INVENTORY` lists what there is")
            }
            _ => Diagnostic::at(
                &self.span,
                format!("no host or group matches `{}`", self.text),
            )
            .help("`hadeploy hosts -i INVENTORY` lists what there is"),
        }
    }

    fn subscripted(
        &self,
        subscript: Subscript,
        inventory: &Inventory,
        found: &IndexSet<HostName>,
    ) -> Result<IndexSet<HostName>, Box<Diagnostic>> {
        let ordered: Vec<&HostName> = inventory
            .hosts
            .keys()
            .filter(|name| found.contains(*name))
            .collect();
        let length = ordered.len();
        let range = match subscript {
            Subscript::At(index) => {
                let at = if index < 0 {
                    length as i64 + index
                } else {
                    index
                };
                usize::try_from(at).ok().map(|at| at..at + 1)
            }
            Subscript::From(first, last) => {
                let last = last.map_or(length, |last| last + 1).min(length);
                Some(first..last)
            }
        };
        match range.and_then(|range| ordered.get(range)) {
            Some(hosts) if !hosts.is_empty() => {
                Ok(hosts.iter().map(|name| (*name).clone()).collect())
            }
            _ => Err(Box::new(
                Diagnostic::at(&self.span, format!("`{}` selects no host", self.text))
                    .label(format!("there are {length}, counted from 0")),
            )),
        }
    }
}

fn parse_text(text: &str, span: &Span, terms: &mut Vec<Term>, faults: &mut Vec<Diagnostic>) {
    if let Some(path) = text.strip_prefix('@') {
        faults.push(
            Diagnostic::at(span, "a pattern cannot be read from a file").help(format!(
                "write the names that `{path}` holds, with `,` between them"
            )),
        );
        return;
    }
    for (start, end) in split(text) {
        let raw = &text[start..end];
        let lead = raw.len() - raw.trim_start().len();
        let word = raw.trim();
        if word.is_empty() {
            continue;
        }
        let start = start + lead;
        let spot = place(span, text, start..start + word.len());
        match parse_term(word, &spot) {
            Ok(term) => terms.push(term),
            Err(fault) => faults.push(*fault),
        }
    }
}

/// Byte ranges between `,` and `:`, which part terms except inside brackets; an IPv6 address stays whole.
fn split(text: &str) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    for (start, end) in cut(text, 0, ',') {
        let bare = text[start..end].trim().trim_start_matches(['!', '&']);
        if bare.parse::<std::net::Ipv6Addr>().is_ok() {
            parts.push((start, end));
        } else {
            parts.extend(cut(&text[start..end], start, ':'));
        }
    }
    parts
}

fn cut(text: &str, offset: usize, separator: char) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let mut depth = 0usize;
    let mut start = 0;
    for (at, c) in text.char_indices() {
        match c {
            '[' | '(' | '{' => depth += 1,
            ']' | ')' | '}' => depth = depth.saturating_sub(1),
            c if c == separator && depth == 0 => {
                parts.push((offset + start, offset + at));
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push((offset + start, offset + text.len()));
    parts
}

fn parse_term(word: &str, span: &Span) -> Result<Term, Box<Diagnostic>> {
    let bad = |why: String| {
        Box::new(Diagnostic::at(span, format!("bad host pattern `{word}`")).label(why))
    };
    let (role, text) = match word.as_bytes().first() {
        Some(b'!') => (Role::Remove, &word[1..]),
        Some(b'&') => (Role::Keep, &word[1..]),
        _ => (Role::Add, word),
    };
    if text.is_empty() {
        return Err(bad(format!("a name is missing behind `{word}`")));
    }
    let (matcher, subscript) = if let Some(expression) = text.strip_prefix('~') {
        let regex = Regex::new(expression).map_err(|error| {
            bad(error
                .to_string()
                .lines()
                .last()
                .unwrap_or("not a regular expression")
                .trim_start_matches("error: ")
                .to_owned())
        })?;
        (Matcher::Regex(regex), None)
    } else {
        let (name, subscript) = subscript(text).map_err(bad)?;
        (matcher(name).map_err(bad)?, subscript)
    };
    Ok(Term {
        role,
        matcher,
        subscript,
        text: text.to_owned(),
        span: span.clone(),
    })
}

fn matcher(name: &str) -> Result<Matcher, String> {
    if name == "all" || name == "*" {
        return Ok(Matcher::All);
    }
    if name.contains(['*', '?', '[']) {
        let glob = Glob::new(name).map_err(|error| error.kind().to_string())?;
        return Ok(Matcher::Glob(glob.compile_matcher()));
    }
    if let Some(odd) = name
        .chars()
        .find(|c| c.is_whitespace() || matches!(c, ']' | '{' | '}' | '(' | ')' | '!' | '&' | '/'))
    {
        return Err(format!(
            "`{}` cannot stand in a name; terms are parted by `:` or `,`",
            odd.escape_default()
        ));
    }
    Ok(Matcher::Name(name.to_owned()))
}

/// Takes `[0]`, `[-1]`, `[0:2]`, `[1:]` off the end of a term; other brackets belong to a glob.
fn subscript(text: &str) -> Result<(&str, Option<Subscript>), String> {
    let Some((name, inner)) = text
        .strip_suffix(']')
        .and_then(|text| text.rsplit_once('['))
    else {
        return if text.contains('[') && !text.contains(']') {
            Err("`[` without `]`".to_owned())
        } else {
            Ok((text, None))
        };
    };
    let numeric = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |text: &str| {
        text.parse::<usize>()
            .ok()
            .filter(|number| *number < 1_000_000_000)
            .ok_or(format!("the index `{text}` is too large"))
    };
    if inner.is_empty() {
        return Err("an index is missing in `[]`".to_owned());
    }
    if name.is_empty() {
        return Err("a name is missing before `[`".to_owned());
    }
    if numeric(inner.strip_prefix('-').unwrap_or(inner)) {
        let magnitude = number(inner.trim_start_matches('-'))? as i64;
        let index = if inner.starts_with('-') {
            -magnitude
        } else {
            magnitude
        };
        return Ok((name, Some(Subscript::At(index))));
    }
    if let Some((first, last)) = inner.split_once([':', '-'])
        && (numeric(first) || first.is_empty())
        && (numeric(last) || last.is_empty())
    {
        let from = if first.is_empty() { 0 } else { number(first)? };
        let to = if last.is_empty() {
            None
        } else {
            Some(number(last)?)
        };
        if to.is_some_and(|to| to < from) {
            return Err(format!("`[{inner}]` ends before it begins"));
        }
        return Ok((name, Some(Subscript::From(from, to))));
    }
    if inner.contains(':') {
        return Err(format!("`[{inner}]` is not a range such as `[0:2]`"));
    }
    Ok((text, None))
}
