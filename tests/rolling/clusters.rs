//! Nodes that stop for a while, though they are members of the clusters: their machines restart, PostgreSQL gets another release or settings.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::crowd::{Crowd, SMALL};
use crate::platform::{NODES, Platform, comes_to};
use crate::run::Run;
use crate::writers::Writers;
use crate::{Case, World};

pub fn cases() -> Vec<Case> {
    vec![
        Case::long("clusters::reboot_of_each_node", reboot_of_each_node),
        Case::long("clusters::packages_of_postgresql", packages_of_postgresql),
        Case::long("clusters::not_now", not_now),
    ]
}

/// The site with more tasks, behind those that it has.
fn with_tasks(site: &str, tasks: &str) -> String {
    let last = "    - import_tasks: tasks/running.yml\n";
    assert_eq!(site.matches(last).count(), 1);
    site.replace(last, &format!("{last}{tasks}"))
}

/// Each machine restarts once for a mark.
fn restarting(mark: &str) -> String {
    format!(
        "    - stat:
        path: /var/lib/restarted
      register: restarted
    - name: What was restarted for
      command: cat /var/lib/restarted
      register: mark
      changed_when: false
      check_mode: false
      when: restarted.stat.exists
    - name: The machine restarts
      reboot:
      when: not restarted.stat.exists or mark.stdout != \"{mark}\"
    - name: It was restarted
      copy:
        dest: /var/lib/restarted
        content: \"{mark}\\n\"
"
    )
}

const NEWEST: &str = "    - name: The newest PostgreSQL
      apt: {name: postgresql-15, state: latest}
";

/// PostgreSQL as it is, with a higher number, in a source of the node's own. Its programs are the same: what matters is that they are
/// stopped and started.
const NEWER: &str = r#"set -e; exec 2>&1
rm -rf /srv/repo /etc/apt/sources.list.d/own.list; mkdir -p /srv/repo; cd /srv/repo
apt-get update -qq; apt-get download -qq postgresql-15
dpkg-deb -R postgresql-15_*.deb tree; rm *.deb
sed -i 's/^Version: .*/&+MARK/' tree/DEBIAN/control
dpkg-deb -Zgzip -z1 --root-owner-group -b tree new.deb >/dev/null; rm -r tree
{ dpkg-deb -f new.deb; echo "Filename: ./new.deb"; echo "Size: $(stat -c %s new.deb)"; echo "SHA256: $(sha256sum <new.deb | cut -d ' ' -f 1)"; } >Packages
echo 'deb [trusted=yes] file:/srv/repo ./' >/etc/apt/sources.list.d/own.list
apt-get update -qq
"#;

fn boot(platform: &Platform, name: &str) -> String {
    let node = platform.node(name);
    node.sh("cat /proc/sys/kernel/random/boot_id; stat -c %Y /run/systemd/system")
}

/// A setting that only a restart brings into force: its value now.
fn connections(platform: &Platform) -> u64 {
    let node = platform.node("n1");
    let said = node.sh("runuser -u postgres -- psql -XAtqc 'show max_connections'");
    said.parse().unwrap()
}

/// Rolls under load, while somebody writes on every node that serves: nobody is turned away, nothing is lost.
fn roll_under_load(platform: &Platform, release: &str, words: &[&str]) -> Run {
    let crowd = Crowd::come(&platform.lab, SMALL);
    let writers = Writers::come(platform);
    let mut running = platform.start(release, &[words, &["-e", "health_timeout=90s"]].concat());
    let left = RefCell::new(Vec::<String>::new());
    for _ in NODES {
        running.until("a node leaves", |event| {
            let host = event["host"].as_str().unwrap_or_default();
            let next = event["state"] == "draining" && !left.borrow().iter().any(|it| it == host);
            if next {
                left.borrow_mut().push(host.to_owned());
            }
            next
        });
        let name = left.borrow().last().unwrap().clone();
        writers.end(&name);
        running.until("it is back", comes_to(&name, "attached"));
        writers.start(&name);
    }
    let run = running.wait();
    assert_eq!(run.code, 0, "{run}");
    let written = writers.leave_content();
    let requests = crowd.leave_content();
    platform.is_whole(release);
    let seconds = run.events.last().unwrap()["elapsed_ms"].as_u64().unwrap() / 1000;
    println!(
        "    {requests} requests, 0 failed; {} writes, 0 lost, 0 refused, paused for {} ms at most; {:?}; {seconds} s",
        written.acknowledged,
        written.longest,
        switchovers(&run)
    );
    assert!(written.longest < 15_000, "{} ms\n{run}", written.longest);
    run
}

/// The nodes that were primary when their turn came, and who became it.
fn switchovers(run: &Run) -> Vec<(String, String)> {
    let recap = run.events.last().unwrap()["rollout"].as_array().unwrap();
    let nodes = recap.iter().filter(|node| !node["switchovers"].is_null());
    let of = |node: &serde_json::Value| {
        let host = node["host"].as_str().unwrap().to_owned();
        (host, node["switchovers"].to_string())
    };
    nodes.map(of).collect()
}

/// Replicas went first: no primary moved but for a node that was one.
#[track_caller]
fn replicas_went_first(run: &Run) {
    let moved = switchovers(run);
    assert!((1..=2).contains(&moved.len()), "{run}");
    assert!(
        moved.iter().any(|(_, to)| to.contains("PostgreSQL to")),
        "{run}"
    );
}

/// The same again: nothing is changed, nobody is taken out, no cluster has another primary.
#[track_caller]
fn changes_nothing(platform: &Platform, release: &str, words: &[&str]) {
    let again = platform.roll_well(release, words);
    again.drained_nobody();
    for name in NODES {
        assert_eq!(again.count(name, "changed"), 0, "{again}");
    }
}

fn reboot_of_each_node(world: &World) {
    let platform = world.platform();
    let release = platform.runs();
    let before = connections(platform);
    let setting = format!(
        "{{\"postgresql\": {{\"max_connections\": {}}}}}",
        before + 5
    );
    let words = ["-e", &setting];
    let mark = format!("{}", std::process::id());
    let edited = platform.edit(|site| with_tasks(site, &restarting(&mark)));
    let boots = NODES.map(|name| boot(platform, name));
    let run = roll_under_load(platform, &release, &words);
    for (name, before) in NODES.iter().zip(&boots) {
        assert_ne!(boot(platform, name), *before, "{name}\n{run}");
    }
    assert_eq!(connections(platform), before + 5, "{run}");
    replicas_went_first(&run);
    changes_nothing(platform, &release, &words);
    // Back: what is lowered the primary has first, where it stands.
    let run = platform.roll_well(&release, &[]);
    run.drained_nobody();
    assert_eq!(connections(platform), before, "{run}");
    changes_nothing(platform, &release, &[]);
    drop(edited);
}

fn packages_of_postgresql(world: &World) {
    let platform = world.platform();
    let release = platform.runs();
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mark = seconds.as_secs().to_string();
    for name in NODES {
        platform.node(name).sh(&NEWER.replace("MARK", &mark));
    }
    let edited = platform.edit(|site| with_tasks(site, NEWEST));
    let run = roll_under_load(platform, &release, &[]);
    for name in NODES {
        let has = platform
            .node(name)
            .sh("dpkg-query -W -f '${Version}' postgresql-15");
        assert!(has.ends_with(&mark), "{name} has {has}\n{run}");
    }
    replicas_went_first(&run);
    changes_nothing(platform, &release, &[]);
    drop(edited);
}

/// What is primary and what each server is, by the time it began: whoever is restarted or moved has another one.
fn servers(platform: &Platform, names: &[&str]) -> Vec<String> {
    let of = |name: &&str| {
        let script = "for unit in postgresql@15-main repmgrd redis-server redis-sentinel pgbouncer nginx app@1; do systemctl show -p Id,MainPID --value \"$unit\" | tr '\\n' ' '; done; runuser -u postgres -- psql -XAtqc 'select pg_is_in_recovery()'";
        format!("{name} {}", platform.node(name).sh(script))
    };
    names.iter().map(of).collect()
}

/// A rolling update and its dry run both refuse with these words at the end, before anything is touched.
#[track_caller]
fn is_refused(platform: &Platform, up: &[&str], what: &str, words: &[&str], says: &[&str]) {
    let release = platform.runs();
    let good = platform.good();
    let before = servers(platform, up);
    for dry in [true, false] {
        let more: &[&str] = if dry { &["--dry-run"] } else { &[] };
        let run = platform.roll(&good, &[words, more].concat(), 1);
        println!(
            "    {what}, {}: {}",
            if dry { "a dry run" } else { "in earnest" },
            run.reason()
        );
        run.drained_nobody();
        assert!(
            run.reason().contains("the rolling update was refused"),
            "{run}"
        );
        for word in says {
            assert!(run.reason().contains(word), "{word}: {run}");
        }
        assert_eq!(run.events.last().unwrap()["touched"], false, "{run}");
        assert_eq!(servers(platform, up), before, "{run}");
    }
    assert_eq!(platform.runs(), release);
}

/// The one whose PostgreSQL takes writes.
fn primary(platform: &Platform) -> &'static str {
    let is = |name: &&str| {
        let node = platform.node(name);
        node.try_sh("runuser -u postgres -- psql -XAtqc 'select pg_is_in_recovery()'")
            .1
            == "f\n"
    };
    NODES.into_iter().find(is).unwrap()
}

/// A standby that receives, and replays nothing.
struct Paused<'a>(&'a Platform, &'a str);

impl<'a> Paused<'a> {
    fn new(platform: &'a Platform, name: &'a str) -> Paused<'a> {
        let paused = Paused(platform, name);
        paused.tell("pause");
        paused
    }

    fn tell(&self, word: &str) {
        self.0.node(self.1).sh(&format!(
            "runuser -u postgres -- psql -XAtqc 'select pg_wal_replay_{word}()'"
        ));
    }
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        self.tell("resume");
    }
}

/// While the clusters cannot spare another node, none is taken, and what a dry run foretells is what would be.
fn not_now(world: &World) {
    let platform = world.platform();
    let release = platform.runs();
    let mark = format!("not-now-{}", std::process::id());
    let edited = platform.edit(|site| with_tasks(site, &restarting(&mark)));
    let leader = primary(platform);
    let others: Vec<&str> = NODES.into_iter().filter(|name| *name != leader).collect();
    // All is well: a dry run says whose turn is the last, and who hands over.
    let dry = platform.roll(&release, &["--dry-run"], 0);
    dry.drained_nobody();
    dry.says(&["before it is taken out, a planned switchover of PostgreSQL"]);
    println!("    all is well, a dry run: {}", dry.reason());
    // Somebody paused the replay of a standby, and it lies behind.
    let late = others[1];
    let paused = Paused::new(platform, late);
    let words = format!("the replay of {late} was paused by somebody");
    is_refused(platform, &NODES, "replay paused", &[], &[&words]);
    drop(paused);
    // One of three is off: commits of the others would wait for nobody.
    platform.lab.kill(late).unwrap();
    let up = [leader, others[0]];
    is_refused(platform, &up, "a node off", &[], &[late]);
    let two = ["--max-unavailable", "2"];
    is_refused(platform, &up, "a node off, two may be", &two, &[late]);
    platform.power_on();
    platform.mend();
    drop(edited);
    platform.is_whole(&release);
}
