//! A plan before an apply: shown before a question, or held in silence against a saved one.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::environment::Environment;
use super::interrupt::Interrupts;
use super::load::Loaded;
use super::means::{Means, settings};
use super::promise::{self, Maker};
use super::run::{self, Work};
use super::teller::Teller;
use super::{exit, run_id, say};
use crate::engine;
use crate::event::{Event, Mode, Moved, Recap, Status, Tally};
use crate::plan::{self, Plan};

/// What an apply waits for.
pub enum First {
    /// It may begin.
    Go,
    /// It is over, with this exit status.
    Ended(u8),
}

/// Shows what the run would change, as a plan does, before somebody is asked.
pub async fn shown(
    work: &Work,
    loaded: &Loaded,
    means: &Means,
    interrupts: &mut Interrupts,
    env: &Environment,
) -> First {
    let (reporters, bars) = run::reporters(work, Mode::Plan, true, env);
    let settings = settings(work, loaded, means, run_id::run_id(Timestamp::now()), env);
    let settings = as_plan(settings);
    let teller = Teller::start(Mode::Plan, false, reporters, None);
    let stop = CancellationToken::new();
    let running = tokio::spawn(engine::run(
        loaded.project.clone(),
        loaded.templates.clone(),
        means.reach.clone(),
        settings,
        means.masker.clone(),
        teller.events(),
        stop.clone(),
    ));
    let status = run::attend(running, teller, interrupts, &stop, bars.as_ref(), false).await;
    match status {
        exit::INTERRUPTED | exit::BUG => First::Ended(status),
        // It would be refused: then there is nothing to ask. An apply does what it can.
        exit::REFUSED if work.mode == Mode::Rolling => First::Ended(status),
        _ => First::Go,
    }
}

/// Plans anew, and holds that against the saved plan. Nothing is told unless it does not hold.
pub async fn compared(
    work: &Work,
    loaded: &Loaded,
    saved: &Plan,
    means: &Means,
    interrupts: &mut Interrupts,
    env: &Environment,
) -> First {
    let files = promise::changed_files(saved);
    if !files.is_empty() {
        return First::Ended(refused(work, Vec::new(), files, None, env));
    }
    let maker = Maker::new(work, loaded, saved.salt.clone(), env);
    let mut settings = as_plan(settings(
        work,
        loaded,
        means,
        run_id::run_id(Timestamp::now()),
        env,
    ));
    settings.record = Some(maker.record.clone());
    let (events, mut told) = mpsc::unbounded_channel();
    let stop = CancellationToken::new();
    let mut running = tokio::spawn(engine::run(
        loaded.project.clone(),
        loaded.templates.clone(),
        means.reach.clone(),
        settings,
        means.masker.clone(),
        events,
        stop.clone(),
    ));
    let recap = loop {
        tokio::select! {
            ended = &mut running => break ended.ok(),
            () = interrupts.next() => {}
        }
        if stop.is_cancelled() {
            running.abort();
            say::err("stopped at once; nothing was touched");
            return First::Ended(exit::INTERRUPTED);
        }
        stop.cancel();
    };
    let Some(recap) = recap else {
        return First::Ended(exit::BUG);
    };
    let mut events = Vec::new();
    while let Ok(event) = told.try_recv() {
        events.push(event);
    }
    if recap.exit_code != exit::DONE {
        return First::Ended(refused(work, events, Vec::new(), Some(recap), env));
    }
    let now = maker.plan();
    let mut moved = plan::moved(saved, &now);
    moved.extend(promise::new_files(saved, &now));
    if !moved.is_empty() {
        return First::Ended(refused(work, events, moved, Some(recap), env));
    }
    match now.pending() {
        (0, 0) => First::Ended(ended(work, events, recap, env)),
        _ => First::Go,
    }
}

/// A plan asks for no lease and waits for none.
fn as_plan(settings: engine::Settings) -> engine::Settings {
    engine::Settings {
        mode: Mode::Plan,
        lock_timeout: Duration::ZERO,
        ..settings
    }
}

/// Tells what moved, or what kept the plan from being made anew; gives the exit status. Nothing was written.
fn refused(
    work: &Work,
    events: Vec<Event>,
    moved: Vec<Moved>,
    recap: Option<Recap>,
    env: &Environment,
) -> u8 {
    let mut end = recap.unwrap_or_else(|| super::load::ended(exit::REFUSED, String::new()));
    // Of what would have changed nothing did.
    for tally in end.hosts.values_mut() {
        *tally = Tally {
            failed: tally.failed,
            unreachable: tally.unreachable,
            round_trips: tally.round_trips,
            ..Tally::default()
        };
    }
    end.impact = Default::default();
    if !moved.is_empty() {
        end.exit_code = exit::REFUSED;
        let things = crate::diagnostic::count(moved.len(), "thing");
        end.reason =
            format!("the plan no longer holds, {things} moved: plan again, and apply the new plan");
    }
    end.elapsed_ms = u64::try_from(env.started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let worth = |event: &Event| match event {
        Event::TaskFinished(result) => {
            matches!(result.status, Status::Failed | Status::Unreachable)
                && !(result.ignored || result.rescued)
        }
        Event::RunStarted { .. }
        | Event::HostUnreachable { .. }
        | Event::Diagnostic(_)
        | Event::Warning { .. } => true,
        _ => false,
    };
    let mut told: Vec<Event> = events.into_iter().filter(worth).collect();
    told.extend(moved.into_iter().map(|it| Event::PlanMoved(Box::new(it))));
    told.push(Event::RunFinished(end));
    tell(work, told, env)
}

/// Tells that nothing is to be done; gives the exit status.
fn ended(work: &Work, events: Vec<Event>, recap: Recap, env: &Environment) -> u8 {
    let worth = |event: &Event| !matches!(event, Event::HostWorking { .. } | Event::RunFinished(_));
    let mut told: Vec<Event> = events.into_iter().filter(worth).collect();
    told.push(Event::RunFinished(recap));
    tell(work, told, env)
}

/// Tells events as those of the apply that they kept from beginning; gives the exit status.
fn tell(work: &Work, events: Vec<Event>, env: &Environment) -> u8 {
    let (reporters, _) = run::reporters(work, work.mode, false, env);
    let teller = Teller::start(work.mode, false, reporters, None);
    let sender = teller.events();
    let begun = events
        .iter()
        .any(|event| matches!(event, Event::RunStarted { .. }));
    if !begun {
        let _ = sender.send(Event::RunStarted {
            mode: work.mode,
            run_id: run_id::run_id(Timestamp::now()).into(),
            playbook: work.project.playbooks.join(" "),
            hosts: Vec::new(),
            log: None,
        });
    }
    for mut event in events {
        if let Event::RunStarted { mode, .. } = &mut event {
            *mode = work.mode;
        }
        let _ = sender.send(event);
    }
    drop(sender);
    let told = teller.finish();
    told.exit_code.unwrap_or(exit::BUG)
}
