//! What the members are, seen together.

use super::look::{Look, refusal};
use super::observation::Observation;
use crate::cluster::Refusal;

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Nothing is known of it.
    Unknown,
    /// The operator says that it is lost for good.
    Gone,
    /// It holds no data.
    Empty,
    /// Its server runs and does not answer.
    Starting,
    /// The primary.
    Primary,
    /// A second primary.
    Rival,
    /// A standby that streams from the primary.
    Streaming,
    /// A running standby that does not.
    Detached,
    /// A stopped standby.
    StoppedStandby,
    /// Stopped, and would be a primary if it were started.
    StoppedPrimary,
    /// A standby that can never catch up: the primary has removed what it lacks, or it has replayed what the primary never had.
    Lost,
    /// Its data cannot be read, and no server runs.
    Broken,
    /// Its data are another cluster's.
    Foreign,
    /// A witness that runs.
    Witness,
    /// A witness that is stopped.
    StoppedWitness,
}

impl State {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            State::Unknown => "unknown",
            State::Gone => "lost",
            State::Empty => "empty",
            State::Starting => "does not answer",
            State::Primary => "primary",
            State::Rival => "second primary",
            State::Streaming => "standby",
            State::Detached => "standby that does not stream",
            State::StoppedStandby => "stopped standby",
            State::StoppedPrimary => "stopped former primary",
            State::Lost => "standby that cannot catch up",
            State::Broken => "unreadable data",
            State::Foreign => "data of another cluster",
            State::Witness => "witness",
            State::StoppedWitness => "stopped witness",
        }
    }
}

/// What the cluster is, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// No member holds data.
    Empty,
    /// One primary, every other member as it should be.
    Healthy,
    /// One primary, and something is missing.
    Degraded,
    /// Several primaries.
    Split,
    /// No primary, and every data member is known.
    Headless,
    /// No primary was seen, and not every data member is known.
    Undetermined,
    /// What the members say contradicts itself.
    Contradictory,
}

impl Condition {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Condition::Empty => "empty",
            Condition::Healthy => "healthy",
            Condition::Degraded => "degraded",
            Condition::Split => "several primaries",
            Condition::Headless => "no primary",
            Condition::Undetermined => "undetermined",
            Condition::Contradictory => "contradictory",
        }
    }
}

/// What the members are, seen together.
#[derive(Debug, Clone)]
pub struct Picture {
    /// In the order of the members.
    pub states: Vec<State>,
    /// The true primary among those that run.
    pub primary: Option<usize>,
    /// Other running primaries of the same cluster.
    pub rivals: Vec<usize>,
    /// What contradicts itself.
    pub problem: Option<Refusal>,
}

/// A server's slot for a member.
pub fn slot(id: u32) -> String {
    format!("repmgr_slot_{id}")
}

impl Picture {
    /// Looks at the members; `gone` is lost for good, whatever it says.
    pub fn new(look: &Look, gone: Option<usize>) -> Picture {
        let spec = look.site.spec;
        let data: Vec<usize> = (0..spec.data())
            .filter(|member| Some(*member) != gone)
            .collect();
        let running: Vec<usize> = data
            .iter()
            .copied()
            .filter(|member| look.online(*member).is_some_and(|online| !online.recovery))
            .collect();
        let (sysid, mut problem) = sysid(look, &data, &running);
        let mut primaries: Vec<usize> = running;
        let followers = |primary: usize| {
            let address = &spec.members[primary].address;
            let follows = |member: &&usize| {
                look.online(**member)
                    .and_then(|online| online.receiver.as_ref())
                    .is_some_and(|receiver| {
                        receiver.status == "streaming" && receiver.sender_host == *address
                    })
            };
            data.iter().filter(follows).count()
        };
        // The one that most follow, of those on the highest time line: acknowledged commits are there.
        primaries.sort_by_key(|member| {
            let (tli, receive) = look
                .online(*member)
                .map_or((0, 0), |online| (online.tli, online.receive));
            std::cmp::Reverse((tli, followers(*member), receive))
        });
        let primary = primaries.first().copied();
        let mut picture = Picture {
            states: Vec::new(),
            primary,
            rivals: primaries.iter().skip(1).copied().collect(),
            problem: problem.take(),
        };
        picture.states = (0..spec.members.len())
            .map(|member| match gone == Some(member) {
                true => State::Gone,
                false if spec.is_witness(member) => witness(look, member, sysid),
                false => picture.state(look, member, sysid),
            })
            .collect();
        if picture.problem.is_none() {
            picture.problem = picture.ahead(look, &data);
        }
        picture
    }

    /// What the cluster is.
    pub fn condition(&self, look: &Look) -> Condition {
        let data = &self.states[..look.site.spec.data()];
        let has = |state| data.contains(&state);
        if self.problem.is_some() {
            return Condition::Contradictory;
        }
        if !self.rivals.is_empty() {
            return Condition::Split;
        }
        let right = [State::Primary, State::Streaming, State::Witness];
        match self.primary {
            Some(_) if self.states.iter().all(|state| right.contains(state)) => Condition::Healthy,
            Some(_) => Condition::Degraded,
            None if has(State::Unknown) => Condition::Undetermined,
            None if data.iter().all(|state| *state == State::Empty) => Condition::Empty,
            None => Condition::Headless,
        }
    }

    /// Members in a state.
    pub fn of(&self, state: State) -> Vec<usize> {
        (0..self.states.len())
            .filter(|member| self.states[*member] == state)
            .collect()
    }

    /// Data members of which nothing is known.
    pub fn unknown(&self, data: usize) -> Vec<usize> {
        let mut unknown = self.of(State::Unknown);
        unknown.retain(|member| *member < data);
        unknown
    }

    fn state(&self, look: &Look, member: usize, sysid: Option<u64>) -> State {
        let Some(seen) = look.known(member) else {
            return State::Unknown;
        };
        if self.rivals.contains(&member) {
            return State::Rival;
        }
        if self.primary == Some(member) {
            return State::Primary;
        }
        if let Some(online) = &seen.online {
            return match () {
                () if sysid.is_some_and(|sysid| sysid != online.sysid) => State::Foreign,
                () if self.streams(look, member) => State::Streaming,
                () if self.lost(look, member) || self.astray(look, member) => State::Lost,
                () => State::Detached,
            };
        }
        if seen.process {
            return State::Starting;
        }
        if !seen.data {
            return State::Empty;
        }
        match &seen.control {
            None => State::Broken,
            Some(control) if sysid.is_some_and(|sysid| sysid != control.sysid) => State::Foreign,
            Some(_) if !seen.standby_signal => State::StoppedPrimary,
            Some(_) if self.lost(look, member) => State::Lost,
            Some(_) => State::StoppedStandby,
        }
    }

    fn streams(&self, look: &Look, member: usize) -> bool {
        let Some(primary) = self.primary else {
            return false;
        };
        let (Some(online), Some(source)) = (look.online(member), look.online(primary)) else {
            return false;
        };
        let address = &look.site.spec.members[primary].address;
        online.tli == source.tli
            && online.receiver.as_ref().is_some_and(|receiver| {
                receiver.status == "streaming" && receiver.sender_host == *address
            })
    }

    /// Whether the primary has removed what the member's slot was to keep.
    fn lost(&self, look: &Look, member: usize) -> bool {
        let name = slot(look.site.ids[member]);
        self.primary
            .and_then(|primary| look.online(primary))
            .is_some_and(|online| {
                online
                    .slots
                    .iter()
                    .any(|slot| slot.name == name && slot.wal_status == "lost")
            })
    }

    /// Whether a standby has replayed more of an earlier time line than the primary's history has of it: it followed somebody else.
    fn astray(&self, look: &Look, member: usize) -> bool {
        let (Some(online), Some(primary)) = (look.online(member), self.primary) else {
            return false;
        };
        look.online(primary).is_some_and(|source| {
            online.tli < source.tli
                && source
                    .forks
                    .iter()
                    .any(|fork| fork.tli == online.tli && fork.end < online.replay)
        })
    }

    /// A member that has seen a later time line than the primary that runs.
    fn ahead(&self, look: &Look, data: &[usize]) -> Option<Refusal> {
        let primary = self.primary?;
        let tli = look.online(primary)?.tli;
        let ahead = data.iter().copied().find(|member| {
            ![State::Foreign, State::Primary].contains(&self.states[*member])
                && look
                    .known(*member)
                    .and_then(reach)
                    .is_some_and(|(other, _)| other > tli)
        })?;
        Some(refusal(
            format!(
                "{} runs as primary on time line {tli}, and {} has already seen a later one",
                look.name(primary),
                look.name(ahead)
            ),
            format!(
                "a primary that was elected later is not running: find out which of the two holds the commits you want, stop the other one, and say `hadeploy node forget` of what is lost; {} was left as it is",
                look.name(primary)
            ),
        ))
    }
}

/// How far a member's data reach for certain.
pub fn reach(seen: &Observation) -> Option<(u32, u64)> {
    match (&seen.online, &seen.control) {
        (Some(online), _) => Some((online.tli, online.receive)),
        (None, Some(control)) => Some(control.reach()),
        (None, None) => None,
    }
}

fn witness(look: &Look, member: usize, sysid: Option<u64>) -> State {
    let Some(seen) = look.known(member) else {
        return State::Unknown;
    };
    let own = match (&seen.online, &seen.control) {
        (Some(online), _) => Some((online.sysid, online.recovery)),
        (None, Some(control)) => Some((control.sysid, seen.standby_signal)),
        (None, None) => None,
    };
    match own {
        // It was a data member of this cluster once.
        Some((own, standby)) if sysid == Some(own) || standby => State::Foreign,
        Some(_) if seen.online.is_some() => State::Witness,
        _ if seen.process => State::Starting,
        Some(_) => State::StoppedWitness,
        None if seen.data => State::Broken,
        None => State::Empty,
    }
}

/// The system identifier of the cluster, and what is wrong when there are several.
fn sysid(look: &Look, data: &[usize], primaries: &[usize]) -> (Option<u64>, Option<Refusal>) {
    let of = |member: usize| {
        let seen = look.known(member)?;
        match (&seen.online, &seen.control) {
            (Some(online), _) => Some(online.sysid),
            (None, Some(control)) => Some(control.sysid),
            (None, None) => None,
        }
    };
    let from = if primaries.is_empty() {
        data
    } else {
        primaries
    };
    let mut holders = from
        .iter()
        .filter_map(|member| Some((*member, of(*member)?)));
    let Some((first, sysid)) = holders.next() else {
        return (None, None);
    };
    match holders.find(|(_, other)| *other != sysid) {
        None => (Some(sysid), None),
        Some((other, _)) => (
            Some(sysid),
            Some(refusal(
                format!(
                    "{} and {} hold two different databases, which were never one",
                    look.name(first),
                    look.name(other)
                ),
                "decide which one is yours, stop the other one's server and rename its data directory; nothing was touched",
            )),
        ),
    }
}
