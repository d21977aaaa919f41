//! The controller as the lookups of a task see it.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::state::Run;
use crate::inventory::HostPattern;
use crate::playbook::{Scheduled, Search, Task};
use crate::source::Source;
use crate::template::Surroundings;
use crate::vault::FileError;

/// The controller around a task, or around a play where no task asks.
pub struct Around {
    run: Arc<Run>,
    search: Search,
}

impl Around {
    /// As a task sees it.
    pub fn of_task(run: &Arc<Run>, play: &Scheduled, task: &Task) -> Arc<Around> {
        Arc::new(Around {
            run: run.clone(),
            search: run.project.search(play, task),
        })
    }

    /// As a play sees it: what is beside its file counts as what is beside a task.
    pub fn of_play(run: &Arc<Run>, play: &Scheduled) -> Around {
        Around {
            run: run.clone(),
            search: Search {
                roles: Vec::new(),
                task: play.play.folder.clone(),
                playbook: play.playbook_folder.clone(),
                project: run.project.folder.clone(),
            },
        }
    }
}

impl Surroundings for Around {
    fn places(&self, name: &str, folder: &str) -> Vec<PathBuf> {
        self.search.places(name, folder)
    }

    fn playbook(&self) -> PathBuf {
        let folder = match self.search.playbook.as_os_str().is_empty() {
            true => Path::new("."),
            false => &self.search.playbook,
        };
        folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
    }

    fn awaited(&self) -> Option<String> {
        self.run.files.awaited().cloned()
    }

    fn read(&self, path: &Path) -> Result<Arc<Source>, String> {
        let keyring = &self.run.project.keyring;
        let read = self.run.files.look_up(path, keyring);
        read.map_err(|error| match error {
            FileError::Closed(why) => format!("{why}; {}", why.help()),
            other => other.to_string(),
        })
    }

    fn acts(&self) -> bool {
        self.run.settings.mode.may_change()
    }

    fn keep(&self, path: &Path, text: &str) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("/"));
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        // Only its owner reads a temporary file from the beginning on.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    fn hide(&self, text: &str) {
        self.run.project.keyring.hide(text);
    }

    fn hosts(&self, pattern: &str) -> Result<Vec<String>, String> {
        let said = |faults: Vec<crate::diagnostic::Diagnostic>| {
            let mut faults = faults.into_iter();
            let fault = faults.find(crate::diagnostic::Diagnostic::is_error);
            fault.map_or("the pattern is wrong".to_owned(), |fault| fault.message)
        };
        let pattern = HostPattern::from_option("inventory_hostnames", pattern).map_err(said)?;
        let matched = pattern
            .select_for_play(&self.run.project.inventory)
            .map_err(said)?;
        Ok(matched
            .hosts
            .iter()
            .map(|host| host.as_str().to_owned())
            .collect())
    }
}
