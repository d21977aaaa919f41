//! Inventories, playbooks and projects: what is read, and what is said about mistakes.

#[path = "project/ansible.rs"]
mod ansible;
#[path = "project/collections.rs"]
mod collections;
#[path = "project/damage.rs"]
mod damage;
#[path = "project/errors.rs"]
mod errors;
#[path = "support/executable.rs"]
mod executable;
#[path = "project/includes.rs"]
mod includes;
#[path = "project/inventory.rs"]
mod inventory;
#[path = "project/inventory_sources.rs"]
mod inventory_sources;
#[path = "project/kinds.rs"]
mod kinds;
#[path = "project/playbook.rs"]
mod playbook;
#[path = "project/resolve.rs"]
mod resolve;
#[path = "project/roles.rs"]
mod roles;
#[path = "project/specs.rs"]
mod specs;
#[path = "project/wild.rs"]
mod wild;

use std::path::{Path, PathBuf};

use hadeploy::diagnostic::Diagnostic;

/// A folder of its own with the files of a project.
pub struct Folder {
    root: tempfile::TempDir,
}

impl Folder {
    pub fn new(files: &[(&str, &str)]) -> Folder {
        let root = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            std::fs::write(path, text).expect("a file");
        }
        Folder { root }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn name(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Faults, one a line as `severity file:line:column message | label | help`, without the folder.
    pub fn said(&self, faults: &[Diagnostic]) -> String {
        let prefix = format!("{}/", self.root.path().display());
        faults
            .iter()
            .map(|fault| {
                let mut line = format!("{} {}", fault.severity.word(), fault.one_line());
                for more in [&fault.label, &fault.help].into_iter().flatten() {
                    line.push_str(" | ");
                    line.push_str(more);
                }
                line.replace(&prefix, "") + "\n"
            })
            .collect()
    }

    pub fn root(&self) -> &Path {
        self.root.path()
    }
}
