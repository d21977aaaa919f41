//! Arbitrary observations, possible or not: whatever members say, nothing is chosen that could destroy what only one of them holds.

use std::time::Duration;

use hadeploy::cluster::postgres::{
    Act, Controldata, Decision, Goal, Look, Node, Observation, Online, Pooler, Receiver, Seen,
    Setting, Site, Slot, Wanted, decide, foreseen,
};
use hadeploy::cluster::{Lost, Made};

use super::play::lawful;
use super::world::{Dice, World, spec};

fn observation(dice: &mut Dice, world: &World, member: usize) -> Seen {
    if dice.one_in(6) {
        return Seen::Unknown("no answer".into());
    }
    let sysid = if dice.one_in(12) { 8 } else { 7 };
    let tli = 1 + dice.below(3) as u32;
    let place = 10_000 * (1 + dice.below(4));
    let data = !dice.one_in(4);
    let standby = !dice.one_in(3);
    let server = data && !dice.one_in(3);
    let control = (data && !dice.one_in(10)).then(|| Controldata {
        state: ["shut down", "shut down in recovery", "in production"][dice.pick(3)].into(),
        sysid,
        tli,
        checkpoint: place,
        ..Controldata::default()
    });
    let mut rows = Vec::new();
    for other in 0..world.hosts.len() {
        if dice.one_in(4) {
            continue;
        }
        rows.push(Node {
            id: 1 + other as u32,
            name: world.spec.name(other).to_owned(),
            kind: ["primary", "standby", "witness"][dice.pick(3)].into(),
            upstream: (!dice.one_in(3)).then(|| 1 + dice.below(3) as u32),
            active: !dice.one_in(4),
            slot: format!("repmgr_slot_{}", other + 1),
            ..Node::default()
        });
    }
    if dice.one_in(8) {
        rows.push(Node {
            id: 9,
            name: "stranger".into(),
            ..Node::default()
        });
    }
    let online = (server && !dice.one_in(8)).then(|| Online {
        recovery: standby,
        sysid,
        tli,
        receive: place + 1,
        paused: dice.one_in(8),
        pending_restart: match dice.one_in(6) {
            true => vec!["shared_buffers".into()],
            false => Vec::new(),
        },
        config_errors: match dice.one_in(20) {
            true => vec!["line 3: no".into()],
            false => Vec::new(),
        },
        auto: match dice.one_in(12) {
            true => vec!["shared_buffers".into(), "primary_conninfo".into()],
            false => Vec::new(),
        },
        settings: [(
            "max_connections".to_owned(),
            Setting {
                raw: (99 + dice.below(3)).to_string(),
                ..Setting::default()
            },
        )]
        .into(),
        receiver: (standby && !dice.one_in(3)).then(|| Receiver {
            status: ["streaming", "waiting"][dice.pick(2)].into(),
            sender_host: format!("10.0.0.{}", 1 + dice.below(4)),
            ..Receiver::default()
        }),
        slots: (0..dice.below(4))
            .map(|id| Slot {
                name: format!("repmgr_slot_{}", id + 1 + dice.below(2) * 7),
                active: dice.one_in(2),
                wal_status: ["reserved", "lost"][dice.pick(2)].into(),
                ..Slot::default()
            })
            .collect(),
        nodes: (!dice.one_in(8)).then_some(rows),
        ..Online::default()
    });
    let whole = world.observe_files(member, !dice.one_in(6));
    Seen::Known(Box::new(Observation {
        release: if dice.one_in(50) { 17 } else { 15 },
        packages: match dice.one_in(10) {
            true => Default::default(),
            false => whole.packages,
        },
        configured: data || dice.one_in(3),
        data,
        remains: !data && dice.one_in(4),
        control,
        standby_signal: standby && data,
        process: server,
        online,
        repmgrd: hadeploy::cluster::postgres::Repmgrd {
            running: !dice.one_in(3),
            paused: dice.one_in(4),
            stale: dice.one_in(8),
            enabled: !dice.one_in(8),
            unseen: dice.one_in(2).then(|| dice.pick(200) as u64),
        },
        disk_free: if dice.one_in(10) { 5 } else { 50 },
        disk_size: 100,
        files: whole.files,
        needs_rejoin: dice.one_in(10).then(String::new),
        fenced: dice.one_in(10),
        pooler: (!dice.one_in(3)).then(|| Pooler {
            paused: dice.one_in(3),
        }),
        ..Observation::default()
    }))
}

/// One arbitrary look, and what must hold of what is chosen.
fn look(seed: u64) {
    let mut dice = Dice::new(seed);
    let (data, witness) = [(3, false), (2, true), (2, false), (4, false), (1, false)][dice.pick(5)];
    let mut spec = spec(data, witness);
    let count = spec.members.len();
    let names = ["pg1", "pg2", "pg3", "stranger"];
    let mut name = || names[dice.pick(4)].to_owned();
    let goals = [
        Goal::Converge,
        Goal::Repair,
        Goal::Switchover { to: None },
        Goal::Switchover { to: Some(name()) },
        Goal::Rejoin { name: name() },
        Goal::Forget(Lost {
            name: name(),
            replaced: true,
            ..Lost::default()
        }),
        Goal::Forget(Lost {
            name: name(),
            ..Lost::default()
        }),
        Goal::Leave { name: name() },
    ];
    spec.goal = goals[dice.pick(8)].clone();
    let world = World::bare(spec);
    let seen: Vec<Seen> = (0..count)
        .map(|member| observation(&mut dice, &world, member))
        .collect();
    let mut wanted: Vec<Wanted> = world.wanted();
    for wanted in &mut wanted {
        wanted.accounts = !dice.one_in(6);
    }
    let site = Site::new(&world.spec, &seen);
    let mut ids = site.ids.clone();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "numbers are not unique");
    let made: Vec<Made> = match dice.one_in(3) {
        true => [
            Act::StopPrimary,
            Act::Promote,
            Act::Checkpoint,
            Act::StartPrimary,
        ]
        .iter()
        .map(|act| Made {
            member: dice.pick(count),
            title: act.title(&world.spec),
        })
        .collect(),
        false => Vec::new(),
    };
    let look = Look {
        site: &site,
        wanted: &wanted,
        seen: &seen,
        waited: Duration::from_secs(dice.below(2000)),
        made: &made,
        broken: dice.one_in(8),
    };
    let decision = decide(&look);
    assert_eq!(decision, decide(&look), "the same look, another choice");
    match decision {
        Decision::Refuse(refusal) => {
            assert!(
                !refusal.why.is_empty() && !refusal.help.is_empty(),
                "{refusal:?}"
            );
        }
        Decision::Wait { why, pause } => assert!(!why.is_empty() && !pause.is_zero()),
        // Behind a chain that broke, the run ends without a word on the rest.
        Decision::Settled if look.broken => {}
        Decision::Settled => settled(&look),
        Decision::Act(acts) => {
            assert!(!acts.is_empty());
            lawful(&world, &acts);
            for (member, act) in &acts {
                sound(&look, &world, *member, act);
            }
        }
        Decision::Chain(stages) => {
            assert!(!look.broken, "a chain behind one that broke");
            for acts in &stages {
                assert!(!acts.is_empty());
                lawful(&world, acts);
            }
            chained(&look, &world, &stages);
        }
    }
    // A plan ends, and does not invent what a run refuses.
    let _ = foreseen(&site, wanted.clone(), seen.clone());
}

/// What must be so of a chain: all of it rests on one look, and clients are let go at its end.
fn chained(look: &Look, world: &World, stages: &[Vec<(usize, Act)>]) {
    let acts: Vec<&(usize, Act)> = stages.iter().flatten().collect();
    let place = |what: &dyn Fn(&Act) -> bool| acts.iter().position(|(_, act)| what(act));
    for (member, act) in &acts {
        sound(look, world, *member, act);
    }
    let stop = place(&|act| *act == Act::StopPrimary);
    let take = place(&|act| *act == Act::TakeOver);
    assert_eq!(stop.is_some(), take.is_some(), "{stages:?}");
    assert!(stop <= take, "{stages:?}");
    let count = |what: Act| acts.iter().filter(|(_, act)| *act == what).count();
    let poolers = look.poolers(true).len() + look.poolers(false).len();
    assert_eq!(count(Act::ResumePooler), poolers, "{stages:?}");
    assert_eq!(count(Act::PausePooler), look.poolers(false).len());
    assert!(count(Act::TakeOver) <= 1);
}

/// What must be so of what was seen before an act is chosen.
fn sound(look: &Look, world: &World, member: usize, act: &Act) {
    let data = world.data();
    let spec = look.site.spec;
    let witness = spec.is_witness(member);
    let gone = match &spec.goal {
        // One that still answers is brought to leave first.
        Goal::Forget(lost) => spec
            .member(&lost.name)
            .filter(|gone| lost.replaced || look.known(*gone).is_none()),
        _ => None,
    };
    let seen = look
        .known(member)
        .expect("an act on a member of which nothing is known");
    assert_ne!(Some(member), gone, "{act:?} on what is lost");
    let others = |test: &dyn Fn(&Observation) -> bool| {
        (0..data)
            .filter(|other| *other != member && Some(*other) != gone)
            .filter_map(|other| look.known(other))
            .any(test)
    };
    let primary = |seen: &Observation| seen.online.as_ref().is_some_and(|online| !online.recovery);
    let known = (0..data).all(|other| Some(other) == gone || look.known(other).is_some());
    match act {
        Act::Promote => {
            assert!(
                known && !others(&primary),
                "promoted beside the unknown or a primary"
            );
            let online = seen.online.as_ref().expect("it runs");
            assert!(online.recovery && !online.paused);
            assert!(
                !others(&|other| other.online.as_ref().is_some_and(|other| {
                    other.recovery && (other.tli, other.receive) > (online.tli, online.receive)
                })),
                "another one holds more"
            );
        }
        Act::StartPrimary => {
            assert!(known && !others(&primary) && !seen.fenced && seen.online.is_none());
            assert!(seen.control.is_some() && !seen.standby_signal && !seen.process);
        }
        Act::CreateCluster => {
            assert!(!seen.data && !seen.remains);
            if !witness {
                assert!(known && !others(&|other| other.data), "initdb beside data");
                assert!(gone.is_none());
            }
        }
        Act::Clone { from } => {
            assert!(!seen.data && !seen.remains && look.known(*from).is_some_and(primary));
        }
        Act::SetAside if witness => {}
        Act::SetAside => {
            assert!(known, "set aside beside the unknown");
            assert!(!primary(seen), "a running primary is set aside");
            assert!(!seen.data || others(&primary), "the only copy is set aside");
        }
        Act::Rejoin { to } => {
            assert!(known && look.known(*to).is_some_and(primary));
            assert!(seen.online.is_none() && !seen.process && !seen.standby_signal);
            let ordered = matches!(&spec.goal, Goal::Rejoin { name } if name == spec.name(member));
            assert!(
                !seen.fenced || ordered,
                "a fenced member is rejoined unasked"
            );
        }
        Act::Fence => assert!(primary(seen) && others(&primary)),
        Act::StopPrimary | Act::RestartPrimary => {
            assert!(known && primary(seen) && look.judging().is_empty());
        }
        Act::RestartStandby | Act::Follow { .. } => {
            assert!(known && !primary(seen) && others(&primary));
        }
        Act::MakeReady | Act::TakeOver => {
            let online = seen.online.as_ref().expect("it runs");
            assert!(known && online.recovery && !online.paused && others(&primary));
        }
        Act::Turn { to } => {
            let online = seen.online.as_ref().expect("it runs");
            assert!(known && online.recovery && *to != member);
        }
        Act::RegisterPrimary => assert!(known && primary(seen) && !others(&primary)),
        Act::DropSlot { name } => {
            let online = seen.online.as_ref().expect("it runs");
            assert!(
                online
                    .slots
                    .iter()
                    .any(|slot| slot.name == *name && !slot.active)
            );
        }
        _ => {}
    }
}

/// Nothing is left to be done only where everything is right.
fn settled(look: &Look) {
    let spec = look.site.spec;
    if !matches!(spec.goal, Goal::Converge | Goal::Repair) {
        return;
    }
    let mut primaries = 0;
    for member in 0..spec.members.len() {
        let seen = look.known(member).expect("settled with an unknown member");
        let online = seen.online.as_ref().expect("settled with a stopped server");
        assert!(online.pending_restart.is_empty() && online.config_errors.is_empty());
        assert!(!online.paused || !online.recovery);
        assert!(seen.repmgrd.running && !seen.repmgrd.paused);
        assert!(seen.pooler.as_ref().is_none_or(|pooler| !pooler.paused));
        assert!(look.files(member).is_none());
        primaries += usize::from(!online.recovery && !spec.is_witness(member));
    }
    assert_eq!(primaries, 1);
}

fn looks(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let result = std::panic::catch_unwind(|| look(seed));
        assert!(result.is_ok(), "seed {seed}");
    }
}

#[test]
fn thousands_of_looks() {
    looks(0..4_000);
}

#[test]
#[ignore = "many seeds"]
fn hundred_thousand_looks() {
    looks(0..150_000);
}
