//! `ignore_unreachable`: a host that cannot be reached for a task, or whose `delegate_to` cannot, goes on, and the next task that needs it tries
//! again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::bind::Binder;
use super::clustered::is_cluster;
use super::connect;
use super::host::HostRun;
use super::layout::What;
use super::patience::Patience;
use super::scope::TaskScope;
use super::state::{HostState, Run};
use super::verdict::UnitEnd;
use crate::event::{Event, Failure};
use crate::node::NodeError;
use crate::playbook::Task;
use crate::template::{Scope, Stop};
use crate::value::Kind;

/// A host is not tried again sooner.
const SHORTEST: Duration = Duration::from_millis(250);

/// Whether some task of the run may pass over that the host is out of reach.
pub(super) fn may_be(run: &Run, host: &HostState) -> bool {
    let mut plays = run.project.plays.iter().filter(|play| {
        let mut names = play.hosts.iter();
        names.any(|name| name.as_str() == &*host.name)
    });
    let own = plays.any(|play| {
        let mut tasks = play.play.tasks_and_handlers();
        play.play.ignore_unreachable.is_some()
            || tasks.any(|task| task.ignore_unreachable.is_some())
    });
    // Which hosts act for others is written in templates, too.
    let plays = run.project.plays.iter();
    let mut tasks = plays.flat_map(|play| play.play.tasks_and_handlers());
    own || tasks.any(|task| task.delegate.is_some() && task.ignore_unreachable.is_some())
}

impl Binder {
    /// `ignore_unreachable` of a task.
    pub(super) fn passes_over(&self, task: &Task, scope: &Arc<TaskScope>) -> Result<bool, Stop> {
        let flag = self.flag(&task.ignore_unreachable, "ignore_unreachable", scope)?;
        Ok(flag.unwrap_or(false))
    }
}

impl HostRun {
    /// The host cannot be reached. True when what it was to be reached for passes over that: the host goes on.
    pub(super) fn out_of_reach(&mut self, error: &NodeError) -> bool {
        let goes_on = error.is_unreachable() && self.goes_on_without(error);
        if !goes_on {
            connect::unreachable(&self.run, &self.host, error);
        }
        self.run.gate.settle(&self.host.name);
        goes_on
    }

    fn goes_on_without(&mut self, error: &NodeError) -> bool {
        if self.gathers() {
            return self.goes_on_without_facts(error);
        }
        let Some(item) = self.items.get(self.cursor) else {
            return false;
        };
        let (What::Task(task) | What::Handler(_, task)) = item.what.clone() else {
            return false;
        };
        if self.waits_on(&task, error) {
            return true;
        }
        if !self.may_pass_over(self.cursor, &task) {
            return false;
        }
        let mut failure = Failure::new(error.to_string());
        failure.help = error.help();
        self.pass_over(self.cursor, &task, failure);
        true
    }

    /// A `wait_for_connection` behind something that passed over the host tries again until its time is up. A plan does not wait.
    fn waits_on(&mut self, task: &Task, error: &NodeError) -> bool {
        let missed = self.host.missed.load(Ordering::Relaxed);
        let Some(patience) = Patience::of_task(task).filter(|_| missed) else {
            return false;
        };
        let now = Instant::now();
        let slot = &mut self.slots[self.cursor];
        let until = *slot.patience.get_or_insert(now + patience.timeout);
        if now >= until || !self.run.settings.mode.may_change() {
            return false;
        }
        slot.rest = Some(now + patience.sleep.max(SHORTEST));
        self.working(format!("waiting until it can be reached: {error}"));
        true
    }

    fn goes_on_without_facts(&self, error: &NodeError) -> bool {
        let Some(flag) = &self.play.play.play.ignore_unreachable else {
            return false;
        };
        let scope: Arc<dyn Scope> = self.play.clone();
        let flag = self.run.templates.render(flag, &scope);
        if !flag.is_ok_and(|flag| flag.kind == Kind::Bool(true)) {
            return false;
        }
        self.host.factless.store(true, Ordering::Relaxed);
        self.host.missed.store(true, Ordering::Relaxed);
        self.run.say(Event::Warning {
            host: Some(self.host.name.clone()),
            message: format!("its facts are not known, and the play goes on without them: {error}"),
        });
        true
    }

    /// Whether a task goes on without the host. Clusters never do, and what another host does for it is owed and counted here.
    pub(super) fn may_pass_over(&self, index: usize, task: &Task) -> bool {
        !is_cluster(task) && task.delegate.is_none() && self.passes_over(index, task)
    }

    /// Whether a task goes on without the host that acts for this one.
    pub(super) fn passes_over_delegate(&self, index: usize, task: &Task) -> bool {
        task.delegate.is_some() && self.passes_over(index, task)
    }

    fn passes_over(&self, index: usize, task: &Task) -> bool {
        let scope = self.binder.scope(task, self.items[index].given.to_vec());
        matches!(self.binder.passes_over(task, &scope), Ok(true))
    }

    /// A task ends without the host, and what follows it comes next.
    pub(super) fn pass_over(&mut self, index: usize, task: &Arc<Task>, failure: Failure) {
        self.host.missed.store(true, Ordering::Relaxed);
        let slot = &mut self.slots[index];
        let units = slot.units.get_or_insert_with(Arc::default).clone();
        slot.ends.truncate(units.len());
        // As in Ansible, each item that was still to come ends so.
        for unit in units.iter().skip(slot.ends.len()) {
            slot.ends.push(match unit.is_skipped() {
                true => UnitEnd::skipped(),
                false => UnitEnd::unreachable(failure.clone()),
            });
        }
        if units.is_empty() {
            slot.ends = vec![UnitEnd::unreachable(failure)];
        }
        self.finish_task(index, task);
        self.slots[index].turn = None;
    }

    /// A task ends early, and in this.
    pub(super) fn end_here(&mut self, index: usize, end: UnitEnd) {
        let slot = &mut self.slots[index];
        let units = slot.units.get_or_insert_with(Arc::default).len().max(1);
        slot.ends.truncate(units - 1);
        slot.ends.push(end);
    }
}
