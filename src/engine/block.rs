//! Blocks: where a host goes on when a task failed, and what it forgets of the way it did not take.

use std::sync::Arc;

use minijinja::Value as Native;

use super::host::{HostRun, Slot};
use super::layout::{Item, What};
use super::native;
use super::state::Out;
use super::walk::{Step, Walk};
use crate::playbook::{Part, Task, Within};
use crate::value::Value;

impl HostRun {
    /// The innermost block that takes over when an item fails.
    pub(super) fn rescuer(&self, index: usize) -> Option<usize> {
        let mut around = self.items[index].within.iter().rev();
        around
            .find(|it| it.part == Part::Block && self.rescues.contains_key(&it.block))
            .map(|it| it.block)
    }

    /// Whether a failure at an item is taken over by a rescue, sooner or later.
    pub(super) fn is_rescued(&self, index: usize) -> bool {
        self.host.out() == Out::Alive && self.rescuer(index).is_some()
    }

    /// What a rescue can read of the failure it takes over.
    pub(super) fn tell_rescue(&self, task: &Task, result: Native) {
        let mut vars = self.host.vars();
        let name = task.name.as_ref().and_then(Value::as_str);
        // Ansible's has no role before it.
        let failed = serde_json::json!({
            "name": name.unwrap_or(task.action.name()),
            "action": task.action.name(),
        });
        vars.set
            .insert("ansible_failed_task".into(), native(failed));
        vars.set.insert("ansible_failed_result".into(), result);
    }

    /// Leaves the blocks around an item that failed, inner ones first, for what is to be done then: a rescue, or what always runs.
    /// False when nothing is.
    pub(super) fn leap(&mut self, index: usize) -> bool {
        let within = self.items[index].within.clone();
        let next = index + 1;
        if !self.land(next, &within) {
            return false;
        }
        self.restore();
        self.fold(next);
        // What is left was bound for another course of things.
        for slot in &mut self.slots[next..] {
            *slot = Slot::default();
        }
        self.cursor = next;
        self.leaped = true;
        self.progress
            .reach(&self.host.name, &self.items[next].place);
        true
    }

    fn land(&mut self, next: usize, within: &[Within]) -> bool {
        for (depth, around) in within.iter().enumerate().rev() {
            self.leave_part(next, depth, *around);
            if around.part == Part::Block
                && let Some(rescue) = self.rescues.get(&around.block)
            {
                self.insert(next, rescue.clone());
                return true;
            }
            if around.part == Part::Always {
                // The failure behind which it ran is overtaken by its own.
                let raises =
                    |item: &Item| matches!(item.what, What::Raise) && item.within.len() == depth;
                if self.items.get(next).is_some_and(raises) {
                    self.items.remove(next);
                    self.slots.remove(next);
                }
                continue;
            }
            let always = Within {
                part: Part::Always,
                ..*around
            };
            let length = self.length(next, depth, always);
            if length > 0 {
                let last = &self.items[next + length - 1].place;
                let raise = Item {
                    place: last.behind(),
                    what: What::Raise,
                    given: Arc::default(),
                    within: within[..depth].into(),
                };
                self.insert(next + length, vec![raise]);
                return true;
            }
        }
        false
    }

    /// How many items from `from` on stand in that part of a block.
    fn length(&self, from: usize, depth: usize, part: Within) -> usize {
        self.items[from..]
            .iter()
            .take_while(|item| item.within.get(depth) == Some(&part))
            .count()
    }

    /// Takes out what is left of a part. Handlers that were about to run stay notified.
    fn leave_part(&mut self, from: usize, depth: usize, part: Within) {
        let end = from + self.length(from, depth, part);
        for item in self.items.drain(from..end) {
            if let What::Handler(handler, _) = item.what {
                self.notified.add(handler);
            }
        }
        self.slots.drain(from..end);
    }

    /// Puts items before the one at `at`.
    pub(super) fn insert(&mut self, at: usize, items: Vec<Item>) {
        let slots: Vec<Slot> = items.iter().map(|_| Slot::default()).collect();
        self.items.splice(at..at, items);
        self.slots.splice(at..at, slots);
    }

    /// What always runs has run: the failure before it goes on outwards.
    pub(super) fn raise(&mut self, index: usize, walk: &mut Walk) -> Step {
        if !walk.clear || !walk.batch.entries.is_empty() {
            return Step::Break;
        }
        self.fail(index);
        self.anew()
    }

    /// Sets a name to what it is until its task has run. What it was comes back when that never happens.
    pub(super) fn promise_value(&mut self, name: Arc<str>, value: Native) {
        let before = self.host.vars().set.insert(name.clone(), value);
        let seen = self.play.aside().remove(&name);
        self.ahead
            .entry(name.clone())
            .or_insert(seen.unwrap_or(before.clone()));
        self.displaced.entry(name).or_insert(before);
    }

    /// To a new walk, names are what they were before the tasks of the last one promised them: those tasks come again, and who stands before them
    /// does not wait for them. Other hosts see the promises all the same.
    pub(super) fn set_aside(&mut self) {
        let ahead = std::mem::take(&mut self.ahead);
        self.play.aside().extend(ahead);
    }

    /// Behind the last task nothing is promised: what no task has set is what it was.
    pub(super) fn drop_promises(&mut self) {
        self.set_aside();
        let aside = std::mem::take(&mut *self.play.aside());
        let mut vars = self.host.vars();
        for (name, before) in aside {
            self.displaced.remove(&name);
            match before {
                Some(value) => vars.set.insert(name, value),
                None => vars.set.remove(&name),
            };
        }
    }

    /// What a name is now stands, whatever is walked again.
    pub(super) fn confirm(&mut self, name: &str) {
        self.ahead.remove(name);
        self.play.aside().remove(name);
    }

    /// Sets a name for good.
    pub(super) fn set(&mut self, name: Arc<str>, value: Native) {
        self.displaced.remove(&name);
        self.confirm(&name);
        self.host.vars().set.insert(name, value);
    }

    /// Names of tasks that will not run are what they were before.
    fn restore(&mut self) {
        self.ahead.clear();
        self.play.aside().clear();
        let mut vars = self.host.vars();
        for (name, before) in self.displaced.drain() {
            match before {
                Some(value) => vars.set.insert(name, value),
                None => vars.set.remove(&name),
            };
        }
    }
}
