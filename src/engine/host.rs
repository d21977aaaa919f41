//! One play on one host: all remaining tasks are bound and compared at once, what is missing is read in one script, what differs is
//! written in one script, and so on until nothing is left.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::bind::{Binder, Unit};
use super::handlers::Notified;
use super::native;
use super::progress::{END, Place, Progress};
use super::scope::{GATHERING, PlayScope};
use super::state::{HostState, Out, Run, lock};
use super::verdict::{self, UnitEnd};
use crate::change::Change;
use crate::event::{Event, Failure, Status};
use crate::fact::{Known, Missing, Question};
use crate::node::PlacedStep;
use crate::playbook::{Meta, Task, TaskAction};
use crate::template::{Scope, Stop, pending};

/// A play laid out: its tasks and flushes in order, shared by all hosts.
pub struct Layout {
    /// Tasks, with a flush of handlers behind each section.
    pub items: Vec<Item>,
    /// In the order of their definition.
    pub handlers: Vec<Arc<Task>>,
}

/// One thing in its place.
#[derive(Clone)]
pub struct Item {
    /// Where it stands in the play's order.
    pub place: Place,
    /// What it is.
    pub what: What,
}

/// A task or a flush.
#[derive(Clone)]
pub enum What {
    /// A task.
    Task(Arc<Task>),
    /// A notified handler, by its index in the play.
    Handler(usize, Arc<Task>),
    /// Handlers notified so far run here.
    Flush,
}

impl Layout {
    /// Lays a play out.
    pub fn of(play: &crate::playbook::Play) -> Layout {
        let mut what = Vec::new();
        for tasks in [&play.pre_tasks, &play.tasks, &play.post_tasks] {
            for task in tasks {
                what.push(match &task.action {
                    TaskAction::Meta(Meta::FlushHandlers) => What::Flush,
                    _ => What::Task(Arc::new(task.clone())),
                });
            }
            what.push(What::Flush);
        }
        Layout {
            items: what
                .into_iter()
                .enumerate()
                .map(|(index, what)| Item {
                    place: (index, 0, 0),
                    what,
                })
                .collect(),
            handlers: play.handlers.iter().cloned().map(Arc::new).collect(),
        }
    }
}

/// A task's units and how they ended so far.
#[derive(Default)]
pub(super) struct Slot {
    pub units: Option<Arc<Vec<Unit>>>,
    pub ends: Vec<UnitEnd>,
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
enum Turn {
    /// Nothing is left.
    Done,
    /// Steps to run, questions to ask, or both.
    Script(Batch, Missing),
    /// Other hosts must first come to this place.
    Wait(Place),
    /// Facts of other hosts are not there yet.
    WaitForFacts,
    /// The host is out.
    Out,
}

/// What goes on with the walk behind an item.
enum Step {
    On,
    /// The walk ends here; what was collected is run.
    Break,
    Turn(Turn),
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
    pub(super) cursor: usize,
    pub(super) known: Known,
    pub(super) notified: Notified,
    /// The task that made things uncertain in a plan.
    uncertain: Option<String>,
    /// A task failed and only forced handlers are left.
    pub(super) broken: bool,
    permit: Option<OwnedSemaphorePermit>,
}

/// The state of one walk.
struct Walk {
    view: Known,
    batch: Batch,
    missing: Missing,
    /// Whether every unit so far is decided; behind the first that is not, only questions are collected.
    clear: bool,
}

impl HostRun {
    /// Ready to run.
    pub fn new(play: Arc<PlayScope>, layout: Arc<Layout>, progress: Arc<Progress>) -> HostRun {
        let host = play.host.clone();
        let known = std::mem::take(&mut *lock(&host.known));
        HostRun {
            run: play.run.clone(),
            binder: Binder { play: play.clone() },
            items: layout.items.clone(),
            slots: layout.items.iter().map(|_| Slot::default()).collect(),
            host,
            layout,
            progress,
            play,
            cursor: 0,
            known,
            notified: Notified::default(),
            uncertain: None,
            broken: false,
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
            match self.walk() {
                Turn::Done | Turn::Out => break,
                Turn::Script(batch, missing) => {
                    if !self.script(batch, missing).await {
                        break;
                    }
                }
                Turn::Wait(place) => self.wait(place).await,
                Turn::WaitForFacts => self.wait_for_facts().await,
            }
        }
        if self.broken {
            self.host.take_out(Out::Failed);
        }
        self.progress.reach(&self.host.name, END);
        self.working(String::new());
        *lock(&self.host.known) = self.known;
    }

    /// Gives the permit back while `waiting`, so that no other host is kept from working.
    pub(super) async fn idle<T>(&mut self, waiting: impl Future<Output = T>) -> T {
        self.permit = None;
        let value = waiting.await;
        self.permit = self.run.forks.clone().acquire_owned().await.ok();
        value
    }

    async fn wait(&mut self, place: Place) {
        let progress = self.progress.clone();
        let name = self.host.name.clone();
        if let Some(other) = progress.behind(&name, place) {
            self.working(format!("waiting for {other}"));
        }
        let stop = self.run.stop.clone();
        self.idle(async move {
            tokio::select! {
                () = progress.wait(&name, place) => {}
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
        let mut walk = Walk {
            view: self.known.clone(),
            batch: Batch::default(),
            missing: Missing::default(),
            clear: true,
        };
        let gathers = self.play.play.play.gather_facts;
        if gathers && self.host.vars().facts.is_none() {
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
            return Turn::Done;
        }
        // Something is left and there is nothing to run or ask: it waits for another host.
        self.stuck()
    }

    /// A task that cannot be bound although nothing of this host is open.
    fn stuck(&mut self) -> Turn {
        let item = &self.items[self.cursor];
        let (What::Task(task) | What::Handler(_, task)) = item.what.clone() else {
            return Turn::Wait(item.place);
        };
        match self.binder.bind(&task) {
            Err(Stop::After(what)) if what == GATHERING && self.facts_may_come() => {
                Turn::WaitForFacts
            }
            Err(Stop::After(_)) if !self.progress.all_at(&self.host.name, item.place) => {
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

    /// Whether another host of the play still has its facts to gather.
    fn facts_may_come(&self) -> bool {
        self.play.play.hosts.iter().any(|name| {
            self.run
                .hosts
                .get(name.as_str())
                .is_some_and(|host| host.out() == Out::Alive && host.vars().facts.is_none())
        })
    }

    fn end_task_early(&mut self, index: usize, task: &Arc<Task>, end: UnitEnd) -> Turn {
        self.slots[index].units.get_or_insert_with(Arc::default);
        self.slots[index].ends = vec![end];
        self.finish_task(index, task);
        if self.host.out() == Out::Alive {
            Turn::Script(Batch::default(), Missing::default())
        } else {
            Turn::Out
        }
    }

    fn flush(&mut self, index: usize, walk: &mut Walk) -> Step {
        if !walk.clear {
            return Step::On;
        }
        if walk.batch.entries.is_empty() {
            let due = self.notified.take_due();
            if due.is_empty() {
                self.pass(index);
                return Step::On;
            }
            let place = self.items[index].place;
            let handlers: Vec<Item> = due
                .into_iter()
                .map(|handler| Item {
                    place: (place.0, handler + 1, 0),
                    what: What::Handler(handler, self.layout.handlers[handler].clone()),
                })
                .collect();
            let added = handlers.len();
            // The flush stands once more behind them: handlers may notify handlers.
            let again = Item {
                place: (place.0, usize::MAX, 0),
                what: What::Flush,
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
                What::Flush => false,
            })
    }

    /// The item at `index` is done, and everything before it.
    fn pass(&mut self, index: usize) {
        // A flush with nothing due was walked over when the script was made up; its successor would else be taken for not done.
        let flushes = |item: &Item| matches!(item.what, What::Flush);
        if self.cursor < index && self.items[self.cursor..index].iter().all(flushes) {
            self.cursor = index;
        }
        if index != self.cursor {
            return;
        }
        self.cursor += 1;
        let place = self.items.get(self.cursor).map_or(END, |item| item.place);
        // The end is reached only when the last script is: see `work`.
        if place != END {
            self.progress.reach(&self.host.name, place);
        }
    }

    fn task(&mut self, index: usize, task: &Arc<Task>, walk: &mut Walk) -> Step {
        // `setup` reads the facts anew when its turn has come; until then they are frozen.
        if task.action.name() == "setup" && self.slots[index].units.is_none() {
            if !walk.clear || !walk.batch.entries.is_empty() {
                walk.clear = false;
                return Step::On;
            }
            walk.view.forget(&Question::Facts);
            self.known.forget(&Question::Facts);
        }
        let units = match self.bound(index, task) {
            Ok(units) => units,
            Err(stop) => return self.unbound(index, task, stop, walk),
        };
        if units.is_empty() && walk.clear && walk.batch.entries.is_empty() {
            self.finish_task(index, task);
            return Step::On;
        }
        for number in self.slots[index].ends.len()..units.len() {
            if let Some(step) = self.unit(index, number, task, &units[number], walk) {
                return step;
            }
            if !walk.clear {
                self.promise(task);
            }
        }
        if units.is_empty() && walk.clear {
            return Step::Break;
        }
        Step::On
    }

    /// Bound once; a later walk finds it again.
    fn bound(&mut self, index: usize, task: &Arc<Task>) -> Result<Arc<Vec<Unit>>, Stop> {
        if let Some(units) = &self.slots[index].units {
            return Ok(units.clone());
        }
        let units = Arc::new(self.binder.bind(task)?);
        self.slots[index].units = Some(units.clone());
        Ok(units)
    }

    fn unbound(&mut self, index: usize, task: &Arc<Task>, stop: Stop, walk: &mut Walk) -> Step {
        if !walk.clear || !walk.batch.entries.is_empty() {
            walk.clear = false;
            self.promise(task);
            return Step::On;
        }
        match stop {
            Stop::Fault(fault) => {
                let mut failure = Failure::new(fault.one_line());
                failure.help = fault.help.clone().or(fault.label.clone());
                Step::Turn(self.end_task_early(index, task, UnitEnd::failed(failure)))
            }
            Stop::After(what)
                if self.run.settings.mode.may_change()
                    || (what == GATHERING && self.facts_may_come()) =>
            {
                walk.clear = false;
                self.promise(task);
                Step::On
            }
            Stop::After(what) => {
                self.uncertain = Some(task.label.to_string());
                self.end_task_early(index, task, UnitEnd::unknown(&what));
                Step::On
            }
        }
    }

    /// Whoever reads what `task` will set waits for it.
    fn promise(&self, task: &Task) {
        let mut vars = self.host.vars();
        if let Some(name) = &task.register {
            vars.set.insert(name.clone(), pending(&task.label));
        }
        for name in set_names(task) {
            vars.set.insert(name, pending(&task.label));
        }
    }

    /// Some step ends the walk over this task.
    fn unit(
        &mut self,
        index: usize,
        number: usize,
        task: &Arc<Task>,
        unit: &Unit,
        walk: &mut Walk,
    ) -> Option<Step> {
        let Some(resource) = &unit.resource else {
            return self.decided(index, number, task, UnitEnd::skipped(), walk);
        };
        let change = match resource.diff(&walk.view) {
            Ok(change) => change,
            Err(missing) => {
                walk.missing.merge(missing);
                walk.clear = false;
                return None;
            }
        };
        if !walk.clear {
            return None;
        }
        if let Some(obstacle) = &change.obstacle {
            return self.obstacle(index, number, task, obstacle.clone(), change, walk);
        }
        if change.steps.is_empty() {
            let end = UnitEnd::of(Status::Ok, change);
            return self.decided(index, number, task, end, walk);
        }
        if !self.run.settings.mode.may_change() && !unit.reads {
            return self.predict(index, number, task, change, walk);
        }
        self.batch(index, number, task, unit, change, walk)
    }

    fn obstacle(
        &mut self,
        index: usize,
        number: usize,
        task: &Arc<Task>,
        obstacle: crate::change::Obstacle,
        change: Change,
        walk: &mut Walk,
    ) -> Option<Step> {
        if !walk.batch.entries.is_empty() {
            return Some(Step::Break);
        }
        if !self.run.settings.mode.may_change()
            && obstacle.may_vanish
            && let Some(after) = self.uncertain.clone()
        {
            return self.decided(index, number, task, UnitEnd::unknown(&after), walk);
        }
        let mut end = UnitEnd::of(Status::Failed, change);
        let mut failure = Failure::new(obstacle.message);
        failure.help = obstacle.help;
        end.msg = failure.message.clone();
        end.failure = Some(failure);
        self.decided(index, number, task, end, walk)
    }

    /// A verdict without steps: final at once, or when the steps before it have run.
    fn decided(
        &mut self,
        index: usize,
        number: usize,
        task: &Arc<Task>,
        mut end: UnitEnd,
        walk: &mut Walk,
    ) -> Option<Step> {
        if !walk.clear {
            return None;
        }
        if !walk.batch.entries.is_empty() {
            if end.status == Status::Failed
                || !end.facts.is_empty()
                || !task.failed_when.is_empty()
                || !task.changed_when.is_empty()
            {
                return Some(Step::Break);
            }
            let skipped = end.status == Status::Skipped;
            let mut change = Change::none(end.msg);
            change.result = end.result;
            if skipped {
                change.result.insert("skipped".to_owned(), true.into());
            }
            walk.batch.entries.push(Entry {
                item: index,
                unit: number,
                change,
                steps: 0,
            });
            match &task.register {
                Some(name) if task.repeat.is_none() && !skipped => {
                    let value = verdict::half_known(&task.label, false);
                    self.host.vars().set.insert(name.clone(), value);
                }
                _ => self.promise(task),
            }
            return None;
        }
        self.judge(index, number, task, &mut end);
        self.finish_unit(index, task, end);
        (self.host.out() != Out::Alive).then_some(Step::Turn(Turn::Out))
    }

    /// In a plan: what the steps would leave is known from now on.
    fn predict(
        &mut self,
        index: usize,
        number: usize,
        task: &Arc<Task>,
        change: Change,
        walk: &mut Walk,
    ) -> Option<Step> {
        let runs = change.steps.iter().any(|step| step.act) && is_command(task.action.name());
        for step in &change.steps {
            for touch in &step.touches {
                if *touch != crate::change::Touch::Everything {
                    walk.view.touch(touch);
                    self.known.touch(touch);
                }
            }
            walk.view.learn(step.predicts.iter().cloned());
            self.known.learn(step.predicts.iter().cloned());
        }
        self.uncertain = Some(task.label.to_string());
        let mut end = UnitEnd::of(Status::Changed, change);
        if runs {
            end.status = Status::Unknown;
            end.msg = "would run".to_owned();
        }
        self.decided(index, number, task, end, walk)
    }

    /// Joins the script.
    fn batch(
        &mut self,
        index: usize,
        number: usize,
        task: &Arc<Task>,
        unit: &Unit,
        change: Change,
        walk: &mut Walk,
    ) -> Option<Step> {
        let place = self.items[index].place;
        let place = (place.0, place.1, number);
        let alone = self.play.play.hosts.len() < 2;
        if change.steps.iter().any(|step| step.cut) && !alone {
            self.progress
                .reach(&self.host.name, self.items[self.cursor].place);
            if walk.batch.entries.is_empty() && self.cursor == index {
                self.progress.reach(&self.host.name, place);
            }
            if !self.progress.all_at(&self.host.name, place) {
                if walk.batch.entries.is_empty() && walk.missing.is_empty() {
                    return Some(Step::Turn(Turn::Wait(place)));
                }
                walk.clear = false;
                return None;
            }
            if !walk.batch.entries.is_empty() {
                // Others may wait for what comes before the cut: it is done and told first.
                walk.clear = false;
                return None;
            }
        }
        let last = task.changed_when.len() + task.failed_when.len() > 0 || unit.ignore;
        for step in &change.steps {
            for touch in &step.touches {
                walk.view.touch(touch);
            }
            walk.view.learn(step.predicts.iter().cloned());
        }
        let steps = change.steps.len();
        self.place_steps(index, task, unit, &change, last, &mut walk.batch.steps);
        if let What::Handler(handler, _) = &self.items[index].what
            && pays_itself(task, Status::Changed)
            && let Some(step) = walk.batch.steps.last_mut()
        {
            step.pays.push(self.note_of(*handler));
        }
        let changed = change.action != crate::change::Action::None;
        walk.batch.entries.push(Entry {
            item: index,
            unit: number,
            change,
            steps,
        });
        if let Some(name) = &task.register {
            let value = if last || task.repeat.is_some() {
                pending(&task.label)
            } else {
                verdict::half_known(&task.label, changed)
            };
            self.host.vars().set.insert(name.clone(), value);
        }
        last.then_some(Step::Break)
    }

    /// One unit's verdict is final.
    pub(super) fn finish_unit(&mut self, index: usize, task: &Arc<Task>, end: UnitEnd) {
        if end.status == Status::Changed {
            self.notify(index, task);
        }
        for (name, value) in &end.facts {
            self.host
                .vars()
                .set
                .insert(name.as_str().into(), native(value));
        }
        self.slots[index].ends.push(end);
        let units = self.slots[index].units.clone().unwrap_or_default();
        if self.slots[index].ends.len() >= units.len() {
            self.finish_task(index, task);
        }
    }

    /// All units of a task ended: it is told, and the host goes on or is out.
    pub(super) fn finish_task(&mut self, index: usize, task: &Arc<Task>) {
        let units = self.slots[index].units.clone().unwrap_or_default();
        let ends = std::mem::take(&mut self.slots[index].ends);
        if let Some(name) = &task.register {
            let value = verdict::registered(&units, &ends, task);
            self.host.vars().set.insert(name.clone(), value);
        }
        let play = &self.play.play.play.name;
        let mut result = verdict::result(task, play, &self.host.name, &units, &ends);
        let failed = matches!(result.status, Status::Failed | Status::Unreachable);
        result.ignored =
            failed && result.status == Status::Failed && units.iter().any(|unit| unit.ignore);
        let ignored = result.ignored;
        if let What::Handler(handler, _) = &self.items[index].what
            && !failed
            && !pays_itself(task, result.status)
        {
            self.paid(*handler);
        }
        self.host.enter();
        self.run.finish(result);
        self.slots[index].units = None;
        self.pass(index);
        if failed && !ignored {
            self.fail();
        }
    }

    /// A task failed: nothing more but forced handlers.
    fn fail(&mut self) {
        if self.play.play.play.force_handlers && !self.broken && self.notified.is_due() {
            self.broken = true;
            let place = (END.0 - 1, 0, 0);
            self.items.truncate(self.cursor);
            self.slots.truncate(self.cursor);
            self.items.push(Item {
                place,
                what: What::Flush,
            });
            self.slots.push(Slot::default());
            return;
        }
        self.host.take_out(Out::Failed);
    }

    /// `failed_when`, then `changed_when`, in the scope of the result.
    pub(super) fn judge(&self, index: usize, number: usize, task: &Task, end: &mut UnitEnd) {
        if task.failed_when.is_empty() && task.changed_when.is_empty() {
            return;
        }
        if matches!(
            end.status,
            Status::Skipped | Status::Unknown | Status::Unreachable
        ) {
            return;
        }
        let Some(units) = &self.slots[index].units else {
            return;
        };
        let Some(unit) = units.get(number) else {
            return;
        };
        let mut own = unit.scope.own.clone();
        if let Some(name) = &task.register {
            own.push((name.clone(), native(end.registered())));
        }
        let scope: Arc<dyn Scope> = Arc::new(super::scope::TaskScope {
            play: self.play.clone(),
            vars: unit.scope.vars.clone(),
            own,
        });
        let holds = |conditions: &[crate::value::Value]| -> Result<bool, Stop> {
            for condition in conditions {
                if !self.run.templates.test(condition, &scope)? {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        let fault = |stop: Stop| match stop {
            Stop::Fault(fault) => UnitEnd::failed(Failure::new(fault.one_line())),
            Stop::After(what) => UnitEnd::unknown(&what),
        };
        if !task.failed_when.is_empty() {
            match holds(&task.failed_when) {
                Ok(true) if end.status != Status::Failed => {
                    let mut failure = Failure::new("`failed_when` holds");
                    failure.rc = end.rc;
                    end.status = Status::Failed;
                    end.failure = Some(failure);
                }
                Ok(true) => {}
                Ok(false) if end.status == Status::Failed => {
                    end.status = Status::Changed;
                    end.failure = None;
                }
                Ok(false) => {}
                Err(stop) => *end = fault(stop),
            }
        }
        if !task.changed_when.is_empty() && end.status != Status::Failed {
            match holds(&task.changed_when) {
                Ok(true) => end.status = Status::Changed,
                Ok(false) => end.status = Status::Ok,
                Err(stop) => *end = fault(stop),
            }
        }
    }
}

/// Whether the note of a handler is taken away in the very script that ran it: where its last step is known to be the whole of it.
fn pays_itself(task: &Task, status: Status) -> bool {
    status == Status::Changed && task.repeat.is_none() && task.failed_when.is_empty()
}

/// Kinds that run a program of the user's: a plan does not know what it would do.
fn is_command(kind: &str) -> bool {
    matches!(kind, "command" | "shell" | "script" | "raw")
}

/// The variables `set_fact` sets.
fn set_names(task: &Task) -> BTreeSet<Arc<str>> {
    match &task.action {
        TaskAction::Kind { kind, args } if kind.name == "set_fact" => {
            args.open().map(|(name, _)| Arc::from(name)).collect()
        }
        _ => BTreeSet::new(),
    }
}
