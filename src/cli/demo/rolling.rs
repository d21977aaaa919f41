//! The rolling update of the demo, while visitors are there.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::crowd::{Crowd, Seen};
use super::site::Site;
use super::{Failed, program};
use crate::cli::environment::Environment;
use crate::cli::{exit, say};
use crate::lab::{BALANCER, Lab};

/// How long visitors are watched before.
const BEFORE: Duration = Duration::from_secs(12);
/// Visitors are there for so long at most.
const AT_MOST: Duration = Duration::from_secs(900);

/// What it showed.
#[derive(Debug)]
pub struct Rolled {
    /// Visitors before it.
    pub before: Seen,
    /// Visitors while it went on.
    pub during: Seen,
    /// How long it took.
    pub time: Duration,
    /// Seconds of each node: drain, update, check.
    pub nodes: Vec<(String, [f64; 3])>,
}

/// Another release, and a setting of nginx that needs a restart, while visitors are there.
pub fn roll(lab: &Lab, site: &Site) -> Result<Rolled, Failed> {
    let failed = |why: String| Failed::late("rolling update", why);
    let address = lab
        .address(BALANCER)
        .map_err(|error| failed(super::told(&error)))?;
    say::out(&format!(
        "\n{} connections of visitors through the balancer, over TLS, for {} s …",
        Crowd::connections(),
        BEFORE.as_secs()
    ));
    let before = Crowd::send(address, BEFORE)?.end(false)?;
    say::out(
        "… and they stay, while all nodes get another release of the application, and a setting of nginx that needs a restart:",
    );
    let words = site.roll();
    say::out(&format!("\n$ hadeploy {}", words.join(" ")));
    let playbook = words.get(1).cloned().unwrap_or_default();
    let crowd = Crowd::send(address, AT_MOST)?;
    std::thread::sleep(Duration::from_secs(2));
    let start = Instant::now();
    let status = program()?
        .args(words)
        .attached()
        .map_err(|error| failed(error.to_string()))?;
    let time = start.elapsed();
    // Those who wait ten seconds for an answer get it.
    std::thread::sleep(Duration::from_secs(11));
    let during = crowd.end(true)?;
    if u8::try_from(status) != Ok(exit::DONE) {
        return Err(failed(format!("it ended with status {status}")));
    }
    if during.failed > 0 || before.failed > 0 {
        return Err(failed(format!(
            "{} of {} requests failed while it went on, {} of {} before",
            during.failed, during.requests, before.failed, before.requests
        )));
    }
    let nodes = Environment::read()
        .runs()
        .and_then(|folder| parts(&folder, &playbook))
        .ok_or_else(|| failed("its log does not say how long each node took".to_owned()))?;
    Ok(Rolled {
        before,
        during,
        time,
        nodes,
    })
}

/// From the log of the last run of that playbook, whoever else runs others: seconds of each node.
fn parts(folder: &Path, playbook: &str) -> Option<Vec<(String, [f64; 3])>> {
    let mut logs: Vec<_> = fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
        })
        .collect();
    logs.sort();
    let own = |text: &String| {
        let first = text.lines().next().unwrap_or_default();
        let begin: Value = serde_json::from_str(first).unwrap_or_default();
        begin["playbook"] == playbook
    };
    let texts = logs.iter().rev().map(|(_, path)| fs::read_to_string(path));
    let text = texts.flatten().find(own)?;
    let end: Value = serde_json::from_str(text.lines().last()?).ok()?;
    let nodes = end["rollout"].as_array()?;
    let seconds = |node: &Value, part: &str| node[part].as_u64().map(|ms| ms as f64 / 1000.0);
    nodes
        .iter()
        .map(|node| {
            let name = node["host"].as_str()?.to_owned();
            let parts = [
                seconds(node, "drain_ms")?,
                seconds(node, "update_ms")?,
                seconds(node, "check_ms")?,
            ];
            Some((name, parts))
        })
        .collect()
}
