//! How a node is, as `lab status` tells it.

use std::net::Ipv4Addr;

use serde::Serialize;

use super::node::Node;
use super::release::Release;

/// One node in `lab status --output json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeStatus {
    /// Its name in the lab.
    pub name: String,
    /// Its address on the lab's network.
    pub address: Ipv4Addr,
    /// Its Debian release.
    pub release: Release,
    /// Whether it runs.
    pub state: NodeState,
    /// The machine's process that is the node (nspawn), while it runs.
    pub pid: Option<u32>,
}

/// Whether a node runs and is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeState {
    /// It runs.
    Up,
    /// It does not run.
    Down,
}

impl NodeStatus {
    /// Looks at a node now.
    pub(super) fn of(node: &Node, release: Release) -> Self {
        let pid = node.pid();
        let state = if pid.is_some() {
            NodeState::Up
        } else {
            NodeState::Down
        };
        Self {
            name: node.name.clone(),
            address: node.address,
            release,
            state,
            pid,
        }
    }
}
