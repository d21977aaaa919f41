//! The walk over a host's remaining tasks: each is bound and compared; what it lacks is asked, what it changes joins the script.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::bind::Unit;
use super::clustered::is_cluster;
use super::host::{Batch, Entry, HostRun, Turn};
use super::layout::{Item, What};
use super::scope::GATHERING;
use super::state::Out;
use super::verdict::{self, UnitEnd};
use super::way_in;
use crate::change::{Aside, Change, FACT, Obstacle};
use crate::event::{Failure, Status};
use crate::fact::{Known, Missing, Question};
use crate::playbook::{Task, TaskAction};
use crate::resource::brings;
use crate::template::{Stop, pending};

/// The state of one walk.
pub(super) struct Walk {
    pub view: Known,
    pub batch: Batch,
    pub missing: Missing,
    /// Whether every unit so far is decided; behind the first that is not, only questions are collected.
    pub clear: bool,
}

/// What goes on with the walk behind an item.
pub(super) enum Step {
    On,
    /// The walk ends here; what was collected is run.
    Break,
    Turn(Turn),
}

impl HostRun {
    /// The item at `index` is done, and everything before it.
    pub(super) fn pass(&mut self, index: usize) {
        if index < self.cursor {
            return;
        }
        // A script may lead over flushes at which nothing was due: what ran behind one leaves it behind too, and is not begun again.
        let led_over =
            |item: &Item| matches!(item.what, What::Flush | What::Nothing | What::Paid(_));
        if !self.items[self.cursor..index].iter().all(led_over) {
            return;
        }
        for item in &self.items[self.cursor..=index] {
            if let What::Paid(handler) = item.what {
                self.paid(handler);
            }
        }
        self.cursor = index + 1;
        // The end is reached only when the last script is: see `work`.
        if let Some(item) = self.items.get(self.cursor) {
            self.progress.reach(&self.host.name, &item.place);
        }
    }

    pub(super) fn task(&mut self, index: usize, task: &Arc<Task>, walk: &mut Walk) -> Step {
        if let Some(step) = self.ran_before(index, task, walk) {
            return step;
        }
        if let TaskAction::Meta(meta) = &task.action {
            return self.meta(index, task, *meta, walk);
        }
        let cluster = is_cluster(task);
        if let Err(stop) = self.decide_once(index, task) {
            return self.unbound(index, task, stop, walk);
        }
        if (self.is_once(index, task) || cluster)
            && let Some(step) = self.once(index, task, walk)
        {
            return step;
        }
        if cluster && let Some(step) = self.clustered(index, task, walk) {
            return step;
        }
        // What happens on the controller alone is delegated to nobody.
        let asks = task.is_pause() && self.is_once(index, task);
        let here = asks || matches!(task.action, TaskAction::Vars(_) | TaskAction::Never(_));
        if task.delegate.is_some() && !here {
            return self.delegated(index, task, walk);
        }
        // `setup` reads the facts anew when its turn has come; until then they are frozen.
        if task.action.name() == "setup" && self.slots[index].units.is_none() {
            if !walk.clear || !walk.batch.entries.is_empty() {
                walk.clear = false;
                return Step::On;
            }
            walk.view.forget(&Question::Facts);
            self.known.forget(&Question::Facts);
        }
        if let Some(step) = self.attempt_again(index, task) {
            return step;
        }
        let units = match self.bound(index, task) {
            Ok(units) => units,
            Err(stop) => return self.unbound(index, task, stop, walk),
        };
        self.expand(index, task);
        if units.is_empty() && walk.clear && walk.batch.entries.is_empty() {
            self.finish_task(index, task);
            return Step::On;
        }
        for number in self.slots[index].ends.len()..units.len() {
            let step = match self.renewed(number, task, &units[number], walk) {
                Ok(unit) => self.unit(index, number, task, &unit, walk),
                Err(end) => self.decided(index, number, task, *end, walk),
            };
            if let Some(step) = step {
                return step;
            }
            if !walk.clear {
                self.promise(task);
            } else if self.slots[index].units.is_none() {
                // `break_when` ended it before its last item.
                return Step::On;
            }
        }
        if units.is_empty() && walk.clear {
            return Step::Break;
        }
        Step::On
    }

    /// An item of `set_fact` reads what the items before it have set: it is bound anew behind them.
    fn renewed(
        &self,
        number: usize,
        task: &Task,
        unit: &Arc<Unit>,
        walk: &Walk,
    ) -> Result<Arc<Unit>, Box<UnitEnd>> {
        if number == 0 || !walk.clear || task.action.name() != "set_fact" {
            return Ok(unit.clone());
        }
        let failed = |stop| {
            let what = match stop {
                Stop::Fault(fault) => fault.one_line(),
                Stop::After(what) => format!("it uses something that is known only after `{what}`"),
            };
            Box::new(UnitEnd::failed(Failure::new(what)))
        };
        self.binder.again(task, unit).map(Arc::new).map_err(failed)
    }

    /// Bound once; a later walk finds it again.
    pub(super) fn bound(
        &mut self,
        index: usize,
        task: &Arc<Task>,
    ) -> Result<Arc<Vec<Arc<Unit>>>, Stop> {
        if let Some(units) = &self.slots[index].units {
            return Ok(units.clone());
        }
        let item = &self.items[index];
        let bind = || self.binder.bind(task, &item.given);
        let units = Arc::new(self.play.at_place(&self.progress, &item.place, bind)?);
        self.slots[index].units = Some(units.clone());
        if units.iter().any(|unit| !unit.is_skipped()) {
            self.runs_role(task);
        }
        Ok(units)
    }

    pub(super) fn unbound(
        &mut self,
        index: usize,
        task: &Arc<Task>,
        stop: Stop,
        walk: &mut Walk,
    ) -> Step {
        if !walk.clear || !walk.batch.entries.is_empty() {
            walk.clear = false;
            if matches!(stop, Stop::After(_)) {
                self.foresee(index, task, walk);
            }
            self.promise(task);
            return behind(task);
        }
        // In a plan, what an unknown file would have set is missing.
        let stop = match (stop, &self.hidden) {
            (Stop::Fault(_), Some(include)) => Stop::After(include.clone()),
            (stop, _) => stop,
        };
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
                behind(task)
            }
            Stop::After(what) => {
                if task.is_open() {
                    self.hidden = Some(task.label.to_string());
                }
                if !only_reads(task.action.name()) {
                    self.uncertain = Some(task.label.to_string());
                }
                self.promise(task);
                names_of(task).iter().for_each(|name| self.confirm(name));
                self.end_task_early(index, task, UnitEnd::unknown(&what));
                Step::On
            }
        }
    }

    /// Whoever reads what `task` will set waits for it.
    pub(super) fn promise(&mut self, task: &Task) {
        for name in names_of(task) {
            self.promise_value(name, pending(&task.label));
        }
    }

    /// Some step ends the walk over this task.
    pub(super) fn unit(
        &mut self,
        index: usize,
        number: usize,
        task: &Arc<Task>,
        unit: &Unit,
        walk: &mut Walk,
    ) -> Option<Step> {
        if let Some(when) = self.rests(index) {
            return Some(Step::Turn(Turn::Pause(when)));
        }
        let Some(resource) = &unit.resource else {
            let end = match (&unit.included, &unit.vars) {
                (Some(included), _) => UnitEnd::included(&included.path),
                (_, Some(vars)) => UnitEnd::read(vars.clone()),
                _ => UnitEnd::skipped(),
            };
            return self.decided(index, number, task, end, walk);
        };
        let login = way_in::Login::of(&self.host);
        let diff = resource
            .diff(&walk.view)
            .and_then(|change| way_in::guarded(change, &walk.view, login, task.action.name()));
        let change = match diff {
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
        if matches!(change.aside, Some(Aside::Question { .. })) {
            return self.question(index, number, task, change, walk);
        }
        if change.steps.is_empty() {
            let end = UnitEnd::of(Status::Ok, change);
            return self.decided(index, number, task, end, walk);
        }
        if let Some(failure) = self.misnamed(index, task) {
            return self.decided(index, number, task, UnitEnd::failed(failure), walk);
        }
        if unit.dry && self.run.settings.mode.may_change() {
            let end = UnitEnd::dry(change, task.action.name());
            return self.decided(index, number, task, end, walk);
        }
        if !self.run.settings.mode.may_change() && !unit.reads {
            return self.predict(index, number, task, change, walk);
        }
        if let Some(failure) = self.unpromised(index, number, unit, &change) {
            return Some(self.stop_unpromised(index, task, failure, walk));
        }
        self.batch(index, number, task, unit, change, walk)
    }

    fn obstacle(
        &mut self,
        index: usize,
        number: usize,
        task: &Arc<Task>,
        obstacle: Obstacle,
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
    pub(super) fn decided(
        &mut self,
        index: usize,
        number: usize,
        task: &Arc<Task>,
        end: UnitEnd,
        walk: &mut Walk,
    ) -> Option<Step> {
        if !walk.clear {
            return None;
        }
        if !walk.batch.entries.is_empty() {
            if end.status == Status::Failed
                || end.vars.is_some()
                || !end.facts.is_empty()
                || !task.failed_when.is_empty()
                || !task.changed_when.is_empty()
                || task.until.is_some()
                || task.pauses()
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
                    self.promise_value(name.clone(), value);
                }
                _ => self.promise(task),
            }
            return None;
        }
        if !self.conclude(index, number, task, end) || self.leaped {
            return Some(self.anew());
        }
        (self.host.out() != Out::Alive).then_some(Step::Turn(Turn::Out))
    }
}

/// How the walk goes on behind a task that cannot be bound yet: nothing is bound behind tasks that may set any name.
fn behind(task: &Task) -> Step {
    match task.is_open() {
        true => Step::Break,
        false => Step::On,
    }
}

/// Kinds that change no node: what comes later is no less certain for them.
pub(super) fn only_reads(kind: &str) -> bool {
    matches!(
        kind,
        "assert"
            | "debug"
            | "fail"
            | "getent"
            | "package_facts"
            | "ping"
            | "service_facts"
            | "set_fact"
            | "setup"
            | "slurp"
            | "stat"
            | "validate_argument_spec"
    )
}

/// The variables that a task, and those it is known to include, will set.
pub(super) fn names_of(task: &Task) -> BTreeSet<Arc<str>> {
    let tasks = task.with_included().into_iter();
    tasks
        .flat_map(|task| task.register.iter().cloned().chain(set_names(task)))
        .collect()
}

/// The variables `set_fact` sets, and the facts that some kinds bring.
fn set_names(task: &Task) -> BTreeSet<Arc<str>> {
    match &task.action {
        TaskAction::Kind { kind, args } => {
            let facts = brings(kind, args).into_iter();
            let facts = facts.map(|name| Arc::from(format!("{FACT}{name}")));
            let variables = args.open().map(|(name, _)| Arc::from(name));
            let sets = kind.name == "set_fact";
            facts.chain(variables.filter(|_| sets)).collect()
        }
        TaskAction::Vars(ask) => ask.names().into_iter().flatten().collect(),
        _ => BTreeSet::new(),
    }
}
