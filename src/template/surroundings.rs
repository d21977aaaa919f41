//! What lookups ask beyond variables: the controller's files, its environment and its programs.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::source::Source;

/// The controller as one task sees it.
pub trait Surroundings: Send + Sync {
    /// Where a file of that name may be, in order. `folder` is `files`, `templates` or `vars`, or empty for none of them. An absolute
    /// path is only itself.
    fn places(&self, name: &str, folder: &str) -> Vec<PathBuf>;

    /// The folder of the playbook.
    fn playbook(&self) -> PathBuf;

    /// The task before which no file can be called missing.
    fn awaited(&self) -> Option<String>;

    /// A text file; a vault is opened, and what was in it is shown nowhere from then on.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn read(&self, path: &Path) -> Result<Arc<Source>, String>;

    /// Whether programs may run and files may be written: never in a plan.
    fn acts(&self) -> bool;

    /// Writes a file that only its owner reads, with the folders above it; whole or not at all.
    ///
    /// # Errors
    /// The system's.
    fn keep(&self, path: &Path, text: &str) -> io::Result<()>;

    /// From now on this text is shown nowhere.
    fn hide(&self, text: &str);

    /// The hosts of a pattern, in order.
    ///
    /// # Errors
    /// What is wrong with the pattern.
    fn hosts(&self, pattern: &str) -> Result<Vec<String>, String>;
}

/// Runs a line of shell in a folder: what it printed, or why it failed.
pub type Shell = dyn Fn(&str, &Path) -> Result<Vec<u8>, String> + Send + Sync;

/// What the controller is whatever task asks.
pub struct Outside {
    /// Its environment.
    pub variables: HashMap<String, String>,
    /// Its shell.
    pub shell: Box<Shell>,
}

impl Outside {
    /// An empty environment, and no shell.
    pub fn none() -> Outside {
        Outside {
            variables: HashMap::new(),
            shell: Box::new(|_, _| Err("no programs are run here".to_owned())),
        }
    }
}
