//! Parts of a play: some of its tasks, on some of its hosts.

use std::collections::HashSet;
use std::sync::Arc;

use crate::playbook::{Rollout, Scheduled, Task};

/// The tasks that `keep` takes, on `hosts`. Without `handlers`, those that an earlier run owes stay owed.
pub(super) fn only(
    play: &Scheduled,
    keep: impl Fn(&Task) -> bool,
    handlers: bool,
    hosts: &[&str],
) -> Arc<Scheduled> {
    let mut part = play.clone();
    for tasks in [
        &mut part.play.pre_tasks,
        &mut part.play.tasks,
        &mut part.play.post_tasks,
    ] {
        tasks.retain(|task| keep(task));
    }
    if !handlers {
        part.play.handlers.clear();
    }
    part.hosts.retain(|host| hosts.contains(&host.as_str()));
    Arc::new(part)
}

/// What is done on each node in its turn.
pub(super) fn turn(play: &Scheduled, hosts: &[&str]) -> Arc<Scheduled> {
    only(play, |task| task.rollout.is_none(), true, hosts)
}

/// The marked tasks of a play in their order, neighbours with the same mark together.
pub(super) fn marked(play: &Scheduled) -> Vec<(Rollout, HashSet<usize>)> {
    let mut runs: Vec<(Rollout, HashSet<usize>)> = Vec::new();
    for task in play.play.all_tasks() {
        let Some(when) = task.rollout else { continue };
        match runs.last_mut() {
            Some((last, ids)) if *last == when => {
                ids.insert(task.id);
            }
            _ => runs.push((when, HashSet::from([task.id]))),
        }
    }
    runs
}
