//! What a node keeps of a run: how it ended there, and what it changed.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::watch;

use super::state::{HostState, Out, Run, lock};

/// So many names of tasks are kept.
const NAMES: usize = 30;
/// So long a reason may be.
const REASON: usize = 300;
/// So long the end of a run waits for the commit of its project.
const PATIENCE: Duration = Duration::from_millis(500);

/// What the nodes are told of where a run comes from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The pipeline or job that runs it: its address.
    pub pipeline: Option<String>,
    /// The commit of the project, once it is known; the sender is gone when there is none.
    pub commit: watch::Receiver<Option<String>>,
}

impl Default for Origin {
    fn default() -> Origin {
        Origin {
            pipeline: None,
            commit: watch::channel(None).1,
        }
    }
}

impl Origin {
    async fn commit(&self) -> Option<String> {
        let mut commit = self.commit.clone();
        let known = commit.wait_for(Option::is_some);
        match tokio::time::timeout(PATIENCE, known).await {
            Ok(Ok(commit)) => commit.clone(),
            _ => None,
        }
    }
}

/// The members of the line's json object that are known only at the end, secrets masked.
pub(super) async fn line(run: &Run, host: &HostState) -> String {
    let mask = |text: &str| run.masker.mask(text).into_owned();
    let mut changed: Vec<Arc<str>> = lock(&host.changed).clone();
    // One of its names gives the lease back, and says for all what was done.
    let twins = host.twins();
    let twins: Vec<_> = twins
        .iter()
        .filter_map(|name| run.hosts.get(name))
        .collect();
    for twin in &twins {
        changed.extend(lock(&twin.changed).iter().cloned());
    }
    let bad = twins.iter().map(AsRef::as_ref).find(|twin| twin.is_bad());
    let host = bad.filter(|_| !host.is_bad()).unwrap_or(host);
    let status = match host.out() {
        _ if run.gate.refusal().is_some() => "refused",
        Out::Failed => "failed",
        Out::Unreachable => "unreachable",
        Out::Interrupted => "interrupted",
        Out::Alive if host.is_bad() => "failed",
        Out::Alive if changed.is_empty() => "unchanged",
        Out::Alive => "done",
    };
    let mut line = Map::new();
    let mut put = |name: &str, value: Value| line.insert(name.to_owned(), value);
    put("status", status.into());
    put("changed", changed.len().into());
    changed.truncate(NAMES);
    let names: Vec<Value> = changed.iter().map(|name| mask(name).into()).collect();
    put("tasks", names.into());
    if matches!(status, "failed" | "unreachable") {
        let why: String = mask(&host.why_out()).chars().take(REASON).collect();
        put("why", why.into());
    }
    if let Some(commit) = run.settings.origin.commit().await {
        put("commit", commit.into());
    }
    if let Some(pipeline) = &run.settings.origin.pipeline {
        put("pipeline", mask(pipeline).into());
    }
    let line = Value::Object(line).to_string();
    line[1..line.len() - 1].to_owned()
}
