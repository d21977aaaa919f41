//! Roles of collections: where they are, and the keyword `collections`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::parse::Reader;
use crate::diagnostic::{Diagnostic, list};
use crate::value::{Kind, Value};

/// The folder below which collections lie by namespace and name.
const WITHIN: &str = "ansible_collections";

/// Where roles and collections are installed, besides those of the project.
#[derive(Debug, Clone, Default)]
pub struct Installed {
    /// Folders that hold `ansible_collections`.
    pub collections: Vec<PathBuf>,
    /// Folders that hold roles.
    pub roles: Vec<PathBuf>,
}

/// Where a play's roles are looked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Bases {
    /// Folders that hold roles.
    pub(super) roles: Vec<PathBuf>,
    /// Folders that are looked into last, behind that of the role that asks.
    pub(super) own: Vec<PathBuf>,
    /// Folders that hold `ansible_collections`.
    pub(super) collections: Vec<PathBuf>,
}

/// A role of a collection, as it is asked for.
pub(super) struct OfCollection<'a> {
    /// `namespace.name`.
    pub(super) collection: &'a str,
    /// The role; dots stand for folders.
    pub(super) role: &'a str,
}

impl<'a> OfCollection<'a> {
    /// What a full name means: `namespace.name.role`, as ansible-core has it in `AnsibleCollectionRef`.
    pub(super) fn full(text: &'a str) -> Option<OfCollection<'a>> {
        let is_word = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        if !text.split('.').all(is_word) {
            return None;
        }
        let (second, _) = text.match_indices('.').nth(1)?;
        Some(OfCollection {
            collection: &text[..second],
            role: &text[second + 1..],
        })
    }

    /// What a name may mean: the role of one collection if it is full, else one of each that is searched.
    pub(super) fn meant(text: &'a str, searched: &'a [Arc<str>]) -> Vec<OfCollection<'a>> {
        if let Some(full) = OfCollection::full(text) {
            return vec![full];
        }
        if text.contains('/') {
            return Vec::new();
        }
        let of = |collection: &'a Arc<str>| OfCollection {
            collection,
            role: text,
        };
        searched.iter().map(of).collect()
    }

    /// The folder of the role in a collection's folder.
    fn role_in(&self, collection: &Path) -> PathBuf {
        let roles = collection.join("roles");
        self.role
            .split('.')
            .fold(roles, |path, part| path.join(part))
    }

    fn below(&self, base: &Path) -> PathBuf {
        let within = base.join(WITHIN);
        let parts = self.collection.split('.');
        parts.fold(within, |path, part| path.join(part))
    }

    /// The folder of the collection: the first that is there hides all others, as in Ansible.
    pub(super) fn installed(&self, bases: &[PathBuf]) -> Option<PathBuf> {
        let mut places = bases.iter().map(|base| self.below(base));
        places.find(|place| place.is_dir())
    }

    /// The folder of the role.
    pub(super) fn find(&self, bases: &[PathBuf]) -> Option<PathBuf> {
        let role = self.role_in(&self.installed(bases)?);
        role.is_dir().then_some(role)
    }

    /// Where the role is looked for.
    pub(super) fn places(&self, bases: &[PathBuf]) -> Vec<PathBuf> {
        match self.installed(bases) {
            Some(collection) => vec![self.role_in(&collection)],
            None => bases.iter().map(|b| self.role_in(&self.below(b))).collect(),
        }
    }
}

/// The folders with collections: `collections` beside the playbook and of the project, then those where they are installed.
pub(super) fn bases(
    folder: &Path,
    root: &Path,
    project: Option<&Path>,
    installed: &[PathBuf],
) -> Vec<PathBuf> {
    let own = [Some(folder), Some(root), project];
    let own = own.into_iter().flatten();
    let own = own.map(|base| base.join("collections"));
    let mut bases: Vec<PathBuf> = Vec::new();
    for base in own.chain(installed.iter().cloned()) {
        if !bases.contains(&base) {
            bases.push(base);
        }
    }
    bases
}

/// What to do about a role whose full name is found nowhere. `roles` are those of its collection, if that is there.
pub(super) fn advice(full: &OfCollection, installed: Option<&Path>, roles: &[String]) -> String {
    let name = full.collection;
    match installed {
        Some(folder) if roles.is_empty() => {
            format!("the collection `{}` has no roles", folder.display())
        }
        Some(folder) => format!(
            "the collection `{}` has {}",
            folder.display(),
            list(roles.iter().map(String::as_str))
        ),
        None => format!(
            "`ansible-galaxy collection install {name} -p collections` fetches its collection"
        ),
    }
}

impl Reader {
    /// `collections`: those whose roles short names may mean.
    pub(super) fn collections(&mut self, value: &Value) -> Vec<Arc<str>> {
        let items = match &value.kind {
            Kind::List(items) => items.to_vec(),
            Kind::Null => Vec::new(),
            _ => vec![value.clone()],
        };
        let mut names = Vec::new();
        for item in items {
            let Some(name) = self.literal(&item, "collections") else {
                continue;
            };
            let parts: Vec<&str> = name.split('.').collect();
            if parts.len() != 2 || name.contains('/') || parts.contains(&"") {
                self.fault(
                    Diagnostic::at(&item.span, format!("`{name}` is no name of a collection"))
                        .help("it is written `namespace.name`"),
                );
            } else if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}
