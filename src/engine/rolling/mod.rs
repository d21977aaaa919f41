//! A rolling update done: what [`crate::rollout`] decides, on real nodes. Everything the play says is read before anything connects (`prepare`); acts on
//! nodes are in `fleet`, what the plays would change is found by planning on the same connections (`survey`), and whoever else drops out
//! meanwhile is noticed by `watch`.

mod back;
mod beside;
mod clusters;
mod fleet;
mod leaves;
mod prepare;
mod releases;
mod section;
mod spare;
mod stopwatch;
mod survey;
mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::clustered::is_cluster;
use super::state::{Out, Run};
use crate::cluster::Goal;
use crate::event::{Event, NodeRecap};
use crate::fact::Missing;
use crate::playbook::Scheduled;
use crate::rollout::{
    Act, Member, Next, OnFailure, Outcome, Rank, Rollout, Seen, Share, State, Verdict,
};

use clusters::Clusters;
use fleet::Fleet;
pub(super) use leaves::leaves;
pub(super) use prepare::{Prepared, prepare, tell_release};
use section::only;
use spare::cannot_spare;
use stopwatch::Stopwatch;

/// What the command line says about a rolling update; what it leaves out, the play says.
#[derive(Debug, Clone, Default)]
pub struct Rolling {
    /// `--batch`.
    pub batch: Option<Share>,
    /// `--max-unavailable`.
    pub max_unavailable: Option<Share>,
    /// `--on-failure`.
    pub on_failure: Option<OnFailure>,
    /// Each node gets the release it had before.
    pub back: bool,
}

/// The end of a rolling update.
pub(super) struct End {
    pub verdict: Verdict,
    pub nodes: Vec<NodeRecap>,
}

impl End {
    /// Whether it did not begin.
    pub fn is_refused(&self) -> bool {
        matches!(self.verdict.outcome, Outcome::Refused(_))
    }

    /// It did not begin.
    fn refused(why: impl Into<String>) -> End {
        let verdict = Verdict {
            outcome: Outcome::Refused(why.into()),
            nodes: Vec::new(),
        };
        End {
            verdict,
            nodes: Vec::new(),
        }
    }
}

/// All of it. None when another run holds a lease, or sudo refused the password.
pub(super) async fn roll(
    run: &Arc<Run>,
    plays: &[Arc<Scheduled>],
    prepared: Prepared,
) -> Option<End> {
    connect(run).await;
    if run.gate.refusal().is_some() || run.stop.is_cancelled() {
        return None;
    }
    if !run
        .settings
        .rolling
        .as_ref()
        .is_some_and(|rolling| rolling.back)
    {
        return Some(
            Way {
                run: run.clone(),
                plays,
                prepared,
            }
            .go()
            .await,
        );
    }
    Some(back::go(run, plays, prepared).await)
}

/// Brings all clusters of the plays to a goal; says what failed.
pub(super) async fn order(run: &Arc<Run>, plays: &[Arc<Scheduled>], goal: Goal) -> Option<String> {
    Clusters::new(run, plays).work(Some(goal)).await.0
}

/// Connects to every host of the run, and takes all leases.
pub(super) async fn connect(run: &Arc<Run>) {
    let mut connecting = JoinSet::new();
    for host in run.hosts.values() {
        let (run, host) = (run.clone(), host.clone());
        connecting.spawn(async move {
            let _permit = run.forks.clone().acquire_owned().await.ok();
            let mut place = host.node.lock().await;
            let nothing = Missing::default();
            if let Ok((node, _)) = super::connect::first_script(&run, &host, &nothing).await {
                *place = Some(node);
            }
        });
    }
    while connecting.join_next().await.is_some() {}
}

struct Way<'a> {
    run: Arc<Run>,
    plays: &'a [Arc<Scheduled>],
    prepared: Prepared,
}

impl Way<'_> {
    async fn go(self) -> End {
        let fleet = match Fleet::new(&self.run, &self.prepared) {
            Ok(fleet) => Arc::new(fleet),
            Err(why) => return End::refused(why),
        };
        let seen = match fleet.look().await {
            Ok(seen) => seen,
            Err(why) => return End::refused(why),
        };
        if let Some(why) = cannot_spare(
            &fleet.names(),
            &seen,
            self.prepared.policy().max_unavailable,
        ) {
            return self.early(&seen, Outcome::Refused(why));
        }
        fleet.remember_releases().await;
        let around = self.around();
        if let Some(why) = self.whole_plays(&around.before).await {
            return self.early(&seen, Outcome::Refused(why));
        }
        if let Some(why) = self.before_the_drains(&around.rolled).await {
            return self.early(&seen, Outcome::Refused(why));
        }
        let pending = match self.run.settings.mode.may_change() {
            true => survey::pending(&self.run, &around.rolled, &fleet.names()).await,
            false => survey::shown(&self.run, &around.rolled, &fleet.names()).await,
        };
        let clusters = Clusters::new(&self.run, self.plays);
        let primaries = match pending.leaving.is_empty() {
            true => BTreeMap::new(),
            false => clusters.primaries().await,
        };
        let names = fleet.names();
        let member = |(index, seen): (usize, &Seen)| {
            let name = &names[index];
            let member = self
                .prepared
                .member(index, pending.changed.contains(name), seen);
            if !pending.leaving.contains(name) {
                return member;
            }
            self.foretell(&member, primaries.get(&**name));
            let rank = match primaries.contains_key(&**name) {
                true => Rank::Primary,
                false => Rank::Replica,
            };
            member.leaving(rank)
        };
        let members: Vec<Member> = seen.iter().enumerate().map(member).collect();
        let mut end = self.drive(&fleet, &clusters, &around.rolled, members).await;
        if self.run.settings.mode.may_change()
            && matches!(end.verdict.outcome, Outcome::Done | Outcome::RolledBack(_))
        {
            fleet.settle_releases().await;
        }
        if matches!(end.verdict.outcome, Outcome::Done)
            && let Some(why) = self.whole_plays(&around.after).await
        {
            end.verdict.outcome = Outcome::Stopped(why);
        }
        end
    }

    /// An end before the first drain.
    fn early(&self, seen: &[Seen], outcome: Outcome) -> End {
        let members: Vec<Member> = seen
            .iter()
            .enumerate()
            .map(|(index, seen)| self.prepared.member(index, true, seen))
            .collect();
        let nodes = members
            .iter()
            .map(|member| (member.name.clone(), member.state, member.trouble.clone()))
            .collect();
        let verdict = Verdict { outcome, nodes };
        let nodes = Stopwatch::new(members.len()).recap(&members);
        End { verdict, nodes }
    }

    /// Plays that touch none of the nodes run whole: before the first rolled play, or behind the last. So do those of clusters, which go
    /// from member to member by themselves.
    fn around(&self) -> Around {
        let rolled = |play: &Scheduled| {
            let mut hosts = play.hosts.iter();
            hosts.any(|host| self.prepared.has(host.as_str()))
                && !play.play.tasks_and_handlers().any(is_cluster)
        };
        let last = self
            .plays
            .iter()
            .rposition(|play| rolled(play))
            .unwrap_or(0);
        let mut around = Around::default();
        for (number, play) in self.plays.iter().enumerate() {
            if !rolled(play) {
                let side = if number > last {
                    &mut around.after
                } else {
                    &mut around.before
                };
                side.push(play.clone());
                continue;
            }
            let others: Vec<&str> = play
                .hosts
                .iter()
                .map(|host| host.as_str())
                .filter(|host| !self.prepared.has(host))
                .collect();
            if !others.is_empty() {
                around.before.push(only(play, |_| true, true, &others));
            }
            around.rolled.push(play.clone());
        }
        around
    }

    /// Why not to go on, if a host failed.
    async fn whole_plays(&self, plays: &[Arc<Scheduled>]) -> Option<String> {
        for play in plays {
            if self.run.interrupt.is_cancelled() {
                return Some("interrupted".to_owned());
            }
            super::work(&self.run, play, &[]).await;
            if let Some(why) = self.failed(play) {
                return Some(why);
            }
        }
        None
    }

    fn failed(&self, play: &Scheduled) -> Option<String> {
        play.hosts
            .iter()
            .filter_map(|name| self.run.hosts.get(name.as_str()))
            .find(|host| host.out() != Out::Alive)
            .map(|host| format!("{}: {}", host.name, host.why_out()))
    }

    /// Tasks marked `rollout: before` on all nodes, and `rollout: once` on one of them, in their order.
    async fn before_the_drains(&self, rolled: &[Arc<Scheduled>]) -> Option<String> {
        for play in rolled {
            let alive: Vec<&str> = play
                .hosts
                .iter()
                .map(|host| host.as_str())
                .filter(|host| {
                    self.run
                        .hosts
                        .get(*host)
                        .is_some_and(|host| host.out() == Out::Alive)
                })
                .filter(|host| self.prepared.has(host))
                .collect();
            let part = only(play, |task| task.rollout.is_some(), false, &alive);
            if part.hosts.is_empty() || part.play.all_tasks().next().is_none() {
                continue;
            }
            if self.run.interrupt.is_cancelled() {
                return Some("interrupted".to_owned());
            }
            super::work(&self.run, &part, &[]).await;
            if let Some(why) = self.failed(&part) {
                return Some(format!("before the first node was taken out, {why}"));
            }
        }
        None
    }

    /// The machine and the fleet in turn, until there is nothing more to do.
    async fn drive(
        &self,
        fleet: &Arc<Fleet>,
        clusters: &Clusters,
        plays: &[Arc<Scheduled>],
        members: Vec<Member>,
    ) -> End {
        let mut watch = Stopwatch::new(members.len());
        for member in &members {
            let detail = match (member.state, member.pending) {
                (State::InService, false) => "nothing to change".to_owned(),
                _ => member.trouble.clone().unwrap_or_default(),
            };
            self.tell(&member.name, member.state, 0, detail);
        }
        let dry = !self.run.settings.mode.may_change();
        let mut machine = Rollout::new(self.prepared.policy(), members);
        if dry {
            let nodes = watch.recap(&machine.members);
            let verdict = Verdict {
                outcome: Outcome::Done,
                nodes: Vec::new(),
            };
            return End { verdict, nodes };
        }
        let guard = watch::Watch::start(fleet.clone());
        let verdict = loop {
            self.heed(&mut machine, &guard);
            match machine.go_on() {
                Next::End(verdict) => break verdict,
                Next::Look => match fleet.look().await {
                    Ok(seen) => machine.looked(&seen),
                    Err(why) => machine.blind(&why),
                },
                Next::Do(acts) => {
                    // Moves of clusters need the nodes' connections, of all of them.
                    let all = matches!(acts[0].1, Act::Leave | Act::Gather);
                    let busy = (0..machine.members.len())
                        .filter(|index| all || acts.iter().any(|(busy, _)| busy == index));
                    guard.busy(busy, &machine.members);
                    for &(index, _) in &acts {
                        self.announce(&mut watch, &machine.members, index);
                        watch.begin(index);
                    }
                    let reports = match acts[0] {
                        (index, act @ (Act::Leave | Act::Gather)) => {
                            let name = machine.members[index].name.clone();
                            let (report, switched) = clusters.perform(&name, act).await;
                            watch.switched(index, switched);
                            vec![(index, act, report)]
                        }
                        _ => fleet.perform(plays, &acts).await,
                    };
                    // Before what follows is decided: a node that was only drained goes back as it is.
                    self.heed(&mut machine, &guard);
                    for (index, act, report) in reports {
                        watch.end(index, act);
                        watch.stayed(index, fleet.stayed(index));
                        machine.report(index, act, report);
                        self.announce(&mut watch, &machine.members, index);
                    }
                }
            }
        };
        guard.stop();
        for index in 0..machine.members.len() {
            self.announce(&mut watch, &machine.members, index);
        }
        End {
            nodes: watch.recap(&machine.members),
            verdict,
        }
    }

    /// Says that a node leaves its clusters, and what that means.
    fn foretell(&self, member: &Member, primary_of: Option<&Vec<&'static str>>) {
        let message = match primary_of {
            Some(clusters) => format!(
                "its change stops its part of the clusters: it comes after the replicas, and before it is taken out, a planned switchover of {}",
                clusters.join(" and ")
            ),
            None => "its change stops its part of the clusters: they are asked first whether they can do without it; no switchover".to_owned(),
        };
        self.run.say(Event::Warning {
            host: Some(member.name.clone()),
            message,
        });
    }

    /// What happened meanwhile: the user's wish to stop, and nodes that dropped out.
    fn heed(&self, machine: &mut Rollout, guard: &watch::Watch) {
        if self.run.interrupt.is_cancelled() {
            machine.interrupt();
        }
        for (index, seen) in guard.missing() {
            machine.missing(index, &seen);
        }
    }

    /// Says where a node stands, when that is news.
    fn announce(&self, watch: &mut Stopwatch, members: &[Member], index: usize) {
        let member = &members[index];
        if let Some(ms) = watch.moved(index, member.state) {
            let detail = match member.state {
                State::Out | State::Lost => member.trouble.clone().unwrap_or_default(),
                _ => String::new(),
            };
            self.tell(&member.name, member.state, ms, detail);
        }
    }

    fn tell(&self, host: &Arc<str>, state: State, ms: u64, detail: String) {
        self.run.say(Event::NodeState {
            host: host.clone(),
            state: state.word(),
            ms,
            detail,
        });
    }
}

/// Plays in their place around the drains.
#[derive(Default)]
struct Around {
    before: Vec<Arc<Scheduled>>,
    rolled: Vec<Arc<Scheduled>>,
    after: Vec<Arc<Scheduled>>,
}
