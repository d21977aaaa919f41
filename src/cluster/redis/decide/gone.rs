//! A former member that the sentinels still take for the primary.

use super::{Decision, Scene, refuse};
use crate::cluster::redis::spec::Goal;

/// Nothing is forgotten before another member is primary: the sentinels would forget the replicas too, and then nobody could take over.
pub(super) fn stage(scene: &Scene) -> Option<Decision> {
    let Goal::Forget { addresses } = &scene.spec.goal else {
        return None;
    };
    let survey = &scene.survey;
    let watched = survey.members().find_map(|member| {
        let watch = survey.sentinel(member)?.watch.as_ref()?;
        let gone = addresses.contains(&watch.address);
        gone.then_some((member, &watch.address))
    });
    let (member, address) = watched?;
    let name = scene.name(member);
    let why = format!("the sentinels to replace the primary {address}");
    Some(scene.wait(scene.failover_time(), why, || {
        refuse(
            format!("sentinel on {name} still takes {address} for the primary"),
            "its data may be the only ones: bring it back, or see /var/log/redis/redis-sentinel.log for why no replica takes over; with `redis-cli -p 26379 SENTINEL FAILOVER` and the cluster's name on one of the others you decide for what they hold",
        )
    }))
}
