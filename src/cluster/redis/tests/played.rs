//! Faults in a played cluster: it comes to rest or says why not, and is never split.

use std::time::Duration;

use super::chance::Chance;
use super::world::World;
use super::{healthy, spec};
use crate::cluster::Made;
use crate::cluster::redis::decide::{Decision, decide};
use crate::cluster::redis::observation::Node;
use crate::cluster::redis::observation::View;

/// How a game ended.
#[derive(Debug, PartialEq)]
enum End {
    Settled,
    Refused(String),
}

fn play(seed: u64) -> End {
    let mut chance = Chance::new(seed);
    let count = [1, 3, 3, 3, 4, 5][chance.below(6)];
    let spec = spec(count);
    let bare = chance.once_in(6);
    let mut world = if bare {
        let node = Node {
            readable: true,
            ..Node::default()
        };
        World::new(&spec, &vec![View::Known(Box::new(node)); count])
    } else {
        World::new(&spec, &healthy(&spec))
    };
    let mut faults = if bare { 0 } else { 1 + chance.below(4) };
    let (mut waited, mut made, mut calm) = (0u64, Vec::<Made>::new(), 0);
    for second in 0..4000 {
        if faults > 0 && chance.once_in(5) {
            world.break_something(&mut chance);
            faults -= 1;
        }
        if second > 60 {
            world.power_on();
        }
        world.tick();
        waited += 1;
        let before = world.taking_writes();
        match decide(&spec, &world.views(), Duration::from_secs(waited), &made) {
            Decision::Settled if faults == 0 => {
                calm += 1;
                if calm > 15 {
                    assert_eq!(
                        world.taking_writes().len(),
                        1,
                        "seed {seed}: settled without one primary"
                    );
                    return End::Settled;
                }
                continue;
            }
            Decision::Settled | Decision::Wait { .. } => {}
            // Somebody who does not see everybody tries again later; a new run has made nothing yet.
            Decision::Refuse(_) if second < 200 => {
                made.clear();
                waited = 0;
            }
            Decision::Refuse(refusal) => return End::Refused(refusal.why),
            Decision::Act(acts) => {
                for (member, act) in acts {
                    made.push(Made {
                        member,
                        title: act.title(&spec),
                    });
                    world.act(member, &act);
                }
                waited = 0;
            }
        }
        calm = 0;
        let after = world.taking_writes();
        assert!(
            after.len() <= 1 || after.len() <= before.len(),
            "seed {seed}: a move split the cluster: {after:?}, {made:?}"
        );
    }
    panic!("seed {seed}: no end: {made:?}");
}

fn games(seeds: std::ops::Range<u64>) {
    let count = seeds.end - seeds.start;
    let ends: Vec<(u64, End)> = seeds.map(|seed| (seed, play(seed))).collect();
    let refused: Vec<&(u64, End)> = ends
        .iter()
        .filter(|(_, end)| *end != End::Settled)
        .collect();
    assert!(
        (refused.len() as u64) * 25 < count,
        "{} of {count} refused: {:?}",
        refused.len(),
        &refused[..refused.len().min(12)]
    );
}

#[test]
fn a_played_cluster_comes_to_rest() {
    games(0..400);
}

#[test]
#[ignore = "takes minutes"]
fn ten_thousand_played_clusters_come_to_rest() {
    games(400..10_400);
}
