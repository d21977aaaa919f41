//! What a lab is asked to be.

use super::release::Release;

/// What a lab shall be. What is `None` keeps the lab as it is, or takes the default for a new one.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// How many nodes, n1 to nN; never fewer than the lab has.
    pub nodes: u16,
    /// A load balancer before them, lb1; one that is there stays.
    pub balancer: bool,
    /// The nodes' release, by default Debian 12.
    pub release: Option<Release>,
    /// The size of each node's disk in bytes, by default what is free on the machine.
    pub disk: Option<u64>,
    /// Each node's memory limit in bytes, by default 1 GiB; a balancer never gets more than 512 MiB.
    pub memory: Option<u64>,
}
