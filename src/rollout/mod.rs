//! A rolling update as a state machine: which node is worked on next, and what is done with it. Pure: no network and no clock. The engine does what
//! it says (`engine::rolling`) and reports how that ended.
//!
//! ```text
//! in service ─drain▶ draining ▶ drained ─update▶ updating ▶ checking ─attach▶ attached
//!      ▲                 │          │                │          │ unhealthy
//!      └─────────────────┴──undo────┘                └──────────┴─▶ out, named
//! ```
//!
//! What holds, over any sequence of faults (`tests/rollout.rs` plays fleets with thousands of seeds):
//! - Never more nodes out than `max_unavailable` by our hand: each drain is preceded by a look at every other node.
//! - Nobody returns unhealthy: an attach follows a check that passed.
//! - No healthy node stays detached, unless attaching itself fails again and again; then it is named.
//! - A node that stops its part of a cluster is let go by the cluster first, alone; and the cluster is whole again before the next one.
//! - Every end names every node's state.

mod health;
mod machine;
mod member;
mod order;
pub mod settings;
mod verdict;

pub use health::{Gate, Http, Round, Streak};
pub use machine::{Next, Policy, Rollout};
pub use member::{Act, Member, Report, Seen, State};
pub use order::Rank;
pub use settings::{RELEASE_VARIABLE, Settings, Share};
pub use verdict::{Outcome, Verdict};

/// What to do when a node turns out bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// Stop: nodes already done keep the new state, the bad one stays out.
    #[default]
    Stop,
    /// Bring back the previous release, on the bad node first, then on those already done.
    Rollback,
}
