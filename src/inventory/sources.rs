//! What `-i` may name: a file of YAML or INI, a folder of such files, a program, or hosts with commas between them.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::draft::Draft;
use super::yaml::reason;
use super::{address, host_fault, ini, plugin, range, script, yaml};
use crate::diagnostic::Diagnostic;
use crate::name::{GroupName, HostName};
use crate::source::{Source, Span};
use crate::value::{self, Entry, Kind, Map, Value};
use crate::vault::{FileError, Keyring, read_source};

/// Folders below a folder, at most.
const MAX_DEPTH: usize = 16;

/// Names that Ansible does not read in a folder: of editors and packages, texts, settings.
const IGNORED_ENDINGS: &[&str] = &[
    ".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry",
];
/// Names with a meaning of their own there.
const IGNORED_NAMES: &[&str] = &["host_vars", "group_vars", "vars_plugins"];

/// Several `-i`, read one after the other.
pub(super) struct Reading<'a> {
    pub(super) keyring: &'a Keyring,
    pub(super) draft: Draft,
    pub(super) faults: Vec<Diagnostic>,
    /// The files that were read, programs among them.
    pub(super) files: Vec<PathBuf>,
    /// Where `group_vars` and `host_vars` may stand, in the order of `-i`.
    pub(super) folders: Vec<PathBuf>,
}

impl Reading<'_> {
    /// Reads one `-i`.
    pub(super) fn source(&mut self, path: &str) {
        let file = Path::new(path);
        if path.contains(',') && !file.exists() {
            self.host_list(path);
        } else if file.is_dir() {
            self.folders.push(file.to_owned());
            let before = self.files.len() + self.faults.len();
            self.folder(file, 0);
            if self.files.len() + self.faults.len() == before {
                self.faults.push(
                    Diagnostic::error(format!("the folder `{path}` holds no inventory"))
                        .help("put files into it: YAML, INI, or programs; hidden files and backups do not count"),
                );
            }
        } else {
            let folder = file.parent().unwrap_or(Path::new(""));
            self.folders.push(folder.to_owned());
            self.file(path);
        }
    }

    /// All files in the order of their names, those of folders in it among them.
    fn folder(&mut self, folder: &Path, depth: usize) {
        let shown = folder.display().to_string();
        if depth > MAX_DEPTH {
            self.faults.push(Diagnostic::error(format!(
                "`{shown}` is nested more than {MAX_DEPTH} folders deep"
            )));
            return;
        }
        let listing = match std::fs::read_dir(folder) {
            Ok(listing) => listing,
            Err(error) => {
                let why = reason(&error);
                self.faults.push(Diagnostic::error(format!(
                    "cannot read the folder `{shown}`: {why}"
                )));
                return;
            }
        };
        let mut paths: Vec<PathBuf> = listing.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            let ignored = name.starts_with('.')
                || IGNORED_NAMES.contains(&name)
                || IGNORED_ENDINGS.iter().any(|ending| name.ends_with(ending));
            match (ignored, path.is_dir()) {
                (true, _) => {}
                (false, true) => self.folder(&path, depth + 1),
                (false, false) => self.file(&path.display().to_string()),
            }
        }
    }

    fn file(&mut self, path: &str) {
        if let Err(mut found) = self.read_file(path) {
            self.faults.append(&mut found);
        }
    }

    fn read_file(&mut self, path: &str) -> Result<(), Vec<Diagnostic>> {
        let fault = |message: String, help: &str| vec![Diagnostic::error(message).help(help)];
        let file = Path::new(path);
        if is_program(file) {
            self.files.push(file.to_owned());
            script::parse(path, &mut self.draft, &mut self.faults);
            return Ok(());
        }
        let help =
            "give the path of an inventory with `-i`; a host needs a comma behind it: `-i web1,`";
        let source = read_source(file, self.keyring).map_err(|error| match error {
            FileError::Unreadable(error) => fault(
                format!("cannot read the inventory `{path}`: {}", reason(&error)),
                help,
            ),
            FileError::NotText => fault(
                format!("the inventory `{path}` is not UTF-8 text"),
                "an inventory is YAML, INI, or a program that may be executed",
            ),
            FileError::Closed(why) => vec![why.of_file(path)],
        })?;
        if source.text().starts_with("#!") {
            return Err(fault(
                format!("the inventory `{path}` is a program, and may not be executed"),
                &format!("`chmod +x {path}`"),
            ));
        }
        if path.ends_with(".toml") {
            return Err(fault(
                format!("the inventory `{path}` is TOML, which is not read"),
                "write it as YAML: `all: {children: {web: {hosts: {web1: }}}}`",
            ));
        }
        self.files.push(file.to_owned());
        if is_ini(path, source.text()) {
            ini::parse(&source, self.keyring, &mut self.draft, &mut self.faults);
            return Ok(());
        }
        let value = match source.is_sealed() {
            false => value::parse_closed_yaml(&source)?,
            true => {
                let value = value::parse_vaulted_yaml(&source, self.keyring)?;
                value::hide(&value, self.keyring);
                value
            }
        };
        if let Some(refusal) = plugin::refusal(&value, path) {
            return Err(vec![refusal]);
        }
        yaml::parse(&value, &mut self.draft, &mut self.faults);
        Ok(())
    }

    /// `-i web1,web2:2222,`: hosts in no group. As in Ansible, one that is known already stays as it is.
    fn host_list(&mut self, text: &str) {
        let Ok(group) = GroupName::new("ungrouped") else {
            return;
        };
        let source = Source::new("<-i>", text);
        let mut start = 0;
        for part in text.split(',') {
            let word = part.trim();
            let at = start + part.len() - part.trim_start().len();
            start += part.len() + 1;
            if !word.is_empty() {
                let span = Span::new(&source, at as u32, (at + word.len()) as u32);
                self.listed(word, &span, &group);
            }
        }
    }

    fn listed(&mut self, word: &str, span: &Span, group: &GroupName) {
        let spelled = match address::read(word) {
            Ok(spelled) => spelled,
            Err(sentence) => {
                self.faults.push(
                    Diagnostic::at(span, format!("`{word}` is not a host"))
                        .label(sentence)
                        .help("between commas stand hosts: `-i web1,web2:2222,`"),
                );
                return;
            }
        };
        if self.draft.host_count() + spelled.names.len() > range::MAX_HOSTS {
            let many = format!("the inventory has more than {} hosts", range::MAX_HOSTS);
            self.faults.push(Diagnostic::at(span, many));
            return;
        }
        let port = spelled.port.map(|port| {
            let entry = Entry {
                key: span.clone(),
                value: Value::new(Kind::Int(port.into()), span),
            };
            Arc::new(Map::from_iter([(Arc::from("ansible_port"), entry)]))
        });
        for name in &spelled.names {
            match HostName::new(name) {
                Ok(name) if self.draft.has_host(&name) => {}
                Ok(name) => self.draft.add_host(&name, group, port.as_ref(), span),
                Err(error) => {
                    self.faults.push(host_fault(name, span, &error));
                    return;
                }
            }
        }
    }
}

/// Whether a file may be executed and is made for that: a script with `#!`, or a binary. Others have the right by accident.
fn is_program(path: &Path) -> bool {
    let Ok(meta) = std::fs::metadata(path) else {
        return false;
    };
    if !meta.is_file() || meta.permissions().mode() & 0o111 == 0 {
        return false;
    }
    let mut head = Vec::new();
    let read = std::fs::File::open(path)
        .and_then(|file| std::io::Read::read_to_end(&mut std::io::Read::take(file, 4), &mut head));
    // What cannot be read may still be executed.
    read.is_err() || head.starts_with(b"#!") || head == b"\x7fELF"
}

/// Whether a text is INI. A name settles it; else a line such as `[web]`, or a first line that is no beginning of YAML.
fn is_ini(path: &str, text: &str) -> bool {
    let ending = |ending: &str| path.ends_with(ending);
    if ending(".json") {
        return false;
    }
    if ending(".ini") || text.lines().any(is_section) {
        return true;
    }
    if ending(".yml") || ending(".yaml") {
        return false;
    }
    let mut lines = text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    !first.is_some_and(begins_yaml)
}

/// `[web]`, `[web:vars]` at the beginning of a line.
fn is_section(line: &str) -> bool {
    let line = line.split(" #").next().unwrap_or(line).trim_end();
    line.strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|name| !name.is_empty() && !name.contains([',', ' ', '"', '\'', '[', '{']))
}

/// `---`, `{`, `name:` and `name: …`; a dash begins a list, which is no inventory and is refused as what it is.
fn begins_yaml(line: &str) -> bool {
    let is_item = line == "-" || line.starts_with("- ");
    if is_item || line.starts_with("---") || line.starts_with(['{', '%', '"', '\'']) {
        return true;
    }
    line.split_once(':').is_some_and(|(name, rest)| {
        let ends = rest.is_empty() || rest.starts_with([' ', '\t']);
        ends && !name.contains(['=', ' '])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ini_is_told_from_yaml() {
        for (path, text, ini) in [
            ("hosts", "web1\nweb2\n", true),
            ("hosts", "web1 ansible_host=10.0.0.1\n", true),
            ("hosts", "web1:2222\n", true),
            ("hosts", "; x\n[web]\n", true),
            ("hosts", "# x\nall:\n  hosts:\n", false),
            ("hosts", "---\nall: {}\n", false),
            ("hosts", "{\"all\": {}}", false),
            ("hosts", "- a\n", false),
            ("hosts", "-a\n", true),
            ("hosts", "", true),
            ("hosts.ini", "all:\n", true),
            ("hosts.yml", "web1\n", false),
            ("hosts.yml", "[web] # x\n", true),
            ("hosts.yml", "x: [web,\n  db]\n", false),
            ("hosts.json", "[web]\n", false),
        ] {
            assert_eq!(is_ini(path, text), ini, "{path}: {text}");
        }
    }
}
