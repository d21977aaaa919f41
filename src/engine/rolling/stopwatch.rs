//! How long each part took on each node.

use std::time::Instant;

use crate::event::NodeRecap;
use crate::rollout::{Act, Member, State};

/// Times of all nodes.
pub(super) struct Stopwatch {
    nodes: Vec<Times>,
}

#[derive(Default, Clone)]
struct Times {
    state: Option<State>,
    since: Option<Instant>,
    act: Option<Instant>,
    drain_ms: u64,
    update_ms: u64,
    check_ms: u64,
    stayed: u64,
    switchovers: Vec<String>,
}

impl Stopwatch {
    /// For so many nodes.
    pub(super) fn new(nodes: usize) -> Stopwatch {
        Stopwatch {
            nodes: vec![Times::default(); nodes],
        }
    }

    /// An act begins.
    pub(super) fn begin(&mut self, index: usize) {
        self.nodes[index].act = Some(Instant::now());
    }

    /// An act ended.
    pub(super) fn end(&mut self, index: usize, act: Act) {
        let times = &mut self.nodes[index];
        let Some(began) = times.act.take() else {
            return;
        };
        let part = match act {
            Act::Drain => &mut times.drain_ms,
            Act::Update | Act::Restore => &mut times.update_ms,
            Act::Check { .. } | Act::Attach | Act::Soak => &mut times.check_ms,
            Act::Leave | Act::Gather => return,
        };
        *part += millis(began);
    }

    /// So many connections were still open.
    pub(super) fn stayed(&mut self, index: usize, stayed: u64) {
        self.nodes[index].stayed = stayed;
    }

    /// Clusters have another primary, so that the node may go.
    pub(super) fn switched(&mut self, index: usize, switchovers: Vec<String>) {
        self.nodes[index].switchovers.extend(switchovers);
    }

    /// The milliseconds a node was in its state before, when this is another one.
    pub(super) fn moved(&mut self, index: usize, state: State) -> Option<u64> {
        let times = &mut self.nodes[index];
        if times.state == Some(state) {
            return None;
        }
        let first = times.state.is_none();
        let ms = times.since.map_or(0, millis);
        times.state = Some(state);
        times.since = Some(Instant::now());
        // How it was found is told already.
        (!first || !matches!(state, State::InService | State::Out | State::Lost)).then_some(ms)
    }

    /// All of it.
    pub(super) fn recap(&self, members: &[Member]) -> Vec<NodeRecap> {
        members
            .iter()
            .zip(&self.nodes)
            .map(|(member, times)| NodeRecap {
                host: member.name.clone(),
                state: member.state.word(),
                trouble: member.trouble.clone(),
                drain_ms: times.drain_ms,
                update_ms: times.update_ms,
                check_ms: times.check_ms,
                stayed: times.stayed,
                switchovers: times.switchovers.clone(),
            })
            .collect()
    }
}

fn millis(since: Instant) -> u64 {
    since.elapsed().as_millis() as u64
}
