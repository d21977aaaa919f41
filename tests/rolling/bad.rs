//! Bad releases: the first node finds it out, and no visitor does.

use crate::crowd::{Crowd, SMALL};
use crate::platform::{NODES, Platform};
use crate::run::Run;
use crate::{Case, World};

pub fn cases() -> Vec<Case> {
    vec![
        Case::new("bad::does_not_start", does_not_start),
        Case::long("bad::says_that_it_is_not_ready", not_ready),
        Case::long("bad::dies_after_a_while", dies_after_a_while),
        Case::new("bad::migration_fails", migration_fails),
        Case::long("bad::rolled_back", rolled_back),
    ]
}

/// Under load the release stops at the first node, which stays out.
fn stops_at_the_first(platform: &Platform, bad: &str, words: &[&str], more: &[&str]) -> Run {
    let old = platform.runs();
    let crowd = Crowd::come(&platform.lab, SMALL);
    let run = platform.roll(bad, more, 3);
    crowd.leave_content();
    assert!(run.reason().contains("n1"), "{run}");
    assert_eq!(run.states("n1").last(), Some(&"out"), "{run}");
    run.says(words);
    run.says(&["run the same command again", "hadeploy rollback"]);
    let standing = platform.standing("n1");
    assert!(standing.drains && standing.balancer != "UP", "{standing:?}");
    for name in ["n2", "n3"] {
        assert!(!run.drained(name), "{run}");
        platform.serves(name, &old);
    }
    run
}

/// A good release goes on from there: the node that was left out is the first.
fn goes_on(platform: &Platform) {
    let good = platform.good();
    let run = platform.roll_well(&good, &[]);
    assert_eq!(run.states("n1")[0], "out", "{run}");
    let first = run
        .named("node_state")
        .into_iter()
        .find(|event| event["state"] == "draining");
    assert_eq!(first.unwrap()["host"], "n1", "{run}");
}

fn does_not_start(world: &World) {
    let platform = world.platform();
    let bad = platform.with(
        "server.js",
        "console.error('no such setting: COLOUR'); process.exit(1);",
    );
    stops_at_the_first(platform, &bad, &["app@1", "no such setting: COLOUR"], &[]);
    goes_on(platform);
}

fn not_ready(world: &World) {
    let platform = world.platform();
    let bad = platform.release(|folder| {
        let path = folder.join("server.js");
        let text = std::fs::read_to_string(&path).unwrap();
        let new = text.replace("'GET /readyz': async () => {", "'GET /readyz': async () => {\n    throw Object.assign(new Error('cannot reach the moon'), { status: 500 });");
        assert_ne!(text, new);
        std::fs::write(path, new).unwrap();
    });
    let words = [
        "http://127.0.0.1:3001/readyz answers 500",
        "cannot reach the moon",
    ];
    stops_at_the_first(platform, &bad, &words, &[]);
    goes_on(platform);
}

fn dies_after_a_while(world: &World) {
    let platform = world.platform();
    let bad = platform.with(
        "server.js",
        "setTimeout(() => { console.error('out of breath'); process.exit(1); }, 20000);",
    );
    // With the settings as they are.
    let settings = ["-e", "canary_hold=30s", "-e", "health_timeout=60s"];
    let words = ["app@1", "out of breath", "healthy at first, and after"];
    stops_at_the_first(platform, &bad, &words, &settings);
    goes_on(platform);
}

fn migration_fails(world: &World) {
    let platform = world.platform();
    let old = platform.runs();
    let bad = platform.with(
        "migrate.js",
        "if (process.argv.includes('--pending')) { console.log('moons'); process.exit(0); }\n\
         console.error('no such table: moons'); process.exit(1);",
    );
    let run = platform.roll(&bad, &[], 3);
    run.drained_nobody();
    run.says(&["no such table: moons"]);
    assert!(
        run.reason().contains("n1") && run.reason().contains("Tables of the database"),
        "{run}"
    );
    platform.is_whole(&old);
}

fn rolled_back(world: &World) {
    let platform = world.platform();
    let old = platform.runs();
    let bad = platform.with(
        "server.js",
        "if (require('os').hostname() === 'n2') { console.error('not on this one'); process.exit(1); }",
    );
    let crowd = Crowd::come(&platform.lab, SMALL);
    let run = platform.roll(&bad, &["--on-failure", "rollback"], 3);
    crowd.leave_content();
    assert!(
        run.reason()
            .contains("every node has its previous release again"),
        "{run}"
    );
    run.says(&["not on this one"]);
    assert!(
        run.drained("n1") && run.drained("n2") && !run.drained("n3"),
        "{run}"
    );
    platform.is_whole(&old);
    for name in NODES {
        assert!(
            matches!(run.states(name).last(), Some(&"attached" | &"in_service")),
            "{run}"
        );
    }
}
