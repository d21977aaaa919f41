//! `lineinfile`: one line in a file.

mod lines;

use super::attributes::{self, Attributes};
use super::body::Body;
use super::copy::{BACKUP, REFUSED_OF_FILES, VALIDATE};
use super::edit::{self, Found};
use super::pattern::{Replacement, compile};
use super::place::trimmed;
use super::validate::Validate;
use super::write::Target;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change};
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing};
use lines::{Edit, Find, Insert};

/// Keeps one line in a file. Files of daemons pass the daemon's own checker before they are put into place.
///
/// # Differs from Ansible
/// - `attributes` and `unsafe_writes` are refused
/// - regular expressions are Python's, on an engine without look-around and references
///
/// # Returns
/// - `msg`: what was done
/// - `path` or `dest`, `state`, `size`, `owner`, `group`, `uid`, `gid`, `mode`: what stands there behind the task
/// - `checksum`: its SHA-1
/// - `backup_file`: where the old file is kept, with `backup`
///
/// # Examples
/// ```yaml
/// - name: root logs in by keys only
///   lineinfile:
///     path: /etc/ssh/sshd_config
///     regexp: "^#?PermitRootLogin"
///     line: PermitRootLogin prohibit-password
///   notify: reload sshd
/// ```
pub static LINEINFILE: Kind = Kind {
    name: "lineinfile",
    aliases: &["ansible.builtin.lineinfile", "ansible.legacy.lineinfile"],
    summary: "makes sure that a line is in a file, or is not",
    params: &[
        Param::new("path", ParamType::Path, "The file. What is behind a link is altered.").required().aliases(&["dest", "destfile", "name"]),
        Param::new("line", ParamType::Str, "The line.").aliases(&["value"]),
        Param::new("regexp", ParamType::Str, "A Python regular expression. The last line that matches is replaced; with `absent`, all that match are removed.").aliases(&["regex"]),
        Param::new("search_string", ParamType::Str, "The same with a literal part of the line."),
        Param::new("state", ParamType::Choice(&["present", "absent"]), "Whether the line is to be there.").default("present"),
        Param::new("insertafter", ParamType::Str, "Where a new line goes: behind the last line that matches this regular expression, or `EOF`.").default("EOF"),
        Param::new("insertbefore", ParamType::Str, "Before the last line that matches, or `BOF`."),
        Param::new("firstmatch", ParamType::Bool, "Whether the first line that matches counts, rather than the last.").default("false"),
        Param::new("backrefs", ParamType::Bool, "Whether `line` may name groups of `regexp` (`\\1`, `\\g<name>`). Nothing is added when no line matches.").default("false"),
        Param::new("create", ParamType::Bool, "Whether a missing file is made, with its folder.").default("false"),
        attributes::OWNER,
        attributes::GROUP,
        attributes::MODE,
        BACKUP,
        VALIDATE,
    ],
    free_form: None,
    refused: REFUSED_OF_FILES,
    check,
    bind,
};

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = args.at_most_one_of(&["insertbefore", "insertafter"]);
    faults.extend(args.at_most_one_of(&["regexp", "search_string"]));
    faults.extend(args.one_of_required(&["line", "regexp", "search_string"]));
    faults
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let path = args
        .str("path")
        .ok_or_else(|| Diagnostic::at(&args.span, "`lineinfile` needs `path`"))?;
    let present = args.str("state") != Some("absent");
    let line = args.str("line").map(str::to_owned);
    if present && line.is_none() {
        return Err(Diagnostic::at(&args.span, "`lineinfile` needs `line`")
            .help("only `state: absent` can do without it")
            .into());
    }
    let regex = match args.str("regexp") {
        Some(text) => Some(compile(text, args.value_place("regexp"))?),
        None => None,
    };
    let mut backrefs = None;
    if args.bool("backrefs", false) && present {
        let (Some(regex), Some(line)) = (&regex, &line) else {
            return Err(Diagnostic::at(args.place("backrefs"), "`backrefs` needs `regexp`").into());
        };
        backrefs = Some(Replacement::read(line, regex, args.value_place("line"))?);
    }
    let find = match (regex, args.str("search_string")) {
        (Some(regex), _) => Find::Regex(regex),
        (None, Some(text)) => Find::Part(text.to_owned()),
        (None, None) => Find::Line,
    };
    let create = args.bool("create", false) && present;
    let attributes = Attributes::bind(args, controller)?;
    Ok(Box::new(LineInFile {
        target: Target {
            dest: trimmed(path).into(),
            folders: create.then(|| attributes.plain()),
            attributes,
            follow: true,
            force: true,
            backup: args.bool("backup", false),
            validate: Validate::bind(args)?,
        },
        create,
        edit: Edit {
            line: line.unwrap_or_default(),
            by_line: args.has("line"),
            present,
            find,
            insert: insert(args)?,
            first: args.bool("firstmatch", false),
            backrefs,
        },
    }))
}

fn insert(args: &Args) -> Result<Insert, Diagnostic> {
    Ok(match (args.str("insertbefore"), args.str("insertafter")) {
        (Some("BOF"), _) | (None, Some("BOF")) => Insert::Begin,
        (Some(text), _) => Insert::Before(compile(text, args.value_place("insertbefore"))?),
        (None, None | Some("EOF")) => Insert::End,
        (None, Some(text)) => Insert::After(compile(text, args.value_place("insertafter"))?),
    })
}

/// A line that is to be in a file, or not.
struct LineInFile {
    target: Target,
    create: bool,
    edit: Edit,
}

impl Resource for LineInFile {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let old = match edit::read(&self.target, known)? {
            Found::Text(old) => Some(old),
            Found::Not(change) => return Ok(*change),
            Found::Absent if !self.edit.present => {
                return Ok(
                    Change::none("the file does not exist").result("msg", "file not present")
                );
            }
            Found::Absent if !self.create => {
                return Ok(edit::no_file(&self.target.dest, true));
            }
            Found::Absent => None,
        };
        let (new, words) = self.edit.apply(old.as_deref().unwrap_or_default());
        if old.is_none() && words.is_none() {
            return Ok(Change::none("no line matches").result("msg", ""));
        }
        let change = self.target.diff(known, &Body::new(new))?;
        let words = words.unwrap_or_default();
        let reason = match change.action {
            Action::None => change.reason.clone(),
            _ => words.clone(),
        };
        Ok(change.result("msg", words).reason(reason))
    }
}
