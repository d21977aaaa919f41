//! What is to be mirrored, read on the controller.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::exclude::Exclude;
use crate::diagnostic::Diagnostic;
use crate::resource::Controller;
use crate::template::Stop;
use crate::value::Value;

/// What an entry is.
#[derive(Debug, Clone)]
pub enum What {
    Folder,
    File {
        path: PathBuf,
        len: u64,
        sha256: Arc<str>,
    },
    /// Where it leads.
    Link(String),
}

/// One entry of the source.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Relative to `dest`.
    pub name: String,
    /// Permission bits.
    pub mode: u32,
    pub what: What,
}

/// All entries, each behind the folder it lies in.
pub struct Source {
    pub entries: Vec<Entry>,
    /// The folder's own permissions, where its content alone is mirrored.
    pub top: Option<u32>,
}

/// How the source is read.
pub struct Walk<'a> {
    /// What the user wrote.
    pub at: &'a Value,
    /// Whether links are links.
    pub links: bool,
    /// Whether what they lead to is meant.
    pub copy_links: bool,
    pub excludes: &'a [Exclude],
    pub controller: &'a dyn Controller,
}

impl Source {
    /// Reads all below `path`.
    pub fn read(path: &Path, walk: &Walk) -> Result<Source, Stop> {
        let written = walk.at.as_str().unwrap_or_default();
        let inside = written.ends_with('/');
        let mut source = Source {
            entries: Vec::new(),
            top: None,
        };
        let meta = walk.meta(path, true)?;
        let mode = meta.permissions().mode() & 0o7777;
        let top = match inside || matches!(written, "." | "..") {
            true => {
                source.top = Some(mode);
                String::new()
            }
            false => {
                let name = name_of(path);
                let what = What::Folder;
                source.entries.push(Entry {
                    name: name.clone(),
                    mode,
                    what,
                });
                name
            }
        };
        walk.folder(path, &top, 0, &mut source.entries)?;
        Ok(source)
    }
}

/// The last part of a path.
pub fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

impl Walk<'_> {
    fn fault(&self, message: String) -> Diagnostic {
        Diagnostic::at(&self.at.span, message)
    }

    fn meta(&self, path: &Path, follow: bool) -> Result<std::fs::Metadata, Diagnostic> {
        let meta = match follow {
            true => path.metadata(),
            false => path.symlink_metadata(),
        };
        meta.map_err(|error| self.fault(format!("`{}` cannot be read: {error}", path.display())))
    }

    fn file(
        &self,
        path: &Path,
        name: String,
        meta: &std::fs::Metadata,
    ) -> Result<Entry, Diagnostic> {
        let (len, sha256) = self.controller.digest(path, self.at)?;
        Ok(Entry {
            name,
            mode: meta.permissions().mode() & 0o7777,
            what: What::File {
                path: path.to_owned(),
                len,
                sha256,
            },
        })
    }

    fn folder(
        &self,
        path: &Path,
        prefix: &str,
        depth: usize,
        entries: &mut Vec<Entry>,
    ) -> Result<(), Diagnostic> {
        if depth > 64 {
            return Err(self
                .fault(format!("`{}` is nested too deep", path.display()))
                .help("a link in it may lead to a folder above itself"));
        }
        let unreadable =
            |error| self.fault(format!("`{}` cannot be read: {error}", path.display()));
        let mut found = Vec::new();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            found.push(entry.map_err(unreadable)?);
        }
        found.sort_by_key(std::fs::DirEntry::file_name);
        for entry in found {
            let path = entry.path();
            let Ok(own) = entry.file_name().into_string() else {
                let message = format!("the name of `{}` is not UTF-8", path.display());
                return Err(self.fault(message).help("rename the file"));
            };
            if own == ".rsync-filter" {
                return Err(self
                    .fault(format!("`{}` is not read here", path.display()))
                    .help("write its patterns as `rsync_opts: [\"--exclude=PATTERN\"]`, and remove it"));
            }
            let name = match prefix {
                "" => own,
                prefix => format!("{prefix}/{own}"),
            };
            let meta = self.meta(&path, self.copy_links)?;
            let folder = meta.is_dir();
            if self
                .excludes
                .iter()
                .any(|exclude| exclude.takes(&name, folder))
            {
                continue;
            }
            let mode = meta.permissions().mode() & 0o7777;
            if folder {
                let what = What::Folder;
                entries.push(Entry {
                    name: name.clone(),
                    mode,
                    what,
                });
                self.folder(&path, &name, depth + 1, entries)?;
            } else if meta.is_file() {
                entries.push(self.file(&path, name, &meta)?);
            } else if meta.is_symlink() {
                if !self.links {
                    continue;
                }
                let target = std::fs::read_link(&path).map_err(unreadable)?;
                let what = What::Link(target.to_string_lossy().into_owned());
                entries.push(Entry {
                    name,
                    mode: 0o777,
                    what,
                });
            } else {
                let message = format!("`{}` is neither file, folder nor link", path.display());
                return Err(self.fault(message).help("exclude it"));
            }
        }
        Ok(())
    }
}
