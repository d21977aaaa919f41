//! The full log of a run: `<folder>/<run>.jsonl`, the same objects as `--output json` with their time, for the owner's eyes only.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::output::Output;
use super::{Reporter, json};
use crate::event::Event;

/// Writes the log of one run.
pub struct Journal {
    path: PathBuf,
    output: Output,
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The run's name would lead out of the folder.
    #[error("`{0}` cannot name a log file")]
    Name(String),
    /// The folder cannot be made.
    #[error("cannot make the folder `{}`", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be made, or is there already.
    #[error("cannot make the log `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Journal {
    /// Logs that are kept: enough for some months of daily runs, at a few megabytes each for 200 hosts.
    pub const KEEP: usize = 100;

    /// Makes `folder` (0700) and a new file (0600) for `run` in it, then removes the oldest logs until at most `keep`
    /// are left, this one among them.
    ///
    /// # Errors
    /// When the folder or file cannot be made, or a log of that run exists. Old logs that cannot be removed stay.
    pub fn create(folder: &Path, run: &str, keep: usize) -> Result<Journal, JournalError> {
        let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.');
        if run.is_empty() || run.starts_with('.') || !run.chars().all(plain) {
            return Err(JournalError::Name(run.to_owned()));
        }
        make_folder(folder).map_err(|source| JournalError::Folder {
            path: folder.to_owned(),
            source,
        })?;
        let path = folder.join(format!("{run}.jsonl"));
        let file = make_file(&path).map_err(|source| JournalError::File {
            path: path.clone(),
            source,
        })?;
        remove_old(folder, &path, keep);
        Ok(Journal {
            path,
            output: Output::new(Box::new(file)),
        })
    }

    /// Where it is written.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Reporter for Journal {
    fn event(&mut self, event: &Event) {
        let time = format!("{:.3}", jiff::Timestamp::now());
        if let Some(line) = json::line(event, Some(&time)) {
            self.output.write(line.as_bytes());
        }
    }

    fn finish(&mut self) {}

    fn trouble(&self) -> Option<String> {
        let trouble = self.output.trouble()?;
        Some(format!(
            "the log `{}` ends early: {trouble}",
            self.path.display()
        ))
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    if fs::metadata(folder)?.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

fn make_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

fn remove_old(folder: &Path, own: &Path, keep: usize) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut logs: Vec<(SystemTime, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let path = entry.path();
            let meta = entry.metadata().ok()?;
            let log = path.extension().is_some_and(|end| end == "jsonl") && meta.is_file();
            (log && path != own).then(|| (meta.modified().unwrap_or(SystemTime::UNIX_EPOCH), path))
        })
        .collect();
    logs.sort();
    let excess = (logs.len() + 1).saturating_sub(keep);
    for (_, path) in logs.into_iter().take(excess) {
        // Another run may have removed it already.
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owed() -> Event {
        Event::Owed {
            host: "n1".into(),
            handler: "restart".into(),
            since: "then".into(),
        }
    }

    #[test]
    fn is_private_timed_and_never_overwritten() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("state/runs");
        let mut journal = Journal::create(&folder, "r-1", 100).unwrap();
        journal.event(&owed());
        journal.finish();
        assert_eq!(journal.trouble(), None);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(journal.path()), 0o600);
        let text = fs::read_to_string(journal.path()).unwrap();
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["event"], "owed");
        let time: jiff::Timestamp = line["time"].as_str().unwrap().parse().unwrap();
        assert!(time <= jiff::Timestamp::now());
        assert!(matches!(
            Journal::create(&folder, "r-1", 100),
            Err(JournalError::File { .. })
        ));
        assert!(matches!(
            Journal::create(&folder, "../r", 100),
            Err(JournalError::Name(_))
        ));
    }

    #[test]
    fn keeps_the_newest_logs_and_other_files() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("notes.txt"), "mine").unwrap();
        for age in 0..5 {
            let path = root.path().join(format!("r{age}.jsonl"));
            let file = File::create(&path).unwrap();
            let then = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1000 - age);
            file.set_modified(then).unwrap();
        }
        Journal::create(root.path(), "new", 3).unwrap();
        let mut names: Vec<String> = fs::read_dir(root.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["new.jsonl", "notes.txt", "r0.jsonl", "r1.jsonl"]);
    }
}
