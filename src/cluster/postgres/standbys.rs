//! Data members beside the primary: cloned, started, rejoined, attached, restarted.

use std::time::Duration;

use super::act::Act;
use super::judge::{ATTACH, CATCH_UP, Judge, LAG};
use super::look::Decision;
use super::picture::State;
use super::spec::Goal;

impl Judge<'_> {
    /// Brings the first member that is no streaming standby nearer to that; clones of empty members go together.
    pub fn standbys(&mut self, primary: usize) -> Option<Decision> {
        let mut clones = Vec::new();
        let mut decision = None;
        for member in 0..self.look.site.spec.data() {
            let act = match self.state(member) {
                State::Empty => match self.fill(member, primary) {
                    Some((member, clone @ Act::Clone { .. })) => {
                        clones.push((member, clone));
                        None
                    }
                    act => act.map(|(member, act)| Decision::act(member, act)),
                },
                State::StoppedStandby => self.start(member, primary),
                State::Starting => Some(self.starting(member)),
                State::Detached => self.attach(member, primary),
                State::StoppedPrimary => self.former(member, primary),
                State::Lost | State::Broken => self.renew(member),
                State::Foreign => self.foreign(member),
                State::Streaming => self.paused_replay(member),
                _ => None,
            };
            // A refusal of one is no reason to leave the others; waiting for one comes after acting on another.
            match (&decision, act) {
                (_, Some(Decision::Refuse(refusal))) => self.complaints.push(refusal),
                (Some(Decision::Act(_)), _) | (_, None) => {}
                (_, act) => decision = act,
            }
        }
        match (decision, clones.is_empty()) {
            (Some(Decision::Act(acts)), _) => Some(Decision::Act(acts)),
            (_, false) => Some(Decision::Act(clones)),
            (decision, true) => decision.or_else(|| self.rows(primary)),
        }
    }

    fn fill(&mut self, member: usize, primary: usize) -> Option<(usize, Act)> {
        let seen = self.look.known(member)?;
        let name = self.look.name(member);
        if seen.disk_nearly_full() {
            self.complain(
                format!("the disk of {name} is nearly full: no clone has room there"),
                format!("free some room below /var/lib/postgresql on {name}; data that were set aside lie beside the data directory"),
            );
            return None;
        }
        // With less than the primary runs with, the clone would not start.
        if self.lowers(primary) {
            self.complain(
                format!(
                    "{name} holds no data, and settings of the primary are to be lowered first"
                ),
                "apply without another goal: that lowers them, and clones then",
            );
            return None;
        }
        let act = match seen.remains {
            true if self.blind() => return None,
            true => Act::SetAside,
            false => Act::Clone { from: primary },
        };
        Some((member, act))
    }

    fn start(&mut self, member: usize, primary: usize) -> Option<Decision> {
        let look = self.look;
        // Once it was cloned anew, it is a standby like any other.
        let renewed = look.made(member, &Act::Clone { from: primary }) > 0;
        if self.repairs() && !renewed {
            return self.renew(member);
        }
        if look.made(member, &Act::Start) >= 2 {
            let name = look.name(member);
            return Some(Decision::refuse(
                format!("the standby {name} does not start"),
                format!(
                    "look at /var/log/postgresql on {name}; `repair` clones it anew from {}",
                    look.name(primary)
                ),
            ));
        }
        if self.still_needs(member) && look.files(member).is_none() {
            let name = look.name(member);
            return Some(Decision::refuse(
                format!(
                    "{name} has not seen that a setting was lowered, and would not start with what its files hold already"
                ),
                format!("`repair` clones it anew from {}", look.name(primary)),
            ));
        }
        Some(Decision::act(member, Act::Start))
    }

    /// A running standby that does not stream from the primary.
    pub fn attach(&mut self, member: usize, primary: usize) -> Option<Decision> {
        let look = self.look;
        let online = look.online(member)?;
        let address = &look.site.spec.members[primary].address;
        let elsewhere = online
            .receiver
            .as_ref()
            .is_some_and(|receiver| receiver.sender_host != *address);
        let follow = Act::Follow { to: primary };
        if self.blind() {
            return None;
        }
        // Without a slot there it cannot come by itself, nor does repmgrd bring it while it is paused.
        let paused = look.known(member).is_some_and(|seen| seen.repmgrd.paused);
        let short =
            elsewhere || paused || online.receiver.is_none() && self.without_slot(member, primary);
        if short && look.made(member, &follow) == 0 {
            return Some(Decision::act(member, follow));
        }
        if look.waited < ATTACH {
            return Some(Decision::wait(format!(
                "{} to stream from {}",
                look.name(member),
                look.name(primary)
            )));
        }
        let restart = Act::RestartStandby;
        for act in [follow, restart] {
            if look.made(member, &act) == 0 {
                return Some(Decision::act(member, act));
            }
        }
        let (name, source) = (look.name(member), look.name(primary));
        Some(match self.repairs() {
            true => Decision::act(member, Act::SetAside),
            false => Decision::refuse(
                format!("the standby {name} does not stream from {source}"),
                format!(
                    "look at /var/log/postgresql on {name}: access, certificates, or WAL that {source} has no more; `repair` clones it anew"
                ),
            ),
        })
    }

    fn without_slot(&self, member: usize, primary: usize) -> bool {
        let name = super::picture::slot(self.look.site.ids[member]);
        self.look
            .online(primary)
            .is_some_and(|online| !online.slots.iter().any(|slot| slot.name == name))
    }

    /// A stopped server that was the primary once.
    fn former(&mut self, member: usize, primary: usize) -> Option<Decision> {
        let look = self.look;
        if self.blind() {
            return None;
        }
        let seen = look.known(member)?;
        let (name, source) = (look.name(member), look.name(primary));
        let ordered = *self.goal() == Goal::Rejoin { name: name.into() };
        let tli = look.online(primary)?.tli;
        let same = seen.control.as_ref()?.reach().0 >= tli;
        // Two ways on one time line have no fork to rewind to, and repmgr takes the shorter one for a copy of the longer.
        if self.repairs() || same && ordered {
            return self.renew(member);
        }
        if (seen.fenced || same) && !ordered {
            let why = match seen.fenced {
                true => "was a second primary and was stopped",
                false => "was started apart from the cluster on the same time line",
            };
            return Some(Decision::refuse(
                format!("{name} {why}: it may hold commits that {source} lacks"),
                format!(
                    "save what you need of {name}, then `rejoin {name}`: its own commits are set aside and it follows {source}"
                ),
            ));
        }
        // pg_rewind that runs out of room leaves data that nobody can start. One that handed over in order has nothing to rewind.
        let clean = seen.control.as_ref()?.clean();
        if seen.disk_nearly_full() && !clean {
            return Some(Decision::refuse(
                format!(
                    "{name} was the primary, and is not rejoined now: {}",
                    seen.room()
                ),
                format!(
                    "free some room there, and apply again; delete nothing in pg_wal of {name}"
                ),
            ));
        }
        let rejoin = Act::Rejoin { to: primary };
        match look.made(member, &rejoin) < 2 {
            true => Some(Decision::act(member, rejoin)),
            false => Some(Decision::refuse(
                format!("{name} could not be rejoined to {source}"),
                format!("`repair` sets its data aside and clones it anew from {source}"),
            )),
        }
    }

    /// Data that are of no use any more, while the primary runs: they are renamed, and cloned anew.
    fn renew(&mut self, member: usize) -> Option<Decision> {
        if self.blind() {
            return None;
        }
        let seen = self.look.known(member)?;
        if seen.disk_nearly_full() {
            let name = self.look.name(member);
            return Some(Decision::refuse(
                format!("{name} has to be cloned anew, and its disk is nearly full"),
                format!("free some room below /var/lib/postgresql on {name}"),
            ));
        }
        Some(Decision::act(member, Act::SetAside))
    }

    fn foreign(&mut self, member: usize) -> Option<Decision> {
        let name = self.look.name(member);
        if self.repairs() && !self.blind() {
            return Some(Decision::act(member, Act::SetAside));
        }
        Some(Decision::refuse(
            format!("{name} holds the data of another cluster"),
            format!("`repair` sets them aside and clones {name} anew; nothing is deleted"),
        ))
    }

    fn paused_replay(&mut self, member: usize) -> Option<Decision> {
        let look = self.look;
        let online = look.online(member)?;
        if !online.paused {
            return None;
        }
        // It runs with less than the primary, and waits for a restart by itself.
        if !online.pending_restart.is_empty() && !self.blind() {
            return Some(Decision::act(member, Act::RestartStandby));
        }
        let name = look.name(member);
        Some(match self.repairs() {
            true => Decision::act(member, Act::ResumeReplay),
            false => Decision::refuse(
                format!("the replay of {name} was paused by somebody"),
                format!("run pg_wal_replay_resume() on {name} when the pause is over, or `repair`"),
            ),
        })
    }

    /// Restarts that settings wait for: one standby, while every other one streams.
    pub fn restarts(&mut self, primary: usize) -> Option<Decision> {
        let look = self.look;
        if !matches!(self.goal(), Goal::Converge | Goal::Repair) {
            return None;
        }
        let pending = |member: usize| {
            look.online(member)
                .is_some_and(|online| !online.pending_restart.is_empty())
        };
        if let Some(witness) = self
            .picture
            .of(State::Witness)
            .into_iter()
            .find(|member| pending(*member))
        {
            return Some(Decision::act(witness, Act::RestartWitness));
        }
        let others = (0..look.site.spec.data()).filter(|member| *member != primary);
        let whole = others
            .clone()
            .all(|member| self.state(member) == State::Streaming);
        let next = others.into_iter().find(|member| pending(*member))?;
        if !whole {
            return None;
        }
        // It leaves the primary with the others alone: they must be up to date.
        match self.behind(primary) {
            Some(wait) => Some(wait),
            None => Some(Decision::act(next, Act::RestartStandby)),
        }
    }

    /// Standbys that lie behind.
    pub fn behind(&mut self, primary: usize) -> Option<Decision> {
        let look = self.look;
        let online = look.online(primary)?;
        let late: Vec<&str> = online
            .senders
            .iter()
            .filter(|sender| look.site.spec.member(&sender.name).is_some())
            .filter(|sender| sender.lag > LAG)
            .map(|sender| sender.name.as_str())
            .collect();
        if late.is_empty() {
            return None;
        }
        let late = late.join(", ");
        if look.waited < CATCH_UP {
            return Some(Decision::Wait {
                why: format!("{late} to catch up"),
                pause: Duration::from_secs(5),
            });
        }
        self.complain(
            format!("{late} does not catch up with {}", look.name(primary)),
            "look at its disk, its network and its long queries",
        );
        None
    }
}
