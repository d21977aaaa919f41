//! Hosts that act for others: who they may be, said before anything is connected.

use std::collections::HashMap;
use std::sync::Arc;

use minijinja::Value as Native;

use super::native;
use crate::inventory::Host;
use crate::playbook::{Project, Scheduled, Task};
use crate::template::{Lookup, Scope, Templates, to_native};
use crate::value::Value;

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
        let scope = |item: Option<&Value>| -> Arc<dyn Scope> {
            let var = task.repeat.as_ref().map(|repeat| repeat.var.clone());
            Arc::new(Foreseen {
                groups: groups(project),
                extra: project.extra.clone(),
                play: scheduled.clone(),
                task: task.clone(),
                host: host.clone(),
                item: var.zip(item.map(to_native)),
            })
        };
        let items = match &task.repeat {
            Some(repeat) => match templates.render(&repeat.items, &scope(None)) {
                Ok(items) => items.as_list().map(<[Value]>::to_vec).unwrap_or_default(),
                Err(_) => Vec::new(),
            },
            None => Vec::new(),
        };
        let scopes = std::iter::once(scope(None)).chain(items.iter().map(|item| scope(Some(item))));
        for scope in scopes {
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
    item: Option<(Arc<str>, Native)>,
}

impl Scope for Foreseen {
    fn lookup(&self, name: &str) -> Lookup {
        if let Some((var, item)) = &self.item
            && **var == *name
        {
            return Lookup::Ready(item.clone());
        }
        let role = self.task.role.iter();
        let layers = std::iter::once(&*self.extra)
            .chain(self.task.params.iter().rev().map(Arc::as_ref))
            .chain(self.task.vars.iter().rev().map(Arc::as_ref))
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
