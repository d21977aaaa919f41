//! Why a balancer could not be made to do it.

use std::time::Duration;

/// Why a balancer could not be made to do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BalancerError {
    /// Nobody answered, or not to the end.
    #[error("{who} cannot be reached: {why}")]
    Unreachable {
        /// The balancer or host.
        who: String,
        /// What happened.
        why: String,
    },
    /// The balancer has no such member.
    #[error("{who} knows no `{server}`: {known}")]
    UnknownMember {
        /// The balancer.
        who: String,
        /// What it was asked for.
        server: String,
        /// What it knows.
        known: String,
    },
    /// No probe came to the node.
    #[error("no balancer asks {host}: no probe came in the last {} s", .silent.as_secs_f64())]
    NotAsked {
        /// The node.
        host: String,
        /// For how long nothing came.
        silent: Duration,
    },
    /// The balancer did not come to see it.
    #[error("{who} did not see within {} s that {what}", .waited.as_secs())]
    NotSeen {
        /// The balancer.
        who: String,
        /// What it should have seen, and what it saw instead.
        what: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// It answered, and said no.
    #[error("{who} refused: {why}")]
    Refused {
        /// The balancer.
        who: String,
        /// Its words.
        why: String,
    },
    /// An answer or a setting makes no sense.
    #[error("{who}: {why}")]
    Misread {
        /// The balancer or host.
        who: String,
        /// What is wrong.
        why: String,
    },
}

impl BalancerError {
    /// What can be done about it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            BalancerError::NotAsked { .. } => Some(
                "is the node behind the balancer, does nginx write the probes to `health_log`, and is `interval` the balancer's? `require_probes: false` goes on without",
            ),
            BalancerError::NotSeen { .. } => {
                Some("look at what the balancer checks on its nodes, and at the thresholds")
            }
            BalancerError::UnknownMember { .. } => {
                Some("the name that the balancer uses can be given per host")
            }
            _ => None,
        }
    }

    pub(super) fn unreachable(who: impl Into<String>, why: impl ToString) -> BalancerError {
        BalancerError::Unreachable {
            who: who.into(),
            why: why.to_string(),
        }
    }

    pub(super) fn refused(who: impl Into<String>, why: impl Into<String>) -> BalancerError {
        BalancerError::Refused {
            who: who.into(),
            why: why.into(),
        }
    }

    pub(super) fn misread(who: impl Into<String>, why: impl Into<String>) -> BalancerError {
        BalancerError::Misread {
            who: who.into(),
            why: why.into(),
        }
    }
}
