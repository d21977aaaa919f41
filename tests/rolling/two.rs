//! A second rolling update beside a first, and one that is told to stop.

use crate::platform::{NODES, Platform, comes_to};
use crate::{Case, World};

pub fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "two::another_beside_and_interrupted_while_updating",
            |world| {
                interrupted(world, "updating");
            },
        ),
        Case::long("two::interrupted_while_draining", |world| {
            interrupted(world, "draining");
        }),
        Case::long("two::interrupted_while_checking", |world| {
            interrupted(world, "checking");
        }),
    ]
}

/// Another one is refused, and touches nothing.
fn is_refused(platform: &Platform) {
    let other = platform.good();
    let second = platform.roll(&other, &[], 4);
    second.drained_nobody();
    assert!(
        second.reason().contains("another run holds the lease"),
        "{second}"
    );
    assert_eq!(second.events.last().unwrap()["touched"], false, "{second}");
    for name in NODES {
        let there = platform
            .node(name)
            .try_sh(&format!("ls -d /srv/app/*/*{other}*"));
        assert_ne!(there.0, 0, "{name}");
    }
}

fn interrupted(world: &World, state: &str) {
    let platform = world.platform();
    let old = platform.runs();
    let good = platform.good();
    let mut running = platform.start(&good, &[]);
    running.until("the state", comes_to("n1", state));
    if state == "updating" {
        is_refused(platform);
    }
    running.signal("INT");
    let run = running.wait();
    assert_eq!(run.code, 130, "{run}");
    assert!(!run.drained("n2") && !run.drained("n3"), "{run}");
    // What was only being taken out may go back as it was.
    let release = platform.standing("n1").release;
    assert!(release == good || (state == "draining" && release == old));
    platform.serves("n1", &release);
    platform.serves("n2", &old);
    platform.serves("n3", &old);
    platform.roll_well(&good, &[]);
}
