//! A balancer that cannot be asked, before and during a rolling update.

use crate::platform::{NODES, comes_to};
use crate::{Case, World};

pub fn cases() -> Vec<Case> {
    vec![
        Case::new("balancer::away_before", away_before),
        Case::long("balancer::its_host_is_off", its_host_is_off),
        Case::long("balancer::away_while_a_node_is_updated", away_meanwhile),
        Case::long("balancer::away_between_two_nodes", away_between),
    ]
}

fn away_before(world: &World) {
    let platform = world.platform();
    let old = platform.runs();
    platform.node("lb1").sh("systemctl stop haproxy");
    let run = platform.roll(&platform.good(), &[], 1);
    run.drained_nobody();
    assert!(run.reason().contains("HAProxy on lb1"), "{run}");
    platform.node("lb1").sh("systemctl start haproxy");
    platform.wait_for_balancer();
    platform.is_whole(&old);
}

fn its_host_is_off(world: &World) {
    let platform = world.platform();
    let old = platform.runs();
    platform.lab.kill("lb1").unwrap();
    let run = platform.roll(&platform.good(), &[], 1);
    run.drained_nobody();
    assert!(run.reason().contains("lb1"), "{run}");
    platform.power_on();
    platform.wait_for_balancer();
    platform.is_whole(&old);
}

/// Whatever a node runs, it is not kept from visitors by its own flag.
fn nobody_left_out(world: &World) {
    for name in NODES {
        let standing = world.0.get().unwrap().standing(name);
        assert!(!standing.drains, "{name}: {standing:?}");
    }
}

fn away_meanwhile(world: &World) {
    let platform = world.platform();
    let old = platform.runs();
    let good = platform.good();
    let mut running = platform.start(&good, &[]);
    running.until("n1 is being updated", comes_to("n1", "updating"));
    platform.node("lb1").sh("systemctl stop haproxy");
    let run = running.wait();
    assert_eq!(run.code, 3, "{run}");
    assert!(
        run.reason()
            .contains("n1 is healthy and could not be attached"),
        "{run}"
    );
    run.says(&["HAProxy on lb1"]);
    assert!(!run.drained("n2") && !run.drained("n3"), "{run}");
    nobody_left_out(world);
    platform.node("lb1").sh("systemctl start haproxy");
    platform.wait_for_balancer();
    platform.serves("n1", &good);
    platform.serves("n2", &old);
    let run = platform.roll_well(&good, &[]);
    assert!(!run.drained("n1"), "{run}");
}

fn away_between(world: &World) {
    let platform = world.platform();
    let good = platform.good();
    let mut running = platform.start(&good, &[]);
    running.until("n1 is back", comes_to("n1", "attached"));
    platform.node("lb1").sh("systemctl stop haproxy");
    let run = running.wait();
    assert_eq!(run.code, 3, "{run}");
    run.says(&["HAProxy on lb1"]);
    assert!(!run.drained("n3"), "{run}");
    nobody_left_out(world);
    platform.node("lb1").sh("systemctl start haproxy");
    platform.wait_for_balancer();
    platform.roll_well(&good, &[]);
}
