//! The logs of runs on this machine: where they are, and what they say in short.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::defaults::Defaults;
use super::environment::Environment;
use super::load;
use super::options::{BaseArgs, Junit, Output, VaultArgs};
use crate::diagnostic::Diagnostic;

/// A log in short.
pub struct Logged {
    /// The log.
    pub path: PathBuf,
    /// The run.
    pub id: String,
    /// When it began, RFC 3339 without fractions.
    pub time: String,
    /// `plan`, `apply` …
    pub mode: String,
    /// The playbook, or the command of an `exec`.
    pub what: String,
    /// How many hosts it had.
    pub hosts: usize,
    /// How many changes it made, or would make; so far, where it came to no end.
    pub changes: u64,
    /// How it ended; none when it was killed or goes on.
    pub exit_code: Option<u64>,
    /// The same in words.
    pub reason: String,
    /// How long it took.
    pub elapsed_ms: Option<u64>,
    /// Lines that cannot be read.
    pub damaged: usize,
}

/// The folder of the logs.
///
/// # Errors
/// hadeploy.yml is wrong, or there is no home.
pub fn folder(env: &Environment) -> Result<PathBuf, Vec<Diagnostic>> {
    let folder = Defaults::read(env)?.logs.or_else(|| env.runs());
    folder.ok_or_else(|| {
        vec![
            Diagnostic::error("there are no logs of runs: HOME is not set")
                .help("set HOME, XDG_STATE_HOME, or `log_dir` in hadeploy.yml"),
        ]
    })
}

/// The logs in a folder, the oldest first: their names begin with the time.
///
/// # Errors
/// The folder is there and cannot be read.
pub fn paths(folder: &Path) -> Result<Vec<PathBuf>, Box<Diagnostic>> {
    let listing = match std::fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            let shown = folder.display();
            return Err(Box::new(Diagnostic::error(format!(
                "cannot read the folder `{shown}`: {error}"
            ))));
        }
    };
    let mut paths: Vec<PathBuf> = listing
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
        .collect();
    paths.sort();
    Ok(paths)
}

/// The name of the run that left a log.
pub fn run_of(path: &Path) -> &str {
    path.file_stem()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}

/// The lines of a log; a line that is no text is given as damaged.
///
/// # Errors
/// The file cannot be read.
pub fn lines(path: &Path) -> std::io::Result<Vec<String>> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(lines);
        }
        lines.push(String::from_utf8_lossy(&line).trim_end().to_owned());
    }
}

impl Logged {
    /// Reads a log. What cannot be read of it is counted.
    pub fn read(path: &Path) -> Logged {
        let id = run_of(path).to_owned();
        let mut logged = Logged {
            path: path.to_owned(),
            time: time_of(&id),
            id,
            mode: String::new(),
            what: String::new(),
            hosts: 0,
            changes: 0,
            exit_code: None,
            reason: String::new(),
            elapsed_ms: None,
            damaged: 0,
        };
        let Ok(lines) = lines(path) else {
            logged.damaged = 1;
            logged.reason = "its log cannot be read".to_owned();
            return logged;
        };
        for line in lines {
            match serde_json::from_str::<Json>(&line) {
                Ok(json) if json["event"].is_string() => logged.note(&json),
                _ => logged.damaged += 1,
            }
        }
        logged
    }

    fn note(&mut self, json: &Json) {
        let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
        match json["event"].as_str().unwrap_or_default() {
            "run_started" => {
                self.mode = text(&json["mode"]);
                self.what = text(&json["playbook"]);
                self.hosts = json["hosts"].as_array().map_or(0, Vec::len);
            }
            "command_finished" if self.what.is_empty() => {
                let command = text(&json["command"]);
                let mut line = command.lines().next().unwrap_or_default().chars();
                self.what = line.by_ref().take(40).collect();
                if line.next().is_some() {
                    self.what.push('…');
                }
            }
            "task_finished" | "handler_finished" if json["status"] == "changed" => {
                self.changes = self.changes.saturating_add(1);
            }
            "run_finished" => {
                self.exit_code = json["exit_code"].as_u64();
                self.reason = text(&json["reason"]);
                self.elapsed_ms = json["elapsed_ms"].as_u64();
                let hosts = json["hosts"].as_object().into_iter().flatten();
                self.changes = hosts
                    .map(|(_, counts)| counts["changed"].as_u64().unwrap_or(0))
                    .fold(0, u64::saturating_add);
            }
            _ => {}
        }
    }

    /// How it ended, in words.
    pub fn result(&self) -> String {
        match self.exit_code {
            Some(0 | 2) => self.reason.clone(),
            Some(code) => format!("exit {code}: {}", self.reason),
            None if self.reason.is_empty() => "no end: it goes on, or was killed".to_owned(),
            None => self.reason.clone(),
        }
    }
}

/// `20261120t101530-3f9a2c` as `2026-11-20T10:15:30Z`; empty for another name.
fn time_of(id: &str) -> String {
    let digits = |range: std::ops::Range<usize>| {
        let part = id.get(range)?;
        part.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some(part)
    };
    let parts = || {
        let date = [digits(0..4)?, digits(4..6)?, digits(6..8)?].join("-");
        let time = [digits(9..11)?, digits(11..13)?, digits(13..15)?].join(":");
        (id.get(8..9) == Some("t")).then(|| format!("{date}T{time}Z"))
    };
    parts().unwrap_or_default()
}

/// Tells what is wrong; gives the exit status.
pub fn refuse(faults: &[Diagnostic], output: Output, env: &Environment) -> u8 {
    let base = BaseArgs {
        inventory: Vec::new(),
        output,
        junit: Junit(false),
        verbose: 0,
        vault: VaultArgs::default(),
    };
    load::refuse(faults, &base, env)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_run_has_its_time() {
        assert_eq!(time_of("20261120t101530-3f9a2c"), "2026-11-20T10:15:30Z");
        assert_eq!(time_of("r-1"), "");
        assert_eq!(time_of("2026112étt101530"), "");
    }
}
