//! `dpkg_selections`: what dpkg is told to do with a package: above all, to hold it.

use std::sync::Arc;

use super::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Expect, Field, Step, Touch};
use crate::command::{Command, quote};
use crate::diagnostic::Diagnostic;
use crate::fact::{Answer, Known, Missing, Question};

/// Says what dpkg is to do with a package: above all, to hold it at its version. Nothing is installed or removed by it. `apt` passes over a package on
/// hold, or says so when it is named; see its `allow_change_held_packages`.
///
/// # Returns
/// - `before`: what was selected before
/// - `after`: what is selected behind the task
///
/// # Examples
/// ```yaml
/// - name: the database is upgraded by hand
///   dpkg_selections: { name: postgresql-15, selection: hold }
///
/// - name: nginx may be upgraded again
///   dpkg_selections: { name: nginx, selection: install }
/// ```
pub static DPKG_SELECTIONS: Kind = Kind {
    name: "dpkg_selections",
    aliases: &[
        "ansible.builtin.dpkg_selections",
        "ansible.legacy.dpkg_selections",
    ],
    summary: "puts a package on hold, or takes it off; installs and removes nothing",
    params: &[
        Param::new(
            "name",
            ParamType::Str,
            "The package, which dpkg must know; `NAME:ARCHITECTURE` for one of another architecture.",
        )
        .required(),
        Param::new(
            "selection",
            ParamType::Choice(&["install", "hold", "deinstall", "purge"]),
            "What dpkg is to do with it: `hold` keeps it at its version, `install` takes it off hold.",
        )
        .required(),
    ],
    free_form: None,
    refused: &[],
    check: |args| args.literal("name").and_then(|name| fault(name, args)).into_iter().collect(),
    bind: |args, _| bind(args),
};

/// What a change of dpkg's own record alters.
const STATUS: &str = "/var/lib/dpkg/status";

fn fault(name: &str, args: &Args) -> Option<Diagnostic> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.:".contains(c);
    let good = name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(plain);
    (!good).then(|| {
        Diagnostic::at(
            args.value_place("name"),
            format!("`{name}` is not a package name"),
        )
        .help("a name is lower-case letters, digits, `+`, `-` and `.`")
    })
}

fn bind(args: &Args) -> Bound {
    let name = args.str("name").unwrap_or_default();
    if let Some(fault) = fault(name, args) {
        return Err(fault.into());
    }
    let query = Command::new("dpkg").arg("--get-selections").arg(name);
    Ok(Box::new(Selection {
        question: format!("selection of {name}\n{query}").into(),
        name: name.to_owned(),
        wanted: args.str("selection").unwrap_or_default().to_owned(),
    }))
}

/// What dpkg is to be told.
struct Selection {
    name: String,
    wanted: String,
    question: Arc<str>,
}

impl Resource for Selection {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let package = Question::Package(self.name.as_str().into());
        known.need([Question::Probe(self.question.clone()), package.clone()])?;
        let output = String::from_utf8_lossy(known.probe(&self.question)?).into_owned();
        let name = &self.name;
        let Some(found) = output.split_whitespace().nth(1) else {
            return Ok(
                Change::blocked(format!("dpkg knows no package `{name}`")).help(
                    "install it with `apt` before this task, or correct the name; to keep one away that was never there, pin it below /etc/apt/preferences.d",
                ),
            );
        };
        let wanted = &self.wanted;
        let done = |change: Change| {
            change
                .result("before", found)
                .result("after", wanted.as_str())
        };
        if found == wanted {
            return Ok(done(Change::none(format!("{name} is at `{wanted}`"))));
        }
        let mut info = known.package(name)?.clone();
        info.held = wanted == "hold";
        let line = format!("{name} {wanted}");
        let step = Step::new(
            format!("set {name} to {wanted}"),
            format!("printf '%s\\n' {} | dpkg --set-selections", quote(&line)),
        )
        .touch(Touch::Path(STATUS.to_owned()))
        .predict(
            Question::Probe(self.question.clone()),
            Answer::Probe(format!("{name}\t{wanted}\n").into_bytes().into()),
        )
        .predict(package, Answer::Package(info))
        .verify(Expect::Check {
            field: "selection".to_owned(),
            script: format!(
                "found=$(dpkg --get-selections {} | awk '{{print $2; exit}}')\n[ \"$found\" = {wanted} ] || {{ printf %s \"$found\"; exit 1; }}",
                quote(name)
            ),
        });
        Ok(done(
            Change::new(Action::Update)
                .field(Field::value("selection", found, wanted.as_str()))
                .step(step),
        ))
    }
}
