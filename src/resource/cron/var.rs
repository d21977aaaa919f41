//! `cronvar`: a variable of a crontab, by itself.

use super::table::{Beside, Edit};
use super::{BACKUP, place};
use crate::diagnostic::Diagnostic;
use crate::resource::{Args, Bound, Controller, Kind, Param, ParamType};

/// Keeps a variable of a crontab, such as who gets the mail of its jobs. The value stands as it is given, where `cron` with `env: true` quotes it.
///
/// # Differs from Ansible
/// - a variable that a new one is to stand beside, and that is not there, is an error
///
/// # Needs
/// - the package `cron`
///
/// # Returns
/// - `vars`: the names of the variables in the crontab
/// - `cron_file`: the file, if one was named
/// - `backup_file`: where the old crontab is kept, with `backup`
///
/// # Examples
/// ```yaml
/// - name: who gets the mail of root's jobs
///   cronvar: { name: MAILTO, value: ops@example.com }
///
/// - name: where the jobs of the app find programs
///   cronvar:
///     name: PATH
///     value: /usr/local/bin:/usr/bin:/bin
///     cron_file: app
/// ```
pub static CRONVAR: Kind = Kind {
    name: "cronvar",
    aliases: &["community.general.cronvar"],
    summary: "sets or removes a variable of a crontab",
    params: &[
        Param::new("name", ParamType::Str, "The variable.").required(),
        Param::new(
            "value",
            ParamType::Str,
            "Its value; quote it where white space at its ends matters.",
        ),
        Param::new(
            "state",
            ParamType::Choice(&["present", "absent"]),
            "Whether it is to be there.",
        )
        .default("present"),
        Param::new(
            "user",
            ParamType::Str,
            "Whose crontab it is; the acting account's when not given.",
        ),
        Param::new(
            "cron_file",
            ParamType::Str,
            "A file in /etc/cron.d, or an absolute path, in place of the account's crontab.",
        ),
        Param::new(
            "insertafter",
            ParamType::Str,
            "The variable behind which a new one goes; else it stands above all.",
        ),
        Param::new(
            "insertbefore",
            ParamType::Str,
            "The variable before which a new one goes.",
        ),
        BACKUP,
    ],
    free_form: None,
    refused: &[],
    check,
    bind,
};

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = args.at_most_one_of(&["insertafter", "insertbefore"]);
    let present = args.literal("state") != Some("absent")
        && (args.literal("state").is_some() || !args.has("state"));
    if present && !args.has("value") {
        faults.push(
            Diagnostic::at(&args.span, "`cronvar` needs `value`")
                .help("only `state: absent` can do without it"),
        );
    }
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if args
        .literal("name")
        .is_some_and(|name| name.is_empty() || !name.chars().all(word))
    {
        faults.push(
            Diagnostic::at(args.value_place("name"), "this cannot be a variable's name")
                .help("letters, digits and `_` may be in it"),
        );
    }
    if args
        .literal("value")
        .is_some_and(|text| text.contains(['\n', '\r']))
    {
        faults.push(Diagnostic::at(
            args.value_place("value"),
            "`value` must be one line",
        ));
    }
    faults
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    if let Some(fault) = check(args).into_iter().next() {
        return Err(fault.into());
    }
    let name = args.str("name").unwrap_or_default().to_owned();
    let edit = match args.str("state") {
        Some("absent") => Edit::NoVariable(name),
        _ => {
            let value = match args.str("value").unwrap_or_default() {
                "" => "\"\"",
                value => value,
            };
            let after = args
                .str("insertafter")
                .map(str::to_owned)
                .map(Beside::After);
            let before = args.str("insertbefore").map(str::to_owned);
            let beside = after.or(before.map(Beside::Before));
            Edit::Variable(name.clone(), format!("{name}={value}"), beside)
        }
    };
    place(args, controller, edit)
}
