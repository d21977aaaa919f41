//! Both clusters on three nodes, with a pooler on each.

use std::fs;
use std::ops::Deref;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hadeploy::lab::{Lab, NodeState, Release, Wanted};

use crate::node::{Node, is_kept, lab_name};
use crate::run::{Run, Running, Site};

/// The nodes.
pub const NODES: [&str; 3] = ["n1", "n2", "n3"];
/// The play with which the clusters begin.
const AUTHORITY: &str = "- name: Who has the certificate authority\n";
/// Longer than any of these runs takes.
const PATIENCE: Duration = Duration::from_secs(500);

/// The lab and the project.
pub struct Platform {
    /// Three nodes.
    pub lab: Lab,
    /// What brings them up.
    pub site: Site,
    drills: AtomicU32,
}

/// A platform of one case alone, which goes with it.
pub struct Own(pub Platform);

impl Deref for Own {
    type Target = Platform;

    fn deref(&self) -> &Platform {
        &self.0
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.0.down();
    }
}

impl Platform {
    /// Brings a lab up, and the clusters onto it.
    pub fn new(release: u8) -> Platform {
        let lab = up("k", release, None);
        let site = site(&lab, AUTHORITY);
        Platform::begin(lab, site, release)
    }

    /// Two nodes that hold data, and a third one that only has a voice.
    pub fn with_witness(release: u8) -> Platform {
        let lab = up("w", release, None);
        let mut site = site(&lab, AUTHORITY);
        let inventory = fs::read_to_string(lab.inventory().unwrap()).unwrap();
        let data = "        n2:\n        n3:\n    lb:\n";
        assert!(inventory.contains(data), "{inventory}");
        let witness = "        n2:\n    pg_witness:\n      hosts:\n        n3:\n    lb:\n";
        site.inventory(&inventory.replace(data, witness));
        Platform::begin(lab, site, release)
    }

    /// Three nodes with so many bytes of disk each.
    pub fn with_disk(release: u8, bytes: u64) -> Platform {
        let lab = up("d", release, Some(bytes));
        let site = site(&lab, AUTHORITY);
        Platform::begin(lab, site, release)
    }

    fn begin(lab: Lab, site: Site, release: u8) -> Platform {
        let platform = Platform {
            lab,
            site,
            drills: AtomicU32::new(0),
        };
        let start = Instant::now();
        let run = platform.apply();
        println!(
            "    bare nodes of Debian {release} to running clusters: {:.0} s, {}",
            start.elapsed().as_secs_f32(),
            run.events.last().unwrap()["reason"].as_str().unwrap()
        );
        platform.install_writer();
        platform
    }

    /// Takes the lab down.
    pub fn down(&self) {
        if !is_kept() {
            self.lab.down().unwrap();
        }
    }

    /// A number that no other drill has.
    pub fn number(&self) -> String {
        let number = self.drills.fetch_add(1, Ordering::Relaxed);
        format!("{}x{number}", std::process::id())
    }

    /// An apply that must succeed.
    #[track_caller]
    pub fn apply(&self) -> Run {
        self.site.expect(&["apply"], 0)
    }

    /// Another apply finds nothing to do.
    #[track_caller]
    pub fn is_settled(&self) {
        let run = self.apply();
        for name in NODES {
            assert_eq!(run.count(name, "changed"), 0, "{name}\n{run}");
        }
    }

    /// An order to a cluster that must succeed.
    #[track_caller]
    pub fn order(&self, words: &[&str]) -> Run {
        let run = self.site.order(words).wait();
        assert_eq!(run.code, 0, "{run}");
        run
    }

    /// Starts an apply.
    pub fn start(&self, words: &[&str]) -> Running {
        self.site.start(&[&["apply"], words].concat())
    }

    /// Something happens while an apply restarts the servers for a setting, one after the other; says how that apply ended.
    pub fn midway(&self, happens: impl FnOnce()) {
        let mut running = self.start(&["-e", "{\"postgresql\": {\"max_connections\": 90}}"]);
        running.until("the databases' turn", |event| {
            event["event"] == "play_started" && event["play"] == "Databases"
        });
        thread::sleep(Duration::from_secs(4));
        happens();
        let run = running.wait();
        println!(
            "    the apply: {} {}; it changed {}",
            run.code,
            run.events.last().unwrap()["reason"],
            self.changes(&run).join(", ")
        );
    }

    /// A node, looked at from inside.
    pub fn node(&self, name: &str) -> Node {
        Node {
            lab: self.lab.clone(),
            name: name.to_owned(),
        }
    }

    /// What a query to the server of a node gives; nothing when it does not answer.
    pub fn sql(&self, name: &str, query: &str) -> Option<String> {
        let command =
            format!("cd /; timeout 10 runuser -u postgres -- psql -XAtq -d appdb -c \"{query}\"");
        let (status, out, _) = self.node(name).try_sh(&command);
        (status == 0).then(|| out.trim_end().to_owned())
    }

    /// What repmgr's database on a node says to a query.
    pub fn repmgr(&self, name: &str, query: &str) -> String {
        self.node(name).sh(&format!(
            "cd /; runuser -u postgres -- psql -XAtq -d repmgr -c \"{query}\""
        ))
    }

    /// Words to the redis of a node, or on port 26379 to its sentinel.
    pub fn redis(&self, name: &str, port: u16, words: &str) -> Option<String> {
        let command = format!(
            ". /etc/drill; REDISCLI_AUTH=$redis_password timeout 10 redis-cli $tls -p {port} {words}"
        );
        let (status, out, _) = self.node(name).try_sh(&command);
        (status == 0).then(|| out.trim_end().to_owned())
    }

    /// The nodes that have power.
    pub fn up_nodes(&self) -> Vec<&'static str> {
        let status = self.lab.status().unwrap();
        let down = |name: &str| {
            status
                .iter()
                .any(|it| it.name == name && it.state == NodeState::Down)
        };
        NODES.into_iter().filter(|name| !down(name)).collect()
    }

    /// The nodes whose PostgreSQL takes itself for the primary.
    pub fn primaries(&self) -> Vec<&'static str> {
        let mut nodes = self.up_nodes();
        nodes.retain(|name| self.sql(name, "SELECT pg_is_in_recovery()").as_deref() == Some("f"));
        nodes
    }

    /// The one primary of PostgreSQL.
    #[track_caller]
    pub fn primary(&self) -> &'static str {
        let primaries = self.primaries();
        assert_eq!(primaries.len(), 1, "{primaries:?}");
        primaries[0]
    }

    /// The primary of redis, as most sentinels say.
    pub fn redis_primary(&self) -> &'static str {
        let said: Vec<String> = self
            .up_nodes()
            .into_iter()
            .filter_map(|name| self.redis(name, 26379, "sentinel get-master-addr-by-name mymaster"))
            .filter_map(|said| said.lines().next().map(str::to_owned))
            .collect();
        let votes = |name: &&str| {
            let address = self.node(name).address();
            said.iter().filter(|it| **it == address).count()
        };
        NODES.into_iter().max_by_key(votes).unwrap()
    }

    /// The nodes but this one.
    pub fn others(&self, name: &str) -> Vec<&'static str> {
        NODES.into_iter().filter(|other| *other != name).collect()
    }

    /// Waits until something is so.
    #[track_caller]
    pub fn wait(&self, what: &str, seconds: u64, is: impl Fn() -> bool) {
        let start = Instant::now();
        while !is() {
            assert!(
                start.elapsed() < Duration::from_secs(seconds),
                "{what}: not within {seconds} s"
            );
            thread::sleep(Duration::from_millis(300));
        }
    }

    /// Waits until PostgreSQL has a primary among these that was none before.
    #[track_caller]
    pub fn wait_for_failover(&self, among: &[&str]) {
        let begun = Instant::now();
        while !self.primaries().iter().any(|name| among.contains(name)) {
            assert!(
                begun.elapsed() < Duration::from_secs(180),
                "another primary of PostgreSQL: not within 180 s\n{}",
                self.elections()
            );
            thread::sleep(Duration::from_millis(300));
        }
    }

    /// What repmgrd says of the last election on each node that is up.
    pub fn elections(&self) -> String {
        let words = "journalctl -u repmgrd --no-pager -o cat -n 60 | grep -v 'executing notification\\|command is\\|pg-event' | cut -c1-200";
        let up = self.up_nodes().into_iter();
        up.map(|name| format!("-- {name}\n{}\n", self.node(name).try_sh(words).1))
            .collect()
    }

    /// Boots what is down.
    pub fn power_on(&self) {
        let up = self.up_nodes();
        for name in NODES.into_iter().filter(|name| !up.contains(name)) {
            self.lab.start(name, &|_| {}).unwrap();
        }
    }

    /// Makes whole what a case that failed has left.
    pub fn mend(&self) {
        self.lab.heal(None).unwrap();
        self.power_on();
        for _ in 0..3 {
            let run = self.site.run(&["apply"]);
            if run.code == 0 {
                return;
            }
            println!("    mending: {}", run.events.last().unwrap()["reason"]);
            let text = run.text();
            let held = |name: &&str| text.contains(&format!("`rejoin {name}`"));
            let _ = match NODES.into_iter().find(held) {
                Some(name) => self.site.order(&["pg", "rejoin", name]).wait(),
                None => self.site.order(&["pg", "repair"]).wait(),
            };
        }
        self.apply();
    }

    fn install_writer(&self) {
        for name in NODES {
            self.install_writer_on(name);
        }
        let pooler = self.node(NODES[0]);
        pooler.sh("cd /; . /etc/drill; PGPASSWORD=$app_password timeout 60 psql -XAtq -h 127.0.0.1 -p 6432 -U app -d appdb -c 'CREATE TABLE IF NOT EXISTS drill (who text, number bigint)' 2>&1");
    }

    /// What writes on a node in drills.
    pub fn install_writer_on(&self, name: &str) {
        let inventory = fs::read_to_string(self.lab.inventory().unwrap()).unwrap();
        let password = |name: &str| {
            let line = inventory
                .lines()
                .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "));
            line.unwrap().to_owned()
        };
        let settings = format!(
            "app_password={}\nredis_password={}\ntls='--tls --cacert /etc/hadeploy/tls/ca.crt'\n",
            password("db_app_password"),
            password("redis_password")
        );
        self.node(name).sh(&format!(
                "mkdir -p /var/lib/drill; rm -f /var/lib/drill/*; cat >/etc/drill <<'_END'\n{settings}_END\ncat >/var/lib/drill/writer <<'_END'\n{}_END\n",
                include_str!("writer.sh")
            ));
    }
}

/// A lab of three bare nodes, each with so many bytes of disk.
pub fn up(kind: &str, release: u8, disk: Option<u64>) -> Lab {
    let lab = Lab::open(&lab_name(kind, release)).unwrap();
    if !is_kept() {
        lab.down().unwrap();
    }
    let wanted = Wanted {
        nodes: 3,
        release: Some(match release {
            13 => Release::Trixie,
            _ => Release::Bookworm,
        }),
        disk,
        ..Wanted::default()
    };
    lab.up(&wanted, &|_| {}).unwrap();
    lab
}

/// The plays of the site from that line on, without the web server and the application.
pub fn site(lab: &Lab, from: &str) -> Site {
    let mut site = Site::new(lab);
    site.patience(PATIENCE);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["playbooks", "templates"] {
        let copied = Command::new("cp")
            .arg("-r")
            .args([root.join(folder), site.path(folder)])
            .status();
        assert!(copied.unwrap().success());
    }
    let all = fs::read_to_string(site.path("playbooks/site.yml")).unwrap();
    let begin = all.find(from).unwrap();
    let end = all.find("- name: Platform nodes\n").unwrap();
    site.write("playbooks/clusters.yml", &all[begin..end]);
    // A former member that an operator says is gone for good.
    let redis = fs::read_to_string(site.path("playbooks/tasks/redis.yml")).unwrap();
    let forget =
        redis.trim_end().to_owned() + "\n    forget: \"{{ redis_forget | default(omit) }}\"\n";
    site.write("playbooks/tasks/redis.yml", forget);
    site.playbook(site.path("playbooks/clusters.yml"));
    site
}

impl Platform {
    /// What a run changed of the clusters, `n1 server standby`: the member, what differed, and what it became. In the members' order.
    pub fn changes(&self, run: &Run) -> Vec<String> {
        let clusters = ["postgres_cluster", "redis_cluster"];
        let mut changes = Vec::new();
        for task in run
            .tasks()
            .filter(|task| clusters.iter().any(|kind| task["kind"] == *kind))
        {
            for change in task["changes"].as_array().unwrap() {
                let word = |name: &str| change[name].as_str().unwrap_or_default().to_owned();
                changes.push(
                    format!(
                        "{} {} {}",
                        task["host"].as_str().unwrap(),
                        word("field"),
                        word("after")
                    )
                    .trim_end()
                    .to_owned(),
                );
            }
        }
        changes.sort_by_key(|change| change[..2].to_owned());
        changes
    }
}

impl Platform {
    /// How long it takes to look at all members of PostgreSQL once, from the start of the program to its end, in milliseconds.
    pub fn look(&self) -> u64 {
        let start = Instant::now();
        self.order(&["pg", "status"]);
        start.elapsed().as_millis() as u64
    }
}
