//! The lab of the cases: three nodes of Debian 12, and one of Debian 13 with a small disk, each brought up when first needed.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use hadeploy::lab::{Lab, Release, Wanted};

/// The name of a release's lab. Each checkout has its own, so that two of them can be tested on one machine.
fn lab_name(release: u8) -> String {
    let mut hash = DefaultHasher::new();
    env!("CARGO_MANIFEST_DIR").hash(&mut hash);
    format!("t{:04x}-{release}", hash.finish() & 0xffff)
}

/// The size of the disk of the node with Debian 13.
pub const SMALL_DISK: u64 = 400 << 20;

/// All labs; those that were needed are up.
pub struct World {
    bookworm: OnceLock<Lab>,
    trixie: OnceLock<Lab>,
}

/// One node, looked at from inside by its console, never by SSH.
#[derive(Clone)]
pub struct Node {
    /// Its lab.
    pub lab: Lab,
    /// Its name: `n1`.
    pub name: String,
}

/// Whether this machine can have a lab.
pub fn is_possible() -> bool {
    let debian = fs::read_to_string("/etc/os-release")
        .is_ok_and(|text| text.lines().any(|line| line == "ID=debian"));
    debian && fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

/// With this variable the labs stay up at the end, and are used again at the next start.
fn is_kept() -> bool {
    std::env::var_os("KEEP_LAB").is_some()
}

impl World {
    /// Nothing is up yet.
    pub fn new() -> World {
        World {
            bookworm: OnceLock::new(),
            trixie: OnceLock::new(),
        }
    }

    /// The lab of a release; brought up at the first call.
    pub fn lab(&self, release: u8) -> &Lab {
        let (slot, wanted) = match release {
            13 => {
                let wanted = Wanted {
                    nodes: 1,
                    release: Some(Release::Trixie),
                    disk: Some(SMALL_DISK),
                    ..Wanted::default()
                };
                (&self.trixie, wanted)
            }
            _ => {
                let wanted = Wanted {
                    nodes: 3,
                    release: Some(Release::Bookworm),
                    ..Wanted::default()
                };
                (&self.bookworm, wanted)
            }
        };
        slot.get_or_init(|| {
            let lab = Lab::open(&lab_name(release)).unwrap();
            if !is_kept() {
                lab.down().unwrap();
            }
            lab.up(&wanted, &|_| {}).unwrap();
            lab
        })
    }

    /// A node with Debian 12.
    pub fn node(&self, name: &str) -> Node {
        Node {
            lab: self.lab(12).clone(),
            name: name.to_owned(),
        }
    }

    /// The first node of a release.
    pub fn first(&self, release: u8) -> Node {
        Node {
            lab: self.lab(release).clone(),
            name: "n1".to_owned(),
        }
    }

    /// Takes all labs down that came up.
    pub fn down(&self) {
        for lab in [&self.bookworm, &self.trixie]
            .into_iter()
            .filter_map(OnceLock::get)
        {
            if !is_kept() {
                lab.down().unwrap();
            }
        }
    }
}

impl Node {
    /// Runs a shell script in the node; gives status, standard output and standard error.
    pub fn try_sh(&self, script: &str) -> (i32, String, String) {
        let ran = self.lab.exec(&self.name, &["sh", "-c", script]).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (ran.status, text(&ran.stdout), text(&ran.stderr))
    }

    /// Runs a shell script that must succeed; gives its standard output without spaces at the end.
    #[track_caller]
    pub fn sh(&self, script: &str) -> String {
        let (status, out, err) = self.try_sh(script);
        assert_eq!(status, 0, "on {}: {script}\n{out}{err}", self.name);
        out.trim_end().to_owned()
    }

    /// Waits until a shell script succeeds.
    #[track_caller]
    pub fn wait_for(&self, script: &str) {
        let start = Instant::now();
        while self.try_sh(script).0 != 0 {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "on {}: waited for {script}",
                self.name
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Where it answers SSH.
    pub fn address(&self) -> String {
        self.lab.address(&self.name).unwrap().to_string()
    }
}
