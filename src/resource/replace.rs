//! `replace`: everything in a file that matches a pattern.

mod matches;

use super::attributes::{self, Attributes};
use super::body::Body;
use super::copy::{BACKUP, REFUSED_OF_FILES, VALIDATE};
use super::edit::{self, Found};
use super::pattern::{Replacement, compile_with};
use super::place::trimmed;
use super::validate::Validate;
use super::write::Target;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change};
use crate::diagnostic::{Diagnostic, count};
use crate::fact::{Known, Missing};
use matches::{Edit, SECTION};

/// Replaces everything in a file that matches a regular expression.
///
/// # Differs from Ansible
/// - `attributes` and `unsafe_writes` are refused
/// - regular expressions are Python's, on an engine without look-around and references
///
/// # Returns
/// - `msg`: how many were replaced
/// - `rc`: always 0, as in Ansible
/// - `path` or `dest`, `state`, `size`, `owner`, `group`, `uid`, `gid`, `mode`: what stands there behind the task
/// - `checksum`: its SHA-1
/// - `backup_file`: where the old file is kept, with `backup`
///
/// # Examples
/// ```yaml
/// - name: the archive of Debian, by https
///   replace:
///     path: /etc/apt/sources.list
///     regexp: http://deb\.debian\.org
///     replace: https://deb.debian.org
/// ```
pub static REPLACE: Kind = Kind {
    name: "replace",
    aliases: &["ansible.builtin.replace", "ansible.legacy.replace"],
    summary: "replaces everything in a file that matches a regular expression",
    params: &[
        Param::new("path", ParamType::Path, "The file. What is behind a link is altered.").required().aliases(&["dest", "destfile", "name"]),
        Param::new("regexp", ParamType::Str, "A Python regular expression; `^` and `$` match at each line. What replaces it should not match it again.").required(),
        Param::new("replace", ParamType::Str, "What takes its place; it may name groups of `regexp` (`\\1`, `\\g<name>`). Without it, matches are removed."),
        Param::new("after", ParamType::Str, "Only what is behind the first match of this regular expression is looked at; its `.` matches line ends too."),
        Param::new("before", ParamType::Str, "Only what is before a match of this one."),
        Param::new("encoding", ParamType::Choice(&["utf-8", "utf8", "UTF-8"]), "Only UTF-8; bytes that are none stay as they are.").default("utf-8"),
        attributes::OWNER,
        attributes::GROUP,
        attributes::MODE,
        BACKUP,
        VALIDATE,
    ],
    free_form: None,
    refused: REFUSED_OF_FILES,
    check: |args| edit(args, Args::literal).err().into_iter().collect(),
    bind,
};

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let path = args
        .str("path")
        .ok_or_else(|| Diagnostic::at(&args.span, "`replace` needs `path`"))?;
    let edit = edit(args, Args::str)?
        .ok_or_else(|| Diagnostic::at(&args.span, "`replace` needs `regexp`"))?;
    Ok(Box::new(Replace {
        target: Target {
            dest: trimmed(path).into(),
            folders: None,
            attributes: Attributes::bind(args, controller)?,
            follow: true,
            force: true,
            backup: args.bool("backup", false),
            validate: Validate::bind(args)?,
        },
        edit,
    }))
}

/// What is done to the text, by what `read` takes of the arguments; none when the pattern cannot be read yet.
fn edit<'a>(
    args: &'a Args,
    read: impl Fn(&'a Args, &str) -> Option<&'a str>,
) -> Result<Option<Edit>, Diagnostic> {
    let place = |name| args.value_place(name);
    let side = |name| {
        let text = read(args, name).filter(|text| !text.is_empty());
        if let Some(text) = text {
            compile_with("(?s)", text, place(name))?;
        }
        Ok::<_, Diagnostic>(text)
    };
    let (after, before) = (side("after")?, side("before")?);
    let around = match (after, before) {
        (Some(after), Some(before)) => Some(format!("{after}(?P<{SECTION}>.*?){before}")),
        (Some(after), None) => Some(format!("{after}(?P<{SECTION}>.*)")),
        (None, Some(before)) => Some(format!("(?P<{SECTION}>.*){before}")),
        (None, None) => None,
    };
    let around = match around {
        Some(text) => Some((compile_with("(?s)", &text, place("after"))?, text)),
        None => None,
    };
    let Some(regexp) = read(args, "regexp") else {
        return Ok(None);
    };
    let regex = compile_with("(?m)", regexp, place("regexp"))?;
    let replacement = match args.has("replace") {
        true => read(args, "replace"),
        false => Some(""),
    };
    let Some(replacement) = replacement else {
        return Ok(None);
    };
    let replacement = Replacement::read(replacement, &regex, place("replace"))?;
    Ok(Some(Edit {
        around,
        regex,
        replacement,
    }))
}

/// A file in which a pattern is to be replaced.
struct Replace {
    target: Target,
    edit: Edit,
}

impl Resource for Replace {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let old = match edit::read(&self.target, known)? {
            Found::Text(old) => old,
            Found::Not(change) => return Ok(*change),
            Found::Absent => return Ok(edit::no_file(&self.target.dest, false)),
        };
        let (new, msg, words) = match self.edit.apply(&old) {
            Some((new, _)) if *new == *old => (old.to_vec(), String::new(), None),
            Some((new, number)) => {
                let words = format!("{} made", count(number, "replacement"));
                (new, format!("{number} replacements made"), Some(words))
            }
            None => {
                let pattern = self.edit.around.as_ref().map_or("", |(_, text)| text);
                let msg = format!(
                    "Pattern for before/after params did not match the given file: {pattern}"
                );
                (
                    old.to_vec(),
                    msg,
                    Some("`after` and `before` match nothing".to_owned()),
                )
            }
        };
        let change = self.target.diff(known, &Body::new(new))?;
        let reason = match (change.action, words) {
            (Action::Update, Some(words)) => words,
            (Action::None, Some(words)) if change.obstacle.is_none() => words,
            _ => change.reason.clone(),
        };
        Ok(change.result("msg", msg).result("rc", 0).reason(reason))
    }
}
