//! The files of a generation, rendered and hashed on the controller.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::super::body::{Body, sha256};
use super::super::copy::{Walk, permissions};
use super::super::{Controller, RenderOptions};
use crate::diagnostic::Diagnostic;
use crate::template::Stop;
use crate::value::Value;

/// The name of the id in templates.
pub const ID: &str = "config_tree_id";
/// What stands for the id while the contents that make it are hashed: as long as one, and none.
const UNKNOWN_ID: &str = "0000000000000000";
/// What marks a template.
const SUFFIX: &str = ".j2";

/// A file as wanted.
pub struct File {
    /// Relative to the generation's folder.
    pub name: String,
    /// Its content.
    pub body: Body,
    /// Permission bits.
    pub mode: u32,
    /// Whether it was rendered.
    pub rendered: bool,
}

/// A generation.
pub struct Files {
    /// 16 hex digits.
    pub id: String,
    /// The source as the user wrote it, without a slash at its end.
    pub src: String,
    /// Relative names, each behind the one it lies in; the generation's own folder is not among them.
    pub folders: Vec<String>,
    /// By name.
    pub files: Vec<File>,
}

impl Files {
    /// Reads and renders all below `src`. `salt` goes into the id.
    pub fn read(
        src: &Value,
        mode: Option<u32>,
        salt: &str,
        controller: &dyn Controller,
    ) -> Result<Files, Stop> {
        let written = src.as_str().unwrap_or_default();
        let path = controller.find(src, "templates")?;
        if !path.is_dir() {
            return Err(
                Diagnostic::at(&src.span, format!("`{written}` is not a folder"))
                    .help("`config_tree` takes a folder; use `template` or `copy` for one file")
                    .into(),
            );
        }
        let mut found = Walk {
            src,
            folders: Vec::new(),
            files: Vec::new(),
        };
        found.folder(&path, "", 0)?;
        let mut files: BTreeMap<String, (File, &Path)> = BTreeMap::new();
        for (source, path) in &found.files {
            let name = source.strip_suffix(SUFFIX).unwrap_or(source);
            if name.contains('\n') || name.is_empty() || name.ends_with('/') {
                let message = format!("`{}` cannot be a file of a configuration", path.display());
                return Err(Diagnostic::at(&src.span, message).help("rename it").into());
            }
            let rendered = name != source;
            let body = match rendered {
                true => render(path, src, UNKNOWN_ID, controller)?,
                false => Body::of(controller.content(path, src)?),
            };
            let mode = match mode {
                Some(mode) => mode,
                None => permissions(path, src)?,
            };
            let file = File {
                name: name.to_owned(),
                body,
                mode,
                rendered,
            };
            if files.insert(name.to_owned(), (file, path)).is_some() {
                let message = format!("`{written}` holds both `{name}` and `{name}{SUFFIX}`");
                return Err(Diagnostic::at(&src.span, message)
                    .help("both would be the same file; remove one")
                    .into());
            }
        }
        let id = id(&found.folders, files.values().map(|(file, _)| file), salt);
        let mut all = Vec::with_capacity(files.len());
        for (mut file, path) in files.into_values() {
            if file.rendered {
                file.body = render(path, src, &id, controller)?;
            }
            all.push(file);
        }
        Ok(Files {
            id,
            src: written.trim_end_matches('/').to_owned(),
            folders: found.folders,
            files: all,
        })
    }
}

fn render(path: &Path, src: &Value, id: &str, controller: &dyn Controller) -> Result<Body, Stop> {
    let options = RenderOptions::default();
    let text = controller.render_file_with(path, src, &options, ID, id)?;
    Ok(Body::new(text.into_bytes()))
}

fn id<'a>(folders: &[String], files: impl Iterator<Item = &'a File>, salt: &str) -> String {
    let mut text = format!("{salt}\n");
    for folder in folders {
        text.push_str(&format!("d {folder}\n"));
    }
    for file in files {
        let sum: &Arc<str> = &file.body.sha256;
        text.push_str(&format!("f {:o} {sum} {}\n", file.mode, file.name));
    }
    sha256(text.as_bytes())[..16].to_owned()
}
