//! The way in stays open: what follows a script that changed something it depends on, or restarted the node.

mod guarded;
mod parts;
mod port;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use super::host::HostRun;
use super::state::{HostState, Run};
use crate::change::{Change, Guard};
use crate::event::Event;
use crate::fact::{Answer, Missing, Question};
use crate::inventory::Method;
use crate::node::guard::Left;
use crate::node::{Node, NodeError, PlacedStep, Proof, ScriptEnd, StepEnd};

pub use guarded::{Login, guarded};
pub use port::{Kept, close_old_port, kept_text, parse_kept};

/// What to do when a change closed the way in.
const HELP: &str = "the node is as it was before this task: mend the task so that the way in of this run stays open, then apply again";

/// Said of a guarded change that failed by itself.
pub const BACK: &str = "the node is as it was before this task; nothing of it took effect";

/// Runs steps; a guarded change among them is confirmed by a new connection, or its restoring waited for, and so is a restart.
pub async fn run_steps(
    run: &Run,
    host: &HostState,
    node: &mut Node,
    steps: &[PlacedStep],
    missing: &Missing,
) -> Result<(ScriptEnd, Vec<(Question, Answer)>), NodeError> {
    let working = |what: String| {
        run.say(Event::HostWorking {
            host: host.name.clone(),
            what,
        });
    };
    let guard = steps.iter().find_map(|placed| placed.step.guard.clone());
    let reboot = steps.iter().find_map(|placed| placed.step.reboot.clone());
    let Some(reboot) = reboot else {
        let began = Instant::now();
        let (mut end, mut answers) = node.run_steps(steps, missing).await?;
        if let Some(guard) = guard.filter(|_| end.armed) {
            working("proving by a new connection that the way in is open".to_owned());
            if !prove(node, &guard, began, &mut end).await? {
                answers.clear();
            }
        }
        return Ok((end, answers));
    };
    if host.connection.method == Method::Local {
        let mut end = ScriptEnd::default();
        end.steps.push(StepEnd::Unconfirmed {
            words: "it would restart the machine that hadeploy runs on".to_owned(),
            help: "restart hosts that are reached by SSH only",
        });
        return Ok((end, Vec::new()));
    }
    // What is asked behind a restart is asked by the next script: this node is not there any more.
    let old = node.boot().await?;
    let (end, answers) = node.run_steps(steps, &Missing::default()).await?;
    if matches!(end.steps.last(), Some(StepEnd::Ran { rc: 0, .. })) {
        working("waiting for its restart".to_owned());
        node.restarted(&old, &reboot, &run.settings.lease).await?;
    }
    Ok((end, answers))
}

/// False when the node put the old state back, which its last step then says.
async fn prove(
    node: &mut Node,
    guard: &Arc<Guard>,
    began: Instant,
    end: &mut ScriptEnd,
) -> Result<bool, NodeError> {
    let what = &guard.what;
    let (words, help) = match node.prove(guard, began).await? {
        Proof::Confirmed(0, _) => return Ok(true),
        Proof::Confirmed(rc, said) => (
            format!(
                "{what} was changed and the way in is open, but what keeps the change over a restart of the node ended with status {rc}: {said}"
            ),
            "the change is in effect; apply again to have it kept",
        ),
        Proof::Restored {
            why,
            after_s,
            status: 0,
            ..
        } => (
            format!(
                "the way in was lost by the change of {what} ({why}); the node put the old state back by itself, and let us in again after {after_s} s"
            ),
            HELP,
        ),
        Proof::Restored {
            why, status, said, ..
        } => (
            format!(
                "the way in was lost by the change of {what} ({why}); the node lets us in again, but putting the old state back ended with status {status}: {said}"
            ),
            "look at what the node says, and at its logs (`journalctl -u ssh`), before the next apply",
        ),
    };
    end.steps.pop();
    end.steps.push(StepEnd::Unconfirmed { words, help });
    Ok(false)
}

/// Says what an earlier run left unconfirmed.
pub fn tell_left(run: &Run, host: &HostState, left: &Left) {
    let Left { what, name, .. } = left;
    let words = if left.restored || run.settings.mode.may_change() {
        format!(
            "a run that did not come to its end (`{name}`) had changed {what} and not confirmed it; the old state is back"
        )
    } else {
        format!(
            "a change of {what} by the run of script `{name}` is not confirmed; the node puts the old state back when nobody confirms it within {} s, an apply does so at once",
            Guard::WINDOW.as_secs()
        )
    };
    run.say(Event::Warning {
        host: Some(host.name.clone()),
        message: words,
    });
}

impl HostRun {
    /// Says what a step has to tell people: each line of what it said.
    pub(super) fn tell(&self, said: &[u8]) {
        let text = String::from_utf8_lossy(said);
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            self.run.say(Event::Warning {
                host: Some(self.host.name.clone()),
                message: line.to_owned(),
            });
        }
    }

    /// Says what people should know of a change before it is made.
    pub(super) fn warn(&self, change: &Change) {
        for words in &change.warnings {
            self.run.say(Event::Warning {
                host: Some(self.host.name.clone()),
                message: words.clone(),
            });
        }
    }
}
