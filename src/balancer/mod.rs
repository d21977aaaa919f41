//! Load balancers: taking a node out of service before it is changed, and putting it back.
//!
//! [`Spec`] is what the user wrote, one file for each provider does it, and [`Hands`] and [`Programs`] are how they reach hosts and this
//! machine. Every provider waits for what the balancer itself has seen, never for a fixed time, and every call may be repeated.

mod command;
mod connections;
mod digitalocean;
mod error;
mod hands;
mod haproxy;
mod http;
mod look;
mod param;
mod probes;
mod reader;
mod readiness;
mod spec;

use std::sync::Arc;

use async_trait::async_trait;

pub use error::BalancerError;
pub use hands::{Controller, Hands, Programs, Reply};
pub use param::{PROVIDERS, Param, Provider, Type};
pub use spec::Spec;

/// One node, as the balancer is asked about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name in the inventory.
    pub host: String,
    /// Its address.
    pub address: String,
    /// What the balancer calls it: the name of a server, the number of a droplet.
    pub server: String,
}

/// Whether a balancer sends new connections to a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    /// It does.
    In,
    /// It is about to stop, or has stopped and connections are left.
    Draining,
    /// It does not, because somebody wanted so.
    Out,
    /// It does not, because the member is not healthy: the reason.
    Down(String),
    /// It cannot be said: the reason.
    Unknown(String),
}

/// What a balancer says of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberState {
    /// Whether it gets new connections.
    pub service: Service,
    /// How many connections or sessions it has, where that can be said.
    pub sessions: Option<u64>,
}

/// How a drain ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drained {
    /// Connections or sessions that were still there when the time for them was over.
    pub stayed: u64,
    /// How it is known that no new ones come, for the user.
    pub how: String,
}

/// A balancer. Every call may be repeated after an interruption.
#[async_trait]
pub trait LoadBalancer: Send + Sync {
    /// What it is called in messages.
    fn name(&self) -> String;

    /// What it says of a member now.
    ///
    /// # Errors
    /// It cannot be reached, or does not know the member: no rollout begins so.
    async fn state(&self, member: &Member) -> Result<MemberState, BalancerError>;

    /// Stops new connections, waits until the balancer has seen it, and then until connections have ended or the time for them is over.
    ///
    /// # Errors
    /// It cannot be reached, refuses, or did not see it in time. Then the member may be in service or not.
    async fn drain(&self, member: &Member) -> Result<Drained, BalancerError>;

    /// Lets new connections come again, and waits until the balancer itself says so.
    ///
    /// # Errors
    /// It cannot be reached, refuses, or did not take the member back in time.
    async fn enable(&self, member: &Member) -> Result<(), BalancerError>;
}

/// Says in words what is being waited for.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// What providers work with.
#[derive(Clone)]
pub struct Means {
    /// Scripts on hosts of the inventory.
    pub hands: Arc<dyn Hands>,
    /// Programs on this machine.
    pub programs: Arc<dyn Programs>,
    /// Words for the user.
    pub tell: Tell,
    /// The run, as it is written into the flags of nodes.
    pub run: String,
}

impl Means {
    fn tell(&self, words: &str) {
        (self.tell)(words);
    }
}
