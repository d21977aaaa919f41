//! `blockinfile`: several lines in a file, between two marker lines.

mod block;

use super::attributes::{self, Attributes};
use super::body::Body;
use super::copy::{BACKUP, REFUSED_OF_FILES, VALIDATE};
use super::edit::{self, Found};
use super::pattern::compile;
use super::place::trimmed;
use super::validate::Validate;
use super::write::Target;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change};
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing};
use block::{Edit, Insert};

/// Keeps lines in a file between two marker lines. Files of daemons pass the daemon's own checker before they are put into place.
///
/// # Differs from Ansible
/// - `attributes` and `unsafe_writes` are refused
///
/// # Returns
/// - `msg`: what was done
/// - `path` or `dest`, `state`, `size`, `owner`, `group`, `uid`, `gid`, `mode`: what stands there behind the task
/// - `checksum`: its SHA-1
/// - `backup_file`: where the old file is kept, with `backup`
///
/// # Examples
/// ```yaml
/// - name: names of the private network
///   blockinfile:
///     path: /etc/hosts
///     marker: "# {mark} platform"
///     block: |
///       10.0.0.1 n1
///       10.0.0.2 n2
/// ```
pub static BLOCKINFILE: Kind = Kind {
    name: "blockinfile",
    aliases: &["ansible.builtin.blockinfile", "ansible.legacy.blockinfile"],
    summary: "makes sure that lines are in a file between two markers, or are not",
    params: &[
        Param::new("path", ParamType::Path, "The file. What is behind a link is altered.").required().aliases(&["dest", "destfile", "name"]),
        Param::new("block", ParamType::Str, "The lines. Without any, block and markers are removed.").aliases(&["content"]),
        Param::new("state", ParamType::Choice(&["present", "absent"]), "Whether the block is to be there.").default("present"),
        Param::new("marker", ParamType::Str, "The line before and behind the block; `{mark}` becomes `marker_begin` and `marker_end`.").default(MARKER),
        Param::new("marker_begin", ParamType::Str, "What `{mark}` is before the block.").default("BEGIN"),
        Param::new("marker_end", ParamType::Str, "What `{mark}` is behind the block.").default("END"),
        Param::new("insertafter", ParamType::Str, "Where a new block goes: behind the last line that matches this regular expression, or `EOF`.").default("EOF"),
        Param::new("insertbefore", ParamType::Str, "Before the last line that matches, or `BOF`."),
        Param::new("append_newline", ParamType::Bool, "Whether an empty line is to stand behind the block, if anything does.").default("false"),
        Param::new("prepend_newline", ParamType::Bool, "Whether an empty line is to stand before the block, if anything does.").default("false"),
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

const MARKER: &str = "# {mark} ANSIBLE MANAGED BLOCK";

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = args.at_most_one_of(&["insertbefore", "insertafter"]);
    faults.extend(insert(args, Args::literal).err());
    if let Some(marker) = args
        .literal("marker")
        .filter(|text| !text.contains("{mark}"))
    {
        faults.push(
            Diagnostic::at(args.value_place("marker"), "`marker` has no `{mark}`").help(format!(
                "write it where begin and end are to differ, such as `{marker} {{mark}}`; without it the block could not be found again"
            )),
        );
    }
    for name in ["marker", "marker_begin", "marker_end"] {
        if args.literal(name).is_some_and(|text| text.contains('\n')) {
            faults.push(
                Diagnostic::at(
                    args.value_place(name),
                    format!("`{name}` has several lines"),
                )
                .help("a marker is one line; in YAML, write it without `|`"),
            );
        }
    }
    faults
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let path = args
        .str("path")
        .ok_or_else(|| Diagnostic::at(&args.span, "`blockinfile` needs `path`"))?;
    let present = args.str("state") != Some("absent");
    let marker = args.str("marker").unwrap_or(MARKER);
    let mark = |name, default| {
        let mark = args.str(name).unwrap_or(default);
        marker.replace("{mark}", mark) + "\n"
    };
    let (begin, end) = (mark("marker_begin", "BEGIN"), mark("marker_end", "END"));
    if begin == end {
        return Err(Diagnostic::at(
            args.place("marker"),
            "begin and end of the block are one line",
        )
        .help("`marker_begin` and `marker_end` must differ")
        .into());
    }
    let create = args.bool("create", false) && present;
    let attributes = Attributes::bind(args, controller)?;
    Ok(Box::new(BlockInFile {
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
        present,
        edit: Edit {
            begin,
            end,
            block: Some(args.str("block").unwrap_or_default())
                .filter(|block| present && !block.is_empty())
                .map(str::to_owned),
            insert: insert(args, Args::str)?,
            append: present && args.bool("append_newline", false),
            prepend: present && args.bool("prepend_newline", false),
        },
    }))
}

/// Where a new block goes, by what `read` takes of the arguments.
fn insert<'a>(
    args: &'a Args,
    read: impl Fn(&'a Args, &str) -> Option<&'a str>,
) -> Result<Insert, Diagnostic> {
    let pattern = |text: &str, name| {
        let many = text
            .strip_prefix("(?")
            .and_then(|rest| rest.split(')').next())
            .is_some_and(|flags| {
                flags.contains('m') && flags.chars().all(|c| "aimsux".contains(c))
            });
        Ok((compile(text, args.value_place(name))?, many))
    };
    Ok(
        match (read(args, "insertbefore"), read(args, "insertafter")) {
            (Some("BOF"), _) => Insert::Begin,
            (Some(text), _) => {
                let (regex, many) = pattern(text, "insertbefore")?;
                Insert::Before(regex, many)
            }
            (None, None | Some("EOF")) => Insert::End,
            (None, Some(text)) => {
                let (regex, many) = pattern(text, "insertafter")?;
                Insert::After(regex, many)
            }
        },
    )
}

/// Lines that are to be in a file, or not.
struct BlockInFile {
    target: Target,
    create: bool,
    present: bool,
    edit: Edit,
}

impl Resource for BlockInFile {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let old = match edit::read(&self.target, known)? {
            Found::Text(old) => Some(old),
            Found::Not(change) => return Ok(*change),
            Found::Absent if !self.present => {
                let msg = format!("File {} not present", self.target.dest);
                return Ok(Change::none("the file does not exist").result("msg", msg));
            }
            Found::Absent if !self.create => {
                return Ok(edit::no_file(&self.target.dest, true));
            }
            Found::Absent => None,
        };
        let new = self.edit.apply(old.as_deref().unwrap_or_default());
        let (msg, words) = match &old {
            None => ("File created", "file made"),
            Some(old) if **old == *new => ("", ""),
            Some(_) if self.edit.block.is_none() => ("Block removed", "block removed"),
            Some(_) => ("Block inserted", "block written"),
        };
        let change = self.target.diff(known, &Body::new(new))?;
        let reason = match change.action {
            Action::None => change.reason.clone(),
            _ => words.to_owned(),
        };
        Ok(change.result("msg", msg).reason(reason))
    }
}
