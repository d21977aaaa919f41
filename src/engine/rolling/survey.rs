//! What the plays would change on each node: planned on the same connections, told to nobody.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::{beside, leaves, section};
use crate::engine::state::Run;
use crate::event::{Event, Mode, Status};
use crate::playbook::Scheduled;

/// What the plays would do.
#[derive(Default)]
pub(super) struct Pending {
    /// Nodes on which something would change, or could not be told.
    pub changed: HashSet<Arc<str>>,
    /// Nodes that would leave their clusters for a while.
    pub leaving: HashSet<Arc<str>>,
}

/// The nodes on which something would change, or could not be told.
pub(super) async fn pending(
    run: &Arc<Run>,
    plays: &[Arc<Scheduled>],
    nodes: &[Arc<str>],
) -> Pending {
    let (events, mut said) = mpsc::unbounded_channel();
    let side = beside::run(run, nodes, events, |settings, _| settings.mode = Mode::Plan);
    beside::lend(run, &side).await;
    for play in plays {
        let hosts: Vec<&str> = nodes.iter().map(AsRef::as_ref).collect();
        let part = section::turn(play, &hosts);
        crate::engine::work(&side, &part, plays).await;
    }
    beside::lend(&side, run).await;
    let mut pending = Pending::default();
    let whole = leaves::whole(plays);
    while let Ok(event) = said.try_recv() {
        match event {
            Event::TaskFinished(result)
                if !matches!(result.status, Status::Ok | Status::Skipped) =>
            {
                if leaves::leaves(&result, whole.contains(&result.at)) {
                    pending.leaving.insert(result.host.clone());
                }
                pending.changed.insert(result.host);
            }
            Event::HostUnreachable { host, .. } => {
                pending.changed.insert(host);
            }
            _ => {}
        }
    }
    pending
}

/// The same for a dry run, where everybody is told.
pub(super) async fn shown(run: &Arc<Run>, plays: &[Arc<Scheduled>], nodes: &[Arc<str>]) -> Pending {
    let leaving = pending(run, plays, nodes).await.leaving;
    let open = || {
        nodes
            .iter()
            .filter_map(|name| run.hosts.get(name))
            .map(|host| {
                // One guard: a second one in the same expression would wait for the first for ever.
                let tally = *host.tally();
                (host.name.clone(), tally.changed + tally.unknown)
            })
            .collect::<Vec<_>>()
    };
    let before = open();
    for play in plays {
        let hosts: Vec<&str> = nodes.iter().map(AsRef::as_ref).collect();
        crate::engine::work(run, &section::turn(play, &hosts), plays).await;
    }
    let moved = open().into_iter().zip(before);
    let changed = moved
        .filter(|((_, now), (_, then))| now > then)
        .map(|((name, _), _)| name)
        .collect();
    Pending { changed, leaving }
}
