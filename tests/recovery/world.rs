//! One node, bare again before each disturbance, and the site that is applied to it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use hadeploy::lab::{Lab, Release, Wanted};

use crate::node::{Node, is_kept, lab_name};
use crate::run::{Run, Running, Site};
use crate::{harness, snapshot};

/// What each apply is given. The archive of the release is made on this machine, where another run may be at work.
const WORDS: [&str; 5] = ["apply", "-e", "app_instances=1", "--lock-timeout", "120s"];

/// The lab, and what an undisturbed run came to.
pub struct World {
    /// One node.
    pub lab: Lab,
    site: OnceLock<Site>,
    undisturbed: OnceLock<(Duration, BTreeSet<String>)>,
}

impl harness::World for World {
    fn new() -> World {
        World {
            lab: Lab::open(&lab_name("z", 12)).unwrap(),
            site: OnceLock::new(),
            undisturbed: OnceLock::new(),
        }
    }

    fn down(&self) {
        if !is_kept() && self.site.get().is_some() {
            self.lab.down().unwrap();
        }
    }
}

impl World {
    fn site(&self) -> &Site {
        self.site.get_or_init(|| {
            if !is_kept() {
                self.lab.down().unwrap();
            }
            let wanted = Wanted {
                nodes: 1,
                release: Some(Release::Bookworm),
                ..Wanted::default()
            };
            self.lab.up(&wanted, &|_| {}).unwrap();
            let mut site = Site::new(&self.lab);
            site.patience(Duration::from_secs(400));
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            for folder in ["playbooks", "templates"] {
                let copied = Command::new("cp")
                    .arg("-r")
                    .args([root.join(folder), site.path(folder)])
                    .status();
                assert!(copied.unwrap().success());
            }
            site.playbook(site.path("playbooks/site.yml"));
            site
        })
    }

    /// The node as an undisturbed run leaves it, and about how long another one takes. It is made once.
    fn undisturbed(&self) -> &(Duration, BTreeSet<String>) {
        self.undisturbed.get_or_init(|| {
            let site = self.site();
            let began = Instant::now();
            site.expect(&WORDS, 0);
            // The archive of the release is made on this machine in it, and only once.
            (began.elapsed().mul_f64(0.8), self.snapshot())
        })
    }

    /// About how long an undisturbed run takes.
    pub fn length(&self) -> Duration {
        self.undisturbed().0
    }

    /// A bare machine in place of the node.
    pub fn bare(&self) {
        self.undisturbed();
        self.lab.heal(None).unwrap();
        self.lab.renew("n1", &|_| {}).unwrap();
    }

    /// Starts an apply.
    pub fn start(&self) -> Running {
        self.site().start(&WORDS)
    }

    /// An apply that must succeed.
    #[track_caller]
    pub fn apply(&self) -> Run {
        self.site().expect(&WORDS, 0)
    }

    fn node(&self) -> Node {
        Node {
            lab: self.lab.clone(),
            name: "n1".to_owned(),
        }
    }

    fn snapshot(&self) -> BTreeSet<String> {
        // Leases go back, and units come to rest.
        self.node().wait_for(
            "! ls /run/hadeploy/lease 2>/dev/null && ! systemctl list-jobs --no-legend | grep -q .",
        );
        snapshot::parse(&self.node().sh(snapshot::SCRIPT))
    }

    /// Whether the node is as after an undisturbed run.
    #[track_caller]
    pub fn is_as_undisturbed(&self, what: &str) {
        let differ = snapshot::differences(&self.undisturbed().1, &self.snapshot());
        assert!(differ.is_empty(), "{what}\n{}", differ.join("\n"));
    }

    /// Ends every SSH session of the node, by the process that serves it.
    pub fn end_sessions(&self) {
        self.node().sh("for p in /proc/[0-9]*; do
                words=$(tr '\\0' ' ' <$p/cmdline 2>/dev/null)
                case $words in 'sshd: root'*|'sshd-session: root'*) kill -9 ${p#/proc/};; esac
            done; :");
    }
}
