//! What each act does to the played cluster, and what must be so before it: the laws.

use hadeploy::cluster::postgres::{Act, Node};

use super::world::{Data, World};

fn slot(id: u32) -> String {
    format!("repmgr_slot_{id}")
}

/// Does it. Panics when it breaks a law.
pub fn act(world: &mut World, member: usize, act: &Act) -> bool {
    let name = world.spec.name(member).to_owned();
    let host = &world.hosts[member];
    assert!(
        host.up && !host.hidden,
        "{act:?} on {name}, which is not there"
    );
    let before = world.primaries().len();
    let done = perform(world, member, act);
    let after = world.primaries().len();
    assert!(
        after <= before.max(1),
        "{act:?} on {name} makes {after} primaries"
    );
    done
}

fn all_known(world: &World, what: &Act) {
    let gone = match &world.spec.goal {
        hadeploy::cluster::postgres::Goal::Forget(lost) => world.spec.member(&lost.name),
        _ => None,
    };
    for member in 0..world.data() {
        let host = &world.hosts[member];
        assert!(
            host.up && !host.hidden || gone == Some(member),
            "{what:?} while {} is unknown",
            world.spec.name(member)
        );
    }
}

fn perform(world: &mut World, member: usize, act: &Act) -> bool {
    let id = world.ids[member];
    let witness = world.spec.is_witness(member);
    match act {
        Act::Prepare => {
            let version = world.version;
            let host = &mut world.hosts[member];
            host.packages = true;
            host.files = version;
        }
        Act::WriteFiles { .. } => {
            let (version, settings) = (world.version, world.settings);
            let host = &mut world.hosts[member];
            host.files = version;
            host.file = settings;
            host.repmgrd.stale = false;
        }
        Act::ResetSettings { .. } | Act::Checkpoint => {}
        Act::CreateCluster => {
            if !witness {
                all_known(world, act);
                for other in &world.hosts[..world.data()] {
                    assert!(other.data.is_none(), "initdb beside data");
                }
            }
            let settings = world.settings;
            let version = world.version;
            let host = &mut world.hosts[member];
            assert!(host.data.is_none(), "initdb over data");
            host.data = Some(Data {
                sysid: 7 + member as u64,
                tli: 1,
                log: Vec::new(),
                ..Data::default()
            });
            host.configured = true;
            host.files = version;
            host.running = true;
            host.file = settings;
            host.force = settings;
        }
        Act::EnsureRoles => {
            assert!(world.hosts[member].running);
            let host = &mut world.hosts[member];
            host.accounts = true;
            host.nodes.get_or_insert_default();
        }
        Act::RegisterPrimary => {
            assert!(world.hosts[member].primary());
            register(world, member, member, "primary");
        }
        Act::RegisterStandby { upstream } => {
            if !world.hosts[*upstream].primary() {
                return false;
            }
            register(world, member, *upstream, "standby");
        }
        Act::RegisterWitness { primary } => {
            if !world.hosts[*primary].primary() || world.hosts[*primary].cut {
                return false;
            }
            register(world, member, *primary, "witness");
            let rows = world.hosts[*primary].nodes.clone();
            world.hosts[member].nodes = rows;
        }
        Act::Clone { from } => {
            let source = &world.hosts[*from];
            let host = &world.hosts[member];
            assert!(host.data.is_none(), "clone over data");
            if !source.primary() || source.cut || host.cut {
                return false;
            }
            let mut data = source.data.clone().unwrap_or_default();
            data.standby = true;
            data.clean = true;
            data.upstream = Some(*from);
            data.counter = source.force.0;
            let slots = &mut world.hosts[*from].slots;
            slots.retain(|found| found.name != slot(id));
            slots.push(hadeploy::cluster::postgres::Slot {
                name: slot(id),
                wal_status: "reserved".into(),
                ..Default::default()
            });
            let (version, settings) = (world.version, world.settings);
            let host = &mut world.hosts[member];
            host.data = Some(data);
            host.configured = true;
            host.files = version;
            host.file = settings;
            host.fenced = false;
            host.needs_rejoin = false;
            host.paused_replay = false;
            host.slots.clear();
        }
        Act::Start => {
            let data = world.hosts[member].data.as_ref().expect("data");
            assert!(data.standby, "a primary is started as standby");
            return world.start(member);
        }
        Act::StartPrimary => {
            all_known(world, act);
            let data = world.hosts[member].data.clone().expect("data");
            assert!(!data.standby && world.primaries().is_empty());
            latest(world, member, act);
            let host = &mut world.hosts[member];
            host.force = host.file;
            host.running = true;
            host.accounts = true;
        }
        Act::StartRepmgrd => {
            let host = &mut world.hosts[member];
            host.repmgrd.running = true;
            host.repmgrd.enabled = true;
        }
        Act::Pause => world.hosts[member].repmgrd.paused = true,
        Act::Unpause => world.hosts[member].repmgrd.paused = false,
        Act::Rejoin { to } => {
            all_known(world, act);
            let source = world.hosts[*to].clone();
            assert!(source.primary() && !world.hosts[member].running);
            if source.cut || world.hosts[member].cut {
                return false;
            }
            let data = source.data.expect("data");
            let host = &mut world.hosts[member];
            let old = host.data.clone().expect("data");
            assert_eq!(old.sysid, data.sysid);
            assert!(old.tli < data.tli, "two ways on one time line have no fork");
            // The evidence is kept.
            host.aside.push(old);
            host.data = Some(Data {
                standby: true,
                upstream: Some(*to),
                counter: source.force.0,
                ..data
            });
            host.fenced = false;
            host.needs_rejoin = false;
            host.slots.clear();
            host.paused_replay = false;
            world.follow(member, *to);
            return world.start(member);
        }
        Act::SetAside => {
            if !witness {
                all_known(world, act);
                let others =
                    (0..world.data()).any(|other| other != member && world.hosts[other].primary());
                assert!(others, "the only copy is set aside");
            }
            world.stop(member, true);
            let host = &mut world.hosts[member];
            assert!(
                host.data
                    .as_ref()
                    .is_none_or(|data| data.standby || !host.running)
            );
            host.aside.extend(host.data.take());
            host.repmgrd.paused = false;
            host.fenced = false;
            host.needs_rejoin = false;
            host.slots.clear();
            host.nodes = None;
        }
        Act::DropSlot { name } => world.hosts[member].slots.retain(|slot| slot.name != *name),
        Act::Follow { to } => {
            assert!(world.hosts[member].standby() && world.hosts[*to].primary());
            world.follow(member, *to);
        }
        Act::Promote => {
            all_known(world, act);
            assert!(world.hosts[member].standby() && world.primaries().is_empty());
            latest(world, member, act);
            world.promote(member);
        }
        Act::MakeReady => {
            for other in 0..world.data() {
                let name = slot(world.ids[other]);
                let slots = &mut world.hosts[member].slots;
                if other != member && slots.iter().all(|slot| slot.name != name) {
                    slots.push(hadeploy::cluster::postgres::Slot {
                        name,
                        wal_status: "reserved".into(),
                        ..Default::default()
                    });
                }
            }
        }
        // Nobody looked before it: what must be so, it sees to itself.
        Act::TakeOver => {
            let host = &world.hosts[member];
            let place = host.data.as_ref().map(|data| (data.tli, data.place()));
            let complete = host.standby() && place >= world.stopped && !host.paused_replay;
            if !complete || !world.primaries().is_empty() {
                return false;
            }
            latest(world, member, act);
            let rows = world.hosts[member].nodes.clone();
            world.promote(member);
            // repmgr's table is brought up to date later.
            world.hosts[member].nodes = rows;
        }
        Act::Turn { to } => {
            let host = &mut world.hosts[member];
            if !host.standby() {
                return false;
            }
            if let Some(data) = &mut host.data {
                data.upstream = Some(*to);
            }
        }
        Act::Fence => {
            assert!(world.primaries().len() > 1, "the only primary is fenced");
            world.stop(member, true);
            world.hosts[member].fenced = true;
        }
        Act::ResumeReplay => world.hosts[member].paused_replay = false,
        Act::RestartStandby => {
            assert!(world.hosts[member].standby());
            world.stop(member, true);
            world.hosts[member].paused_replay = false;
            if !world.start(member) {
                return false;
            }
        }
        Act::RestartWitness => {
            assert!(witness);
            world.stop(member, true);
            return world.start(member);
        }
        Act::RestartPrimary => {
            if world.hosts[member]
                .data
                .as_ref()
                .is_none_or(|data| data.standby)
            {
                return false;
            }
            world.stop(member, true);
            let host = &mut world.hosts[member];
            host.force = host.file;
            host.running = true;
        }
        Act::StopPrimary => {
            if !world.hosts[member].primary() {
                return false;
            }
            let judges = world.hosts.iter().any(|host| {
                host.up && host.running && host.repmgrd.running && !host.repmgrd.paused
            });
            assert!(!judges, "stopped while repmgrd judges");
            world.stop(member, true);
            let data = world.hosts[member].data.as_ref();
            world.stopped = data.map(|data| (data.tli, data.place()));
        }
        Act::PausePooler => world.hosts[member].pooler_paused = true,
        Act::ResumePooler => world.hosts[member].pooler_paused = false,
        Act::Retire => {
            assert!(!world.hosts[member].primary(), "a primary is retired");
            world.stop(member, true);
            let host = &mut world.hosts[member];
            host.repmgrd.running = false;
            host.repmgrd.enabled = false;
        }
        Act::Unregister { name, .. } => {
            if let Some(rows) = &mut world.hosts[member].nodes {
                let gone = rows.iter().find(|row| row.name == *name).map(|row| row.id);
                if gone.is_some() && rows.iter().any(|row| row.upstream == gone) {
                    // repmgr keeps a row that others hang on.
                    return false;
                }
                rows.retain(|row| row.name != *name);
            }
        }
    }
    true
}

/// Where commits wait for a standby, what becomes the primary holds every commit that was acknowledged.
fn latest(world: &World, member: usize, act: &Act) {
    if world.spec.quorum() == 0 || world.sinned {
        return;
    }
    let log = &world.hosts[member].data.as_ref().expect("data").log;
    for commit in &world.acknowledged {
        assert!(log.contains(commit), "{act:?} loses commit {commit}");
    }
}

fn register(world: &mut World, member: usize, upstream: usize, kind: &str) {
    let row = Node {
        id: world.ids[member],
        name: world.spec.name(member).to_owned(),
        kind: kind.into(),
        upstream: (member != upstream).then(|| world.ids[upstream]),
        active: true,
        slot: match kind {
            "standby" => slot(world.ids[member]),
            _ => String::new(),
        },
        ..Node::default()
    };
    let rows = world.hosts[upstream].nodes.get_or_insert_default();
    rows.retain(|old| old.id != row.id && old.name != row.name);
    rows.push(row);
}
