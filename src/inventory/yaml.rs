//! The YAML inventory: groups with `hosts`, `children` and `vars`.

use super::draft::{self, Draft};
use super::range;
use crate::diagnostic::Diagnostic;
use crate::name::{GroupName, HostName, NameError};
use crate::source::Span;
use crate::value::{Entry, Kind, Map, Value};
use crate::vault::FileError;

/// Groups below groups, at most; deeper ones are a mistake or an attack.
const MAX_DEPTH: usize = 64;

/// What the system said, without its number.
pub(crate) fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string(),
    }
}

/// Says why a file of the user's cannot be used.
pub(crate) fn unreadable(path: &str, error: &FileError) -> Diagnostic {
    match error {
        FileError::Unreadable(error) => {
            Diagnostic::error(format!("cannot read `{path}`: {}", reason(error)))
        }
        FileError::NotText => Diagnostic::error(format!("`{path}` is not UTF-8 text")),
        FileError::Closed(why) => why.of_file(path),
    }
}

/// Adds one inventory file to the draft.
pub(super) fn parse(file: &Value, draft: &mut Draft, faults: &mut Vec<Diagnostic>) {
    let Some(groups) = file.as_map() else {
        faults.push(
            Diagnostic::at(
                &file.span,
                format!(
                    "an inventory is a mapping of groups, not {}",
                    file.type_name()
                ),
            )
            .help("begin with `all:` and, below it, `hosts:` or `children:`"),
        );
        return;
    };
    for (name, entry) in groups {
        parse_group(name, entry, draft, faults, 0);
    }
}

fn parse_group(
    name: &str,
    entry: &Entry,
    draft: &mut Draft,
    faults: &mut Vec<Diagnostic>,
    depth: usize,
) -> Option<GroupName> {
    let group = match GroupName::new(name) {
        Ok(group) => group,
        Err(error) => {
            faults.push(bad_name("group", name, &entry.key, &error));
            return None;
        }
    };
    draft.add_group(&group, &entry.key);
    if depth > MAX_DEPTH {
        faults.push(Diagnostic::at(
            &entry.key,
            format!("groups are nested more than {MAX_DEPTH} deep"),
        ));
        return Some(group);
    }
    let Some(sections) = mapping(&entry.value, &format!("the group `{name}`"), faults) else {
        return Some(group);
    };
    for (section, part) in sections {
        match section.as_ref() {
            "vars" => {
                if let Some(vars) = mapping(&part.value, "`vars`", faults) {
                    draft.add_group_vars(&group, vars, faults);
                }
            }
            "children" => {
                let Some(children) = mapping(&part.value, "`children`", faults) else {
                    continue;
                };
                for (child, entry) in children {
                    if let Some(child) = parse_group(child, entry, draft, faults, depth + 1) {
                        draft.add_child(&group, &child, &entry.key, faults);
                    }
                }
            }
            "hosts" => {
                if let Some(hosts) = mapping(&part.value, "`hosts`", faults) {
                    parse_hosts(hosts, &group, draft, faults);
                }
            }
            other => faults.push(
                Diagnostic::at(
                    &part.key,
                    format!("unknown key `{other}` in the group `{name}`"),
                )
                .nearest(other, ["hosts", "children", "vars"])
                .help("a group has `hosts`, `children` and `vars`; groups below it stand under `children`"),
            ),
        }
    }
    Some(group)
}

fn parse_hosts(hosts: &Map, group: &GroupName, draft: &mut Draft, faults: &mut Vec<Diagnostic>) {
    for (spelling, entry) in hosts {
        let names = match range::expand(spelling) {
            Ok(names) => names,
            Err(sentence) => {
                faults.push(
                    Diagnostic::at(&entry.key, format!("bad host range `{spelling}`"))
                        .label(sentence)
                        .help("a range is written `web[01:10]`"),
                );
                continue;
            }
        };
        if draft.host_count() + names.len() > range::MAX_HOSTS {
            faults.push(Diagnostic::at(
                &entry.key,
                format!("the inventory has more than {} hosts", range::MAX_HOSTS),
            ));
            return;
        }
        mapping(&entry.value, &format!("the host `{spelling}`"), faults);
        let vars = match &entry.value.kind {
            Kind::Map(vars) => Some(vars),
            _ => None,
        };
        if let Some(vars) = vars {
            draft::check_vars(vars, false, faults);
        }
        for name in names {
            match HostName::new(&name) {
                Ok(name) => draft.add_host(&name, group, vars, &entry.key),
                Err(error) => {
                    faults.push(bad_name("host", &name, &entry.key, &error));
                    break;
                }
            }
        }
    }
}

fn bad_name(what: &str, name: &str, span: &Span, error: &NameError) -> Diagnostic {
    let fault = Diagnostic::at(span, format!("`{name}` cannot be the name of a {what}"))
        .label(error.to_string());
    match error {
        NameError::Port => {
            fault.help("write the port as a variable of the host: `ansible_port: 2222`")
        }
        _ => fault.help("a name holds letters, digits, `.`, `_` and `-`"),
    }
}

/// The entries of a mapping; nothing is an empty one.
fn mapping<'a>(value: &'a Value, what: &str, faults: &mut Vec<Diagnostic>) -> Option<&'a Map> {
    match &value.kind {
        Kind::Map(map) => Some(map),
        Kind::Null => None,
        _ => {
            let fault = Diagnostic::at(
                &value.span,
                format!("{what} must be a mapping, not {}", value.type_name()),
            );
            faults.push(match value.as_list() {
                Some(_) => fault.help("write each name as a key: `web1:` instead of `- web1`"),
                None => fault.help("write each name as a key, with a colon behind it: `web1:`"),
            });
            None
        }
    }
}
