//! The engine: brings each host of a project to its wanted state, or says what that would change.
//!
//! [`run`] goes through the plays; for each, every host works on its own (`host`), in linear order only at cuts (`progress`). A host binds
//! and compares all remaining tasks at once, reads what is missing in one script and writes what differs in one (`script`).

mod acted;
mod acting;
mod around;
mod ask;
mod audit;
mod bind;
mod block;
mod cluster;
mod clustered;
mod connect;
mod controller;
mod delegate;
mod delegates;
mod exec;
mod failed;
mod files;
mod finish;
mod first;
mod follows;
mod foresee;
mod gate;
mod handlers;
mod hands;
mod heart;
mod host;
mod hosts;
mod include;
mod items;
mod join;
mod layout;
mod machines;
mod mask;
mod member;
mod meta;
mod once;
mod pass_over;
mod patience;
mod place;
mod progress;
mod promised;
mod reach;
mod recap;
mod roles;
mod rolling;
mod scope;
mod script;
mod sequences;
mod serial;
mod state;
mod status;
mod throttle;
mod unlock;
mod until;
mod verdict;
pub mod visit;
mod walk;
mod way_in;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::diagnostic::Diagnostic;
use crate::event::{Event, Failure, Recap};
use crate::fact::Missing;
use crate::inventory::Inventory;
use crate::playbook::{Project, Scheduled};
use crate::secret::Masker;
use crate::template::Templates;

use host::HostRun;
use layout::Layout;
use machines::Machines;
use progress::Progress;
use scope::PlayScope;
use state::{HostState, Made, Out, Run, lock};

pub use ask::Questions;
pub use audit::Origin;
pub use exec::{Exec, Facts, GRACE, Visit, exec, facts};
pub use gate::Refusal;
pub use hosts::ways;
pub use reach::{Network, Reach, Target};
pub use rolling::Rolling;
pub use state::Settings;
pub use status::{Look, parse_answers, status};
pub use unlock::{Unlock, unlock};
pub use way_in::{Kept, parse_kept};

/// Runs a project whose diagnostics hold no error. Everything that happens goes to `events`, from `RunStarted` to `RunFinished`.
/// Cancelling `interrupt` lets what runs end, starts nothing new, and gives the leases back.
pub async fn run(
    project: Project,
    templates: Arc<Templates>,
    reach: Arc<dyn Reach>,
    settings: Settings,
    masker: Arc<Masker>,
    events: mpsc::UnboundedSender<Event>,
    interrupt: CancellationToken,
) -> Recap {
    let began = Instant::now();
    let (hosts, mut faults) = hosts::of(&project, &templates, &settings);
    let _ = events.send(Event::RunStarted {
        mode: settings.mode,
        run_id: settings.run_id.clone(),
        playbook: project.playbooks.join(" "),
        hosts: hosts.keys().cloned().collect(),
        log: settings.log.clone(),
    });
    let fatal = faults.iter().any(|fault| fault.is_error());
    for fault in faults.drain(..) {
        let _ = events.send(mask::event(Event::Diagnostic(Box::new(fault)), &masker));
    }
    if let Some(record) = &settings.record {
        record.hosts(hosts.keys().map(AsRef::as_ref));
    }
    let plays: Vec<Arc<Scheduled>> = project.plays.iter().cloned().map(Arc::new).collect();
    let made = Made {
        project: Arc::new(project),
        templates,
        settings,
        reach,
        masker,
        events,
        interrupt,
    };
    let mut run = Run::new(made, hosts);
    // What the limit leaves out of a cluster is looked at all the same.
    let members = cluster_hosts(plays.iter().map(Arc::as_ref), &run.project.inventory);
    let stranger = first::stranger(&run, &members);
    let fatal = fatal || !admit(&mut run, members).is_empty();
    if fatal {
        let why = "the inventory's variables are wrong";
        return recap::finish(&run, began, Some(why), None);
    }
    if let Some(why) = stranger {
        return recap::finish(&run, began, Some(&why), None);
    }
    let mut prepared = None;
    if run.settings.rolling.is_some() {
        // The node on its way is finished, whatever the user wants of the others.
        run.stop = CancellationToken::new();
        // What the limit leaves out counts for what the fleet can spare.
        let rolled = plays.iter().filter(|play| play.play.rolling.is_some());
        let beyond = rolled.flat_map(|play| &play.beyond);
        let beyond = beyond.map(|host| host.as_str().to_owned()).collect();
        faults = admit(&mut run, beyond);
        let shared = Arc::new(run);
        let answer = rolling::prepare(&shared, &plays);
        // Nobody else has it yet.
        let Some(own) = Arc::into_inner(shared) else {
            unreachable!("a run that has not begun has one owner");
        };
        run = own;
        match answer {
            Ok(ready) => {
                faults.append(&mut admit(&mut run, ready.balancer_hosts()));
                prepared = Some(ready);
            }
            Err(mut found) => faults.append(&mut found),
        }
        if faults.iter().any(|fault| fault.is_error()) {
            for fault in faults {
                run.say(Event::Diagnostic(Box::new(fault)));
            }
            let why = "the rolling update is not well described";
            return recap::finish(&run, began, Some(why), None);
        }
    }
    run.machines = Machines::of(&run.project, &run.settings);
    let faults = machines::foretold(&run.project, &run.settings, &run.machines, &run.hosts);
    let fatal = faults.iter().any(Diagnostic::is_error);
    for fault in faults {
        run.say(Event::Diagnostic(Box::new(fault)));
    }
    if fatal {
        let why = "two hosts that must not be one machine are";
        return recap::finish(&run, began, Some(why), None);
    }
    let run = Arc::new(run);
    // Ends with this function, however that ends.
    let mut heart = JoinSet::new();
    if run.settings.mode.may_change() {
        heart.spawn(heart::beat(run.clone()));
    }
    if let Some(prepared) = prepared {
        rolling::tell_release(&run, &prepared);
        let end = rolling::roll(&run, &plays, prepared).await;
        farewell(&run).await;
        heart.abort_all();
        return recap::finish(&run, began, None, end);
    }
    if let Some(goal) = run.settings.first.clone()
        && let Some(why) = first::order(&run, &plays, goal).await
    {
        farewell(&run).await;
        heart.abort_all();
        return recap::finish(&run, began, Some(&why), None);
    }
    let early = connect_later_hosts(&run, &plays);
    for (number, play) in plays.iter().enumerate() {
        if run.stop.is_cancelled() || run.gate.refusal().is_some() {
            break;
        }
        work(&run, play, &plays[number + 1..]).await;
    }
    early.shutdown_after().await;
    if let Some(record) = &run.settings.record {
        record.files(run.files.read());
    }
    farewell(&run).await;
    heart.abort_all();
    recap::finish(&run, began, None, None)
}

/// Members of the clusters that the plays name: the hosts of the groups written in their tasks.
fn cluster_hosts<'a>(
    plays: impl IntoIterator<Item = &'a Scheduled>,
    inventory: &Inventory,
) -> Vec<String> {
    let tasks = plays
        .into_iter()
        .filter(|scheduled| !scheduled.hosts.is_empty())
        .flat_map(|scheduled| scheduled.play.tasks_and_handlers());
    let clusters = tasks.filter(|task| clustered::is_cluster(task));
    clusters
        .flat_map(|task| clustered::members(task, inventory))
        .collect()
}

/// Hosts that are needed beside those of the plays.
fn admit(run: &mut Run, names: Vec<String>) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name.clone()) || run.hosts.contains_key(name.as_str()) {
            continue;
        }
        let project = run.project.clone();
        let Some((name, host)) = project
            .inventory
            .hosts
            .iter()
            .find(|(known, _)| known.as_str() == name)
        else {
            let known = project.inventory.hosts.keys().map(|name| name.as_str());
            faults.push(
                Diagnostic::error(format!(
                    "the balancer's host `{name}` is not in the inventory"
                ))
                .nearest(&name, known),
            );
            continue;
        };
        match hosts::state(&project, &run.templates, &run.settings, name, host, &[]) {
            Ok(state) => {
                run.hosts.insert(state.name.clone(), Arc::new(state));
            }
            Err(mut found) => faults.append(&mut found),
        }
    }
    run.gate = gate::LeaseGate::new(run.hosts.len());
    faults
}

/// Tasks whose end is waited for.
struct Early(JoinSet<()>);

impl Early {
    async fn shutdown_after(mut self) {
        while self.0.join_next().await.is_some() {}
    }
}

/// Leases are taken on every host of the run before anything is written: hosts that only come in later plays are connected now.
fn connect_later_hosts(run: &Arc<Run>, plays: &[Arc<Scheduled>]) -> Early {
    let mut early = JoinSet::new();
    let first = plays.iter().find(|play| !play.hosts.is_empty());
    // The first batch connects itself.
    let batches = first
        .map(|play| serial::batches(run, play))
        .unwrap_or_default();
    let is_first = |host: &HostState| {
        let mut batch = batches.first().into_iter().flatten();
        batch.any(|first| first.name == host.name)
    };
    if !run.settings.mode.may_change() {
        return Early(early);
    }
    for host in run.hosts.values().filter(|host| !is_first(host)) {
        let (run, host) = (run.clone(), host.clone());
        early.spawn(async move {
            let _permit = run.forks.clone().acquire_owned().await.ok();
            let mut place = host.node.lock().await;
            if place.is_some() || host.out() != Out::Alive {
                return;
            }
            let nothing = Missing::default();
            let first = match pass_over::may_be(&run, &host) {
                // It is tried again when its turn has come.
                true => {
                    let first = connect::try_first_script(&run, &host, &nothing).await;
                    if let Err(Some(_)) = first {
                        host.missed.store(true, Ordering::Relaxed);
                        run.gate.settle(&host.name);
                    }
                    first.ok()
                }
                false => connect::first_script(&run, &host, &nothing).await.ok(),
            };
            *place = first.map(|(node, _)| node);
        });
    }
    Early(early)
}

/// One play on all its hosts that are still in the run. A host that no `later` play needs is left as soon as it is done.
async fn work(run: &Arc<Run>, play: &Arc<Scheduled>, later: &[Arc<Scheduled>]) {
    let batches = serial::batches(run, play);
    if batches.is_empty() {
        return;
    }
    let live = batches.iter().flatten();
    run.say(Event::PlayStarted {
        play: play.play.name.clone(),
        hosts: live.map(|host| host.name.clone()).collect(),
    });
    let layout = Arc::new(Layout::of(&play.play));
    for (number, batch) in batches.iter().enumerate() {
        if run.stop.is_cancelled() || run.gate.refusal().is_some() {
            break;
        }
        work_together(run, play, batch, &layout, later).await;
        if layout.has_ended()
            || !serial::goes_on(run, play, batch, &batches[number + 1..], layout.is_fatal())
        {
            break;
        }
    }
}

/// One play on the hosts of one batch.
async fn work_together(
    run: &Arc<Run>,
    play: &Arc<Scheduled>,
    live: &[Arc<HostState>],
    layout: &Arc<Layout>,
    later: &[Arc<Scheduled>],
) {
    let names: Arc<[Arc<str>]> = live.iter().map(|host| host.name.clone()).collect();
    let progress = Arc::new(Progress::new(names.iter().cloned()));
    let mut working = JoinSet::new();
    for host in live.iter().cloned() {
        let scope = PlayScope::new(run.clone(), play.clone(), host.clone(), names.clone());
        let (layout, progress) = (layout.clone(), progress.clone());
        let run = run.clone();
        let comes_again = later
            .iter()
            .any(|play| play.hosts.iter().any(|name| name.as_str() == &*host.name));
        working.spawn(async move {
            let (name, reached) = (host.name.clone(), progress.clone());
            // A bug met on one host is that host's failure; the others go on.
            // In a set of its own, it ends with the run when that is given up.
            let mut work = JoinSet::new();
            work.spawn(HostRun::new(scope, layout, progress).work());
            if let Some(Err(error)) = work.join_next().await
                && error.is_panic()
            {
                run.say(Event::HostUnreachable {
                    host: name.clone(),
                    error: Failure::new(format!(
                        "a bug in hadeploy stopped this host: {}",
                        panic_text(error)
                    )),
                });
                host.tally().unreachable = 1;
                host.take_out(Out::Failed);
                reached.reach(&name, &place::Place::end());
                run.gate.settle(&name);
            }
            // A host that needed no connection holds nobody back.
            run.gate.settle(&name);
            if !comes_again {
                connect::leave(&run, &host).await;
            }
        });
    }
    while working.join_next().await.is_some() {}
}

fn panic_text(error: tokio::task::JoinError) -> String {
    let payload = error.into_panic();
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

/// Leases go back and connections end, on all hosts at once.
async fn farewell(run: &Arc<Run>) {
    // The first name that leaves its machine may give the lease back for all.
    for host in run.hosts.values().filter(|host| !host.twins().is_empty()) {
        connect::settle(run, host).await;
    }
    let mut leaving = JoinSet::new();
    lock(&run.pulses).clear();
    for host in run.hosts.values() {
        let (run, host) = (run.clone(), host.clone());
        leaving.spawn(async move { connect::farewell(&run, &host).await });
    }
    while leaving.join_next().await.is_some() {}
}

/// Plain data as the template engine's value.
fn native(data: impl serde::Serialize) -> minijinja::Value {
    minijinja::Value::from(minijinja::value::Serde(data))
}
