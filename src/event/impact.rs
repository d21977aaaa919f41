//! What all changes of a run together do to services and nodes: what a person wants to know before saying yes.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Status, TaskResult};
use crate::change::Effect;

/// Services that are disturbed, nodes that restart, and what cannot be foretold. Hosts are in the order in which they were told of, until they
/// are [ordered](Impact::ordered).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Impact {
    /// Reloads and restarts, each with its hosts.
    pub effects: Vec<(Effect, Vec<Arc<str>>)>,
    /// The same of what may happen: it depends on what only an apply knows.
    pub possible: Vec<(Effect, Vec<Arc<str>>)>,
    /// Hosts that restart themselves.
    pub reboots: Vec<Arc<str>>,
    /// Tasks of which only an apply knows what they do: commands, and what waits for them.
    pub open: Vec<(Arc<str>, Vec<Arc<str>>)>,
}

impl Impact {
    /// Takes a task's end in.
    pub fn note(&mut self, result: &TaskResult) {
        let open = match result.status {
            Status::Changed => false,
            Status::Unknown => true,
            _ => return,
        };
        let host = &result.host;
        for follows in &result.follows {
            if follows.effect == Effect::None {
                continue;
            }
            let effects = match open {
                true => &mut self.possible,
                false => &mut self.effects,
            };
            add(effects, &follows.effect, host);
        }
        if open {
            add(&mut self.open, &result.task, host);
        } else if result.kind == "reboot" && !self.reboots.contains(host) {
            self.reboots.push(host.clone());
        }
    }

    /// With its hosts in this order, whichever came first to its task.
    pub fn ordered<'a>(mut self, hosts: impl Iterator<Item = &'a Arc<str>>) -> Impact {
        let place: HashMap<&Arc<str>, usize> = hosts.zip(0..).collect();
        let effects = self.effects.iter_mut().chain(&mut self.possible);
        let lists = effects.map(|(_, hosts)| hosts);
        let open = self.open.iter_mut().map(|(_, hosts)| hosts);
        for list in lists.chain(open).chain([&mut self.reboots]) {
            list.sort_by_key(|host| place.get(host).copied());
        }
        self
    }

    /// What may happen and is not certain anyway.
    pub fn uncertain(&self) -> Vec<(&Effect, Vec<&Arc<str>>)> {
        let certain = |effect: &Effect, host: &Arc<str>| {
            let mut same = self.effects.iter().filter(|(known, _)| known == effect);
            same.any(|(_, hosts)| hosts.contains(host))
        };
        self.possible
            .iter()
            .map(|(effect, hosts)| {
                let hosts = hosts.iter().filter(|host| !certain(effect, host));
                (effect, hosts.collect::<Vec<_>>())
            })
            .filter(|(_, hosts)| !hosts.is_empty())
            .collect()
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Impact) {
        for (mine, theirs) in [
            (&mut self.effects, &other.effects),
            (&mut self.possible, &other.possible),
        ] {
            for (effect, hosts) in theirs {
                hosts.iter().for_each(|host| add(mine, effect, host));
            }
        }
        for host in &other.reboots {
            if !self.reboots.contains(host) {
                self.reboots.push(host.clone());
            }
        }
        for (task, hosts) in &other.open {
            hosts
                .iter()
                .for_each(|host| add(&mut self.open, task, host));
        }
    }
}

fn add<T: Clone + PartialEq>(rows: &mut Vec<(T, Vec<Arc<str>>)>, what: &T, host: &Arc<str>) {
    match rows.iter_mut().find(|(known, _)| known == what) {
        Some((_, hosts)) if hosts.contains(host) => {}
        Some((_, hosts)) => hosts.push(host.clone()),
        None => rows.push((what.clone(), vec![host.clone()])),
    }
}
