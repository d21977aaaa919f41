//! `copy` with `remote_src`: a file of the node copied to another place there.

use std::sync::Arc;

use super::super::attributes::homeless;
use super::super::body::{Body, Source};
use super::super::mode::FileMode;
use super::super::place::{is_folder, trimmed};
use super::super::write::Target;
use super::super::{Bound, Resource};
use super::into_folder;
use crate::change::Change;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing, Question};
use crate::value::Value;

/// A file of the node and where its copy goes.
struct Remote {
    src: Arc<str>,
    target: Target,
    /// Whether `dest` ends with a slash.
    inside: bool,
    preserve: bool,
}

/// Reads `src` as a path of the node.
pub fn bind(src: &Value, dest: &str, target: Target, preserve: bool) -> Bound {
    let path = src.as_str().unwrap_or_default();
    if !path.starts_with('/') && !path.starts_with('~') {
        return Err(
            Diagnostic::at(&src.span, format!("the path `{path}` is relative"))
                .help("with `remote_src`, `src` is an absolute path of the node")
                .into(),
        );
    }
    Ok(Box::new(Remote {
        src: trimmed(path).into(),
        inside: dest.ends_with('/'),
        target,
        preserve,
    }))
}

impl Resource for Remote {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let name = self.src.rsplit('/').next().unwrap_or(&self.src);
        let mut target = self.target.clone();
        if self.inside {
            target.dest = format!("{}/{name}", target.dest.trim_end_matches('/')).into();
        }
        let mut questions = target.questions();
        questions.push(Question::Path(self.src.clone()));
        questions.push(Question::Digest(self.src.clone()));
        known.need(questions)?;
        let info = known.path(&self.src)?.clone();
        if let Some(change) = homeless(&info) {
            return Ok(change);
        }
        if is_folder(&info) {
            return Ok(Change::failed(format!("`{}` is a folder", self.src)).help(
                "`remote_src` copies one file; copy a folder with a `command` task and `cp -a`",
            ));
        }
        let (Some(stat), Some(digest)) = (&info.stat, known.digest(&self.src)?) else {
            return Ok(
                Change::blocked(format!("no file `{}` is on the node", self.src))
                    .help("with `remote_src`, `src` is a path of the node"),
            );
        };
        // A link's own size and mode say nothing of the file; what it leads to is asked.
        let stat = match stat.kind {
            'l' => known.path(&info.real)?.stat.clone(),
            _ => Some(stat.clone()),
        };
        let Some(stat) = stat else {
            return Ok(Change::blocked(format!("`{}` leads nowhere", self.src)));
        };
        if self.preserve {
            let mode = Some(FileMode::Bits(stat.mode));
            target.attributes = target.attributes.with_mode(mode);
        }
        let body = Body {
            source: Source::Node(info.abs.clone()),
            sha256: digest.clone(),
            len: stat.size,
        };
        let change = into_folder(&target, name, known, &body)?;
        Ok(change.result("src", &*info.abs))
    }
}
