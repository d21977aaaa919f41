//! A second rolling update beside a first, and one that is told to stop.

use crate::platform::comes_to;
use crate::{Case, World};

pub fn cases() -> Vec<Case> {
    vec![
        Case::new("two::the_second_waits_outside", second),
        Case::new("two::interrupted_while_updating", |world| {
            interrupted(world, "updating");
        }),
        Case::long("two::interrupted_while_draining", |world| {
            interrupted(world, "draining");
        }),
        Case::long("two::interrupted_while_checking", |world| {
            interrupted(world, "checking");
        }),
    ]
}

fn second(world: &World) {
    let platform = world.platform();
    let (good, other) = (platform.good(), platform.good());
    let mut running = platform.start(&good, &[]);
    running.until("n1 is taken out", comes_to("n1", "draining"));
    let second = platform.roll(&other, &[], 4);
    second.drained_nobody();
    assert!(
        second.reason().contains("another run holds the lease"),
        "{second}"
    );
    assert_eq!(second.events.last().unwrap()["touched"], false, "{second}");
    let first = running.wait();
    assert_eq!(first.code, 0, "{first}");
    platform.is_whole(&good);
    for name in crate::platform::NODES {
        let there = platform
            .node(name)
            .try_sh(&format!("ls /srv/app/releases/{other}"))
            .0;
        assert_ne!(there, 0, "{name}");
    }
}

fn interrupted(world: &World, state: &str) {
    let platform = world.platform();
    let old = platform.runs();
    let good = platform.good();
    let mut running = platform.start(&good, &[]);
    running.until("the state", comes_to("n1", state));
    running.signal("INT");
    let run = running.wait();
    assert_eq!(run.code, 130, "{run}");
    assert!(!run.drained("n2") && !run.drained("n3"), "{run}");
    match state {
        // It was only taken out: it goes back as it was.
        "draining" => platform.serves("n1", &old),
        _ => platform.serves("n1", &good),
    }
    platform.serves("n2", &old);
    platform.serves("n3", &old);
    platform.roll_well(&good, &[]);
}
