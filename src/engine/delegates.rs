//! Hosts that act for others: who they may be, said before anything is connected.

use std::collections::HashMap;
use std::sync::Arc;

use minijinja::Value as Native;

use super::{native, sequences};
use crate::inventory::{Host, HostPattern};
use crate::playbook::{Loop, LoopKind, Project, Scheduled, Task, VarsFile};
use crate::template::{Lookup, Scope, Templates, to_native};
use crate::value::{Entry, Kind, Map, Value};

/// The names of all hosts that some task is delegated to, as far as the inventory says them, and whether root is needed there.
pub fn of(project: &Project, templates: &Templates) -> HashMap<String, bool> {
    let mut found = HashMap::new();
    for scheduled in &project.plays {
        for task in scheduled.play.tasks_and_handlers() {
            if task.delegate.is_none() {
                continue;
            }
            let privilege = task.privilege.over(&scheduled.play.privilege);
            let becomes = super::hosts::becomes(&privilege);
            for name in names(project, scheduled, task, templates) {
                *found.entry(name).or_insert(false) |= becomes;
            }
        }
    }
    found
}

fn names(
    project: &Project,
    scheduled: &Scheduled,
    task: &Task,
    templates: &Templates,
) -> Vec<String> {
    let Some(delegate) = &task.delegate else {
        return Vec::new();
    };
    let mut names = Vec::new();
    for name in &scheduled.hosts {
        let Some(host) = project.inventory.hosts.get(name) else {
            continue;
        };
        let scope = |own: Vec<(Arc<str>, Native)>| -> Arc<dyn Scope> {
            Arc::new(Foreseen {
                groups: groups(project),
                extra: project.extra.clone(),
                play: scheduled.clone(),
                task: task.clone(),
                host: host.clone(),
                own,
            })
        };
        let plain = scope(Vec::new());
        let items = match &task.repeat {
            Some(repeat) => items(project, repeat, templates, &plain),
            None => Vec::new(),
        };
        let looped = items.iter().enumerate().map(|(index, item)| {
            let repeat = task.repeat.as_ref();
            let var = repeat.map(|repeat| (repeat.var.clone(), to_native(item)));
            let place = repeat.and_then(|repeat| Some((repeat.index_var.clone()?, index.into())));
            scope(var.into_iter().chain(place).collect())
        });
        for scope in std::iter::once(plain.clone()).chain(looped) {
            let rendered = templates.render(delegate, &scope);
            names.extend(
                rendered
                    .ok()
                    .and_then(|name| name.as_str().map(str::to_owned)),
            );
        }
    }
    names
}

/// What a loop goes over, as far as it is known before anything is connected.
fn items(
    project: &Project,
    repeat: &Loop,
    templates: &Templates,
    scope: &Arc<dyn Scope>,
) -> Vec<Value> {
    let Some(value) = foreseen(&repeat.items, templates, scope) else {
        return Vec::new();
    };
    match repeat.kind {
        LoopKind::Lookup("inventory_hostnames") => {
            let patterns = match value.as_list() {
                Some(patterns) => patterns.to_vec(),
                None => vec![value.clone()],
            };
            let patterns = patterns.iter().filter_map(Value::as_str);
            patterns
                .filter_map(|text| HostPattern::from_option("inventory_hostnames", text).ok())
                .filter_map(|pattern| pattern.select_for_play(&project.inventory).ok())
                .flat_map(|matched| matched.hosts)
                .map(|host| Value::str(host.as_str(), &value.span))
                .collect()
        }
        LoopKind::Lookup(_) => Vec::new(),
        kind => sequences::of(kind, &value).unwrap_or_default(),
    }
}

/// A value without the parts that only the run will tell.
fn foreseen(value: &Value, templates: &Templates, scope: &Arc<dyn Scope>) -> Option<Value> {
    if let Ok(rendered) = templates.render(value, scope) {
        return Some(rendered);
    }
    let kind = match &value.kind {
        Kind::List(items) => {
            let items = items.iter();
            let items = items.filter_map(|item| foreseen(item, templates, scope));
            Kind::List(Arc::new(items.collect()))
        }
        Kind::Map(map) => {
            let mut known = Map::new();
            for (name, entry) in map.iter() {
                if let Some(value) = foreseen(&entry.value, templates, scope) {
                    let entry = Entry {
                        key: entry.key.clone(),
                        value,
                    };
                    known.insert(name.clone(), entry);
                }
            }
            Kind::Map(Arc::new(known))
        }
        _ => return None,
    };
    Some(Value::new(kind, &value.span))
}

fn groups(project: &Project) -> Native {
    let groups = project.inventory.groups.values().map(|group| {
        let hosts: Vec<&str> = group.hosts.iter().map(|host| host.as_str()).collect();
        (group.name.as_str(), hosts)
    });
    native(groups.collect::<indexmap::IndexMap<_, _>>())
}

/// What is known of a task on a host before the run.
struct Foreseen {
    groups: Native,
    extra: Arc<crate::value::Map>,
    play: Scheduled,
    task: Task,
    host: Host,
    /// The variables of the loop.
    own: Vec<(Arc<str>, Native)>,
}

impl Scope for Foreseen {
    fn lookup(&self, name: &str) -> Lookup {
        if let Some((_, value)) = self.own.iter().find(|(own, _)| **own == *name) {
            return Lookup::Ready(value.clone());
        }
        let role = self.task.role.iter();
        let files = self.play.play.vars_files.iter().rev();
        let files = files.filter_map(|file| match file {
            VarsFile::Read { vars, .. } => Some(&**vars),
            VarsFile::Template(_) => None,
        });
        let layers = std::iter::once(&*self.extra)
            .chain(self.task.params.iter().rev().map(Arc::as_ref))
            .chain(self.task.vars.iter().rev().map(Arc::as_ref))
            .chain(
                role.clone()
                    .flat_map(|role| role.vars.iter().rev().map(Arc::as_ref)),
            )
            .chain(files)
            .chain([&self.play.play.vars, &*self.host.vars])
            .chain(role.flat_map(|role| role.defaults.iter().rev().map(Arc::as_ref)));
        for layer in layers {
            if let Some(entry) = layer.get(name) {
                return Lookup::Written(entry.value.clone());
            }
        }
        match name {
            "groups" => Lookup::Ready(self.groups.clone()),
            "inventory_hostname" => Lookup::Ready(self.host.name.as_str().into()),
            "group_names" => {
                let names: Vec<&str> = self.host.groups.iter().map(|name| name.as_str()).collect();
                Lookup::Ready(native(names))
            }
            "play_hosts"
            | "ansible_play_hosts"
            | "ansible_play_hosts_all"
            | "ansible_play_batch" => {
                let names: Vec<&str> = self.play.hosts.iter().map(|name| name.as_str()).collect();
                Lookup::Ready(native(names))
            }
            _ => Lookup::Undefined,
        }
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}
