//! Nodes of a lab, looked at from inside.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::thread;
use std::time::{Duration, Instant};

use hadeploy::lab::Lab;

/// The name of a lab for these tests. Each checkout has its own, so that two of them can be tested on one machine.
pub fn lab_name(kind: &str, release: u8) -> String {
    let mut hash = DefaultHasher::new();
    env!("CARGO_MANIFEST_DIR").hash(&mut hash);
    std::env::var_os(KEEP).hash(&mut hash);
    format!("{kind}{:04x}-{release}", hash.finish() & 0xffff)
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

/// With this variable the labs stay up at the end, and are used again at the next start with the same value.
const KEEP: &str = "KEEP_LAB";

/// Whether the labs stay up at the end.
pub fn is_kept() -> bool {
    std::env::var_os(KEEP).is_some()
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
