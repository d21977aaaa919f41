//! The port of sshd that a run comes in by: it is kept beside a new one, until a run comes in by that.

use super::super::state::{HostState, Out, Run, lock};
use super::guarded::{Login, guarded};
use super::parts::KEPT;
use super::run_steps;
use crate::change::{Action, Change, Step, Touch};
use crate::command::quote;
use crate::event::Event;
use crate::fact::{Known, Missing, Question};
use crate::node::{NodeError, PlacedStep, StepEnd};

/// Sets `s` to the connection that the shell was asked through. Who came in through sudo has lost the variable; sudo itself still has it.
const CONNECTION: &str = "s=$SSH_CONNECTION; [ -n \"$s\" ] || s=$(tr '\\0' '\\n' </proc/$PPID/environ 2>/dev/null | sed -n 's/^SSH_CONNECTION=//p')";

/// The question by which port of the node the run comes in.
fn question() -> Question {
    Question::Probe(
        format!("the port of this connection\n{CONNECTION}; printf %s \"${{s##* }}\"")
            .as_str()
            .into(),
    )
}

/// The port of sshd that the run comes in by; none when the node does not know.
pub fn came_by(known: &Known) -> Result<Option<u16>, Missing> {
    let question = question();
    known.need([question.clone()])?;
    let Question::Probe(key) = &question else {
        return Ok(None);
    };
    Ok(String::from_utf8_lossy(known.probe(key)?)
        .trim()
        .parse()
        .ok())
}

/// A port that sshd was kept on beside the one it is told to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// The old port.
    pub port: u16,
    /// The port that the run came in by.
    pub by: u16,
}

/// Shell text, without a program of its own where none is kept, that prints which port is.
pub fn kept_text() -> String {
    format!(
        "if [ -e {kept} ]; then {CONNECTION}; printf 'KEPT %s %s\\n' \"$(sed -n 's/^Port //p; s/^ListenAddress .*://p' {kept} | head -n1)\" \"${{s##* }}\"; fi\n",
        kept = quote(KEPT)
    )
}

/// What [`kept_text`] printed.
pub fn parse_kept(output: &[u8]) -> Option<Kept> {
    let text = String::from_utf8_lossy(output);
    let line = text.lines().find_map(|line| line.strip_prefix("KEPT "))?;
    let (port, by) = line.split_once(' ')?;
    Some(Kept {
        port: port.parse().ok()?,
        by: by.trim().parse().ok()?,
    })
}

/// Takes the kept port away when this run came in by another one; says that it is still open otherwise.
pub async fn close_old_port(run: &Run, host: &HostState) {
    let Some(Kept { port, by }) = lock(&host.kept).take() else {
        return;
    };
    let say = |message: String| {
        run.say(Event::Warning {
            host: Some(host.name.clone()),
            message,
        });
    };
    if port == by {
        return say(format!(
            "sshd listens on {port} beside the port that it is told ({KEPT}): set `ansible_port` to that one, and the next apply takes {port} away"
        ));
    }
    let ready = run.settings.mode.may_change()
        && host.out() == Out::Alive
        && !run.stop.is_cancelled()
        && host.root
        && run.gate.pass().await;
    if !ready {
        return;
    }
    match close(run, host).await {
        Ok(None) => say(format!(
            "sshd listens on port {port} no more: this run came in by {by}"
        )),
        Ok(Some(words)) => say(format!("sshd still listens on port {port}: {words}")),
        Err(error) => say(format!("sshd may still listen on port {port}: {error}")),
    }
}

/// Why it could not be closed, if it could not.
async fn close(run: &Run, host: &HostState) -> Result<Option<String>, NodeError> {
    let _turn = host.turn().await;
    let mut place = host.node.lock().await;
    let Some(node) = place.as_mut() else {
        return Ok(Some("the connection has ended".to_owned()));
    };
    let step = Step::new(
        "close the old port of sshd",
        format!("rm -f {}", quote(KEPT)),
    );
    let change = Change::new(Action::Update).step(step.touch(Touch::Path(KEPT.to_owned())));
    let mut known = Known::new(false);
    let trips = node.round_trips;
    let change = loop {
        match guarded(change.clone(), &known, Login::of(host), "") {
            Ok(change) => break change,
            Err(missing) => known.learn(node.ask("", &missing).await?.1),
        }
    };
    run.touch();
    let steps: Vec<PlacedStep> = change
        .steps
        .into_iter()
        .map(|step| PlacedStep {
            step,
            user: None,
            owes: Vec::new(),
            pays: Vec::new(),
            stops: true,
        })
        .collect();
    let end = run_steps(run, host, node, &steps, &Missing::default())
        .await?
        .0;
    host.tally().round_trips += node.round_trips - trips;
    Ok(match end.steps.last() {
        Some(StepEnd::Ran { rc: 0, .. }) => None,
        Some(StepEnd::Ran { stderr, .. }) => {
            Some(String::from_utf8_lossy(stderr).trim().to_owned())
        }
        Some(StepEnd::Unconfirmed { words, .. }) => Some(words.clone()),
        other => Some(format!("{other:?}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_says_of_a_kept_port() {
        let kept = |text: &str| parse_kept(text.as_bytes());
        assert_eq!(
            kept("LEASE\nKEPT 22 2222\n"),
            Some(Kept { port: 22, by: 2222 })
        );
        // A run on the machine itself came in by no port.
        assert_eq!(kept("KEPT 22 \n"), None);
        assert_eq!(kept(""), None);
    }
}
