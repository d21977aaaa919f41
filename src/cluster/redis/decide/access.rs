//! Ports and passwords, which all members change together.

use super::{Decision, Scene, one, several};
use crate::cluster::redis::act::Act;

/// Brings all ways in to what is wanted. Sentinels stand still meanwhile: they would take members they cannot enter for dead.
pub(super) fn stage(scene: &Scene) -> Option<Decision> {
    let survey = &scene.survey;
    let standing = |member: usize| !survey.is_bare(member);
    let waiting = survey
        .members()
        .any(|member| standing(member) && survey.redis(member).is_none());
    if waiting {
        return None;
    }
    let (primary, _) = survey.leader()?;
    let wrong: Vec<usize> = survey
        .members()
        .filter(|member| standing(*member))
        .filter(|member| {
            survey
                .redis(*member)
                .is_some_and(|redis| !redis.access.right())
        })
        .collect();
    if wrong.contains(&primary) {
        let sentinels = survey
            .members()
            .filter(|member| survey.sentinel(*member).is_some())
            .map(|member| (member, Act::StopSentinel))
            .collect();
        if let Some(stop) = several(sentinels) {
            return Some(stop);
        }
    }
    if let Some(switch) = several(
        wrong
            .into_iter()
            .map(|member| (member, Act::Switch))
            .collect(),
    ) {
        return Some(switch);
    }
    let wrong = |member: &usize| {
        survey.node(*member).is_some_and(|node| {
            let entered = node
                .sentinel
                .up()
                .is_none_or(|sentinel| sentinel.access.right());
            !(survey.is_foreign_sentinel(*member) || entered && node.sentinel_file.access)
        })
    };
    let all: Vec<usize> = survey.members().filter(wrong).collect();
    let (up, down): (Vec<usize>, Vec<usize>) = all
        .into_iter()
        .partition(|member| survey.sentinel(*member).is_some());
    several(
        down.into_iter()
            .map(|member| (member, Act::EditSentinel))
            .collect(),
    )
    .or_else(|| {
        up.first()
            .filter(|_| scene.may_touch_roles())
            .map(|member| one(*member, Act::EditSentinel))
    })
}
