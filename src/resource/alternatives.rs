//! `alternatives`: which of several programs a name of Debian's alternatives is.

mod query;

use std::sync::Arc;

use self::query::{Query, Sub};
use super::place::trimmed;
use super::{Args, Bound, Kind, Param, ParamType, Resource};
use crate::change::{Action, Change, Expect, Field, Step, Touch};
use crate::command::{Command, quote};
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing, Question};

/// Says which program a name of `update-alternatives` is, such as `editor` or `java`, and adds programs to those that it can be. What packages added
/// is known already: then `name` and `path` are enough.
///
/// # Differs from Ansible
/// - with `selected`, a name that is the wanted one by itself is chosen by hand too, so that it stays
/// - `family` is refused: Debian has none
///
/// # Returns
/// - `msg`: what was done
///
/// # Examples
/// ```yaml
/// - name: editors are vim
///   alternatives: { name: editor, path: /usr/bin/vim.basic }
/// - name: a java of our own
///   alternatives:
///     name: java
///     link: /usr/bin/java
///     path: /opt/java/bin/java
///     priority: 2000
///     state: present
/// - name: Debian's choice again
///   alternatives: { name: editor, path: /usr/bin/vim.basic, state: auto }
/// ```
pub static ALTERNATIVES: Kind = Kind {
    name: "alternatives",
    aliases: &["community.general.alternatives"],
    summary: "says which program a name of Debian's alternatives is",
    params: &[
        Param::new("name", ParamType::Str, "The name, such as `editor`.").required(),
        Param::new("path", ParamType::Path, "The program that it is, or can be.").required(),
        Param::new("link", ParamType::Path, "The link that leads there; needed for a name that is not known yet."),
        Param::new("priority", ParamType::Int, "The highest is chosen where nobody chose by hand; 50 for a new one."),
        Param::new(
            "state",
            ParamType::Choice(&["present", "selected", "auto", "absent"]),
            "`present`: the name can be it. `selected`: the name is it. `auto`: it can be, and the highest priority decides. `absent`: it cannot be.",
        )
        .default("selected"),
        Param::new("subcommands", ParamType::Any, "Links that go with it: a list of mappings with `name`, `link` and `path`.").aliases(&["slaves"]),
    ],
    free_form: None,
    refused: &[("family", "Debian has no families of alternatives")],
    check: |args| {
        let bad = |name: &str| name.is_empty() || name.contains(|c: char| c == '/' || c.is_whitespace()) || name.starts_with('-');
        let name = args.literal("name").filter(|name| bad(name));
        name.map(|name| Diagnostic::at(args.value_place("name"), format!("`{name}` cannot be such a name"))).into_iter().collect()
    },
    bind: |args, _| bind(args),
};

/// `update-alternatives` is in dpkg, which no Debian is without.
fn bind(args: &Args) -> Bound {
    if let Some(fault) = (args.kind.check)(args).into_iter().next() {
        return Err(fault.into());
    }
    Ok(Box::new(Alternatives {
        name: args.str("name").unwrap_or_default().to_owned(),
        path: trimmed(args.str("path").unwrap_or_default()).into(),
        link: args.str("link").map(str::to_owned),
        priority: args.int("priority"),
        state: match args.str("state") {
            Some("present") => State::Present,
            Some("auto") => State::Auto,
            Some("absent") => State::Absent,
            _ => State::Selected,
        },
        subs: subs(args)?,
    }))
}

/// The links that go with it, sorted.
fn subs(args: &Args) -> Result<Option<Vec<Sub>>, Diagnostic> {
    let Some(value) = args.get("subcommands") else {
        return Ok(None);
    };
    let place = args.value_place("subcommands");
    let fault = || {
        Diagnostic::at(
            place,
            "`subcommands` is a list of mappings with `name`, `link` and `path`",
        )
    };
    let mut subs = Vec::new();
    for item in value.as_list().ok_or_else(fault)? {
        let map = item.as_map().ok_or_else(fault)?;
        let text = |name: &str| -> Result<String, Diagnostic> {
            let value = map.get(name).map(|entry| &entry.value).ok_or_else(fault)?;
            let text = value.as_str().filter(|text| !text.is_empty());
            Ok(text.ok_or_else(fault)?.to_owned())
        };
        subs.push(Sub {
            name: text("name")?,
            link: text("link")?,
            path: text("path")?,
        });
    }
    subs.sort();
    Ok(Some(subs))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Present,
    Selected,
    Auto,
    Absent,
}

/// A program and the name that it is to be.
struct Alternatives {
    name: String,
    path: Arc<str>,
    link: Option<String>,
    priority: Option<i64>,
    state: State,
    subs: Option<Vec<Sub>>,
}

impl Resource for Alternatives {
    fn diff(&self, known: &Known) -> Result<Change, Missing> {
        let probe = format!(
            "alternatives {name}\nLC_ALL=C update-alternatives --query {name}",
            name = self.name
        );
        known.need([
            Question::Path(self.path.clone()),
            Question::Probe(probe.as_str().into()),
        ])?;
        let query = Query::read(&String::from_utf8_lossy(known.probe(&probe)?));
        let found = query.find(&self.path);
        if self.state == State::Absent {
            if found.is_none() {
                return Ok(Change::none("it cannot be that").result("msg", ""));
            }
            let command = self.command("--remove").arg(&self.name).arg(&*self.path);
            let gone = format!("! {}", self.is_registered());
            let title = format!("take {} from {}", self.path, self.name);
            let step = self.step(title, &command, &query.link, gone);
            return Ok(Change::new(Action::Delete)
                .field(Field::value("state", "present", "absent"))
                .step(step)
                .result(
                    "msg",
                    format!("Remove alternative '{}' from '{}'.", self.path, self.name),
                ));
        }
        let mut fields = Vec::new();
        match found {
            None => fields.push(Field::value("state", "absent", "present")),
            Some(found) => {
                if let Some(priority) = self.priority.filter(|wanted| *wanted != found.priority) {
                    fields.push(Field::value(
                        "priority",
                        found.priority.to_string(),
                        priority.to_string(),
                    ));
                }
                if let Some(subs) = self.subs.as_ref().filter(|subs| **subs != found.subs) {
                    let names = |subs: &[Sub]| {
                        let names: Vec<&str> = subs.iter().map(|sub| sub.name.as_str()).collect();
                        names.join(", ")
                    };
                    fields.push(Field::value("subcommands", names(&found.subs), names(subs)));
                }
                if let Some((before, link)) = query.link.as_ref().zip(self.link.as_ref())
                    && before != link
                {
                    fields.push(Field::value("link", before.as_str(), link.as_str()));
                }
            }
        }
        let mut change = Change::new(if found.is_none() {
            Action::Create
        } else {
            Action::Update
        });
        let mut told = Vec::new();
        if !fields.is_empty() {
            if known.path(&self.path)?.stat.is_none() {
                return Ok(Change::blocked(format!("`{}` does not exist", self.path))
                    .help("install what brings it before this task, or correct the path"));
            }
            let Some(link) = self.link.as_ref().or(query.link.as_ref()) else {
                return Ok(
                    Change::blocked(format!("no package made the name `{}`", self.name)).help(
                        "install the package that does before this task, or give `link` to make it",
                    ),
                );
            };
            told.push(format!(
                "Install alternative '{}' for '{}'.",
                self.path, self.name
            ));
            let priority = self
                .priority
                .or(found.map(|found| found.priority))
                .unwrap_or(50);
            let mut command = self.command("--install").args([
                link.as_str(),
                &self.name,
                &self.path,
                &priority.to_string(),
            ]);
            let kept = found.map(|found| found.subs.clone()).unwrap_or_default();
            for sub in self.subs.as_ref().unwrap_or(&kept) {
                command = command.args(["--slave", &sub.link, &sub.name, &sub.path]);
            }
            let title = format!("add {} to {}", self.path, self.name);
            change.fields = fields;
            change =
                change.step(self.step(title, &command, &Some(link.clone()), self.is_registered()));
        }
        let selected = query.manual && *query.value == *self.path;
        if self.state == State::Selected && !selected {
            told.push(format!(
                "Set alternative '{}' for '{}'.",
                self.path, self.name
            ));
            let command = self.command("--set").arg(&self.name).arg(&*self.path);
            let check = format!(
                "{} | grep -Fqx {}",
                self.query(),
                quote(&format!("Value: {}", self.path))
            );
            let before = match (&query.value, query.manual) {
                (value, false) if !value.is_empty() => format!("{value}, by itself"),
                (value, _) => value.clone(),
            };
            let step = self.step(
                format!("have {} be {}", self.name, self.path),
                &command,
                &query.link,
                check,
            );
            change = change
                .field(Field::value("value", before, &*self.path))
                .step(step);
        }
        if self.state == State::Auto && query.manual {
            told.push(format!("Set alternative to auto for '{}'.", self.name));
            let command = self.command("--auto").arg(&self.name);
            let check = format!("{} | grep -Fqx 'Status: auto'", self.query());
            let step = self.step(
                format!("have {} choose by itself", self.name),
                &command,
                &query.link,
                check,
            );
            change = change
                .field(Field::value("status", "manual", "auto"))
                .step(step);
        }
        if change.steps.is_empty() {
            change = Change::none("it is as wanted");
        }
        Ok(change.result("msg", told.join(" ")))
    }
}

impl Alternatives {
    fn command(&self, verb: &str) -> Command {
        Command::new("update-alternatives").arg("--quiet").arg(verb)
    }

    fn query(&self) -> String {
        format!(
            "LC_ALL=C update-alternatives --query {} 2>/dev/null",
            quote(&self.name)
        )
    }

    fn is_registered(&self) -> String {
        format!(
            "{} | grep -Fqx {}",
            self.query(),
            quote(&format!("Alternative: {}", self.path))
        )
    }

    /// Links move: that of the name, and those that go with it.
    fn step(&self, title: String, command: &Command, link: &Option<String>, check: String) -> Step {
        let mut step = Step::new(title, command.to_string())
            .touch(Touch::Path(format!("/etc/alternatives/{}", self.name)))
            .verify(Expect::Check {
                field: "alternatives".to_owned(),
                script: check,
            });
        let links = self.subs.iter().flatten().map(|sub| &sub.link);
        for link in links.chain(link) {
            step = step.touch(Touch::Path(link.clone()));
        }
        step
    }
}
