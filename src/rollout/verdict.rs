//! How a rolling update ended.

use std::sync::Arc;

use super::{Member, State};

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Every node is done.
    Done,
    /// It did not begin.
    Refused(String),
    /// It stopped on the way.
    Stopped(String),
    /// It failed, and every node has its previous release again.
    RolledBack(String),
    /// It failed, and so did the way back.
    RollbackFailed(String),
    /// It was told to stop.
    Interrupted,
}

/// The end of a rolling update: what became of it, and every node's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What became of it.
    pub outcome: Outcome,
    /// Each node, where it stands, and what is wrong with it.
    pub nodes: Vec<(Arc<str>, State, Option<String>)>,
}

impl Verdict {
    pub(super) fn of(outcome: Outcome, members: &[Member]) -> Verdict {
        let nodes = members
            .iter()
            .map(|member| (member.name.clone(), member.state, member.trouble.clone()))
            .collect();
        Verdict { outcome, nodes }
    }
}
