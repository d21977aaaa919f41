//! What holds for every observation, however strange.

use std::collections::BTreeMap;
use std::time::Duration;

use super::chance::Chance;
use super::{healthy, spec};
use crate::cluster::Made;
use crate::cluster::redis::act::Act;
use crate::cluster::redis::decide::{Decision, decide};
use crate::cluster::redis::foresee::foresee;
use crate::cluster::redis::observation::{Daemon, Peer, View};
use crate::cluster::redis::spec::{Goal, Spec};
use crate::cluster::redis::survey::{Survey, Voice};

/// Something about a member becomes otherwise.
fn disturb(chance: &mut Chance, spec: &Spec, views: &mut [View]) {
    let count = views.len();
    let member = chance.below(count);
    let other = spec.members[chance.below(count)].address.clone();
    let wipe = chance.once_in(2);
    let View::Known(node) = &mut views[member] else {
        return;
    };
    match chance.below(30) {
        0 => views[member] = View::Unknown("no route to host".to_owned()),
        1 => node.redis = Daemon::Down,
        2 => node.sentinel = Daemon::Down,
        3 => node.redis = if wipe { Daemon::Hung } else { Daemon::Locked },
        4 => node.sentinel = if wipe { Daemon::Hung } else { Daemon::Locked },
        5 => {
            **node = Default::default();
            node.readable = true;
            node.kept = wipe;
        }
        6 => node.folder = false,
        7 => node.readable = false,
        8 => node.redis_file.marked = false,
        9 => node.redis_file.follows = wipe.then_some(other),
        10 => node.sentinel_file.watches = Some(if wipe { other } else { "127.0.0.1".to_owned() }),
        11 => node.sentinel_file.announces = Some(other),
        12 => node.sentinel_file.access = false,
        13 => node.corrupt = true,
        14..=22 => {
            let Some(redis) = node.redis.up_mut() else {
                return;
            };
            match chance.below(9) {
                0 => redis.access.password = false,
                1 => redis.access.transport = false,
                2 => redis.masterauth = false,
                3 => {
                    redis.primary = true;
                    redis.follows = None;
                }
                4 => {
                    redis.primary = false;
                    redis.follows = Some(other);
                }
                5 => redis.link = false,
                6 => redis.loading = true,
                7 => redis.keys = chance.number() % 3,
                _ if wipe => {
                    redis
                        .settings
                        .insert("databases".to_owned(), "8".to_owned());
                }
                _ => {
                    redis
                        .settings
                        .insert("maxmemory".to_owned(), "1".to_owned());
                }
            }
        }
        _ => {
            let Some(sentinel) = node.sentinel.up_mut() else {
                return;
            };
            let id = sentinel.id.clone();
            let Some(watch) = &mut sentinel.watch else {
                return;
            };
            match chance.below(10) {
                0 => watch.address = if wipe { other } else { "127.0.0.1".to_owned() },
                1 => watch.flags.push("s_down".to_owned()),
                2 => watch.flags.push("failover_in_progress".to_owned()),
                3 => watch.sentinels.push(Peer {
                    address: other,
                    id: format!("{id}x"),
                    port: 26379,
                    ..Peer::default()
                }),
                4 => watch.replicas.push(Peer {
                    address: "10.9.9.9".to_owned(),
                    port: 6379,
                    down: wipe,
                    ..Peer::default()
                }),
                5 => watch.replicas.clear(),
                6 => watch.quorum = false,
                7 => watch.epoch += chance.number() % 3,
                8 => watch.password = false,
                _ => sentinel.tilt = true,
            }
        }
    }
}

fn observation(seed: u64) -> (Spec, Vec<View>, Duration, Vec<Made>) {
    let mut chance = Chance::new(seed);
    let mut spec = spec(1 + chance.below(5));
    if chance.once_in(5) {
        spec.settings
            .insert("databases".to_owned(), "32".to_owned());
    }
    let mut views = healthy(&spec);
    spec.goal = match chance.below(8) {
        0 => Goal::Failover {
            to: Some(chance.below(views.len())),
        },
        1 => Goal::Failover { to: None },
        2 => Goal::Forget {
            addresses: vec!["10.9.9.9".to_owned()],
        },
        3 => Goal::Leave {
            member: chance.below(views.len()),
        },
        _ => Goal::Converge,
    };
    for _ in 0..chance.below(7) {
        disturb(&mut chance, &spec, &mut views);
    }
    let waited = Duration::from_secs([0, 5, 40, 100, 2000][chance.below(5)]);
    let made = if chance.once_in(3) {
        let member = chance.below(views.len());
        let title = [Act::StartRedis, Act::StartSentinel, Act::Reset][chance.below(3)].title(&spec);
        vec![Made { member, title }]
    } else {
        Vec::new()
    };
    (spec, views, waited, made)
}

/// What is wrong with a decision, if anything.
fn fault(spec: &Spec, views: &[View], decision: &Decision) -> Option<String> {
    let survey = Survey::new(spec, views);
    let blind = survey
        .members()
        .any(|member| survey.blind(member).is_some());
    let acts = match decision {
        Decision::Act(acts) => acts,
        Decision::Refuse(refusal) => {
            return (refusal.why.is_empty() || refusal.help.is_empty())
                .then(|| "a refusal without words".to_owned());
        }
        Decision::Settled if blind => return Some("settled, and not all was seen".to_owned()),
        Decision::Settled | Decision::Wait { .. } => return None,
    };
    let together = |act: &Act| {
        matches!(
            act,
            Act::Install
                | Act::OwnFolder
                | Act::Prepare { follows: Some(_) }
                | Act::StopSentinel
                | Act::Switch
                | Act::EditSentinel
        )
    };
    let mut members: Vec<usize> = acts.iter().map(|(member, _)| *member).collect();
    members.dedup();
    if members.len() != acts.len() || acts.is_empty() {
        return Some("two moves on one member, or none".to_owned());
    }
    if acts.len() > 1 && !acts.iter().all(|(_, act)| together(act)) {
        return Some("two changes at once".to_owned());
    }
    let leader = survey.leader();
    let leads =
        leader.is_some_and(|(member, _)| survey.redis(member).is_some_and(|redis| redis.primary));
    let strong = leader.is_some_and(|(_, voice)| voice == Voice::Majority);
    let watched = survey
        .members()
        .any(|member| survey.watching(member).is_some());
    let unsettled = survey.members().any(|member| {
        survey
            .watching(member)
            .is_some_and(|(_, watch)| watch.unsettled())
    });
    acts.iter().find_map(|(member, act)| {
        let own = leader.is_some_and(|(primary, _)| primary == *member);
        let wrong = match act {
            Act::StartRedis if blind => own || !leads,
            Act::StartSentinel => false,
            _ if blind => true,
            Act::Prepare { follows: None } => {
                !survey.is_bare(*member) || !survey.members().all(|member| survey.is_bare(member))
            }
            Act::Prepare {
                follows: Some(primary),
            } => {
                !survey.is_bare(*member)
                    || !leads
                    || own
                    || leader.map(|(member, _)| member) != Some(*primary)
            }
            Act::Follow { primary } => {
                own || !leads
                    || leader.map(|(member, _)| member) != Some(*primary)
                    || (watched && !strong)
            }
            Act::Reset | Act::Failover { .. } => !strong || !leads || unsettled,
            Act::RestartSentinel => !strong || !leads,
            Act::EditRedis { .. } => {
                !strong || !leads || (own && spec.members.len() > 1) || unsettled
            }
            Act::SetAside => !strong || !leads || own,
            Act::WriteSentinel { watches } => {
                !survey.redis(*watches).is_some_and(|redis| redis.primary)
            }
            Act::EditSentinel => {
                survey.sentinel(*member).is_some()
                    && watched
                    && !strong
                    && leader.is_none_or(|(_, voice)| voice != Voice::Roles)
            }
            _ => false,
        };
        wrong.then(|| format!("{act:?} on {member}"))
    })
}

fn hold(seeds: std::ops::Range<u64>) {
    let mut seen = BTreeMap::new();
    for seed in seeds {
        let (spec, views, waited, made) = observation(seed);
        let decision = decide(&spec, &views, waited, &made);
        if let Some(fault) = fault(&spec, &views, &decision) {
            panic!("seed {seed}: {fault}\n{decision:?}\n{spec:?}\n{views:#?}");
        }
        let word = format!("{decision:?}");
        let word = match &decision {
            Decision::Act(acts) => format!("{:?}", acts[0].1),
            _ => word,
        };
        let word = word.split([' ', '(']).next().unwrap_or_default().to_owned();
        *seen.entry(word).or_insert(0) += 1;
    }
    // Every act and every other end was among them.
    let rare: Vec<_> = seen.iter().filter(|(_, times)| **times < 20).collect();
    assert!(seen.len() == 20 + 3 && rare.is_empty(), "{seen:?}");
}

#[test]
fn laws_hold_for_a_hundred_thousand_observations() {
    hold(0..100_000);
}

#[test]
#[ignore = "takes a minute"]
fn laws_hold_for_two_million_observations() {
    hold(100_000..2_100_000);
}

#[test]
fn a_healthy_cluster_is_left_alone() {
    for members in 1..=5 {
        let spec = spec(members);
        let views = healthy(&spec);
        assert_eq!(
            decide(&spec, &views, Duration::ZERO, &[]),
            Decision::Settled
        );
    }
}

#[test]
fn what_is_foreseen_comes_to_rest() {
    for seed in 0..3_000 {
        let (spec, mut views, ..) = observation(seed);
        let mut made = Vec::new();
        for round in 0.. {
            let patience = Duration::from_secs(3000);
            let Decision::Act(acts) = decide(&spec, &views, patience, &made) else {
                break;
            };
            assert!(round < 100, "seed {seed}: no end: {made:?}");
            for (member, act) in acts {
                made.push(Made {
                    member,
                    title: act.title(&spec),
                });
                foresee(&spec, &mut views, member, &act);
            }
        }
    }
}

#[test]
fn a_setting_that_needs_a_restart_takes_the_primary_last_and_after_a_failover() {
    let mut spec = spec(3);
    let mut views = healthy(&spec);
    for view in &mut views {
        let View::Known(node) = view else {
            unreachable!()
        };
        let redis = node.redis.up_mut().expect("runs");
        redis
            .settings
            .insert("databases".to_owned(), "16".to_owned());
    }
    spec.settings
        .insert("databases".to_owned(), "32".to_owned());
    let mut titles = Vec::new();
    while let Decision::Act(acts) = decide(&spec, &views, Duration::ZERO, &[]) {
        for (member, act) in acts {
            titles.push(format!("{}: {}", spec.name_of(member), act.title(&spec)));
            foresee(&spec, &mut views, member, &act);
        }
        assert!(titles.len() < 20, "{titles:?}");
    }
    assert_eq!(
        titles,
        [
            "n2: set databases and restart redis",
            "n3: set databases and restart redis",
            "n1: hand over to n3",
            "n1: set databases and restart redis",
        ]
    );
}
