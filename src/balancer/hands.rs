//! How balancers reach the hosts of the inventory and programs of this machine.

use std::time::Duration;

use async_trait::async_trait;

use super::BalancerError;
use crate::process::Program;

/// How long one script on a host may take; all of them only look or set a flag.
const SCRIPT: Duration = Duration::from_secs(30);
/// How long a program may go on being waited for after it should have been killed.
const GRACE: Duration = Duration::from_secs(2);

/// What a script or a program left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// Its exit status.
    pub status: i32,
    /// Everything on standard output.
    pub stdout: Vec<u8>,
    /// Everything on standard error.
    pub stderr: Vec<u8>,
}

impl Reply {
    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The last lines on standard error, or the status where it said nothing.
    pub fn complaint(&self) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        match lines.as_slice() {
            [] => format!("status {}", self.status),
            lines => lines[lines.len().saturating_sub(5)..].join("; "),
        }
    }
}

/// Runs POSIX shell scripts as root on hosts of the inventory.
#[async_trait]
pub trait Hands: Send + Sync {
    /// The script's end; an error when the host cannot be reached.
    async fn sh(&self, host: &str, script: &str) -> Result<Reply, String>;
}

/// Runs programs on this machine.
#[async_trait]
pub trait Programs: Send + Sync {
    /// The program's end; an error when it did not start, or ran longer than `limit` and was killed.
    async fn run(&self, words: &[String], stdin: &[u8], limit: Duration) -> Result<Reply, String>;
}

/// This machine itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Controller;

#[async_trait]
impl Programs for Controller {
    async fn run(&self, words: &[String], stdin: &[u8], limit: Duration) -> Result<Reply, String> {
        let [program, args @ ..] = words else {
            return Err("no program is named".into());
        };
        let program = Program::new(program)
            .args(args)
            .stdin(stdin)
            .deadline(limit);
        let ended = tokio::task::spawn_blocking(move || program.run());
        // What a program leaves running behind itself can hold its output open.
        let ran = tokio::time::timeout(limit + GRACE, ended)
            .await
            .map_err(|_| "it left something running that holds its output".to_owned())?
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())?;
        Ok(Reply {
            status: ran.status,
            stdout: ran.stdout,
            stderr: ran.stderr,
        })
    }
}

/// The output of a script that must succeed.
pub(super) async fn must(
    hands: &dyn Hands,
    host: &str,
    script: &str,
) -> Result<String, BalancerError> {
    let reply = tokio::time::timeout(SCRIPT, hands.sh(host, script))
        .await
        .map_err(|_| {
            BalancerError::unreachable(host, format!("no answer within {} s", SCRIPT.as_secs()))
        })?
        .map_err(|why| BalancerError::unreachable(host, why))?;
    if reply.status != 0 {
        return Err(BalancerError::refused(host, reply.complaint()));
    }
    Ok(reply.text())
}
