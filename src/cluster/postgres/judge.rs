//! The choice: one function from what is known to what comes next.

use std::time::Duration;

use super::act::Act;
use super::forget;
use super::look::{Decision, Look, refusal};
use super::picture::{Picture, State};
use super::spec::Goal;
use crate::cluster::Refusal;

/// How often one act is tried on one member in one run.
const TRIES: usize = 3;
/// How long a server that runs and does not answer is waited for: recovery after a crash takes its time.
pub const START: Duration = Duration::from_secs(300);
/// How long a standby is given to begin to stream.
pub const ATTACH: Duration = Duration::from_secs(30);
/// How long a standby is given to catch up.
pub const CATCH_UP: Duration = Duration::from_secs(900);
/// Bytes that a standby may lie behind and still count as up to date.
pub const LAG: u64 = 16 << 20;

/// What is known, and what it amounts to.
#[derive(Debug)]
pub struct Judge<'a> {
    /// What is known.
    pub look: &'a Look<'a>,
    /// What it amounts to.
    pub picture: Picture,
    /// What cannot be mended, and does not stop what can be.
    pub complaints: Vec<Refusal>,
}

/// What comes next.
pub fn decide(look: &Look) -> Decision {
    if let Some(decision) = forget::farewell(look) {
        return decision;
    }
    if let Some(refusal) = forget::objection(look) {
        return Decision::Refuse(refusal);
    }
    let gone = match &look.site.spec.goal {
        Goal::Forget(lost) => look.site.spec.member(&lost.name),
        _ => None,
    };
    let mut judge = Judge {
        look,
        picture: Picture::new(look, gone),
        complaints: Vec::new(),
    };
    judge.bounded()
}

impl<'a> Judge<'a> {
    /// What was tried often enough is not tried again.
    fn bounded(&mut self) -> Decision {
        let decision = self.choose();
        let look = self.look;
        let tired = |(member, act): &&(usize, Act)| look.made(*member, act) >= TRIES;
        let found = match &decision {
            Decision::Act(acts) => acts.iter().find(tired),
            Decision::Chain(stages) => stages.iter().flatten().find(tired),
            _ => None,
        };
        match found {
            None => decision,
            Some((member, act)) => Decision::refuse(
                format!(
                    "`{}` was done {TRIES} times on {} and did not last",
                    act.title(look.site.spec),
                    look.name(*member)
                ),
                format!(
                    "look at what the server says on {}: journalctl -u {} -u repmgrd, and /var/log/postgresql",
                    look.name(*member),
                    look.site.unit()
                ),
            ),
        }
    }

    fn choose(&mut self) -> Decision {
        if let Some(refusal) = self.releases().or_else(|| self.picture.problem.clone()) {
            return Decision::Refuse(refusal);
        }
        if !self.picture.rivals.is_empty() {
            return self.rivals();
        }
        match self.picture.primary {
            None => self.headless(),
            Some(primary) if matches!(self.goal(), Goal::Forget(_)) => self.forget(primary),
            Some(primary) => self.present(primary),
        }
    }

    /// What is to be reached.
    pub fn goal(&self) -> &'a Goal {
        &self.look.site.spec.goal
    }

    /// Whether standbys may be set aside and cloned anew without further ado.
    pub fn repairs(&self) -> bool {
        *self.goal() == Goal::Repair
    }

    /// A member's state.
    pub fn state(&self, member: usize) -> State {
        self.picture.states[member]
    }

    /// Whether nothing is known of some data member: then nothing is done that could be wrong in the light of what it would say.
    pub fn blind(&self) -> bool {
        !self.picture.unknown(self.look.site.spec.data()).is_empty()
    }

    /// Names of members, for people.
    pub fn names(&self, members: &[usize]) -> String {
        let names: Vec<&str> = members
            .iter()
            .map(|member| self.look.name(*member))
            .collect();
        names.join(", ")
    }

    /// Remembers what cannot be mended here.
    pub fn complain(&mut self, why: impl Into<String>, help: impl Into<String>) {
        self.complaints.push(refusal(why, help));
    }

    /// Remembers the members of which nothing is known.
    pub fn complain_of_unknown(&mut self) {
        for member in self.picture.of(State::Unknown) {
            self.complaints.push(self.silent(member));
        }
    }

    /// Why a member of which nothing is known stands in the way.
    pub fn silent(&self, member: usize) -> Refusal {
        let name = self.look.name(member);
        let why = match &self.look.seen[member] {
            super::Seen::Unknown(why) => why.as_str(),
            super::Seen::Known(_) => "",
        };
        refusal(
            format!("what {name} holds is not known: {why}"),
            format!(
                "bring {name} back, or say `hadeploy node forget {name}` if it is lost for good"
            ),
        )
    }

    /// The end: what cannot be mended, or that all is well.
    pub fn verdict(&mut self) -> Decision {
        let mut complaints = std::mem::take(&mut self.complaints).into_iter();
        let Some(first) = complaints.next() else {
            return Decision::Settled;
        };
        Decision::Refuse(complaints.fold(first, |mut all, next| {
            all.why.push_str("; ");
            all.why.push_str(&next.why);
            if !all.help.contains(&next.help) {
                all.help.push_str("; ");
                all.help.push_str(&next.help);
            }
            all
        }))
    }

    /// Members with different releases are no cluster.
    fn releases(&self) -> Option<Refusal> {
        let look = self.look;
        let release = |member: usize| look.known(member).map(|seen| seen.release);
        let members: Vec<usize> = (0..look.seen.len())
            .filter(|member| self.state(*member) != State::Gone)
            .collect();
        let first = *members.iter().find(|member| release(**member).is_some())?;
        let other = members
            .iter()
            .copied()
            .find(|member| release(*member).is_some_and(|other| Some(other) != release(first)))?;
        Some(refusal(
            format!(
                "{} has PostgreSQL {} and {} has {}",
                look.name(first),
                release(first).unwrap_or_default(),
                look.name(other),
                release(other).unwrap_or_default()
            ),
            "members of one cluster run the same major release: bring all of them to one release of Debian",
        ))
    }
}
