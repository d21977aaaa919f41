//! Hosts that cannot be reached yet: an apply waits for those of which `wait_for_connection` says so.

use std::time::{Duration, Instant};

use super::connect::open;
use super::state::{HostState, Run};
use crate::event::Event;
use crate::node::{Node, NodeError};
use crate::playbook::{Play, Task, TaskAction};
use crate::transport::TransportError;

/// How long a host is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) timeout: Duration,
    delay: Duration,
    pub(super) sleep: Duration,
}

impl Patience {
    /// What the first play that has the host says, if its first task that acts on the node is to wait.
    fn of(run: &Run, host: &HostState) -> Option<Patience> {
        let mut plays = run.project.plays.iter();
        let play = plays.find(|play| play.hosts.iter().any(|name| name.as_str() == &*host.name))?;
        first(&play.play).and_then(Patience::of_task)
    }

    /// What a `wait_for_connection` says.
    pub(super) fn of_task(task: &Task) -> Option<Patience> {
        let args = match &task.action {
            TaskAction::Kind { kind, args } if kind.name == "wait_for_connection" => args,
            _ => return None,
        };
        // A time that is a template is known only when the host is: then it is the usual one.
        let seconds = |name, usual| {
            let given = args.int(name).and_then(|given| u64::try_from(given).ok());
            Duration::from_secs(given.unwrap_or(usual))
        };
        Some(Patience {
            timeout: seconds("timeout", 600),
            delay: seconds("delay", 0),
            sleep: seconds("sleep", 1),
        })
    }
}

/// The first task of a play that acts on the node.
fn first(play: &Play) -> Option<&Task> {
    let mut tasks = play.pre_tasks.iter().chain(&play.tasks);
    tasks.find(|task| acts(task))
}

/// Whether a task needs the node of its host.
fn acts(task: &Task) -> bool {
    let thinks = matches!(
        task.action.name(),
        "assert" | "debug" | "fail" | "set_fact" | "validate_argument_spec" | "meta"
    );
    !thinks && task.delegate.is_none()
}

/// Whether another try may go better: the machine or its sshd is not up yet, or does not let the account in yet.
fn may_come(error: &NodeError) -> bool {
    match error {
        NodeError::Transport(error) => !matches!(
            error,
            TransportError::UnknownHostKey { .. }
                | TransportError::ChangedHostKey { .. }
                | TransportError::RevokedHostKey { .. }
                | TransportError::HostCertificate { .. }
        ),
        NodeError::Lost(_) | NodeError::Timeout { .. } => true,
        _ => false,
    }
}

/// Connects; an apply does so again until the host answers, where it is to be waited for.
pub(super) async fn connected(run: &Run, host: &HostState) -> Result<Node, NodeError> {
    let patience = match run.settings.mode.may_change() {
        true => Patience::of(run, host),
        false => None,
    };
    let Some(patience) = patience else {
        return open(run, host).await;
    };
    let (began, limit) = (
        Instant::now(),
        patience.delay.saturating_add(patience.timeout),
    );
    pause(run, patience.delay).await;
    let mut pause_for = patience.sleep;
    loop {
        let error = match open(run, host).await {
            Ok(node) => return Ok(node),
            Err(error) => error,
        };
        if !may_come(&error) || began.elapsed() >= limit || run.stop.is_cancelled() {
            return Err(error);
        }
        run.say(Event::HostWorking {
            host: host.name.clone(),
            what: format!("waiting until it can be reached: {error}"),
        });
        pause(run, pause_for).await;
        // Who is not let in yet must not look like an attack.
        pause_for =
            (pause_for + patience.sleep / 2).min(patience.sleep.max(Duration::from_secs(5)));
    }
}

/// Waits, unless the run is told to stop.
async fn pause(run: &Run, time: Duration) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = run.stop.cancelled() => {}
    }
}
