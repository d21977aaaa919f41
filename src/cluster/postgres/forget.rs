//! A member that is lost for good, or is to be.

use std::time::Duration;

use super::act::Act;
use super::judge::{Judge, decide};
use super::look::{Decision, Look, refusal};
use super::picture::{Picture, State, slot};
use super::present::all;
use super::site::Site;
use super::spec::{Goal, Spec};
use crate::cluster::{Lost, Refusal};

/// How long the connection of a dead standby may last: several times `wal_sender_timeout`.
const ENDED: Duration = Duration::from_secs(60);

/// What comes before a member that still answers is forgotten: another one is primary, and nothing of it runs or comes back by itself.
pub fn farewell(look: &Look) -> Option<Decision> {
    let site = look.site;
    let lost = lost(site.spec).filter(|lost| !lost.replaced)?;
    let member = site.spec.member(&lost.name)?;
    let seen = look.known(member)?;
    let bare = seen.packages.is_empty() && !seen.process && seen.online.is_none();
    if bare || look.made(member, &Act::Retire) > 0 {
        return None;
    }
    let picture = Picture::new(look, None);
    // Stopped to hand over, in this run or an earlier one: whoever takes over is primary first.
    let half = picture.states[member] == State::StoppedPrimary
        && (picture.primary.is_none() || look.made(member, &Act::StopPrimary) > 0);
    if seen.online.is_some() || seen.process || half {
        let spec = Spec {
            goal: Goal::Leave {
                name: lost.name.clone(),
            },
            ..site.spec.clone()
        };
        let site = Site {
            spec: &spec,
            ..site.clone()
        };
        let leaving = Look {
            site: &site,
            ..*look
        };
        match decide(&leaving) {
            Decision::Settled => {}
            decision => return Some(decision),
        }
    }
    Some(Decision::act(member, Act::Retire))
}

/// Why the goal itself cannot be: a member to forget is there, one to work on is not.
pub fn objection(look: &Look) -> Option<Refusal> {
    let spec = look.site.spec;
    let lost = match &spec.goal {
        Goal::Forget(lost) => lost,
        Goal::Rejoin { name } | Goal::Switchover { to: Some(name) }
            if spec.member(name).is_none_or(|member| member >= spec.data()) =>
        {
            return Some(refusal(
                format!("{name} is no data member of the cluster"),
                "name a host of the cluster's group that holds data",
            ));
        }
        _ => return None,
    };
    let name = &lost.name;
    let Some(member) = spec.member(name) else {
        return stranger(look, lost);
    };
    let seen = look.known(member)?;
    if seen.online.is_none() && !seen.process {
        return None;
    }
    let state = Picture::new(look, None).states[member];
    let well = [State::Primary, State::Streaming, State::Witness].contains(&state);
    Some(match well {
        true => refusal(
            format!(
                "{name} is not lost: its PostgreSQL runs as {}",
                state.word()
            ),
            format!(
                "there is nothing to replace; `hadeploy apply` brings {name} to the wanted state, and `hadeploy node forget {name}` takes it out for good"
            ),
        ),
        false => refusal(
            format!("{name} is not lost: its server runs ({})", state.word()),
            format!(
                "`hadeploy apply`, `hadeploy pg rejoin {name}` or `hadeploy pg repair` mend it; to have it rebuilt, stop that machine and put a bare one in its place"
            ),
        ),
    })
}

/// A name that nobody knows is a slip of the pen.
fn stranger(look: &Look, lost: &Lost) -> Option<Refusal> {
    let unregistered = look.made.iter().any(|made| {
        let act = Act::Unregister {
            id: 0,
            name: lost.name.clone(),
        };
        made.title == act.title(look.site.spec)
    });
    if lost.address.is_some() || unregistered {
        return None;
    }
    let tables = (0..look.seen.len()).filter_map(|member| look.online(member)?.nodes.as_ref());
    let mut rows = tables.flatten().map(|row| row.name.as_str());
    if rows.any(|name| name == lost.name) {
        return None;
    }
    let members: Vec<&str> = look.site.spec.members.iter().map(|it| &*it.name).collect();
    Some(refusal(
        format!(
            "neither the inventory nor repmgr knows a node `{}`",
            lost.name
        ),
        format!(
            "the cluster's members are {}; if repmgr has forgotten it already, name where it was: `--address ADDRESS`",
            members.join(", ")
        ),
    ))
}

fn lost(spec: &Spec) -> Option<&Lost> {
    match &spec.goal {
        Goal::Forget(lost) => Some(lost),
        _ => None,
    }
}

impl Judge<'_> {
    /// Nobody is primary, and the one to forget may be the only one that holds the latest commits.
    pub fn gives_up(&self) -> Option<Refusal> {
        let spec = self.look.site.spec;
        let lost = lost(spec)?;
        let member = spec.member(&lost.name)?;
        let waited_for = spec.quorum() > 0 || spec.is_witness(member);
        if waited_for || lost.loss {
            return None;
        }
        let name = &lost.name;
        Some(refusal(
            format!(
                "no member is primary, and commits waited for no standby: {name} may hold commits that nobody else has"
            ),
            format!(
                "bring {name} back; if its data are lost for good, say `--accept-data-loss`: the cluster goes on with what the others hold"
            ),
        ))
    }

    /// The others follow the primary, and their rows say so.
    fn attached(&mut self, primary: usize) -> Option<Decision> {
        let detached = self.picture.of(State::Detached);
        let attach = detached
            .into_iter()
            .find_map(|member| self.attach(member, primary));
        attach
            .or_else(|| self.rows(primary))
            .or_else(|| self.witness(primary))
    }

    /// A connection of one that died ends by itself soon; one that stays is alive.
    fn still(&self, why: String) -> Decision {
        let name = lost(self.look.site.spec).map_or("", |lost| lost.name.as_str());
        match self.look.waited < ENDED {
            true => Decision::wait(format!("the end of a connection: {why}")),
            false => Decision::refuse(
                format!("{name} is not lost: {why}"),
                format!("make {name} reachable from here, or power it off"),
            ),
        }
    }

    /// The cluster goes on without it: elections do not count it, and no WAL is kept for it.
    pub fn forget(&mut self, primary: usize) -> Decision {
        let look = self.look;
        let Some(lost) = lost(look.site.spec) else {
            return Decision::Settled;
        };
        let name = &lost.name;
        let Some(online) = look.online(primary) else {
            return Decision::Settled;
        };
        // Two that elect by themselves would both become primary when the line between them is cut. The next apply has them look on only.
        let members = &look.site.spec.members;
        let alone = members.iter().any(|it| *it.name == **name) && members.len() < 4;
        let judging = look.judging();
        if alone && !judging.is_empty() {
            return all(judging, &Act::Pause);
        }
        if let Some(decision) = self.primary_row(primary) {
            return decision;
        }
        if online.senders.iter().any(|sender| sender.name == *name) {
            return self.still(format!("{name} still streams from {}", look.name(primary)));
        }
        let rows = online.nodes.as_deref().unwrap_or_default();
        let row = rows.iter().find(|row| row.name == *name);
        if let Some(row) = row {
            // repmgr keeps a row that others hang on.
            let hang = rows.iter().any(|other| other.upstream == Some(row.id));
            if hang && let Some(decision) = self.attached(primary) {
                return decision;
            }
            let unregister = Act::Unregister {
                id: row.id,
                name: row.name.clone(),
            };
            return Decision::act(primary, unregister);
        }
        // A former member's number is no longer in any row.
        let kept = |candidate: &str| {
            rows.iter()
                .any(|row| row.slot == candidate || slot(row.id) == candidate)
                || (0..look.site.ids.len()).any(|member| {
                    look.name(member) != name && slot(look.site.ids[member]) == candidate
                })
        };
        let mut orphans = online
            .slots
            .iter()
            .filter(|found| found.name.starts_with("repmgr_slot_") && !kept(&found.name));
        match orphans.next() {
            Some(orphan) if orphan.active => {
                self.still(format!("somebody still streams by {}", orphan.name))
            }
            Some(orphan) => {
                let name = orphan.name.clone();
                Decision::act(primary, Act::DropSlot { name })
            }
            None if alone => Decision::Settled,
            None => self.unpause().unwrap_or(Decision::Settled),
        }
    }
}
