//! The node answers 503 on its health page, and the balancer's own probes show when the balancer has seen it.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use super::connections::{self, Connection};
use super::hands::must;
use super::look::{FOLDER, Look, drain_script, ready_script};
use super::probes::{self, SILENT, Seen};
use super::{BalancerError, Drained, LoadBalancer, Means, Member, MemberState, Service};
use crate::command::quote;
use crate::diagnostic::count;

/// How often connections are looked at.
const POLL: Duration = Duration::from_millis(300);
/// Later than every probe: only the newest are read.
const NEVER: f64 = 1e15;

/// What the user says of the health page and of connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub health_log: String,
    pub interval: Duration,
    pub unhealthy_threshold: u32,
    pub healthy_threshold: u32,
    pub ports: Vec<u16>,
    pub drain_timeout: Duration,
    pub require_probes: bool,
    pub reload: Option<String>,
}

/// A node's health page; also the part of other providers that is played on the node.
pub(super) struct Readiness {
    pub settings: Settings,
    pub means: Means,
}

/// What the balancer is to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Out,
    In,
}

impl Readiness {
    /// Makes the node answer 503; since when, by its clock.
    pub(super) async fn mark_drain(&self, host: &str) -> Result<f64, BalancerError> {
        self.moment(host, &drain_script(&self.means.run)).await
    }

    /// Lets the node answer 200; since when, by its clock.
    pub(super) async fn mark_ready(&self, host: &str) -> Result<f64, BalancerError> {
        self.moment(host, &ready_script()).await
    }

    async fn moment(&self, host: &str, script: &str) -> Result<f64, BalancerError> {
        let text = must(self.means.hands.as_ref(), host, script).await?;
        text.trim()
            .parse()
            .map_err(|_| BalancerError::misread(host, "the time of its flag cannot be read"))
    }

    async fn look(&self, host: &str, from: f64) -> Result<Look, BalancerError> {
        let settings = &self.settings;
        let back = SILENT * settings.interval.as_secs_f64();
        let script = Look::script(&settings.health_log, &settings.ports, from, back);
        let text = must(self.means.hands.as_ref(), host, &script).await?;
        Look::parse(host, &text)
    }

    /// Waits until every address that probes the node was answered as wanted often enough.
    async fn wait_seen(
        &self,
        host: &str,
        from: f64,
        wanted: Wanted,
        patience: Duration,
    ) -> Result<Option<BTreeMap<String, u32>>, BalancerError> {
        let settings = &self.settings;
        let (status, threshold) = match wanted {
            Wanted::Out => (503, settings.unhealthy_threshold),
            Wanted::In => (200, settings.healthy_threshold),
        };
        let interval = settings.interval.as_secs_f64();
        let poll =
            (settings.interval / 4).clamp(Duration::from_millis(100), Duration::from_secs(1));
        let start = Instant::now();
        let silence = settings.interval.mul_f64(SILENT);
        let asked = settings
            .interval
            .saturating_mul(threshold.saturating_add(3).saturating_mul(3));
        let limit = patience
            .saturating_add(asked)
            .saturating_add(Duration::from_secs(10));
        let mut told = None;
        loop {
            let look = self.look(host, from).await?;
            if !look.log {
                return Err(no_log(host, &settings.health_log));
            }
            let seen = probes::seen(&look.probes, status, from, look.now, interval, threshold);
            match &seen {
                Seen::Enough(counts) => return Ok(Some(counts.clone())),
                Seen::Nobody if start.elapsed() >= silence + patience => {
                    if settings.require_probes {
                        return Err(BalancerError::NotAsked {
                            host: host.into(),
                            silent: silence + patience,
                        });
                    }
                    self.means
                        .tell(&format!("{host}: no balancer asks it, going on"));
                    return Ok(None);
                }
                _ if start.elapsed() >= limit => {
                    let last = probes::last(&look.probes, look.now, interval);
                    let answers: Vec<String> = last
                        .iter()
                        .map(|(from, status)| format!("{from} was last answered {status}"))
                        .collect();
                    return Err(BalancerError::NotSeen {
                        who: "the balancer".into(),
                        what: format!(
                            "{host} answers {status} ({} wanted in a row; {})",
                            threshold,
                            answers.join(", ")
                        ),
                        waited: start.elapsed(),
                    });
                }
                Seen::NotYet(_) | Seen::Nobody => {}
            }
            if told.as_ref() != Some(&seen) {
                self.means.tell(&progress(host, status, threshold, &seen));
                told = Some(seen);
            }
            sleep(poll).await;
        }
    }

    /// Reloads the unit that the user names.
    pub(super) async fn reload(&self, host: &str) -> Result<(), BalancerError> {
        if let Some(unit) = &self.settings.reload {
            let script = format!("systemctl reload {}", quote(unit));
            must(self.means.hands.as_ref(), host, &script).await?;
        }
        Ok(())
    }

    /// Waits until no connection is left, twice in a row, or the time is over; gives how many stayed.
    pub(super) async fn wait_connections(
        &self,
        host: &str,
        deadline: Instant,
    ) -> Result<u64, BalancerError> {
        let mut before: Option<Vec<Connection>> = None;
        let mut told = None;
        let mut quiet = false;
        loop {
            let look = self.look(host, NEVER).await?;
            let probing = probes::addresses(&look.probes);
            let open = connections::open(&look.connections, before.as_deref(), &probing);
            let over = before.is_some() && Instant::now() >= deadline;
            if (open == 0 && quiet) || (open > 0 && over) {
                return Ok(open as u64);
            }
            quiet = open == 0;
            if open > 0 && told != Some(open) {
                self.means
                    .tell(&format!("{host}: {} left", count(open, "connection")));
                told = Some(open);
            }
            before = Some(look.connections);
            sleep(POLL).await;
        }
    }

    /// Answers 503, waits until that was seen, and then for connections.
    pub(super) async fn drain_host(&self, host: &str) -> Result<Drained, BalancerError> {
        let from = self.mark_drain(host).await?;
        let seen = self
            .wait_seen(host, from, Wanted::Out, Duration::ZERO)
            .await?;
        self.reload(host).await?;
        let deadline = Instant::now() + self.settings.drain_timeout;
        let stayed = self.wait_connections(host, deadline).await?;
        let how = match seen {
            Some(counts) => format!("its probes got 503: {}", times(&counts)),
            None => "no balancer asks the node".into(),
        };
        Ok(Drained { stayed, how })
    }

    /// Answers 200, and waits until that was seen. The balancer may take `patience` to begin asking.
    pub(super) async fn enable_host(
        &self,
        host: &str,
        patience: Duration,
    ) -> Result<(), BalancerError> {
        let from = self.mark_ready(host).await?;
        self.wait_seen(host, from, Wanted::In, patience).await?;
        Ok(())
    }

    /// What the flags and the probes say.
    pub(super) async fn state_of(&self, host: &str) -> Result<MemberState, BalancerError> {
        let settings = &self.settings;
        let look = self.look(host, NEVER).await?;
        if !look.log && settings.require_probes {
            return Err(no_log(host, &settings.health_log));
        }
        Ok(MemberState {
            service: service(&look, settings),
            sessions: Some(look.connections.len() as u64),
        })
    }
}

/// Whether a node gets connections, as far as its flags and the probes show it.
fn service(look: &Look, settings: &Settings) -> Service {
    let interval = settings.interval.as_secs_f64();
    let last = probes::last(&look.probes, look.now, interval);
    let unready = || Service::Down(format!("{FOLDER}/ready is missing"));
    if last.is_empty() {
        return match (settings.require_probes, &look.drain, look.ready) {
            (true, ..) => Service::Unknown(format!(
                "no balancer asked it in the last {} s",
                SILENT * interval
            )),
            (false, Some(_), _) => Service::Out,
            (false, None, true) => Service::In,
            (false, None, false) => unready(),
        };
    }
    if look.drain.is_some() {
        let window = look.now - SILENT * interval;
        // No more than the window holds can be asked for.
        let threshold = settings.unhealthy_threshold.min(2);
        let seen = probes::seen(&look.probes, 503, window, look.now, interval, threshold);
        return match seen {
            Seen::Enough(_) => Service::Out,
            Seen::NotYet(_) | Seen::Nobody => Service::Draining,
        };
    }
    let bad: Vec<String> = last
        .iter()
        .filter(|(_, status)| **status != 200)
        .map(|(from, status)| format!("{from} was answered {status}"))
        .collect();
    match (bad.is_empty(), look.ready) {
        (true, _) => Service::In,
        (false, true) => Service::Down(bad.join(", ")),
        (false, false) => unready(),
    }
}

fn no_log(host: &str, path: &str) -> BalancerError {
    let why = format!("there is no health log `{path}`: its nginx notes no probes");
    BalancerError::misread(host, why)
}

fn times(counts: &BTreeMap<String, u32>) -> String {
    let each: Vec<String> = counts
        .iter()
        .map(|(from, count)| format!("{from} {count} times"))
        .collect();
    each.join(", ")
}

fn progress(host: &str, status: u16, threshold: u32, seen: &Seen) -> String {
    match seen {
        Seen::NotYet(counts) | Seen::Enough(counts) => {
            format!(
                "{host}: probes answered {status} of {threshold} in a row: {}",
                times(counts)
            )
        }
        Seen::Nobody => format!("{host}: waiting for a probe"),
    }
}

#[async_trait]
impl LoadBalancer for Readiness {
    fn name(&self) -> String {
        "readiness".into()
    }

    async fn state(&self, member: &Member) -> Result<MemberState, BalancerError> {
        self.state_of(&member.host).await
    }

    async fn drain(&self, member: &Member) -> Result<Drained, BalancerError> {
        self.drain_host(&member.host).await
    }

    async fn enable(&self, member: &Member) -> Result<(), BalancerError> {
        self.enable_host(&member.host, Duration::ZERO).await
    }
}

#[cfg(test)]
mod tests;
