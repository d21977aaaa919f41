//! What the members' answers say together: who is primary, and what is not as it should be.

use super::observation::{Daemon, Node, Redis, Sentinel, View, Watching};
use super::spec::Spec;

/// All that was seen, with its meaning.
#[derive(Debug, Clone)]
pub struct Survey<'a> {
    /// What is wanted.
    pub spec: &'a Spec,
    /// One a member.
    pub views: &'a [View],
    /// Who is primary.
    pub primary: Primary,
}

/// Who is primary, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Primary {
    /// A member.
    Is(usize, Voice),
    /// Nobody: no member holds anything.
    Nobody,
    /// It cannot be told.
    Disputed(String),
}

/// Who says who is primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// Sentinels of more than half of the members.
    Majority,
    /// Fewer sentinels, and nothing that contradicts them.
    Minority,
    /// The files of sentinels, none of which runs.
    Files,
    /// Redis itself: there is no sentinel yet.
    Roles,
}

impl<'a> Survey<'a> {
    /// Judges what was seen.
    pub fn new(spec: &'a Spec, views: &'a [View]) -> Survey<'a> {
        let mut survey = Survey {
            spec,
            views,
            primary: Primary::Nobody,
        };
        survey.primary = survey.judge();
        survey
    }

    /// The members' indices.
    pub fn members(&self) -> std::ops::Range<usize> {
        0..self.views.len()
    }

    /// A member that answered.
    pub fn node(&self, member: usize) -> Option<&'a Node> {
        self.views[member].node()
    }

    /// Its redis, if it answered.
    pub fn redis(&self, member: usize) -> Option<&'a Redis> {
        self.node(member)?.redis.up()
    }

    /// Its sentinel, if it answered.
    pub fn sentinel(&self, member: usize) -> Option<&'a Sentinel> {
        self.node(member)?.sentinel.up()
    }

    /// What its sentinel watches, if that is a member.
    pub fn watching(&self, member: usize) -> Option<(usize, &'a Watching)> {
        let watch = self.sentinel(member)?.watch.as_ref()?;
        Some((self.spec.at(&watch.address)?, watch))
    }

    /// The primary and who says so.
    pub fn leader(&self) -> Option<(usize, Voice)> {
        match self.primary {
            Primary::Is(member, voice) => Some((member, voice)),
            _ => None,
        }
    }

    /// Something there cannot be judged: the member, or one of its daemons.
    pub fn blind(&self, member: usize) -> Option<String> {
        let name = self.spec.name_of(member);
        match &self.views[member] {
            View::Unknown(why) => Some(format!("{name} could not be asked: {why}")),
            View::Known(node) => {
                let daemon = |what: &str, hung: bool| {
                    let does = if hung {
                        "does not answer"
                    } else {
                        "refuses the password"
                    };
                    Some(format!("{what} on {name} {does}"))
                };
                match (&node.redis, &node.sentinel) {
                    (Daemon::Hung, _) => daemon("redis", true),
                    (Daemon::Locked, _) => daemon("redis", false),
                    (_, Daemon::Hung) => daemon("sentinel", true),
                    (_, Daemon::Locked) => daemon("sentinel", false),
                    _ => None,
                }
            }
        }
    }

    /// Its redis holds nothing and belongs to nobody: its file may be written.
    pub fn is_bare(&self, member: usize) -> bool {
        let Some(node) = self.node(member) else {
            return false;
        };
        if node.redis_file.marked || node.redis_file.follows.is_some() {
            return false;
        }
        match &node.redis {
            Daemon::Down => !node.kept,
            Daemon::Up(redis) => {
                redis.primary
                    && redis.keys == 0
                    && redis.followers.is_empty()
                    && !redis.loading
                    && !redis.access.password
            }
            Daemon::Hung | Daemon::Locked => false,
        }
    }

    /// Its sentinel is none of the cluster's: it watches no member, or announces another's address.
    pub fn is_foreign_sentinel(&self, member: usize) -> bool {
        let Some(node) = self.node(member) else {
            return false;
        };
        let own = &self.spec.members[member].address;
        let other = |address: &String| address != own && self.spec.at(address).is_some();
        if node.sentinel_file.announces.as_ref().is_some_and(other) {
            return !node.sentinel.is_blind();
        }
        match &node.sentinel {
            Daemon::Down => {
                let watched = node.sentinel_file.watches.as_ref();
                watched.is_none_or(|address| self.spec.at(address).is_none())
            }
            Daemon::Up(_) => self.watching(member).is_none(),
            Daemon::Hung | Daemon::Locked => false,
        }
    }

    fn judge(&self) -> Primary {
        let voices: Vec<(usize, u64)> = self
            .members()
            .filter_map(|member| self.watching(member))
            .map(|(member, watch)| (member, watch.epoch))
            .collect();
        if let Some(member) = most(&voices, self.spec.majority()) {
            return Primary::Is(member, Voice::Majority);
        }
        if !voices.is_empty() {
            return match newest(&voices) {
                Some(member) if self.may_be(member) => Primary::Is(member, Voice::Minority),
                _ => Primary::Disputed("the sentinels do not agree who is primary".to_owned()),
            };
        }
        let files: Vec<(usize, u64)> = self
            .members()
            .filter(|member| !self.is_foreign_sentinel(*member))
            .filter_map(|member| {
                let file = &self.node(member)?.sentinel_file;
                Some((self.spec.at(file.watches.as_ref()?)?, file.epoch))
            })
            .collect();
        if !files.is_empty() {
            return match newest(&files) {
                Some(member) => Primary::Is(member, Voice::Files),
                None => Primary::Disputed(
                    "the files of the sentinels, none of which runs, name different primaries"
                        .to_owned(),
                ),
            };
        }
        self.judge_roles()
    }

    /// Whether what redis says allows that the member is primary: it says so, or nobody says anything else.
    fn may_be(&self, member: usize) -> bool {
        match self.redis(member) {
            Some(redis) => redis.primary,
            None => !self
                .members()
                .any(|other| self.redis(other).is_some_and(|redis| redis.primary)),
        }
    }

    /// There is no sentinel yet: the one that holds something and follows nobody.
    fn judge_roles(&self) -> Primary {
        let heads: Vec<usize> = self
            .members()
            .filter(|member| !self.is_bare(*member))
            .filter(|member| match self.node(*member) {
                None => false,
                Some(node) => match &node.redis {
                    Daemon::Up(redis) => redis.primary,
                    _ => node.redis_file.follows.is_none(),
                },
            })
            .collect();
        let leading: Vec<usize> = heads
            .iter()
            .copied()
            .filter(|member| {
                self.redis(*member)
                    .is_some_and(|redis| !redis.followers.is_empty())
            })
            .collect();
        match (heads.as_slice(), leading.as_slice()) {
            ([one], _) | (_, [one]) => Primary::Is(*one, Voice::Roles),
            ([], _) if self.members().all(|member| self.is_bare(member)) => Primary::Nobody,
            ([], _) => Primary::Disputed(
                "every redis follows another, no sentinel runs, and none of them is primary"
                    .to_owned(),
            ),
            (several, _) => {
                let names: Vec<&str> = several
                    .iter()
                    .map(|member| self.spec.name_of(*member))
                    .collect();
                Primary::Disputed(format!(
                    "{} each hold data of their own",
                    names.join(" and ")
                ))
            }
        }
    }
}

/// The one that at least `enough` name; of two, the one that is named more often.
fn most(voices: &[(usize, u64)], enough: usize) -> Option<usize> {
    voices
        .iter()
        .map(|(member, _)| *member)
        .find(|member| voices.iter().filter(|(other, _)| other == member).count() >= enough)
}

/// The one that all voices of the highest epoch name.
fn newest(voices: &[(usize, u64)]) -> Option<usize> {
    let epoch = voices.iter().map(|(_, epoch)| *epoch).max()?;
    let mut named = voices
        .iter()
        .filter(|(_, of)| *of == epoch)
        .map(|(member, _)| *member);
    let first = named.next()?;
    named.all(|member| member == first).then_some(first)
}
