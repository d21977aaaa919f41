//! HAProxy, through the runtime socket on each of its hosts.

mod view;

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::hands::must;
use super::readiness::Readiness;
use super::{BalancerError, Drained, LoadBalancer, Means, Member, MemberState, Service};
use crate::command::quote;
use crate::diagnostic::{count, list, nearest};
use view::{Standing, View};

/// How often HAProxy is asked while waiting.
const POLL: Duration = Duration::from_millis(300);
/// How long HAProxy may take to show what it has just accepted.
const SHOWS: Duration = Duration::from_secs(5);
/// How long the node is looked at before HAProxy is asked again how many connections it only keeps.
const LOOKS: Duration = Duration::from_secs(1);
/// Asks the socket one command after the other. The perl that every Debian has can do it, and no shell can.
const ASK: &str = "use strict; use IO::Socket::UNIX; my $path = shift; $SIG{ALRM} = sub { die \"$path: no answer within 10 s\\n\" }; \
for my $command (@ARGV) { alarm 10; my $socket = IO::Socket::UNIX->new(Peer => $path) or die \"$path: $!\\n\"; \
print $socket \"$command\\n\"; local $/; my $answer = <$socket>; $answer = \"\" unless defined $answer; print length($answer), \"\\n\", $answer }";

/// One service behind one or several HAProxies.
pub(super) struct Haproxy {
    pub hosts: Vec<String>,
    pub socket: String,
    pub backends: Vec<String>,
    pub enable_timeout: Duration,
    /// Whether the node's flags are set too.
    pub flags: bool,
    pub node: Readiness,
}

impl Haproxy {
    fn means(&self) -> &Means {
        &self.node.means
    }

    /// The same commands on every host at once; the answers in the order of the hosts. All are asked, whichever fails.
    async fn ask(&self, commands: &[String]) -> Result<Vec<Vec<String>>, BalancerError> {
        let words: Vec<String> = commands.iter().map(|command| quote(command)).collect();
        let script = format!(
            "exec perl -e {} -- {} {}",
            quote(ASK),
            quote(&self.socket),
            words.join(" ")
        );
        let mut asked = JoinSet::new();
        for (at, host) in self.hosts.iter().enumerate() {
            let (hands, host, script) = (self.means().hands.clone(), host.clone(), script.clone());
            asked.spawn(async move {
                let who = format!("HAProxy on {host}");
                let text = match must(hands.as_ref(), &host, &script).await {
                    Ok(text) => text,
                    Err(BalancerError::Refused { why, .. }) => {
                        return (at, Err(BalancerError::unreachable(who, why)));
                    }
                    Err(BalancerError::Unreachable { why, .. }) => {
                        return (at, Err(BalancerError::unreachable(who, why)));
                    }
                    Err(error) => return (at, Err(error)),
                };
                let answers = view::answers(&text);
                (
                    at,
                    answers.ok_or_else(|| BalancerError::misread(who, "its answer was cut off")),
                )
            });
        }
        let mut answers: Vec<Option<Vec<String>>> = vec![None; self.hosts.len()];
        let mut failed = None;
        while let Some(done) = asked.join_next().await {
            match done {
                Ok((at, Ok(answer))) => answers[at] = Some(answer),
                Ok((_, Err(error))) => failed = Some(error),
                Err(error) => failed = Some(BalancerError::unreachable("HAProxy", error)),
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(answers.into_iter().flatten().collect()),
        }
    }

    /// The member in each backend on each host.
    async fn views(&self, member: &Member) -> Result<Vec<View>, BalancerError> {
        let mut commands = vec!["show stat -1 4 -1".to_owned()];
        let states = self
            .backends
            .iter()
            .map(|name| format!("show servers state {name}"));
        commands.extend(states);
        let answers = self.ask(&commands).await?;
        let mut views = Vec::new();
        for (host, answers) in self.hosts.iter().zip(answers) {
            let who = format!("HAProxy on {host}");
            let [stat, states @ ..] = answers.as_slice() else {
                return Err(BalancerError::misread(who, "it answered nothing"));
            };
            let stats = view::stats(stat).ok_or_else(|| {
                BalancerError::misread(&who, format!("no statistics: {}", stat.trim()))
            })?;
            for (backend, state) in self.backends.iter().zip(states) {
                let own = stats
                    .iter()
                    .find(|row| row.backend == *backend && row.server == member.server);
                let own = own.ok_or_else(|| unknown(&who, backend, &member.server, &stats))?;
                let admin = view::admin_state(state, &member.server).ok_or_else(|| {
                    BalancerError::misread(
                        &who,
                        format!("no state of {backend}/{}: {}", member.server, state.trim()),
                    )
                })?;
                views.push(View::new(host, own, admin));
            }
        }
        Ok(views)
    }

    async fn set(&self, member: &Member, state: &str) -> Result<(), BalancerError> {
        let commands: Vec<String> = self
            .backends
            .iter()
            .map(|backend| format!("set server {backend}/{} state {state}", member.server))
            .collect();
        let answers = self.ask(&commands).await?;
        for (host, answers) in self.hosts.iter().zip(answers) {
            if let Some(words) = answers.iter().map(|a| a.trim()).find(|a| !a.is_empty()) {
                return Err(BalancerError::refused(format!("HAProxy on {host}"), words));
            }
        }
        Ok(())
    }

    /// Waits for the connections of the node; those that HAProxy keeps open for later, with no session on them, may stay.
    async fn wait_node(&self, member: &Member, deadline: Instant) -> Result<u64, BalancerError> {
        self.node.reload(&member.host).await?;
        loop {
            let until = deadline.min(Instant::now() + LOOKS);
            let left = self.node.wait_connections(&member.host, until).await?;
            let idle = match left {
                0 => 0,
                _ => view::total(&self.views(member).await?, |view| view.idle),
            };
            if left <= idle || Instant::now() >= deadline {
                return Ok(left.saturating_sub(idle));
            }
        }
    }

    /// Asks until `done`; the views then, or of the last look when the time was over first.
    async fn until(
        &self,
        member: &Member,
        deadline: Instant,
        done: impl Fn(&[View]) -> bool,
    ) -> Result<(Vec<View>, bool), BalancerError> {
        let mut told = None;
        loop {
            let views = self.views(member).await?;
            if done(&views) {
                return Ok((views, true));
            }
            if Instant::now() >= deadline {
                return Ok((views, false));
            }
            let words = view::words(&views);
            if told.as_ref() != Some(&words) {
                self.means().tell(&format!("{}: {words}", member.host));
                told = Some(words);
            }
            sleep(POLL).await;
        }
    }
}

fn unknown(who: &str, backend: &str, server: &str, stats: &[view::Stat]) -> BalancerError {
    let backends: BTreeSet<&str> = stats.iter().map(|row| row.backend.as_str()).collect();
    let mut servers = stats.iter().filter(|row| row.backend == backend).peekable();
    if servers.peek().is_none() {
        return BalancerError::UnknownMember {
            who: who.into(),
            server: backend.into(),
            known: format!("its backends with servers are {}", list(backends)),
        };
    }
    let servers: Vec<&str> = servers.map(|row| row.server.as_str()).collect();
    let near = match nearest(server, servers.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => String::new(),
    };
    BalancerError::UnknownMember {
        who: who.into(),
        server: format!("{backend}/{server}"),
        known: format!("its servers are {}{near}", list(servers)),
    }
}

#[async_trait]
impl LoadBalancer for Haproxy {
    fn name(&self) -> String {
        format!("HAProxy on {}", self.hosts.join(", "))
    }

    async fn state(&self, member: &Member) -> Result<MemberState, BalancerError> {
        let views = self.views(member).await?;
        Ok(MemberState {
            service: view::service(&views),
            sessions: Some(view::sessions(&views)),
        })
    }

    async fn drain(&self, member: &Member) -> Result<Drained, BalancerError> {
        // Whoever put a server into maintenance keeps it there: it is out already.
        let views = self.views(member).await?;
        if views
            .iter()
            .any(|view| view.standing != Standing::Maintenance)
        {
            self.set(member, "drain").await?;
        }
        let closed = |views: &[View]| views.iter().all(View::is_closed);
        let (views, done) = self.until(member, Instant::now() + SHOWS, closed).await?;
        if !done {
            return Err(BalancerError::NotSeen {
                who: self.name(),
                what: format!("{} drains: {}", member.server, view::words(&views)),
                waited: SHOWS,
            });
        }
        if self.flags {
            self.node.mark_drain(&member.host).await?;
        }
        let deadline = Instant::now() + self.node.settings.drain_timeout;
        let none = |views: &[View]| view::sessions(views) == 0;
        let (views, _) = self.until(member, deadline, none).await?;
        let mut stayed = view::sessions(&views);
        if self.flags {
            stayed = stayed.max(self.wait_node(member, deadline).await?);
        }
        Ok(Drained {
            stayed,
            how: format!(
                "{} {}",
                count(self.hosts.len(), "HAProxy").replace("HAProxys", "HAProxies"),
                view::words(&views)
            ),
        })
    }

    async fn enable(&self, member: &Member) -> Result<(), BalancerError> {
        let known = self.views(member).await;
        // The health page first, so that HAProxy's checks do not find an old answer. It is set even where HAProxy cannot be asked: once
        // it runs again, the node's own flag must not keep visitors from a healthy node.
        if self.flags && !matches!(known, Err(BalancerError::UnknownMember { .. })) {
            self.node.mark_ready(&member.host).await?;
        }
        known?;
        self.set(member, "ready").await?;
        let up = |views: &[View]| view::service(views) == Service::In;
        let deadline = Instant::now() + self.enable_timeout;
        let (views, done) = self.until(member, deadline, up).await?;
        if done {
            return Ok(());
        }
        Err(BalancerError::NotSeen {
            who: self.name(),
            what: format!("{} is healthy: {}", member.server, view::words(&views)),
            waited: self.enable_timeout,
        })
    }
}
