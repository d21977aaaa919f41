//! A member that is about to stop for a while.

use super::{Decision, Scene, refuse};

/// Why a member cannot stop now: the others could not go on, or not change the primary.
pub(super) fn without(scene: &Scene, leaving: usize, primary: usize) -> Option<Decision> {
    let survey = &scene.survey;
    let name = scene.name(leaving);
    let others = || survey.members().filter(|member| *member != leaving);
    let follows = |member: &usize| {
        *member != primary && survey.redis(*member).is_some_and(|redis| redis.link)
    };
    let replicas = others().filter(follows).count();
    if leaving == primary && replicas == 0 {
        return Some(refuse(
            format!("no replica can take over from {name}: without it there is no redis"),
            "bring a replica up first, or apply to that host alone when redis may stop",
        ));
    }
    // One of them is the primary then.
    let left = replicas - usize::from(leaving == primary);
    let wanted = survey
        .redis(primary)
        .and_then(|redis| redis.settings.get("min-replicas-to-write")?.parse().ok())
        .unwrap_or(0_usize);
    if left < wanted {
        return Some(refuse(
            format!("writes want {wanted} replicas, and without {name} only {left} would be there"),
            "bring the other replicas up first, or lower `min-replicas-to-write`",
        ));
    }
    let sentinels = others()
        .filter(|member| survey.watching(*member).is_some())
        .count();
    // Two members cannot be without one of them and still agree; nothing is left to agree about then.
    let needed = scene.spec.majority().min(others().count());
    (sentinels < needed).then(|| {
        refuse(
            format!("without {name} only {sentinels} sentinels are left, and {needed} have to agree on a primary"),
            "bring the other sentinels up first",
        )
    })
}
