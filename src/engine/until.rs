//! Attempts: a task with `until` is bound, compared and done again until it is as wanted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::bind::Binder;
use super::host::{HostRun, Turn};
use super::scope::TaskScope;
use super::verdict::UnitEnd;
use super::walk::Step;
use crate::change::Touch;
use crate::diagnostic::Diagnostic;
use crate::event::{Failure, Status};
use crate::fact::Question;
use crate::playbook::Task;
use crate::template::Stop;
use crate::value::{Kind, Value};

impl HostRun {
    /// Whether a unit that ended so is tried once more. If not, its end says how many attempts it took.
    pub(super) fn tries_again(
        &mut self,
        index: usize,
        number: usize,
        task: &Arc<Task>,
        end: &mut UnitEnd,
    ) -> bool {
        let Some(until) = &task.until else {
            return false;
        };
        // A plan makes no attempts; what was not begun or got lost is none.
        if !self.run.settings.mode.may_change()
            || matches!(end.status, Status::Skipped | Status::Unreachable)
        {
            return false;
        }
        let Some(unit) = self.slots[index]
            .units
            .as_ref()
            .and_then(|units| units.get(number))
            .cloned()
        else {
            return false;
        };
        let Some((retries, delay)) = unit.retry else {
            return false;
        };
        let attempt = self.slots[index].attempts + 1;
        end.result.insert("attempts".to_owned(), attempt.into());
        let scope = self.scope_of_result(task, &unit, end);
        let holds = if until.conditions.is_empty() {
            Ok(end.status != Status::Failed)
        } else {
            self.all_hold(&until.conditions, &scope)
        };
        match holds {
            Ok(true) => {}
            Ok(false) if attempt <= retries => {
                self.say_attempt(task, end, attempt, retries + 1, delay);
                self.slots[index].attempts = attempt;
                self.slots[index].again = Some(Instant::now() + delay);
                return true;
            }
            Ok(false) => give_up(end, attempt),
            Err(Stop::Fault(fault)) => {
                let result = std::mem::take(&mut end.result);
                *end = UnitEnd::failed(Failure::new(fault.one_line()));
                end.result.extend(result);
            }
            Err(Stop::After(what)) => {
                *end = UnitEnd::failed(Failure::new(format!(
                    "`until` uses something that is known only after `{what}`"
                )));
            }
        }
        self.slots[index].attempts = 0;
        false
    }

    fn say_attempt(&self, task: &Task, end: &UnitEnd, attempt: u32, of: u32, delay: Duration) {
        let why = match &end.failure {
            Some(failure) => failure.message.clone(),
            None => "`until` does not hold yet".to_owned(),
        };
        self.working(format!(
            "{}: attempt {attempt} of {of}: {why}; the next one in {} s",
            task.label,
            delay.as_secs_f64()
        ));
    }

    /// A task that waits for its next attempt: the pause that is left, or nothing when it is bound anew and can go on.
    pub(super) fn attempt_again(&mut self, index: usize, task: &Arc<Task>) -> Option<Step> {
        let when = self.slots[index].again?;
        if Instant::now() < when {
            return Some(Step::Turn(Turn::Pause(when)));
        }
        self.slots[index].again = None;
        // Time has passed: whatever is known of the node may be as old as the last attempt.
        self.known.touch(&Touch::Everything);
        if task.action.name() == "setup" {
            self.known.forget(&Question::Facts);
        }
        let number = self.slots[index].ends.len();
        let units = self.slots[index].units.as_mut()?;
        match self.binder.again(task, units.get(number)?) {
            Ok(unit) => Arc::make_mut(units)[number] = Arc::new(unit),
            Err(stop) => {
                let failure = Failure::new(match stop {
                    Stop::Fault(fault) => fault.one_line(),
                    Stop::After(what) => {
                        format!("it uses something that is known only after `{what}`")
                    }
                });
                self.slots[index].attempts = 0;
                self.finish_unit(index, task, UnitEnd::failed(failure));
            }
        }
        // The walk begins anew with what is known now.
        Some(self.anew())
    }
}

impl HostRun {
    /// `loop_control.pause` behind an item that is not the last; a plan does not pause.
    pub(super) fn pause_behind_item(&mut self, index: usize, task: &Task) {
        self.slots[index].rest = None;
        let Some(pause) = task
            .repeat
            .as_ref()
            .and_then(|repeat| repeat.pause.as_ref())
        else {
            return;
        };
        let Some(unit) = self.slots[index].units.as_ref().and_then(|it| it.last()) else {
            return;
        };
        if !self.run.settings.mode.may_change() {
            return;
        }
        let seconds = match self.binder.render(pause, &unit.scope) {
            Ok(value) => match &value.kind {
                Kind::Int(number) => Some(*number as f64),
                Kind::Float(number) => Some(*number),
                Kind::Str(text) => text.trim().parse().ok(),
                _ => None,
            },
            Err(_) => None,
        };
        if let Some(seconds) = seconds.filter(|seconds| (0.0..1e9).contains(seconds)) {
            self.slots[index].rest = Some(Instant::now() + Duration::from_secs_f64(seconds));
        }
    }

    /// When the next item may begin, if that is not yet.
    pub(super) fn rests(&self, index: usize) -> Option<Instant> {
        self.slots[index].rest.filter(|when| Instant::now() < *when)
    }
}

impl Binder {
    /// How often a task is tried again, and after how long.
    pub(super) fn retry(
        &self,
        task: &Task,
        scope: &Arc<TaskScope>,
    ) -> Result<Option<(u32, Duration)>, Stop> {
        let Some(until) = &task.until else {
            return Ok(None);
        };
        let number = |value: &Option<Value>, name: &str, default: f64| -> Result<f64, Stop> {
            let Some(value) = value else {
                return Ok(default);
            };
            let value = self.render(value, scope)?;
            let number = match &value.kind {
                Kind::Int(number) => Some(*number as f64),
                Kind::Float(number) => Some(*number),
                Kind::Str(text) => text.trim().parse().ok(),
                _ => None,
            };
            number
                .filter(|number| (0.0..1e9).contains(number))
                .ok_or_else(|| Diagnostic::at(&value.span, format!("`{name}` is a number")).into())
        };
        let retries = number(&until.retries, "retries", 3.0)?;
        let delay = number(&until.delay, "delay", 5.0)?;
        Ok(Some((retries as u32, Duration::from_secs_f64(delay))))
    }
}

/// The last attempt was not what was waited for.
fn give_up(end: &mut UnitEnd, attempts: u32) {
    let times = match attempts {
        1 => "after one attempt".to_owned(),
        _ => format!("after {attempts} attempts"),
    };
    end.status = Status::Failed;
    match &mut end.failure {
        Some(failure) => failure.message = format!("{} ({times})", failure.message),
        None => {
            let mut failure = Failure::new(format!("`until` does not hold {times}"));
            failure.rc = end.rc;
            end.failure = Some(failure);
        }
    }
    if let Some(failure) = &end.failure {
        end.msg = failure.message.clone();
    }
}
