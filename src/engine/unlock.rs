//! `hadeploy unlock`: who holds the leases of some hosts, and those of dead runs given back. All are looked at before one is touched.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::reach::Reach;
use super::state::{HostState, Made, Out, Run, Settings};
use super::{connect, recap};
use crate::event::{Event, LeaseEvent, Recap};
use crate::node::lease::EXPIRY;
use crate::node::unlock::{HeldLease, Unlocked, free_text, look_text, parse_free, parse_look};
use crate::playbook::Project;
use crate::secret::Masker;
use crate::template::Templates;

/// Which leases are given back.
#[derive(Debug, Clone, Default)]
pub struct Unlock {
    /// On these hosts.
    pub hosts: Vec<String>,
    /// Only those of this run.
    pub run: Option<String>,
    /// What the run still does there is ended first.
    pub end_steps: bool,
}

/// A host, and the lease that a run holds of it.
struct Found {
    host: Arc<HostState>,
    lease: HeldLease,
}

/// Gives back the leases of dead runs; none while one of the runs asked for lives. What is found goes to `events`, from `RunStarted` to `RunFinished`.
pub async fn unlock(
    project: Project,
    templates: Arc<Templates>,
    reach: Arc<dyn Reach>,
    settings: Settings,
    masker: Arc<Masker>,
    events: mpsc::UnboundedSender<Event>,
    (wanted, interrupt): (Unlock, CancellationToken),
) -> Recap {
    let began = Instant::now();
    let made = Made {
        project: Arc::new(project),
        templates,
        settings,
        reach,
        masker,
        events,
        interrupt,
    };
    let mut run = Run::new(made, Default::default());
    let faults = super::admit(&mut run, wanted.hosts.clone());
    if run.begin(faults) {
        let why = "the inventory's variables are wrong";
        return recap::finish(&run, began, Some(why), None);
    }
    let run = Arc::new(run);
    let found = look(&run).await;
    if run.stop.is_cancelled() {
        return recap::finish(&run, began, None, None);
    }
    let (code, reason) = match decide(&run, &wanted, found) {
        Ok(chosen) => free(&run, &wanted, chosen).await,
        Err(refused) => refused,
    };
    super::farewell(&run).await;
    recap::ended(&run, began, code, reason)
}

/// Asks all hosts at once who holds their lease, and says it.
async fn look(run: &Arc<Run>) -> Vec<Found> {
    let mut asking = JoinSet::new();
    for host in run.hosts.values() {
        let (run, host) = (run.clone(), host.clone());
        asking.spawn(async move {
            let _permit = run.forks.clone().acquire_owned().await.ok();
            let asked = async {
                let mut node = connect::open(&run, &host).await?;
                let said = node.read(&look_text(node.base())).await?;
                host.tally().round_trips += node.round_trips;
                *host.node.lock().await = Some(node);
                Ok(parse_look(&said))
            };
            let answer = tokio::select! {
                answer = asked => answer,
                () = run.stop.cancelled() => return None,
            };
            match answer {
                Ok(lease) => {
                    run.say(Event::HostConnected {
                        host: host.name.clone(),
                    });
                    lease.map(|lease| Found { host, lease })
                }
                Err(error) => {
                    connect::unreachable(&run, &host, &error);
                    None
                }
            }
        });
    }
    let mut found = Vec::new();
    while let Some(answer) = asking.join_next().await {
        found.extend(answer.ok().flatten());
    }
    found.sort_by_key(|one| run.hosts.get_index_of(&one.host.name));
    for one in &found {
        say(run, one, one.lease.lives(), false);
    }
    found
}

fn say(run: &Run, found: &Found, lives: bool, freed: bool) {
    let HeldLease {
        run: id,
        info,
        silent_s,
        step,
    } = found.lease.clone();
    run.say(Event::Lease(Box::new(LeaseEvent {
        host: found.host.name.clone(),
        run: id,
        holder: info.holder,
        command: info.command,
        since: info.since,
        silent_s,
        lives,
        works: step.is_some(),
        freed,
    })));
}

/// Which leases are given back; else the exit status and why none is.
fn decide(run: &Run, wanted: &Unlock, mut found: Vec<Found>) -> Result<Vec<Found>, (u8, String)> {
    let silent = silent(run);
    found.retain(|one| wanted.run.as_ref().is_none_or(|id| *id == one.lease.run));
    if found.is_empty() {
        let what = match &wanted.run {
            Some(id) => format!("run {id} holds no lease there"),
            None => "no lease is held".to_owned(),
        };
        return Err(match (silent.is_empty(), &wanted.run) {
            (true, None) => (0, what),
            (true, Some(_)) => (1, what),
            (false, _) => (
                1,
                format!("{what}; {} could not be asked", silent.join(", ")),
            ),
        });
    }
    if let Some(living) = found.iter().find(|one| one.lease.lives()) {
        let HeldLease {
            info,
            run,
            silent_s,
            ..
        } = &living.lease;
        return Err((
            4,
            format!(
                "run {run} lives, and keeps the lease of {}: `{}` by {}, since {} (last sign of life {silent_s} s ago); interrupt it there, or wait until it was silent for {} s",
                living.host.name,
                info.command,
                info.holder,
                info.since,
                EXPIRY.as_secs()
            ),
        ));
    }
    let working = found.iter().find(|one| one.lease.step.is_some());
    if let (Some(working), false) = (working, wanted.end_steps) {
        return Err((
            4,
            format!(
                "run {run} is dead, but its last step still runs on {host}: look there with `systemctl status 'hadeploy-{run}-*'`, wait for its end, or end it with `--run {run} --end-steps`",
                run = working.lease.run,
                host = working.host.name,
            ),
        ));
    }
    Ok(found)
}

/// Hosts that could not be asked.
fn silent(run: &Run) -> Vec<String> {
    let hosts = run.hosts.values();
    let silent = hosts.filter(|host| host.out() == Out::Unreachable);
    silent.map(|host| host.name.to_string()).collect()
}

/// Gives them back; the exit status and what came of it.
async fn free(run: &Arc<Run>, wanted: &Unlock, chosen: Vec<Found>) -> (u8, String) {
    run.touch();
    let mut freed = 0;
    let mut trouble = Vec::new();
    for one in &chosen {
        let mut place = one.host.node.lock().await;
        let Some(node) = place.as_mut() else { continue };
        let before = node.round_trips;
        let text = free_text(node.base(), &one.lease.run, wanted.end_steps);
        let said = node.read(&text).await;
        one.host.tally().round_trips += node.round_trips - before;
        drop(place);
        let name = &one.host.name;
        match said.map(|said| parse_free(&said)) {
            Ok(Some(Unlocked::Free)) => {
                freed += 1;
                say(run, one, false, true);
            }
            Ok(Some(Unlocked::Lives)) => {
                trouble.push(format!("{name} has another holder now"));
            }
            Ok(Some(Unlocked::Works)) => {
                trouble.push(format!("a step on {name} could not be ended"));
            }
            Ok(None) => {
                one.host.take_out(Out::Failed);
                trouble.push(format!("{name} did not say what came of it"));
            }
            Err(error) => {
                connect::unreachable(run, &one.host, &error);
            }
        }
    }
    let silent = silent(run);
    if !silent.is_empty() {
        trouble.push(format!("{} could not be asked", silent.join(", ")));
    }
    let done = match freed {
        1 => "1 lease was given back".to_owned(),
        count => format!("{count} leases were given back"),
    };
    match trouble.is_empty() {
        true => (0, done),
        false => (3, format!("{done}; {}", trouble.join("; "))),
    }
}
