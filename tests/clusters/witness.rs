//! Two nodes hold the data, and a third one has a voice: what the standby does when the primary is lost, with that voice and without it.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::platform::{Own, Platform};
use crate::run::Run;
use crate::{Case, World};

/// Longer than repmgrd takes to believe that a primary is dead, and to elect another.
const ELECTION: Duration = Duration::from_secs(100);
/// Who is what, as repmgr's table says.
const ROWS: &str = "SELECT string_agg(node_name || ' ' || type || ' ' || active, ', ' ORDER BY node_name) FROM repmgr.nodes";

pub fn cases() -> Vec<Case> {
    let on = |release: u8| {
        Case::long(
            format!("witness::two_and_a_voice_{release}"),
            move |_: &World| two_and_a_voice(&Own(Platform::with_witness(release))),
        )
    };
    [12, 13].into_iter().map(on).collect()
}

fn two_and_a_voice(platform: &Platform) {
    // A lab that was kept may have changed roles; who is the witness never does.
    platform.is_settled();
    assert_eq!(platform.primaries().len(), 1);
    well(platform);
    primary_off_and_back(platform);
    well(platform);
    primary_off_without_the_voice(platform);
    well(platform);
}

/// The standby of the moment.
fn standby(platform: &Platform) -> &'static str {
    let primary = platform.primary();
    if primary == "n1" { "n2" } else { "n1" }
}

/// All is as wanted, and is told so.
fn well(platform: &Platform) {
    let (primary, standby) = (platform.primary(), standby(platform));
    let mut rows = [
        format!("{primary} primary true"),
        format!("{standby} standby true"),
    ];
    rows.sort();
    let rows = format!("{}, n3 witness true", rows.join(", "));
    // The witness has a copy of its own, by which it votes.
    for name in [primary, "n3"] {
        assert_eq!(platform.repmgr(name, ROWS), rows, "{name}");
    }
    for words in [&["pg", "status"][..], &["status"]] {
        let run = platform.order(words);
        let cluster = postgres(&run);
        assert_eq!(cluster["healthy"], true, "{run}");
        assert_eq!(role(cluster, primary), "primary", "{run}");
        assert_eq!(role(cluster, standby), "standby", "{run}");
        assert_eq!(role(cluster, "n3"), "witness", "{run}");
        assert_eq!(cluster["quorum"]["needed"], 0, "{run}");
        assert_eq!(cluster["quorum"]["there"], 1, "{run}");
        let loss = cluster["next_loss"].as_str().unwrap();
        assert!(loss.contains("another takes over"), "{loss}");
        assert!(
            loss.contains("commits of the last moments may be lost"),
            "{loss}"
        );
    }
}

fn postgres(run: &Run) -> &Value {
    let clusters = run.named("cluster_status");
    let mut found = clusters
        .into_iter()
        .filter(|it| it["cluster"] == "postgres");
    found.next().unwrap_or_else(|| panic!("no cluster\n{run}"))
}

fn role<'a>(cluster: &'a Value, name: &str) -> &'a str {
    let members = cluster["members"].as_array().unwrap();
    let member = members.iter().find(|it| it["name"] == name).unwrap();
    member["role"].as_str().unwrap()
}

/// What is said of the cluster while not all of it is there.
fn told(platform: &Platform, what: &str) -> Value {
    let run = platform.site.order(&["pg", "status"]).wait();
    let cluster = postgres(&run).clone();
    println!(
        "    {what}: status {}: {}; next failure: {}",
        run.code,
        cluster["summary"].as_str().unwrap(),
        cluster["next_loss"].as_str().unwrap()
    );
    assert_eq!(cluster["healthy"], false, "{run}");
    cluster
}

fn primary_off_and_back(platform: &Platform) {
    let (old, new) = (platform.primary(), standby(platform));
    let name = "two and a witness: power off of the primary's node, and back";
    platform.drill_without_promise(name, |drill| {
        let start = Instant::now();
        platform.lab.kill(old).unwrap();
        platform.wait_for_failover(&[new]);
        println!(
            "    {new} takes over after {:.1} s",
            start.elapsed().as_secs_f32()
        );
        thread::sleep(Duration::from_secs(10));
        let cluster = told(platform, "the old primary off");
        assert_eq!(role(&cluster, new), "primary");
        platform.lab.start(old, &|_| {}).unwrap();
        drill.write_on(old);
        thread::sleep(Duration::from_secs(10));
        assert_eq!(platform.primary(), new);
        let run = platform.apply();
        println!("    and back: {}", platform.changes(&run).join(", "));
    });
    assert_eq!(platform.primary(), new);
    platform.is_settled();
}

fn primary_off_without_the_voice(platform: &Platform) {
    let (old, other) = (platform.primary(), standby(platform));
    let name = "two and a witness: the witness off, then the primary's node";
    let costs = platform.drill_without_promise(name, |drill| {
        platform.lab.kill("n3").unwrap();
        thread::sleep(Duration::from_secs(10));
        let cluster = told(platform, "the witness off");
        assert_eq!(role(&cluster, old), "primary");
        let loss = cluster["next_loss"].as_str().unwrap();
        assert!(loss.contains("nobody takes over by itself"), "{loss}");
        platform.lab.kill(old).unwrap();
        thread::sleep(ELECTION);
        // One of three is no majority, however long it waits.
        assert_eq!(platform.primaries(), [""; 0]);
        let cluster = told(platform, "the primary off as well");
        let loss = cluster["next_loss"].as_str().unwrap();
        assert!(loss.contains("nothing can be written now"), "{loss}");
        let summary = cluster["summary"].as_str().unwrap();
        assert!(summary.contains("no majority"), "{summary}");
        let run = platform.site.run(&["apply"]);
        println!(
            "    the apply: {} {}",
            run.code,
            run.events.last().unwrap()["reason"]
        );
        assert_ne!(run.code, 0, "{run}");
        assert_eq!(platform.primaries(), [""; 0], "{run}");
        let forget = format!("hadeploy node forget {old}");
        run.says(&["1 of 3 members are in sight, which is no majority", &forget]);
        // The old one is the only one that may be the primary, and the standby's host makes it two of three.
        platform.lab.start(old, &|_| {}).unwrap();
        drill.write_on(old);
        platform.wait("the primary that was", 120, || {
            platform.primaries() == [old]
        });
        platform.lab.start("n3", &|_| {}).unwrap();
        drill.write_on("n3");
        let run = platform.apply();
        println!("    and back: {}", platform.changes(&run).join(", "));
    });
    // Nobody took its place, and it kept its disk.
    assert_eq!(costs.pg.lost, 0, "{}", costs.pg);
    assert_eq!((platform.primary(), standby(platform)), (old, other));
    platform.is_settled();
}
