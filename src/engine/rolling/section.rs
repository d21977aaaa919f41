//! Parts of a play: some of its tasks, on some of its hosts.

use std::sync::Arc;

use crate::playbook::{Scheduled, Task};

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
