//! `throttle`: at most so many hosts of a batch act for a task at once.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::bind::{Binder, Unit};
use super::host::HostRun;
use super::scope::TaskScope;
use crate::diagnostic::Diagnostic;
use crate::playbook::Task;
use crate::template::{Stop, is_omit};
use crate::value::Kind;

impl Binder {
    /// How many hosts may act at once; none for all.
    pub(super) fn throttle(
        &self,
        task: &Task,
        scope: &Arc<TaskScope>,
    ) -> Result<Option<usize>, Stop> {
        let Some(throttle) = &task.throttle else {
            return Ok(None);
        };
        let limit = self.render(throttle, scope)?;
        if is_omit(&limit) || limit.is_null() {
            return Ok(None);
        }
        let number = match &limit.kind {
            Kind::Int(number) => usize::try_from(*number).ok(),
            Kind::Str(text) => text.trim().parse().ok(),
            _ => None,
        };
        let wrong = || Diagnostic::at(&throttle.span, "`throttle` is a number of hosts");
        match number.ok_or_else(wrong)? {
            0 => Ok(None),
            number => Ok(Some(number.min(Semaphore::MAX_PERMITS))),
        }
    }
}

impl HostRun {
    /// Waits until this host may act for a task. It keeps its turn over all attempts, and waits for no other host meanwhile. False when
    /// the run is told to stop, or the host must.
    pub(super) async fn take_turn(&mut self, index: usize, task: &Task, unit: &Unit) -> bool {
        let Some(limit) = unit.throttle.filter(|_| self.slots[index].turn.is_none()) else {
            return true;
        };
        let batch = self.play.batch.first().cloned();
        let key = (task.id, self.items[index].place.clone(), batch);
        let turns = self.layout.turns(key, limit);
        let turn = match turns.clone().try_acquire_owned() {
            Ok(turn) => Some(turn),
            Err(_) => {
                self.working("waiting for its turn".to_owned());
                let stop = self.run.stop.clone();
                self.idle(async move {
                    tokio::select! {
                        turn = turns.acquire_owned() => turn.ok(),
                        () = stop.cancelled() => None,
                    }
                })
                .await
            }
        };
        // Who was before may be why nobody goes on.
        let goes_on = turn.is_some() && !self.run.stop.is_cancelled() && !self.must_stop();
        if goes_on {
            self.slots[index].turn = turn;
        }
        goes_on
    }
}
