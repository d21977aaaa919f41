//! How a node is, as `lab status` tells it.

use std::net::Ipv4Addr;

use serde::Serialize;

use super::cgroup::Memory;
use super::cuts::Cuts;
use super::node::Node;
use super::release::Release;

/// The machine that the lab is on, among those a node is cut off from.
const CONTROLLER: &str = "controller";

/// One node in `lab status --output json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeStatus {
    /// Its name in the lab.
    pub name: String,
    /// Its address on the lab's network.
    pub address: Ipv4Addr,
    /// Its Debian release.
    pub release: Release,
    /// Whether it runs and is not cut off.
    pub state: NodeState,
    /// The machine's process that is the node (nspawn), while it runs.
    pub pid: Option<u32>,
    /// Its memory, while it runs and the machine limits it.
    pub memory: Option<Memory>,
    /// With whom packets are dropped, when a cut names this node.
    pub cuts: Vec<CutFrom>,
}

/// Whether a node runs and is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeState {
    /// It runs.
    Up,
    /// It does not run.
    Down,
    /// It runs, and a cut names it.
    Cut,
}

/// Someone whom a node does not reach, or who does not reach it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CutFrom {
    /// Another node, or `controller`.
    pub name: String,
    /// Which packets are dropped.
    pub way: Way,
}

/// The direction of dropped packets, seen from a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// To the other and from it.
    Both,
    /// To the other.
    To,
    /// From the other.
    From,
}

impl NodeStatus {
    /// Looks at a node among all nodes of its lab now.
    pub(super) fn of(node: &Node, all: &[Node], release: Release, cuts: &Cuts) -> Self {
        let pid = node.pid();
        let cuts = cut_from(node, all, cuts);
        let state = match pid {
            None => NodeState::Down,
            Some(_) if cuts.is_empty() => NodeState::Up,
            Some(_) => NodeState::Cut,
        };
        Self {
            name: node.name.clone(),
            address: node.address,
            release,
            state,
            pid,
            memory: pid.and_then(|_| node.memory()),
            cuts,
        }
    }
}

fn cut_from(node: &Node, all: &[Node], cuts: &Cuts) -> Vec<CutFrom> {
    let port = node.port();
    if !cuts.name(&port) {
        return Vec::new();
    }
    let others = all.iter().filter(|other| other.name != node.name);
    let mut found: Vec<CutFrom> = others
        .filter_map(|other| {
            let peer = other.port();
            let way = match (
                cuts.drop_between(&port, &peer),
                cuts.drop_between(&peer, &port),
            ) {
                (true, true) => Way::Both,
                (true, false) => Way::To,
                (false, true) => Way::From,
                (false, false) => return None,
            };
            Some(CutFrom {
                name: other.name.clone(),
                way,
            })
        })
        .collect();
    if cuts.shut.contains(&port) {
        found.push(CutFrom {
            name: CONTROLLER.into(),
            way: Way::Both,
        });
    }
    found
}
