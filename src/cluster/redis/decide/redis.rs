//! Redis on each member: running, in its role, with its settings.

use super::{Decision, Scene, one, refuse};
use crate::cluster::redis::act::Act;
use crate::cluster::redis::drift;
use crate::cluster::redis::survey::Voice;

/// Every redis runs; a primary that does not is first given up by the sentinels, if they can.
pub(super) fn running(scene: &Scene) -> Option<Decision> {
    let survey = &scene.survey;
    let (primary, voice) = survey.leader()?;
    let down = |member: usize| survey.node(member).is_some_and(|node| node.redis.is_down());
    let start = |member: usize| scene.start(member, Act::StartRedis);
    if down(primary) {
        let replica = survey
            .members()
            .any(|member| survey.redis(member).is_some_and(|redis| !redis.primary));
        let name = scene.name(primary);
        let tried = scene.times(primary, &Act::StartRedis) > 0;
        if voice == Voice::Majority && replica && !tried {
            return Some(scene.wait(
                scene.failover_time(),
                format!("the sentinels to replace {name}, whose redis is down"),
                || start(primary),
            ));
        }
        return Some(start(primary));
    }
    let leads = survey
        .redis(primary)
        .is_some_and(|redis| redis.primary && !redis.loading);
    if leads {
        let bare: Vec<_> = survey
            .members()
            .filter(|member| *member != primary && survey.is_bare(*member))
            .map(|member| {
                (
                    member,
                    Act::Prepare {
                        follows: Some(primary),
                    },
                )
            })
            .collect();
        if !bare.is_empty() {
            return Some(Decision::Act(bare));
        }
    }
    let member = survey
        .members()
        .find(|member| down(*member) && !survey.is_bare(*member))?;
    let corrupt = survey.node(member).is_some_and(|node| node.corrupt);
    if corrupt && leads && voice == Voice::Majority {
        return Some(scene.start(member, Act::SetAside));
    }
    Some(start(member))
}

/// One primary, and all others follow it.
pub(super) fn roles(scene: &Scene) -> Option<Decision> {
    let survey = &scene.survey;
    let (primary, _) = survey.leader()?;
    let address = &scene.spec.members[primary].address;
    let redis = survey.redis(primary)?;
    if redis.loading {
        let why = format!("{} to read its data", scene.name(primary));
        return Some(scene.wait(600, why.clone(), || {
            refuse(
                format!("waited ten minutes for {why}"),
                "see /var/log/redis/redis-server.log there",
            )
        }));
    }
    if !redis.primary {
        let why = format!(
            "{} to be made primary, as the sentinels say",
            scene.name(primary)
        );
        return Some(scene.wait(scene.failover_time(), why, || {
            refuse(
                format!("the sentinels say that {} is primary, and its redis says it is a replica", scene.name(primary)),
                "someone has given it a primary by hand: run `redis-cli REPLICAOF NO ONE` there if its data is the newest, then apply again",
            )
        }));
    }
    let stray = survey.members().find(|member| {
        *member != primary
            && survey
                .redis(*member)
                .is_some_and(|redis| redis.follows.as_ref() != Some(address))
    });
    let stray = stray?;
    let act = Act::Follow { primary };
    if !scene.may_touch_roles() {
        return Some(scene.wait(30, "the sentinels to agree".to_owned(), || {
            refuse(
                format!(
                    "{} does not follow {}, and too few sentinels run to say that it should",
                    scene.name(stray),
                    scene.name(primary)
                ),
                "start the sentinels first",
            )
        }));
    }
    // Sentinels repair both by themselves: a primary that came back after eight seconds, a replica of another after the failover's time.
    let watched = survey
        .members()
        .any(|member| survey.watching(member).is_some());
    let patience = match survey.redis(stray) {
        _ if !watched => 0,
        Some(redis) if redis.primary => 25,
        _ => scene.spec.watch.failover_timeout.as_secs() + 10,
    };
    let why = format!("{} to follow {}", scene.name(stray), scene.name(primary));
    Some(scene.wait(patience, why, || one(stray, act)))
}

/// Settings that can be set at once, what is written down, and the connections.
pub(super) fn settings(scene: &Scene) -> Option<Decision> {
    let survey = &scene.survey;
    let (primary, _) = survey.leader()?;
    let address = &scene.spec.members[primary].address;
    let order = || {
        survey
            .members()
            .filter(|member| *member != primary)
            .chain([primary])
    };
    for member in order() {
        let node = survey.node(member)?;
        let redis = node.redis.up()?;
        let unknown = drift::unknown_to_redis(scene.spec, member, redis);
        if let Some(first) = unknown.first() {
            return Some(refuse(
                format!(
                    "redis {} on {} has no setting `{first}`",
                    node.version,
                    scene.name(member)
                ),
                "leave it out, or correct its name",
            ));
        }
        if !redis.masterauth {
            return Some(one(member, Act::SetMasterauth));
        }
        let (drifts, _) = drift::of_redis(scene.spec, member, scene.priority(member), redis);
        if !drifts.is_empty() {
            return Some(one(member, Act::SetRedis { drifts }));
        }
        let follows = (member != primary).then_some(address);
        if !node.redis_file.marked || node.redis_file.follows.as_ref() != follows {
            return Some(one(member, Act::KeepRedis));
        }
    }
    let late = order().find_map(|member| {
        let redis = survey.redis(member)?;
        (member != primary && !(redis.link && !redis.loading && !redis.syncing))
            .then_some((member, redis))
    });
    let (member, redis) = late?;
    let name = scene.name(member);
    let filling = redis.syncing || redis.loading;
    let limit = if filling { 900 } else { 60 };
    Some(scene.wait(limit, format!("{name} to catch up with {}", scene.name(primary)), || {
        let said = survey.node(member).map_or("", |node| &node.trouble);
        refuse(
            format!("the connection of {name} to its primary {} does not come up. {said}", scene.name(primary)),
            "see whether port 6379 is open between them, and what /var/log/redis/redis-server.log says on both; a synchronisation that starts again and again needs a larger `client-output-buffer-limit`",
        )
    }))
}

impl Scene<'_> {
    /// The priority that a member is to have: the one that is to take over goes before all others.
    pub(super) fn priority(&self, member: usize) -> u32 {
        match self.successor() {
            Some(Some(to)) if to == member => 1,
            _ => 100,
        }
    }
}
