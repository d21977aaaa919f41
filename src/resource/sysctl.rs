//! `sysctl`: a setting of the kernel, in its file and in the running kernel.

mod lines;

use std::sync::Arc;

use super::attributes::{self, Attributes};
use super::body::Body;
use super::copy::REFUSED_OF_FILES;
use super::edit::{self, Found};
use super::place::trimmed;
use super::write::Target;
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Expect, Field, Step, Touch};
use crate::command::quote;
use crate::diagnostic::Diagnostic;
use crate::fact::{Answer, Known, Missing, Question};

/// Sets a value of the kernel, in a file for the next boot and at once.
///
/// # Differs from Ansible
/// - a new value is looked at in the running kernel too, not only in the file
///
/// # Returns
/// - `name`, `value`: what is set
///
/// # Examples
/// ```yaml
/// - name: addresses of others may be bound
///   sysctl:
///     name: net.ipv4.ip_nonlocal_bind
///     value: "1"
///     sysctl_file: /etc/sysctl.d/60-platform.conf
/// ```
pub static SYSCTL: Kind = Kind {
    name: "sysctl",
    aliases: &["ansible.posix.sysctl"],
    summary: "sets a value of the kernel, in a file for the next boot and at once",
    params: &[
        Param::new("name", ParamType::Str, "The key, such as `net.ipv4.ip_forward`; with `/` where a part of it holds a dot.").required().aliases(&["key"]),
        Param::new("value", ParamType::Str, "The value; true and yes are 1, false and no are 0.").aliases(&["val"]),
        Param::new("state", ParamType::Choice(&["present", "absent"]), "Whether the key is to be in the file. The running kernel keeps the value of a key that is removed.").default("present"),
        Param::new("sysctl_file", ParamType::Path, "The file. Debian 13 reads only those in /etc/sysctl.d at boot: name one there.").default(FILE),
        Param::new("reload", ParamType::Bool, "Whether all of the file is set in the running kernel when it changed, or when the value there is another.").default("true"),
        Param::new("sysctl_set", ParamType::Bool, "Whether the value in the running kernel is looked at and set, also without `reload`.").default("false"),
        Param::new("ignoreerrors", ParamType::Bool, "Whether keys that the kernel does not have are passed over.").default("false"),
        attributes::OWNER,
        attributes::GROUP,
        attributes::MODE,
    ],
    free_form: None,
    refused: REFUSED_OF_FILES,
    check,
    bind,
};

const FILE: &str = "/etc/sysctl.conf";

fn check(args: &Args) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let absent = args.literal("state") == Some("absent");
    if !args.has("value") && !absent && (args.literal("state").is_some() || !args.has("state")) {
        faults.push(
            Diagnostic::at(&args.span, "`sysctl` needs `value`")
                .help("only `state: absent` can do without it"),
        );
    }
    let name = args.literal("name").map(str::trim);
    if name.is_some_and(|name| lines::path(name).is_none()) {
        faults.push(
            Diagnostic::at(args.value_place("name"), "this is no key of the kernel")
                .help("it is written as `sysctl -a` shows it, such as `net.core.somaxconn`"),
        );
    }
    if args
        .literal("value")
        .is_some_and(|value| value.trim().is_empty() || value.trim().contains('\n'))
    {
        faults.push(Diagnostic::at(
            args.value_place("value"),
            "`value` must be one line with something in it",
        ));
    }
    faults
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    if let Some(fault) = check(args).into_iter().next() {
        return Err(fault.into());
    }
    let key = args.str("name").unwrap_or_default().trim();
    let proc = lines::path(key).unwrap_or_default();
    let present = args.str("state") != Some("absent");
    Ok(Box::new(Sysctl {
        target: Target {
            dest: trimmed(args.str("sysctl_file").unwrap_or(FILE)).into(),
            attributes: Attributes::bind(args, controller)?,
            follow: true,
            force: true,
            backup: false,
            validate: None,
            folders: None,
        },
        key: key.to_owned(),
        value: present.then(|| lines::value(args.str("value").unwrap_or_default())),
        proc: proc.into(),
        reload: args.bool("reload", true),
        set: args.bool("sysctl_set", false),
        lenient: args.bool("ignoreerrors", false),
    }))
}

/// A key with the value it is to have.
struct Sysctl {
    target: Target,
    key: String,
    /// None when it is to be gone from the file.
    value: Option<String>,
    /// Where the running kernel shows it.
    proc: Arc<str>,
    reload: bool,
    set: bool,
    lenient: bool,
}

impl Resource for Sysctl {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let live = self.value.as_deref().filter(|_| self.reload || self.set);
        let mut questions = edit::questions(&self.target);
        if live.is_some() {
            questions.push(Question::Path(self.proc.clone()));
            questions.push(Question::Text(self.proc.clone()));
        }
        known.need(questions)?;
        let old = match edit::read(&self.target, known)? {
            Found::Text(old) => Some(old),
            Found::Not(change) => return Ok(*change),
            Found::Absent => None,
        };
        let text = old.as_deref().unwrap_or_default();
        let new = lines::put(text, &self.key, self.value.as_deref());
        let writes = *new != *text;
        let mut change = match (&old, &self.value) {
            (None, None) => Change::none("the file does not exist"),
            _ => self.target.diff(known, &Body::new(new))?,
        };
        if change.obstacle.is_some() {
            return Ok(change);
        }
        let mut differs = false;
        if let Some(wanted) = live {
            if known.path(&self.proc)?.stat.is_none() {
                if !self.lenient {
                    return Ok(Change::blocked(format!("the kernel has no key `{}`", self.key)).help(
                        "load the module that brings it before this task, correct the name, or write `ignoreerrors: true`",
                    ));
                }
            } else if let Some(found) = known.text(&self.proc)? {
                let found = String::from_utf8_lossy(found).into_owned();
                differs = !lines::same(&found, wanted);
                if differs {
                    change = change.field(Field::value(
                        "value",
                        lines::plain(&found),
                        lines::plain(wanted),
                    ));
                }
            }
        }
        if self.reload && (writes || differs) {
            let file = known.path(&self.target.dest)?.abs.clone();
            change = self.with(
                known,
                change,
                format!("load {file}"),
                lines::load(&file, self.lenient),
                true,
            )?;
        } else if differs && let Some(wanted) = live {
            let script = lines::set(&self.key, wanted);
            change = self.with(known, change, format!("set {}", self.key), script, false)?;
        }
        if change.action == Action::None && !change.steps.is_empty() {
            change.action = Action::Update;
        }
        if change.action == Action::None {
            change.reason = format!("{} is as wanted", self.key);
        }
        Ok(change
            .result("name", self.key.as_str())
            .result("value", self.value.as_deref().unwrap_or_default()))
    }
}

impl Sysctl {
    /// Adds the step that alters the running kernel, with what it must have come to.
    fn with(
        &self,
        known: &Known,
        change: Change,
        title: String,
        script: String,
        whole: bool,
    ) -> Result<Change, Missing> {
        // Some keys set others.
        let spreads = whole || self.key.contains("forward") || self.key.contains(".all.");
        let touched = if spreads { "/proc/sys" } else { &self.proc };
        let mut step = Step::new(title, script).touch(Touch::Path(touched.to_owned()));
        let readable = || known.text(&self.proc).ok().flatten().is_some();
        if let Some(wanted) = self.value.as_deref().filter(|_| readable()) {
            let shown: Arc<[u8]> = format!("{}\n", lines::plain(wanted)).into_bytes().into();
            step = step
                .predict(Question::Path(self.proc.clone()), Answer::Path(known.path(&self.proc)?.clone()))
                .predict(Question::Text(self.proc.clone()), Answer::Text(Some(shown)))
                .verify(Expect::Check {
                    field: self.key.clone(),
                    script: format!(
                        "set -f\nfound=$(echo $(cat {}))\n[ \"$found\" = {} ] || {{ printf %s \"$found\"; exit 1; }}",
                        quote(&self.proc),
                        quote(&lines::plain(wanted))
                    ),
                });
        }
        Ok(change.step(step))
    }
}
