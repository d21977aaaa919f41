//! What was asked for beyond the ordinary: settings that need a restart, another primary.

use super::{Decision, Scene, one, refuse};
use crate::cluster::redis::act::{Act, HAND_OVER};
use crate::cluster::redis::drift;
use crate::cluster::redis::spec::Goal;

/// Restarts replica by replica, then the old primary as a replica; and a failover that was asked for.
pub(super) fn stage(scene: &Scene) -> Option<Decision> {
    let survey = &scene.survey;
    let (primary, _) = survey.leader()?;
    let drifts = |member: usize| {
        let redis = survey.redis(member)?;
        let (_, drifts) = drift::of_redis(scene.spec, member, 100, redis);
        (!drifts.is_empty()).then_some(drifts)
    };
    let restart = survey
        .members()
        .filter(|member| *member != primary)
        .find_map(|member| Some((member, drifts(member)?)));
    if let Some((member, drifts)) = restart {
        return Some(one(member, Act::EditRedis { drifts }));
    }
    if let Some(drifts) = drifts(primary) {
        if survey.views.len() == 1 {
            return Some(one(primary, Act::EditRedis { drifts }));
        }
        return Some(hand_over(scene, primary, None));
    }
    if let Goal::Leave { member } = scene.spec.goal
        && let Some(refusal) = super::leave::without(scene, member, primary)
    {
        return Some(refusal);
    }
    let to = scene.successor()?;
    Some(hand_over(scene, primary, to))
}

impl Scene<'_> {
    /// Whether another primary is still to be found: a certain one, or any.
    pub(super) fn successor(&self) -> Option<Option<usize>> {
        let (primary, _) = self.survey.leader()?;
        match &self.spec.goal {
            Goal::Failover { to: Some(to) } => (*to != primary).then_some(Some(*to)),
            Goal::Failover { to: None } => {
                let done = self
                    .made
                    .iter()
                    .any(|made| made.title.starts_with(HAND_OVER));
                (!done).then_some(None)
            }
            Goal::Leave { member } => (*member == primary).then_some(None),
            Goal::Converge | Goal::Forget { .. } | Goal::Part { .. } => None,
        }
    }
}

/// A planned failover. A certain successor must be seen as the first by the sentinel that is told.
fn hand_over(scene: &Scene, primary: usize, to: Option<usize>) -> Decision {
    let survey = &scene.survey;
    let follower = |member: &usize| {
        *member != primary && survey.redis(*member).is_some_and(|redis| redis.link)
    };
    let best = survey
        .members()
        .filter(follower)
        .max_by_key(|member| survey.redis(*member).map_or(0, |redis| redis.offset));
    let Some(best) = to.or(best) else {
        return refuse(
            "there is no replica that could take over",
            "add a member, or bring one back",
        );
    };
    if let Some(to) = to {
        let first = survey.watching(primary).is_some_and(|(_, watch)| {
            watch
                .replicas
                .iter()
                .any(|peer| scene.spec.at(&peer.address) == Some(to) && peer.priority == 1)
                && watch
                    .replicas
                    .iter()
                    .all(|peer| scene.spec.at(&peer.address) == Some(to) || peer.priority > 1)
        });
        if !first {
            let why = format!("the sentinels to see that {} goes first", scene.name(to));
            return scene.wait(30, why.clone(), || {
                refuse(
                    format!("waited too long for {why}"),
                    "see `SENTINEL REPLICAS` on the primary",
                )
            });
        }
    }
    one(primary, Act::Failover { to: best })
}
