//! The controller dies at once, in each state of a node: the same command goes on as if nothing had happened.

use std::thread;
use std::time::Duration;

use crate::platform::comes_to;
use crate::{Case, World};

pub fn cases() -> Vec<Case> {
    let moments = [
        ("draining", "n1", "draining", 0),
        ("drained", "n2", "drained", 0),
        ("updating", "n1", "updating", 1_500),
        ("checking", "n2", "checking", 500),
        ("held", "n1", "checking", 6_000),
        ("attached", "n1", "attached", 0),
        ("next_draining", "n2", "draining", 300),
    ];
    let case = |(word, name, state, later): (&str, &'static str, &'static str, u64)| {
        let title = format!("killed::{word}");
        let run = move |world: &World| killed(world, name, state, Duration::from_millis(later));
        match word {
            "updating" => Case::new(title, run),
            _ => Case::long(title, run),
        }
    };
    moments.into_iter().map(case).collect()
}

fn killed(world: &World, name: &str, state: &str, later: Duration) {
    let platform = world.platform();
    let good = platform.good();
    let mut running = platform.start(&good, &["-e", "canary_hold=8s"]);
    running.until("the state", comes_to(name, state));
    thread::sleep(later);
    running.kill();
    let again = platform.roll_well(&good, &["--lock-timeout", "60s"]);
    // What was done is not done again.
    if name == "n2" || state == "attached" {
        assert!(!again.drained("n1"), "{again}");
    }
    assert!(again.drained("n3"), "{again}");
    // Nothing is left to be done.
    platform.roll_well(&good, &[]).drained_nobody();
}
