//! Visitors of all manners at once, through the balancer.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::{Failed, told};
use crate::cli::say;
use crate::lab::{Load, Manner, Visit, Visitors};

/// Connections of each manner, and the pause between an answer and the next request: some 600 requests a second together.
const MANNERS: [(Manner, u16, u64); 3] = [
    (Manner::Keep, 240, 500),
    (Manner::Close, 60, 500),
    (Manner::Slow, 20, 200),
];

/// Who is visiting.
pub struct Crowd(Vec<(Manner, Visit)>);

/// What they saw together.
#[derive(Debug)]
pub struct Seen {
    /// Answers of all.
    pub requests: u64,
    /// Requests of all without a good answer.
    pub failed: u64,
    /// Those that stay on their connections, whose times are told.
    pub keep: Load,
}

impl Crowd {
    /// Sends them for `time` at most.
    pub fn send(address: Ipv4Addr, time: Duration) -> Result<Crowd, Failed> {
        let mut visits = Vec::new();
        for (manner, connections, pause) in MANNERS {
            let visitors = Visitors {
                address: SocketAddr::from((address, 443)),
                manner,
                connections,
                pause: Duration::from_millis(pause),
                time,
            };
            let visit = visitors
                .start(&say::err)
                .map_err(|error| Failed::late("visitors", told(&error)))?;
            visits.push((manner, visit));
        }
        Ok(Crowd(visits))
    }

    /// How many connections they hold.
    pub fn connections() -> u16 {
        MANNERS.iter().map(|(_, connections, _)| connections).sum()
    }

    /// Sends them home, or waits until they go by themselves.
    pub fn end(self, now: bool) -> Result<Seen, Failed> {
        let mut seen = None;
        let (mut requests, mut failed) = (0, 0);
        for (manner, visit) in self.0 {
            let load = match now {
                true => visit.end(),
                false => visit.wait(),
            };
            let load = load.map_err(|error| Failed::late("visitors", told(&error)))?;
            requests += load.requests;
            failed += load.failed();
            if load.failed() > 0 {
                say::err(&format!("{manner:?} visitors: {load}"));
            }
            if manner == Manner::Keep {
                seen = Some(load);
            }
        }
        seen.map(|keep| Seen {
            requests,
            failed,
            keep,
        })
        .ok_or_else(|| Failed::late("visitors", "nobody stayed on a connection"))
    }
}
