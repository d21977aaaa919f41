//! One node of a rolling update.

use std::sync::Arc;

use super::Rank;

/// Where a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It serves, and was not touched.
    InService,
    /// It gets no new connections; those it has are waited for.
    Draining,
    /// It gets no traffic.
    Drained,
    /// The plays run on it.
    Updating,
    /// The health gate looks at it.
    Checking,
    /// It is done and serves again.
    Attached,
    /// It does not serve.
    Out,
    /// It does not answer.
    Lost,
}

impl State {
    /// The word in events.
    pub fn word(self) -> &'static str {
        match self {
            State::InService => "in_service",
            State::Draining => "draining",
            State::Drained => "drained",
            State::Updating => "updating",
            State::Checking => "checking",
            State::Attached => "attached",
            State::Out => "out",
            State::Lost => "lost",
        }
    }

    /// Whether it gets traffic.
    pub fn serves(self) -> bool {
        matches!(self, State::InService | State::Attached)
    }
}

/// What a look at a node found, by the balancer and on the node itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It serves.
    InService,
    /// It does not serve, and why.
    Out(String),
    /// It does not answer.
    Lost(String),
}

/// What is to be done with a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Have its clusters let it go: another member is primary then, and they can do without it.
    Leave,
    /// Take it out of the balancer and wait for its connections.
    Drain,
    /// Run the plays.
    Update,
    /// Run them again with the release it had before.
    Restore,
    /// The health gate. `hold`: it must also stay healthy for the canary's time.
    Check {
        /// Whether it is the canary.
        hold: bool,
    },
    /// Give it back to the balancer, and see it serve.
    Attach,
    /// Have its clusters whole again, before another node leaves them.
    Gather,
    /// Watch it under traffic.
    Soak,
}

/// How an act ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// As it should.
    Done,
    /// It failed, and why; the node answers.
    Failed(String),
    /// The node no longer answers.
    Lost(String),
}

/// One node of a rolling update.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its name in the inventory.
    pub name: Arc<str>,
    /// Replicas go before primaries.
    pub rank: Rank,
    /// Whether the plays would change anything on it.
    pub pending: bool,
    /// Whether what would change on it stops its part of a cluster for a while.
    pub leaves: bool,
    /// Where it stands.
    pub state: State,
    /// What is wrong with it.
    pub trouble: Option<String>,
    /// Its plays ran in this rollout, perhaps in part.
    pub updated: bool,
    /// It has its previous release again.
    pub restored: bool,
    /// Its clusters have let it go, and no other node since.
    pub(super) left: bool,
    pub(super) todo: Option<Act>,
    pub(super) attempts: u32,
    /// It is drained because it turned bad: nothing follows.
    pub(super) bad: bool,
    pub(super) over: bool,
}

impl Member {
    /// A node as it was found.
    pub fn new(name: impl Into<Arc<str>>, rank: Rank, pending: bool, seen: &Seen) -> Member {
        let (state, trouble) = match seen {
            Seen::InService => (State::InService, None),
            Seen::Out(why) => (State::Out, Some(why.clone())),
            Seen::Lost(why) => (State::Lost, Some(why.clone())),
        };
        Member {
            name: name.into(),
            rank,
            pending,
            leaves: false,
            state,
            trouble,
            updated: false,
            restored: false,
            left: false,
            todo: None,
            attempts: 0,
            bad: false,
            over: false,
        }
    }

    /// What would change on it stops its part of a cluster for a while: of a primary, or of replicas only.
    pub fn leaving(mut self, rank: Rank) -> Member {
        self.rank = rank;
        self.leaves = true;
        self
    }

    /// It counts for what the fleet can spare, and nothing is done with it.
    pub fn watched(mut self) -> Member {
        self.pending = false;
        self.over = true;
        self
    }
}
