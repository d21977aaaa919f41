//! In which order nodes are taken.

use super::{Member, State};

/// Nodes of a lower rank are taken first: a node that stays in its clusters before one that leaves them as a replica, and that before a primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Rank {
    /// It stops no part of a cluster.
    #[default]
    Plain,
    /// It stops replicas.
    Replica,
    /// It stops a primary.
    Primary,
}

/// The indices of members in the order they are to be taken: nodes that are out already, since working on them takes away nothing; then by rank, each
/// in the order given.
pub(super) fn order(members: &[Member]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by_key(|&index| {
        let member = &members[index];
        (member.state != State::Out, member.rank)
    });
    order
}
