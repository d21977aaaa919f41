//! Named states and the acts that answer them, one after the other.

use std::time::Duration;

use hadeploy::cluster::Lost;
use hadeploy::cluster::postgres::{
    Act, Decision, Goal, Look, Picture, Seen, Site, State, Synchronous, decide, foreseen,
};

use super::play::{End, run};
use super::world::{Host, World, spec};

/// A whole cluster.
fn whole(data: usize, witness: bool) -> World {
    let mut world = World::bare(spec(data, witness));
    assert_eq!(run(&mut world, None, &mut Vec::new()), End::Settled);
    world
}

/// What comes next when nothing was done yet, after some seconds.
fn next(world: &World, seconds: u64) -> Decision {
    let seen = world.seen();
    choose(world, &seen, seconds)
}

fn choose(world: &World, seen: &[Seen], seconds: u64) -> Decision {
    decide(&Look {
        site: &Site::new(&world.spec, seen),
        wanted: &world.wanted(),
        seen,
        waited: Duration::from_secs(seconds),
        made: &[],
        broken: false,
    })
}

fn one(member: usize, act: Act) -> Decision {
    Decision::Act(vec![(member, act)])
}

fn refusal(decision: Decision) -> String {
    match decision {
        Decision::Refuse(refusal) => format!("{} | {}", refusal.why, refusal.help),
        other => panic!("{other:?}"),
    }
}

/// A dead member is to be forgotten.
fn forget(name: &str) -> Goal {
    Goal::Forget(Lost {
        name: name.into(),
        ..Lost::default()
    })
}

fn path(world: &World) -> Vec<(usize, Act)> {
    let seen = world.seen();
    foreseen(&Site::new(&world.spec, &seen), world.wanted(), seen.clone()).unwrap()
}

#[test]
fn a_first_cluster() {
    let mut world = World::bare(spec(3, false));
    // A plan foretells the whole of it.
    let path = path(&world);
    let titles: Vec<String> = path
        .iter()
        .map(|(member, act)| format!("{member} {}", act.title(&world.spec)))
        .collect();
    assert_eq!(
        titles,
        [
            "0 install PostgreSQL and repmgr",
            "1 install PostgreSQL and repmgr",
            "2 install PostgreSQL and repmgr",
            "0 create an empty database cluster",
            "0 bring accounts and databases up to date",
            "0 register as primary",
            "1 clone the data of pg1",
            "2 clone the data of pg1",
            "1 start as standby",
            "2 start as standby",
            "1 register as standby of pg1",
            "2 register as standby of pg1",
            "0 start repmgrd",
            "1 start repmgrd",
            "2 start repmgrd",
        ]
    );
    world.hosts[2].hidden = true;
    assert!(
        refusal(next(&world, 0)).contains("pg3"),
        "P0 with one host off"
    );
}

#[test]
fn a_plan_of_a_whole_cluster_is_empty() {
    for (data, witness) in [(1, false), (2, false), (2, true), (3, false)] {
        let world = whole(data, witness);
        assert_eq!(next(&world, 0), Decision::Settled);
        assert_eq!(path(&world), []);
    }
}

#[test]
fn standbys_that_are_down_gone_or_lost() {
    let mut world = whole(3, false);
    world.stop(1, true);
    assert_eq!(next(&world, 0), one(1, Act::Start));
    world.hosts[1].data = None;
    assert_eq!(next(&world, 0), one(1, Act::Clone { from: 0 }));

    let mut world = whole(3, false);
    world.stop(1, true);
    for slot in &mut world.hosts[0].slots {
        if !slot.active {
            slot.wal_status = "lost".into();
        }
    }
    assert_eq!(next(&world, 0), one(1, Act::SetAside));
    world.hosts[2].hidden = true;
    assert!(
        refusal(next(&world, 0)).contains("pg3"),
        "not while another is unknown"
    );

    let mut world = whole(3, false);
    world.hosts[1].paused_replay = true;
    assert!(refusal(next(&world, 0)).contains("pg_wal_replay_resume"));
    world.spec.goal = Goal::Repair;
    assert_eq!(next(&world, 0), one(1, Act::ResumeReplay));
}

/// repmgrd elects once, where most members see each other.
#[test]
fn no_election_comes() {
    let mut world = whole(2, true);
    world.stop(0, false);
    world.hosts[1].repmgrd.unseen = Some(20);
    let election = |world: &World| matches!(next(world, 10), Decision::Wait { .. });
    assert!(election(&world));
    world.hosts[0].up = false;
    assert!(election(&world), "the witness makes two of three");
    world.hosts[2].up = false;
    let words = refusal(next(&world, 10));
    for word in ["1 of 3 members", "forget pg1", "what pg3 holds"] {
        assert!(words.contains(word), "{words}");
    }
    // The witness is back, long after repmgrd gave up.
    world.hosts[2].up = true;
    world.hosts[1].repmgrd.unseen = Some(200);
    let words = refusal(next(&world, 10));
    assert!(
        words.contains("forget pg1") && !words.contains("majority"),
        "{words}"
    );
}

#[test]
fn a_dead_primary() {
    let mut world = whole(3, false);
    world.stop(0, false);
    assert!(
        matches!(next(&world, 10), Decision::Wait { .. }),
        "an election"
    );
    let pause = Decision::Act(vec![(1, Act::Pause), (2, Act::Pause)]);
    assert_eq!(next(&world, 100), pause, "nobody was elected");
    world.act(1, &Act::Pause);
    world.act(2, &Act::Pause);
    assert_eq!(next(&world, 0), one(0, Act::StartPrimary));
    // Its host is off: it may come back with commits of its own.
    world.hosts[0].up = false;
    assert!(refusal(next(&world, 0)).contains("forget pg1"));
    world.spec.goal = forget("pg1");
    assert_eq!(next(&world, 0), one(1, Act::Promote));
    assert_eq!(run(&mut world, None, &mut Vec::new()), End::Settled);
    assert_eq!(world.primaries(), [1]);
    let rows = world.hosts[1].nodes.as_ref().unwrap();
    assert!(rows.iter().all(|row| row.name != "pg1"));
    // It was not lost after all: it is rejoined.
    world.spec.goal = Goal::Converge;
    world.boot(0);
    assert!(world.hosts[0].needs_rejoin);
    assert_eq!(run(&mut world, None, &mut Vec::new()), End::Settled);
    assert_eq!(world.primaries(), [1]);
}

/// The operator says that it is lost, and it is only out of sight.
#[test]
fn a_primary_out_of_sight() {
    let mut world = whole(3, false);
    world.hosts[0].hidden = true;
    world.spec.goal = forget("pg1");
    assert!(refusal(next(&world, 200)).contains("still receives from 10.0.0.1"));
    world.hosts[0].up = false;
    world.stop(0, false);
    world.tick(Duration::ZERO);
    let pause = Decision::Act(vec![(1, Act::Pause), (2, Act::Pause)]);
    assert_eq!(next(&world, 200), pause);
}

#[test]
fn two_primaries() {
    let mut world = whole(3, false);
    world.promote(2);
    assert_eq!(
        next(&world, 0),
        one(0, Act::Fence),
        "the earlier time line gives way"
    );
    let mut story = Vec::new();
    let end = run(&mut world, None, &mut story);
    assert!(
        matches!(end, End::Refused(why) if why.contains("pg1")),
        "{story:#?}"
    );
    assert_eq!(world.primaries(), [2]);
    world.spec.goal = Goal::Rejoin { name: "pg1".into() };
    assert_eq!(run(&mut world, None, &mut Vec::new()), End::Settled);
    world.spec.goal = Goal::Converge;
    assert_eq!(run(&mut world, None, &mut Vec::new()), End::Settled);
    assert!(world.hosts.iter().all(|host| host.running));

    // A standby that followed the loser holds what the winner never had: it is cloned anew, and its data are kept.
    let mut world = whole(3, false);
    world.hosts[2].cut = true;
    world.tick(Duration::from_secs(5));
    world.promote(2);
    world.hosts[2].cut = false;
    let end = run(&mut world, None, &mut Vec::new());
    assert!(matches!(end, End::Refused(why) if why.contains("pg1 was a second primary")));
    assert_eq!(world.hosts[1].aside.len(), 1);
    assert!(world.hosts[1].streams);

    // Of two on one time line, the one that is followed stays, unless nobody can know that.
    let mut world = whole(3, false);
    world.stop(2, true);
    world.hosts[2].data.as_mut().unwrap().standby = false;
    world.hosts[2].running = true;
    assert_eq!(next(&world, 0), one(2, Act::Fence));
    world.hosts[1].hidden = true;
    assert!(refusal(next(&world, 0)).contains("pg2"));
    world.hosts[1].hidden = false;
    assert!(matches!(
        run(&mut world, None, &mut Vec::new()),
        End::Refused(_)
    ));
    // They have no fork to rewind to.
    world.spec.goal = Goal::Rejoin { name: "pg3".into() };
    assert_eq!(next(&world, 0), one(2, Act::SetAside));
    assert_eq!(run(&mut world, None, &mut Vec::new()), End::Settled);
    assert_eq!(world.hosts[2].aside.len(), 1);
}

#[test]
fn an_ordered_switchover() {
    let mut world = whole(2, true);
    world.spec.goal = Goal::Switchover {
        to: Some("pg2".into()),
    };
    let mut story = Vec::new();
    assert_eq!(
        run(&mut world, None, &mut story),
        End::Settled,
        "{story:#?}"
    );
    assert_eq!(world.primaries(), [1]);
    let all = (0..3).map(|member| (member, Act::Pause)).collect();
    assert_eq!(story[0], format!("{:?}", Decision::Act(all)));
    assert!(
        world
            .hosts
            .iter()
            .all(|host| !host.repmgrd.paused && !host.pooler_paused)
    );
    world.spec.goal = Goal::Switchover {
        to: Some("pg3".into()),
    };
    assert!(
        refusal(next(&world, 0)).contains("pg3 is no data member"),
        "a witness"
    );
}

/// So many acts of a run, after which the controller is gone.
fn acts(world: &mut World, mut count: usize) {
    let mut made = Vec::new();
    loop {
        let seen = world.seen();
        let stages = match decide(&Look {
            site: &Site::new(&world.spec, &seen),
            wanted: &world.wanted(),
            seen: &seen,
            waited: Duration::ZERO,
            made: &made,
            broken: false,
        }) {
            Decision::Act(acts) => vec![acts],
            Decision::Chain(stages) => stages,
            _ => return,
        };
        for acts in stages {
            for (member, act) in acts {
                if count == 0 {
                    return;
                }
                count -= 1;
                assert!(world.act(member, &act), "{act:?}");
                made.push(hadeploy::cluster::Made {
                    member,
                    title: act.title(&world.spec),
                });
            }
            world.tick(Duration::from_secs(1));
        }
    }
}

/// A chain that breaks at its takeover: the same run lets clients go and starts what it stopped, or ends what it began.
#[test]
fn a_chain_that_breaks() {
    for (failing, primary) in [
        (Act::PausePooler, 0),
        (Act::StopPrimary, 0),
        (Act::TakeOver, 1),
    ] {
        let mut world = whole(3, false);
        world.spec.goal = Goal::Switchover {
            to: Some("pg2".into()),
        };
        world.fails = Some(failing.clone());
        let mut story = Vec::new();
        assert_eq!(run(&mut world, None, &mut story), End::Broken);
        assert_eq!(world.primaries(), [primary], "{failing:?} {story:#?}");
        let let_go = |host: &Host| (!host.repmgrd.paused || !host.running) && !host.pooler_paused;
        assert!(world.hosts.iter().all(let_go), "{failing:?} {story:#?}");
    }
}

/// Wherever a switchover is cut off, the next run ends it, and a commit that was acknowledged is there.
#[test]
fn a_switchover_that_is_cut_off() {
    for goal in [
        Goal::Converge,
        Goal::Switchover {
            to: Some("pg2".into()),
        },
    ] {
        for cut in 0..40 {
            let mut world = whole(3, false);
            world.spec.goal = Goal::Switchover {
                to: Some("pg2".into()),
            };
            acts(&mut world, cut);
            world.spec.goal = goal.clone();
            let mut story = Vec::new();
            assert_eq!(
                run(&mut world, None, &mut story),
                End::Settled,
                "{cut} {story:#?}"
            );
            assert!(
                world
                    .hosts
                    .iter()
                    .all(|host| !host.repmgrd.paused && !host.pooler_paused)
            );
            assert_eq!(world.primaries().len(), 1);
            if goal != Goal::Converge {
                assert_eq!(world.primaries(), [1]);
            }
        }
    }
}

/// The acts of a run, without what is written.
fn restarts(world: &mut World) -> Vec<String> {
    let mut story = Vec::new();
    assert_eq!(run(world, None, &mut story), End::Settled, "{story:#?}");
    let words = [
        "RestartStandby",
        "RestartPrimary",
        "StopPrimary",
        "TakeOver",
        "Rejoin",
    ];
    let word = |line: &String| {
        let found = words.iter().find(|word| line.contains(**word))?;
        let member = line.split("[(").nth(1)?.chars().next()?;
        Some(format!("{member} {found}"))
    };
    story.iter().filter_map(word).collect()
}

#[test]
fn settings_that_need_a_restart() {
    let switched = [
        "1 RestartStandby",
        "2 RestartStandby",
        "0 StopPrimary",
        "1 TakeOver",
        "0 Rejoin",
    ];
    let mut world = whole(3, false);
    world.settings.1 += 1;
    world.version += 1;
    assert_eq!(restarts(&mut world), switched, "a plain one");
    let mut world = whole(3, false);
    world.settings.0 += 10;
    world.version += 1;
    assert_eq!(restarts(&mut world), switched, "raised");
    let mut world = whole(3, false);
    world.settings.0 -= 10;
    world.version += 1;
    let lowered = ["0 RestartPrimary", "1 RestartStandby", "2 RestartStandby"];
    assert_eq!(restarts(&mut world), lowered, "lowered");
}

/// All acts of a run, or of a plan's path.
fn way(acts: impl Iterator<Item = String>) -> String {
    acts.collect::<Vec<_>>().join(", ")
}

#[test]
fn a_plan_of_new_settings_foretells_the_whole_way() {
    let changes: [fn(&mut World); 4] = [
        |world| world.settings.1 += 1,
        |world| world.settings.0 += 10,
        |world| world.settings.0 -= 10,
        |world| world.settings = (world.settings.0 + 10, world.settings.1 + 1),
    ];
    for (data, witness) in [(1, false), (2, false), (2, true), (3, false)] {
        for (number, change) in changes.iter().enumerate() {
            let mut world = whole(data, witness);
            change(&mut world);
            world.version += 1;
            let foretold = path(&world);
            let foretold = foretold
                .iter()
                .map(|(member, act)| format!("({member}, {act:?})"));
            let foretold = way(foretold);
            let mut story = Vec::new();
            assert_eq!(run(&mut world, None, &mut story), End::Settled);
            let inner = |line: &String| {
                let rest = line.strip_prefix("Act(").unwrap_or(line);
                let rest = rest.strip_prefix('[')?;
                Some(rest[..rest.rfind(']')?].to_owned())
            };
            let made = way(story.iter().filter_map(inner));
            assert_eq!(foretold, made, "change {number} of {data} {witness}");
        }
    }
}

#[test]
fn all_down() {
    let mut world = whole(3, false);
    for member in [1, 2, 0] {
        world.stop(member, false);
    }
    assert_eq!(next(&world, 0), one(0, Act::StartPrimary));
    world.hosts[1].hidden = true;
    assert!(refusal(next(&world, 0)).contains("pg2"));
    world.hosts[1].hidden = false;
    assert_eq!(run(&mut world, None, &mut Vec::new()), End::Settled);
    assert_eq!(world.primaries(), [0]);
}

#[test]
fn another_cluster_and_another_release() {
    let mut world = whole(3, false);
    world.stop(1, true);
    world.hosts[1].data.as_mut().unwrap().sysid = 99;
    assert!(refusal(next(&world, 0)).contains("pg2 holds the data of another cluster"));
    world.spec.goal = Goal::Repair;
    assert_eq!(next(&world, 0), one(1, Act::SetAside));
    assert_eq!(run(&mut world, None, &mut Vec::new()), End::Settled);
    assert_eq!(world.hosts[1].aside.len(), 1, "once, and the clone stays");

    let world = whole(3, false);
    let mut seen = world.seen();
    if let Seen::Known(seen) = &mut seen[1] {
        seen.release = 17;
    }
    assert!(refusal(choose(&world, &seen, 0)).contains("major release"));
}

#[test]
fn disks_that_fill_up() {
    let mut world = whole(3, false);
    world.hosts[0].full = true;
    let mut seen = world.seen();
    if let Seen::Known(seen) = &mut seen[0] {
        let online = seen.online.as_mut().unwrap();
        online.slots[0].held = 1 << 30;
        online.ready = 100;
        seen.set_aside = vec!["/var/lib/postgresql/15/main.hadeploy-1".into()];
    }
    let words = refusal(choose(&world, &seen, 0));
    for word in [
        "the disk of pg1",
        "repmgr_slot_2 holds back 1024 MB",
        "100 WAL files",
        "main.hadeploy-1",
        "nothing in pg_wal",
    ] {
        assert!(words.contains(word), "{word}: {words}");
    }
    // What else is wrong is mended first, and another one may become the primary.
    world.stop(2, true);
    assert_eq!(next(&world, 0), one(2, Act::Start));
    assert!(matches!(
        run(&mut world, None, &mut Vec::new()),
        End::Refused(_)
    ));
    world.spec.goal = Goal::Switchover { to: None };
    assert_eq!(run(&mut world, None, &mut Vec::new()), End::Settled);
    assert_ne!(world.primaries(), [0]);

    // It ran out of room for WAL and died, and another took over: pg_rewind needs room too.
    let mut world = whole(3, false);
    world.stop(0, false);
    world.act(1, &Act::Promote);
    world.hosts[0].full = true;
    let mut story = Vec::new();
    let words = match run(&mut world, None, &mut story) {
        End::Refused(words) => words,
        end => panic!("{end:?}\n{story:#?}"),
    };
    assert!(
        words.contains("pg1 was the primary, and is not rejoined now"),
        "{words}"
    );
    assert!(
        !world.hosts[0].running && world.primaries() == [1],
        "{story:#?}"
    );
    world.hosts[0].full = false;
    assert_eq!(run(&mut world, None, &mut Vec::new()), End::Settled);
    assert_eq!(world.primaries(), [1]);
}

#[test]
fn numbers_stay_when_the_inventory_changes() {
    let mut world = whole(3, false);
    let seen = world.seen();
    world.spec.members.remove(1);
    world.spec.members.push(hadeploy::cluster::Member {
        name: "pg4".into(),
        address: "10.0.0.4".into(),
    });
    let seen = [
        seen[0].clone(),
        seen[2].clone(),
        Seen::Unknown(String::new()),
    ];
    assert_eq!(Site::new(&world.spec, &seen).ids, [1, 3, 4]);
}

#[test]
fn states_have_names() {
    let mut world = whole(3, false);
    world.stop(2, true);
    world.hosts[1].hidden = true;
    let seen = world.seen();
    let site = Site::new(&world.spec, &seen);
    let look = Look {
        site: &site,
        wanted: &[],
        seen: &seen,
        waited: Duration::ZERO,
        made: &[],
        broken: false,
    };
    let picture = Picture::new(&look, None);
    let states = [State::Primary, State::Unknown, State::StoppedStandby];
    assert_eq!(picture.states, states);
    assert_eq!(picture.condition(&look).word(), "degraded");
}

#[test]
fn a_member_that_is_about_to_stop() {
    let leave = |name: &str| Goal::Leave { name: name.into() };
    // A standby: nothing has to be done. The primary: another one first, and it follows that one.
    for (data, witness) in [(3, false), (2, true)] {
        let mut world = whole(data, witness);
        world.spec.goal = leave("pg2");
        assert_eq!(next(&world, 0), Decision::Settled);
        world.spec.goal = leave("pg1");
        let moved = ["0 StopPrimary", "1 TakeOver", "0 Rejoin"];
        assert_eq!(restarts(&mut world), moved);
        assert_eq!(world.primaries(), [1]);
        assert_eq!(next(&world, 0), Decision::Settled, "it is done once");
    }
    // A member down, and nobody who could be started.
    for name in ["pg1", "pg2"] {
        let mut world = whole(3, false);
        world.hosts[2].hidden = true;
        world.spec.goal = leave(name);
        assert!(refusal(next(&world, 0)).contains("pg3"), "{name}");
        let mut world = whole(1, false);
        world.spec.goal = leave("pg1");
        assert!(refusal(next(&world, 0)).contains("nobody can take over"));
    }
    // A member that is stopped and can be started is started first.
    let mut world = whole(3, false);
    world.stop(2, true);
    world.spec.goal = leave("pg2");
    assert_eq!(next(&world, 0), one(2, Act::Start));
    // More commits wait than would be left.
    let mut world = whole(3, false);
    world.spec.synchronous = Synchronous::Any(2);
    for name in ["pg1", "pg2"] {
        world.spec.goal = leave(name);
        assert!(
            refusal(next(&world, 0)).contains("only 1 would stream"),
            "{name}"
        );
    }
}

#[test]
fn no_member_stops_while_another_lies_behind() {
    let mut world = whole(3, false);
    let mut seen = world.seen();
    let Seen::Known(primary) = &mut seen[0] else {
        panic!("it is known");
    };
    let primary = primary.online.as_mut().unwrap();
    primary
        .senders
        .iter_mut()
        .find(|it| it.name == "pg3")
        .unwrap()
        .lag = 1 << 30;
    for name in ["pg1", "pg2"] {
        world.spec.goal = Goal::Leave { name: name.into() };
        assert!(
            matches!(choose(&world, &seen, 5), Decision::Wait { .. }),
            "{name}"
        );
        let why = refusal(choose(&world, &seen, 100));
        assert!(why.contains("pg3 lies behind pg1"), "{name}: {why}");
    }
    world.spec.goal = Goal::Leave { name: "pg3".into() };
    assert_eq!(
        choose(&world, &seen, 5),
        Decision::Settled,
        "it is the one that leaves"
    );
}

/// It answers: another one is primary first, nothing of it runs then, and the others know it no more.
#[test]
fn a_member_that_goes_for_good() {
    for gone in [0, 2] {
        let mut world = whole(3, false);
        world.spec.goal = forget(&format!("pg{}", gone + 1));
        let mut story = Vec::new();
        assert_eq!(
            run(&mut world, None, &mut story),
            End::Settled,
            "{story:#?}"
        );
        let primaries = world.primaries();
        assert!(primaries.len() == 1 && primaries[0] != gone, "{story:#?}");
        assert!(!world.hosts[gone].running && !world.hosts[gone].repmgrd.enabled);
        let place = |what: &str| story.iter().position(|act| act.contains(what));
        if gone == 0 {
            assert!(place("Promote") < place("Retire"), "{story:#?}");
        }
        assert!(place("Retire") < place("Unregister"), "{story:#?}");
        let primary = &world.hosts[primaries[0]];
        assert_eq!(primary.nodes.as_ref().unwrap().len(), 2);
        assert_eq!(primary.slots.len(), 1, "{:?}", primary.slots);
        // Two do not elect by themselves until an apply has told them that they are two.
        assert!(primary.repmgrd.paused);
    }
}

#[test]
fn nobody_is_forgotten_who_may_be_needed() {
    // Commits waited for nobody.
    let mut world = whole(2, false);
    world.stop(0, false);
    world.hosts[0].up = false;
    world.tick(Duration::ZERO);
    world.spec.goal = forget("pg1");
    assert!(refusal(next(&world, 200)).contains("--accept-data-loss"));
    world.spec.goal = Goal::Forget(Lost {
        name: "pg1".into(),
        loss: true,
        ..Lost::default()
    });
    let pause = Decision::Act(vec![(1, Act::Pause)]);
    assert_eq!(next(&world, 200), pause);
    // Out of sight from here, and alive.
    let mut world = whole(3, false);
    world.hosts[2].hidden = true;
    world.spec.goal = forget("pg3");
    world.act(0, &Act::Pause);
    world.act(1, &Act::Pause);
    assert!(refusal(next(&world, 100)).contains("still streams from pg1"));
    // A machine that was to be replaced, and runs.
    let mut world = whole(3, false);
    world.spec.goal = Goal::Forget(Lost {
        name: "pg3".into(),
        replaced: true,
        ..Lost::default()
    });
    assert!(refusal(next(&world, 0)).contains("nothing to replace"));
    world.spec.goal = forget("pg9");
    assert!(refusal(next(&world, 0)).contains("neither the inventory nor repmgr knows"));
}

#[test]
fn three_become_two_only_on_purpose() {
    let mut lost = Lost {
        name: "pg3".into(),
        ..Lost::default()
    };
    assert!(lost.leaves(3).is_ok());
    assert!(lost.leaves(2).unwrap_err().why.contains("no majority"));
    assert!(lost.leaves(1).unwrap_err().why.contains("one member"));
    lost.few = true;
    assert!(lost.leaves(2).is_ok());
}
