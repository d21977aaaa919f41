//! An inventory that a program prints: `PROGRAM --list`, and `PROGRAM --host NAME` where the list holds no `_meta.hostvars`.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexSet;

use super::draft::{self, Draft};
use super::{host_fault, json};
use crate::diagnostic::Diagnostic;
use crate::name::{GroupName, HostName};
use crate::process::{Program, Ran};
use crate::source::Source;
use crate::value::{Entry, Kind, Map, Value};

/// A program that has not listed its hosts by then is ended: what it asks does not answer.
const LIST: Duration = Duration::from_secs(120);
/// The same for the variables of one host.
const HOST: Duration = Duration::from_secs(30);
/// How many of its last lines on standard error are shown.
const LINES: usize = 8;

/// Runs the program at `path`, and adds what it printed.
pub(super) fn parse(path: &str, draft: &mut Draft, faults: &mut Vec<Diagnostic>) {
    let list = match run(path, &["--list"], LIST).and_then(|source| mapping(&source)) {
        Ok(list) => list,
        Err(fault) => return faults.push(*fault),
    };
    let mut hostvars = None;
    let mut named: IndexSet<HostName> = IndexSet::new();
    for (name, entry) in list.iter() {
        match name.as_ref() {
            "_meta" => {
                hostvars = entry
                    .value
                    .as_map()
                    .and_then(|meta| meta.get("hostvars"))
                    .and_then(|entry| expect_map(&entry.value, "`_meta.hostvars`", faults));
            }
            _ => group(name, entry, draft, &mut named, faults),
        }
    }
    // Its own words for what is there; a host that stands in no group is none.
    match hostvars {
        Some(all) => {
            for (name, entry) in all {
                match HostName::new(name) {
                    Ok(host) if named.contains(&host) => {
                        vars_of(&host, name, &entry.value, draft, faults);
                    }
                    _ => faults.push(
                        Diagnostic::warning(
                            &entry.key,
                            format!("`{name}` has variables and stands in no group"),
                        )
                        .help(
                            "the program must name it among the `hosts` of a group, such as `all`",
                        ),
                    ),
                }
            }
        }
        None => {
            for host in named {
                let said = run(path, &["--host", host.as_str()], HOST);
                let source = match said {
                    Ok(source) if source.text().trim().is_empty() => continue,
                    Ok(source) => source,
                    // The others would fail the same way.
                    Err(fault) => return faults.push(*fault),
                };
                match json::read(&source) {
                    Ok(value) => vars_of(&host, host.as_str(), &value, draft, faults),
                    Err(fault) => return faults.push(*fault),
                }
            }
        }
    }
}

/// What it printed.
fn run(path: &str, args: &[&str], deadline: Duration) -> Result<Arc<Source>, Box<Diagnostic>> {
    let program = match path.contains('/') {
        true => path.to_owned(),
        // Not one of the same name in PATH.
        false => format!("./{path}"),
    };
    let call = format!("{path} {}", args.join(" "));
    let ran = Program::new(program)
        .args(args.iter().copied())
        .deadline(deadline)
        .run()
        .map_err(|error| {
            let fault = Diagnostic::error(format!("the inventory program `{path}` gave no answer"));
            Box::new(
                fault
                    .label(error.to_string())
                    .help(format!("run `{call}` by hand")),
            )
        })?;
    if ran.status != 0 {
        let status = ran.status;
        return Err(failed(
            Diagnostic::error(format!("`{call}` ended with status {status}")),
            &ran,
        ));
    }
    match String::from_utf8(ran.stdout.clone()) {
        Ok(text) => Ok(Source::new(format!("<{call}>"), text)),
        Err(_) => Err(failed(
            Diagnostic::error(format!("what `{call}` printed is not UTF-8 text")),
            &ran,
        )),
    }
}

/// With what it said on standard error.
fn failed(fault: Diagnostic, ran: &Ran) -> Box<Diagnostic> {
    let text = String::from_utf8_lossy(&ran.stderr);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
    Box::new(match last.is_empty() {
        true => fault.label("it said nothing on standard error"),
        false => fault.label(format!("it said:\n{last}")),
    })
}

fn mapping(source: &Arc<Source>) -> Result<Arc<Map>, Box<Diagnostic>> {
    let help =
        "a program prints `{\"web\": {\"hosts\": [\"web1\"]}, \"_meta\": {\"hostvars\": {}}}`";
    let value = json::read(source).map_err(|fault| Box::new(fault.help(help)))?;
    match value.kind {
        Kind::Map(map) => Ok(map),
        _ => Err(Box::new(
            Diagnostic::at(
                &value.span,
                format!(
                    "a program prints a mapping of groups, not {}",
                    value.type_name()
                ),
            )
            .help(help),
        )),
    }
}

fn group(
    name: &str,
    entry: &Entry,
    draft: &mut Draft,
    named: &mut IndexSet<HostName>,
    faults: &mut Vec<Diagnostic>,
) {
    let Some(group) = group_name(name, entry, draft, faults) else {
        return;
    };
    if entry.value.as_list().is_some() {
        return hosts(&entry.value, name, &group, draft, named, faults);
    }
    let Some(parts) = expect_map(&entry.value, &format!("the group `{name}`"), faults) else {
        return;
    };
    for (part, entry) in parts {
        match part.as_ref() {
            "hosts" => hosts(&entry.value, name, &group, draft, named, faults),
            "vars" => {
                if let Some(vars) = expect_map(&entry.value, &format!("`{name}.vars`"), faults) {
                    draft.add_group_vars(&group, vars, faults);
                }
            }
            "children" => {
                for child in texts(&entry.value, &format!("`{name}.children`"), faults) {
                    let entry = Entry {
                        key: child.span.clone(),
                        value: child.clone(),
                    };
                    let text = child.as_str().unwrap_or_default();
                    if let Some(child) = group_name(text, &entry, draft, faults) {
                        draft.add_child(&group, &child, &entry.key, faults);
                    }
                }
            }
            other => faults.push(
                Diagnostic::at(
                    &entry.key,
                    format!("unknown key `{other}` in the group `{name}`"),
                )
                .nearest(other, ["hosts", "children", "vars"])
                .help("a group has `hosts`, `children` and `vars`"),
            ),
        }
    }
}

fn group_name(
    name: &str,
    entry: &Entry,
    draft: &mut Draft,
    faults: &mut Vec<Diagnostic>,
) -> Option<GroupName> {
    match GroupName::new(name) {
        Ok(group) => {
            draft.add_group(&group, &entry.key);
            Some(group)
        }
        Err(error) => {
            faults.push(
                Diagnostic::at(
                    &entry.key,
                    format!("`{name}` cannot be the name of a group"),
                )
                .label(error.to_string())
                .help("a name holds letters, digits, `.`, `_` and `-`"),
            );
            None
        }
    }
}

fn hosts(
    value: &Value,
    name: &str,
    group: &GroupName,
    draft: &mut Draft,
    named: &mut IndexSet<HostName>,
    faults: &mut Vec<Diagnostic>,
) {
    for item in texts(value, &format!("`{name}.hosts`"), faults) {
        let text = item.as_str().unwrap_or_default();
        match HostName::new(text) {
            Ok(host) => {
                draft.add_host(&host, group, None, &item.span);
                named.insert(host);
            }
            Err(error) => faults.push(host_fault(text, &item.span, &error)),
        }
    }
}

fn vars_of(
    host: &HostName,
    name: &str,
    value: &Value,
    draft: &mut Draft,
    faults: &mut Vec<Diagnostic>,
) {
    let Kind::Map(vars) = &value.kind else {
        expect_map(value, &format!("the variables of `{name}`"), faults);
        return;
    };
    draft::check_vars(vars, false, faults);
    draft.set_host_vars(host, vars);
}

/// The entries of a mapping; anything else is said.
fn expect_map<'a>(value: &'a Value, what: &str, faults: &mut Vec<Diagnostic>) -> Option<&'a Map> {
    let map = value.as_map();
    if map.is_none() {
        faults.push(Diagnostic::at(
            &value.span,
            format!("{what} must be a mapping, not {}", value.type_name()),
        ));
    }
    map
}

/// The items of a list of texts; anything else is said.
fn texts<'a>(value: &'a Value, what: &str, faults: &mut Vec<Diagnostic>) -> Vec<&'a Value> {
    let Some(items) = value.as_list() else {
        faults.push(Diagnostic::at(
            &value.span,
            format!("{what} must be a list of names, not {}", value.type_name()),
        ));
        return Vec::new();
    };
    let (texts, others): (Vec<_>, Vec<_>) = items.iter().partition(|item| item.as_str().is_some());
    for other in others {
        faults.push(Diagnostic::at(
            &other.span,
            format!(
                "{what} must be a list of names; this is {}",
                other.type_name()
            ),
        ));
    }
    texts
}
