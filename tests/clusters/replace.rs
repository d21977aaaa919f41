//! A node that is lost for good: forgotten by the others, and a bare machine in its place.

use crate::platform::{NODES, Platform};
use crate::{Case, both};

pub fn cases() -> Vec<Case> {
    let mut cases = both("replace::dead_standby", true, dead_standby);
    cases.extend(both(
        "replace::primaries_that_live",
        true,
        primaries_that_live,
    ));
    cases
}

fn dead_standby(platform: &Platform) {
    let primary = platform.primary();
    let lost = platform.others(primary)[1];
    let address = platform.node(lost).address();
    platform.drill(
        "a node is lost, and a bare machine takes its place",
        |drill| {
            platform.lab.kill(lost).unwrap();
            drill.lost(lost);
            // Two are left, which have no failover: not without a word.
            let run = platform.site.order(&["node", "forget", lost]).wait();
            assert_ne!(run.code, 0, "{run}");
            assert!(run.text().contains("--allow-no-failover"), "{run}");
            let rows = "SELECT string_agg(node_name, ' ' ORDER BY node_id) FROM repmgr.nodes";
            assert_eq!(platform.repmgr(primary, rows), NODES.join(" "), "{run}");
            let run = platform.order(&["node", "forget", lost, "--allow-no-failover"]);
            assert_eq!(
                platform.repmgr(primary, rows),
                platform_without(lost).join(" "),
                "{run}"
            );
            let slots = "SELECT count(*) FROM pg_replication_slots";
            assert_eq!(platform.repmgr(primary, slots), "1", "{run}");
            for name in platform_without(lost) {
                let others = platform.redis(name, 26379, "sentinel sentinels mymaster");
                assert!(!others.unwrap().contains(&address), "{name}\n{run}");
            }
            platform.lab.renew(lost, &|_| {}).unwrap();
            let before = platform_without(lost).map(|name| started(platform, name));
            let run = platform.order(&["node", "replace", lost]);
            for (name, before) in platform_without(lost).into_iter().zip(before) {
                assert_eq!(started(platform, name), before, "{name}\n{run}");
            }
            println!("    replaced: {}", platform.changes(&run).join(", "));
        },
    );
    platform.install_writer_on(lost);
    assert_eq!(platform.primary(), primary);
    platform.is_settled();
}

/// The primaries are forgotten while they serve: others take over first. Taken in again, they are members as before, also after a boot.
fn primaries_that_live(platform: &Platform) {
    let name = "the primary of PostgreSQL is forgotten, and taken in again";
    platform.drill(name, |_| {
        let old = platform.primary();
        platform.order(&["node", "forget", old, "--allow-no-failover"]);
        let successor = platform.primary();
        assert_ne!(successor, old);
        platform
            .node(old)
            .sh("! systemctl is-active -q 'postgresql@*' redis-server redis-sentinel");
        let run = platform.apply();
        println!("    taken in again: {}", platform.changes(&run).join(", "));
        platform.lab.kill(old).unwrap();
        platform.lab.start(old, &|_| {}).unwrap();
        let streams = format!(
            "SELECT count(*) FROM pg_stat_replication WHERE application_name = '{old}' AND state = 'streaming'"
        );
        platform.wait("it streams after a boot", 60, || {
            platform.sql(successor, &streams).as_deref() == Some("1")
        });
    });
    platform.is_settled();
    let old = platform.redis_primary();
    platform.order(&["node", "forget", old, "--allow-no-failover"]);
    assert_ne!(platform.redis_primary(), old);
    platform.apply();
    platform.is_settled();
}

fn platform_without(lost: &str) -> [&'static str; 2] {
    let mut left = NODES.into_iter().filter(|name| *name != lost);
    [left.next().unwrap(), left.next().unwrap()]
}

/// When the daemons of both clusters began.
fn started(platform: &Platform, name: &str) -> String {
    platform.node(name).sh(
        "systemctl show -p ActiveEnterTimestampMonotonic postgresql@*-main.service redis-server redis-sentinel pgbouncer",
    )
}
