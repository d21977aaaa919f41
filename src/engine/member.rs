//! One member of a cluster: it is asked, and moved.

use std::sync::Arc;

use super::connect;
use super::failed::failed_step;
use super::hands::RunHands;
use super::state::{HostState, Out, Run};
use super::verdict::UnitEnd;
use super::way_in;
use crate::balancer::Hands;
use crate::change::{Action, Change};
use crate::cluster::{Answer, Move};
use crate::event::{Event, Failure, Status};
use crate::fact::Missing;
use crate::node::{PlacedStep, StepEnd};

pub(super) fn placed(next: &Move) -> PlacedStep {
    PlacedStep {
        step: next.step.clone(),
        user: None,
        owes: Vec::new(),
        pays: Vec::new(),
        stops: true,
    }
}

/// One member's answer. A host that could not be reached so far is not tried again.
pub(super) async fn ask(run: Arc<Run>, name: &str, question: &str) -> Answer {
    let Some(host) = run.hosts.get(name).cloned() else {
        return Answer::Silent("it is not in this run".to_owned());
    };
    if host.out() == Out::Unreachable {
        return Answer::Silent(host.why_out());
    }
    let mut place = host.node.lock().await;
    if place.is_none() {
        match connect::first_script(&run, &host, &Missing::default()).await {
            Ok((node, _)) => *place = Some(node),
            Err(()) => return Answer::Silent(host.why_out()),
        }
    }
    drop(place);
    match RunHands(run).sh(name, question).await {
        Ok(reply) if reply.status == 0 => {
            Answer::Said(String::from_utf8_lossy(&reply.stdout).into_owned())
        }
        Ok(reply) => Answer::Silent(
            String::from_utf8_lossy(&reply.stderr)
                .trim_end()
                .lines()
                .last()
                .unwrap_or("the question failed")
                .to_owned(),
        ),
        Err(why) => Answer::Silent(why),
    }
}

/// One move on its member; gives what it printed.
pub(super) async fn perform(
    run: &Arc<Run>,
    host: &Arc<HostState>,
    placed: &PlacedStep,
) -> Result<Vec<u8>, Box<Failure>> {
    run.say(Event::HostWorking {
        host: host.name.clone(),
        what: placed.step.title.clone(),
    });
    host.stale.store(true, std::sync::atomic::Ordering::Relaxed);
    let mut place = host.node.lock().await;
    let Some(node) = place.as_mut() else {
        return Err(Box::new(Failure::new("it is not connected")));
    };
    let (trips, streams) = (node.round_trips, node.streams);
    let steps = std::slice::from_ref(placed);
    let answer = way_in::run_steps(run, host, node, steps, &Missing::default()).await;
    {
        let mut tally = host.tally();
        tally.round_trips += node.round_trips - trips;
        tally.streams += node.streams - streams;
    }
    drop(place);
    let (end, _) = answer.map_err(|error| {
        if error.is_unreachable() {
            connect::unreachable(run, host, &error);
        }
        let mut failure = Failure::new(error.to_string());
        failure.help = error.help();
        Box::new(failure)
    })?;
    let failure = match end.steps.into_iter().next() {
        Some(StepEnd::Ran { rc: 0, stdout, .. }) => return Ok(stdout),
        Some(StepEnd::Ran { rc, stdout, stderr }) => {
            let end = UnitEnd::of(Status::Changed, Change::new(Action::Update));
            failed_step(end, placed, rc, &stdout, &stderr).failure
        }
        Some(StepEnd::NoLease(why)) => Some(Failure::new(format!("the lease is lost: {why}"))),
        Some(StepEnd::Moved(why) | StepEnd::Differs(why)) => Some(Failure::new(why)),
        Some(StepEnd::Unconfirmed { words, help }) => Some(Failure::new(words).help(help)),
        None => None,
    };
    let title = &placed.step.title;
    Err(Box::new(failure.unwrap_or_else(|| {
        Failure::new(format!("{title} did not begin"))
    })))
}
