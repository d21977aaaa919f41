//! Whole updates under load: no visitor notices.

use std::time::Instant;

use crate::crowd::{Crowd, LARGE, SMALL, Size};
use crate::platform::{NODES, Platform};
use crate::run::Run;
use crate::{Case, World};

pub fn cases() -> Vec<Case> {
    vec![
        Case::new("full::haproxy", |world| {
            update(world, SMALL, &["-e", "nginx_open_files=16384"], 10_000);
        }),
        Case::long("full::readiness", |world| {
            update(world, SMALL, READINESS, 5_000);
        }),
        Case::long("full::haproxy_with_all_visitors", |world| {
            let words = [&["-e", "nginx_open_files=12288"], PLAYBOOKS].concat();
            update(world, LARGE, &words, 100_000);
        }),
        Case::long("full::readiness_with_all_visitors", |world| {
            let words = [READINESS, PLAYBOOKS].concat();
            update(world, LARGE, &words, 100_000);
        }),
    ]
}

/// The balancer is told nothing: it finds out by its own checks.
const READINESS: &[&str] = &[
    "-e",
    "{\"balancer\": \"readiness\"}",
    "-e",
    "nginx_open_files=10240",
];

/// The patience that the playbooks have by themselves, where other cases are in a hurry.
const PLAYBOOKS: &[&str] = &["-e", "canary_hold=30s", "-e", "health_timeout=60s"];

/// Milliseconds of all parts of all nodes.
fn parts(run: &Run) -> f64 {
    let recap = run.events.last().unwrap()["rollout"].as_array().unwrap();
    let each = recap.iter().flat_map(|node| {
        ["drain_ms", "update_ms", "check_ms"].map(|part| node[part].as_f64().unwrap())
    });
    each.sum()
}

fn update(world: &World, size: Size, words: &[&str], requests: u64) {
    let platform = world.platform();
    let release = platform.good();
    let crowd = Crowd::come(&platform.lab, size);
    let mut running = platform.start(&release, words);
    running.until("the first drain", |event| event["state"] == "draining");
    let begun = Instant::now();
    running.until("the last attach", |event| {
        event["host"] == "n3" && event["state"] == "attached"
    });
    let took = begun.elapsed().as_secs_f64();
    let run = running.wait();
    assert_eq!(run.code, 0, "{run}");
    // Visitors that come afterwards are served too.
    std::thread::sleep(std::time::Duration::from_secs(2));
    let made = crowd.leave_content();
    platform.is_whole(&release);
    let parts = parts(&run) / 1000.0;
    let all = run.events.last().unwrap()["elapsed_ms"].as_f64().unwrap() / 1000.0;
    println!(
        "    {made} requests; {took:.1} s from the first drain, {all:.1} s in all, {parts:.1} s of parts"
    );
    for name in NODES {
        let all = [
            "in_service",
            "draining",
            "drained",
            "updating",
            "checking",
            "attached",
        ];
        assert_eq!(run.states(name), all, "{run}");
        let recap = run.events.last().unwrap()["rollout"].as_array().unwrap();
        let node = recap.iter().find(|node| node["host"] == name).unwrap();
        assert_eq!(node["connections_stayed"], 0, "{run}");
    }
    assert!(made >= requests, "{made} requests");
    assert!(
        took <= parts * 1.05,
        "{took:.1} s for {parts:.1} s of parts\n{run}"
    );
    changes_nothing(platform, &release, words);
}

/// The same again: nothing is changed, and nobody taken out.
fn changes_nothing(platform: &Platform, release: &str, words: &[&str]) {
    let again = platform.roll_well(release, words);
    again.drained_nobody();
    for name in NODES {
        assert_eq!(again.count(name, "changed"), 0, "{again}");
        assert_eq!(again.states(name), ["in_service"], "{again}");
    }
}
