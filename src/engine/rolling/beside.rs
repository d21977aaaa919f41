//! Runs beside a run: over the same connections, with another mode or other variables.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::engine::gate::LeaseGate;
use crate::engine::state::{Made, Run, Settings, lock};
use crate::event::Event;
use crate::playbook::Project;
use crate::rollout::RELEASE_VARIABLE;
use crate::source::Span;
use crate::value::{Entry, Kind, Value};

/// A run for some of the hosts of `run`, changed by `change`. Its events go to `events`. Connections are lent to it with [`lend`].
pub(super) fn run(
    run: &Arc<Run>,
    hosts: &[Arc<str>],
    events: mpsc::UnboundedSender<Event>,
    change: impl FnOnce(&mut Settings, &mut Project),
) -> Arc<Run> {
    let mut settings = run.settings.clone();
    let mut project = (*run.project).clone();
    change(&mut settings, &mut project);
    let hosts = run
        .hosts
        .iter()
        .filter(|(name, _)| hosts.contains(name))
        .map(|(name, host)| (name.clone(), Arc::new(host.again())))
        .collect();
    let made = Made {
        project: Arc::new(project),
        templates: run.templates.clone(),
        settings,
        reach: run.reach.clone(),
        masker: run.masker.clone(),
        events,
        interrupt: run.interrupt.clone(),
    };
    Arc::new(Run {
        // The run that it stands beside holds the leases.
        gate: LeaseGate::new(0),
        stop: run.stop.clone(),
        borrows: true,
        ..Run::new(made, hosts)
    })
}

/// Moves connections, and facts, from the hosts of one run to those of another.
pub(super) async fn lend(from: &Run, to: &Run) {
    for (name, host) in &from.hosts {
        let Some(other) = to.hosts.get(name) else {
            continue;
        };
        let node = host.node.lock().await.take();
        if node.is_some() {
            *other.node.lock().await = node;
        }
        if other.vars().facts.is_none() {
            let facts = host.vars().facts.clone();
            other.vars().facts = facts;
        }
    }
}

/// After a run beside this one has worked for it: its connections, its counts, and whether it wrote.
pub(super) async fn settle(side: &Run, main: &Run) {
    lend(side, main).await;
    for (name, host) in &side.hosts {
        let Some(other) = main.hosts.get(name) else {
            continue;
        };
        let done = *host.tally();
        other.tally().add(&done);
        lock(&other.changed).append(&mut lock(&host.changed));
        lock(&other.paid).append(&mut lock(&host.paid));
    }
    let impact = std::mem::take(&mut *lock(&side.impact));
    lock(&main.impact).add(&impact);
    if side.touched.load(std::sync::atomic::Ordering::Relaxed) {
        main.touch();
    }
}

/// The whole run again, but for the release that its nodes had before.
pub(super) async fn with_release(main: &Arc<Run>, variable: &Arc<str>, release: &str) -> Arc<Run> {
    let names: Vec<Arc<str>> = main.hosts.keys().cloned().collect();
    let side = run(main, &names, main.events.clone(), |_, project| {
        set(project, variable, release);
    });
    lend(main, &side).await;
    side
}

/// The release as a variable stronger than all others; where the command line gave it by the usual name, by that name too.
pub(super) fn set(project: &mut Project, name: &Arc<str>, text: &str) {
    let span = Span::synthetic("<the release before>");
    let mut extra = (*project.extra).clone();
    let entry = Entry {
        key: span.clone(),
        value: Value::str(text, &span),
    };
    if let Some(usual) = extra.get_mut(RELEASE_VARIABLE) {
        usual.clone_from(&entry);
    }
    extra.insert(name.clone(), entry);
    // For what builds or uploads a release: the nodes have this one.
    let back = Entry {
        key: span.clone(),
        value: Value::new(Kind::Bool(true), &span),
    };
    extra.insert("rolling_back".into(), back);
    project.extra = Arc::new(extra);
}
