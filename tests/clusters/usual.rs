//! What every run of the tests does.

use std::thread;
use std::time::Duration;

use crate::platform::{NODES, Platform};
use crate::{Case, both};

pub fn cases() -> Vec<Case> {
    [
        both("usual::bare_nodes_to_running", false, bare_nodes_to_running),
        both("usual::status", false, status),
        both("usual::switchover", false, switchover),
        both("usual::redis_failover", false, redis_failover),
        both("usual::killed_postmaster", false, killed_postmaster),
        both("usual::wiped_standby", false, wiped_standby),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn bare_nodes_to_running(platform: &Platform) {
    platform.is_settled();
    let primary = platform.primary();
    let streaming = platform.sql(
        primary,
        "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'",
    );
    assert_eq!(streaming.as_deref(), Some("2"));
    let replicas = platform.redis(platform.redis_primary(), 6379, "info replication");
    assert!(replicas.unwrap().contains("connected_slaves:2"));
}

fn status(platform: &Platform) {
    let primary = platform.primary();
    let run = platform.order(&["status"]);
    let of = |event: &str| {
        let events = run.events.iter().filter(|it| it["event"] == event);
        events.cloned().collect::<Vec<_>>()
    };
    let nodes = of("node_status");
    let names: Vec<&str> = nodes
        .iter()
        .map(|it| it["host"].as_str().unwrap())
        .collect();
    assert_eq!(names, NODES);
    let mut memory = Vec::new();
    for node in &nodes {
        let services = node["services"].as_array().unwrap();
        let has = |unit: &str| {
            let mut services = services.iter();
            services.any(|it| it["unit"].as_str().unwrap().starts_with(unit))
        };
        for unit in [
            "postgresql@",
            "repmgrd",
            "pgbouncer",
            "hadeploy-pgroute",
            "redis-server",
            "redis-sentinel",
        ] {
            assert!(has(unit), "{unit}\n{run}");
        }
        assert!(services.iter().all(|it| it["state"] == "active"), "{run}");
        assert_eq!(node["pgbouncer"]["node"], primary, "{run}");
        assert_eq!(node["pgroute"]["verdict"], "route", "{run}");
        let mb = node["memory_pss_mb"].as_u64().unwrap();
        assert!((20..1024).contains(&mb), "{run}");
        memory.push(format!("{} {mb} MiB", node["host"].as_str().unwrap()));
    }
    println!("    memory: {}", memory.join(", "));
    let clusters = of("cluster_status");
    assert_eq!(clusters.len(), 2, "{run}");
    for (cluster, first) in clusters.iter().zip([primary, platform.redis_primary()]) {
        assert_eq!(cluster["healthy"], true, "{run}");
        let members = cluster["members"].as_array().unwrap();
        let primaries = members.iter().filter(|it| it["role"] == "primary");
        let primaries: Vec<_> = primaries.map(|it| &it["name"]).collect();
        assert_eq!(primaries, [first], "{run}");
    }
    assert_eq!(clusters[0]["quorum"]["needed"], 1, "{run}");
    assert_eq!(clusters[0]["quorum"]["there"], 2, "{run}");
    for name in NODES {
        assert_eq!(run.count(name, "round_trips"), 1, "{run}");
    }
}

fn switchover(platform: &Platform) {
    let old = platform.primary();
    let look = platform.look();
    let costs = platform.drill("planned switchover", |_| {
        platform.order(&["pg", "switchover"]);
    });
    assert_ne!(platform.primary(), old);
    assert_eq!(costs.pg.refused, 0, "{}", costs.refused.join("\n"));
    // Nobody looks between the pause of the poolers and its end; a look tells how busy this machine is with other things.
    println!(
        "    planned switchover: pause {} ms, one look {look} ms",
        costs.pg.pause
    );
    assert!(
        costs.pg.pause < look.saturating_mul(3).max(3000),
        "{}",
        costs.pg
    );
    platform.is_settled();
}

fn redis_failover(platform: &Platform) {
    let old = platform.redis_primary();
    let costs = platform.drill("planned failover of redis", |_| {
        platform.order(&["redis", "failover"]);
    });
    assert_ne!(platform.redis_primary(), old);
    assert_eq!(costs.redis.lost, 0, "{}", costs.redis);
    assert_eq!(costs.redis.split, 0, "{}", costs.redis);
    platform.is_settled();
}

fn killed_postmaster(platform: &Platform) {
    let old = platform.primary();
    platform.drill("primary's postmaster killed", |_| {
        platform
            .node(old)
            .sh("kill -9 $(head -1 /var/lib/postgresql/*/main/postmaster.pid)");
        platform.wait_for_failover(&platform.others(old));
        thread::sleep(Duration::from_secs(5));
        let run = platform.apply();
        let new = platform.primary();
        let changes = platform.changes(&run);
        assert_eq!(
            changes,
            [
                format!("{old} role standby of {new}"),
                format!("{old} repmgrd running")
            ],
            "{run}"
        );
    });
    platform.is_settled();
}

fn wiped_standby(platform: &Platform) {
    let primary = platform.primary();
    let wiped = platform.others(primary)[0];
    platform.drill("standby wiped", |_| {
        platform.node(wiped).sh(
            "systemctl stop repmgrd postgresql@*.service; rm -rf /var/lib/postgresql/*/main/* /var/lib/postgresql/*/main/.[a-z]*",
        );
        let run = platform.apply();
        for name in NODES.into_iter().filter(|name| *name != wiped) {
            assert_eq!(run.count(name, "changed"), 0, "{run}");
        }
        println!("    standby wiped: {}", platform.changes(&run).join(", "));
    });
    assert_eq!(platform.primary(), primary);
    platform.is_settled();
}
