//! Heartbeats: every lease of the run says every ten seconds that its holder lives.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::state::{Run, lock};
use crate::event::Event;
use crate::node::Pulse;
use crate::node::lease::HEARTBEAT;

/// Beats until it is aborted. Short runs never come to the first one.
pub async fn beat(run: Arc<Run>) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        let pulses: Vec<(Arc<str>, Pulse)> = std::mem::take(&mut *lock(&run.pulses));
        let mut beating = JoinSet::new();
        for (host, mut pulse) in pulses {
            beating.spawn(async move {
                let held = tokio::time::timeout(HEARTBEAT, pulse.beat()).await;
                (host, pulse, held)
            });
        }
        while let Some(beaten) = beating.join_next().await {
            let Ok((host, pulse, held)) = beaten else {
                continue;
            };
            if matches!(held, Ok(Ok(false))) {
                run.say(Event::Warning {
                    host: Some(host.clone()),
                    message: "the lease of this host is no longer ours".to_owned(),
                });
                continue;
            }
            // A beat that did not get through is tried again: the connection may be on its way back.
            lock(&run.pulses).push((host, pulse));
        }
    }
}
