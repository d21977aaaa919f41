//! Saved plans of clusters: what was planned is done, and where a cluster moved in between nothing is.

use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::platform::{NODES, Platform};
use crate::run::Run;
use crate::{Case, both};

pub fn cases() -> Vec<Case> {
    [
        both("promise::applied_and_moved", true, applied_and_moved),
        both("promise::moved_on_the_way", true, moved_on_the_way),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A setting of PostgreSQL that needs a restart, and one of redis that does not.
fn wanted(connections: u32) -> [String; 2] {
    [
        format!("{{\"postgresql\": {{\"max_connections\": {connections}}}}}"),
        format!(
            "{{\"redis_settings\": {{\"maxmemory-policy\": \"noeviction\", \"slowlog-max-len\": {connections}}}}}"
        ),
    ]
}

/// A saved plan of these settings.
struct Saved<'a> {
    platform: &'a Platform,
    file: String,
    extra: [String; 2],
}

impl<'a> Saved<'a> {
    #[track_caller]
    fn plan(platform: &'a Platform, connections: u32, code: i32) -> Saved<'a> {
        let saved = Saved {
            platform,
            file: platform.site.path("site.plan").display().to_string(),
            extra: wanted(connections),
        };
        let [one, two] = &saved.extra;
        let file = &saved.file;
        let words = ["plan", "--out", file, "--detailed-exitcode"];
        let words = [&words[..], &["-e", one, "-e", two]].concat();
        platform.site.expect(&words, code);
        saved
    }

    fn words(&self) -> Vec<&str> {
        let [one, two] = &self.extra;
        vec!["apply", "--from", &self.file, "-e", one, "-e", two]
    }

    /// It is applied, and a plan made anew finds nothing left.
    #[track_caller]
    fn is_applied(&self) -> Run {
        let run = self.platform.site.expect(&self.words(), 0);
        let [one, two] = &self.extra;
        let again = self
            .platform
            .site
            .expect(&["plan", "-e", one, "-e", two, "--detailed-exitcode"], 0);
        assert!(again.with("changed").is_empty(), "{again}");
        run
    }

    /// It is refused, and no server is another one afterwards; gives what moved.
    #[track_caller]
    fn is_refused(&self) -> (Run, Vec<String>) {
        let before = self.platform.servers();
        let run = self.platform.site.expect(&self.words(), 1);
        let last = run.events.last().unwrap();
        assert_eq!(last["touched"], false, "{run}");
        assert_eq!(self.platform.servers(), before, "{run}");
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let moved = run.named("plan_moved").into_iter().map(|it| {
            let words = ["host", "task", "field", "planned", "now"];
            words.map(|word| text(&it[word])).join(" | ")
        });
        let moved = moved.collect();
        (run, moved)
    }
}

impl Platform {
    /// The processes of all servers that are up, and the files of their settings.
    fn servers(&self) -> Vec<String> {
        let on = |name: &str| {
            self.node(name).try_sh(
                "for unit in postgresql@*.service redis-server redis-sentinel; do systemctl show -p Id,MainPID --value \"$unit\"; done
                 cat /etc/postgresql/*/main/conf.d/*.conf /etc/redis/redis.conf | sha256sum",
            )
        };
        let up = self.up_nodes().into_iter();
        up.map(|name| format!("{name} {}", on(name).1)).collect()
    }

    /// What the primary says of its connections.
    fn connections(&self) -> String {
        self.sql(self.primary(), "SHOW max_connections")
            .unwrap_or_default()
    }
}

fn applied_and_moved(platform: &Platform) {
    let old = platform.primary();
    let saved = Saved::plan(platform, 90, 2);
    let run = saved.is_applied();
    for name in NODES {
        assert_eq!(run.on(name, "PostgreSQL")["status"], "changed", "{run}");
    }
    // The primary hands over on the way, and is restarted as a standby.
    assert_ne!(platform.primary(), old);
    assert_eq!(platform.connections(), "90");
    // What was done is no longer pending.
    saved.is_refused();

    // Nothing is pending, and nothing moved.
    let idle = Saved::plan(platform, 90, 0);
    idle.is_applied();

    // The restarts would come in another order, since the primary has its own place in it.
    let saved = Saved::plan(platform, 80, 2);
    let old = platform.primary();
    platform.order(&["pg", "switchover"]);
    let new = platform.primary();
    assert_ne!(new, old);
    let (run, moved) = saved.is_refused();
    assert_eq!(
        moved[0],
        format!("- | PostgreSQL | primary | {old} | {new}"),
        "{run}"
    );
    run.says(&["the plan no longer holds"]);
    assert_eq!(platform.connections(), "90");

    let saved = Saved::plan(platform, 80, 2);
    let old = platform.redis_primary();
    platform.order(&["redis", "failover"]);
    let new = platform.redis_primary();
    assert_ne!(new, old);
    let (run, moved) = saved.is_refused();
    assert_eq!(
        moved[0],
        format!("- | redis | primary | {old} | {new}"),
        "{run}"
    );

    // Also where nothing of the cluster is pending, so that only this tells.
    let idle = Saved::plan(platform, 90, 0);
    platform.order(&["pg", "switchover"]);
    let (run, moved) = idle.is_refused();
    assert_eq!(moved.len(), 1, "{run}");

    // A server is down, then its whole node.
    let saved = Saved::plan(platform, 80, 2);
    let standby = platform.others(platform.primary())[0];
    platform
        .node(standby)
        .sh("systemctl stop repmgrd postgresql@*.service");
    let (run, moved) = saved.is_refused();
    assert_eq!(
        moved[0],
        format!("{standby} | PostgreSQL | server | running | stopped standby"),
        "{moved:?}\n{run}"
    );
    platform.lab.kill(standby).unwrap();
    let (run, moved) = saved.is_refused();
    assert!(moved.is_empty(), "{moved:?}");
    assert_eq!(run.named("host_unreachable").len(), 1, "{run}");
    run.says(&[standby]);
    platform.lab.start(standby, &|_| {}).unwrap();
    platform.apply();
    platform.is_settled();
}

/// It moves while the plan is applied, behind the comparison and before the cluster's turn.
fn moved_on_the_way(platform: &Platform) {
    let go = "/run/go-on";
    let hold = format!(
        "- name: Hold\n  hosts: {}\n  become: true\n  gather_facts: false\n  tasks:\n    - name: hold\n      command: timeout 120 sh -c 'until test -e {go}; do sleep 0.2; done'\n",
        NODES[0]
    );
    let clusters = platform.site.path("playbooks/clusters.yml");
    let text = fs::read_to_string(&clusters).unwrap();
    platform
        .site
        .write("playbooks/clusters.yml", format!("{hold}{text}"));
    let node = platform.node(NODES[0]);
    node.sh(&format!("rm -f {go}"));
    let saved = Saved::plan(platform, 90, 2);
    let old = platform.primary();
    let before = platform.connections();
    let mut running = platform.site.start(&saved.words());
    running.until("the hold", |event| {
        event["event"] == "play_started" && event["play"] == "Hold"
    });
    node.wait_for("pgrep -f 'until test -e'");
    // Beside a run that holds the leases nobody gives an order; so the primary is killed.
    platform
        .node(old)
        .sh("kill -9 $(head -1 /var/lib/postgresql/*/main/postmaster.pid)");
    platform.wait_for_failover(&platform.others(old));
    let new = platform.primaries();
    thread::sleep(Duration::from_secs(2));
    node.sh(&format!("touch {go}"));
    let run = running.wait();
    fs::write(&clusters, text).unwrap();
    assert_eq!(run.code, 3, "{run}");
    assert!(!new.contains(&old), "{new:?}");
    run.says(&["moved since the plan was made: primary: planned"]);
    assert!(platform.changes(&run).is_empty(), "{run}");
    platform.apply();
    assert_eq!(platform.connections(), before);
    platform.is_settled();
}
