//! All leases or none: nobody writes before every host of the run has answered about its lease.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use super::state::lock;
use crate::node::LeaseInfo;

/// Another run holds a lease we need.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// On this host.
    pub host: Arc<str>,
    /// By whom.
    pub info: LeaseInfo,
    /// Seconds since it last gave a sign of life.
    pub silent_s: u64,
    /// Whether it is dead and only its last step still runs.
    pub finishing: bool,
}

/// Opens when every host has its lease or is out of reach; shut for good by the first refusal, or when the
/// run is told to stop while it waits.
pub struct LeaseGate {
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    hosts: usize,
    settled: HashSet<Arc<str>>,
    refused: Option<Refusal>,
    given_up: bool,
}

impl LeaseGate {
    /// A gate for so many hosts.
    pub fn new(hosts: usize) -> LeaseGate {
        LeaseGate {
            state: Mutex::new(State {
                hosts,
                settled: HashSet::new(),
                refused: None,
                given_up: false,
            }),
            changed: Notify::new(),
        }
    }

    /// A host has its lease, or is out and will not write.
    pub fn settle(&self, host: &Arc<str>) {
        lock(&self.state).settled.insert(host.clone());
        self.changed.notify_waiters();
    }

    /// One host's lease is another's.
    pub fn refuse(&self, refusal: Refusal) {
        lock(&self.state).refused.get_or_insert(refusal);
        self.changed.notify_waiters();
    }

    /// Nobody waits for leases any more, and nobody writes.
    pub fn give_up(&self) {
        lock(&self.state).given_up = true;
        self.changed.notify_waiters();
    }

    /// Who refused, if anyone did.
    pub fn refusal(&self) -> Option<Refusal> {
        lock(&self.state).refused.clone()
    }

    /// Whether everyone has answered, one refused, or all gave up.
    pub fn is_decided(&self) -> bool {
        let state = lock(&self.state);
        state.settled.len() >= state.hosts || state.refused.is_some() || state.given_up
    }

    /// Waits until it opens; false when it is shut.
    pub async fn pass(&self) -> bool {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let state = lock(&self.state);
                if state.refused.is_some() || state.given_up {
                    return false;
                }
                if state.settled.len() >= state.hosts {
                    return true;
                }
            }
            changed.await;
        }
    }
}
