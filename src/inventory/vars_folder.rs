//! `group_vars` and `host_vars`: a file, or a folder of files, for each group or host.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::yaml::{reason, unreadable};
use crate::diagnostic::Diagnostic;
use crate::source::Source;
use crate::value::{self, Map};
use crate::vault::{FileError, Keyring, is_vault, read_source};

/// Folders below `group_vars/NAME/`, at most.
const MAX_DEPTH: usize = 16;

/// The files of one kind in one folder, by the group or host they belong to.
#[derive(Default)]
pub(super) struct VarsFolder {
    vars: HashMap<String, Vec<Arc<Map>>>,
}

impl VarsFolder {
    /// Reads `FOLDER/NAME`; `owners` are the groups or hosts that exist.
    pub(super) fn read(
        folder: &Path,
        name: &str,
        owners: &[&str],
        faults: &mut Vec<Diagnostic>,
    ) -> VarsFolder {
        let mut found = VarsFolder::default();
        let folder = folder.join(name);
        if folder.is_dir() {
            found.read_folder(&folder, owners, faults);
        }
        found
    }

    /// What is set for a group or host, weakest first.
    pub(super) fn of(&self, owner: &str) -> &[Arc<Map>] {
        self.vars.get(owner).map_or(&[], Vec::as_slice)
    }

    /// All that was read.
    pub(super) fn all(&self) -> impl Iterator<Item = &Map> {
        self.vars.values().flatten().map(Arc::as_ref)
    }

    fn read_folder(&mut self, folder: &Path, owners: &[&str], faults: &mut Vec<Diagnostic>) {
        let mut taken: HashMap<String, PathBuf> = HashMap::new();
        for path in entries(folder, faults) {
            let Some(owner) = owner(&path, owners) else {
                if !is_vars_file(&path) {
                    continue;
                }
                let stem = stem(file_name(&path));
                let mut fault = Diagnostic::error(format!(
                    "`{}` belongs to no group or host of the inventory",
                    path.display()
                ))
                .nearest(stem, owners.iter().copied());
                fault.severity = crate::diagnostic::Severity::Warning;
                faults.push(fault);
                continue;
            };
            if let Some(other) = taken.insert(owner.clone(), path.clone()) {
                faults.push(
                    Diagnostic::error(format!(
                        "`{}` and `{}` are both for `{owner}`",
                        other.display(),
                        path.display()
                    ))
                    .help("keep one of them; Ansible reads only the first and says nothing"),
                );
                continue;
            }
            let mut maps = Vec::new();
            read_path(&path, &mut maps, faults, 0);
            self.vars.entry(owner).or_default().append(&mut maps);
        }
    }
}

/// The names in a folder, sorted; hidden and backup files are not read, as in Ansible.
fn entries(folder: &Path, faults: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    let listing = match std::fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error) => {
            faults.push(Diagnostic::error(format!(
                "cannot read the folder `{}`: {}",
                folder.display(),
                reason(&error)
            )));
            return Vec::new();
        }
    };
    let mut paths: Vec<PathBuf> = listing
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = file_name(path);
            !name.starts_with('.') && !name.ends_with('~')
        })
        .collect();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("")
}

fn stem(name: &str) -> &str {
    [".yml", ".yaml", ".json"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name)
}

/// Whether Ansible would read a file of that name: `.yml`, `.yaml`, `.json` or no ending.
fn is_vars_file(path: &Path) -> bool {
    let name = file_name(path);
    path.is_dir() || stem(name) != name || !name.contains('.')
}

fn owner(path: &Path, owners: &[&str]) -> Option<String> {
    let name = file_name(path);
    let stem = if path.is_dir() { name } else { stem(name) };
    [name, stem]
        .into_iter()
        .find(|name| owners.contains(name))
        .map(str::to_owned)
}

fn read_path(path: &Path, maps: &mut Vec<Arc<Map>>, faults: &mut Vec<Diagnostic>, depth: usize) {
    if path.is_dir() {
        if depth >= MAX_DEPTH {
            faults.push(Diagnostic::error(format!(
                "`{}` is nested more than {MAX_DEPTH} folders deep",
                path.display()
            )));
            return;
        }
        for path in entries(path, faults)
            .iter()
            .filter(|path| is_vars_file(path))
        {
            read_path(path, maps, faults, depth + 1);
        }
        return;
    }
    match read_closed_vars(path) {
        Ok(map) => maps.push(map),
        Err(mut found) => faults.append(&mut found),
    }
}

/// A file of variables: a mapping, or nothing. It may be a vault.
pub(crate) fn read_vars(path: &Path, keyring: &Keyring) -> Result<Arc<Map>, Vec<Diagnostic>> {
    let source = read_source(path, keyring)
        .map_err(|error| vec![unreadable(&path.display().to_string(), &error)])?;
    let value = value::parse_vaulted_yaml(&source, keyring)?;
    if source.is_sealed() {
        value::hide(&value, keyring);
    }
    value::variables(value)
}

/// A file of variables of which nothing is opened: whoever needs it asks for that.
pub(crate) fn read_closed_vars(path: &Path) -> Result<Arc<Map>, Vec<Diagnostic>> {
    let shown = path.display().to_string();
    let fault = |error: FileError| vec![unreadable(&shown, &error)];
    let bytes = std::fs::read(path).map_err(|error| fault(error.into()))?;
    if is_vault(&bytes) {
        return Ok(Arc::new(value::closed_file(path)));
    }
    let text = String::from_utf8(bytes).map_err(|_| fault(FileError::NotText))?;
    value::variables(value::parse_closed_yaml(&Source::new(shown.clone(), text))?)
}
