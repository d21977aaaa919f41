//! The real binary: what it prints, where, and with which exit status. Nothing here connects to a node.

#[path = "cli/ansible_cfg.rs"]
mod ansible_cfg;
#[path = "cli/collections.rs"]
mod collections;
#[path = "cli/completions.rs"]
mod completions;
#[path = "cli/doc.rs"]
mod doc;
#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/errors.rs"]
mod errors;
#[path = "cli/exec.rs"]
mod exec;
#[path = "support/executable.rs"]
mod executable;
#[path = "cli/explain.rs"]
mod explain;
#[path = "cli/history.rs"]
mod history;
#[path = "cli/init.rs"]
mod init;
#[path = "cli/interrupt.rs"]
mod interrupt;
#[path = "cli/listing.rs"]
mod listing;
#[path = "cli/man.rs"]
mod man;
#[path = "cli/pipelines.rs"]
mod pipelines;
#[path = "cli/promise.rs"]
mod promise;
#[path = "cli/rollback.rs"]
mod rollback;
#[path = "cli/run.rs"]
mod run;
#[path = "cli/schema.rs"]
mod schema;
#[path = "cli/ssh.rs"]
mod ssh;
#[path = "cli/terminal.rs"]
mod terminal;
#[path = "cli/usage.rs"]
mod usage;
#[path = "cli/vault.rs"]
mod vault;
#[path = "cli/vault_limit.rs"]
mod vault_limit;

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A folder with files, and a home of its own.
pub struct Sandbox {
    root: tempfile::TempDir,
}

/// What a command left behind.
pub struct Ran {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Sandbox {
    pub fn new(files: &[(&str, &str)]) -> Sandbox {
        let root = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files {
            let path = root.path().join("work").join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            std::fs::write(path, text).expect("a file");
        }
        std::fs::create_dir_all(root.path().join("work")).expect("a folder");
        std::fs::create_dir(root.path().join("home")).expect("a folder");
        Sandbox { root }
    }

    /// A path in the home folder.
    pub fn home(&self, name: &str) -> PathBuf {
        self.root.path().join("home").join(name)
    }

    /// The binary in the folder of the files, with nothing of the caller's environment.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hadeploy"));
        command
            .args(words)
            .current_dir(self.root.path().join("work"))
            .env_clear()
            .env("HOME", self.root.path().join("home"))
            .env("PATH", "/usr/bin:/bin")
            .env("USER", "tester")
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, words: &[&str]) -> Ran {
        Ran::of(self.command(words))
    }
}

impl Ran {
    pub fn of(mut command: Command) -> Ran {
        let output = command.output().expect("the binary runs");
        Ran {
            status: output.status.code().expect("no signal"),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// Standard output as events.
    pub fn events(&self) -> Vec<serde_json::Value> {
        self.stdout
            .lines()
            .map(|line| {
                let event: serde_json::Value = serde_json::from_str(line).expect(line);
                assert_eq!(event["v"], 1, "{line}");
                event
            })
            .collect()
    }
}

/// Two groups, three hosts.
pub const INVENTORY: &str = "all:
  children:
    web:
      hosts:
        n1: {ansible_host: 10.0.0.1, port: 80, db_password: hunter2}
        n2:
    db:
      hosts:
        n3: {ansible_host: 10.0.0.3}
";

/// A play on this machine that changes nothing.
pub const LOCAL: &str = "- name: here
  hosts: localhost
  gather_facts: false
  tasks:
    - name: say it
      debug: {msg: hello}
      tags: [words]
";
