//! A member that is taken out for good: it hands over and stops while it answers; then the others are a cluster of their own.

use std::borrow::Cow;
use std::time::Duration;

use super::act::Act;
use super::decide::{Decision, decide};
use super::observation::{Node, View};
use super::spec::{Goal, Spec, Watch};
use crate::cluster::Made;

/// A decision, and the cluster it is about.
pub struct Choice<'a> {
    /// What comes next. The members in it are those of `spec`.
    pub decision: Decision,
    /// The cluster: as it is, or without the member that parts.
    pub spec: Cow<'a, Spec>,
    /// The member that is left out of it.
    pub without: Option<usize>,
}

impl Choice<'_> {
    /// A member of the whole cluster, by its number in `spec`.
    pub fn whole(&self, member: usize) -> usize {
        member + usize::from(self.without.is_some_and(|gone| member >= gone))
    }
}

/// What comes next.
pub fn choose<'a>(spec: &'a Spec, views: &[View], waited: Duration, made: &[Made]) -> Choice<'a> {
    let Goal::Part {
        member: parting,
        addresses,
        replaced,
    } = &spec.goal
    else {
        return Choice {
            decision: decide(spec, views, waited, made),
            spec: Cow::Borrowed(spec),
            without: None,
        };
    };
    let parting = *parting;
    let whole = |decision| Choice {
        decision,
        spec: Cow::Borrowed(spec),
        without: None,
    };
    let node = views[parting].node();
    if *replaced && node.is_some_and(belongs) {
        // What runs there is the new one already: whoever it replaces is forgotten when the cluster is brought to its wanted state.
        return whole(Decision::Settled);
    }
    let title = Act::Retire.title(spec);
    let retired = made
        .iter()
        .any(|made| made.member == parting && made.title == title);
    if !replaced && !retired && node.is_some_and(|node| node.installed) {
        let decision = match node.is_some_and(belongs) {
            true => {
                let leaving = Spec {
                    goal: Goal::Leave { member: parting },
                    ..spec.clone()
                };
                decide(&leaving, views, waited, made)
            }
            false => Decision::Settled,
        };
        return whole(match decision {
            Decision::Settled => Decision::Act(vec![(parting, Act::Retire)]),
            decision => decision,
        });
    }
    let mut others = spec.clone();
    others.members.remove(parting);
    others.watch.quorum = Watch::of(others.members.len()).quorum;
    others.goal = Goal::Forget {
        addresses: addresses.clone(),
    };
    let mut seen = views.to_vec();
    seen.remove(parting);
    let made: Vec<Made> = made
        .iter()
        .filter(|made| made.member != parting)
        .map(|made| Made {
            member: made.member - usize::from(made.member > parting),
            title: made.title.clone(),
        })
        .collect();
    let decision = match others.members.is_empty() {
        true => Decision::Settled,
        false => decide(&others, &seen, waited, &made),
    };
    Choice {
        decision,
        spec: Cow::Owned(others),
        without: Some(parting),
    }
}

/// Whether its redis runs as a member of the cluster: not the one of a machine that was just installed.
fn belongs(node: &Node) -> bool {
    !node.redis.is_down() && (node.redis_file.marked || node.redis_file.follows.is_some())
}
