//! `hadeploy exec` and `hadeploy facts`: a command on some hosts, or what is gathered of them.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::reach::Reach;
use super::state::{HostState, Made, Out, Run, Settings, lock};
use super::{connect, heart, hosts, recap};
use crate::diagnostic::{Diagnostic, count};
use crate::event::{CommandResult, Event, Recap};
use crate::fact::{Answer, Missing, Question};
use crate::node::{Node, NodeError, Stream};

pub use crate::node::GRACE;
use crate::playbook::Project;
use crate::secret::Masker;
use crate::template::Templates;

/// Bytes of each output of a command that are kept for the end; the rest is cut.
const KEPT: usize = 1024 * 1024;

/// A command for some hosts.
#[derive(Debug, Clone)]
pub struct Exec {
    /// On these hosts.
    pub hosts: Vec<String>,
    /// For `/bin/sh`.
    pub command: String,
    /// Whether the leases of the hosts are held meanwhile, so that no other run changes them.
    pub lease: bool,
}

/// What is wanted of the facts of some hosts.
#[derive(Clone)]
pub struct Facts {
    /// Of these hosts.
    pub hosts: Vec<String>,
    /// Which facts, by their names without `ansible_`.
    pub takes: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

/// Everything that a run of these is made of.
pub struct Visit {
    /// The inventory.
    pub project: Project,
    /// For connection variables.
    pub templates: Arc<Templates>,
    /// The ways to hosts.
    pub reach: Arc<dyn Reach>,
    /// How it is run.
    pub settings: Settings,
    /// Hides secrets.
    pub masker: Arc<Masker>,
    /// Who is told.
    pub events: mpsc::UnboundedSender<Event>,
    /// Told to stop by the user.
    pub interrupt: CancellationToken,
}

/// Runs a command on all hosts at once, as many as there are forks. Everything goes to `events`, from `RunStarted` to `RunFinished`.
/// Cancelling the token ends the commands.
pub async fn exec(visit: Visit, wanted: Exec) -> Recap {
    let began = Instant::now();
    let run = match begin(visit, &wanted.hosts) {
        Ok(run) => run,
        Err(run) => return wrong(&run, began),
    };
    let mut beating = JoinSet::new();
    if wanted.lease {
        beating.spawn(heart::beat(run.clone()));
    }
    let wanted = Arc::new(wanted);
    let mut working = JoinSet::new();
    for host in run.hosts.values().cloned() {
        working.spawn(on_host(run.clone(), host, wanted.clone()));
    }
    while working.join_next().await.is_some() {}
    super::farewell(&run).await;
    beating.abort_all();
    let is_refused = run.gate.refusal().is_some()
        || run
            .password_refused
            .load(std::sync::atomic::Ordering::Relaxed);
    if is_refused {
        return recap::finish(&run, began, None, None);
    }
    let (code, reason) = verdict(&run);
    recap::ended(&run, began, code, reason)
}

fn verdict(run: &Run) -> (u8, String) {
    let hosts = run.hosts.len();
    let bad: Vec<&str> = run
        .hosts
        .values()
        .filter(|host| host.is_bad())
        .map(|host| &*host.name)
        .collect();
    let entered = run.hosts.values().any(|host| host.entered());
    match (run.interrupt.is_cancelled(), bad.as_slice(), entered) {
        (true, _, true) => (130, "the command was ended where it still ran".to_owned()),
        (true, _, false) => (130, "the command was not started".to_owned()),
        (false, [], _) => (0, format!("ok on {}", count(hosts, "host"))),
        (false, bad, true) => (
            3,
            format!(
                "{} of {} failed: {}",
                bad.len(),
                count(hosts, "host"),
                bad.join(", ")
            ),
        ),
        (false, bad, false) => (1, format!("no host was reached: {}", bad.join(", "))),
    }
}

async fn on_host(run: Arc<Run>, host: Arc<HostState>, wanted: Arc<Exec>) {
    let connected = {
        let _permit = run.forks.clone().acquire_owned().await.ok();
        tokio::select! {
            node = open(&run, &host, wanted.lease) => node,
            () = run.stop.cancelled() => None,
        }
    };
    run.gate.settle(&host.name);
    let Some(node) = connected else {
        if run.stop.is_cancelled() {
            host.take_out(Out::Interrupted);
        }
        return;
    };
    *host.node.lock().await = Some(node);
    // All leases or none.
    let open = tokio::select! {
        open = run.gate.pass() => open,
        () = run.stop.cancelled() => false,
    };
    let _permit = run.forks.clone().acquire_owned().await.ok();
    if !open || run.stop.is_cancelled() {
        host.take_out(Out::Interrupted);
        return;
    }
    host.enter();
    run.touch();
    run.say(working(&host, "running the command"));
    let result = command(&run, &host, &wanted.command).await;
    match result.rc {
        Some(0) => {
            host.tally().changed += 1;
            lock(&host.changed).push(format!("exec: {}", wanted.command).into());
        }
        Some(rc) => {
            host.tally().failed += 1;
            host.because(format!("exec: {}: exit status {rc}", wanted.command));
            if !run.interrupt.is_cancelled() {
                host.take_out(Out::Failed);
            }
        }
        None => {
            host.tally().unreachable = 1;
            host.because(result.msg.clone());
            host.take_out(Out::Unreachable);
        }
    }
    run.say(working(&host, ""));
    run.say(Event::CommandFinished(Box::new(result)));
}

fn working(host: &HostState, what: &str) -> Event {
    Event::HostWorking {
        host: host.name.clone(),
        what: what.to_owned(),
    }
}

/// Connects, with the lease or without; none when that did not come about, which is told.
async fn open(run: &Arc<Run>, host: &Arc<HostState>, lease: bool) -> Option<Node> {
    if lease {
        let first = connect::first_script(run, host, &Missing::default()).await;
        return first.ok().map(|(node, _)| node);
    }
    run.say(working(host, "connecting"));
    match connect::open(run, host).await {
        Ok(node) => {
            run.say(Event::HostConnected {
                host: host.name.clone(),
            });
            Some(node)
        }
        Err(error) => {
            connect::unreachable(run, host, &error);
            None
        }
    }
}

async fn command(run: &Arc<Run>, host: &Arc<HostState>, command: &str) -> CommandResult {
    let began = Instant::now();
    let mut result = CommandResult {
        host: host.name.clone(),
        command: command.to_owned(),
        ..CommandResult::default()
    };
    let visit = {
        let mut place = host.node.lock().await;
        match place.as_mut() {
            Some(node) => node.visit(command).await,
            None => Err(NodeError::Lost("there is no connection".to_owned())),
        }
    };
    host.tally().round_trips += 1;
    let hears = |stream: Stream, line: String| {
        let (kept, error) = match stream {
            Stream::Out => (&mut result.stdout, false),
            Stream::Err => (&mut result.stderr, true),
        };
        if kept.len() + line.len() < KEPT {
            kept.push_str(&line);
            kept.push('\n');
        } else {
            result.cut = true;
        }
        run.say(Event::CommandOutput {
            host: host.name.clone(),
            error,
            line,
        });
    };
    let ended = match visit {
        Ok(visit) => visit.hear(hears, run.stop.clone()).await,
        Err(error) => Err(error),
    };
    match ended {
        Ok(rc) => result.rc = Some(rc),
        Err(error) => result.msg = error.to_string(),
    }
    result.duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    result
}

/// Gathers facts on all hosts at once. Nothing is written, no lease is taken.
pub async fn facts(visit: Visit, wanted: Facts) -> Recap {
    let began = Instant::now();
    let run = match begin(visit, &wanted.hosts) {
        Ok(run) => run,
        Err(run) => return wrong(&run, began),
    };
    let mut working = JoinSet::new();
    for host in run.hosts.values().cloned() {
        let (run, wanted) = (run.clone(), wanted.clone());
        working.spawn(async move {
            let _permit = run.forks.clone().acquire_owned().await.ok();
            let asked = tokio::select! {
                asked = gather(&run, &host) => asked,
                () = run.stop.cancelled() => return host.take_out(Out::Interrupted),
            };
            match asked {
                Ok(facts) => {
                    let taken = facts.into_iter().filter(|(name, _)| (wanted.takes)(name));
                    run.say(Event::Facts {
                        host: host.name.clone(),
                        facts: taken.collect(),
                    });
                }
                Err(error) => connect::unreachable(&run, &host, &error),
            }
        });
    }
    while working.join_next().await.is_some() {}
    super::farewell(&run).await;
    let silent: Vec<&str> = run
        .hosts
        .values()
        .filter(|host| host.is_bad())
        .map(|host| &*host.name)
        .collect();
    if run
        .password_refused
        .load(std::sync::atomic::Ordering::Relaxed)
    {
        return recap::finish(&run, began, None, None);
    }
    let (code, reason) = match (run.interrupt.is_cancelled(), silent.as_slice()) {
        (true, _) => (130, "not all hosts were asked".to_owned()),
        (false, []) => (0, format!("facts of {}", count(run.hosts.len(), "host"))),
        (false, silent) => (1, format!("{} could not be asked", silent.join(", "))),
    };
    recap::ended(&run, began, code, reason)
}

async fn gather(
    run: &Arc<Run>,
    host: &Arc<HostState>,
) -> Result<serde_json::Map<String, serde_json::Value>, NodeError> {
    run.say(working(host, "gathering facts"));
    let mut node = connect::open(run, host).await?;
    let asked = node.ask("", &Missing::new([Question::Facts])).await;
    host.tally().round_trips += node.round_trips;
    *host.node.lock().await = Some(node);
    run.say(working(host, ""));
    let (_, answers) = asked?;
    let facts = answers.into_iter().find_map(|(_, answer)| match answer {
        Answer::Facts(facts) => Some(Arc::unwrap_or_clone(facts)),
        _ => None,
    });
    facts.ok_or_else(|| NodeError::Lost("it told no facts".to_owned()))
}

/// The run on the hosts of those names; one that cannot begin is given back as an error, and its faults are told.
fn begin(visit: Visit, names: &[String]) -> Result<Arc<Run>, Arc<Run>> {
    let made = Made {
        project: Arc::new(visit.project),
        templates: visit.templates,
        settings: visit.settings,
        reach: visit.reach,
        masker: visit.masker,
        events: visit.events,
        interrupt: visit.interrupt,
    };
    let mut faults: Vec<Diagnostic> = Vec::new();
    let mut known = indexmap::IndexMap::new();
    for (name, host) in &made.project.inventory.hosts {
        if !names.iter().any(|wanted| wanted == name.as_str()) {
            continue;
        }
        match hosts::state(
            &made.project,
            &made.templates,
            &made.settings,
            name,
            host,
            &[],
        ) {
            Ok(mut state) => {
                // Without a play nothing needs root but what is said to.
                state.root = state.login == "root"
                    || state.connection.privileged == Some(true)
                    || made.settings.force_become;
                known.insert(state.name.clone(), Arc::new(state));
            }
            Err(mut found) => faults.append(&mut found),
        }
    }
    let run = Arc::new(Run::new(made, known));
    match run.begin(faults) {
        true => Err(run),
        false => Ok(run),
    }
}

fn wrong(run: &Arc<Run>, began: Instant) -> Recap {
    let why = "the inventory's variables are wrong";
    recap::finish(run, began, Some(why), None)
}
