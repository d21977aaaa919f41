//! `ini_file`: an option of a section in a file such as `my.cnf` or `smb.conf`.

mod lines;

use super::attributes::{self, Attributes};
use super::body::Body;
use super::copy::{BACKUP, REFUSED_OF_FILES};
use super::edit::{self, Found};
use super::place::trimmed;
use super::write::Target;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change};
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing};
use crate::value::{Kind as ValueKind, Value};
use lines::{Condition, Edit};

/// Keeps an option of a section in a file such as `my.cnf` or `smb.conf`, or the section as a whole. Sections, options that are commented out and spaces
/// are treated as Ansible treats them. Files of daemons pass the daemon's own checker before they are put into place.
///
/// # Differs from Ansible
/// - a file keeps its missing last line end, and its byte order mark, where nothing else changes
/// - a file that is not UTF-8 is a failure
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
/// - name: more connections
///   ini_file:
///     path: /etc/mysql/conf.d/app.cnf
///     section: mysqld
///     option: max_connections
///     value: "200"
///     mode: "0644"
///
/// - name: an option that stands alone
///   ini_file:
///     path: /etc/mysql/conf.d/app.cnf
///     section: mysqld
///     option: skip-log-bin
///     allow_no_value: true
///
/// - name: nothing for the old client
///   ini_file:
///     path: /etc/mysql/conf.d/app.cnf
///     section: oldclient
///     state: absent
/// ```
pub static INI_FILE: Kind = Kind {
    name: "ini_file",
    aliases: &["community.general.ini_file"],
    summary: "sets or removes an option in a section of an INI file",
    params: &[
        Param::new("path", ParamType::Path, "The file.")
            .required()
            .aliases(&["dest"]),
        Param::new(
            "section",
            ParamType::Str,
            "The section; it is added at the end when it is missing. Without it, the part above the first section.",
        ),
        Param::new(
            "section_has_values",
            ParamType::Any,
            "Of several sections of that name, the first that has these: a list of `option` with `value` or `values`.",
        ),
        Param::new(
            "option",
            ParamType::Str,
            "The option. Without it the section as a whole is meant.",
        ),
        Param::new("value", ParamType::Str, "Its value."),
        Param::new(
            "values",
            ParamType::List,
            "Several values: a line for each.",
        ),
        Param::new(
            "state",
            ParamType::Choice(&["present", "absent"]),
            "Whether it is to be there.",
        )
        .default("present"),
        Param::new(
            "exclusive",
            ParamType::Bool,
            "Whether other lines of the option go.",
        )
        .default("true"),
        Param::new(
            "no_extra_spaces",
            ParamType::Bool,
            "Whether `=` stands without spaces.",
        )
        .default("false"),
        Param::new(
            "ignore_spaces",
            ParamType::Bool,
            "Whether a line that differs only in its spaces stays.",
        )
        .default("false"),
        Param::new(
            "allow_no_value",
            ParamType::Bool,
            "Whether the option may stand without `=` and value.",
        )
        .default("false"),
        Param::new(
            "modify_inactive_option",
            ParamType::Bool,
            "Whether an option that is commented out is the place for it.",
        )
        .default("true"),
        Param::new(
            "create",
            ParamType::Bool,
            "Whether a missing file is made, with its folder.",
        )
        .default("true"),
        Param::new(
            "follow",
            ParamType::Bool,
            "Whether the file behind a link is written, rather than the link replaced.",
        )
        .default("false"),
        attributes::OWNER,
        attributes::GROUP,
        attributes::MODE,
        BACKUP,
    ],
    free_form: None,
    refused: REFUSED_OF_FILES,
    check,
    bind,
};

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = args.at_most_one_of(&["value", "values"]);
    let known = args.literal("state").is_some() || !args.has("state");
    let present = known && args.literal("state") != Some("absent");
    let none = args.has("allow_no_value");
    if present && args.has("option") && !args.has("value") && !args.has("values") && !none {
        faults.push(
            Diagnostic::at(&args.span, "`ini_file` needs `value` or `values`")
                .help("write `allow_no_value: true` for an option that stands alone"),
        );
    }
    if !args.has("option") && !args.has("section") {
        faults.extend(args.one_of_required(&["section", "option"]));
    }
    for name in ["section", "option", "value"] {
        if args
            .literal(name)
            .is_some_and(|text| text.trim_end().contains('\n'))
        {
            faults.push(Diagnostic::at(
                args.value_place(name),
                format!("`{name}` has several lines"),
            ));
        }
    }
    faults
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    if let Some(fault) = check(args).into_iter().next() {
        return Err(fault.into());
    }
    let path = args.str("path").unwrap_or_default();
    let present = args.str("state") != Some("absent");
    let create = args.bool("create", true) && present;
    let attributes = Attributes::bind(args, controller)?;
    let mut values: Vec<String> = Vec::new();
    for value in args.str("value").into_iter().chain(args.list("values")) {
        if !values.iter().any(|known| known == value) {
            values.push(value.to_owned());
        }
    }
    let alone = args.bool("allow_no_value", false);
    if present && values.is_empty() && !alone && args.has("option") {
        return Err(Diagnostic::at(&args.span, "`ini_file` needs `value` or `values`").into());
    }
    Ok(Box::new(IniFile {
        target: Target {
            dest: trimmed(path).into(),
            folders: create.then(|| attributes.plain()),
            attributes,
            follow: args.bool("follow", false),
            force: true,
            backup: args.bool("backup", false),
            validate: None,
        },
        create,
        present,
        edit: Edit {
            section: args.str("section").unwrap_or_default().to_owned(),
            conditions: conditions(args)?,
            option: args.str("option").map(str::to_owned),
            values,
            present,
            exclusive: args.bool("exclusive", true),
            spaces: !args.bool("no_extra_spaces", false),
            ignore_spaces: args.bool("ignore_spaces", false),
            alone,
            inactive: args.bool("modify_inactive_option", true),
        },
    }))
}

/// `section_has_values`.
fn conditions(args: &Args) -> Result<Vec<Condition>, Diagnostic> {
    let Some(value) = args.get("section_has_values") else {
        return Ok(Vec::new());
    };
    let wrong = |value: &Value| {
        Diagnostic::at(&value.span, "this is no condition of a section")
            .help("write a list of mappings with `option`, and `value` or `values`")
    };
    let items = value.as_list().ok_or_else(|| wrong(value))?;
    let text = |value: &Value| match &value.kind {
        ValueKind::Str(text) => text.to_string(),
        _ => value.to_json().to_string(),
    };
    let mut conditions = Vec::new();
    for item in items {
        let map = item.as_map().ok_or_else(|| wrong(item))?;
        let mut condition = Condition::default();
        for (key, entry) in map {
            match (&**key, entry.value.as_list()) {
                ("option", None) => condition.option = text(&entry.value),
                ("value", None) => condition.values.push(text(&entry.value)),
                ("values", Some(values)) => condition.values.extend(values.iter().map(text)),
                _ => return Err(wrong(item)),
            }
        }
        if condition.option.is_empty() {
            return Err(wrong(item));
        }
        conditions.push(condition);
    }
    Ok(conditions)
}

struct IniFile {
    target: Target,
    create: bool,
    present: bool,
    edit: Edit,
}

impl Resource for IniFile {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let old = match edit::read(&self.target, known)? {
            Found::Text(old) => Some(old),
            Found::Not(change) => return Ok(*change),
            Found::Absent if !self.present => {
                return Ok(Change::none("the file does not exist").result("msg", "OK"));
            }
            Found::Absent if !self.create => return Ok(edit::no_file(&self.target.dest, true)),
            Found::Absent => None,
        };
        let Ok(text) = std::str::from_utf8(old.as_deref().unwrap_or_default()) else {
            return Ok(
                Change::failed(format!("`{}` is not UTF-8", self.target.dest))
                    .help("convert it with `iconv`, or write it with `template`"),
            );
        };
        let (new, words) = self.edit.apply(text);
        let change = self.target.diff(known, &Body::new(new.into_bytes()))?;
        let change = match change.action {
            Action::None => change,
            _ => change.reason(words),
        };
        Ok(change.result("msg", words))
    }
}
