//! Nodes that lose their power before and during a rolling update.

use crate::platform::comes_to;
use crate::{Case, World};

pub fn cases() -> Vec<Case> {
    vec![
        Case::new("power::off_before", off_before),
        Case::long("power::another_goes_off", another_goes_off),
        Case::long("power::the_drained_one_goes_off", the_drained_one_goes_off),
    ]
}

fn off_before(world: &World) {
    let platform = world.platform();
    let old = platform.runs();
    platform.lab.kill("n3").unwrap();
    let good = platform.good();
    let run = platform.roll(&good, &[], 1);
    run.drained_nobody();
    assert!(run.reason().contains("n3"), "{run}");
    for name in ["n1", "n2"] {
        platform.serves(name, &old);
    }
    platform.power_on();
    platform.wait_for_balancer();
    platform.is_whole(&old);
}

fn another_goes_off(world: &World) {
    let platform = world.platform();
    let old = platform.runs();
    let good = platform.good();
    let mut running = platform.start(&good, &[]);
    running.until("n1 is out", comes_to("n1", "drained"));
    platform.lab.kill("n3").unwrap();
    let run = running.wait();
    assert_eq!(run.code, 3, "{run}");
    assert!(run.reason().contains("n3"), "{run}");
    assert!(!run.drained("n2") && !run.drained("n3"), "{run}");
    assert!(
        matches!(run.states("n1").last(), Some(&"attached" | &"in_service")),
        "{run}"
    );
    let release = platform.standing("n1").release;
    platform.serves("n1", &release);
    platform.serves("n2", &old);
    platform.power_on();
    platform.wait_for_balancer();
    platform.roll_well(&good, &["--lock-timeout", "60s"]);
}

fn the_drained_one_goes_off(world: &World) {
    let platform = world.platform();
    let old = platform.runs();
    let good = platform.good();
    let mut running = platform.start(&good, &[]);
    running.until("n2 is being updated", comes_to("n2", "updating"));
    platform.lab.kill("n2").unwrap();
    let run = running.wait();
    assert_eq!(run.code, 3, "{run}");
    assert!(run.reason().contains("n2 was lost"), "{run}");
    assert_eq!(run.states("n2").last(), Some(&"lost"), "{run}");
    assert!(!run.drained("n3"), "{run}");
    platform.serves("n1", &good);
    platform.serves("n3", &old);
    platform.power_on();
    let run = platform.roll_well(&good, &["--lock-timeout", "60s"]);
    assert!(!run.drained("n1"), "{run}");
}
