//! `state: directory`, also for all below it.

use std::collections::BTreeMap;

use super::super::attributes::Resolved;
use super::super::folders;
use super::super::mode::argument;
use super::super::place::{is_folder, standing, state, was};
use super::File;
use crate::change::{Action, Change, Expect, Field, Step, Touch};
use crate::command::quote;
use crate::diagnostic::count;
use crate::fact::{Known, Missing, PathInfo, Stat, TreeEntry};

impl File {
    /// Makes the folder with those missing above it, or sets its attributes.
    pub(super) fn folder(&self, known: &Known) -> Result<Change, Missing> {
        let (key, info) = self.meant(known)?;
        match &info.stat {
            Some(stat) if stat.kind == 'd' => {
                let change = Change::none("it is as wanted");
                let change = self.settle(known, &key, info, stat, change)?;
                return self.below(known, info, change);
            }
            Some(stat) if stat.kind == 'l' && is_folder(info) => {
                return self.settle(known, &key, info, stat, Change::none("it is as wanted"));
            }
            Some(stat) => {
                let found = state(Some(stat));
                return Ok(
                    Change::blocked(format!("`{}` is a {found}, not a folder", self.path))
                        .help("remove it first"),
                );
            }
            None => {}
        }
        let resolved = match self.attributes.resolve(known)? {
            Ok(resolved) => resolved,
            Err(change) => return Ok(change),
        };
        let missing = match folders::missing(known, &key)? {
            Ok(missing) => missing,
            Err(change) => return Ok(change),
        };
        let (step, new) = folders::make(known, &resolved, &missing)?;
        let mut change = Change::new(Action::Create)
            .field(Field::value("state", "absent", "directory"))
            .step(step);
        change.fields.extend(resolved.given(Some(&new)));
        change = self.times.settle(change, &key, info, &new);
        Ok(self.result(change, info, Some(&new)))
    }

    /// Owner, group and mode of all below the folder, in one step.
    fn below(&self, known: &Known, info: &PathInfo, mut change: Change) -> Result<Change, Missing> {
        if !self.recurse || self.attributes.is_empty() || change.obstacle.is_some() {
            return Ok(change);
        }
        let Ok(resolved) = self.attributes.resolve(known)? else {
            return Ok(change);
        };
        let Some(tree) = known.tree(&self.path)? else {
            return Ok(change);
        };
        let mut work = Work::default();
        for entry in tree.iter() {
            work.add(entry, &resolved);
        }
        if work.fields.is_empty() {
            return Ok(change);
        }
        for (name, (number, wanted)) in &work.fields {
            let before = format!("{} below differ", count(*number, "path"));
            change = change.field(Field::value(*name, before, wanted));
        }
        let stat = info.stat.as_ref().map(|stat| resolved.altered(stat));
        let step = work.step(&self.path, info, stat.as_ref());
        change = change.step(step);
        change.action = Action::Update;
        change.reason = String::new();
        Ok(change)
    }
}

/// What is to be done below a folder: each command with the paths it is for.
#[derive(Default)]
struct Work {
    commands: BTreeMap<(u8, String), Vec<String>>,
    /// How many paths differ in a field, and what it is to be.
    fields: BTreeMap<&'static str, (usize, String)>,
}

impl Work {
    fn add(&mut self, entry: &TreeEntry, resolved: &Resolved) {
        for field in resolved.differences(&entry.stat) {
            let Field::Value { field, after, .. } = field else {
                continue;
            };
            let name = match field.as_str() {
                "owner" => "owner",
                "group" => "group",
                _ => "mode",
            };
            let seen = self.fields.entry(name).or_insert((0, after.clone()));
            seen.0 += 1;
            if seen.1 != after {
                seen.1 = "as wanted".to_owned();
            }
        }
        for command in resolved.commands("", &entry.stat) {
            // Owners first: a change of owner takes special bits away.
            let turn = u8::from(command.starts_with("chmod"));
            let paths = self.commands.entry((turn, command)).or_default();
            paths.push(entry.name.to_string());
        }
    }

    /// One `xargs` a command, whatever the number of paths; read back by the bits of each.
    fn step(self, path: &str, info: &PathInfo, stat: Option<&Stat>) -> Step {
        let mut lines = vec![format!("cd -- {}", quote(&info.abs))];
        let mut checks = Vec::new();
        for ((_, command), paths) in &self.commands {
            let names: Vec<String> = paths
                .iter()
                .map(|name| quote(&format!("./{name}")))
                .collect();
            let list = format!("printf '%s\\0' {}", names.join(" "));
            lines.push(format!("{list} | xargs -0r {}", command.trim_end()));
            let mode = command
                .strip_prefix("chmod ")
                .and_then(|rest| rest.split(' ').next())
                .and_then(|mode| u32::from_str_radix(mode, 8).ok());
            if let Some(mode) = mode {
                checks.push(format!(
                    "{list} | find -files0-from - -maxdepth 0 ! -perm {} -printf '%p has mode %m\\n'",
                    argument(mode)
                ));
            }
        }
        let mut step = Step::new(
            format!("set owner and mode below {path}"),
            lines.join(" &&\n"),
        )
        .touch(Touch::Path(path.to_owned()))
        .before(was(&info.abs, info.stat.as_ref(), None));
        if let Some(stat) = stat {
            step = step.verify(standing(&info.abs, stat, None));
        }
        if !checks.is_empty() {
            let script = format!(
                "cd -- {} || exit 1\nw=$({})\n[ -z \"$w\" ] || {{ printf '%s\\n' \"$w\"; false; }}",
                quote(&info.abs),
                checks.join("; ")
            );
            step = step.verify(Expect::Check {
                field: "mode".to_owned(),
                script,
            });
        }
        step
    }
}
