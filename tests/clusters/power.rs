//! Nodes that lose their power.

use std::thread;
use std::time::Duration;

use crate::platform::{NODES, Platform};
use crate::{Case, both};

pub fn cases() -> Vec<Case> {
    [
        both("power::primary_off_and_back", true, primary_off_and_back),
        both(
            "power::redis_primary_off_and_back",
            true,
            redis_primary_off_and_back,
        ),
        both("power::all_off_and_on", true, all_off_and_on),
        both(
            "power::primary_off_while_an_apply_runs",
            true,
            primary_off_while_an_apply_runs,
        ),
        both(
            "power::postmaster_killed_while_an_apply_runs",
            true,
            postmaster_killed_while_an_apply_runs,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn primary_off_and_back(platform: &Platform) {
    let old = platform.primary();
    platform.drill("power off of the primary's node, and back", |drill| {
        platform.lab.kill(old).unwrap();
        platform.wait_for_failover(&platform.others(old));
        thread::sleep(Duration::from_secs(10));
        platform.lab.start(old, &|_| {}).unwrap();
        drill.write_on(old);
        thread::sleep(Duration::from_secs(10));
        assert_ne!(platform.primary(), old);
        let run = platform.apply();
        println!("    and back: {}", platform.changes(&run).join(", "));
    });
    platform.is_settled();
}

fn redis_primary_off_and_back(platform: &Platform) {
    let old = platform.redis_primary();
    platform.drill("power off of the redis primary's node, and back", |drill| {
        platform.lab.kill(old).unwrap();
        platform.wait("another primary of redis", 60, || {
            platform.redis_primary() != old
        });
        thread::sleep(Duration::from_secs(10));
        platform.lab.start(old, &|_| {}).unwrap();
        drill.write_on(old);
        thread::sleep(Duration::from_secs(10));
        let run = platform.apply();
        println!("    and back: {}", platform.changes(&run).join(", "));
    });
    assert_ne!(platform.redis_primary(), old);
    platform.is_settled();
}

fn all_off_and_on(platform: &Platform) {
    platform.drill("all nodes off, and on", |drill| {
        for name in NODES {
            platform.lab.kill(name).unwrap();
        }
        for name in NODES {
            platform.lab.start(name, &|_| {}).unwrap();
            drill.write_on(name);
        }
        let run = platform.apply();
        println!("    and on: {}", platform.changes(&run).join(", "));
    });
    platform.is_settled();
}

fn primary_off_while_an_apply_runs(platform: &Platform) {
    let old = platform.primary();
    let name = "power off of the primary's node while an apply restarts the servers";
    platform.drill(name, |drill| {
        platform.midway(|| platform.lab.kill(old).unwrap());
        platform.wait_for_failover(&NODES);
        thread::sleep(Duration::from_secs(10));
        platform.lab.start(old, &|_| {}).unwrap();
        drill.write_on(old);
        thread::sleep(Duration::from_secs(10));
        let run = platform.apply();
        println!("    and back: {}", platform.changes(&run).join(", "));
    });
    platform.is_settled();
}

fn postmaster_killed_while_an_apply_runs(platform: &Platform) {
    let old = platform.primary();
    let name = "primary's postmaster killed while an apply restarts the servers";
    platform.drill(name, |_| {
        platform.midway(|| {
            platform
                .node(old)
                .sh("kill -9 $(head -1 /var/lib/postgresql/*/main/postmaster.pid)");
        });
        platform.wait_for_failover(&NODES);
        let run = platform.apply();
        println!("    and then: {}", platform.changes(&run).join(", "));
    });
    platform.is_settled();
}
