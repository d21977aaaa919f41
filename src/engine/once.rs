//! `run_once`: one host does a task, and all others of the play take what came of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use minijinja::Value as Native;

use super::clustered::is_cluster;
use super::host::HostRun;
use super::layout::What;
use super::native;
use super::place::Place;
use super::state::{Out, lock};
use super::verdict::UnitEnd;
use super::walk::{Step, Walk};
use crate::change::Touch;
use crate::event::{Event, Status};
use crate::playbook::{RunOnce, Task};
use crate::template::Stop;

/// A task in its place; and for what is done in each batch, its first host.
pub type Key = (usize, Place, Option<Arc<str>>);

/// What came of the tasks that run once, over all batches of a play.
#[derive(Default)]
pub struct Once {
    tasks: Mutex<HashMap<Key, State>>,
}

#[derive(Clone)]
enum State {
    /// A host is at it.
    Taken(Arc<str>),
    /// It is done.
    Done(Outcome),
}

/// What all hosts take of it.
#[derive(Clone)]
struct Outcome {
    by: Arc<str>,
    set: Vec<(Arc<str>, Native)>,
    failed: bool,
    /// Of a cluster: how it ended on each host.
    ends: HashMap<Arc<str>, UnitEnd>,
}

impl HostRun {
    /// Whether one host does the task for all. A template has said so by then: see [`HostRun::decide_once`].
    pub(super) fn is_once(&self, index: usize, task: &Task) -> bool {
        match task.run_once {
            RunOnce::No => false,
            RunOnce::Yes => true,
            RunOnce::If(_) => self.slots[index].once == Some(true),
        }
    }

    /// Evaluates a `run_once` that is a template, once for each host: it has the value that it has where the host comes to the task.
    pub(super) fn decide_once(&mut self, index: usize, task: &Arc<Task>) -> Result<(), Stop> {
        let template = task.run_once.template().cloned();
        if template.is_none() || self.slots[index].once.is_some() {
            return Ok(());
        }
        let scope = self.binder.scope(task, self.items[index].given.to_vec());
        let once = self.binder.flag(&template, "run_once", &scope)?;
        self.slots[index].once = Some(once.unwrap_or(false));
        Ok(())
    }

    /// At a task that runs once: none when this host is the one that does it.
    pub(super) fn once(&mut self, index: usize, task: &Arc<Task>, walk: &mut Walk) -> Option<Step> {
        let key = self.once_key(index, task);
        let ready = walk.clear && walk.batch.entries.is_empty();
        if ready {
            self.progress.reach(&self.host.name, &key.1);
        }
        if !ready && self.state(&key).is_none() && self.comes_first(&key) {
            // What comes before it may yet fail: it is this host's only when that is done.
            walk.clear = false;
            return None;
        }
        match self.state(&key) {
            Some(State::Taken(by)) if by == self.host.name => None,
            None if ready && self.take(&key) => None,
            Some(State::Done(outcome)) if ready => Some(self.follow(index, task, outcome)),
            _ => {
                walk.clear = false;
                self.promise(task);
                Some(Step::On)
            }
        }
    }

    /// The state of a task, as far as its host can still bring it to an end.
    fn state(&self, key: &Key) -> Option<State> {
        let state = lock(&self.layout.once.tasks).get(key).cloned()?;
        let State::Taken(by) = &state else {
            return Some(state);
        };
        let lost = self
            .run
            .hosts
            .get(by)
            .is_some_and(|host| host.out() != Out::Alive);
        Some(match lost {
            true => State::Done(Outcome {
                by: by.clone(),
                set: Vec::new(),
                failed: true,
                ends: HashMap::new(),
            }),
            false => state,
        })
    }

    /// Whether this is the first host of the batch that can come to that place.
    fn comes_first(&self, (_, place, _): &Key) -> bool {
        let mut batch = self.play.batch.iter();
        let first = batch.find(|name| {
            let alive = |host: &Arc<super::state::HostState>| host.out() == Out::Alive;
            self.run.hosts.get(*name).is_some_and(alive) && !self.progress.is_past(name, place)
        });
        first == Some(&self.host.name)
    }

    fn take(&self, key: &Key) -> bool {
        if !self.comes_first(key) {
            return false;
        }
        let mut tasks = lock(&self.layout.once.tasks);
        tasks
            .entry(key.clone())
            .or_insert_with(|| State::Taken(self.host.name.clone()));
        matches!(tasks.get(key), Some(State::Taken(by)) if *by == self.host.name)
    }

    /// Takes over what another host has done.
    fn follow(&mut self, index: usize, task: &Arc<Task>, mut outcome: Outcome) -> Step {
        if let Some(end) = outcome.ends.remove(&self.host.name)
            && (end.status == Status::Failed || !outcome.failed)
        {
            self.known.touch(&Touch::Everything);
            self.slots[index].units.get_or_insert_with(Arc::default);
            self.finish_unit(index, task, end);
            return self.anew();
        }
        for (name, value) in outcome.set {
            self.set(name, value);
        }
        // What another host included is not done here.
        self.withdraw(task);
        self.host.enter();
        if !outcome.failed {
            if let What::Handler(handler, _) = self.items[index].what {
                self.paid(handler);
            }
            self.pass(index);
            return Step::On;
        }
        self.run.say(Event::Warning {
            host: Some(self.host.name.clone()),
            message: format!(
                "`{}` runs once for all hosts, and failed on {}",
                task.label, outcome.by
            ),
        });
        self.fail(index);
        self.anew()
    }

    /// Tells all others what came of a task that runs once.
    pub(super) fn publish(
        &self,
        index: usize,
        task: &Task,
        registered: Option<&Native>,
        ends: &[UnitEnd],
        failed: bool,
    ) {
        let facts = ends.iter().flat_map(|end| &end.facts);
        let facts = facts.map(|(name, value)| (Arc::from(name.as_str()), native(value)));
        let register = task.register.clone().zip(registered.cloned());
        let outcome = Outcome {
            by: self.host.name.clone(),
            set: facts.chain(register).collect(),
            failed,
            ends: HashMap::new(),
        };
        let key = self.once_key(index, task);
        lock(&self.layout.once.tasks).insert(key, State::Done(outcome));
    }

    /// Tells all others how a cluster that this host drove ended on each of them.
    pub(super) fn publish_ends(
        &self,
        index: usize,
        task: &Task,
        ends: HashMap<Arc<str>, UnitEnd>,
        failed: bool,
    ) {
        let outcome = Outcome {
            by: self.host.name.clone(),
            set: Vec::new(),
            failed,
            ends,
        };
        let key = self.once_key(index, task);
        lock(&self.layout.once.tasks).insert(key, State::Done(outcome));
    }

    /// The task that runs once and that this host waits for, if it does.
    pub(super) fn awaits(&self) -> Option<Key> {
        let item = self.items.get(self.cursor)?;
        let (What::Task(task) | What::Handler(_, task)) = &item.what else {
            return None;
        };
        let key = self.once_key(self.cursor, task);
        let waits = (self.is_once(self.cursor, task) || is_cluster(task))
            && match self.state(&key) {
                Some(State::Taken(by)) => by != self.host.name,
                Some(State::Done(_)) => false,
                None => !self.comes_first(&key),
            };
        waits.then_some(key)
    }

    /// Waits until another host has done it, or this one has to.
    pub(super) async fn wait_for_once(&mut self, key: Key) {
        let by = match self.state(&key) {
            Some(State::Taken(by)) => by.to_string(),
            _ => "another host".to_owned(),
        };
        self.working(format!("waiting for {by}, which does this for all"));
        self.release();
        while self.awaits().as_ref() == Some(&key)
            && !self.run.stop.is_cancelled()
            && !self.must_stop()
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.acquire().await;
    }
}
