//! Batches: which hosts of a play go together, when the others stop, and how many may fail.

use std::sync::Arc;

use super::state::{HostState, Out, Run};
use crate::event::Event;
use crate::playbook::Scheduled;

/// The hosts of a play in its batches, those that are out of the run not among them.
pub fn batches(run: &Run, play: &Scheduled) -> Vec<Vec<Arc<HostState>>> {
    let all = play.hosts.len();
    let mut sizes = play.batches.iter().map(|size| size.of(all));
    let (mut size, mut from) = (all.max(1), 0);
    let mut batches = Vec::new();
    while from < all {
        size = sizes.next().unwrap_or(size);
        let to = all.min(from + size);
        batches.push(
            play.hosts[from..to]
                .iter()
                .filter_map(|name| run.hosts.get(name.as_str()))
                .filter(|host| host.out() == Out::Alive)
                .cloned()
                .collect(),
        );
        from = to;
    }
    batches.retain(|batch: &Vec<_>| !batch.is_empty());
    batches
}

/// Whether more hosts of a play failed than may. Counted over the whole play.
pub fn too_many_failed(run: &Run, play: &Scheduled) -> bool {
    let Some(percentage) = play.play.may_fail else {
        return false;
    };
    let hosts = play.hosts.iter();
    let failed = hosts
        .filter_map(|name| run.hosts.get(name.as_str()))
        .filter(|host| host.is_bad())
        .count();
    failed as f64 * 100.0 > percentage * play.hosts.len() as f64
}

/// Whether the play goes on behind a batch. If not, the hosts of the batches that follow are out, and it is said.
pub fn goes_on(
    run: &Run,
    play: &Scheduled,
    batch: &[Arc<HostState>],
    rest: &[Vec<Arc<HostState>>],
    fatal: bool,
) -> bool {
    let all_failed = batch
        .iter()
        .all(|host| matches!(host.out(), Out::Failed | Out::Unreachable));
    let why = if all_failed {
        "every host of the batch failed"
    } else if fatal || too_many_failed(run, play) {
        "more hosts failed than may"
    } else {
        return true;
    };
    let left: Vec<&Arc<HostState>> = rest.iter().flatten().collect();
    if !left.is_empty() {
        let names: Vec<&str> = left.iter().map(|host| host.name.as_ref()).collect();
        run.say(Event::Warning {
            host: None,
            message: format!(
                "the play `{}` ends here, {why}: nothing was done on {}",
                play.play.name,
                names.join(", ")
            ),
        });
    }
    for host in left {
        host.take_out(Out::Interrupted);
        run.gate.settle(&host.name);
    }
    false
}
