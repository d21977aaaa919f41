//! The playbook and templates of the repository, carried in the binary, and the variables that the demo adds.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::lab::Lab;

/// The files as they stand in the repository, by their paths there.
const FILES: &[(&str, &str)] = &[
    (
        "playbooks/site.yml",
        include_str!("../../../playbooks/site.yml"),
    ),
    (
        "templates/authorized_keys.j2",
        include_str!("../../../templates/authorized_keys.j2"),
    ),
    (
        "templates/index.html.j2",
        include_str!("../../../templates/index.html.j2"),
    ),
    (
        "templates/nginx-site.conf.j2",
        include_str!("../../../templates/nginx-site.conf.j2"),
    ),
    (
        "templates/sudoers.j2",
        include_str!("../../../templates/sudoers.j2"),
    ),
    (
        "templates/sysctl.conf.j2",
        include_str!("../../../templates/sysctl.conf.j2"),
    ),
];

/// The administrator that the nodes get.
pub const ADMINISTRATOR: &str = "ada";

/// A site that was written out, ready to be applied.
#[derive(Debug)]
pub struct Site {
    folder: PathBuf,
    inventory: PathBuf,
}

/// Why a site could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// The lab has no inventory.
    #[error(transparent)]
    Lab(#[from] crate::lab::LabError),
    /// A file of it.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Site {
    /// Writes the site into the lab's folder, so that it goes when the lab goes.
    ///
    /// # Errors
    /// There is no such lab, or a file cannot be written.
    pub fn write(lab: &Lab) -> Result<Site, SiteError> {
        let inventory = lab.inventory()?;
        let folder = inventory.with_file_name("site");
        let key = lab.key().with_extension("pub");
        let public = fs::read_to_string(&key).map_err(at(&key))?;
        for (path, text) in FILES {
            put(&folder.join(path), text)?;
        }
        put(&folder.join("variables.yml"), &variables(public.trim()))?;
        Ok(Site { folder, inventory })
    }

    /// The arguments that apply it.
    pub fn apply(&self) -> Vec<String> {
        let shown = |path: PathBuf| path.display().to_string();
        vec![
            "apply".into(),
            shown(self.folder.join("playbooks/site.yml")),
            "-i".into(),
            shown(self.inventory.clone()),
            "-i".into(),
            shown(self.folder.join("variables.yml")),
            "--yes".into(),
        ]
    }
}

/// An inventory without hosts: what the lab's own does not say.
fn variables(key: &str) -> String {
    format!(
        "all:\n  vars:\n    public_domain: demo.example.com\n    admin_users:\n      \
         - name: {ADMINISTRATOR}\n        public_keys:\n          - {key}\n"
    )
}

fn put(path: &Path, text: &str) -> Result<(), SiteError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(at(folder))?;
    }
    fs::write(path, text).map_err(at(path))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> SiteError {
    let path = path.to_owned();
    move |source| SiteError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_of_the_repository_is_carried() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for folder in ["playbooks", "templates"] {
            for entry in fs::read_dir(root.join(folder)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                let path = format!("{folder}/{name}");
                assert!(FILES.iter().any(|(file, _)| *file == path), "{path}");
            }
        }
    }
}
