//! Where contents come from and go to: files, replaced at once and read by nobody else, and the standard streams.

use std::fs::Permissions;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{Fault, said};
use crate::cli::environment::Environment;
use crate::cli::say;
use crate::diagnostic::Diagnostic;

/// What a replaced file may be read by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modes {
    /// Its permissions stay.
    Kept,
    /// Only its owner keeps what he had.
    Narrowed,
}

/// A file, or a standard stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file.
    File(PathBuf),
    /// Standard input or output.
    Stream,
}

impl Place {
    /// `-` is a stream.
    pub fn file(path: &Path) -> Place {
        match path.as_os_str() == "-" {
            true => Place::Stream,
            false => Place::File(path.to_owned()),
        }
    }

    /// Where to read and where to write: each file in its own place unless `output` is given, and no file is standard input.
    pub fn all(files: &[PathBuf], output: Option<&Path>) -> Result<Vec<(Place, Place)>, Fault> {
        if files.len() > 1 && output.is_some() {
            return Err(Box::new(
                Diagnostic::error("`--output` is for one file, and several are named")
                    .help("leave it out: each file is written in its own place"),
            ));
        }
        let to = |from: &Place| output.map_or(from.clone(), Place::file);
        if files.is_empty() {
            return Ok(vec![(Place::Stream, to(&Place::Stream))]);
        }
        let places = files.iter().map(|file| Place::file(file));
        Ok(places.map(|from| (from.clone(), to(&from))).collect())
    }

    /// In a sentence.
    pub fn said(&self) -> String {
        match self {
            Place::File(path) => said(path),
            Place::Stream => "standard input".to_owned(),
        }
    }

    /// In front of a line number.
    pub fn name(&self) -> String {
        match self {
            Place::File(path) => path.display().to_string(),
            Place::Stream => "<standard input>".to_owned(),
        }
    }

    /// All of it.
    pub fn read(&self, env: &Environment) -> Result<Zeroizing<Vec<u8>>, Fault> {
        match self {
            Place::File(path) => read_file(path),
            Place::Stream => {
                if env.asks {
                    say::err("reading standard input, to its end (Ctrl-D)");
                }
                let mut bytes = Zeroizing::new(Vec::new());
                std::io::stdin()
                    .lock()
                    .read_to_end(&mut bytes)
                    .map_err(|error| {
                        Box::new(Diagnostic::error(format!(
                            "cannot read standard input: {error}"
                        )))
                    })?;
                Ok(bytes)
            }
        }
    }

    /// Replaces all of it.
    pub fn write(&self, content: &[u8], modes: Modes) -> Result<(), Fault> {
        match self {
            Place::File(path) => replace(path, content, modes).map_err(|error| {
                Box::new(Diagnostic::error(format!(
                    "cannot write {}: {error}",
                    said(path)
                )))
            }),
            Place::Stream => {
                let mut stream = std::io::stdout().lock();
                let written = stream.write_all(content).and_then(|()| stream.flush());
                written.map_err(|error| {
                    Box::new(Diagnostic::error(format!(
                        "cannot write to standard output: {error}"
                    )))
                })
            }
        }
    }
}

/// A file's content.
pub fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, Fault> {
    std::fs::read(path).map(Zeroizing::new).map_err(|error| {
        let why = match error.kind() {
            std::io::ErrorKind::NotFound => format!("there is no file {}", said(path)),
            std::io::ErrorKind::IsADirectory => format!("{} is a folder", said(path)),
            _ => format!("cannot read {}: {error}", said(path)),
        };
        Box::new(Diagnostic::error(why))
    })
}

/// Writes beside the file and renames, so that it is always whole. A new file is read by its owner alone; behind a link, the file
/// that it leads to is replaced.
fn replace(path: &Path, content: &[u8], modes: Modes) -> std::io::Result<()> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = match real.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Made with mode 0600, and removed again unless it is kept.
    let mut beside = tempfile::NamedTempFile::new_in(folder)?;
    beside.write_all(content)?;
    if let Ok(old) = real.metadata() {
        // Only root can give a file away; for others the new one is theirs.
        let _ = std::os::unix::fs::chown(beside.path(), Some(old.uid()), Some(old.gid()));
        let mode = match modes {
            Modes::Kept => old.mode() & 0o777,
            Modes::Narrowed => old.mode() & 0o600,
        };
        beside
            .as_file()
            .set_permissions(Permissions::from_mode(mode))?;
    }
    beside.as_file().sync_all()?;
    beside.persist(&real).map_err(|error| error.error)?;
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("f"), folder.path().join("l"));
        std::os::unix::fs::symlink("f", &link).unwrap();
        let mode = || file.metadata().unwrap().mode() & 0o777;
        replace(&file, b"one", Modes::Kept).unwrap();
        assert_eq!(mode(), 0o600);
        std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        replace(&link, b"two", Modes::Kept).unwrap();
        assert_eq!(
            (std::fs::read(&file).unwrap(), mode()),
            (b"two".to_vec(), 0o644)
        );
        replace(&link, b"three", Modes::Narrowed).unwrap();
        assert_eq!(
            (std::fs::read(&file).unwrap(), mode()),
            (b"three".to_vec(), 0o600)
        );
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn several_files_have_no_one_output() {
        let files = [PathBuf::from("a"), PathBuf::from("b")];
        assert!(Place::all(&files, Some(Path::new("c"))).is_err());
        let places = Place::all(&files[..1], Some(Path::new("-"))).unwrap();
        assert_eq!(places, [(Place::file(&files[0]), Place::Stream)]);
        assert_eq!(
            Place::all(&[], None).unwrap(),
            [(Place::Stream, Place::Stream)]
        );
    }
}
