//! Host patterns: names, groups, globs, regular expressions, unions, exclusions, intersections and indexes.

use globset::GlobMatcher;
use indexmap::IndexSet;
use regex::Regex;

use super::{Inventory, term};
use crate::diagnostic::Diagnostic;
use crate::name::HostName;
use crate::source::Span;
use crate::value::{Kind, Value};

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
pub(super) struct Term {
    pub(super) role: Role,
    pub(super) matcher: Matcher,
    pub(super) subscript: Option<Subscript>,
    /// The term as written, without `!` or `&`.
    pub(super) text: String,
    pub(super) span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Add,
    Keep,
    Remove,
}

#[derive(Debug, Clone)]
pub(super) enum Matcher {
    All,
    Name(String),
    Glob(GlobMatcher),
    Regex(Regex),
}

/// Both ends count, as in Ansible: `web[0:2]` is three hosts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subscript {
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
            Kind::Str(text) => term::parse(text, &value.span, &mut terms, &mut faults),
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
