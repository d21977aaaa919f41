//! What an act leads to when all goes well: for a plan, which makes none.

use super::act::Act;
use super::drift::Drift;
use super::observation::{Access, Daemon, Peer, Redis, Sentinel, View, Watching};
use super::spec::Spec;

const RIGHT: Access = Access {
    transport: true,
    password: true,
};

/// Alters what was seen to what will be seen, when the act is done and everybody has noticed.
pub fn foresee(spec: &Spec, views: &mut [View], member: usize, act: &Act) {
    if let View::Known(node) = &mut views[member] {
        match act {
            Act::Install => {
                node.installed = true;
                node.folder = true;
                node.readable = true;
            }
            Act::OwnFolder => node.folder = true,
            Act::Prepare { follows } => {
                node.redis_file.marked = true;
                node.redis_file.follows =
                    follows.map(|primary| spec.members[primary].address.clone());
                node.redis = Daemon::Up(Box::new(started(
                    spec,
                    member,
                    node.redis_file.follows.clone(),
                )));
            }
            Act::StartRedis | Act::SetAside => {
                node.corrupt = false;
                node.redis = Daemon::Up(Box::new(started(
                    spec,
                    member,
                    node.redis_file.follows.clone(),
                )));
            }
            Act::WriteSentinel { watches } => {
                let file = &mut node.sentinel_file;
                file.id = format!("new-{member}-{}", file.id);
                file.watches = Some(spec.members[*watches].address.clone());
                file.announces = Some(spec.members[member].address.clone());
                file.marked = true;
                file.access = true;
                node.sentinel = Daemon::Up(Box::new(watching(
                    spec,
                    file.id.clone(),
                    file.watches.clone(),
                )));
            }
            Act::StartSentinel | Act::RestartSentinel => {
                let file = &node.sentinel_file;
                node.sentinel = Daemon::Up(Box::new(watching(
                    spec,
                    file.id.clone(),
                    file.watches.clone(),
                )));
            }
            Act::EditSentinel => {
                node.sentinel_file.access = true;
                let file = &node.sentinel_file;
                node.sentinel = Daemon::Up(Box::new(watching(
                    spec,
                    file.id.clone(),
                    file.watches.clone(),
                )));
            }
            Act::StopSentinel => node.sentinel = Daemon::Down,
            Act::Retire => {
                node.sentinel = Daemon::Down;
                node.redis = Daemon::Down;
            }
            Act::Switch => {
                if let Some(redis) = node.redis.up_mut() {
                    redis.access = RIGHT;
                    redis.masterauth = true;
                }
            }
            Act::Follow { primary } => {
                let address = spec.members[*primary].address.clone();
                node.redis_file.follows = Some(address.clone());
                if let Some(redis) = node.redis.up_mut() {
                    follow(redis, address);
                }
            }
            Act::SetRedis { drifts } | Act::EditRedis { drifts } => {
                if let Some(redis) = node.redis.up_mut() {
                    enter(&mut redis.settings, drifts);
                }
            }
            Act::SetMasterauth => {
                if let Some(redis) = node.redis.up_mut() {
                    redis.masterauth = true;
                }
            }
            Act::KeepRedis => {
                node.redis_file.marked = true;
                node.redis_file.follows = node.redis.up().and_then(|redis| redis.follows.clone());
            }
            Act::SetSentinel { drifts, .. } => {
                if let Some(watch) = node
                    .sentinel
                    .up_mut()
                    .and_then(|sentinel| sentinel.watch.as_mut())
                {
                    enter(&mut watch.settings, drifts);
                    watch.password = true;
                }
            }
            Act::KeepSentinel => {
                if let Some(sentinel) = node.sentinel.up() {
                    node.sentinel_file.id.clone_from(&sentinel.id);
                    node.sentinel_file.watches =
                        sentinel.watch.as_ref().map(|watch| watch.address.clone());
                }
            }
            Act::Reset => {
                if let Some(watch) = node
                    .sentinel
                    .up_mut()
                    .and_then(|sentinel| sentinel.watch.as_mut())
                {
                    watch.replicas.clear();
                    watch.sentinels.clear();
                }
            }
            Act::Failover { .. } => {}
        }
    }
    if let Act::Failover { to } = act {
        hand_over(spec, views, *to);
    }
    notice(spec, views);
}

fn enter(settings: &mut std::collections::BTreeMap<String, String>, drifts: &[Drift]) {
    for drift in drifts {
        settings.insert(drift.name.clone(), drift.after.clone());
    }
}

fn started(spec: &Spec, member: usize, follows: Option<String>) -> Redis {
    let mut redis = Redis {
        access: RIGHT,
        masterauth: true,
        primary: true,
        settings: spec.wanted(member),
        ..Redis::default()
    };
    if let Some(address) = follows {
        follow(&mut redis, address);
    }
    redis
}

fn follow(redis: &mut Redis, address: String) {
    redis.primary = false;
    redis.follows = Some(address);
    redis.link = true;
    redis.syncing = false;
    redis.loading = false;
}

fn watching(spec: &Spec, id: String, watches: Option<String>) -> Sentinel {
    let settings = [
        ("quorum", spec.watch.quorum.to_string()),
        (
            "down-after-milliseconds",
            spec.watch.down_after.as_millis().to_string(),
        ),
        (
            "failover-timeout",
            spec.watch.failover_timeout.as_millis().to_string(),
        ),
    ];
    Sentinel {
        access: RIGHT,
        id,
        tilt: false,
        watch: watches.map(|address| Watching {
            address,
            flags: vec!["master".to_owned()],
            settings: settings
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            password: true,
            quorum: true,
            ..Watching::default()
        }),
    }
}

fn hand_over(spec: &Spec, views: &mut [View], to: usize) {
    let Some(address) = spec.members.get(to).map(|member| &member.address) else {
        return;
    };
    for (member, view) in views.iter_mut().enumerate() {
        let View::Known(node) = view else { continue };
        if let Some(redis) = node.redis.up_mut() {
            if member == to {
                redis.primary = true;
                redis.follows = None;
            } else {
                follow(redis, address.clone());
            }
            node.redis_file.follows.clone_from(&redis.follows);
        }
        if let Some(watch) = node
            .sentinel
            .up_mut()
            .and_then(|sentinel| sentinel.watch.as_mut())
        {
            watch.address.clone_from(address);
            watch.epoch += 1;
            node.sentinel_file.watches = Some(address.clone());
        }
    }
}

/// What others see of a member: its address, the id of its sentinel, whom its redis follows with what priority.
type Seen = (String, Option<String>, Option<(String, u32)>);

/// Sentinels have found each other and the replicas, connections are there.
fn notice(spec: &Spec, views: &mut [View]) {
    let up: Vec<Seen> = views
        .iter()
        .enumerate()
        .map(|(member, view)| {
            let node = view.node();
            let id = node.and_then(|node| Some(node.sentinel.up()?.id.clone()));
            let follows = node.and_then(|node| {
                let redis = node.redis.up()?;
                let priority = redis
                    .settings
                    .get("replica-priority")
                    .and_then(|text| text.parse().ok());
                Some((redis.follows.clone()?, priority.unwrap_or(100)))
            });
            (spec.members[member].address.clone(), id, follows)
        })
        .collect();
    for (member, view) in views.iter_mut().enumerate() {
        let View::Known(node) = view else { continue };
        let Some(watch) = node
            .sentinel
            .up_mut()
            .and_then(|sentinel| sentinel.watch.as_mut())
        else {
            continue;
        };
        for (other, (address, id, follows)) in up.iter().enumerate() {
            if let Some(id) = id.as_ref().filter(|_| other != member)
                && !watch
                    .sentinels
                    .iter()
                    .any(|peer| peer.address == *address && peer.id == *id && !peer.down)
            {
                watch.sentinels.push(Peer {
                    address: address.clone(),
                    port: 26379,
                    id: id.clone(),
                    ..Peer::default()
                });
            }
            if let Some((_, priority)) = follows
                .as_ref()
                .filter(|(primary, _)| *primary == watch.address)
            {
                watch.replicas.retain(|peer| peer.address != *address);
                watch.replicas.push(Peer {
                    address: address.clone(),
                    port: 6379,
                    priority: *priority,
                    ..Peer::default()
                });
            }
        }
        let heard = watch
            .sentinels
            .iter()
            .filter(|peer| !peer.down && peer.port != 0)
            .count()
            + 1;
        watch.quorum = heard >= spec.watch.quorum && heard > watch.sentinels.len().div_ceil(2);
        if up
            .iter()
            .any(|(address, _, follows)| *address == watch.address && follows.is_none())
        {
            watch.flags = vec!["master".to_owned()];
        }
    }
}
