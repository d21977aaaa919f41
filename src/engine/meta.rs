//! `meta`: a play, a batch, a host or a role that ends early, and facts that are forgotten.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::host::{HostRun, Turn};
use super::layout::What;
use super::state::Out;
use super::walk::{Step, Walk};
use crate::change::FACT;
use crate::event::Event;
use crate::fact::Question;
use crate::playbook::{Meta, Role, Task};

impl HostRun {
    /// At a `meta`. Its condition is asked as soon as its names are known; what it does is done when everything before it is.
    pub(super) fn meta(
        &mut self,
        index: usize,
        task: &Arc<Task>,
        meta: Meta,
        walk: &mut Walk,
    ) -> Step {
        if matches!(
            meta,
            Meta::Noop | Meta::ResetConnection | Meta::FlushHandlers
        ) {
            return self.past(index, task, walk);
        }
        let ready = walk.clear && walk.batch.entries.is_empty();
        let for_all = matches!(meta, Meta::EndPlay | Meta::EndBatch);
        if for_all && !self.is_first_of_batch() {
            return self.follow_end(index, task, meta, ready, walk);
        }
        let scope = self.binder.scope(task, self.items[index].given.to_vec());
        match self.binder.holds(task, &scope) {
            Ok(false) => {
                if for_all {
                    self.progress.answer(&self.items[index].place, false);
                }
                self.past(index, task, walk)
            }
            Ok(true) if !ready => Step::Break,
            Ok(true) => {
                if for_all {
                    self.progress.answer(&self.items[index].place, true);
                }
                self.end(index, task, meta, walk)
            }
            Err(stop) => self.unbound(index, task, stop, walk),
        }
    }

    fn past(&mut self, index: usize, task: &Task, walk: &Walk) -> Step {
        self.drop_item(index, task);
        self.pass_nothing(index, walk);
        Step::On
    }

    /// The first host of a batch decides for all of them, as in Ansible.
    fn is_first_of_batch(&self) -> bool {
        let alive = |name: &&Arc<str>| {
            let host = self.run.hosts.get(*name);
            host.is_some_and(|host| host.out() == Out::Alive)
        };
        self.play.batch.iter().find(alive) == Some(&self.host.name)
    }

    fn follow_end(
        &mut self,
        index: usize,
        task: &Arc<Task>,
        meta: Meta,
        ready: bool,
        walk: &mut Walk,
    ) -> Step {
        let place = self.items[index].place.clone();
        match self.progress.answered(&place) {
            Some(false) => self.past(index, task, walk),
            Some(true) if ready => self.end(index, task, meta, walk),
            Some(true) => Step::Break,
            None if !ready => {
                walk.clear = false;
                Step::On
            }
            None if !walk.missing.is_empty() => Step::Break,
            None => {
                self.progress.reach(&self.host.name, &place);
                // The first host is on its way: to come here it may need what waiting hosts hold ready.
                Step::Turn(match self.progress.all_at(&self.host.name, &place) {
                    true => Turn::Pause(Instant::now() + Duration::from_millis(10)),
                    false => Turn::Wait(place),
                })
            }
        }
    }

    fn end(&mut self, index: usize, task: &Task, meta: Meta, walk: &Walk) -> Step {
        match meta {
            Meta::ClearFacts => {
                let mut vars = self.host.vars();
                vars.facts = None;
                vars.set.retain(|name, _| !name.starts_with(FACT));
                drop(vars);
                self.known.forget(&Question::Facts);
            }
            Meta::EndRole => self.leave_role(index, task),
            _ => {
                if meta == Meta::EndPlay {
                    self.layout.end();
                }
                self.say_owed(task);
                for slot in self.items.split_off(index + 1) {
                    if let What::Task(task) = slot.what {
                        self.withdraw(&task);
                    }
                }
                self.slots.truncate(index + 1);
            }
        }
        self.past(index, task, walk);
        self.anew()
    }

    /// Handlers that are due when a host ends stay owed.
    fn say_owed(&self, task: &Task) {
        if self.notified.is_due() {
            self.run.say(Event::Warning {
                host: Some(self.host.name.clone()),
                message: format!(
                    "`{}` ends here before its handlers ran; in an apply, the next run of the play runs them",
                    task.label
                ),
            });
        }
    }

    /// The rest of the role, with what it includes, is not done.
    fn leave_role(&mut self, index: usize, task: &Task) {
        let Some(role) = task.role.clone() else {
            return;
        };
        let is_inside = |other: &Role| {
            other.number == role.number || other.chain.iter().any(|own| Arc::ptr_eq(own, &role.own))
        };
        for at in index + 1..self.items.len() {
            let What::Task(other) = self.items[at].what.clone() else {
                continue;
            };
            if !other.role.as_deref().is_some_and(is_inside) {
                break;
            }
            self.drop_item(at, &other);
        }
    }
}
