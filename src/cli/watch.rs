//! What the events of a run have said so far, for an end that comes from outside.

use std::sync::Arc;
use std::time::Instant;

use indexmap::{IndexMap, IndexSet};

use super::exit;
use crate::engine::GRACE;
use crate::event::{Event, Impact, Mode, Recap, Status, Tally, TaskResult};

/// Why a run ended that was stopped at once.
pub const AT_ONCE: &str = "stopped at once";

/// Follows a run.
pub struct Watch {
    mode: Mode,
    started: Instant,
    hosts: IndexMap<Arc<str>, Tally>,
    busy: IndexSet<Arc<str>>,
    touched: bool,
}

impl Watch {
    /// Nothing has happened yet.
    pub fn new(mode: Mode) -> Watch {
        Watch {
            mode,
            started: Instant::now(),
            hosts: IndexMap::new(),
            busy: IndexSet::new(),
            touched: false,
        }
    }

    /// Takes an event in.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::RunStarted { hosts, .. } => {
                let fresh = hosts.iter().map(|host| (host.clone(), Tally::default()));
                self.hosts.extend(fresh);
            }
            Event::HostWorking { host, what } if what.is_empty() => {
                self.busy.shift_remove(host);
            }
            Event::HostWorking { host, .. } => {
                self.busy.insert(host.clone());
            }
            Event::HostUnreachable { host, .. } => {
                self.busy.shift_remove(host);
                self.hosts.entry(host.clone()).or_default().unreachable = 1;
            }
            Event::TaskFinished(result) => self.count(result),
            _ => {}
        }
    }

    /// What to say of the hosts that were at work when last heard of, after a run was stopped at once.
    pub fn left(&self) -> String {
        if self.busy.is_empty() {
            return "stopped at once; no host was at work".to_owned();
        }
        let busy: Vec<&str> = self.busy.iter().map(AsRef::as_ref).collect();
        let busy = busy.join(", ");
        match self.mode {
            Mode::Exec => format!(
                "stopped at once; where the command still ran, it ends with the connection, killed after {} s if it does not by itself: {busy}",
                GRACE.as_secs()
            ),
            Mode::Plan => format!("stopped at once; nothing was written, these were asked: {busy}"),
            Mode::Apply | Mode::Rolling => format!(
                "stopped at once; these may still be working: {busy}\nwhat was started there goes on to its end, and the next run finds it; their leases end within 30 s"
            ),
        }
    }

    /// The end of a run that is stopped at once, as far as it is known to whoever stops it.
    pub fn at_once() -> Recap {
        Recap {
            exit_code: exit::INTERRUPTED,
            reason: AT_ONCE.to_owned(),
            touched: false,
            elapsed_ms: 0,
            hosts: IndexMap::new(),
            rollout: Vec::new(),
            impact: Impact::default(),
        }
    }

    /// That end with what was done until then. Who was at work in an apply may have been touched.
    pub fn stopped(&self) -> Recap {
        Recap {
            touched: self.mode.may_change() && (self.touched || !self.busy.is_empty()),
            elapsed_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            hosts: self.hosts.clone(),
            ..Watch::at_once()
        }
    }

    fn count(&mut self, result: &TaskResult) {
        self.touched |= result.status == Status::Changed;
        let tally = self.hosts.entry(result.host.clone()).or_default();
        tally.count(result);
    }
}
