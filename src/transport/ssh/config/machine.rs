//! What configurations ask of this machine: files, folders, and programs of `Match exec`.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::secret::PASSWORD_VARIABLE;
use crate::transport::ssh::known_hosts::wildcard_match;

/// What a resolver needs of the outside; a test answers itself.
pub(crate) trait Machine: Send + Sync {
    /// The text of a file; with `guarded` only when nobody but its owner, who is this account or root, may write to it.
    fn read(&self, path: &Path, guarded: bool) -> Result<String, Unreadable>;

    /// The paths that fit a pattern, in order.
    fn list(&self, pattern: &str) -> Vec<PathBuf>;

    /// Whether a command line ends with status 0.
    fn run(&self, command: &str) -> io::Result<bool>;
}

/// Why a file gives no text.
pub(crate) enum Unreadable {
    Missing,
    Unsafe,
    Failed(io::Error),
}

/// This machine, for the account of this number.
pub(super) struct ThisMachine {
    pub(super) uid: u32,
    /// Each command line is run once, however many hosts ask for it.
    pub(super) ran: Mutex<HashMap<String, bool>>,
}

impl Machine for ThisMachine {
    fn read(&self, path: &Path, guarded: bool) -> Result<String, Unreadable> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Unreadable::Missing,
            _ => Unreadable::Failed(error),
        };
        let about = fs::metadata(path).map_err(failed)?;
        // `-F /dev/null` is a way to say "none", and everybody may write to that.
        let guarded = guarded && about.is_file();
        if guarded && ((about.uid() != 0 && about.uid() != self.uid) || about.mode() & 0o022 != 0) {
            return Err(Unreadable::Unsafe);
        }
        let bytes = fs::read(path).map_err(failed)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn list(&self, pattern: &str) -> Vec<PathBuf> {
        listed(pattern)
    }

    fn run(&self, command: &str) -> io::Result<bool> {
        let mut ran = self.ran.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = ran.get(command) {
            return Ok(*known);
        }
        let status = Command::new("/bin/sh")
            .args(["-c", command])
            .env_remove(PASSWORD_VARIABLE)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        ran.insert(command.to_string(), status.success());
        Ok(status.success())
    }
}

/// The paths that fit `pattern`, as glob(3) finds them: `*`, `?` and `[…]` within a name; a leading dot fits only itself.
fn listed(pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![match pattern.starts_with('/') {
        true => PathBuf::from("/"),
        false => PathBuf::new(),
    }];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        if !part.contains(['*', '?', '[']) {
            for path in &mut found {
                path.push(part);
            }
            continue;
        }
        found = found
            .iter()
            .flat_map(|folder| inside(folder, part))
            .collect();
    }
    found.retain(|path| path.exists());
    found.sort();
    found
}

fn inside(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let place = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    let names = fs::read_dir(place).into_iter().flatten().flatten();
    names
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.') || pattern.starts_with('.'))
        .filter(|name| fits(pattern, name))
        .map(|name| folder.join(name))
        .collect()
}

/// Sets of characters are rare: only for them a real glob is built.
fn fits(pattern: &str, name: &str) -> bool {
    if !pattern.contains(['[', '\\']) {
        return wildcard_match(pattern, name);
    }
    let braces: String = pattern
        .chars()
        .flat_map(|c| match c {
            '{' | '}' => vec!['[', c, ']'],
            _ => vec![c],
        })
        .collect();
    globset::Glob::new(&braces).is_ok_and(|glob| glob.compile_matcher().is_match(name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn paths_are_listed_as_a_shell_does() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.conf", "a.conf", ".hidden.conf", "c{1}.conf", "d.txt"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        fs::create_dir(dir.path().join("sub")).unwrap();
        fs::write(dir.path().join("sub/a.conf"), "").unwrap();
        let list = |pattern: &str| -> Vec<String> {
            let found = listed(&format!("{}/{pattern}", dir.path().display()));
            let short = found
                .iter()
                .map(|path| path.strip_prefix(dir.path()).unwrap());
            short.map(|path| path.display().to_string()).collect()
        };
        assert_eq!(list("*.conf"), ["a.conf", "b.conf", "c{1}.conf"]);
        assert_eq!(list("[ab].conf"), ["a.conf", "b.conf"]);
        assert_eq!(list("[!a]{1}.conf"), ["c{1}.conf"]);
        assert_eq!(list("*/?.conf"), ["sub/a.conf"]);
        assert_eq!(list(".h*"), [".hidden.conf"]);
        assert_eq!(list("a.conf"), ["a.conf"]);
        assert!(list("no.conf").is_empty());
    }

    #[test]
    fn a_file_that_others_may_write_to_is_not_trusted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        fs::write(&path, "Port 1").unwrap();
        let machine = ThisMachine {
            uid: fs::metadata(&path).unwrap().uid(),
            ran: Mutex::default(),
        };
        let read = |mode| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            machine.read(&path, true)
        };
        assert!(read(0o644).is_ok_and(|text| text == "Port 1"));
        assert!(matches!(read(0o664), Err(Unreadable::Unsafe)));
        assert!(machine.read(&path, false).is_ok());
        assert!(machine.read(Path::new("/dev/null"), true).is_ok());
        assert!(matches!(
            machine.read(&dir.path().join("no"), true),
            Err(Unreadable::Missing)
        ));
    }
}
