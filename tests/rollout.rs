//! Fleets played with faults, thousands of seeds each: whatever happens, the promises of a rolling update hold.

use hadeploy::rollout::{
    Act, Member, Next, OnFailure, Outcome, Policy, Rank, Report, Rollout, Seen, State, Verdict,
};

/// Small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Dice {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        dice.below(7);
        dice
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }

    /// True in so many of a thousand throws.
    fn hits(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Release {
    Old,
    New,
}

#[derive(Clone, Debug)]
struct Machine {
    powered: bool,
    /// The balancer sends it traffic.
    attached: bool,
    /// Somebody of ours took it out.
    ours: bool,
    release: Release,
    healthy: bool,
    attach_failed: bool,
    /// Its update stops its part of a cluster.
    leaves: bool,
    /// The clusters have let it go, and are not whole since.
    released: bool,
}

impl Machine {
    fn seen(&self) -> Seen {
        match (self.powered, self.attached && self.healthy) {
            (false, _) => Seen::Lost("no answer".to_owned()),
            (true, true) => Seen::InService,
            (true, false) => Seen::Out("drained".to_owned()),
        }
    }
}

/// What goes wrong, in so many of a thousand cases.
#[derive(Clone, Copy, Default)]
struct Faults {
    drain: u64,
    update: u64,
    /// The new release is bad on a node.
    unhealthy: u64,
    attach: u64,
    power: u64,
    soak: u64,
    /// A cluster cannot do without a node, or does not become whole.
    cluster: u64,
    interrupt: u64,
    /// The controller dies.
    crash: u64,
}

struct World {
    machines: Vec<Machine>,
    dice: Dice,
    faults: Faults,
    limit: usize,
}

impl World {
    fn new(seed: u64, faults: Faults) -> World {
        let mut dice = Dice::new(seed);
        let count = 1 + dice.below(6) as usize;
        let machines = (0..count)
            .map(|_| Machine {
                powered: !(faults.power > 0 && dice.hits(20)),
                attached: true,
                ours: false,
                release: if dice.hits(150) {
                    Release::New
                } else {
                    Release::Old
                },
                healthy: true,
                attach_failed: false,
                leaves: dice.hits(300),
                released: false,
            })
            .collect();
        let limit = 1 + dice.below(2) as usize;
        World {
            machines,
            dice,
            faults,
            limit,
        }
    }

    fn rollout(&mut self, on_failure: OnFailure) -> Rollout {
        let policy = Policy {
            batch: 1 + self.dice.below(3) as usize,
            max_unavailable: self.limit,
            on_failure,
            soak: self.dice.hits(500),
        };
        // The clusters' own plays ran whole before.
        for machine in &mut self.machines {
            machine.released = false;
        }
        let members = self
            .machines
            .iter()
            .enumerate()
            .map(|(index, machine)| {
                let pending = machine.release == Release::Old;
                let rank = if index == 0 {
                    Rank::Primary
                } else {
                    Rank::Plain
                };
                let member = Member::new(format!("n{index}"), rank, pending, &machine.seen());
                match machine.leaves {
                    true => member.leaving(rank),
                    false => member,
                }
            })
            .collect();
        Rollout::new(policy, members)
    }

    fn out_by_us(&self) -> usize {
        let out = |machine: &&Machine| machine.ours && !machine.attached && machine.powered;
        self.machines.iter().filter(out).count()
    }

    /// Does it, as far as the dice let it.
    fn act(&mut self, index: usize, act: Act) -> Report {
        if self.dice.hits(self.faults.power) {
            self.machines[index].powered = false;
        }
        if !self.machines[index].powered {
            return Report::Lost("power".to_owned());
        }
        let fails = |dice: &mut Dice, per_mille| dice.hits(per_mille);
        let failed = || Report::Failed("dice".to_owned());
        match act {
            Act::Leave => {
                assert!(
                    self.machines[index].leaves,
                    "n{index} stays in its clusters"
                );
                let open = |machine: &Machine| machine.released && machine.release == Release::New;
                assert!(
                    !self.machines.iter().any(open),
                    "n{index} leaves while the clusters are not whole"
                );
                if fails(&mut self.dice, self.faults.cluster) {
                    return failed();
                }
                for machine in &mut self.machines {
                    machine.released = false;
                }
                self.machines[index].released = true;
                Report::Done
            }
            Act::Gather => {
                if fails(&mut self.dice, self.faults.cluster) {
                    return failed();
                }
                self.machines[index].released = false;
                Report::Done
            }
            Act::Drain => {
                // A drain that fails may have taken effect.
                let fail = fails(&mut self.dice, self.faults.drain);
                let served = self.machines[index].seen() == Seen::InService;
                let serving = |machine: &&Machine| machine.seen() == Seen::InService;
                let out = self.machines.len() - self.machines.iter().filter(serving).count();
                assert!(
                    !served || self.faults.power > 0 || out < self.limit,
                    "n{index} is taken out while {out} are out already"
                );
                if !fail || self.dice.hits(500) {
                    let machine = &mut self.machines[index];
                    machine.attached = false;
                    machine.ours = true;
                }
                if fail { failed() } else { Report::Done }
            }
            Act::Update | Act::Restore => {
                let machine = &self.machines[index];
                assert!(!machine.attached, "n{index} was updated while it served");
                assert!(
                    act == Act::Restore || !machine.leaves || machine.released,
                    "n{index} left its clusters without a word"
                );
                let wanted = match act {
                    Act::Update => Release::New,
                    _ => Release::Old,
                };
                let fail = fails(&mut self.dice, self.faults.update);
                if fail && self.dice.hits(500) {
                    return failed();
                }
                let bad = wanted == Release::New && fails(&mut self.dice, self.faults.unhealthy);
                let machine = &mut self.machines[index];
                machine.release = wanted;
                machine.healthy = !bad;
                if fail { failed() } else { Report::Done }
            }
            Act::Check { .. } if self.machines[index].healthy => Report::Done,
            Act::Check { .. } => failed(),
            Act::Attach => {
                assert!(self.machines[index].healthy, "n{index} returned unhealthy");
                if fails(&mut self.dice, self.faults.attach) {
                    self.machines[index].attach_failed = true;
                    return failed();
                }
                self.machines[index].attached = true;
                self.machines[index].ours = false;
                self.machines[index].attach_failed = false;
                Report::Done
            }
            Act::Soak => {
                if fails(&mut self.dice, self.faults.soak) {
                    self.machines[index].healthy = false;
                    return failed();
                }
                Report::Done
            }
        }
    }

    /// To the end, or to the death of the controller.
    fn play(&mut self, rollout: &mut Rollout) -> Option<Verdict> {
        for _ in 0..10_000 {
            if self.dice.hits(self.faults.crash) {
                return None;
            }
            if self.dice.hits(self.faults.interrupt) {
                rollout.interrupt();
            }
            if self.dice.hits(self.faults.power) {
                let index = self.dice.below(self.machines.len() as u64) as usize;
                self.machines[index].powered = false;
                if self.dice.hits(800) {
                    rollout.missing(index, &self.machines[index].seen());
                }
            }
            match rollout.go_on() {
                Next::End(verdict) => return Some(verdict),
                Next::Look => {
                    let seen: Vec<Seen> = self.machines.iter().map(Machine::seen).collect();
                    rollout.looked(&seen);
                }
                Next::Do(acts) => {
                    assert!(!acts.is_empty(), "nothing to do, and no end");
                    for (index, act) in acts {
                        let report = self.act(index, act);
                        assert!(
                            self.out_by_us() <= self.limit,
                            "{} nodes are out by our hand, {} are allowed",
                            self.out_by_us(),
                            self.limit
                        );
                        rollout.report(index, act, report);
                    }
                }
            }
        }
        panic!("it does not end");
    }
}

/// What every end must be.
fn judge(world: &World, rollout: &Rollout, verdict: &Verdict) {
    assert_eq!(
        verdict.nodes.len(),
        world.machines.len(),
        "every node is named"
    );
    for (machine, member) in world.machines.iter().zip(&rollout.members) {
        let detached = machine.powered && machine.healthy && !machine.attached;
        assert!(
            !detached || machine.attach_failed || member.state == State::Lost,
            "{} is healthy and was left detached ({verdict:?})",
            member.name
        );
        if detached {
            assert!(
                member.trouble.is_some(),
                "{} is out without a word",
                member.name
            );
        }
    }
    match &verdict.outcome {
        Outcome::Done => assert!(
            rollout
                .members
                .iter()
                .zip(&world.machines)
                .all(|(member, machine)| {
                    !machine.powered || (machine.release == Release::New && member.state.serves())
                }),
            "done, and not all are new: {verdict:?}"
        ),
        Outcome::RolledBack(_) => assert!(
            rollout
                .members
                .iter()
                .zip(&world.machines)
                .all(|(member, machine)| {
                    !member.updated
                        || !machine.powered
                        || (machine.release == Release::Old && machine.healthy)
                }),
            "rolled back, and not all are old: {verdict:?}"
        ),
        Outcome::Refused(_) => assert!(
            rollout.members.iter().all(|member| !member.updated),
            "refused, and something was updated"
        ),
        Outcome::Stopped(_) | Outcome::RollbackFailed(_) | Outcome::Interrupted => {}
    }
}

/// Of each test.
const SEEDS: u64 = 12_000;

#[test]
fn without_faults_every_node_gets_the_new_release() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed, Faults::default());
        let mut rollout = world.rollout(OnFailure::Stop);
        let verdict = world.play(&mut rollout).expect("no crash");
        assert_eq!(verdict.outcome, Outcome::Done, "seed {seed}");
        judge(&world, &rollout, &verdict);
    }
}

#[test]
fn with_faults_everywhere_the_promises_hold() {
    let faults = Faults {
        drain: 60,
        update: 80,
        unhealthy: 100,
        attach: 150,
        power: 15,
        soak: 80,
        cluster: 80,
        interrupt: 20,
        crash: 0,
    };
    let mut ends = [0_u32; 6];
    for seed in 0..SEEDS {
        let mut world = World::new(seed, faults);
        let policy = match seed % 2 {
            0 => OnFailure::Stop,
            _ => OnFailure::Rollback,
        };
        let mut rollout = world.rollout(policy);
        let verdict = world.play(&mut rollout).expect("no crash");
        ends[match verdict.outcome {
            Outcome::Done => 0,
            Outcome::Refused(_) => 1,
            Outcome::Stopped(_) => 2,
            Outcome::RolledBack(_) => 3,
            Outcome::RollbackFailed(_) => 4,
            Outcome::Interrupted => 5,
        }] += 1;
        judge(&world, &rollout, &verdict);
    }
    assert!(
        ends.iter().all(|&count| count > 20),
        "each end was met often: {ends:?}"
    );
}

#[test]
fn after_a_crash_anywhere_the_next_one_goes_on_to_the_end() {
    let mut crashes = 0;
    for seed in 0..SEEDS {
        let mut world = World::new(
            seed,
            Faults {
                crash: 100,
                ..Faults::default()
            },
        );
        let mut rollout = world.rollout(OnFailure::Stop);
        if world.play(&mut rollout).is_some() {
            continue;
        }
        crashes += 1;
        world.faults = Faults::default();
        let mut again = world.rollout(OnFailure::Stop);
        let verdict = world.play(&mut again).expect("no crash");
        assert_eq!(verdict.outcome, Outcome::Done, "seed {seed}: {verdict:?}");
        assert!(
            world
                .machines
                .iter()
                .all(|machine| machine.attached && machine.release == Release::New),
            "seed {seed}"
        );
    }
    assert!(crashes > 1000, "{crashes} crashes");
}

#[test]
fn a_bad_release_stops_at_the_first_node_and_rollback_brings_the_old_one_back() {
    let mut world = World::new(3, Faults::default());
    world.faults.unhealthy = 1000;
    for machine in &mut world.machines {
        machine.release = Release::Old;
    }
    let mut rollout = world.rollout(OnFailure::Stop);
    let verdict = world.play(&mut rollout).expect("no crash");
    assert!(matches!(verdict.outcome, Outcome::Stopped(_)));
    let bad = world
        .machines
        .iter()
        .filter(|machine| !machine.healthy)
        .count();
    assert_eq!(bad, 1, "only the first node met the bad release");

    for machine in &mut world.machines {
        machine.release = Release::Old;
        machine.healthy = true;
        machine.attached = true;
        machine.ours = false;
    }
    let mut rollout = world.rollout(OnFailure::Rollback);
    let verdict = world.play(&mut rollout).expect("no crash");
    assert!(
        matches!(verdict.outcome, Outcome::RolledBack(_)),
        "{verdict:?}"
    );
    assert!(
        world
            .machines
            .iter()
            .all(|machine| machine.attached && machine.healthy)
    );
}

#[test]
fn with_another_node_off_nothing_begins() {
    let mut world = World::new(5, Faults::default());
    world.limit = 1;
    while world.machines.len() < 3 {
        let machine = world.machines[0].clone();
        world.machines.push(machine);
    }
    for machine in &mut world.machines {
        machine.release = Release::Old;
    }
    world.machines[2].powered = false;
    let mut rollout = world.rollout(OnFailure::Stop);
    let verdict = world.play(&mut rollout).expect("no crash");
    assert!(
        matches!(verdict.outcome, Outcome::Refused(_)),
        "{verdict:?}"
    );
    assert!(
        world
            .machines
            .iter()
            .all(|machine| machine.release == Release::Old)
    );
}

#[test]
fn a_node_that_is_only_watched_is_not_touched_and_counts() {
    let policy = Policy {
        batch: 1,
        max_unavailable: 1,
        on_failure: OnFailure::Stop,
        soak: false,
    };
    for (seen, begins) in [
        (Seen::InService, true),
        (Seen::Out("drained".to_owned()), false),
        (Seen::Lost("no answer".to_owned()), false),
    ] {
        let members = vec![
            Member::new("n1", Rank::Plain, true, &Seen::InService),
            Member::new("n2", Rank::Plain, true, &seen).watched(),
        ];
        let mut rollout = Rollout::new(policy, members);
        let mut touched = Vec::new();
        let verdict = loop {
            match rollout.go_on() {
                Next::End(verdict) => break verdict,
                Next::Look => rollout.looked(&[Seen::InService, seen.clone()]),
                Next::Do(acts) => {
                    for (index, act) in acts {
                        touched.push(index);
                        rollout.report(index, act, Report::Done);
                    }
                }
            }
        };
        assert!(!touched.contains(&1), "the watched node was touched");
        assert_eq!(!touched.is_empty(), begins, "{seen:?}: {verdict:?}");
        assert_eq!(verdict.outcome == Outcome::Done, begins, "{seen:?}");
    }
}

#[test]
fn a_node_that_goes_bad_under_traffic_is_brought_back_too() {
    let mut ends = 0;
    for seed in 0..SEEDS {
        let mut world = World::new(
            seed,
            Faults {
                soak: 400,
                ..Faults::default()
            },
        );
        let mut rollout = world.rollout(OnFailure::Rollback);
        let verdict = world.play(&mut rollout).expect("no crash");
        judge(&world, &rollout, &verdict);
        if verdict.outcome == Outcome::Done {
            continue;
        }
        ends += 1;
        assert!(
            matches!(verdict.outcome, Outcome::RolledBack(_)),
            "seed {seed}: {verdict:?}"
        );
        assert!(
            world.machines.iter().all(|machine| machine.attached),
            "seed {seed}: {verdict:?}"
        );
    }
    assert!(ends > 1000, "{ends} went back");
}

#[test]
fn a_fleet_that_cannot_be_seen_loses_no_further_node() {
    let mut world = World::new(5, Faults::default());
    while world.machines.len() < 3 {
        let machine = world.machines[0].clone();
        world.machines.push(machine);
    }
    for machine in &mut world.machines {
        machine.release = Release::Old;
    }
    let mut rollout = world.rollout(OnFailure::Stop);
    let mut drains = 0;
    let verdict = loop {
        match rollout.go_on() {
            Next::End(verdict) => break verdict,
            Next::Look if drains == 0 => {
                let seen: Vec<Seen> = world.machines.iter().map(Machine::seen).collect();
                rollout.looked(&seen);
            }
            Next::Look => rollout.blind("the balancer does not answer"),
            Next::Do(acts) => {
                for (index, act) in acts {
                    drains += usize::from(act == Act::Drain);
                    let report = world.act(index, act);
                    rollout.report(index, act, report);
                }
            }
        }
    };
    assert!(
        matches!(verdict.outcome, Outcome::Stopped(_)),
        "{verdict:?}"
    );
    assert_eq!(drains, 1, "only the first node was taken out");
    assert!(world.machines.iter().all(|machine| machine.attached));
}
