//! The folder of a role: where it is, and which of its files are read.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::collections::{self, Bases, Installed, OfCollection};
use super::parse::Reader;
use crate::diagnostic::{Diagnostic, list};
use crate::inventory::read_vars;
use crate::value::{Map, Value};

/// Endings of a role's files, in the order in which they are tried.
const ENDINGS: &[&str] = &[".yml", ".yaml", ".json"];

/// The folders of a role.
const FOLDERS: &[&str] = &[
    "tasks",
    "handlers",
    "defaults",
    "vars",
    "files",
    "templates",
    "meta",
    "library",
];

/// A role that is there.
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// Its name; of a role of a collection the full one.
    pub(super) name: Arc<str>,
    /// Its name within its collection.
    pub(super) short: Arc<str>,
    pub(super) collection: Option<Arc<str>>,
}

/// The places where a play's roles are looked for: `roles` beside the playbook and of the project, then where roles are installed, then the
/// playbook's folder; and where collections are.
pub(super) fn bases(
    folder: &Path,
    root: &Path,
    project: Option<&Path>,
    installed: &Installed,
) -> Bases {
    let roles = [Some(folder), Some(root), project];
    let roles = roles.into_iter().flatten().map(|base| base.join("roles"));
    let mut bases: Vec<PathBuf> = Vec::new();
    for base in roles.chain(installed.roles.iter().cloned()) {
        if !bases.contains(&base) {
            bases.push(base);
        }
    }
    let beside = [folder.to_owned(), root.to_owned()];
    let mut own: Vec<PathBuf> = Vec::new();
    for base in beside {
        if !bases.contains(&base) && !own.contains(&base) {
            own.push(base);
        }
    }
    Bases {
        roles: bases,
        own,
        collections: collections::bases(folder, root, project, &installed.collections),
    }
}

/// A role by its name. `around` is the folder of the role that asks for it, `searched` names the collections that a short name may mean.
/// Collections come before all else, as in ansible-core (`RoleDefinition._load_role_path`).
pub(super) fn find(
    bases: &Bases,
    around: Option<&Path>,
    searched: &[Arc<str>],
    name: &Value,
) -> Result<Found, Box<Diagnostic>> {
    let text = name.as_str().unwrap_or_default().trim_end_matches('/');
    if text.is_empty() {
        return Err(Box::new(Diagnostic::at(
            &name.span,
            "the name of the role is empty",
        )));
    }
    let meant = OfCollection::meant(text, searched);
    for asked in &meant {
        if let Some(path) = asked.find(&bases.collections) {
            return Ok(Found {
                path,
                name: format!("{}.{}", asked.collection, asked.role).into(),
                short: asked.role.into(),
                collection: Some(asked.collection.into()),
            });
        }
    }
    let beside = around.and_then(Path::parent).map(Path::to_owned);
    let mut places: Vec<PathBuf> = bases.roles.clone();
    // Before the playbook's own folder, as in Ansible: a role's neighbours are its dependencies.
    let last = beside.into_iter().chain(bases.own.iter().cloned());
    for place in last {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let mut found = places.iter().map(|base| base.join(text));
    if let Some(found) = found.find(|path| path.is_dir()) {
        return Ok(Found {
            path: found,
            name: text.into(),
            short: text.into(),
            collection: None,
        });
    }
    Err(Box::new(nowhere(text, name, &places, &meant, bases)))
}

fn nowhere(
    text: &str,
    name: &Value,
    places: &[PathBuf],
    meant: &[OfCollection],
    bases: &Bases,
) -> Diagnostic {
    let mut names: Vec<String> = places.iter().flat_map(|place| roles_in(place)).collect();
    let looked = meant
        .iter()
        .flat_map(|asked| asked.places(&bases.collections));
    let looked = looked.chain(places.iter().map(|place| place.join(text)));
    let looked: Vec<String> = looked
        .map(|place| format!("`{}`", place.display()))
        .collect();
    let looked = looked.join(", then ");
    if let Some(full) = OfCollection::full(text) {
        let installed = full.installed(&bases.collections);
        let roles = installed.iter();
        let mut roles: Vec<String> = roles.flat_map(|at| roles_in(&at.join("roles"))).collect();
        roles.sort();
        let advice = collections::advice(&full, installed.as_deref(), &roles);
        names.extend(
            roles
                .iter()
                .map(|role| format!("{}.{role}", full.collection)),
        );
        return Diagnostic::at(&name.span, format!("there is no role `{text}`"))
            .nearest(text, names.iter().map(String::as_str))
            .help(format!("{advice}; looked for {looked}"));
    }
    let fault = Diagnostic::at(&name.span, format!("there is no role `{text}`"))
        .nearest(text, names.iter().map(String::as_str));
    let dots = text.matches('.').count();
    fault.help(match dots {
        1 if !text.contains('/') => format!(
            "`ansible-galaxy role install -p roles {text}` fetches a role of Galaxy; looked for {looked}"
        ),
        _ => format!("looked for {looked}"),
    })
}

/// The roles that lie in a folder.
fn roles_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| FOLDERS.iter().any(|part| entry.path().join(part).is_dir()))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// A file of a role: `main`, or the one that `from` names. None where there is no `main`.
pub(super) fn file(
    role: &Path,
    part: &str,
    from: Option<(&str, &Value)>,
) -> Result<Option<PathBuf>, Box<Diagnostic>> {
    let folder = role.join(part);
    let endings = ENDINGS.iter().copied();
    let (name, endings): (&str, Vec<&str>) = match from {
        Some((name, _)) => (name, [""].into_iter().chain(endings).collect()),
        None => ("main", endings.chain([""]).collect()),
    };
    let leaves = Path::new(name)
        .components()
        .any(|part| !matches!(part, Component::Normal(_)));
    let found = endings
        .iter()
        .map(|ending| folder.join(format!("{name}{ending}")))
        .find(|path| path.exists());
    match (found, from) {
        (Some(path), _) if !leaves => Ok(Some(path)),
        (_, None) => Ok(None),
        (_, Some((name, at))) => Err(Box::new(no_file(role, part, name, at))),
    }
}

fn no_file(role: &Path, part: &str, name: &str, at: &Value) -> Diagnostic {
    let folder = role.join(part);
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let stem = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
            stem.map(str::to_owned)
        })
        .collect();
    names.sort();
    let fault = Diagnostic::at(
        &at.span,
        format!("the role has no file `{name}` in `{}`", folder.display()),
    )
    .nearest(name, names.iter().map(String::as_str));
    match names.is_empty() {
        true => fault,
        false => fault.help(format!(
            "there are {}",
            list(names.iter().map(String::as_str))
        )),
    }
}

impl Reader {
    /// The variables of a role: a file, or all files of a folder `main`.
    pub(super) fn role_vars(
        &mut self,
        role: &Path,
        part: &str,
        from: Option<(&str, &Value)>,
    ) -> Arc<Map> {
        let path = match file(role, part, from) {
            Ok(Some(path)) => path,
            Ok(None) => return Arc::default(),
            Err(fault) => {
                self.fault(*fault);
                return Arc::default();
            }
        };
        if let Some(known) = self.maps.get(&path) {
            return known.clone();
        }
        let mut vars = Map::new();
        let mut whole = None;
        for path in files_of(&path) {
            match read_vars(&path, &self.keyring) {
                Ok(map) => {
                    vars.extend(map.as_ref().clone());
                    whole = Some(map);
                }
                Err(mut faults) => self.faults.append(&mut faults),
            }
        }
        for (name, entry) in &vars {
            self.variable(name, &entry.key);
        }
        let vars = match whole {
            Some(map) if !path.is_dir() => map,
            _ => Arc::new(vars),
        };
        self.maps.insert(path, vars.clone());
        vars
    }
}

/// A file, or the files of variables below a folder, in the order of their names.
pub(super) fn files_of(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let ending = ENDINGS.iter().any(|ending| name.ends_with(ending)) || !name.contains('.');
        !name.starts_with('.') && !name.ends_with('~') && (path.is_dir() || ending)
    });
    paths.iter().flat_map(|path| files_of(path)).collect()
}
