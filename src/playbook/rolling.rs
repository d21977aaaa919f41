//! What can be said of `rolling:` and `rollout:` before anything is rendered.

use super::{Play, Project};
use crate::balancer::Spec;
use crate::diagnostic::Diagnostic;
use crate::rollout::Settings;

/// When a task of a rolling update runs, other than in each node's own turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollout {
    /// On all nodes, before the first one is drained.
    Before,
    /// On one node, before the first one is drained.
    Once,
}

/// The faults of all plays.
pub(super) fn check(project: &Project) -> Vec<Diagnostic> {
    let plays = project.plays.iter().map(|scheduled| &scheduled.play);
    plays.flat_map(of_play).collect()
}

fn of_play(play: &Play) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    if let Some(value) = &play.rolling {
        match Settings::read(value, true) {
            Ok(settings) => faults.extend(settings.balancer.iter().flat_map(Spec::check)),
            Err(mut found) => faults.append(&mut found),
        }
    }
    for task in play.tasks_and_handlers() {
        if let (Some(when), Some(notify)) = (task.rollout, task.notify.first()) {
            let word = match when {
                Rollout::Before => "before",
                Rollout::Once => "once",
            };
            faults.push(
                Diagnostic::warning(
                    &notify.span,
                    format!("a rolling update does not run this handler: the task is marked `rollout: {word}`"),
                )
                .help("such tasks run while the node serves; notify from a task of the node's own turn"),
            );
        }
    }
    faults
}
