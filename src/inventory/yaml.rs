//! The YAML inventory: groups with `hosts`, `children` and `vars`.

use std::path::Path;

use super::draft::Draft;
use super::range;
use crate::diagnostic::Diagnostic;
use crate::name::{GroupName, HostName, NameError};
use crate::source::Span;
use crate::value::{self, Entry, Kind, Map, Value};
use crate::vault::{FileError, Keyring, read_source};

/// Groups below groups, at most; deeper ones are a mistake or an attack.
const MAX_DEPTH: usize = 64;

/// Reads one `-i`; what is not a YAML file is refused by name.
pub(super) fn read(path: &str, keyring: &Keyring) -> Result<Value, Vec<Diagnostic>> {
    let fault = |message: String, help: &str| vec![Diagnostic::error(message).help(help)];
    if path.contains(',') {
        return Err(fault(
            format!("`-i {path}` is a list of hosts, not a file"),
            "write the hosts into a YAML inventory: `all: {hosts: {web1: {ansible_host: 10.0.0.1}}}`",
        ));
    }
    let file = Path::new(path);
    if file.is_dir() {
        return Err(fault(
            format!("the inventory `{path}` is a folder"),
            "inventory folders come in a later release; name the YAML files, each with its own `-i`",
        ));
    }
    let help = "give the path of a YAML inventory with `-i`";
    let source = read_source(file, keyring).map_err(|error| match error {
        FileError::Unreadable(error) => fault(
            format!("cannot read the inventory `{path}`: {}", reason(&error)),
            help,
        ),
        FileError::NotText => fault(format!("the inventory `{path}` is not UTF-8 text"), help),
        FileError::Closed(why) => vec![why.of_file(path)],
    })?;
    let text = source.text();
    if text.starts_with("#!") {
        return Err(fault(
            format!("the inventory `{path}` is a program"),
            "inventory programs come in a later release; write a YAML inventory",
        ));
    }
    let is_ini = path.ends_with(".ini") || text.lines().any(is_section);
    if is_ini {
        return Err(fault(
            format!("the inventory `{path}` is an INI file"),
            "INI inventories come in a later release; write it as YAML: `all: {children: {web: {hosts: {web1: }}}}`",
        ));
    }
    let value = value::parse_vaulted_yaml(&source, keyring)?;
    if source.is_sealed() {
        value::hide(&value, keyring);
    }
    Ok(value)
}

/// `[web]`, `[web:vars]` at the beginning of a line.
fn is_section(line: &str) -> bool {
    let line = line.trim_end();
    line.strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|name| !name.is_empty() && !name.contains([',', ' ', '"', '\'']))
}

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
        let vars = mapping(&entry.value, &format!("the host `{spelling}`"), faults);
        for name in names {
            match HostName::new(&name) {
                Ok(name) => draft.add_host(&name, group, vars, &entry.key, faults),
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
