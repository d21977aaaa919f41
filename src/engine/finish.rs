//! Verdicts: a unit's end, the task's, and what a failure means for the host.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::bind::Unit;
use super::host::{HostRun, Slot};
use super::layout::{Item, What};
use super::native;
use super::place::Place;
use super::rolling::leaves;
use super::scope::TaskScope;
use super::state::Out;
use super::verdict::{self, UnitEnd};
use crate::change::Effect;
use crate::event::{Event, Failure, Mode, Status, TaskResult};
use crate::inventory::Method;
use crate::playbook::{Task, TaskAction};
use crate::template::{Scope, Stop, is_template};
use crate::value::Value;

impl HostRun {
    /// One unit's verdict is final.
    pub(super) fn finish_unit(&mut self, index: usize, task: &Arc<Task>, mut end: UnitEnd) {
        if end.status == Status::Changed {
            if let Some(failure) = self.notify(index, task) {
                end = UnitEnd::failed(failure);
            }
        } else if task.changed_when.len() + task.failed_when.len() > 0
            || task.until.is_some()
            || end.rc.is_some()
        {
            self.unowe(index, task);
        }
        let there = self.slots[index].units.as_ref().and_then(|units| {
            let unit = units.get(self.slots[index].ends.len())?;
            unit.delegate.clone().filter(|_| unit.facts_there)
        });
        for (name, value) in &end.facts {
            match &there {
                Some(there) => {
                    let mut vars = there.vars();
                    vars.set.insert(name.as_str().into(), native(value));
                }
                None => self.set(name.as_str().into(), native(value)),
            }
        }
        if let Some(read) = end.vars.take() {
            self.host.vars().read.push(read.vars.clone());
        }
        let breaks = match self.breaks(index, task, &end) {
            Ok(breaks) => breaks,
            Err(Stop::Fault(fault)) => {
                end = UnitEnd::failed(Failure::new(fault.one_line()));
                false
            }
            Err(Stop::After(_)) => false,
        };
        self.slots[index].ends.push(end);
        if breaks && let Some(units) = &self.slots[index].units {
            let done = self.slots[index].ends.len();
            self.slots[index].units = Some(Arc::new(units[..done].to_vec()));
        }
        let units = self.slots[index].units.clone().unwrap_or_default();
        if self.slots[index].ends.len() >= units.len() {
            self.finish_task(index, task);
        } else {
            self.pause_behind_item(index, task);
        }
        // When it is said what follows for the others.
        self.slots[index].turn = None;
    }

    /// Whether a loop ends behind an item.
    fn breaks(&self, index: usize, task: &Task, end: &UnitEnd) -> Result<bool, Stop> {
        let conditions = task.repeat.as_ref().map(|repeat| &repeat.break_when);
        let Some(conditions) = conditions.filter(|conditions| !conditions.is_empty()) else {
            return Ok(false);
        };
        let units = self.slots[index].units.as_ref();
        let Some(unit) = units.and_then(|units| units.get(self.slots[index].ends.len())) else {
            return Ok(false);
        };
        let scope = self.scope_of_result(task, unit, end);
        self.all_hold(conditions, &scope)
    }

    /// All units of a task ended: it is told, and the host goes on or is out.
    pub(super) fn finish_task(&mut self, index: usize, task: &Arc<Task>) {
        let units = self.slots[index].units.clone().unwrap_or_default();
        let ends = std::mem::take(&mut self.slots[index].ends);
        let registered = task
            .register
            .as_ref()
            .map(|_| verdict::registered(&units, &ends, task));
        if let (Some(name), Some(value)) = (&task.register, &registered) {
            self.set(name.clone(), value.clone());
        }
        let play = &self.play.play.play.name;
        let mut result = verdict::result(task, play, &self.host.name, &units, &ends);
        if let Some(name) = self.shown_name(task, &units) {
            result.task = name;
        }
        result.follows = self.follows(index, task, &ends);
        let failed = matches!(result.status, Status::Failed | Status::Unreachable);
        self.lose_with_delegate(index, task, &ends);
        // Whoever was taken out before goes on nowhere.
        let ignores = self.host.out() == Out::Alive && units.iter().any(|unit| unit.ignore);
        // Who is still there although it could not be reached passes over that.
        let passes = self.host.out() == Out::Alive && result.status == Status::Unreachable;
        result.ignored = passes || (result.status == Status::Failed && ignores);
        let ignored = result.ignored;
        result.rescued = result.status == Status::Failed && !ignored && self.is_rescued(index);
        if self.is_once(index, task) {
            self.publish(index, task, registered.as_ref(), &ends, failed && !ignored);
        }
        if result.rescued {
            self.tell_rescue(task, verdict::registered(&units, &ends, task));
        }
        // What it includes is still to run.
        let includes = matches!(task.action, TaskAction::Include(_));
        if let What::Handler(handler, _) = &self.items[index].what
            && !failed
            && !includes
            && !self.pays_itself(task, result.status)
        {
            self.paid(*handler);
        }
        if task.fatal && failed && !ignored && !result.rescued {
            self.layout.fail();
        }
        self.host.enter();
        self.warn_of_restart(&result);
        self.warn_of_leaving(&result);
        self.foresee_files(task, result.status);
        self.keep(index, task, &result, &units, &ends);
        self.run.finish(result);
        self.slots[index].units = None;
        if matches!(task.action, TaskAction::Include(_) | TaskAction::Vars(_))
            && ends.iter().all(|end| end.status != Status::Unknown)
        {
            self.withdraw(task);
        }
        if failed && !ignored {
            self.fail(index);
        } else {
            self.pass(index);
        }
    }

    /// What a plan does not do here may be what makes a file of the controller.
    fn foresee_files(&self, task: &Task, status: Status) {
        let writes = matches!(status, Status::Changed | Status::Unknown)
            && (self.host.connection.method == Method::Local || task.action.name() == "fetch");
        if writes && !self.run.settings.mode.may_change() {
            self.run.files.await_task(&task.label);
        }
    }

    /// An apply stops on all nodes at once what a rolling update has leave its clusters first.
    fn warn_of_leaving(&self, result: &TaskResult) {
        let name = &*self.host.name;
        if result.status != Status::Changed
            || self.run.settings.rolling.is_some()
            || self.run.settings.goal.is_some()
            || result.kind.ends_with("_cluster")
            || !leaves(result, false)
            || !super::cluster_hosts(&self.run.project.plays, &self.run.project.inventory)
                .iter()
                .any(|member| member == name)
        {
            return;
        }
        let word = match self.run.settings.mode.may_change() {
            true => "stopped",
            false => "would stop",
        };
        self.run.say(Event::Warning {
            host: Some(self.host.name.clone()),
            message: format!(
                "`{}` {word} its part of the clusters, whoever is primary; `hadeploy rolling-update` takes one node after the other, replicas first, behind a planned switchover",
                result.task
            ),
        });
    }

    /// An apply restarts under the visitors' hands what a rolling update would drain first: said once.
    fn warn_of_restart(&self, result: &TaskResult) {
        let rolled = self.play.play.play.rolling.is_some()
            && self.run.settings.mode != Mode::Rolling
            && self.run.settings.rolling.is_none();
        if let Effect::Restart(unit) = &result.effect
            && rolled
            && result.status == Status::Changed
            && self.host.serves.load(Ordering::Relaxed)
            && !self.run.restarted.swap(true, Ordering::Relaxed)
        {
            let word = match self.run.settings.mode.may_change() {
                true => "was restarted",
                false => "would be restarted",
            };
            self.run.say(Event::Warning {
                host: Some(self.host.name.clone()),
                message: format!(
                    "{unit} {word} while the node serves visitors; `hadeploy rolling-update` takes each node out of the balancer first"
                ),
            });
        }
    }

    /// A name with templates, filled in as far as its names are known.
    fn shown_name(&self, task: &Task, units: &[Arc<Unit>]) -> Option<Arc<str>> {
        let name = task.name.as_ref().filter(|name| is_template(name))?;
        let scope: Arc<dyn Scope> = match units.first() {
            Some(unit) => unit.scope.clone(),
            None => self.play.clone(),
        };
        let shown = self.run.templates.render(name, &scope).ok()?;
        let shown = shown.as_str()?;
        Some(match &task.role {
            Some(role) => format!("{} : {shown}", role.own.name).into(),
            None => shown.into(),
        })
    }

    /// A task failed: a rescue, what always runs, or nothing more but forced handlers.
    pub(super) fn fail(&mut self, index: usize) {
        if self.host.out() == Out::Alive && self.leap(index) {
            return;
        }
        // Counted before others see that this host is further: they may have to stop for it.
        self.host.fail();
        if self.play.play.play.force_handlers && !self.broken && self.notified.is_due() {
            self.pass(index);
            self.broken = true;
            let place = Place::last();
            self.items.truncate(self.cursor);
            self.slots.truncate(self.cursor);
            self.items.push(Item {
                place,
                what: What::Flush,
                within: Arc::default(),
                given: Arc::default(),
            });
            self.slots.push(Slot::default());
            return;
        }
        self.host.take_out(Out::Failed);
        self.pass(index);
    }

    /// `failed_when`, then `changed_when`, in the scope of the result.
    fn judge(&self, index: usize, number: usize, task: &Task, end: &mut UnitEnd) {
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
        let scope = self.scope_of_result(task, unit, end);
        let holds = |conditions: &[Value]| self.all_hold(conditions, &scope);
        let fault = |stop: Stop| match stop {
            Stop::Fault(fault) => UnitEnd::failed(Failure::new(fault.one_line())),
            Stop::After(what) => UnitEnd::unknown(&what),
        };
        if !task.failed_when.is_empty() {
            match holds(&task.failed_when) {
                Ok(true) if end.status != Status::Failed => {
                    let mut failure = Failure::new("`failed_when` holds");
                    failure.rc = end.rc;
                    end.changed = end.status == Status::Changed;
                    end.status = Status::Failed;
                    end.failure = Some(failure);
                }
                Ok(true) => {}
                Ok(false) if end.status == Status::Failed => {
                    // What failed before it did anything has changed nothing.
                    end.status = match end.changed {
                        true => Status::Changed,
                        false => Status::Ok,
                    };
                    end.failure = None;
                }
                Ok(false) => {}
                Err(stop) => *end = fault(stop),
            }
        }
        if !task.changed_when.is_empty() {
            match holds(&task.changed_when) {
                // Its failure is what is told; only who reads the register asks further.
                held if end.status == Status::Failed => {
                    end.changed = held.unwrap_or(end.changed);
                }
                Ok(true) => end.status = Status::Changed,
                Ok(false) => end.status = Status::Ok,
                Err(stop) => *end = fault(stop),
            }
        }
    }
}

impl HostRun {
    /// The names of a unit, and its result where the task registers it.
    pub(super) fn scope_of_result(
        &self,
        task: &Task,
        unit: &Unit,
        end: &UnitEnd,
    ) -> Arc<dyn Scope> {
        let mut own = unit.scope.own.clone();
        if let Some(name) = &task.register {
            own.push((name.clone(), native(end.registered())));
        }
        Arc::new(TaskScope {
            play: self.play.clone(),
            vars: unit.scope.vars.clone(),
            params: unit.scope.params.clone(),
            role: unit.scope.role.clone(),
            own,
            around: unit.scope.around.clone(),
        })
    }

    pub(super) fn all_hold(
        &self,
        conditions: &[Value],
        scope: &Arc<dyn Scope>,
    ) -> Result<bool, Stop> {
        for condition in conditions {
            if !self.run.templates.test(condition, scope)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A unit ended: its verdict is final, or it is tried again, and then it is false.
    pub(super) fn conclude(
        &mut self,
        index: usize,
        number: usize,
        task: &Arc<Task>,
        mut end: UnitEnd,
    ) -> bool {
        self.judge(index, number, task, &mut end);
        if self.tries_again(index, number, task, &mut end) {
            return false;
        }
        self.finish_unit(index, task, end);
        true
    }

    /// Whether the note of a handler is taken away in the very script that ran it: where its last step is known to be the whole of it, and
    /// the machine has no other name that may owe the same.
    pub(super) fn pays_itself(&self, task: &Task, status: Status) -> bool {
        let whole = task.repeat.is_none() && task.failed_when.is_empty();
        status == Status::Changed && whole && self.host.twins().is_empty()
    }
}
