//! Nodes that do not reach each other.

use std::thread;
use std::time::{Duration, Instant};

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
        both("cuts::standbys_apart", true, standbys_apart),
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

/// No standby is elected while they do not see each other, and repmgrd gives up for good; when they do, one takes over by itself.
fn standbys_apart(platform: &Platform) {
    let old = platform.primary();
    let others = platform.others(old);
    platform.drill("primary off while the standbys are apart", |drill| {
        platform.lab.cut(others[0], Cut::From(others[1])).unwrap();
        platform.lab.kill(old).unwrap();
        thread::sleep(Duration::from_secs(120));
        assert!(platform.primaries().is_empty(), "{}", platform.elections());
        platform.lab.heal(None).unwrap();
        let together = Instant::now();
        platform.wait_for_failover(&others);
        println!(
            "    together again: another primary after {:.0} s",
            together.elapsed().as_secs_f32()
        );
        thread::sleep(Duration::from_secs(15));
        platform.lab.start(old, &|_| {}).unwrap();
        drill.write_on(old);
        thread::sleep(Duration::from_secs(10));
        let run = platform.apply();
        println!("    and back: {}", platform.changes(&run).join(", "));
    });
    assert_ne!(platform.primary(), old);
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
