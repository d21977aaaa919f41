//! `sudoers`: a rule of sudo in a file of its own.

use super::attributes::Attributes;
use super::body::Body;
use super::file::absent;
use super::mode::FileMode;
use super::validate::Validate;
use super::write::Target;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::Change;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing, Question};

/// Keeps one rule of sudo, in a file of its own with the mode 0440. The rule passes `visudo -c` before it is in place, and a change is undone
/// by the node itself when it locks the run out. Where `nopassword` is not given, it is true: who is named needs no password.
///
/// # Differs from Ansible
/// - a `name` with a dot, or with `~` at its end, is refused: sudo passes over such files
/// - `validation: absent` is refused for a file that sudo reads
///
/// # Examples
/// ```yaml
/// - name: who deploys may reload nginx
///   sudoers:
///     name: deploy
///     user: deploy
///     commands: /usr/bin/systemctl reload nginx
/// - name: the rule is gone
///   sudoers: { name: old-rule, state: absent }
/// ```
pub static SUDOERS: Kind = Kind {
    name: "sudoers",
    aliases: &["community.general.sudoers"],
    summary: "keeps a rule of sudo in a file below /etc/sudoers.d",
    params: &[
        Param::new("name", ParamType::Str, "The name of the file.").required(),
        Param::new("user", ParamType::Str, "The account that may."),
        Param::new("group", ParamType::Str, "The group whose members may."),
        Param::new("commands", ParamType::List, "The commands, each with its whole path and its arguments; `ALL` for every one."),
        Param::new("state", ParamType::Choice(&["present", "absent"]), "Whether the rule is there.").default("present"),
        Param::new("nopassword", ParamType::Bool, "Whether no password is asked for.").default("true"),
        Param::new("noexec", ParamType::Bool, "Whether the commands cannot start others.").default("false"),
        Param::new("setenv", ParamType::Bool, "Whether the environment may be kept.").default("false"),
        Param::new("runas", ParamType::Str, "The account that the commands run as, or `USER:GROUP`; root when not given."),
        Param::new("host", ParamType::Str, "The host that the rule is for.").default("ALL"),
        Param::new("sudoers_path", ParamType::Path, "The folder of the file.").default("/etc/sudoers.d"),
        Param::new("validation", ParamType::Choice(&["absent", "detect", "required"]), "Whether the rule must pass `visudo -c`: `detect` where sudo is installed, `required` always.").default("detect"),
    ],
    free_form: None,
    refused: &[],
    check,
    bind,
};

const FOLDER: &str = "/etc/sudoers.d";

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = args.at_most_one_of(&["user", "group"]);
    let absent = args.literal("state") == Some("absent");
    let sure = args.literal("state").is_some() || !args.has("state");
    if sure && !absent {
        if !args.has("commands") {
            faults.push(
                Diagnostic::at(&args.span, "`sudoers` needs `commands`")
                    .help("only `state: absent` can do without them"),
            );
        }
        if faults.is_empty() {
            faults.extend(args.one_of_required(&["user", "group"]));
        }
    }
    if let Some(name) = args.literal("name") {
        let fault = |message: String| Diagnostic::at(args.value_place("name"), message);
        if name.is_empty() || name.contains(['/', '\n', '\0']) || name == "." || name == ".." {
            faults.push(fault(format!("`{name}` cannot be the name of a file")));
        } else if sure && !absent && (name.contains('.') || name.ends_with('~')) {
            faults.push(
                fault(format!("sudo would pass over a file named `{name}`")).help(
                    "it reads no file whose name has a dot or ends with `~`: write a `-` in its place",
                ),
            );
        }
    }
    for name in ["user", "group", "host", "runas"] {
        if args
            .literal(name)
            .is_some_and(|text| text.is_empty() || text.contains('\n'))
        {
            let place = args.value_place(name);
            faults.push(Diagnostic::at(
                place,
                format!("`{name}` is one line with something in it"),
            ));
        }
    }
    let folder = args.str("sudoers_path").unwrap_or(FOLDER);
    if args.literal("validation") == Some("absent") && folder.trim_end_matches('/') == FOLDER {
        let place = args.value_place("validation");
        faults.push(
            Diagnostic::at(place, "a rule that sudo reads is always checked")
                .help("leave `validation` out: one wrong line keeps everybody out of sudo"),
        );
    }
    faults
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    if let Some(fault) = check(args).into_iter().next() {
        return Err(fault.into());
    }
    let folder = args.str("sudoers_path").unwrap_or(FOLDER);
    let folder = folder.trim_end_matches('/');
    let present = args.str("state") != Some("absent");
    let commands = args.list("commands");
    if present && commands.iter().any(|command| command.contains('\n')) {
        let place = args.value_place("commands");
        return Err(Diagnostic::at(place, "a command is one line").into());
    }
    let attributes = Attributes::of_nobody(controller).with_mode(Some(FileMode::Bits(0o440)));
    // Where it is sudo's own folder, the table of daemons' files has the check.
    let visudo = match (folder == FOLDER, args.str("validation")) {
        (true, Some("required")) | (false, None | Some("detect" | "required")) => {
            let script = match args.str("validation") {
                Some("required") => "exec visudo -cf \"$1\"",
                _ => "! command -v visudo >/dev/null || exec visudo -cf \"$1\"",
            };
            Some(Validate::by_shell("visudo -c", script))
        }
        _ => None,
    };
    Ok(Box::new(Sudoers {
        target: Target {
            dest: format!("{folder}/{}", args.str("name").unwrap_or_default()).into(),
            attributes,
            follow: false,
            force: true,
            backup: false,
            validate: visudo,
            folders: None,
        },
        rule: present.then(|| rule(args, &commands)),
    }))
}

/// The line, as Ansible writes it.
fn rule(args: &Args, commands: &[&str]) -> String {
    let who = match (args.str("user"), args.str("group")) {
        (Some(user), _) => user.to_owned(),
        (None, group) => format!("%{}", group.unwrap_or_default()),
    };
    let mut tags = String::new();
    for (name, tag, default) in [
        ("noexec", "NOEXEC:", false),
        ("nopassword", "NOPASSWD:", true),
        ("setenv", "SETENV:", false),
    ] {
        if args.bool(name, default) {
            tags.push_str(tag);
        }
    }
    let runas = args.str("runas").map(|runas| format!("({runas})"));
    format!(
        "{who} {}={}{tags} {}\n",
        args.str("host").unwrap_or("ALL"),
        runas.unwrap_or_default(),
        commands.join(", ")
    )
}

/// A file with one rule; without one it is to be gone.
struct Sudoers {
    target: Target,
    rule: Option<String>,
}

impl Resource for Sudoers {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let Some(rule) = &self.rule else {
            known.need([Question::Path(self.target.dest.clone())])?;
            let mut change = absent::remove(&self.target.dest, known.path(&self.target.dest)?);
            change.result.clear();
            return Ok(change);
        };
        let body = Body::new(rule.clone().into_bytes());
        let mut change = self.target.diff(known, &body)?;
        change.result.clear();
        Ok(change)
    }
}
