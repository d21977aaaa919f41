//! The site on three nodes behind a balancer, and what can be seen of it from outside.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hadeploy::lab::{Lab, NodeState, Release, Wanted, visit};
use serde_json::Value;

use crate::node::{Node, is_kept, lab_name};
use crate::run::{Run, Running, Site};

/// The nodes, in the order in which a rolling update takes them.
pub const NODES: [&str; 3] = ["n1", "n2", "n3"];
/// Longer than any of these runs takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// One worker on each node, since each takes its time to be restarted.
const INSTANCES: &str = "app_instances=1";

/// The lab, the project, and the release that runs.
pub struct Platform {
    /// Three nodes and `lb1`.
    pub lab: Lab,
    site: Site,
    /// A release, unpacked: what others are made from.
    model: PathBuf,
    made: AtomicU32,
    runs: Mutex<String>,
}

/// A site that is written otherwise.
pub struct Edited(PathBuf, String);

impl Drop for Edited {
    fn drop(&mut self) {
        fs::write(&self.0, &self.1).unwrap();
    }
}

/// How a node stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The release that its link leads to.
    pub release: String,
    /// Whether its own flag says that it is to leave.
    pub drains: bool,
    /// What the balancer says of it: `UP`, `DRAIN`, `MAINT`, `DOWN`.
    pub balancer: String,
}

impl Platform {
    /// Brings the lab up and the site onto it.
    pub fn new() -> Platform {
        let lab = Lab::open(&lab_name("r", 12)).unwrap();
        if !is_kept() {
            lab.down().unwrap();
        }
        let wanted = Wanted {
            nodes: 3,
            balancer: true,
            release: Some(Release::Bookworm),
            ..Wanted::default()
        };
        lab.up(&wanted, &|_| {}).unwrap();
        let mut site = Site::new(&lab);
        site.patience(PATIENCE);
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for folder in ["playbooks", "templates"] {
            sh(
                "cp -r \"$1\" \"$2\"",
                &[&root.join(folder), &site.path(folder)],
            );
        }
        site.playbook(site.path("playbooks/site.yml"));
        // Archives are made here, one from another: the registry of packages is asked once, and no lease of this machine is taken, which
        // others may want meanwhile.
        let all = fs::read_to_string(site.path("playbooks/tasks/release.yml")).unwrap();
        let build = all.find("- name: Archive of the release\n").unwrap();
        let unpack = all.find("- name: The release, beside").unwrap();
        let own =
            all[..build].to_owned() + &all[unpack..].replace("  when: built is success\n", "");
        assert!(!own.contains("built"), "{own}");
        site.write("playbooks/tasks/release.yml", own);
        let (first, model) = (site.path("model.tar.gz"), site.path("model"));
        let build = site.path("playbooks/files/app/build.sh");
        sh(
            "sh \"$1\" model \"$2\" 2>\"$2.log\" || { cat \"$2.log\" >&2; exit 1; }; tar -xzf \"$2\" -C \"$(dirname \"$2\")\"; rm -rf \"$(dirname \"$1\")/../releases\"; mkdir \"$(dirname \"$1\")/../releases\"",
            &[&build, &first],
        );
        let platform = Platform {
            lab,
            site,
            model,
            made: AtomicU32::new(0),
            runs: Mutex::default(),
        };
        let release = platform.release(|_| {});
        platform.apply(&release);
        platform
    }

    /// Takes the lab down.
    pub fn down(&self) {
        if !is_kept() {
            self.lab.down().unwrap();
        }
    }

    /// A new release of the application, changed by `change` in its folder; gives its name.
    pub fn release(&self, change: impl Fn(&Path)) -> String {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}.{number}", std::process::id());
        let folder = self.site.path(&name);
        sh(
            "cp -r \"$1\" \"$2\"; cd \"$2\"; r=${2##*/}; printf '%s\\n' \"$r\" >RELEASE; sed -i \"s/model/$r/g\" web/index.html; cd web/assets; for f in *.model.*; do mv \"$f\" \"${f%.model.*}.$r.${f##*.}\"; done",
            &[&self.model, &folder],
        );
        change(&folder);
        let archive = self.site.path("playbooks/files/releases");
        sh(
            "cd \"${1%/*}\"; tar --owner=0 --group=0 -czf \"$2/app-${1##*/}.tar.gz\" \"${1##*/}\"; rm -rf \"$1\"",
            &[&folder, &archive],
        );
        name
    }

    /// A release that is as good as the one before.
    pub fn good(&self) -> String {
        self.release(|_| {})
    }

    /// A release whose file begins with other words.
    pub fn with(&self, file: &str, words: &str) -> String {
        self.release(|folder| {
            let path = folder.join(file);
            let text = fs::read_to_string(&path).unwrap();
            fs::write(path, format!("{words}\n{text}")).unwrap();
        })
    }

    /// The release that all nodes ran when they were last seen whole.
    pub fn runs(&self) -> String {
        self.runs.lock().unwrap().clone()
    }

    /// Writes the site otherwise, until what is given back is dropped.
    pub fn edit(&self, change: impl Fn(&str) -> String) -> Edited {
        let path = self.site.path("playbooks/site.yml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, change(&text)).unwrap();
        Edited(path, text)
    }

    fn apply(&self, release: &str) {
        let release_words = format!("app_release={release}");
        let words = ["apply", "-e", &release_words, "-e", INSTANCES];
        let run = self.site.run(&words);
        assert_eq!(run.code, 0, "{run}");
        release.clone_into(&mut self.runs.lock().unwrap());
        self.wait_for_balancer();
    }

    /// Starts a rolling update to a release.
    pub fn start(&self, release: &str, more: &[&str]) -> Running {
        let release = format!("app_release={release}");
        let mut words = vec!["rolling-update", "--yes", "-e", &release, "-e", INSTANCES];
        if !more.iter().any(|word| word.contains("canary_hold")) {
            words.extend(["-e", "canary_hold=2s"]);
        }
        if !more.iter().any(|word| word.contains("health_timeout")) {
            words.extend(["-e", "health_timeout=15s"]);
        }
        words.extend(more);
        self.site.start(&words)
    }

    /// Rolls to a release; the exit status is wanted.
    #[track_caller]
    pub fn roll(&self, release: &str, more: &[&str], code: i32) -> Run {
        let run = self.start(release, more).wait();
        assert_eq!(run.code, code, "{run}");
        run
    }

    /// Rolls to a release: every node has it afterwards, and serves.
    #[track_caller]
    pub fn roll_well(&self, release: &str, more: &[&str]) -> Run {
        let run = self.roll(release, more, 0);
        self.is_whole(release);
        run
    }

    /// A node, looked at from inside.
    pub fn node(&self, name: &str) -> Node {
        Node {
            lab: self.lab.clone(),
            name: name.to_owned(),
        }
    }

    /// How a node stands.
    pub fn standing(&self, name: &str) -> Standing {
        let node = self.node(name);
        let release = node.sh("basename \"$(readlink /srv/app/current)\"");
        let drains = node.try_sh("test -e /run/hadeploy/drain").0 == 0;
        Standing {
            release,
            drains,
            balancer: self.at_balancer(name),
        }
    }

    /// What the balancer says of a node: one word when its backends agree.
    pub fn at_balancer(&self, name: &str) -> String {
        let all = self.node("lb1").try_sh(&format!(
            "echo show stat | socat -t 5 - UNIX-CONNECT:/run/haproxy/admin.sock | awk -F, '$2 == \"{name}\" {{ print $18 }}' | sort -u"
        ));
        all.1.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The node serves this release, asked for on each of its workers, and gets visitors.
    #[track_caller]
    pub fn serves(&self, name: &str, release: &str) {
        let wanted = Standing {
            release: release.to_owned(),
            drains: false,
            balancer: "UP".to_owned(),
        };
        assert_eq!(self.standing(name), wanted, "{name}");
        let node = self.node(name);
        let said = node.sh(
            "bash -c 'exec 3<>/dev/tcp/127.0.0.1/3001; printf \"GET /version HTTP/1.0\\r\\n\\r\\n\" >&3; cat <&3'",
        );
        let version = format!("\"version\":\"{release}\"");
        assert!(said.contains(&version), "{name}: {said}");
        let address = SocketAddr::from((self.lab.address(name).unwrap(), 80));
        assert_eq!(visit(address, "/healthz").unwrap().status, 200, "{name}");
    }

    /// Every node serves this release.
    #[track_caller]
    pub fn is_whole(&self, release: &str) {
        for name in NODES {
            self.serves(name, release);
        }
        release.clone_into(&mut self.runs.lock().unwrap());
    }

    /// Waits until the balancer finds every node healthy.
    #[track_caller]
    pub fn wait_for_balancer(&self) {
        let start = Instant::now();
        while NODES.iter().any(|name| self.at_balancer(name) != "UP") {
            let seen = NODES.map(|name| self.at_balancer(name));
            assert!(start.elapsed() < Duration::from_secs(60), "{seen:?}");
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Boots what is down and waits for it.
    pub fn power_on(&self) {
        for status in self.lab.status().unwrap() {
            if status.state == NodeState::Down {
                self.lab.start(&status.name, &|_| {}).unwrap();
            }
        }
    }

    /// Makes whole what a case that failed has left.
    pub fn mend(&self) {
        let release = self.runs();
        let whole = |name: &str| {
            let standing = self.standing(name);
            let runs = self.node(name).try_sh("systemctl is-active app@1").0 == 0;
            let serves = !standing.drains && standing.balancer == "UP";
            standing.release == release && serves && runs
        };
        let powered = self
            .lab
            .status()
            .unwrap()
            .iter()
            .all(|status| status.state == NodeState::Up);
        if powered && NODES.into_iter().all(whole) {
            return;
        }
        println!("    mending what is not whole");
        self.power_on();
        self.node("lb1").sh("systemctl start haproxy");
        for name in NODES {
            self.node(name).sh("mkdir -p /run/hadeploy; rm -rf /run/hadeploy/lease /run/hadeploy/drain; touch /run/hadeploy/ready; systemctl reset-failed");
            self.node("lb1").sh(&format!(
                "for b in http https; do echo \"set server $b/{name} state ready\" | socat -t 5 - UNIX-CONNECT:/run/haproxy/admin.sock; done"
            ));
        }
        self.node("lb1").sh("rm -rf /run/hadeploy/lease");
        self.apply(&release);
    }
}

/// Whether an event says that a node came to that state.
pub fn comes_to<'a>(name: &'a str, state: &'a str) -> impl Fn(&Value) -> bool + 'a {
    move |event| event["event"] == "node_state" && event["host"] == name && event["state"] == state
}

impl Run {
    /// The states that a node came to, in order; how it was found comes first.
    pub fn states(&self, name: &str) -> Vec<&str> {
        self.named("node_state")
            .into_iter()
            .filter(|event| event["host"] == name)
            .filter_map(|event| event["state"].as_str())
            .collect()
    }

    /// Whether a node was taken out.
    pub fn drained(&self, name: &str) -> bool {
        self.states(name).contains(&"draining")
    }

    /// Nobody was taken out.
    #[track_caller]
    pub fn drained_nobody(&self) {
        for name in NODES {
            assert!(!self.drained(name), "{name}\n{self}");
        }
    }

    /// Why it ended so.
    pub fn reason(&self) -> &str {
        self.events.last().unwrap()["reason"]
            .as_str()
            .unwrap_or_default()
    }
}

#[track_caller]
fn sh(script: &str, paths: &[&Path]) {
    let script = format!("set -e; {script}");
    let ran = Command::new("sh")
        .args(["-c", &script, "sh"])
        .args(paths)
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{script}\n{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}
