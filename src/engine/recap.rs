//! The end of a run: its exit status and why.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::rolling::End;
use super::state::{Out, Run, lock};
use crate::diagnostic::count;
use crate::event::{Event, Mode, NodeRecap, Recap};
use crate::rollout::Outcome;

/// Says the end, and returns it. `fault` is why the run did not even begin.
pub fn finish(run: &Run, began: Instant, fault: Option<&str>, rolled: Option<End>) -> Recap {
    let (exit_code, reason) = match (fault, &rolled) {
        // What went before the plays may have written.
        (Some(fault), _) if run.touched.load(Ordering::Relaxed) => (3, fault.to_owned()),
        (Some(fault), _) => (1, fault.to_owned()),
        // A dry run of a rolling update is a plan, unless it would be refused.
        (None, Some(end)) if run.settings.mode.may_change() || end.is_refused() => {
            rolling_verdict(run, end)
        }
        (None, _) => verdict(run),
    };
    let nodes = rolled.map(|end| end.nodes).unwrap_or_default();
    ended_with(run, began, exit_code, reason, nodes)
}

/// Says an end that was judged already, and returns it.
pub fn ended(run: &Run, began: Instant, exit_code: u8, reason: String) -> Recap {
    ended_with(run, began, exit_code, reason, Vec::new())
}

fn ended_with(
    run: &Run,
    began: Instant,
    exit_code: u8,
    reason: String,
    rollout: Vec<NodeRecap>,
) -> Recap {
    let recap = Recap {
        exit_code,
        reason,
        touched: run.touched.load(Ordering::Relaxed),
        elapsed_ms: began.elapsed().as_millis() as u64,
        hosts: run
            .hosts
            .iter()
            .map(|(name, host)| (name.clone(), *host.tally()))
            .collect(),
        rollout,
        impact: lock(&run.impact).clone().ordered(run.hosts.keys()),
    };
    run.say(Event::RunFinished(recap.clone()));
    recap
}

/// How a rolling update ended, in the exit statuses of the command-line contract.
fn rolling_verdict(run: &Run, end: &End) -> (u8, String) {
    let states = || {
        let nodes = end.verdict.nodes.iter();
        let words =
            nodes.map(|(name, state, _)| format!("{name} {}", state.word().replace('_', " ")));
        words.collect::<Vec<_>>().join(", ")
    };
    match &end.verdict.outcome {
        Outcome::Done => (0, "every node is done".to_owned()),
        Outcome::Refused(_) | Outcome::Stopped(_) | Outcome::Interrupted
            if run.interrupt.is_cancelled() && !end.verdict.nodes.is_empty() =>
        {
            (130, format!("no further node was taken out ({})", states()))
        }
        Outcome::Refused(why) => {
            // Plays before the rolled ones, and what `rollout: before` says, may have been done by then.
            let touched = run.touched.load(Ordering::Relaxed);
            let code = if touched { 3 } else { 1 };
            (code, format!("the rolling update was refused: {why}"))
        }
        Outcome::Interrupted => (130, format!("no further node was taken out ({})", states())),
        Outcome::Stopped(why) => (
            3,
            format!("the rolling update stopped: {why} ({})", states()),
        ),
        Outcome::RolledBack(why) => (
            3,
            format!(
                "{why}; every node has its previous release again ({})",
                states()
            ),
        ),
        Outcome::RollbackFailed(why) => (3, format!("{why} ({})", states())),
    }
}

/// The exit statuses of the command-line contract.
fn verdict(run: &Run) -> (u8, String) {
    let bad: Vec<_> = run
        .hosts
        .values()
        .filter(|host| matches!(host.out(), Out::Failed | Out::Unreachable))
        .filter(|host| !run.spares(host))
        .collect();
    let names = bad
        .iter()
        .map(|host| host.name.as_ref())
        .collect::<Vec<_>>()
        .join(", ");
    if run.password_refused.load(Ordering::Relaxed) {
        return (
            1,
            "sudo refused the password; no other host was tried".to_owned(),
        );
    }
    if let Some(refusal) = run.gate.refusal() {
        let info = &refusal.info;
        let state = if refusal.finishing {
            "it is dead and its last step still runs: `hadeploy unlock` shows it".to_owned()
        } else {
            format!("last sign of life {} s ago", refusal.silent_s)
        };
        return (
            4,
            format!(
                "another run holds the lease of {}: `{}` by {}, since {} ({state})",
                refusal.host, info.command, info.holder, info.since
            ),
        );
    }
    if run.interrupt.is_cancelled() {
        return (
            130,
            "what had begun was finished, nothing new was started".to_owned(),
        );
    }
    let pending: u32 = run
        .hosts
        .values()
        .map(|host| {
            let tally = host.tally();
            tally.changed + tally.unknown
        })
        .sum();
    match run.settings.mode {
        Mode::Plan if !bad.is_empty() => (
            1,
            format!("{} could not be planned: {names}", count(bad.len(), "host")),
        ),
        Mode::Plan if pending > 0 => (0, format!("{} pending", count(pending as usize, "change"))),
        Mode::Plan => (0, "nothing to do".to_owned()),
        Mode::Apply | Mode::Rolling | Mode::Exec if bad.is_empty() => match pending {
            0 => (0, "nothing to do".to_owned()),
            changed => (
                0,
                format!("done, {} made", count(changed as usize, "change")),
            ),
        },
        Mode::Apply | Mode::Rolling | Mode::Exec
            if run.hosts.values().any(|host| host.entered()) =>
        {
            (3, format!("{} failed: {names}", count(bad.len(), "host")))
        }
        Mode::Apply | Mode::Rolling | Mode::Exec => {
            (1, format!("no host entered its tasks: {names}"))
        }
    }
}
