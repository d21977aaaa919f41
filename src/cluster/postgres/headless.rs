//! No primary runs: it is made, waited for, started or promoted; or people are asked.

use std::cmp::Reverse;
use std::time::Duration;

use super::act::Act;
use super::judge::{Judge, START};
use super::look::Decision;
use super::picture::{State, reach};
use super::spec::Goal;

/// What repmgrd is given to promote a standby, beyond the time it takes to believe that the primary is dead.
const ELECTION: Duration = Duration::from_secs(60);
/// What a standby may hold beyond the place of the primary's last checkpoint: that checkpoint's own record.
const RECORD: u64 = 1024;
/// How long the chosen standby may take to receive the last of a primary that was stopped in order.
const HANDOVER: Duration = Duration::from_secs(10);
/// How long a standby may take a silent primary for alive: longer than `wal_receiver_timeout`.
const SILENCE: Duration = Duration::from_secs(30);
/// How often a stopped primary is started before a standby that lacks nothing takes over.
const STARTS: usize = 2;

impl Judge<'_> {
    /// No member takes writes.
    pub fn headless(&mut self) -> Decision {
        let look = self.look;
        let spec = look.site.spec;
        let members: Vec<usize> = (0..spec.data())
            .filter(|member| self.state(*member) != State::Gone)
            .collect();
        let unknown = self.picture.unknown(spec.data());
        let empty = |member: &usize| [State::Empty, State::Unknown].contains(&self.state(*member));
        if members.iter().all(empty) {
            return self.bootstrap(&members, &unknown);
        }
        if let Some(wait) = self.election(&members) {
            return wait;
        }
        if let Some(refusal) = self.gives_up() {
            return Decision::Refuse(refusal);
        }
        if !unknown.is_empty() {
            return self.out_of_sight();
        }
        if let Some(starting) = self.data_in(State::Starting).first() {
            return self.starting(*starting);
        }
        if let Some(broken) = self.data_in(State::Broken).first() {
            let name = look.name(*broken);
            return Decision::refuse(
                format!(
                    "there is no primary, and the data of {name} cannot be read: it may hold the latest commits"
                ),
                format!(
                    "look at {name}; `hadeploy node forget {name}` if its data are lost for good"
                ),
            );
        }
        if let Some(decision) = self.fed() {
            return decision;
        }
        if let Some(decision) = self.handover() {
            return decision;
        }
        self.restart_or_promote()
    }

    /// A server that runs and does not answer may be the primary.
    pub fn starting(&self, member: usize) -> Decision {
        let name = self.look.name(member);
        match self.look.waited < START {
            true => Decision::wait(format!("the server of {name} to answer")),
            false => Decision::refuse(
                format!("the server of {name} runs and does not answer"),
                format!("look at /var/log/postgresql on {name}: it recovers, or it hangs"),
            ),
        }
    }

    fn data_in(&self, state: State) -> Vec<usize> {
        let mut members = self.picture.of(state);
        members.retain(|member| *member < self.look.site.spec.data());
        members
    }

    fn bootstrap(&self, members: &[usize], unknown: &[usize]) -> Decision {
        let look = self.look;
        if let Some(first) = unknown.first() {
            return Decision::Refuse(self.silent(*first));
        }
        let first = match (members.first(), self.goal()) {
            (Some(first), Goal::Converge | Goal::Repair) => *first,
            _ => {
                return Decision::refuse(
                    "no member holds data: there is no cluster yet",
                    "run the playbook's task first: it makes one",
                );
            }
        };
        if let Some(prepare) = self.prepare() {
            return prepare;
        }
        let remains = look.known(first).is_some_and(|seen| seen.remains);
        let act = match remains {
            true => Act::SetAside,
            false => Act::CreateCluster,
        };
        Decision::act(first, act)
    }

    /// repmgrd finds another primary by itself, where most members see each other, and soon or never: once it gave up it only looks on, also
    /// when the others are back.
    fn election(&self, members: &[usize]) -> Option<Decision> {
        let look = self.look;
        let spec = look.site.spec;
        let window = spec.detection + ELECTION;
        let elects = |member: &usize| {
            self.state(*member) == State::Detached
                && look.judging().contains(member)
                && look.known(*member).is_some_and(|seen| {
                    let unseen = seen.repmgrd.unseen.map(Duration::from_secs);
                    unseen.is_none_or(|unseen| unseen < window)
                })
        };
        let hopes = spec.automatic() && self.majority() && look.waited < window;
        (hopes && members.iter().any(elects))
            .then(|| Decision::wait("repmgrd to promote a standby"))
    }

    /// Members of which something is known.
    fn in_sight(&self) -> usize {
        self.look.seen.len() - self.picture.of(State::Unknown).len()
    }

    /// Whether most members are in sight: one that is said to be gone is none of them any more, but for repmgrd it still counts.
    fn majority(&self) -> bool {
        let gone = self.picture.of(State::Gone).len();
        (self.in_sight() - gone) * 2 > self.look.seen.len()
    }

    /// The primary may be among those that nobody sees, or whoever holds the latest commits.
    fn out_of_sight(&mut self) -> Decision {
        if !self.majority() {
            let (seen, all) = (self.in_sight(), self.look.seen.len());
            self.complain(
                format!("{seen} of {all} members are in sight, which is no majority: no standby becomes the primary"),
                "bring the others back first",
            );
        }
        self.complain_of_unknown();
        self.verdict()
    }

    /// A standby still receives from somebody who is no standby: that one is alive, whatever is said or seen of it.
    fn fed(&self) -> Option<Decision> {
        let look = self.look;
        let relays = |address: &str| {
            (0..look.site.spec.data()).any(|member| {
                look.site.spec.members[member].address == address
                    && look.online(member).is_some_and(|online| online.recovery)
            })
        };
        let (member, source) = self
            .data_in(State::Detached)
            .into_iter()
            .find_map(|member| {
                let receiver = look.online(member)?.receiver.as_ref()?;
                let fed = receiver.status == "streaming" && !relays(&receiver.sender_host);
                fed.then_some((member, receiver.sender_host.as_str()))
            })?;
        let name = look.name(member);
        Some(match look.waited < SILENCE {
            true => Decision::wait(format!("{name} to see whether its primary is gone")),
            false => Decision::refuse(
                format!("{name} still receives from {source}: a primary runs there, out of sight"),
                format!("make {source} reachable from here, or stop its server"),
            ),
        })
    }

    /// A primary that was stopped for a switchover: its successor takes over when it lacks nothing, else it is started again.
    fn handover(&self) -> Option<Decision> {
        let look = self.look;
        let wanted = match self.goal() {
            Goal::Switchover { to } => to.as_deref(),
            _ if look.made_anywhere(&Act::StopPrimary) => None,
            _ => return None,
        };
        let stopped = self.best_stopped()?;
        let control = look.known(stopped)?.control.as_ref()?;
        if !control.clean() || look.known(stopped)?.fenced {
            return None;
        }
        let target = match wanted {
            Some(name) => look.site.spec.member(name),
            None => self.best_standby(),
        }?;
        if target == stopped {
            return None;
        }
        let online = look.online(target).filter(|online| online.recovery)?;
        // Every standby must be seen to lie behind: none may have gone another way.
        let complete = online.tli == control.tli && online.receive > control.checkpoint;
        let ahead = self
            .data_in(State::Detached)
            .iter()
            .filter_map(|member| look.online(*member))
            .any(|other| (other.tli, other.receive) > (online.tli, online.receive));
        match () {
            () if complete && !ahead && !online.paused => Some(
                self.pause_first()
                    .unwrap_or_else(|| Decision::act(target, Act::Promote)),
            ),
            () if look.waited < HANDOVER => Some(Decision::wait(format!(
                "{} to receive the last of {}",
                look.name(target),
                look.name(stopped)
            ))),
            () => None,
        }
    }

    /// The stopped member that would be the primary, when only one can be.
    fn best_stopped(&self) -> Option<usize> {
        let look = self.look;
        let tli = |member: &usize| {
            look.known(*member)
                .and_then(|seen| seen.control.as_ref())
                .map_or(0, |control| control.reach().0)
        };
        let mut stopped = self.data_in(State::StoppedPrimary);
        stopped.sort_by_key(|member| Reverse(tli(member)));
        match stopped[..] {
            [] => None,
            [first, second, ..] if tli(&first) == tli(&second) => None,
            [first, ..] => Some(first),
        }
    }

    /// The standby that has received most; of equals the first of the inventory.
    fn best_standby(&self) -> Option<usize> {
        let look = self.look;
        self.data_in(State::Detached)
            .into_iter()
            .filter(|member| look.online(*member).is_some_and(|online| online.recovery))
            .max_by_key(|member| {
                let reach = look.known(*member).and_then(reach).unwrap_or_default();
                (reach, Reverse(*member))
            })
    }

    fn restart_or_promote(&mut self) -> Decision {
        let look = self.look;
        let stopped = self.data_in(State::StoppedPrimary);
        let Some(best) = self.best_stopped() else {
            return match stopped.is_empty() {
                true => self.promote(None),
                false => Decision::refuse(
                    format!(
                        "{} are stopped primaries on the same time line",
                        self.names(&stopped)
                    ),
                    "decide whose commits you want, rename the other one's data directory, and apply again",
                ),
            };
        };
        let Some(control) = look.known(best).and_then(|seen| seen.control.as_ref()) else {
            return Decision::Refuse(self.silent(best));
        };
        let tli = control.reach().0;
        let standbys: Vec<(usize, (u32, u64))> = (0..look.site.spec.data())
            .filter(|member| {
                [State::Detached, State::StoppedStandby].contains(&self.state(*member))
            })
            .filter_map(|member| Some((member, look.known(member).and_then(reach)?)))
            .collect();
        if standbys.iter().any(|(_, (other, _))| *other > tli) {
            return self.promote(None);
        }
        let seen = look.known(best);
        let barred = seen.is_some_and(|seen| seen.fenced || seen.needs_rejoin.is_some());
        if barred {
            let name = look.name(best);
            return Decision::refuse(
                format!(
                    "{name} was barred from being the primary, and the primary it gave way to is not there"
                ),
                format!(
                    "bring the other primary back; if it is lost for good, remove /var/lib/hadeploy/pg-fenced and pg-needs-rejoin on {name} to have {name} started"
                ),
            );
        }
        let beyond = standbys
            .iter()
            .find(|(_, (other, place))| *other == tli && *place > control.checkpoint + RECORD);
        if let (true, Some((standby, _))) = (control.clean(), beyond) {
            return Decision::refuse(
                format!(
                    "{} was stopped in order, and {} holds more than it",
                    look.name(best),
                    look.name(*standby)
                ),
                format!(
                    "{} may have been put back from a copy: `hadeploy node forget {}` to go on with {}",
                    look.name(best),
                    look.name(best),
                    look.name(*standby)
                ),
            );
        }
        if look.made(best, &Act::StartPrimary) >= STARTS {
            return self.promote(Some(best));
        }
        if let Some(act) = look.files(best) {
            return Decision::act(best, act);
        }
        self.pause_first()
            .unwrap_or_else(|| Decision::act(best, Act::StartPrimary))
    }

    /// Nobody else decides while we do.
    fn pause_first(&self) -> Option<Decision> {
        let judging = self.look.judging();
        let acts = judging.into_iter().map(|member| (member, Act::Pause));
        let acts: Vec<(usize, Act)> = acts.collect();
        (!acts.is_empty()).then_some(Decision::Act(acts))
    }

    /// The best standby becomes the primary. `stuck` is a former primary that does not start.
    fn promote(&mut self, stuck: Option<usize>) -> Decision {
        let look = self.look;
        if let Some(down) = self.data_in(State::StoppedStandby).first() {
            if let Some(act) = look.files(*down) {
                return Decision::act(*down, act);
            }
            return Decision::act(*down, Act::Start);
        }
        let Some(best) = self.best_standby() else {
            return Decision::refuse(
                "no member can become the primary",
                "bring back a member that holds the data, or restore a backup",
            );
        };
        let Some(online) = look.online(best) else {
            return Decision::Refuse(self.silent(best));
        };
        if let Some(stuck) = stuck {
            let complete = look
                .known(stuck)
                .and_then(|seen| seen.control.as_ref())
                .is_some_and(|control| control.clean() && online.receive > control.checkpoint);
            if !complete {
                let (stuck, best) = (look.name(stuck), look.name(best));
                return Decision::refuse(
                    format!("{stuck} does not start, and {best} may lack its last commits"),
                    format!(
                        "look at /var/log/postgresql on {stuck}; `hadeploy node forget {stuck}` makes {best} the primary with what it has"
                    ),
                );
            }
        }
        if online.paused {
            let name = look.name(best);
            return match self.repairs() {
                true => Decision::act(best, Act::ResumeReplay),
                false => Decision::refuse(
                    format!(
                        "{name} is to become the primary, and its replay was paused by somebody"
                    ),
                    format!(
                        "run pg_wal_replay_resume() on {name} when nothing before that place is needed any more, or `repair`"
                    ),
                ),
            };
        }
        self.pause_first()
            .unwrap_or_else(|| Decision::act(best, Act::Promote))
    }
}
