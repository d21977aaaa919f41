//! Where a release comes from: a folder or tarball of the controller, or a tarball of the node.

use std::sync::Arc;

use super::super::body::{Body, Source as From, sha256};
use super::super::copy::{Walk, permissions};
use super::super::{Args, Controller};
use crate::change::{Content, TarEntry};
use crate::diagnostic::Diagnostic;
use crate::template::Stop;

/// The files of a release.
pub struct Source {
    /// SHA-256 of the tarball, or over names, modes and contents of the folder.
    pub sum: Arc<str>,
    /// A tarball of the node.
    pub path: Option<String>,
    /// What is sent.
    pub content: Option<Content>,
    /// `--strip-components`.
    pub strip: u64,
}

/// Reads `src`, `remote_src`, `checksum` and `strip_components`.
pub fn bind(args: &Args, controller: &dyn Controller) -> Result<Option<Source>, Stop> {
    let Some(src) = args.get("src") else {
        return Ok(None);
    };
    let strip = args.int("strip_components").unwrap_or(0);
    let strip = u64::try_from(strip).map_err(|_| {
        Diagnostic::at(
            args.value_place("strip_components"),
            "`strip_components` cannot be negative",
        )
    })?;
    let checksum = match args.str("checksum") {
        Some(text) => Some(checksum(args, text)?),
        None => None,
    };
    if args.bool("remote_src", false) {
        let path = src.as_str().unwrap_or_default();
        if !path.starts_with('/') {
            let message = format!("the path `{path}` is not absolute");
            return Err(Diagnostic::at(&src.span, message)
                .help("with `remote_src`, `src` is an absolute path of the node")
                .into());
        }
        let sum =
            checksum.ok_or_else(|| Diagnostic::at(&args.span, "`remote_src` needs `checksum`"))?;
        return Ok(Some(Source {
            sum,
            path: Some(path.to_owned()),
            content: None,
            strip,
        }));
    }
    let path = controller.find(src, "files")?;
    if !path.is_dir() {
        let body = Body::of(controller.content(&path, src)?);
        if let Some(wanted) = checksum
            && wanted != body.sha256
        {
            let message = format!("the tarball has another checksum: `{}`", body.sha256);
            return Err(Diagnostic::at(args.value_place("checksum"), message).into());
        }
        return Ok(Some(Source {
            sum: body.sha256.clone(),
            path: None,
            content: match body.source {
                From::Sent(content) => Some(content),
                From::Node(_) => None,
            },
            strip,
        }));
    }
    for name in ["checksum", "strip_components"] {
        if args.has(name) {
            return Err(Diagnostic::at(
                args.place(name),
                format!("`{name}` is for a tarball, and `src` is a folder"),
            )
            .into());
        }
    }
    let mut found = Walk {
        src,
        folders: Vec::new(),
        files: Vec::new(),
    };
    found.folder(&path, "", 0)?;
    let mut entries = Vec::new();
    let mut text = String::new();
    for name in found.folders {
        text.push_str(&format!("d {name}\0"));
        entries.push(TarEntry {
            name,
            mode: 0o755,
            file: None,
        });
    }
    for (name, path) in found.files {
        let (len, sum) = controller.digest(&path, src)?;
        let mode = permissions(&path, src)? & 0o777;
        text.push_str(&format!("f {mode:o} {sum} {name}\0"));
        entries.push(TarEntry {
            name,
            mode,
            file: Some((path, len)),
        });
    }
    Ok(Some(Source {
        sum: sha256(text.as_bytes()),
        path: None,
        content: Some(Content::Tar(Arc::new(entries))),
        strip: 0,
    }))
}

fn checksum(args: &Args, text: &str) -> Result<Arc<str>, Diagnostic> {
    let sum = text.strip_prefix("sha256:").unwrap_or(text);
    if sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(sum.to_ascii_lowercase().into());
    }
    Err(
        Diagnostic::at(args.value_place("checksum"), "this is no SHA-256")
            .help("write its 64 hex digits, as `sha256sum` prints them"),
    )
}
