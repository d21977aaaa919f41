//! `cron`: entries and variables of crontabs.

mod entry;
mod spool;
mod table;
mod var;

use super::attributes::Attributes;
use super::body::Body;
use super::copy::BACKUP;
use super::edit::{self, Found};
use super::place::was;
use super::write::Target;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Expect, Field, Step, Touch};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::{Answer, Known, Missing, PathInfo, Question};
use spool::Spool;
use table::{Edit, names};

pub use var::CRONVAR;

/// Keeps entries and variables of crontabs, each known by the name in the line above it.
///
/// # Differs from Ansible
/// - an entry needs `name`
/// - `reboot` is refused: write `special_time: reboot`
///
/// # Needs
/// - the package `cron`
///
/// # Returns
/// - `jobs`, `envs`: the names in the crontab
/// - `vars`: the names of the variables, for `cronvar`
/// - `cron_file`: the file, if one was named
/// - `backup_file`: where the old crontab is kept, with `backup`
///
/// # Examples
/// ```yaml
/// - name: the backup of each night
///   cron:
///     name: backup
///     job: /usr/local/bin/backup
///     minute: "30"
///     hour: "3"
///     user: root
/// ```
pub static CRON: Kind = Kind {
    name: "cron",
    aliases: &["ansible.builtin.cron", "ansible.legacy.cron"],
    summary: "makes sure that cron runs a command at its times, or does not",
    params: &[
        Param::new("name", ParamType::Str, "The entry's name, which stands above it as `#Ansible: NAME`; with `env`, the variable's.").required(),
        Param::new("job", ParamType::Str, "The command, one line; with `env`, the variable's value. cron reads `%` as a line break: write `\\%`.").aliases(&["value"]),
        Param::new("state", ParamType::Choice(&["present", "absent"]), "Whether it is to be there.").default("present"),
        Param::new("user", ParamType::Str, "Whose crontab it is, or as whom an entry of `cron_file` runs. Without it, the acting account."),
        Param::new("cron_file", ParamType::Str, "A file in /etc/cron.d, or an absolute path, in place of the account's crontab. It is removed with its last line."),
        Param::new("minute", ParamType::Str, "0-59, `*`, `*/2` …").default("*"),
        Param::new("hour", ParamType::Str, "0-23.").default("*"),
        Param::new("day", ParamType::Str, "Day of the month, 1-31.").default("*").aliases(&["dom"]),
        Param::new("month", ParamType::Str, "1-12.").default("*"),
        Param::new("weekday", ParamType::Str, "0-6 from Sunday to Saturday.").default("*").aliases(&["dow"]),
        Param::new("special_time", ParamType::Choice(&["annually", "daily", "hourly", "monthly", "reboot", "weekly", "yearly"]), "A word in place of the times."),
        Param::new("disabled", ParamType::Bool, "Whether the entry stands there and is commented out.").default("false"),
        Param::new("env", ParamType::Bool, "Whether a variable is meant; a new one stands above all entries.").default("false"),
        Param::new("insertafter", ParamType::Str, "The variable behind which a new one goes."),
        Param::new("insertbefore", ParamType::Str, "The variable before which a new one goes."),
        BACKUP,
    ],
    free_form: None,
    refused: &[("reboot", "write `special_time: reboot`")],
    check: entry::faults,
    bind,
};

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    if let Some(fault) = entry::faults(args).into_iter().find(Diagnostic::is_error) {
        return Err(fault.into());
    }
    let edit = entry::edit(args, args.has("cron_file"))?;
    place(args, controller, edit)
}

/// Where the edit is made: `cron_file`, or the crontab of `user`.
fn place(args: &Args, controller: &dyn Controller, edit: Edit) -> Bound {
    let file = args.str("cron_file");
    let user = args.str("user").unwrap_or(controller.user());
    let backup = args.bool("backup", false);
    if file.is_none() && controller.user() != "root" {
        return Err(Diagnostic::at(&args.span, "a crontab is managed as root")
            .help("with `become_user: root`, `user` says whose it is")
            .into());
    }
    let place = match file {
        Some(file) => Place::File(Target {
            dest: if file.starts_with('/') {
                file.into()
            } else {
                format!("/etc/cron.d/{file}").into()
            },
            attributes: Attributes::of_nobody(controller),
            follow: true,
            force: true,
            backup,
            validate: None,
            folders: None,
        }),
        None => Place::Spool(Spool {
            user: user.to_owned(),
            backup,
        }),
    };
    Ok(Box::new(Cron {
        place,
        edit,
        lone: args.kind.name == CRONVAR.name,
    }))
}

enum Place {
    /// A file such as those in /etc/cron.d.
    File(Target),
    /// An account's own crontab.
    Spool(Spool),
}

/// An entry that is to be in a crontab, or not.
struct Cron {
    place: Place,
    edit: Edit,
    /// Whether only variables are told of.
    lone: bool,
}

impl Resource for Cron {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let old = match &self.place {
            Place::Spool(spool) => spool.read(known)?,
            Place::File(target) => match edit::read(target, known)? {
                Found::Not(change) => return Ok(*change),
                Found::Absent => Ok(None),
                Found::Text(text) => spool::utf8(&text).map(Some),
            },
        };
        let old = match old {
            Ok(old) => old,
            Err(change) => return Ok(*change),
        };
        let text = old.as_deref().unwrap_or_default();
        let new = match self.edit.apply(text) {
            Ok(new) => new,
            Err(name) => {
                return Ok(Change::blocked(format!(
                    "there is no variable `{name}` in the crontab"
                ))
                .help("`insertafter` and `insertbefore` name a variable that is there already"));
            }
        };
        let mut change = match &self.place {
            _ if new == text => Change::none("the crontab is as wanted"),
            Place::Spool(spool) => spool.write(known, old.as_deref(), &new),
            Place::File(target) if new.trim().is_empty() && matches!(self.edit, Edit::NoJob(_)) => {
                remove(known.path(&target.dest)?, target)
            }
            Place::File(target) => target.diff(known, &Body::new(new.clone().into_bytes()))?,
        };
        let (jobs, variables) = names(&new);
        change.result.shift_remove("state");
        if let Place::File(target) = &self.place {
            change = change.result("cron_file", &*target.dest);
        }
        if self.lone {
            return Ok(change.result("vars", variables));
        }
        Ok(change.result("jobs", jobs).result("envs", variables))
    }
}

/// Removes a file whose last entry is gone.
fn remove(info: &PathInfo, target: &Target) -> Change {
    let path = &info.abs;
    let gone = PathInfo {
        stat: None,
        ..info.clone()
    };
    let key = &target.dest;
    Change::new(Action::Delete)
        .field(Field::value("state", "file", "absent"))
        .step(
            Step::new(
                format!("remove {path}"),
                format!("rm -f -- {}", quote(path)),
            )
            .touch(Touch::Path(key.to_string()))
            .before(was(path, info.stat.as_ref(), None))
            .verify(Expect::absent(&**path))
            .predict(Question::Path(key.clone()), Answer::Path(gone))
            .predict(Question::Digest(key.clone()), Answer::Digest(None))
            .predict(Question::Text(key.clone()), Answer::Text(None)),
        )
}
