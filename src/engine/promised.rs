//! What a plan keeps of each task, and what an apply of a saved plan compares before it writes.

use std::collections::HashMap;
use std::sync::Arc;

use super::bind::Unit;
use super::clustered::is_cluster;
use super::host::{HostRun, Turn};
use super::state::{Out, Run, lock};
use super::verdict::UnitEnd;
use super::walk::{Step, Walk, only_reads};
use crate::change::{Change, Effect};
use crate::event::{Failure, Status, TaskResult};
use crate::plan::{Difference, NOBODY, Promise, Shown, TaskPlan, UnitPlan};
use crate::playbook::Task;

/// Where a cluster's task registers who leads.
const PRIMARY: &str = "primary";

/// What to do when a host moved between the plan and its change.
const HELP: &str =
    "nothing of this task was written, and nothing behind it; plan again, and apply the new plan";

/// What a saved plan says of a cluster, which is looked up once, before its first move: the moves behind it follow from that one.
pub(super) struct PromisedCluster {
    run: Arc<Run>,
    promise: Arc<Promise>,
    key: String,
    secret: bool,
}

impl HostRun {
    /// Where the task at `index` stands in the run.
    fn key(&self, index: usize) -> String {
        format!(
            "{}/{}",
            self.play.play.number,
            self.items[index].place.word()
        )
    }

    /// Keeps a task's end for the file of the plan; and remembers that it may alter anything.
    pub(super) fn keep(
        &self,
        index: usize,
        task: &Task,
        result: &TaskResult,
        units: &[Arc<Unit>],
        ends: &[UnitEnd],
    ) {
        if self.run.settings.mode.may_change() {
            return;
        }
        let cluster = is_cluster(task);
        if let Some(record) = &self.run.settings.record {
            let mask = |text: &str| self.run.masker.mask(text).into_owned();
            let secret = units.iter().any(|unit| unit.secret);
            let shown = match secret {
                true => Shown::Never,
                false => Shown::Masked(&mask),
            };
            let units = ends.iter().map(|end| {
                let (fields, runs) = (&end.changes, end.runs.as_deref());
                let word = end.status.word();
                UnitPlan::of(word, end.action, fields, runs, record.salt(), shown)
            });
            let kept = TaskPlan {
                place: self.key(index),
                task: mask(&result.task),
                at: result.at.to_string(),
                kind: result.kind.to_owned(),
                status: result.status.word().to_owned(),
                known_after: result.known_after.as_deref().map(mask),
                leads: cluster.then(|| leads(ends)).flatten(),
                down: cluster.then(|| self.down(ends)).flatten(),
                behind: lock(&self.host.behind).as_deref().map(mask),
                effects: effects(result),
                units: units.collect(),
            };
            record.task(&self.host.name, kept);
        }
        let alters = |end: &UnitEnd| {
            (end.alters || cluster) && matches!(end.status, Status::Changed | Status::Unknown)
        };
        if ends.iter().any(alters) && !only_reads(task.action.name()) {
            lock(&self.host.behind).get_or_insert(task.label.clone());
        }
    }

    /// How this host's server was found, as a member of a cluster, where it does not run.
    fn down(&self, ends: &[UnitEnd]) -> Option<String> {
        let members = members(&ends.first()?.result);
        let own = members
            .into_iter()
            .find(|(name, _)| **name == *self.host.name);
        own?.1
    }

    /// How a change is otherwise than in the plan that is applied; none when it may be made.
    pub(super) fn unpromised(
        &self,
        index: usize,
        number: usize,
        unit: &Unit,
        change: &Change,
    ) -> Option<Failure> {
        let promise = self.run.settings.promise.as_ref()?;
        if unit.reads || !self.run.settings.mode.may_change() {
            return None;
        }
        let mask = |text: &str| self.run.masker.mask(text).into_owned();
        let shown = match unit.secret {
            true => Shown::Never,
            false => Shown::Masked(&mask),
        };
        let runs = change.runs();
        let now = UnitPlan::of(
            Status::Changed.word(),
            change.action,
            &change.fields,
            runs.as_deref(),
            promise.salt(),
            shown,
        );
        let key = self.key(index);
        let moved = promise.check(&self.host.name, &key, number, &now).err()?;
        Some(failure(&moved))
    }

    /// What the plan that is applied says of the cluster of a task.
    pub(super) fn promised_cluster(&self, index: usize, unit: &Unit) -> Option<PromisedCluster> {
        Some(PromisedCluster {
            promise: self.run.settings.promise.clone()?,
            run: self.run.clone(),
            key: self.key(index),
            secret: unit.secret,
        })
    }

    /// Stops this host before a task whose change is another than the planned one: what is collected of the task is dropped, what came before it
    /// is done, and no rescue follows.
    pub(super) fn stop_unpromised(
        &mut self,
        index: usize,
        task: &Arc<Task>,
        failure: Failure,
        walk: &mut Walk,
    ) -> Step {
        while let Some(entry) = walk.batch.entries.pop_if(|entry| entry.item == index) {
            let left = walk.batch.steps.len() - entry.steps;
            walk.batch.steps.truncate(left);
        }
        if !walk.batch.entries.is_empty() {
            return Step::Break;
        }
        self.host.take_out(Out::Failed);
        self.end_task_early(index, task, UnitEnd::failed(failure));
        Step::Turn(Turn::Out)
    }
}

impl PromisedCluster {
    /// Why it may not be moved along these changes of its members, of which none is made yet. `result` tells how it stands now.
    pub(super) fn unlike(
        &self,
        ends: &HashMap<Arc<str>, UnitEnd>,
        result: &Registered,
    ) -> Option<Failure> {
        let promise = &self.promise;
        let stand = members(result);
        let stand = stand.iter().map(|(name, down)| (&**name, down.as_deref()));
        let moved = promise.stands_otherwise(&self.key, stand);
        if !moved.is_empty() {
            return Some(failure(&moved));
        }
        if let Some(moved) = promise.led_otherwise(&self.key, primary_of(result)) {
            return Some(failure(&[moved]));
        }
        if !promise.allows_any(&self.key) {
            let words = "the cluster was as wanted when the plan was made, and is no longer";
            return Some(Failure::new(words).help(HELP));
        }
        let mask = |text: &str| self.run.masker.mask(text).into_owned();
        let shown = match self.secret {
            true => Shown::Never,
            false => Shown::Masked(&mask),
        };
        let mut names: Vec<&Arc<str>> = ends.keys().collect();
        names.sort();
        names.into_iter().find_map(|name| {
            let end = &ends[name];
            let (word, salt) = (end.status.word(), promise.salt());
            let now = UnitPlan::of(
                word,
                end.action,
                &end.changes,
                end.runs.as_deref(),
                salt,
                shown,
            );
            let moved = promise.check(name, &self.key, 0, &now).err()?;
            let moved = moved.into_iter().map(|it| Difference {
                field: format!("{name} {}", it.field),
                ..it
            });
            Some(failure(&moved.collect::<Vec<_>>()))
        })
    }
}

/// Who led the cluster; none where nobody looked, since the task's condition was false.
fn leads(ends: &[UnitEnd]) -> Option<String> {
    let result = &ends.first()?.result;
    result
        .contains_key(PRIMARY)
        .then(|| primary_of(result).to_owned())
}

/// What a cluster's task registers.
type Registered = serde_json::Map<String, serde_json::Value>;

/// The members, of what a cluster's task registers, each with how its server was found where it does not run: PostgreSQL's are words by name,
/// redis' a list.
fn members(result: &Registered) -> Vec<(String, Option<String>)> {
    let is_down = |word: &str| {
        let words = ["unknown", "does not answer", "unreadable data"];
        word.starts_with("stopped") || words.contains(&word)
    };
    let down = |word: &str| is_down(word).then(|| word.to_owned());
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    match result.get("members") {
        Some(serde_json::Value::Object(members)) => members
            .iter()
            .map(|(name, word)| (name.clone(), down(&text(word))))
            .collect(),
        Some(serde_json::Value::Array(members)) => members
            .iter()
            .map(|it| (text(&it["name"]), down(&text(&it["role"]))))
            .map(|(name, down)| (name, down.map(|_| "does not answer".to_owned())))
            .collect(),
        _ => Vec::new(),
    }
}

/// Who leads, of what a cluster's task registers.
fn primary_of(result: &Registered) -> &str {
    let primary = result.get(PRIMARY);
    primary
        .and_then(serde_json::Value::as_str)
        .unwrap_or(NOBODY)
}

fn failure(moved: &[Difference]) -> Failure {
    let words: Vec<String> = moved
        .iter()
        .map(|it| format!("{}: planned {}, now {}", it.field, it.planned, it.now))
        .collect();
    let message = format!("moved since the plan was made: {}", words.join("; "));
    Failure::new(message).help(HELP)
}

fn effects(result: &TaskResult) -> Vec<String> {
    let words = result.follows.iter().map(|follows| {
        let what = match &follows.effect {
            Effect::None => "run".to_owned(),
            effect => format!("{} {}", effect.word(), effect.unit().unwrap_or_default()),
        };
        match &follows.handler {
            Some(handler) => format!("{what} by handler {handler}"),
            None => what,
        }
    });
    words.collect()
}
