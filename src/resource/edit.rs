//! The text of a file as it is, for kinds that alter a part of it.

use std::sync::Arc;

use super::attributes::homeless;
use super::body::Body;
use super::write::Target;
use crate::change::Change;
use crate::fact::path::TEXT_LIMIT;
use crate::fact::{Known, Missing, Question};

/// What there is to alter.
pub enum Found {
    /// Nothing stands there.
    Absent,
    /// A file with this content.
    Text(Arc<[u8]>),
    /// Nothing that could be altered; the change says why.
    Not(Box<Change>),
}

/// What must be known before [`read`] can say anything; ask it in the first wave.
pub fn questions(target: &Target) -> Vec<Question> {
    let mut questions = target.questions();
    questions.push(Question::Text(target.dest.clone()));
    questions
}

/// The content of the target, links followed.
pub fn read(target: &Target, known: &Known) -> Result<Found, Missing> {
    let path = &target.dest;
    known.need(questions(target))?;
    let info = known.path(path)?;
    if let Some(change) = homeless(info) {
        return Ok(Found::Not(Box::new(change)));
    }
    if let Some(text) = known.text(path)? {
        return Ok(Found::Text(text.clone()));
    }
    let nowhere = |kind| kind == 'N' || kind == 'L';
    let absent = info
        .stat
        .as_ref()
        .is_none_or(|stat| nowhere(stat.target_kind));
    if absent {
        return Ok(Found::Absent);
    }
    if known.digest(path)?.is_some() {
        return Ok(Found::Not(Box::new(
            Change::failed(format!(
                "`{path}` is larger than {} MiB, or cannot be read",
                TEXT_LIMIT / 1024 / 1024
            ))
            .help("use `template` or `copy` for such a file"),
        )));
    }
    // The target says what else stands there.
    let change = target.diff(known, &Body::new(Vec::new()))?;
    Ok(Found::Not(Box::new(change)))
}

/// The obstacle of a file that is to be altered and does not exist.
pub fn no_file(path: &str, can_create: bool) -> Change {
    let change = Change::blocked(format!("`{path}` does not exist"));
    change.help(if can_create {
        "write `create: true` to make it, or install the package that brings it first"
    } else {
        "install the package that brings it, or write it with `copy` or `template`, before this task"
    })
}
