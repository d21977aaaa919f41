//! What hadeploy itself says of a run: the last event of its JSON output.

use anyhow::{Context, Result};
use serde_json::Value;

/// The counts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Hosts in the run.
    pub hosts: usize,
    /// Changed tasks on all hosts, with those that a plan cannot know.
    pub changed: u64,
    /// Tasks of the host with the fewest.
    pub tasks: u64,
    /// Scripts whose answer was waited for, of the host with the most.
    pub scripts: u64,
}

impl Summary {
    /// Reads it from all the output.
    ///
    /// # Errors
    /// The output has no `run_finished` or it lacks a count.
    pub fn read(output: &str) -> Result<Self> {
        let events = output.lines().rev().filter_map(event);
        let mut ends = events.filter(|event| event["event"] == "run_finished");
        let end = ends.next().context("no `run_finished` in the output")?;
        let hosts = end["hosts"].as_object().context("no hosts in the output")?;
        let mut all = Self {
            hosts: hosts.len(),
            changed: 0,
            tasks: u64::MAX,
            scripts: 0,
        };
        for row in hosts.values() {
            let count = |name: &str| {
                let value = row[name].as_u64();
                value.with_context(|| format!("no `{name}` in a host's row"))
            };
            let pending = count("changed")? + count("unknown")?;
            all.changed += pending;
            all.tasks = all.tasks.min(count("ok")? + pending);
            all.scripts = all.scripts.max(count("round_trips")?);
        }
        Ok(all)
    }
}

fn event(line: &str) -> Option<Value> {
    serde_json::from_str(line).ok()
}
