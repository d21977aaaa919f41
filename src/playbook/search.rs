//! Where a relative source of the controller is looked for.

use std::path::{Path, PathBuf};

use crate::template::Includes;
use crate::vault::{Keyring, read_source};

/// The folders a relative source is searched in.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// The folders of the role that the task belongs to, and of those that use it: before all others.
    pub roles: Vec<PathBuf>,
    /// The folder of the task's file.
    pub task: PathBuf,
    /// The folder of the playbook.
    pub playbook: PathBuf,
    /// The project's folder, if there is one: [`project_folder`].
    pub project: Option<PathBuf>,
}

impl Search {
    /// The first place where `source` is. `folder` is `templates` or `files`. An absolute path is only itself. The error
    /// holds all places looked at, in order. The working folder is none of them, unless it is one of the three.
    pub fn find(&self, source: &str, folder: &str) -> Result<PathBuf, Vec<PathBuf>> {
        let places = self.places(source, folder);
        match places.iter().find(|place| place.exists()) {
            Some(found) => Ok(found.clone()),
            None => Err(places),
        }
    }

    /// Where `source` may be, in order; an empty `folder` is none of its own.
    pub fn places(&self, source: &str, folder: &str) -> Vec<PathBuf> {
        if Path::new(source).is_absolute() {
            return vec![PathBuf::from(source)];
        }
        let mut places = Vec::new();
        let beside = self
            .roles
            .iter()
            .chain([&self.task, &self.playbook])
            .flat_map(|base| [base.join(folder).join(source), base.join(source)]);
        let above = self
            .project
            .iter()
            .map(|project| project.join(folder).join(source));
        for place in beside.chain(above) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }
}

/// The folder of the project a playbook belongs to: the nearest one above it that holds `hadeploy.yml`, else the one
/// above a folder called `playbooks`.
pub fn project_folder(playbook_folder: &Path) -> Option<PathBuf> {
    let here = if playbook_folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        playbook_folder
    };
    let full = here.canonicalize().ok()?;
    if let Some(found) = full
        .ancestors()
        .find(|folder| folder.join("hadeploy.yml").is_file())
    {
        return Some(found.to_owned());
    }
    match full.file_name() {
        // Kept as the user gave it where that is possible, since diagnostics name it.
        Some(name) if name == "playbooks" => match playbook_folder.parent() {
            Some(parent) if playbook_folder.file_name().is_some() => Some(parent.to_owned()),
            _ => full.parent().map(Path::to_owned),
        },
        _ => None,
    }
}

/// Finds the templates that a template includes: beside the one that asks, then where the playbooks' templates are.
pub fn includes(playbooks: &[String], keyring: &Keyring) -> Box<Includes> {
    let keyring = keyring.clone();
    let folders: Vec<PathBuf> = playbooks
        .iter()
        .map(|path| {
            Path::new(path)
                .parent()
                .map(Path::to_owned)
                .unwrap_or_default()
        })
        .collect();
    let project = folders.first().and_then(|folder| project_folder(folder));
    Box::new(move |name, asking| {
        let beside = Path::new(asking).parent().map(|folder| folder.join(name));
        let searched = folders.iter().filter_map(|folder| {
            let search = Search {
                roles: Vec::new(),
                task: folder.clone(),
                playbook: folder.clone(),
                project: project.clone(),
            };
            search.find(name, "templates").ok()
        });
        let path = beside
            .into_iter()
            .chain(searched)
            .find(|path| path.is_file())?;
        read_source(&path, &keyring).ok()
    })
}
