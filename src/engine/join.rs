//! What a changing unit comes to: in a plan its prediction, else its place in the script.

use std::sync::Arc;

use super::bind::Unit;
use super::host::{Entry, HostRun, Turn};
use super::layout::What;
use super::verdict::{self, UnitEnd};
use super::walk::{Step, Walk};
use crate::change::{self, Action, Change, Touch};
use crate::event::Status;
use crate::playbook::Task;
use crate::template::pending;

impl HostRun {
    /// In a plan: what the steps would leave is known from now on.
    pub(super) fn predict(
        &mut self,
        index: usize,
        number: usize,
        task: &Arc<Task>,
        change: Change,
        walk: &mut Walk,
    ) -> Option<Step> {
        self.warn(&change);
        let acts = change.steps.iter().any(|step| step.act);
        let runs = match &change.reading {
            Some(reading) => !reading.foreseen,
            None => acts && verdict::is_command(task.action.name()),
        };
        for step in &change.steps {
            for touch in &step.touches {
                if *touch != Touch::Everything {
                    walk.view.touch(touch);
                    self.known.touch(touch);
                }
            }
            walk.view.learn(step.predicts.iter().cloned());
            self.known.learn(step.predicts.iter().cloned());
        }
        let all = change
            .steps
            .iter()
            .any(|step| step.touches.contains(&Touch::Everything));
        if all || self.uncertain.is_none() {
            self.uncertain = Some(task.label.to_string());
        }
        let open = change.reading.is_some();
        let mut end = UnitEnd::of(Status::Changed, change);
        end.open = open;
        if runs {
            end.status = Status::Unknown;
            end.msg = "would run".to_owned();
        }
        self.decided(index, number, task, end, walk)
    }

    /// Joins the script.
    pub(super) fn batch(
        &mut self,
        index: usize,
        number: usize,
        task: &Arc<Task>,
        unit: &Unit,
        change: Change,
        walk: &mut Walk,
    ) -> Option<Step> {
        let once = self.is_once(index, task);
        let place = match once {
            // The others wait at the task, and come to none of its items.
            true => self.items[index].place.clone(),
            false => self.items[index].place.item(number),
        };
        let alone = self.play.play.hosts.len() < 2;
        let free = self.play.play.play.free;
        let cut = once || (!free && change.steps.iter().any(|step| step.cut));
        if cut && !alone {
            self.progress
                .reach(&self.host.name, &self.items[self.cursor].place);
            if walk.batch.entries.is_empty() && self.cursor == index {
                self.progress.reach(&self.host.name, &place);
            }
            if !self.progress.all_at(&self.host.name, &place) {
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
        // The edge of a block with a rescue ends a script.
        let before = walk.batch.entries.last();
        if before.is_some_and(|entry| self.rescuer(entry.item) != self.rescuer(index)) {
            walk.clear = false;
            return None;
        }
        // Of a script that got lost with its task, nothing else may have run.
        // Nor does who waits for its turn hold up anything else.
        let apart = unit.passes
            || unit.throttle.is_some()
            || change.steps.iter().any(change::Step::stands_apart);
        if apart && !walk.batch.entries.is_empty() {
            walk.clear = false;
            return None;
        }
        self.warn(&change);
        let last = apart
            || task.changed_when.len() + task.failed_when.len() > 0
            || unit.ignore
            || task.pauses()
            || unit.retry.is_some();
        for step in &change.steps {
            for touch in &step.touches {
                walk.view.touch(touch);
            }
            walk.view.learn(step.predicts.iter().cloned());
        }
        let steps = change.steps.len();
        self.place_steps(index, task, unit, &change, last, &mut walk.batch.steps);
        if let What::Handler(handler, _) = &self.items[index].what
            && self.pays_itself(task, Status::Changed)
            && let Some(step) = walk.batch.steps.last_mut()
        {
            step.pays.push(self.note_of(*handler));
        }
        let changed = change.action != Action::None;
        let open = last || task.repeat.is_some() || change.reading.is_some();
        walk.batch.entries.push(Entry {
            item: index,
            unit: number,
            change,
            steps,
        });
        if let Some(name) = &task.register {
            let value = if open {
                pending(&task.label)
            } else {
                verdict::half_known(&task.label, changed)
            };
            self.promise_value(name.clone(), value);
        }
        last.then_some(Step::Break)
    }
}
