//! Redis with sentinels: one primary, its replicas, and a sentinel on every member.
//!
//! ```text
//! question ▶ View of each member ▶ Survey: who is primary, and who says so ▶ decide ▶ Act on one member ▶ node::step ▶ Step
//! ```
//!
//! Redis and sentinel write their files themselves, so only the first version of a file is written here; everything else is compared with
//! what the daemons say, and told to them.

mod act;
mod cluster;
mod decide;
mod drift;
mod foresee;
mod node;
mod observation;
mod part;
mod probe;
mod report;
mod spec;
mod state;
mod survey;

pub use cluster::Redis;
pub use spec::{AT_START, Goal, OWN, Spec, Tls, Watch, is_plain_word};
pub use state::{Finding, State, states};

#[cfg(test)]
mod tests;
