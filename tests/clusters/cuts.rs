//! Nodes that do not reach each other.

use std::thread;
use std::time::Duration;

use hadeploy::lab::Cut;

use crate::platform::{NODES, Platform};
use crate::{Case, both};

pub fn cases() -> Vec<Case> {
    [
        both("cuts::primary", true, primary),
        both("cuts::primary_one_way", true, primary_one_way),
        both("cuts::primary_hears_nothing", true, primary_hears_nothing),
        both(
            "cuts::primary_while_an_apply_runs",
            true,
            primary_while_an_apply_runs,
        ),
        both("cuts::redis_primary", true, redis_primary),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn heal(platform: &Platform) {
    platform.lab.heal(None).unwrap();
    thread::sleep(Duration::from_secs(15));
    let run = platform.apply();
    println!("    healed: {}", platform.changes(&run).join(", "));
}

fn primary(platform: &Platform) {
    let old = platform.primary();
    platform.drill("primary cut off from the others", |_| {
        platform.lab.cut(old, Cut::Nodes).unwrap();
        platform.wait_for_failover(&platform.others(old));
        thread::sleep(Duration::from_secs(20));
        heal(platform);
    });
    assert_ne!(platform.primary(), old);
    platform.is_settled();
}

fn primary_one_way(platform: &Platform) {
    let old = platform.primary();
    platform.drill("what the primary sends does not arrive", |_| {
        for other in platform.others(old) {
            platform.lab.cut(old, Cut::To(other)).unwrap();
        }
        thread::sleep(Duration::from_secs(90));
        let primaries = platform.primaries();
        println!("    one way: primaries {primaries:?} instead of {old}");
        if primaries.is_empty() {
            println!("{}", platform.elections());
        }
        heal(platform);
    });
    platform.is_settled();
}

fn primary_hears_nothing(platform: &Platform) {
    let old = platform.primary();
    platform.drill("what is sent to the primary does not arrive", |_| {
        for other in platform.others(old) {
            platform.lab.cut(other, Cut::To(old)).unwrap();
        }
        thread::sleep(Duration::from_secs(90));
        let primaries = platform.primaries();
        println!("    one way: primaries {primaries:?} instead of {old}");
        if primaries.is_empty() {
            println!("{}", platform.elections());
        }
        heal(platform);
    });
    platform.is_settled();
}

fn primary_while_an_apply_runs(platform: &Platform) {
    let old = platform.primary();
    platform.drill(
        "primary cut off while an apply restarts the servers",
        |_| {
            platform.midway(|| platform.lab.cut(old, Cut::Nodes).unwrap());
            platform.wait_for_failover(&NODES);
            heal(platform);
        },
    );
    platform.is_settled();
}

fn redis_primary(platform: &Platform) {
    let old = platform.redis_primary();
    platform.drill("redis primary cut off from the others", |_| {
        platform.lab.cut(old, Cut::Nodes).unwrap();
        thread::sleep(Duration::from_secs(60));
        heal(platform);
    });
    platform.is_settled();
}
