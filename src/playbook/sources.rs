//! The files that a project was read from, as far as they have a say in it.

use std::collections::BTreeSet;

use super::{Project, TaskAction, VarsFile};
use crate::source::Span;
use crate::value::Map;

impl Project {
    /// Their paths as diagnostics print them. A file of variables that all give way to stronger ones is not among them.
    pub fn sources(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        of_map(&self.extra, &mut found);
        for host in self.inventory.hosts.values() {
            of_span(&host.span, &mut found);
            of_map(&host.vars, &mut found);
        }
        for scheduled in &self.plays {
            let play = &scheduled.play;
            of_span(&play.span, &mut found);
            of_map(&play.vars, &mut found);
            for file in &play.vars_files {
                if let VarsFile::Read { vars, .. } = file {
                    of_map(vars, &mut found);
                }
            }
            for task in play.tasks_and_handlers() {
                of_span(&task.span, &mut found);
                let role = task.role.iter().flat_map(|role| role.layers());
                let layers = task.vars.iter().chain(&task.params).chain(role);
                layers.for_each(|vars| of_map(vars, &mut found));
                if let TaskAction::Vars(ask) = &task.action
                    && let Some(read) = &ask.read
                {
                    of_map(&read.vars, &mut found);
                }
            }
        }
        found
    }
}

fn of_map(map: &Map, found: &mut BTreeSet<String>) {
    map.values().for_each(|entry| of_span(&entry.key, found));
}

fn of_span(span: &Span, found: &mut BTreeSet<String>) {
    let name = span.source().name();
    if !found.contains(name) && !name.starts_with('<') {
        found.insert(name.to_owned());
    }
}
