//! Handlers: who is notified, and the notes on the node that no restart is lost.

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::host::{Batch, HostRun, Slot, Turn};
use super::layout::{Item, What};
use super::state::lock;
use super::walk::{Step, Walk};
use crate::diagnostic::{Diagnostic, nearest};
use crate::event::{Event, Failure};
use crate::fact::Missing;
use crate::node::{OwedEntry, OwedNote};
use crate::playbook::{Task, TaskAction};
use crate::template::{Scope, Stop};

/// The handlers that are due on a host, by their index in the play.
#[derive(Debug, Default)]
pub struct Notified {
    due: BTreeSet<usize>,
}

impl Notified {
    /// Makes a handler due.
    pub fn add(&mut self, handler: usize) {
        self.due.insert(handler);
    }

    /// Whether any is due.
    pub fn is_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Those due, in the order of their definition; they are due no longer.
    pub fn take_due(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.due).into_iter().collect()
    }
}

impl HostRun {
    /// The handlers that a change of `task` makes due: by name (the last of that name, as in Ansible), or by topic.
    pub(super) fn handlers_of(&self, index: usize, task: &Task) -> Result<Vec<usize>, Stop> {
        let mut found = Vec::new();
        if task.notify.is_empty() {
            return Ok(found);
        }
        let scope: Arc<dyn Scope> = match self.slots[index]
            .units
            .as_ref()
            .and_then(|units| units.first())
        {
            Some(unit) => unit.scope.clone(),
            None => self.play.clone(),
        };
        for name in &task.notify {
            let name = self.run.templates.render(name, &scope)?;
            let wanted: Vec<&str> = match name.as_list() {
                Some(list) => list.iter().filter_map(|name| name.as_str()).collect(),
                None => name.as_str().into_iter().collect(),
            };
            for word in wanted {
                let handlers = self.layout.handlers();
                let named = handlers.iter().rposition(|handler| handler.is_called(word));
                let listens = |handler: &Task| handler.listen.iter().any(|topic| &**topic == word);
                // Of those that have one name the last counts, as in Ansible.
                let listening = handlers.iter().enumerate().filter(|(index, handler)| {
                    let same = |other: &Arc<Task>| {
                        handler.name.is_some() && other.name == handler.name && listens(other)
                    };
                    listens(handler) && !handlers[index + 1..].iter().any(same)
                });
                let listening = listening.map(|(index, _)| index);
                let before = found.len();
                found.extend(listening.chain(named));
                if found.len() == before {
                    let labels = handlers.iter().map(|handler| &*handler.label);
                    let near =
                        nearest(word, labels).map(|near| format!("; did you mean `{near}`?"));
                    return Err(Diagnostic::at(
                        &name.span,
                        format!("there is no handler `{word}`{}", near.unwrap_or_default()),
                    )
                    .into());
                }
            }
        }
        Ok(found)
    }

    /// A change makes its handlers due. Says what is wrong with their names.
    pub(super) fn notify(&mut self, index: usize, task: &Task) -> Option<Failure> {
        if let Ok(handlers) = self.handlers_of(index, task) {
            for handler in handlers {
                let note = self.note_of(handler);
                lock(&self.host.paid).retain(|paid| *paid != note);
                lock(&self.host.due).insert(note);
                self.notified.add(handler);
            }
        }
        self.misnamed(index, task)
    }

    /// What is wrong with the names of the handlers that `task` notifies, as far as it is known.
    pub(super) fn misnamed(&self, index: usize, task: &Task) -> Option<Failure> {
        match self.handlers_of(index, task) {
            Err(Stop::Fault(fault)) => {
                let help =
                    "a handler is called by its name as written, or by a topic of its `listen`";
                Some(Failure::new(fault.one_line()).help(help))
            }
            _ => None,
        }
    }

    /// A step ran and was judged to be no change: the notes it wrote ahead are taken away, unless something else raised them.
    pub(super) fn unowe(&self, index: usize, task: &Task) {
        for handler in self.handlers_of(index, task).unwrap_or_default() {
            if !self.notified.due.contains(&handler) {
                self.paid(handler);
            }
        }
    }

    /// The notes to write before a change of `task`.
    pub(super) fn notes(&self, index: usize, task: &Task) -> Vec<OwedNote> {
        let handlers = self.handlers_of(index, task).unwrap_or_default();
        let all = self.layout.handlers();
        handlers
            .into_iter()
            .map(|handler| {
                let entry = OwedEntry {
                    id: String::new(),
                    playbook: self.run.project.playbooks.join(" "),
                    play: self.play.play.play.name.to_string(),
                    handler: all[handler].label.to_string(),
                    task: task.label.to_string(),
                    since: jiff::Timestamp::now()
                        .strftime("%Y-%m-%dT%H:%M:%SZ")
                        .to_string(),
                };
                OwedNote {
                    id: note_id(&entry.play, &entry.handler),
                    text: serde_json::to_string(&entry).unwrap_or_default(),
                }
            })
            .collect()
    }

    /// The note of a handler that succeeded and wrote nothing is taken away at the end of the run.
    pub(super) fn paid(&self, handler: usize) {
        let note = self.note_of(handler);
        lock(&self.host.due).remove(&note);
        lock(&self.host.paid).push(note);
    }

    /// Behind what a handler included.
    pub(super) fn paid_here(&mut self, index: usize, walk: &Walk) {
        if walk.clear && walk.batch.entries.is_empty() {
            self.pass(index);
        }
    }

    /// The name of a handler's note.
    pub(super) fn note_of(&self, handler: usize) -> String {
        note_id(
            &self.play.play.play.name,
            &self.layout.handlers()[handler].label,
        )
    }

    /// What earlier runs owe this play here is due now, and is said.
    pub(super) fn take_owed(&mut self) {
        let play = self.play.play.play.name.clone();
        let handlers = self.layout.handlers();
        let mut owed = lock(&self.host.owed);
        owed.retain(|entry| {
            let mine = *entry.play == *play;
            let handler = handlers
                .iter()
                .rposition(|handler| *handler.label == *entry.handler);
            let Some(handler) = handler.filter(|_| mine) else {
                return true;
            };
            lock(&self.host.due).insert(note_id(&entry.play, &entry.handler));
            self.notified.add(handler);
            self.run.say(Event::Owed {
                host: self.host.name.clone(),
                handler: entry.handler.clone(),
                since: entry.since.clone(),
            });
            false
        });
    }
}

impl HostRun {
    /// A place where what is notified runs.
    pub(super) fn flush(&mut self, index: usize, walk: &mut Walk) -> Step {
        if !walk.clear {
            return Step::On;
        }
        if walk.batch.entries.is_empty() {
            let mut due = self.notified.take_due();
            if due.is_empty() {
                self.pass(index);
                return Step::On;
            }
            let all = self.layout.handlers();
            // As in Ansible, what a handler notifies runs in its own place, before those that stand behind it.
            let notifies = |handler: &usize| {
                let task = &all[*handler];
                !task.notify.is_empty() || matches!(task.action, TaskAction::Include(_))
            };
            let first = due.iter().position(notifies).map_or(due.len(), |at| at + 1);
            for later in due.split_off(first) {
                self.notified.add(later);
            }
            let last = due.last().copied().filter(|_| self.notified.is_due());
            let place = self.items[index].place.clone();
            let within = self.items[index].within.clone();
            let handlers: Vec<Item> = due
                .into_iter()
                .map(|handler| Item {
                    within: within.clone(),
                    place: place.handler(handler),
                    given: Arc::default(),
                    what: What::Handler(handler, all[handler].clone()),
                })
                .collect();
            let added = handlers.len();
            // The flush stands once more behind them: handlers may notify handlers.
            let again = Item {
                place: match last {
                    Some(last) => place.handler(last).behind(),
                    None => place.behind_handlers(),
                },
                given: Arc::default(),
                what: What::Flush,
                within,
            };
            self.items
                .splice(index..=index, handlers.into_iter().chain([again]));
            self.slots
                .splice(index..=index, (0..=added).map(|_| Slot::default()));
            return Step::Turn(Turn::Script(Batch::default(), Missing::default()));
        }
        if self.notified.is_due() || self.batch_notifies(&walk.batch) {
            return Step::Break;
        }
        Step::On
    }

    fn batch_notifies(&self, batch: &Batch) -> bool {
        batch
            .entries
            .iter()
            .any(|entry| match &self.items[entry.item].what {
                What::Task(task) | What::Handler(_, task) => !task.notify.is_empty(),
                What::Flush | What::Paid(_) | What::Raise | What::Nothing => false,
            })
    }
}

/// File name of the note for a handler of a play.
fn note_id(play: &str, handler: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(play.as_bytes());
    hash.update([0]);
    hash.update(handler.as_bytes());
    hash.finalize()
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
