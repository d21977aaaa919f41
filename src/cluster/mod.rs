//! Clusters: members that are looked at together, and brought to the wanted state one move at a time.
//!
//! A cluster is a pure state machine. It says what to ask of each member, reads what all of them answered, and names the next moves; the
//! engine asks, moves, and asks again until nothing is left. Roles are read from the running systems, never from a file, and what could
//! not be read is never taken for absent.

pub mod node;
pub mod postgres;
pub mod redis;
mod report;

use std::sync::Arc;
use std::time::Duration;

pub use node::NodeReport;
pub use report::{MemberReport, Quorum, Report};

use crate::change::{Effect, Field, Step};

/// A host of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name in the inventory.
    pub name: Arc<str>,
    /// The address at which the other members reach it.
    pub address: String,
}

/// What a member said to the cluster's question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// What the question printed.
    Said(String),
    /// Nothing: it could not be reached, or the question did not come to an end. Nothing is known of it.
    Silent(String),
}

/// What is known when the next move is chosen.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// One answer a member, in the order of [`Cluster::members`].
    pub answers: &'a [Answer],
    /// Time since the last move ended, or since the first look.
    pub waited: Duration,
    /// The moves made so far, in their order.
    pub made: &'a [Made],
    /// A chain broke in this run: what it had begun is to be ended or undone, and nothing else is begun.
    pub broken: bool,
}

/// A move that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The member, as an index.
    pub member: usize,
    /// What it was.
    pub title: String,
}

/// One effect on one member.
#[derive(Debug, Clone)]
pub struct Move {
    /// The member, as an index.
    pub member: usize,
    /// What is said to differ, for the change of the task on that member.
    pub field: Field,
    /// What it does to a running service.
    pub effect: Effect,
    /// What is run there; its title is the move's.
    pub step: Step,
    /// In a chain: what the stage before it printed is the last of its inputs.
    pub hears: bool,
}

/// Why the cluster is left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// One sentence.
    pub why: String,
    /// What the operator can do.
    pub help: String,
}

/// What comes next.
#[derive(Debug, Clone)]
pub enum Next {
    /// Everything is as wanted.
    Settled,
    /// These moves, each on another member, at once; then a new look.
    Act(Vec<Move>),
    /// Stages of such moves, one directly after the other, each when all of the one before have succeeded; then a new look. For what clients
    /// wait for meanwhile: a move that needs to know how the one before it ended hears it.
    Chain(Vec<Vec<Move>>),
    /// The cluster is on its way by itself: another look after a moment.
    Wait {
        /// What is waited for.
        why: String,
        /// When to look again.
        pause: Duration,
    },
    /// No move is safe.
    Refuse(Refusal),
}

/// What an operator wants of a cluster beside the wanted state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// Only to be told how it is.
    Look,
    /// Another primary, after a planned switchover: a named member, or the best one.
    Switchover(Option<String>),
    /// That member is to come back, whatever the cluster's own caution says to it.
    Rejoin(String),
    /// What a plain apply leaves to the operator is mended.
    Repair,
    /// A member is to leave the cluster for good.
    Forget(Lost),
    /// That member is about to stop for a while: another one is primary then, and the cluster goes on without it.
    Leave(String),
}

/// A member that is lost for good, or is to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lost {
    /// Its name, a member's or a former one's.
    pub name: String,
    /// Where the cluster knew it, when that is known from elsewhere than the inventory.
    pub address: Option<String>,
    /// A bare machine has its name now, which is taken in afterwards.
    pub replaced: bool,
    /// The operator knows that what is left may be too few to fail over.
    pub few: bool,
    /// The operator gives up commits that only it may hold.
    pub loss: bool,
}

impl Lost {
    /// Why too few would be left; nothing when enough are, or when the operator knows.
    ///
    /// # Errors
    /// So few that none of them may take over by itself.
    pub fn leaves(&self, left: usize) -> Result<(), Refusal> {
        if left >= 3 || self.few || self.replaced {
            return Ok(());
        }
        let name = &self.name;
        let (members, because) = match left {
            0 | 1 => (
                "no more than one member",
                "when that one dies, everything stands still, and its data are lost with it",
            ),
            _ => (
                "two members",
                "two have no majority when one of them dies or cannot be seen: there is no automatic failover any more, and commits of PostgreSQL wait for no standby",
            ),
        };
        Err(Refusal {
            why: format!("without {name} the cluster has {members}: {because}"),
            help: format!(
                "put a new machine in its place (`hadeploy node replace {name}`), or say `--allow-no-failover` if that is what you want"
            ),
        })
    }
}

/// A cluster as a task of a playbook wants it.
pub trait Cluster: Send + Sync {
    /// Its members.
    fn members(&self) -> &[Member];
    /// POSIX sh that prints what [`Cluster::next`] reads of a member. Run as root; it changes nothing, and comes to an end within
    /// twenty seconds whatever the daemons do.
    fn question(&self, member: usize) -> String;
    /// What comes next. Pure.
    fn next(&self, sight: &Sight) -> Next;
    /// The moves that an apply would make now, one after the other, as far as they can be told: for a plan.
    ///
    /// # Errors
    /// Why an apply would refuse.
    fn path(&self, answers: &[Answer]) -> Result<Vec<Move>, Refusal>;
    /// What `register` gets: who is primary, and what else a later task may ask for.
    fn result(&self, answers: &[Answer]) -> serde_json::Map<String, serde_json::Value>;
    /// How it is, for an operator.
    fn report(&self, answers: &[Answer]) -> Report {
        Report::plain(self, answers)
    }
    /// The address under which the cluster knows a host, a member or a former one, where it keeps such addresses.
    fn known_at(&self, _name: &str, _answers: &[Answer]) -> Option<String> {
        None
    }
    /// The same cluster with another goal than its wanted state.
    ///
    /// # Errors
    /// It has no such goal, or does not know a name in it.
    fn toward(&self, goal: &Goal) -> Result<Box<dyn Cluster>, Refusal> {
        Err(Refusal {
            why: format!("this cluster has no way to {goal:?}"),
            help: "see `hadeploy --help`".to_owned(),
        })
    }
}
