//! `group`: a group of the node.

use super::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Expect, Field, Step, Touch};
use crate::command::{Command, quote};
use crate::fact::{Answer, GroupInfo, Known, Missing, Question};

/// Makes, changes and removes groups in the node's own files.
///
/// # Differs from Ansible
/// - `local`, `gid_min` and `gid_max` are refused
///
/// # Returns
/// - `name`, `state`, `gid`, `system`: the group behind the task
///
/// # Examples
/// ```yaml
/// - name: the group of the application
///   group: { name: app, system: true }
/// ```
pub static GROUP: Kind = Kind {
    name: "group",
    aliases: &["ansible.builtin.group"],
    summary: "makes, changes and removes groups",
    params: &[
        Param::new("name", ParamType::Str, "The group.").required(),
        Param::new(
            "state",
            ParamType::Choice(&["present", "absent"]),
            "Whether it is there.",
        )
        .default("present"),
        Param::new("gid", ParamType::Int, "Its number."),
        Param::new(
            "system",
            ParamType::Bool,
            "Whether a new group gets a number of the system's range.",
        )
        .default("false"),
        Param::new(
            "non_unique",
            ParamType::Bool,
            "Whether another group may have the same number.",
        )
        .default("false"),
        Param::new(
            "force",
            ParamType::Bool,
            "Whether to remove it even when it is an account's primary group.",
        )
        .default("false"),
    ],
    free_form: None,
    refused: &[
        ("local", "groups are always made in the node's own files"),
        (
            "gid_min",
            "set `GID_MIN` in /etc/login.defs, or give a `gid`",
        ),
        (
            "gid_max",
            "set `GID_MAX` in /etc/login.defs, or give a `gid`",
        ),
    ],
    check: |_| Vec::new(),
    bind: |args, _| bind(args),
};

struct Group {
    name: String,
    present: bool,
    gid: Option<u32>,
    system: bool,
    non_unique: bool,
    force: bool,
}

fn bind(args: &Args) -> Bound {
    Ok(Box::new(Group {
        name: super::user::name(args, "name")?,
        present: args.str("state") != Some("absent"),
        gid: super::user::number(args, "gid")?,
        system: args.bool("system", false),
        non_unique: args.bool("non_unique", false),
        force: args.bool("force", false),
    }))
}

impl Resource for Group {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let question = Question::Group(self.name.as_str().into());
        known.need([question.clone()])?;
        let info = known.group(&self.name)?;
        let change = match (info, self.present) {
            (None, false) => Change::none("there is no such group"),
            (Some(_), false) => {
                let mut command = Command::new("groupdel");
                if self.force {
                    command = command.arg("--force");
                }
                Change::new(Action::Delete)
                    .field(Field::value("state", "present", "absent"))
                    .step(self.step("remove", command, question, None))
            }
            (None, true) => {
                let mut command = self.numbered(Command::new("groupadd"));
                if self.system {
                    command = command.arg("--system");
                }
                let made = GroupInfo {
                    gid: self.gid,
                    members: Vec::new(),
                };
                let mut change =
                    Change::new(Action::Create).field(Field::value("state", "absent", "present"));
                if let Some(gid) = self.gid {
                    change = change.field(Field::value("gid", "", gid.to_string()));
                }
                change.step(self.step("make", command, question, Some(made)))
            }
            (Some(info), true) => match (self.gid, info.gid) {
                (Some(wanted), Some(found)) if wanted != found => Change::new(Action::Update)
                    .field(Field::value("gid", found.to_string(), wanted.to_string()))
                    .step(self.step(
                        "change",
                        self.numbered(Command::new("groupmod")),
                        question,
                        Some(GroupInfo {
                            gid: Some(wanted),
                            ..info.clone()
                        }),
                    )),
                _ => Change::none("the group is as wanted"),
            },
        };
        let gid = self.gid.or(info.and_then(|info| info.gid));
        let change = change
            .result("name", self.name.as_str())
            .result("state", if self.present { "present" } else { "absent" })
            .result("system", self.system);
        Ok(match gid {
            Some(gid) => change.result("gid", gid),
            None => change,
        })
    }
}

impl Group {
    fn numbered(&self, mut command: Command) -> Command {
        if let Some(gid) = self.gid {
            command = command.arg("--gid").arg(gid.to_string());
            if self.non_unique {
                command = command.arg("--non-unique");
            }
        }
        command
    }

    fn step(
        &self,
        verb: &str,
        command: Command,
        question: Question,
        after: Option<GroupInfo>,
    ) -> Step {
        let name = quote(&self.name);
        let script = match (&after, self.gid) {
            (None, _) => format!("! getent group -- {name}"),
            (Some(_), Some(gid)) => format!(
                "found=$(getent group -- {name}); case $found in *:{gid}:*) ;; *) printf %s \"${{found:-absent}}\"; exit 1 ;; esac"
            ),
            (Some(_), None) => format!("getent group -- {name} >/dev/null"),
        };
        Step::new(
            format!("{verb} group {}", self.name),
            command.arg("--").arg(&self.name).to_string(),
        )
        .touch(Touch::Group(self.name.clone()))
        .predict(question, Answer::Group(after))
        .verify(Expect::Check {
            field: "group".to_owned(),
            script,
        })
    }
}
