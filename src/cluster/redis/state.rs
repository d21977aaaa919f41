//! The cluster's state by name, for people: what is not as it should be, member by member.

use super::observation::View;
use super::spec::Spec;
use super::survey::{Primary, Survey, Voice};

/// A state that a cluster can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// R0: no member holds anything.
    Nothing,
    /// R1: all is well.
    Healthy,
    /// R2: a redis does not run.
    Down,
    /// R3: a replica has no connection to its primary.
    LinkDown,
    /// R4: a replica follows somebody else.
    WrongPrimary,
    /// R5: a second redis takes writes.
    TwoPrimaries,
    /// R6: sentinels name different primaries.
    Disagreement,
    /// R7: sentinels know somebody who is gone.
    Stale,
    /// R8: two sentinels have one id.
    DoubleId,
    /// R9: a sentinel watches no member.
    Astray,
    /// R10: too few sentinels for a failover.
    NoQuorum,
    /// R11: the primary is missed, or being replaced.
    Failover,
    /// R12: no replica could take over.
    NoSuccessor,
    /// R13: a sentinel distrusts its clock.
    Tilt,
    /// R14: a role is not written down, or cannot be.
    NotKept,
    /// R15: redis would refuse writes.
    NoWrites,
    /// R16: nothing runs, and there is data.
    Cold,
    /// A member, or a daemon of it, cannot be judged.
    Unseen,
}

impl State {
    /// Its short code.
    pub fn code(self) -> &'static str {
        match self {
            State::Nothing => "R0",
            State::Healthy => "R1",
            State::Down => "R2",
            State::LinkDown => "R3",
            State::WrongPrimary => "R4",
            State::TwoPrimaries => "R5",
            State::Disagreement => "R6",
            State::Stale => "R7",
            State::DoubleId => "R8",
            State::Astray => "R9",
            State::NoQuorum => "R10",
            State::Failover => "R11",
            State::NoSuccessor => "R12",
            State::Tilt => "R13",
            State::NotKept => "R14",
            State::NoWrites => "R15",
            State::Cold => "R16",
            State::Unseen => "unseen",
        }
    }
}

/// One thing that is so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is called.
    pub state: State,
    /// One sentence.
    pub text: String,
}

/// What was seen, in words; exactly [`State::Healthy`] when nothing is wrong.
pub fn states(spec: &Spec, views: &[View]) -> Vec<Finding> {
    let survey = Survey::new(spec, views);
    let mut found = Vec::new();
    let mut say = |state: State, text: String| found.push(Finding { state, text });
    let leader = survey.leader();
    let runs = survey
        .members()
        .any(|member| survey.redis(member).is_some());
    match &survey.primary {
        Primary::Nobody => say(State::Nothing, "no member holds anything".to_owned()),
        Primary::Disputed(why) => say(State::Disagreement, why.clone()),
        Primary::Is(member, Voice::Files) if !runs => {
            say(
                State::Cold,
                format!("nothing runs; {} was primary last", spec.name_of(*member)),
            );
        }
        Primary::Is(..) => {}
    }
    let address = leader.map(|(member, _)| spec.members[member].address.clone());
    for member in survey.members() {
        let name = spec.name_of(member);
        if let Some(why) = survey.blind(member) {
            say(State::Unseen, why);
        }
        let Some(node) = survey.node(member) else {
            continue;
        };
        let leads = leader.is_some_and(|(primary, _)| primary == member);
        if !node.installed {
            say(State::Down, format!("{name} has no redis yet"));
            continue;
        }
        if node.redis.is_down() {
            say(State::Down, format!("redis on {name} does not run"));
        }
        if let Some(redis) = node.redis.up() {
            if redis.primary && leader.is_some() && !leads {
                say(
                    State::TwoPrimaries,
                    format!("redis on {name} takes writes too"),
                );
            } else if !leads && redis.follows != address {
                say(
                    State::WrongPrimary,
                    format!(
                        "{name} follows {}",
                        redis.follows.as_deref().unwrap_or("nobody")
                    ),
                );
            } else if !redis.primary && !redis.link {
                say(
                    State::LinkDown,
                    format!("{name} has no connection to its primary"),
                );
            }
            if !node.folder || node.redis_file.follows != redis.follows {
                say(
                    State::NotKept,
                    format!("the role of {name} is not written down"),
                );
            }
            let spare = redis
                .settings
                .get("min-replicas-to-write")
                .is_some_and(|text| text != "0");
            if leads && (redis.unsaved || (spare && redis.followers.is_empty())) {
                let why = if redis.unsaved {
                    "it cannot save"
                } else {
                    "no replica follows it"
                };
                say(State::NoWrites, format!("{name} refuses writes: {why}"));
            }
        }
        if survey.is_foreign_sentinel(member) {
            say(
                State::Astray,
                format!("sentinel on {name} watches no member"),
            );
        } else if node.sentinel.is_down() {
            say(State::NoQuorum, format!("sentinel on {name} does not run"));
        }
        if survey
            .sentinel(member)
            .is_some_and(|sentinel| sentinel.tilt)
        {
            say(
                State::Tilt,
                format!("sentinel on {name} does not trust its clock"),
            );
        }
        let id = survey.sentinel(member).map(|sentinel| &sentinel.id);
        if (0..member)
            .any(|other| id.is_some() && survey.sentinel(other).map(|sentinel| &sentinel.id) == id)
        {
            say(
                State::DoubleId,
                format!("sentinel on {name} has the id of another"),
            );
        }
        let Some((watched, watch)) = survey.watching(member) else {
            continue;
        };
        if leader.is_some_and(|(primary, _)| primary != watched) {
            say(
                State::Disagreement,
                format!("sentinel on {name} watches {}", spec.name_of(watched)),
            );
        }
        if watch.unsettled() {
            say(
                State::Failover,
                format!("sentinel on {name} misses the primary"),
            );
        }
        if !watch.quorum {
            say(
                State::NoQuorum,
                format!("sentinel on {name} reaches no quorum"),
            );
        }
        if watch.sentinels.len() + 1 > views.len()
            || watch.sentinels.iter().any(|peer| peer.port == 0)
        {
            say(
                State::Stale,
                format!("sentinel on {name} knows sentinels that are gone"),
            );
        }
        if views.len() > 1
            && !watch.replicas.is_empty()
            && watch
                .replicas
                .iter()
                .all(|peer| peer.down || peer.priority == 0)
        {
            say(
                State::NoSuccessor,
                format!("sentinel on {name} knows no replica that could take over"),
            );
        }
    }
    if found.is_empty() {
        found.push(Finding {
            state: State::Healthy,
            text: "all members agree".to_owned(),
        });
    }
    found
}
