//! Played clusters: faults, looks and acts in turn. Whatever happens, no commit that was acknowledged under a quorum is lost, there are never two primaries
//! by our hand, and when the faults end, the cluster becomes whole or somebody is told what to do.

use std::time::Duration;

use hadeploy::cluster::Made;
use hadeploy::cluster::postgres::{Act, Decision, Goal, Look, Site, decide};

use super::world::{Dice, World, spec};

/// How a run of the controller ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    Settled,
    Refused(String),
    /// An act failed, or the controller died.
    Broken,
}

/// One run of the controller; with `dice`, things go wrong meanwhile.
pub fn run(world: &mut World, mut dice: Option<&mut Dice>, story: &mut Vec<String>) -> End {
    let mut made: Vec<Made> = Vec::new();
    let mut waited = Duration::ZERO;
    let mut broken = false;
    for _ in 0..600 {
        let seen = world.seen();
        let wanted = world.wanted();
        let spec = world.spec.clone();
        let site = Site::new(&spec, &seen);
        assert_eq!(site.ids, world.ids, "numbers moved");
        let look = Look {
            site: &site,
            wanted: &wanted,
            seen: &seen,
            waited,
            made: &made,
            broken,
        };
        let decision = decide(&look);
        match &decision {
            Decision::Chain(_) => story.push("chain".to_owned()),
            decision => story.push(format!("{decision:?}")),
        }
        match decision {
            Decision::Settled | Decision::Refuse(_) if broken => return End::Broken,
            Decision::Wait { .. } if broken && waited > Duration::from_secs(120) => {
                return End::Broken;
            }
            Decision::Settled => return End::Settled,
            Decision::Refuse(refusal) => {
                assert!(!refusal.help.is_empty() && !refusal.why.is_empty());
                return End::Refused(refusal.why);
            }
            Decision::Wait { pause, .. } => {
                waited += pause;
                world.tick(pause);
            }
            Decision::Act(acts) => {
                lawful(world, &acts);
                for (member, act) in acts {
                    if let Some(dice) = dice.as_deref_mut()
                        && dice.one_in(12)
                    {
                        return End::Broken;
                    }
                    made.push(Made {
                        member,
                        title: act.title(&spec),
                    });
                    if !world.act(member, &act) {
                        story.push(format!("{act:?} failed on {member}"));
                        return End::Broken;
                    }
                }
                waited = Duration::ZERO;
                world.tick(Duration::from_secs(1));
            }
            Decision::Chain(stages) => {
                assert!(!broken, "a chain behind one that broke");
                for acts in stages {
                    story.push(format!("{acts:?}"));
                    lawful(world, &acts);
                    let mut failed = false;
                    for (member, act) in acts {
                        if let Some(dice) = dice.as_deref_mut()
                            && dice.one_in(12)
                        {
                            // Half the time the controller dies, else only the act fails.
                            if dice.one_in(2) {
                                return End::Broken;
                            }
                            failed = true;
                            continue;
                        }
                        made.push(Made {
                            member,
                            title: act.title(&spec),
                        });
                        failed |= !world.reachable(member) || !world.act(member, &act);
                    }
                    if failed {
                        story.push("the chain broke".to_owned());
                        broken = true;
                        break;
                    }
                    // Something may happen between two stages; nobody looks.
                    world.tick(Duration::from_secs(1));
                    if let Some(dice) = dice.as_deref_mut()
                        && dice.one_in(10)
                    {
                        let sudden = [0, 2, 3, 4, 5, 8][dice.pick(6)];
                        let what = happens(world, dice, sudden);
                        story.push(what);
                    }
                }
                waited = Duration::ZERO;
            }
        }
        if let Some(dice) = dice.as_deref_mut()
            && dice.one_in(8)
        {
            let what = fault(world, dice);
            story.push(what);
        }
    }
    panic!("it comes to no end");
}

/// What disturbs a server is done to one member at a time.
pub fn lawful(world: &World, acts: &[(usize, Act)]) {
    let disturbing = acts
        .iter()
        .filter(|(member, act)| {
            let hurts = matches!(
                act,
                Act::StartPrimary
                    | Act::Rejoin { .. }
                    | Act::SetAside
                    | Act::Follow { .. }
                    | Act::Promote
                    | Act::TakeOver
                    | Act::Fence
                    | Act::RestartStandby
                    | Act::RestartPrimary
                    | Act::StopPrimary
                    | Act::WriteFiles { reload: true }
            );
            hurts && *member < world.data()
        })
        .count();
    assert!(disturbing <= 1, "{acts:?} at once");
    let mut members: Vec<usize> = acts.iter().map(|(member, _)| *member).collect();
    members.sort_unstable();
    members.dedup();
    assert_eq!(members.len(), acts.len(), "two acts on one member");
}

/// Something happens.
pub fn fault(world: &mut World, dice: &mut Dice) -> String {
    let what = dice.below(13);
    happens(world, dice, what)
}

fn happens(world: &mut World, dice: &mut Dice, what: u64) -> String {
    let member = dice.pick(world.hosts.len());
    let data = member < world.data();
    match what {
        0 => {
            world.stop(member, false);
            world.hosts[member].up = false;
            format!("{member} loses power")
        }
        1 => {
            world.boot(member);
            format!("{member} boots")
        }
        2 => {
            world.stop(member, false);
            format!("the server of {member} is killed")
        }
        3 => {
            world.stop(member, true);
            format!("the server of {member} is stopped")
        }
        4 => {
            world.hosts[member].hidden ^= true;
            format!("{member} is hidden or seen again")
        }
        5 => {
            world.hosts[member].cut ^= true;
            world.tick(Duration::ZERO);
            format!("{member} is cut off or joined again")
        }
        6 => {
            world.hosts[member].repmgrd.running ^= true;
            format!("repmgrd of {member} stops or starts")
        }
        7 => {
            world.hosts[member].repmgrd.paused ^= true;
            format!("repmgrd of {member} is paused or not")
        }
        8 => {
            let rows = world.hosts[member].nodes.as_mut();
            if let Some(rows) = rows {
                rows.pop();
            }
            format!("{member} loses a row")
        }
        9 => {
            world.tick(Duration::from_secs(40));
            "time passes".into()
        }
        10 => {
            world.settings.1 += 1;
            world.version += 1;
            "another setting is wanted".into()
        }
        11 => {
            world.settings.0 = 100 + dice.below(3);
            world.version += 1;
            "another counter is wanted".into()
        }
        _ if data => {
            for slot in &mut world.hosts[member].slots {
                if !slot.active {
                    slot.wal_status = "lost".into();
                }
            }
            format!("{member} removes WAL")
        }
        _ => "nothing".into(),
    }
}

/// Every host is there again.
fn heal(world: &mut World) {
    for member in 0..world.hosts.len() {
        world.hosts[member].hidden = false;
        world.hosts[member].cut = false;
    }
    for member in 0..world.hosts.len() {
        world.boot(member);
    }
    world.tick(Duration::from_secs(5));
}

fn shape(dice: &mut Dice) -> World {
    let (data, witness) = [(3, false), (3, false), (2, true), (2, false), (1, false)][dice.pick(5)];
    World::bare(spec(data, witness))
}

pub fn game(seed: u64) {
    let mut dice = Dice::new(seed);
    let mut world = shape(&mut dice);
    let mut story: Vec<String> = Vec::new();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        play(&mut world, &mut dice, &mut story);
    }));
    if result.is_err() {
        panic!("seed {seed}:\n{}", story.join("\n"));
    }
}

fn play(world: &mut World, dice: &mut Dice, story: &mut Vec<String>) {
    if dice.one_in(2) {
        assert_eq!(run(world, None, story), End::Settled);
    }
    for _ in 0..2 {
        for _ in 0..dice.below(4) {
            let what = fault(world, dice);
            story.push(what);
            world.tick(Duration::from_secs(2));
        }
        world.spec.goal = match dice.below(8) {
            0 => Goal::Switchover { to: None },
            1 => Goal::Switchover {
                to: Some("pg1".into()),
            },
            2 => Goal::Repair,
            3 => Goal::Leave { name: "pg1".into() },
            _ => Goal::Converge,
        };
        let end = run(world, Some(dice), story);
        story.push(format!("{end:?}"));
    }
    story.push("quiet".into());
    heal(world);
    world.spec.goal = Goal::Converge;
    // What fails once may be mended by the next run.
    let mut end = End::Broken;
    for _ in 0..4 {
        end = run(world, None, story);
        if end != End::Broken {
            break;
        }
    }
    story.push(format!("{end:?}"));
    // A standby whose own file holds less than its data need does not start, and no look can tell that before: it is cloned anew.
    if end == End::Broken {
        world.spec.goal = Goal::Repair;
        end = run(world, None, story);
        world.spec.goal = Goal::Converge;
    }
    assert_ne!(end, End::Broken);
    if let End::Refused(_) = &end {
        return;
    }
    let primaries = world.primaries();
    assert_eq!(primaries.len(), 1);
    let whole = &world.hosts[primaries[0]].data.as_ref().expect("data").log;
    if world.spec.quorum() > 0 && !world.sinned {
        for commit in &world.acknowledged {
            assert!(whole.contains(commit), "commit {commit} is lost");
        }
    }
    for member in 0..world.data() {
        let host = &world.hosts[member];
        assert!(
            host.running && !host.pooler_paused && !host.repmgrd.paused && host.repmgrd.running
        );
        assert!(member == primaries[0] || host.streams);
        assert_eq!(host.force, world.settings);
    }
    assert_eq!(run(world, None, story), End::Settled, "twice");
}

#[test]
fn hundreds_of_clusters() {
    for seed in 0..400 {
        game(seed);
    }
}

#[test]
#[ignore = "many seeds"]
fn thousands_of_clusters() {
    for seed in 0..10_000 {
        game(seed);
    }
}

/// Too many refusals would make the laws empty: most games end whole.
#[test]
fn most_become_whole() {
    let mut settled = 0;
    for seed in 0..100 {
        let mut dice = Dice::new(seed);
        let mut world = shape(&mut dice);
        let mut story = Vec::new();
        assert_eq!(
            run(&mut world, None, &mut story),
            End::Settled,
            "{story:#?}"
        );
        for _ in 0..3 {
            fault(&mut world, &mut dice);
        }
        heal(&mut world);
        settled += usize::from(run(&mut world, None, &mut story) == End::Settled);
    }
    assert!(settled >= 85, "only {settled} of 100");
}
