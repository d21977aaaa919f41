//! What a plan collects while it is made.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};

use indexmap::IndexMap;

use super::{Salt, TaskPlan};

/// The tasks of each host as they end, and the files that were read for them.
#[derive(Debug)]
pub struct Record {
    salt: Salt,
    hosts: Mutex<IndexMap<String, Vec<TaskPlan>>>,
    files: Mutex<BTreeSet<PathBuf>>,
}

impl Record {
    /// Nothing yet.
    pub fn new(salt: Salt) -> Record {
        Record {
            salt,
            hosts: Mutex::default(),
            files: Mutex::default(),
        }
    }

    /// Under which values are hashed.
    pub fn salt(&self) -> &Salt {
        &self.salt
    }

    /// These hosts are in the run, in this order.
    pub fn hosts<'a>(&self, names: impl IntoIterator<Item = &'a str>) {
        let mut hosts = lock(&self.hosts);
        for name in names {
            hosts.entry(name.to_owned()).or_default();
        }
    }

    /// A task ended on a host.
    pub fn task(&self, host: &str, task: TaskPlan) {
        lock(&self.hosts)
            .entry(host.to_owned())
            .or_default()
            .push(task);
    }

    /// These files were read.
    pub fn files(&self, paths: impl IntoIterator<Item = PathBuf>) {
        lock(&self.files).extend(paths);
    }

    /// All that was collected.
    pub fn take(&self) -> (IndexMap<String, Vec<TaskPlan>>, BTreeSet<PathBuf>) {
        (
            std::mem::take(&mut *lock(&self.hosts)),
            std::mem::take(&mut *lock(&self.files)),
        )
    }
}

/// What is kept is whole at every moment, also after a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}
