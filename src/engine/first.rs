//! An order to the clusters that goes before the plays, and the host it is about.

use std::sync::Arc;

use super::rolling;
use super::state::{Out, Run};
use crate::cluster::Goal;
use crate::playbook::Scheduled;

/// Why a host of the inventory cannot be forgotten or replaced: no cluster of the plays has it.
pub(super) fn stranger(run: &Run, members: &[String]) -> Option<String> {
    let order = run.settings.goal.as_ref().or(run.settings.first.as_ref());
    let Some(Goal::Forget(lost)) = order else {
        return None;
    };
    let known = run
        .project
        .inventory
        .hosts
        .keys()
        .any(|host| host.as_str() == lost.name);
    (known && !members.contains(&lost.name)).then(|| {
        format!(
            "{} is a member of no cluster of this playbook: there is nothing to forget of it",
            lost.name
        )
    })
}

/// Brings the clusters to the goal. Says why the plays must not begin.
pub(super) async fn order(run: &Arc<Run>, plays: &[Arc<Scheduled>], goal: Goal) -> Option<String> {
    rolling::connect(run).await;
    if run.gate.refusal().is_some() || run.stop.is_cancelled() {
        return None;
    }
    if let Goal::Forget(lost) = &goal
        && let Some(host) = run.hosts.get(lost.name.as_str())
        && host.out() != Out::Alive
    {
        return Some(format!(
            "the new {} cannot be reached, and nothing was forgotten of the old one: {}",
            lost.name,
            host.why_out()
        ));
    }
    rolling::order(run, plays, goal).await
}
