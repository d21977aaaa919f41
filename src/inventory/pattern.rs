//! Host patterns: names, groups, globs, regular expressions, unions, exclusions, intersections and indexes.

use globset::GlobMatcher;
use indexmap::IndexSet;
use regex::Regex;

use super::{Inventory, term};
use crate::diagnostic::{Diagnostic, nearest};
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
    /// Names that no inventory knows and that the rest of the pattern goes without: warnings.
    pub ignored: Vec<Diagnostic>,
}

/// What a pattern does with a name that no inventory knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unknown {
    /// It is an error.
    Refused,
    /// The rest of the pattern goes without it, as in Ansible, unless it is a slip of the hand or leaves no host.
    Ignored,
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
        self.matched(inventory, Unknown::Refused)
    }

    /// The hosts of a play. A playbook is written for many inventories: a name that this one does not know is a warning where the other parts
    /// leave hosts, as in ansible-core. It is an error where a name much like it exists, and where the play is left without hosts for want of it.
    pub fn select_for_play(&self, inventory: &Inventory) -> Result<Matched, Vec<Diagnostic>> {
        self.matched(inventory, Unknown::Ignored)
    }

    fn matched(&self, inventory: &Inventory, unknown: Unknown) -> Result<Matched, Vec<Diagnostic>> {
        let mut faults = Vec::new();
        let mut matched = Matched::default();
        let mut chosen: IndexSet<HostName> = IndexSet::new();
        let mut absent: Vec<&Term> = Vec::new();
        // Whatever their order in the pattern: first what is added, then what must also hold, then what goes.
        if !self.terms.iter().any(|term| term.role == Role::Add) {
            chosen.extend(all(inventory));
        }
        for role in [Role::Add, Role::Keep, Role::Remove] {
            for term in self.terms.iter().filter(|term| term.role == role) {
                let found = match term.select(inventory, &mut matched.empty_groups) {
                    Some(Ok(found)) => found,
                    Some(Err(fault)) => {
                        faults.push(*fault);
                        continue;
                    }
                    None => {
                        absent.push(term);
                        IndexSet::new()
                    }
                };
                match role {
                    Role::Add => chosen.extend(found),
                    Role::Keep => chosen.retain(|name| found.contains(name)),
                    Role::Remove => chosen.retain(|name| !found.contains(name)),
                }
            }
        }
        let leaves_none = chosen.is_empty() && absent.iter().any(|term| term.role != Role::Remove);
        for term in absent {
            match unknown {
                Unknown::Ignored if !leaves_none && !term.is_slip(inventory) => {
                    matched.ignored.push(term.ignored());
                }
                _ => faults.push(term.unknown(inventory, unknown)),
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
    /// What it stands for; none when no inventory knows it.
    fn select(
        &self,
        inventory: &Inventory,
        empty_groups: &mut Vec<String>,
    ) -> Option<Result<IndexSet<HostName>, Box<Diagnostic>>> {
        let mut found: IndexSet<HostName> = IndexSet::new();
        // Everybody knows this machine, and where it is not asked for it is in no group.
        let mut known = self.role != Role::Add
            && matches!(&self.matcher, Matcher::Name(name) if name == "localhost");
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
            return None;
        }
        Some(match self.subscript {
            Some(subscript) if !found.is_empty() => self.subscripted(subscript, inventory, &found),
            _ => Ok(found),
        })
    }

    fn unknown(&self, inventory: &Inventory, unknown: Unknown) -> Diagnostic {
        let fault = match &self.matcher {
            Matcher::Name(name) => {
                Diagnostic::at(&self.span, format!("no host or group is called `{name}`"))
                    .nearest(name, inventory.names())
            }
            _ => Diagnostic::at(
                &self.span,
                format!("no host or group matches `{}`", self.text),
            ),
        };
        fault.help(match unknown {
            Unknown::Refused => "`hadeploy hosts -i INVENTORY` lists what there is",
            Unknown::Ignored => {
                "`hadeploy hosts -i INVENTORY` lists what there is; a group that may be without hosts stands in the inventory, empty"
            }
        })
    }

    /// The warning that the pattern goes without it.
    fn ignored(&self) -> Diagnostic {
        let text = &self.text;
        let then = match self.role {
            Role::Remove => "so nothing is left out for it",
            _ => "so the play goes without it",
        };
        let what = match &self.matcher {
            Matcher::Name(_) => "is called",
            _ => "matches",
        };
        Diagnostic::warning(
            &self.span,
            format!("no host or group {what} `{text}`, {then}"),
        )
        .help("a group that may be without hosts stands in the inventory, empty")
    }

    /// Whether it is almost the name of something. Names that differ only in their numbers (`web1` and `web3`) are no slips, as hosts come
    /// and go; nor are two letters, of which every other is one away (`db` and `lb`).
    fn is_slip(&self, inventory: &Inventory) -> bool {
        let Matcher::Name(name) = &self.matcher else {
            return false;
        };
        let letters = |text: &str| text.replace(|char: char| char.is_ascii_digit(), "");
        let others = inventory.names();
        letters(name).chars().count() > 2
            && nearest(name, others.filter(|other| letters(other) != letters(name))).is_some()
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
