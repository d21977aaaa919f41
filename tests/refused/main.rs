//! What hadeploy does not do, and what is broken, is refused before connecting, at its place. The nodes of these tests are a port of this
//! machine that notices whoever comes.

mod constructs;
mod dice;
mod mutation;
mod mutations;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A project whose hosts are a port that notices connections.
pub struct Trap {
    root: tempfile::TempDir,
    port: TcpListener,
}

/// What an apply said.
pub struct Refusal {
    /// The exit status; none after a signal.
    pub status: Option<i32>,
    /// Whether somebody came to the port.
    pub connected: bool,
    /// Errors, in their order.
    pub errors: Vec<Fault>,
    /// Everything else, for people who look for the cause.
    pub text: String,
}

/// One error in the user's files.
pub struct Fault {
    /// From the project's folder.
    pub file: String,
    /// From one on; 0 where it has no line.
    pub line: usize,
    /// What is wrong, and what to do.
    pub words: String,
}

impl Trap {
    pub fn set() -> Trap {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(root.path().join("home")).expect("a folder");
        std::fs::create_dir(root.path().join("work")).expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").expect("a port");
        port.set_nonblocking(true).expect("a port that is asked");
        let number = port.local_addr().expect("its number").port();
        let text = format!(
            "all: {{vars: {{ansible_host: 127.0.0.1, ansible_port: {number}, ansible_user: root}}}}\n"
        );
        std::fs::write(root.path().join("connection.yml"), text).expect("written");
        Trap { root, port }
    }

    /// The project's folder.
    pub fn folder(&self) -> PathBuf {
        self.root.path().join("work")
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(path, text).expect("written");
    }

    /// Applies `site.yml`.
    pub fn apply(&self, words: &[&str]) -> Refusal {
        self.run("apply", words)
    }

    /// Runs a command on `site.yml`.
    pub fn run(&self, command: &str, words: &[&str]) -> Refusal {
        let has = |name: &str| self.folder().join(name).exists();
        let inventory = ["hosts.ini", "inventory.yml"]
            .into_iter()
            .find(|name| has(name))
            .expect("an inventory");
        let mut program = Command::new(env!("CARGO_BIN_EXE_hadeploy"));
        program
            .args([command, "site.yml", "-i", inventory, "-i"])
            .arg(self.root.path().join("connection.yml"))
            .args(words)
            .args(["--output", "json"])
            .current_dir(self.folder())
            .env_clear()
            .env("HOME", self.root.path().join("home"))
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::null());
        let ran = program.output().expect("it runs");
        let stdout = String::from_utf8_lossy(&ran.stdout);
        let errors = stdout
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .filter(|event: &Value| event["event"] == "diagnostic" && event["severity"] == "error")
            .map(|event| Fault::of(&event, &self.folder()))
            .collect();
        Refusal {
            status: ran.status.code(),
            connected: self.port.accept().is_ok(),
            errors,
            text: format!("{stdout}{}", String::from_utf8_lossy(&ran.stderr)),
        }
    }
}

impl Fault {
    fn of(event: &Value, folder: &Path) -> Fault {
        let text = |name: &str| event[name].as_str().unwrap_or_default();
        let file = text("file");
        let own = format!("{}/", folder.display());
        Fault {
            file: file.strip_prefix(&own).unwrap_or(file).to_owned(),
            line: event["line"].as_u64().map_or(0, |line| {
                usize::try_from(line).expect("a line of a small file")
            }),
            words: format!("{} | {} | {}", text("message"), text("label"), text("help")),
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.words)
    }
}
