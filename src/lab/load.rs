//! Visitors of a site, at a known rate, and what went wrong for them. Made by wrk, from Debian's packages.

use std::fmt;
use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::Deserialize;

use super::error::{At, LabError};
use super::host::write_whole;
use super::machine::{self, tool};
use super::name::ROOT;
use super::{DOMAIN, Say};
use crate::process::ProcessError;

const SCRIPT: &str = include_str!("load.lua");
/// An answer that takes longer has failed; the slowest that is asked for takes 10 s.
const PATIENCE: Duration = Duration::from_secs(30);

/// How visitors use their connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// They ask again and again on one connection.
    Keep,
    /// They make a connection for each request.
    Close,
    /// They ask for answers that take ten seconds.
    Slow,
}

/// Visitors who come over TLS, all at the same time.
#[derive(Debug, Clone)]
pub struct Visitors {
    /// Where they go: the balancer, or a node.
    pub address: SocketAddr,
    /// How they use their connections.
    pub manner: Manner,
    /// How many connections they hold.
    pub connections: u16,
    /// How long each waits between an answer and its next request, about.
    pub pause: Duration,
    /// When they go home by themselves.
    pub time: Duration,
}

/// Visitors who are there now. They go when this is dropped.
#[derive(Debug)]
pub struct Visit {
    child: Child,
    told: Option<JoinHandle<String>>,
}

/// What visitors saw.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Load {
    /// Answers.
    pub requests: u64,
    /// Answers with a status above 399.
    pub status: u64,
    /// Connections that could not be made.
    pub connect: u64,
    /// Connections that ended before their answer.
    pub read: u64,
    /// Requests that could not be sent.
    pub write: u64,
    /// Answers that took too long.
    pub timeout: u64,
    /// Milliseconds in which half of the answers came.
    pub p50: f64,
    /// Milliseconds in which 99 of 100 answers came.
    pub p99: f64,
    /// Milliseconds of the slowest answer.
    pub longest: f64,
    /// The nodes that answered, in words.
    hosts: String,
}

impl Manner {
    fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Close => "close",
            Self::Slow => "slow",
        }
    }
}

impl Visitors {
    /// Sends them, after installing what makes them where it is missing.
    ///
    /// # Errors
    /// The program is missing and cannot be installed, or does not start.
    pub fn start(&self, say: Say) -> Result<Visit, LabError> {
        machine::install(&[("wrk", "wrk")], say)?;
        let script = Path::new(ROOT).join(".load.lua");
        fs::create_dir_all(ROOT).at(Path::new(ROOT))?;
        write_whole(&script, SCRIPT)?;
        let mut child = Command::new("wrk")
            .args(["--threads", "1", "--connections"])
            .arg(self.connections.to_string())
            .arg(format!("--duration={}s", self.time.as_secs().max(1)))
            .arg(format!("--timeout={}s", PATIENCE.as_secs()))
            .arg("--script")
            .arg(&script)
            .arg(format!("https://{DOMAIN}"))
            .env("LOAD_ADDRESS", self.address.ip().to_string())
            .env("LOAD_PORT", self.address.port().to_string())
            .env("LOAD_MANNER", self.manner.word())
            .env("LOAD_PAUSE", self.pause.as_millis().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| ProcessError::Start {
                program: "wrk".into(),
                source,
            })?;
        let told = child.stdout.take().map(|mut pipe| {
            thread::spawn(move || {
                let mut text = String::new();
                // What came before a read error is still worth showing.
                let _ = pipe.read_to_string(&mut text);
                text
            })
        });
        Ok(Visit { child, told })
    }
}

impl Visit {
    /// Sends them home now; gives what they saw. What is being answered at this moment counts neither as good nor as bad.
    ///
    /// # Errors
    /// They said nothing.
    pub fn end(self) -> Result<Load, LabError> {
        let own = self.child.id().to_string();
        // It may have ended by itself.
        tool("sh")
            .args(["-c", "kill -INT \"$1\" 2>/dev/null || :", "sh", &own])
            .check()?;
        self.wait()
    }

    /// Waits until they go home by themselves; gives what they saw.
    ///
    /// # Errors
    /// They said nothing.
    pub fn wait(mut self) -> Result<Load, LabError> {
        let told = self.told.take().and_then(|told| told.join().ok());
        let told = told.unwrap_or_default();
        Load::read(&told).ok_or_else(|| LabError::NoLoad(told.trim().into()))
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        // Mostly it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Load {
    /// How many requests got no good answer.
    pub fn failed(&self) -> u64 {
        self.status + self.connect + self.read + self.write + self.timeout
    }

    /// The nodes that answered, by name.
    pub fn hosts(&self) -> Vec<&str> {
        let mut hosts: Vec<&str> = self.hosts.split_whitespace().collect();
        hosts.sort_unstable();
        hosts
    }

    fn read(told: &str) -> Option<Self> {
        told.lines()
            .rev()
            .find_map(|line| serde_json::from_str(line).ok())
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} requests, {} failed", self.requests, self.failed())?;
        if self.failed() > 0 {
            write!(
                f,
                " ({} bad statuses, {} without connection, {} cut, {} not sent, {} too late)",
                self.status, self.connect, self.read, self.write, self.timeout
            )?;
        }
        write!(f, "; half within {:.1} ms", self.p50)?;
        write!(f, ", 99 % within {:.1} ms", self.p99)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_script_prints() {
        let told = "Running 5s test @ https://www.example.com\n  1 threads and 100 connections\n\
            Requests/sec:     88.91\n\
            {\"requests\":453,\"status\":2,\"connect\":3,\"read\":4,\"write\":5,\"timeout\":6,\"p50\":1.686,\"p99\":24.052,\"longest\":52.058,\"hosts\":\"n3 n1\"}\n";
        let load = Load::read(told).unwrap();
        assert_eq!((load.requests, load.failed()), (453, 20));
        assert_eq!(load.hosts(), ["n1", "n3"]);
        assert_eq!(
            load.to_string(),
            "453 requests, 20 failed (2 bad statuses, 3 without connection, 4 cut, 5 not sent, 6 too late); \
             half within 1.7 ms, 99 % within 24.1 ms"
        );
    }

    #[test]
    fn nothing_seen_is_no_load() {
        assert_eq!(
            Load::read("unable to connect to www.example.com:443\n"),
            None
        );
    }
}
