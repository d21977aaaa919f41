//! The files of a source folder on the controller.

use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::value::Value;

/// Permission bits of a controller's file.
pub fn permissions(path: &Path, src: &Value) -> Result<u32, Diagnostic> {
    use std::os::unix::fs::PermissionsExt;
    match path.metadata() {
        Ok(metadata) => Ok(metadata.permissions().mode() & 0o7777),
        Err(error) => Err(unreadable_at(path, src, &error)),
    }
}

fn unreadable_at(path: &Path, src: &Value, error: &std::io::Error) -> Diagnostic {
    Diagnostic::at(
        &src.span,
        format!("`{}` cannot be read: {error}", path.display()),
    )
}

/// What is found below the source folder; links are followed.
pub struct Walk<'a> {
    /// What the user wrote.
    pub src: &'a Value,
    /// Folders by relative name, each behind the one it lies in.
    pub folders: Vec<String>,
    /// Files by relative name.
    pub files: Vec<(String, PathBuf)>,
}

impl Walk<'_> {
    /// Adds all below `path`, under the names that begin with `prefix`.
    pub fn folder(&mut self, path: &Path, prefix: &str, depth: usize) -> Result<(), Diagnostic> {
        if depth > 64 {
            let message = format!("`{}` is nested too deep", path.display());
            return Err(Diagnostic::at(&self.src.span, message)
                .help("a link in it may lead to a folder above itself"));
        }
        let unreadable = |error| unreadable_at(path, self.src, &error);
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            entries.push(entry.map_err(unreadable)?);
        }
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let Ok(name) = entry.file_name().into_string() else {
                let message = format!("the name of `{}` is not UTF-8", path.display());
                return Err(Diagnostic::at(&self.src.span, message).help("rename the file"));
            };
            let name = match prefix {
                "" => name,
                prefix => format!("{prefix}/{name}"),
            };
            let metadata = path
                .metadata()
                .map_err(|error| unreadable_at(&path, self.src, &error))?;
            if metadata.is_dir() {
                self.folders.push(name.clone());
                self.folder(&path, &name, depth + 1)?;
            } else if metadata.is_file() {
                self.files.push((name, path));
            } else {
                let message = format!("`{}` is neither file nor folder", path.display());
                return Err(Diagnostic::at(&self.src.span, message));
            }
        }
        Ok(())
    }
}
