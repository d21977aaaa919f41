//! Arguments of roles that are known before any host is, checked against what the role says of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fields::is_literal;
use super::magic::{MAGIC, ROLE};
use super::project::{Project, Scheduled};
use super::role_specs::CHECKER;
use super::undefined::Run;
use super::{Meta, Task, TaskAction, VarsFile};
use crate::diagnostic::{Diagnostic, list};
use crate::inventory::Host;
use crate::resource::Args;
use crate::resource::argument_spec::validate;
use crate::value::{Entry, Kind, Map, Value};

/// The faults that every run has: of tasks that are surely done, with values that no task can change.
pub(super) fn faults(project: &Project) -> Vec<Diagnostic> {
    let mut run = None;
    let mut faults = Vec::new();
    for scheduled in &project.plays {
        let play = &scheduled.play;
        let tasks = play.all_tasks();
        let mut sure = Vec::new();
        surely_done(tasks, &mut sure);
        for (task, args) in sure {
            let run = run.get_or_insert_with(|| Run::of(project));
            let place = Place {
                project,
                scheduled,
                task,
                run,
            };
            faults.append(&mut place.faults(args));
        }
    }
    faults
}

/// The tasks that check arguments and are reached on every host. False where nothing behind is sure any more.
fn surely_done<'a>(
    tasks: impl Iterator<Item = &'a Task>,
    found: &mut Vec<(&'a Task, &'a Args)>,
) -> bool {
    for task in tasks {
        let sure = task.when.is_empty()
            && task.repeat.is_none()
            && task.ignore_errors.is_none()
            && task.failed_when.is_empty()
            && task.within.is_empty();
        match &task.action {
            TaskAction::Meta(Meta::EndBatch | Meta::EndHost | Meta::EndPlay | Meta::EndRole) => {
                return false;
            }
            TaskAction::Include(include) => match &include.read {
                None => return false,
                Some(read) if sure => {
                    if !surely_done(read.tasks.iter(), found) {
                        return false;
                    }
                }
                Some(read) => {
                    if !surely_done(read.tasks.iter(), &mut Vec::new()) {
                        return false;
                    }
                }
            },
            TaskAction::Kind { kind, args } if kind.name == CHECKER && sure => {
                found.push((task, args));
            }
            _ => {}
        }
    }
    true
}

/// What is known of a name.
pub(super) enum Known<'a> {
    Value(&'a Value),
    /// A task or the node may say.
    Open,
    Nothing,
}

/// A task of a play.
pub(super) struct Place<'a> {
    pub(super) project: &'a Project,
    pub(super) scheduled: &'a Scheduled,
    pub(super) task: &'a Task,
    pub(super) run: &'a Run,
}

impl Place<'_> {
    fn faults(&self, args: &Args) -> Vec<Diagnostic> {
        let Some(spec) = args.get("argument_spec").and_then(Value::as_map) else {
            return Vec::new();
        };
        let empty = Map::new();
        let provided = args.get("provided_arguments").map(Value::as_map);
        let provided = provided.unwrap_or(Some(&empty)).filter(|_| is_named(args));
        let Some(provided) = provided else {
            return Vec::new();
        };
        let hosts = self.scheduled.hosts.iter();
        let hosts = hosts.filter_map(|name| self.project.inventory.hosts.get(name));
        let mut found: BTreeMap<(String, String), (Diagnostic, Vec<&str>)> = BTreeMap::new();
        for host in hosts {
            for fault in self.on(host, args, spec, provided) {
                let key = (fault.one_line(), fault.message.clone());
                let entry = found.entry(key).or_insert((fault, Vec::new()));
                entry.1.push(host.name.as_str());
            }
        }
        let all = self.scheduled.hosts.len();
        let told = found
            .into_values()
            .map(|(fault, hosts)| match hosts.len() == all {
                true => fault,
                false => fault.label(format!("on {}", list(hosts))),
            });
        told.collect()
    }

    fn on(&self, host: &Host, args: &Args, spec: &Map, provided: &Map) -> Vec<Diagnostic> {
        let mut given = Map::new();
        let mut known = Map::new();
        for (name, entry) in spec {
            let found = match provided.get(name) {
                Some(entry) => Known::Value(&entry.value),
                None => self.find(name, host),
            };
            let (value, option) = match found {
                Known::Nothing => (None, entry.value.clone()),
                Known::Value(value) if is_literal(value) && is_literal(&entry.value) => {
                    (Some(value.clone()), entry.value.clone())
                }
                _ => (Some(Value::new(Kind::Null, &entry.key)), any(&entry.value)),
            };
            let key = entry.key.clone();
            if let Some(value) = value {
                given.insert(
                    name.clone(),
                    Entry {
                        key: key.clone(),
                        value,
                    },
                );
            }
            known.insert(name.clone(), Entry { key, value: option });
        }
        for (name, entry) in provided {
            if given.contains_key(name) {
                continue;
            }
            let mut entry = entry.clone();
            if !is_literal(&entry.value) {
                // What it is another name of can be anything.
                let of = known
                    .values_mut()
                    .find(|option| is_alias(&option.value, name));
                of.into_iter()
                    .for_each(|option| option.value = any(&option.value));
                entry.value = Value::new(Kind::Null, &entry.value.span);
            }
            given.insert(name.clone(), entry);
        }
        let role = self.task.role.as_ref().map(|role| &role.own.name);
        let other_name = |name: &Arc<str>| {
            let option = &spec.get(name)?.value;
            let mut all = given.iter();
            all.find_map(|(given, entry)| is_alias(option, given).then_some(entry))
        };
        let problems = validate(&known, given.clone()).into_iter();
        let told = problems.map(|problem| {
            let name = problem.options.first();
            let value = name.and_then(|name| given.get(name).or_else(|| other_name(name)));
            let place = value.map_or(&args.span, |entry| &entry.value.span);
            let message = match role {
                Some(role) => format!("role `{role}`: {}", problem.message),
                None => problem.message,
            };
            let fault = Diagnostic::at(place, message);
            match name.and_then(|name| spec.get(name)) {
                Some(entry) => fault.related(&entry.key, "what is said of it"),
                None => fault.related(&self.task.span, "what is said of its arguments"),
            }
        });
        told.collect()
    }

    /// What a name is to the task on a host; the order is that of the engine's scope.
    pub(super) fn find<'h>(&'h self, name: &str, host: &'h Host) -> Known<'h> {
        let in_map = |map: &Arc<Map>| map.contains_key(name);
        if ROLE.contains(&name) || self.task.given.iter().any(|given| **given == *name) {
            return Known::Open;
        }
        let extra = [&self.project.extra];
        let strong = extra.into_iter().chain(self.task.params.iter().rev());
        if let Some(map) = strong.into_iter().find(|map| in_map(map)) {
            return Known::Value(&map[name].value);
        }
        if self.run.open || self.run.names.contains(name) {
            return Known::Open;
        }
        if let Some(map) = self.task.vars.iter().rev().find(|map| in_map(map)) {
            return Known::Value(&map[name].value);
        }
        let play = &self.scheduled.play;
        let included = play
            .tasks_and_handlers()
            .filter_map(|task| match &task.action {
                TaskAction::Include(include) => include.read.as_ref(),
                _ => None,
            });
        let mut brought = included.flat_map(|read| &read.public);
        let open = play
            .vars_files
            .iter()
            .any(|file| matches!(file, VarsFile::Template(_)));
        if open || brought.any(|role| role.defines(name)) || MAGIC.contains(&name) {
            return Known::Open;
        }
        let public = || play.roles.public.iter().rev();
        let files = play.vars_files.iter().rev().filter_map(|file| match file {
            VarsFile::Read { vars, .. } => Some(vars),
            VarsFile::Template(_) => None,
        });
        let mut layers = public()
            .flat_map(|role| role.shown_vars.iter().rev())
            .chain(files);
        if let Some(map) = layers.find(|map| in_map(map)) {
            return Known::Value(&map[name].value);
        }
        if let Some(entry) = play.vars.get(name) {
            return Known::Value(&entry.value);
        }
        if let Some(entry) = host.vars.get(name) {
            return Known::Value(&entry.value);
        }
        if name.starts_with("ansible_") {
            return Known::Open;
        }
        let own = self
            .task
            .role
            .iter()
            .flat_map(|role| role.defaults.iter().rev());
        let mut defaults = own.chain(public().flat_map(|role| role.shown_defaults.iter().rev()));
        match defaults.find(|map| in_map(map)) {
            Some(map) => Known::Value(&map[name].value),
            None => Known::Nothing,
        }
    }
}

/// Whether the names of all that is given are written out.
fn is_named(args: &Args) -> bool {
    let maps = ["argument_spec", "provided_arguments"].map(|name| args.get(name));
    maps.into_iter()
        .flatten()
        .all(|value| value.as_map().is_some())
}

/// An option that takes anything under the same names.
fn any(option: &Value) -> Value {
    let kept = option.as_map().into_iter().flatten();
    let kept = kept.filter(|(key, _)| key.as_ref() == "aliases");
    let mut map: Map = kept
        .map(|(key, entry)| (key.clone(), entry.clone()))
        .collect();
    let value = Value::str("raw", &option.span);
    let key = option.span.clone();
    map.insert("type".into(), Entry { key, value });
    Value::new(Kind::Map(Arc::new(map)), &option.span)
}

fn is_alias(option: &Value, name: &str) -> bool {
    let aliases = option.as_map().and_then(|map| map.get("aliases"));
    let aliases = aliases
        .and_then(|entry| entry.value.as_list())
        .unwrap_or_default();
    aliases.iter().any(|alias| alias.as_str() == Some(name))
}
