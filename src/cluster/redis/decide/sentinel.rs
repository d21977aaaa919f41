//! Sentinel on each member: running, of one mind, knowing exactly the members.

use super::{Decision, Scene, one, refuse};
use crate::cluster::redis::act::Act;
use crate::cluster::redis::drift;
use crate::cluster::redis::observation::{Peer, Watching};
use crate::cluster::redis::spec::Goal;
use crate::cluster::redis::survey::Voice;

/// Every sentinel runs and watches the primary under an id of its own.
pub(super) fn running(scene: &Scene) -> Option<Decision> {
    let survey = &scene.survey;
    let (primary, voice) = survey.leader()?;
    let leads = survey.redis(primary).is_some_and(|redis| redis.primary);
    for member in survey.members() {
        let node = survey.node(member)?;
        if survey.is_foreign_sentinel(member) {
            if !leads {
                let why = format!("{} to be primary", scene.name(primary));
                return Some(scene.wait(scene.failover_time(), why.clone(), || {
                    refuse(
                        format!("waited too long for {why}"),
                        "see /var/log/redis on that node",
                    )
                }));
            }
            return Some(scene.start(member, Act::WriteSentinel { watches: primary }));
        }
        if node.sentinel.is_down() {
            return Some(scene.start(member, Act::StartSentinel));
        }
    }
    if let Some(member) = double(scene) {
        return Some(one(member, Act::WriteSentinel { watches: primary }));
    }
    if let Some(member) = survey.members().find(|member| {
        survey
            .sentinel(*member)
            .is_some_and(|sentinel| sentinel.tilt)
    }) {
        let name = scene.name(member);
        return Some(scene.wait(60, format!("sentinel on {name} to trust its clock again"), || {
            refuse(
                format!("sentinel on {name} does not trust its clock (TILT)"),
                "mend the clock of that node, or its lack of processor time; sentinel recovers thirty seconds later",
            )
        }));
    }
    // One that watches another than all the rest misses what nobody else calls the primary.
    let unsettled = survey.members().any(|member| {
        survey.watching(member).is_some_and(|(watched, watch)| {
            watch.unsettled() && (watched == primary || voice != Voice::Majority)
        })
    });
    if unsettled {
        return Some(scene.wait(
            scene.failover_time(),
            "the sentinels to finish a change of the primary".to_owned(),
            || {
                refuse(
                    "the sentinels miss the primary and do not replace it",
                    "see `redis-cli -p 26379 SENTINEL MASTER` and /var/log/redis/redis-sentinel.log: no replica may be good enough, or port 26379 is closed between members",
                )
            },
        ));
    }
    let odd = survey.members().find(|member| {
        survey
            .watching(*member)
            .is_some_and(|(watched, _)| watched != primary)
    })?;
    Some(scene.wait(
        30,
        format!("sentinel on {} to follow the others", scene.name(odd)),
        || {
            if voice == Voice::Majority && leads {
                // It may read the same from its file again.
                return match scene.times(odd, &Act::RestartSentinel) {
                    0 => one(odd, Act::RestartSentinel),
                    _ => one(odd, Act::WriteSentinel { watches: primary }),
                };
            }
            refuse(
                "the sentinels do not agree who is primary",
                "see /var/log/redis/redis-sentinel.log on each member",
            )
        },
    ))
}

/// The later of two sentinels with one id.
fn double(scene: &Scene) -> Option<usize> {
    let survey = &scene.survey;
    let id = |member: usize| survey.sentinel(member).map(|sentinel| sentinel.id.as_str());
    survey.members().find(|member| {
        (0..*member).any(|earlier| id(earlier).is_some() && id(earlier) == id(*member))
    })
}

/// Who a sentinel knows beside the members, and whom it misses.
struct Company {
    missing: bool,
    gone: bool,
    stranger: Option<String>,
}

fn company(scene: &Scene, member: usize, primary: usize, watch: &Watching) -> Company {
    let survey = &scene.survey;
    let forgotten = |address: &str| match &scene.spec.goal {
        Goal::Forget { addresses } => addresses.iter().any(|gone| gone == address),
        _ => false,
    };
    let mut company = Company {
        missing: false,
        gone: false,
        stranger: None,
    };
    for other in survey.members() {
        let address = &scene.spec.members[other].address;
        let id = survey.sentinel(other).map(|sentinel| sentinel.id.as_str());
        let sentinel = |peer: &&Peer| {
            peer.address == *address && Some(peer.id.as_str()) == id && peer.port != 0
        };
        if other != member
            && !watch
                .sentinels
                .iter()
                .filter(sentinel)
                .any(|peer| !peer.down)
        {
            company.missing = true;
        }
        let replica = |peer: &&Peer| peer.address == *address;
        if other != primary && !watch.replicas.iter().filter(replica).any(|peer| !peer.down) {
            company.missing = true;
        }
        let stale = |peer: &&Peer| {
            peer.address == *address
                && (Some(peer.id.as_str()) != id || peer.port == 0 || other == member)
        };
        company.gone |= watch.sentinels.iter().any(|peer| stale(&peer));
    }
    for peer in watch.sentinels.iter().chain(&watch.replicas) {
        let loopback = peer.address.starts_with("127.") || peer.address == "::1";
        if scene.spec.at(&peer.address).is_some() {
            continue;
        }
        if loopback || peer.port == 0 || forgotten(&peer.address) {
            company.gone = true;
        } else {
            company.stranger = Some(peer.address.clone());
        }
    }
    // The primary's own entry as a replica is a leftover of a failover that goes by itself.
    company
}

/// Each sentinel knows all members, and nobody else.
pub(super) fn knowledge(scene: &Scene) -> Option<Decision> {
    let survey = &scene.survey;
    let (primary, voice) = survey.leader()?;
    if voice != Voice::Majority {
        return Some(scene.wait(30, "the sentinels to agree".to_owned(), || {
            refuse(
                "too few sentinels name a primary",
                "see /var/log/redis/redis-sentinel.log on each member",
            )
        }));
    }
    for member in survey.members() {
        let node = survey.node(member)?;
        let sentinel = node.sentinel.up()?;
        let (_, watch) = survey.watching(member)?;
        let drifts = drift::of_sentinel(scene.spec, watch);
        if !drifts.is_empty() || !watch.password {
            return Some(one(
                member,
                Act::SetSentinel {
                    drifts,
                    password: !watch.password,
                },
            ));
        }
        let file = &node.sentinel_file;
        if file.id != sentinel.id || file.watches.as_deref() != Some(&watch.address) {
            return Some(one(member, Act::KeepSentinel));
        }
    }
    let companies: Vec<Company> = survey
        .members()
        .filter_map(|member| Some(company(scene, member, primary, survey.watching(member)?.1)))
        .collect();
    let reset = |company: &&Company| company.missing;
    if let Some(member) = companies.iter().position(|company| reset(&company)) {
        let why = format!("sentinel on {} to find all members", scene.name(member));
        return Some(scene.wait(60, why, || {
            if companies[member].gone && scene.times(member, &Act::Reset) == 0 {
                return one(member, Act::Reset);
            }
            refuse(
                format!("sentinel on {} does not find all members", scene.name(member)),
                "see whether ports 6379 and 26379 are open between all members, and /var/log/redis/redis-sentinel.log there",
            )
        }));
    }
    if let Some(address) = companies
        .iter()
        .find_map(|company| company.stranger.as_ref())
    {
        return Some(refuse(
            format!("the sentinels know a member at {address} that is not in the group"),
            "put it into the group; or, when it is gone for good, say `hadeploy node forget NAME --address` with that address",
        ));
    }
    if let Some(member) = companies.iter().position(|company| company.gone) {
        let fresh = survey
            .members()
            .any(|member| scene.just_made(member, &Act::Reset));
        let pause = if fresh { 10 } else { 0 };
        let why = "the sentinels to settle after a reset".to_owned();
        return Some(scene.wait(pause, why, || one(member, Act::Reset)));
    }
    let poor = survey.members().find(|member| {
        survey
            .watching(*member)
            .is_some_and(|(_, watch)| !watch.quorum)
    })?;
    Some(scene.wait(
        30,
        format!("sentinel on {} to reach a quorum", scene.name(poor)),
        || {
            refuse(
                format!("sentinel on {} reaches no quorum", scene.name(poor)),
                "see whether port 26379 is open between all members",
            )
        },
    ))
}
