//! How a platform is: every node is asked all that there is to ask in one script, all at once, as often as wanted. Nothing is written
//! anywhere and no lease is taken; a node that does not answer holds the others up once, and never again.

mod question;
mod worker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::bind::{Binder, Unit};
use super::reach::Reach;
use super::scope::PlayScope;
use super::state::{HostState, Made, Run, Settings};
use super::{clustered, hosts, recap};
use crate::cluster::{Answer, Cluster, NodeReport};
use crate::diagnostic::Diagnostic;
use crate::event::{Event, Recap};
use crate::playbook::{Project, Scheduled};
use crate::secret::Masker;
use crate::template::{Stop, Templates};

pub use question::parse as parse_answers;
use worker::{Said, Worker};

/// A node that has not answered a single look by then does not answer.
const PATIENCE: Duration = Duration::from_secs(45);
/// The same for a look among many: the next one comes soon.
const HASTE: Duration = Duration::from_secs(8);

/// What is looked at.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// Only clusters of this kind, and nothing else of their nodes.
    pub kind: Option<&'static str>,
    /// Again and again, with such a pause from start to start; else once.
    pub every: Option<Duration>,
}

/// A cluster of the playbook, and where its members are among the hosts.
struct Watched {
    unit: Arc<Unit>,
    hosts: Vec<usize>,
}

impl Watched {
    fn cluster(&self) -> &dyn Cluster {
        let resource = self.unit.resource.as_ref();
        let cluster = resource.and_then(|resource| resource.cluster());
        cluster.expect("only units of clusters are watched")
    }
}

/// What is known of a host between looks.
struct Host {
    state: Arc<HostState>,
    said: Said,
    /// When it answered last; before it ever did, when it was asked first.
    heard: Instant,
    /// Whether it was told to be out of reach.
    told: bool,
}

/// Looks at the platform that a project describes, as `look` says and until the token is cancelled. Everything that is found goes to
/// `events`, from `RunStarted` to `RunFinished`.
pub async fn status(
    project: Project,
    templates: Arc<Templates>,
    reach: Arc<dyn Reach>,
    settings: Settings,
    masker: Arc<Masker>,
    events: mpsc::UnboundedSender<Event>,
    (look, interrupt): (Look, CancellationToken),
) -> Recap {
    let began = Instant::now();
    let (mut known, faults) = hosts::of(&project, &templates, &settings);
    let plays = chosen(&project, &look);
    let in_play = |name: &str| {
        let mut hosts = plays.iter().flat_map(|play| &play.hosts);
        hosts.any(|host| host.as_str() == name)
    };
    known.retain(|name, _| in_play(name));
    let made = Made {
        project: Arc::new(project),
        templates,
        settings,
        reach,
        masker,
        events,
        interrupt,
    };
    let mut run = Run::new(made, known);
    // Members of a cluster that no play names.
    let members = super::cluster_hosts(plays.iter().map(Arc::as_ref), &run.project.inventory);
    let mut faults = [faults, super::admit(&mut run, members)].concat();
    run.started();
    let run = Arc::new(run);
    let watched = match faults.iter().any(Diagnostic::is_error) {
        true => Vec::new(),
        false => bind(&run, &plays, &look, &mut faults),
    };
    if run.told(faults) {
        let why = "what is to be looked at is not well described; no node was asked";
        return recap::finish(&run, began, Some(why), None);
    }
    let silent = watch(&run, &watched, &look).await;
    let why = (!silent.is_empty() && !run.interrupt.is_cancelled())
        .then(|| format!("{} could not be looked at", silent.join(", ")));
    recap::finish(&run, began, why.as_deref(), None)
}

/// The plays that matter: all of them, or those of a kind of cluster. Facts are not gathered.
fn chosen(project: &Project, look: &Look) -> Vec<Arc<Scheduled>> {
    let mut plays = project.plays.clone();
    plays.retain(|play| {
        let mut tasks = play.play.tasks_and_handlers();
        let of_kind = tasks.any(|task| {
            look.kind
                .is_none_or(|kind| clustered::kind(task) == Some(kind))
        });
        look.kind.is_none() || of_kind
    });
    for play in &mut plays {
        play.play.gather_facts = false;
    }
    plays.into_iter().map(Arc::new).collect()
}

/// The clusters that the plays describe.
fn bind(
    run: &Arc<Run>,
    plays: &[Arc<Scheduled>],
    look: &Look,
    faults: &mut Vec<Diagnostic>,
) -> Vec<Watched> {
    let mut watched = Vec::new();
    for play in plays {
        let first = play
            .hosts
            .first()
            .and_then(|name| run.hosts.get(name.as_str()));
        let Some(host) = first else { continue };
        let names: Arc<[Arc<str>]> = play.hosts.iter().map(|name| name.as_str().into()).collect();
        let scope = PlayScope::new(run.clone(), play.clone(), host.clone(), names);
        let tasks = play.play.tasks_and_handlers();
        for task in tasks.filter(|task| clustered::is_cluster(task)) {
            if look
                .kind
                .is_some_and(|kind| clustered::kind(task) != Some(kind))
            {
                continue;
            }
            let binder = Binder {
                play: scope.clone(),
            };
            let units = scope
                .read_vars_files()
                .and_then(|()| binder.bind(task, &[]));
            match units {
                Ok(units) => watched.extend(units.into_iter().filter_map(|unit| of(run, unit))),
                Err(Stop::Fault(fault)) => faults.push(*fault),
                Err(Stop::After(what)) => faults.push(Diagnostic::at(
                    &task.span,
                    format!("what `{}` wants is known only after `{what}`", task.label),
                )),
            }
        }
    }
    watched
}

/// A unit of a cluster, unless its condition is false.
fn of(run: &Run, unit: Arc<Unit>) -> Option<Watched> {
    let members = unit.resource.as_ref()?.cluster()?.members();
    let hosts = members
        .iter()
        .map(|member| run.hosts.get_index_of(&*member.name))
        .collect::<Option<Vec<usize>>>()?;
    Some(Watched { unit, hosts })
}

/// Looks once, or until the user has seen enough. Gives the names of the hosts that did not answer last.
async fn watch(run: &Arc<Run>, watched: &[Watched], look: &Look) -> Vec<String> {
    let patience = look.every.map_or(PATIENCE, |_| HASTE);
    let (round, rounds) = watch::channel(0_u64);
    let (said, mut heard) = mpsc::unbounded_channel();
    let mut working = JoinSet::new();
    let mut hosts = Vec::new();
    for (index, state) in run.hosts.values().enumerate() {
        let worker = Worker {
            run: run.clone(),
            host: state.clone(),
            question: questions(watched, index, look),
            patience,
        };
        working.spawn(worker.work(index, rounds.clone(), said.clone()));
        hosts.push(Host {
            state: state.clone(),
            said: Said::NotYet,
            heard: Instant::now(),
            told: false,
        });
    }
    drop((rounds, said));
    let mut number = 0;
    loop {
        number += 1;
        let began = Instant::now();
        let _ = round.send(number);
        // Who was out of reach is told when it is back.
        let mut awaited: Vec<bool> = hosts.iter().map(|host| !host.said.is_silent()).collect();
        let end = tokio::time::Instant::from_std(began + patience + Duration::from_millis(500));
        while awaited.contains(&true) {
            tokio::select! {
                Some((index, answer)) = heard.recv() => {
                    awaited[index] = false;
                    hosts[index].hear(answer);
                }
                () = tokio::time::sleep_until(end) => break,
                () = run.stop.cancelled() => break,
            }
        }
        while let Ok((index, answer)) = heard.try_recv() {
            hosts[index].hear(answer);
        }
        if run.stop.is_cancelled() {
            break;
        }
        tell(run, watched, look, &mut hosts);
        run.say(Event::Looked {
            round: number,
            at: format!("{:.0}", jiff::Timestamp::now()),
            ms: began.elapsed().as_millis() as u64,
        });
        let Some(every) = look.every else { break };
        tokio::select! {
            () = tokio::time::sleep(every.saturating_sub(began.elapsed())) => {}
            () = run.stop.cancelled() => break,
        }
    }
    drop(round);
    // What hangs is left: connections end with the program.
    let leaving = async { while working.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(Duration::from_millis(500), leaving).await;
    let silent = hosts.iter().filter(|host| host.said.is_silent());
    silent.map(|host| host.state.name.to_string()).collect()
}

/// What a host is asked: about itself first, then for each cluster that it is a member of.
fn questions(watched: &[Watched], index: usize, look: &Look) -> Vec<String> {
    let own = match look.kind {
        None => crate::cluster::node::question(),
        Some(_) => ":".to_owned(),
    };
    let members = watched.iter().filter_map(|watched| {
        let member = watched.hosts.iter().position(|host| *host == index)?;
        Some(watched.cluster().question(member))
    });
    [own].into_iter().chain(members).collect()
}

impl Host {
    fn hear(&mut self, said: Said) {
        if !said.is_silent() {
            self.heard = Instant::now();
        }
        self.said = said;
    }

    /// Its answer to the question with that number.
    fn answer(&self, number: usize) -> Answer {
        match &self.said {
            Said::NotYet => Answer::Silent("it has not answered yet".to_owned()),
            Said::Nothing(failure) => Answer::Silent(failure.message.clone()),
            Said::All(answers) => answers
                .get(number)
                .cloned()
                .unwrap_or_else(|| Answer::Silent("its answer is not whole".to_owned())),
        }
    }
}

/// Says what was found.
fn tell(run: &Run, watched: &[Watched], look: &Look, hosts: &mut [Host]) {
    for host in hosts.iter_mut() {
        let Said::Nothing(failure) = &host.said else {
            host.told = false;
            host.state.tally().unreachable = 0;
            continue;
        };
        host.state.tally().unreachable = 1;
        if !std::mem::replace(&mut host.told, true) {
            run.say(Event::HostUnreachable {
                host: host.state.name.clone(),
                error: failure.clone(),
            });
        }
    }
    if look.kind.is_none() {
        for host in hosts.iter() {
            run.say(Event::Node(Box::new(node(watched, host))));
        }
    }
    let mut asked = vec![0; hosts.len()];
    for watched in watched {
        let answers: Vec<Answer> = watched
            .hosts
            .iter()
            .map(|host| {
                asked[*host] += 1;
                hosts[*host].answer(asked[*host])
            })
            .collect();
        let report = watched.cluster().report(&answers);
        run.say(Event::Cluster(Box::new(report)));
    }
}

/// One node, with the names of those that its pooler leads to.
fn node(watched: &[Watched], host: &Host) -> NodeReport {
    let name = &*host.state.name;
    let silent =
        |why: String| NodeReport::silent(name, why, host.heard.elapsed().as_millis() as u64);
    let mut report = match host.answer(0) {
        Answer::Silent(why) => silent(why),
        Answer::Said(text) => NodeReport::parse(name, &text).unwrap_or_else(silent),
    };
    if let Some(pooler) = &mut report.pgbouncer {
        let mut members = watched
            .iter()
            .flat_map(|watched| watched.cluster().members());
        let member = members.find(|member| member.address == pooler.target);
        pooler.node = member.map(|member| member.name.to_string());
    }
    report
}
