//! Tasks that are switched off: roles bring tasks for what their users may want (a firewall, a package manager, a service of others), each
//! behind a variable. What hadeploy does not have is no fault of a project in which a condition that can be told now keeps it from being
//! used: the task is skipped, and fails in its turn if its condition holds after all.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::magic::{LOOP, MAGIC, ROLE};
use super::project::{Project, Scheduled};
use super::spec_values::{Known, Place};
use super::undefined::Run;
use super::{Task, TaskAction};
use crate::diagnostic::Diagnostic;
use crate::inventory::Host;
use crate::template::{FreeName, Lookup, Scope, Templates};
use crate::value::{Kind, Value};

/// What is told of the tasks of a project.
pub(super) struct Idle<'a> {
    project: &'a Project,
    templates: &'a Templates,
    /// What its tasks define while they run.
    pub(super) run: Run,
    /// The tasks of each play with the include that each stands in.
    places: HashMap<usize, (&'a Scheduled, &'a Task, Option<usize>)>,
    told: RefCell<HashMap<usize, bool>>,
}

impl<'a> Idle<'a> {
    pub(super) fn of(project: &'a Project, templates: &'a Templates) -> Idle<'a> {
        let mut idle = Idle {
            project,
            templates,
            run: Run::of(project),
            places: HashMap::new(),
            told: RefCell::default(),
        };
        for scheduled in &project.plays {
            let play = &scheduled.play;
            for task in play.all_tasks().chain(&play.handlers) {
                idle.place(scheduled, task, None);
            }
        }
        idle
    }

    fn place(&mut self, scheduled: &'a Scheduled, task: &'a Task, within: Option<usize>) {
        self.places.insert(task.id, (scheduled, task, within));
        if let TaskAction::Include(include) = &task.action
            && let Some(read) = &include.read
        {
            for inner in read.tasks.iter() {
                self.place(scheduled, inner, Some(task.id));
            }
            for inner in &read.handlers {
                self.place(scheduled, inner, None);
            }
        }
    }

    /// What is not here, of tasks that may be done.
    pub(super) fn faults(&self) -> Vec<Diagnostic> {
        let mut absent: Vec<(usize, &[Diagnostic])> = Vec::new();
        for (id, (_, task, _)) in &self.places {
            if let TaskAction::Never(faults) = &task.action
                && !super::never::of_others(&task.when)
                && !self.is_off(*id)
            {
                absent.push((*id, faults));
            }
        }
        absent.sort_by_key(|(id, _)| *id);
        let faults = absent.into_iter().flat_map(|(_, faults)| faults);
        faults.cloned().collect()
    }

    /// Takes back what was said of what is not here since `before`, where the task that uses it is not done. True where something was.
    pub(super) fn forgive(&self, task: &Task, faults: &mut Vec<Diagnostic>, before: usize) -> bool {
        let said = faults[before..].iter().any(|fault| fault.absent);
        if !said || !self.is_off(task.id) {
            return false;
        }
        let mut at = 0;
        faults.retain(|fault| {
            at += 1;
            at <= before || !fault.absent
        });
        true
    }

    /// Whether no host does a task, as far as can be told.
    pub(super) fn is_off(&self, id: usize) -> bool {
        if let Some(told) = self.told.borrow().get(&id) {
            return *told;
        }
        let Some((scheduled, task, within)) = self.places.get(&id) else {
            return false;
        };
        let off = within.is_some_and(|id| self.is_off(id))
            || super::never::of_others(&task.when)
            || self.no_host_does(scheduled, task);
        self.told.borrow_mut().insert(id, off);
        off
    }

    fn no_host_does(&self, scheduled: &Scheduled, task: &Task) -> bool {
        if task.when.is_empty() || scheduled.hosts.is_empty() {
            return false;
        }
        let place = Place {
            project: self.project,
            scheduled,
            task,
            run: &self.run,
        };
        let mut hosts = scheduled.hosts.iter();
        hosts.all(|name| {
            let host = self.project.inventory.hosts.get(name);
            let mut conditions = task.when.iter();
            host.is_some_and(|host| {
                conditions.any(|condition| self.is_false(condition, &place, host))
            })
        })
    }

    /// Whether a condition is false whatever is found out in the run.
    fn is_false(&self, condition: &Value, place: &Place<'_>, host: &Host) -> bool {
        if let Kind::List(items) = &condition.kind {
            return items.iter().any(|item| self.is_false(item, place, host));
        }
        let mut names = Names(HashMap::new());
        let mut asked = self.templates.free_names_of_condition(condition);
        while let Some(FreeName { name, .. }) = asked.pop() {
            if names.0.contains_key(&name) {
                continue;
            }
            let found = match place.is_of_loop(&name) {
                true => Known::Open,
                false => place.find(&name, host),
            };
            let found = match found {
                Known::Value(value) => {
                    asked.extend(self.templates.free_names(value));
                    Lookup::Written(value.clone())
                }
                Known::Open => Lookup::After("a task".to_owned()),
                Known::Nothing => Lookup::Undefined,
            };
            names.0.insert(name, found);
        }
        let scope: Arc<dyn Scope> = Arc::new(names);
        matches!(self.templates.test(condition, &scope), Ok(false))
    }
}

impl Place<'_> {
    /// Whether a name is one that a loop around the task sets.
    fn is_of_loop(&self, name: &str) -> bool {
        let own = self.task.repeat.as_ref();
        let own = own.is_some_and(|repeat| {
            *repeat.var == *name || repeat.index_var.as_deref() == Some(name)
        });
        own || [LOOP, MAGIC, ROLE]
            .iter()
            .any(|names| names.contains(&name))
    }
}

/// The names that a condition asks for.
struct Names(HashMap<String, Lookup>);

impl Scope for Names {
    fn lookup(&self, name: &str) -> Lookup {
        self.0.get(name).cloned().unwrap_or(Lookup::Undefined)
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}
