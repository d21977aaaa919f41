//! One play on one host: all remaining tasks are bound and compared at once, what is missing is read in one script, what differs is
//! written in one script, and so on until nothing is left.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use minijinja::Value as Native;
use tokio::sync::OwnedSemaphorePermit;

use super::bind::{Binder, Unit};
use super::handlers::Notified;
use super::layout::{Item, Layout, What};
use super::once::Key;
use super::place::Place;
use super::progress::Progress;
use super::scope::{Aside, GATHERING, PlayScope};
use super::state::{HostState, Out, Run, lock};
use super::verdict::UnitEnd;
use super::walk::{Step, Walk};
use crate::change::Change;
use crate::event::{Event, Failure};
use crate::fact::{Known, Missing, Question};
use crate::node::PlacedStep;
use crate::playbook::Task;
use crate::template::Stop;

/// A task's units and how they ended so far.
#[derive(Default)]
pub(super) struct Slot {
    pub units: Option<Arc<Vec<Arc<Unit>>>>,
    pub ends: Vec<UnitEnd>,
    /// What `run_once` comes to, where it is a template.
    pub once: Option<bool>,
    /// Whether what an include includes is laid out behind it.
    pub expanded: bool,
    /// Attempts of the unit that is being tried again.
    pub attempts: u32,
    /// The next attempt is not made before then.
    pub again: Option<Instant>,
    /// The next item does not begin before then.
    pub rest: Option<Instant>,
    /// It tries to reach the host until then.
    pub patience: Option<Instant>,
    /// That this host may act for it, where not all may at once.
    pub turn: Option<OwnedSemaphorePermit>,
    /// How often what a unit was decided on had moved.
    pub moved: u32,
}

/// A unit whose verdict waits for the script it is part of.
pub(super) struct Entry {
    pub item: usize,
    pub unit: usize,
    pub change: Change,
    /// How many of the script's steps are its own.
    pub steps: usize,
}

/// What goes into one script.
#[derive(Default)]
pub(super) struct Batch {
    pub entries: Vec<Entry>,
    pub steps: Vec<PlacedStep>,
}

/// What a walk over the remaining tasks came to.
pub(super) enum Turn {
    /// Nothing is left.
    Done,
    /// Steps to run, questions to ask, or both.
    Script(Batch, Missing),
    /// Other hosts must first come to this place.
    Wait(Place),
    /// Another host does this for all.
    WaitForOnce(Key),
    /// Another host acts for this unit of a task.
    Delegate(usize, usize),
    /// This host drives a cluster for all.
    Cluster(usize),
    /// This host asks for all, in the unit of a task.
    Ask(usize, usize),
    /// Nothing is to be done before then.
    Pause(Instant),
    /// Facts of other hosts are not there yet.
    WaitForFacts,
    /// The host is out.
    Out,
}

/// One play on one host.
pub struct HostRun {
    pub(super) run: Arc<Run>,
    pub(super) play: Arc<PlayScope>,
    pub(super) host: Arc<HostState>,
    pub(super) layout: Arc<Layout>,
    pub(super) progress: Arc<Progress>,
    pub(super) binder: Binder,
    pub(super) items: Vec<Item>,
    pub(super) slots: Vec<Slot>,
    /// What is done when a task of a block failed, by the number of the block.
    pub(super) rescues: HashMap<usize, Vec<Item>>,
    /// How many blocks of included files were laid out.
    pub(super) blocks: usize,
    pub(super) cursor: usize,
    pub(super) known: Known,
    pub(super) notified: Notified,
    /// The task that made things uncertain in a plan.
    pub(super) uncertain: Option<String>,
    /// In a plan: an include of which not even the file is known.
    pub(super) hidden: Option<String>,
    /// A task failed and only forced handlers are left.
    pub(super) broken: bool,
    /// A task failed and the way goes on elsewhere: the walk begins anew.
    pub(super) leaped: bool,
    /// The roles that run once and have run, with the number of the use that did.
    pub(super) ran: HashMap<Arc<str>, usize>,
    /// In a plan: what other hosts would be that act for this one.
    pub(super) elsewhere: HashMap<Arc<str>, Known>,
    /// What names were before tasks promised to set them.
    pub(super) displaced: HashMap<Arc<str>, Option<Native>>,
    /// What names were before tasks promised them in this walk.
    pub(super) ahead: Aside,
    permit: Option<OwnedSemaphorePermit>,
}

impl HostRun {
    /// Ready to run.
    pub fn new(play: Arc<PlayScope>, layout: Arc<Layout>, progress: Arc<Progress>) -> HostRun {
        let host = play.host.clone();
        let known = std::mem::take(&mut *lock(&host.known));
        host.factless.store(false, Ordering::Relaxed);
        HostRun {
            run: play.run.clone(),
            binder: Binder { play: play.clone() },
            items: layout.items.clone(),
            slots: layout.items.iter().map(|_| Slot::default()).collect(),
            rescues: layout.rescues.clone(),
            blocks: 0,
            host,
            layout,
            progress,
            play,
            cursor: 0,
            known,
            notified: Notified::default(),
            uncertain: None,
            hidden: None,
            broken: false,
            leaped: false,
            ran: HashMap::new(),
            elsewhere: HashMap::new(),
            displaced: HashMap::new(),
            ahead: Aside::new(),
            permit: None,
        }
    }

    /// Works until nothing is left or the host is out.
    pub async fn work(mut self) {
        self.permit = self.run.forks.clone().acquire_owned().await.ok();
        self.take_owed();
        loop {
            if self.run.stop.is_cancelled() {
                self.host.take_out(Out::Interrupted);
                break;
            }
            if self.must_stop() {
                self.run.say(Event::Warning {
                    host: Some(self.host.name.clone()),
                    message: "stopped: more hosts of the play failed than may".to_owned(),
                });
                self.host.take_out(Out::Interrupted);
                break;
            }
            let turn = self.walk();
            // A host that failed during the walk may be why this one came to its place.
            if matches!(turn, Turn::Script(..)) && self.must_stop() {
                continue;
            }
            if matches!(turn, Turn::Wait(_) | Turn::WaitForOnce(_)) && !self.be_there().await {
                break;
            }
            match turn {
                Turn::Done | Turn::Out => break,
                Turn::Script(batch, missing) => {
                    if !self.script(batch, missing).await {
                        break;
                    }
                }
                Turn::Wait(place) => self.wait(&place).await,
                Turn::WaitForOnce(key) => self.wait_for_once(key).await,
                Turn::Delegate(index, number) => {
                    if !self.act_there(index, number).await {
                        break;
                    }
                }
                Turn::Cluster(index) => {
                    if !self.lead(index).await {
                        break;
                    }
                }
                Turn::Ask(index, number) => {
                    if !self.ask(index, number).await {
                        break;
                    }
                }
                Turn::Pause(until) => self.pause(until).await,
                Turn::WaitForFacts => self.wait_for_facts().await,
            }
        }
        if self.broken {
            self.host.take_out(Out::Failed);
        }
        self.progress.reach(&self.host.name, &Place::end());
        self.working(String::new());
        *lock(&self.host.known) = self.known;
    }

    /// Gives the permit back while `waiting`, so that no other host is kept from working.
    pub(super) async fn idle<T>(&mut self, waiting: impl Future<Output = T>) -> T {
        self.release();
        let value = waiting.await;
        self.acquire().await;
        value
    }

    /// Gives the permit back.
    pub(super) fn release(&mut self) {
        self.permit = None;
    }

    /// Waits for the permit to work.
    pub(super) async fn acquire(&mut self) {
        self.permit = self.run.forks.clone().acquire_owned().await.ok();
    }

    /// Whether more hosts of the play failed than may. Of those that failed, forced handlers run all the same.
    pub(super) fn must_stop(&self) -> bool {
        !self.host.is_bad()
            && (self.layout.is_fatal()
                || super::serial::too_many_failed(&self.run, &self.play.play))
    }

    pub(super) async fn wait(&mut self, place: &Place) {
        let progress = self.progress.clone();
        let (name, place) = (self.host.name.clone(), place.clone());
        if let Some(other) = progress.behind(&name, &place) {
            self.working(format!("waiting for {other}"));
        }
        let stop = self.run.stop.clone();
        self.idle(async move {
            tokio::select! {
                () = progress.wait(&name, &place) => {}
                () = stop.cancelled() => {}
            }
        })
        .await;
    }

    async fn pause(&mut self, until: Instant) {
        let stop = self.run.stop.clone();
        self.idle(async move {
            tokio::select! {
                () = tokio::time::sleep_until(until.into()) => {}
                () = stop.cancelled() => {}
            }
        })
        .await;
    }

    async fn wait_for_facts(&mut self) {
        self.working("waiting for the facts of other hosts".to_owned());
        self.idle(tokio::time::sleep(std::time::Duration::from_millis(10)))
            .await;
    }

    pub(super) fn working(&self, what: String) {
        self.run.say(Event::HostWorking {
            host: self.host.name.clone(),
            what,
        });
    }

    fn walk(&mut self) -> Turn {
        self.leaped = false;
        self.set_aside();
        self.forget_if_stale();
        let mut walk = Walk {
            view: self.known.clone(),
            batch: Batch::default(),
            missing: Missing::default(),
            clear: true,
        };
        if self.gathers() {
            walk.missing.merge(Missing::new([Question::Facts]));
            walk.clear = false;
        }
        match self.play.read_vars_files() {
            Ok(()) => {}
            Err(Stop::After(_)) => walk.clear = false,
            Err(Stop::Fault(fault)) => {
                self.run.say(Event::Diagnostic(fault));
                self.host.take_out(Out::Failed);
                return Turn::Out;
            }
        }
        let mut index = self.cursor;
        while index < self.items.len() {
            let step = match self.items[index].what.clone() {
                What::Flush => self.flush(index, &mut walk),
                What::Paid(_) => {
                    self.paid_here(index, &walk);
                    Step::On
                }
                What::Raise => self.raise(index, &mut walk),
                What::Nothing => {
                    self.pass_nothing(index, &walk);
                    Step::On
                }
                What::Task(task) | What::Handler(_, task) => self.task(index, &task, &mut walk),
            };
            match step {
                Step::On => index += 1,
                Step::Break => break,
                Step::Turn(turn) => return turn,
            }
        }
        if !walk.batch.entries.is_empty() || !walk.missing.is_empty() {
            return Turn::Script(walk.batch, walk.missing);
        }
        if self.cursor >= self.items.len() {
            self.drop_promises();
            return Turn::Done;
        }
        // Something is left and there is nothing to run or ask: it waits for another host.
        self.stuck()
    }

    /// A task that cannot be bound although nothing of this host is open.
    fn stuck(&mut self) -> Turn {
        if let Some(key) = self.awaits() {
            return Turn::WaitForOnce(key);
        }
        let item = self.items[self.cursor].clone();
        let (What::Task(task) | What::Handler(_, task)) = item.what.clone() else {
            return Turn::Wait(item.place);
        };
        let bind = || self.binder.bind(&task, &item.given);
        match self.play.at_place(&self.progress, &item.place, bind) {
            Err(Stop::After(what)) if what == GATHERING && self.facts_may_come() => {
                Turn::WaitForFacts
            }
            Err(Stop::After(_)) if !self.progress.all_at(&self.host.name, &item.place) => {
                Turn::Wait(item.place)
            }
            Err(Stop::After(what)) => {
                let failure = Failure::new(format!(
                    "it uses something that is known only after `{what}`, which does not come before it"
                ));
                self.end_task_early(self.cursor, &task, UnitEnd::failed(failure))
            }
            _ => Turn::Wait(item.place),
        }
    }

    /// Whether its facts are still to be gathered.
    pub(super) fn gathers(&self) -> bool {
        self.play.play.play.gather_facts
            && self.host.vars().facts.is_none()
            && !self.host.factless.load(Ordering::Relaxed)
    }

    /// Whether another host of the play still has its facts to gather.
    pub(super) fn facts_may_come(&self) -> bool {
        self.play.play.hosts.iter().any(|name| {
            self.run.hosts.get(name.as_str()).is_some_and(|host| {
                host.out() == Out::Alive
                    && host.vars().facts.is_none()
                    && !host.factless.load(Ordering::Relaxed)
            })
        })
    }

    /// The walk begins again with what is known and left now.
    pub(super) fn anew(&self) -> Step {
        Step::Turn(match self.host.out() {
            Out::Alive => Turn::Script(Batch::default(), Missing::default()),
            _ => Turn::Out,
        })
    }

    pub(super) fn end_task_early(&mut self, index: usize, task: &Arc<Task>, end: UnitEnd) -> Turn {
        self.slots[index].units.get_or_insert_with(Arc::default);
        self.slots[index].ends = vec![end];
        self.finish_task(index, task);
        if self.host.out() == Out::Alive {
            Turn::Script(Batch::default(), Missing::default())
        } else {
            Turn::Out
        }
    }
}
