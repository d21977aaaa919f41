//! What is known when the next acts are chosen, and the choice.

use std::collections::BTreeMap;
use std::time::Duration;

use super::act::Act;
use super::observation::{Observation, Online, Seen};
use super::site::Site;
use crate::cluster::{Made, Refusal};

/// What is wanted on one member, worked out from the site.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Files of ours.
    pub files: Vec<WantedFile>,
    /// Settings that the files hold.
    pub settings: BTreeMap<String, String>,
    /// Packages.
    pub packages: Vec<String>,
    /// Whether the accounts and databases that were seen there are as wanted.
    pub accounts: bool,
}

/// A file of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedFile {
    /// Where.
    pub path: String,
    /// Lower-case hex.
    pub sha256: String,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub owner: &'static str,
    /// Group.
    pub group: &'static str,
    /// Whether a running server must read its files again.
    pub reload: bool,
    /// Whether it lies below the server's folder, which only [`Act::CreateCluster`] and [`Act::Clone`] make.
    pub server: bool,
}

/// Everything that is known.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// The spec with its numbers.
    pub site: &'a Site<'a>,
    /// In the order of the members.
    pub wanted: &'a [Wanted],
    /// In the order of the members.
    pub seen: &'a [Seen],
    /// Since the last act ended, or since the first look.
    pub waited: Duration,
    /// What was done in this run.
    pub made: &'a [Made],
    /// A chain broke in this run: what it had begun is ended or undone, and nothing else is begun.
    pub broken: bool,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// All is as wanted.
    Settled,
    /// These, each on another member.
    Act(Vec<(usize, Act)>),
    /// Stages of such acts, one directly after the other, each when the one before has succeeded.
    Chain(Vec<Vec<(usize, Act)>>),
    /// Another look later.
    Wait {
        /// What is waited for.
        why: String,
        /// How long.
        pause: Duration,
    },
    /// Nothing is safe, or nothing helps.
    Refuse(Refusal),
}

impl Decision {
    /// One act.
    pub fn act(member: usize, act: Act) -> Decision {
        Decision::Act(vec![(member, act)])
    }

    /// Another look in two seconds.
    pub fn wait(why: impl Into<String>) -> Decision {
        Decision::Wait {
            why: why.into(),
            pause: Duration::from_secs(2),
        }
    }

    /// A refusal.
    pub fn refuse(why: impl Into<String>, help: impl Into<String>) -> Decision {
        Decision::Refuse(refusal(why, help))
    }
}

/// A refusal.
pub fn refusal(why: impl Into<String>, help: impl Into<String>) -> Refusal {
    Refusal {
        why: why.into(),
        help: help.into(),
    }
}

impl<'a> Look<'a> {
    /// A member's name.
    pub fn name(&self, member: usize) -> &'a str {
        self.site.spec.name(member)
    }

    /// What a member said, if anything.
    pub fn known(&self, member: usize) -> Option<&'a Observation> {
        self.seen[member].known()
    }

    /// What its server said, if anything.
    pub fn online(&self, member: usize) -> Option<&'a Online> {
        self.known(member)?.online.as_ref()
    }

    /// How often an act was done on a member in this run.
    pub fn made(&self, member: usize, act: &Act) -> usize {
        let title = act.title(self.site.spec);
        let same = |made: &&Made| made.member == member && made.title == title;
        self.made.iter().filter(same).count()
    }

    /// Whether an act was done on any member in this run.
    pub fn made_anywhere(&self, act: &Act) -> bool {
        let title = act.title(self.site.spec);
        self.made.iter().any(|made| made.title == title)
    }

    /// Members whose repmgrd may act by itself, and can be told not to.
    pub fn judging(&self) -> Vec<usize> {
        let judges = |member: &usize| {
            self.known(*member).is_some_and(|seen| {
                seen.online.is_some() && seen.repmgrd.running && !seen.repmgrd.paused
            })
        };
        (0..self.seen.len()).filter(judges).collect()
    }

    /// Members whose pooler is there and in this state.
    pub fn poolers(&self, paused: bool) -> Vec<usize> {
        let is = |member: &usize| {
            self.known(*member)
                .and_then(|seen| seen.pooler.as_ref())
                .is_some_and(|pooler| pooler.paused == paused)
        };
        (0..self.seen.len()).filter(is).collect()
    }

    /// Whether files of a member differ from what is wanted, and whether the server must read them again. None when they are right.
    pub fn files(&self, member: usize) -> Option<Act> {
        let seen = self.known(member)?;
        let mut differs = false;
        let mut reload = false;
        for file in &self.wanted[member].files {
            if file.server && !seen.configured {
                continue;
            }
            let found = seen.files.get(&file.path);
            let right = found.is_some_and(|found| {
                found.sha256 == file.sha256
                    && found.mode == file.mode
                    && found.owner == file.owner
                    && found.group == file.group
            });
            differs |= !right;
            // Written, and the run ended before the server read it.
            let unread = match (found, &seen.online) {
                (Some(found), Some(online)) => file.reload && found.modified > online.loaded,
                _ => false,
            };
            reload |= file.reload && (!right || unread);
        }
        let reload = reload && seen.online.is_some();
        let act = Act::WriteFiles { reload };
        // A clock that was set back makes each file look unread for ever.
        let again = differs || reload && self.made(member, &act) == 0;
        again.then_some(act)
    }
}
