//! Includes: the tasks of a file or role are laid out behind the task that includes it, as soon as it is known which one that is.

use std::collections::HashMap;
use std::sync::Arc;

use minijinja::Value as Native;

use super::bind::Binder;
use super::host::HostRun;
use super::layout::{Item, What};
use super::scope::TaskScope;
use crate::diagnostic::Diagnostic;
use crate::event::Event;
use crate::playbook::{Include, Loaded, Part, ReadVars, Role, Task, TaskAction, VarsAsk, Within};
use crate::template::{Stop, is_omit};

impl Binder {
    /// The file or role that is named now, with its tasks.
    pub(super) fn included(
        &self,
        task: &Task,
        include: &Include,
        scope: &Arc<TaskScope>,
    ) -> Result<Arc<Loaded>, Stop> {
        if let Some(loaded) = &include.read {
            return Ok(loaded.clone());
        }
        let run = &self.play.run;
        let chosen = include.choose(|value| self.render(value, scope))?;
        let loaded = run.files.tasks(task.id, &chosen.key, |first_id| {
            let loaded = include.load(&chosen, first_id)?;
            for warning in &loaded.warnings {
                run.say(Event::Diagnostic(Box::new(warning.clone())));
            }
            Ok(loaded)
        })?;
        let tasks = &loaded.tasks;
        let host = &self.play.host;
        let needs_root = |task: &&Task| {
            super::hosts::becomes(&task.privilege.over(&self.play.play.play.privilege))
        };
        if !host.root
            && let Some(task) = tasks.iter().flat_map(Task::with_included).find(needs_root)
        {
            return Err(Diagnostic::at(
                &task.span,
                format!("root is needed on `{}`, which no other task needs", host.name),
            )
            .help("the file is only known now: set `become` where it is included, on its play or a block")
            .into());
        }
        Ok(loaded)
    }
}

impl Binder {
    /// The variables that an `include_vars` reads now.
    pub(super) fn read_vars(
        &self,
        task: &Task,
        ask: &VarsAsk,
        scope: &Arc<TaskScope>,
    ) -> Result<Arc<ReadVars>, Stop> {
        if let Some(read) = &ask.read {
            return Ok(Arc::new(read.clone()));
        }
        let mut parameters = ask.parameters.clone();
        for entry in parameters.values_mut() {
            entry.value = self.render(&entry.value, scope)?;
        }
        parameters.retain(|_, entry| !is_omit(&entry.value));
        let key: Vec<String> = parameters
            .iter()
            .map(|(name, entry)| format!("{name}={}", entry.value.to_json()))
            .collect();
        let read = self
            .play
            .run
            .files
            .vars(task.id, &key.join("\n"), || ask.load(&parameters))?;
        Ok(read)
    }
}

impl HostRun {
    /// Lays out what a bound include includes, once.
    pub(super) fn expand(&mut self, index: usize, task: &Task) {
        let slot = &mut self.slots[index];
        let (Some(units), false) = (slot.units.clone(), slot.expanded) else {
            return;
        };
        slot.expanded = true;
        let item = self.items[index].clone();
        let mut laid_out = Vec::new();
        for (number, unit) in units.iter().enumerate() {
            let Some(included) = &unit.included else {
                continue;
            };
            self.layout.add_handlers(&included.handlers);
            self.show(&included.public);
            let given: Arc<[(Arc<str>, Native)]> = unit.scope.own.clone().into();
            // Each time a file is included, its blocks are others.
            let mut blocks: HashMap<usize, usize> = HashMap::new();
            for (position, inner) in included.tasks.iter().enumerate() {
                // Handlers run whatever tags are asked for.
                if !inner.handler && !self.run.project.tags.takes(&inner.tags) {
                    continue;
                }
                let mut own = Vec::new();
                for within in &inner.within[task.within.len()..] {
                    let block = *blocks.entry(within.block).or_insert_with(|| {
                        self.blocks += 1;
                        usize::MAX - self.blocks
                    });
                    own.push(Within { block, ..*within });
                }
                let rescue = own.iter().rfind(|within| within.part == Part::Rescue);
                let rescue = rescue.map(|within| within.block);
                let mut inner = Item::of(inner, item.place.inside(number, position));
                inner.within = item.within.iter().copied().chain(own).collect();
                inner.given = given.clone();
                match rescue {
                    Some(block) => self.rescues.entry(block).or_default().push(inner),
                    None => laid_out.push(inner),
                }
            }
        }
        if let What::Handler(handler, _) = item.what {
            laid_out.push(Item {
                place: item.place.behind(),
                what: What::Paid(handler),
                within: item.within,
                given: Arc::default(),
            });
        }
        self.insert(index + 1, laid_out);
    }

    /// From here on, all tasks of the play see the variables of some roles.
    fn show(&self, roles: &[Arc<Role>]) {
        let play = self.play.play.number;
        let mut vars = self.host.vars();
        for role in roles {
            vars.shown.push((play, role.clone()));
        }
    }

    /// What was laid out of includes from `from` on is not there any more: they are bound anew.
    pub(super) fn fold(&mut self, from: usize) {
        let mut at = from;
        while at < self.items.len() {
            if is_include(&self.items[at]) {
                let place = self.items[at].place.clone();
                let behind = self.items[at + 1..].iter();
                let count = behind
                    .take_while(|item| item.place.is_inside(&place))
                    .count();
                self.items.drain(at + 1..at + 1 + count);
                self.slots.drain(at + 1..at + 1 + count);
            }
            at += 1;
        }
    }

    /// Names that an include was to set are what they were before: its tasks promise them themselves.
    pub(super) fn withdraw(&mut self, task: &Task) {
        let names = super::walk::names_of(task);
        names.iter().for_each(|name| self.confirm(name));
        let mut vars = self.host.vars();
        for name in names {
            match self.displaced.remove(&name) {
                Some(Some(value)) => vars.set.insert(name, value),
                Some(None) => vars.set.remove(&name),
                None => continue,
            };
        }
    }
}

fn is_include(item: &Item) -> bool {
    match &item.what {
        What::Task(task) | What::Handler(_, task) => {
            matches!(task.action, TaskAction::Include(_))
        }
        _ => false,
    }
}
