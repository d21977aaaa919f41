//! A lock file: one command at a time, freed by the kernel when its holder dies.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::error::{At, LabError};

/// How often a held lock is tried again.
const POLL: Duration = Duration::from_millis(50);

/// How long the short programs of a killed holder may go on.
const SETTLE: Duration = Duration::from_millis(300);

/// A held lock; dropping it frees it and removes the file.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes the lock, waiting at most so long.
    pub fn take(path: &Path, patience: Duration) -> Result<Self, LabError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).at(folder)?;
        }
        let start = Instant::now();
        loop {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)
                .at(path)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, path) => {
                    if file.metadata().at(path)?.len() > 0 {
                        // The last holder was killed: what it had just started (`mount`, `ip`) may still be at work.
                        thread::sleep(SETTLE);
                    }
                    file.set_len(0).at(path)?;
                    write!(file, "{}", std::process::id()).at(path)?;
                    return Ok(Self {
                        path: path.into(),
                        _file: file,
                    });
                }
                // The last holder removed the file between our opening and locking it.
                Ok(()) => continue,
                Err(TryLockError::WouldBlock) if start.elapsed() < patience => thread::sleep(POLL),
                Err(TryLockError::WouldBlock) => return Err(busy(path)),
                Err(TryLockError::Error(source)) => return Err(source).at(path),
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Removed while still held; `take` sees that the file it locked is no longer the one at the path.
        let _ = fs::remove_file(&self.path);
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(ours), Ok(theirs)) => (ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino()),
        _ => false,
    }
}

fn busy(path: &Path) -> LabError {
    let holder = match fs::read_to_string(path) {
        Ok(pid) if !pid.is_empty() => format!(" (process {pid})"),
        _ => String::new(),
    };
    LabError::Busy {
        path: path.into(),
        holder,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = Lock::take(&path, Duration::ZERO).unwrap();
        let error = Lock::take(&path, Duration::from_millis(60)).unwrap_err();
        assert!(
            error
                .to_string()
                .contains(&format!("process {}", std::process::id())),
            "{error}"
        );
        drop(first);
        assert!(!path.exists());
        Lock::take(&path, Duration::ZERO).unwrap();
    }
}
