//! The clusters that nodes of a rolling update are members of: who is primary, a node that leaves them for a while, and all of them whole
//! again. They are worked on in a run beside, so that what fails there takes no host out of this one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::beside;
use crate::change::Field;
use crate::cluster::Goal;
use crate::engine::clustered::is_cluster;
use crate::engine::state::{Out, Run, lock};
use crate::event::{Event, Mode, Status, TaskResult};
use crate::playbook::Scheduled;
use crate::rollout::{Act, Report};

/// The plays of clusters.
pub(super) struct Clusters {
    run: Arc<Run>,
    plays: Vec<Arc<Scheduled>>,
}

/// What is told of a run beside, and what was heard in it.
struct Ear {
    heard: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Clusters {
    /// Those among these plays.
    pub(super) fn new(run: &Arc<Run>, plays: &[Arc<Scheduled>]) -> Clusters {
        let plays = plays
            .iter()
            .filter(|play| play.play.tasks_and_handlers().any(is_cluster));
        Clusters {
            run: run.clone(),
            plays: plays.cloned().collect(),
        }
    }

    /// Of which clusters each node is the primary when its turn comes: a dry run has not moved whom the settings will move.
    pub(super) async fn primaries(&self) -> BTreeMap<String, Vec<&'static str>> {
        let mut primaries = self.primaries_now().await;
        if self.run.settings.mode.may_change() {
            return primaries;
        }
        for (cluster, to) in self.foreseen().await {
            for of in primaries.values_mut() {
                of.retain(|known| *known != cluster);
            }
            primaries.entry(to).or_default().push(cluster);
        }
        primaries.retain(|_, of| !of.is_empty());
        primaries
    }

    /// Whom the wanted state makes primary.
    async fn foreseen(&self) -> Vec<(&'static str, String)> {
        let (events, mut said) = mpsc::unbounded_channel();
        let names: Vec<Arc<str>> = self.run.hosts.keys().cloned().collect();
        let side = beside::run(&self.run, &names, events, |settings, _| {
            settings.mode = Mode::Plan;
        });
        beside::lend(&self.run, &side).await;
        for play in &self.plays {
            crate::engine::work(&side, &tasks_of_clusters(play), &[]).await;
        }
        beside::lend(&side, &self.run).await;
        let mut moved = Vec::new();
        while let Ok(event) = said.try_recv() {
            if let Event::TaskFinished(result) = event {
                let to = successors(&result);
                moved.extend(to.into_iter().map(|to| (called(result.kind), to)));
            }
        }
        moved
    }

    async fn primaries_now(&self) -> BTreeMap<String, Vec<&'static str>> {
        let (events, mut said) = mpsc::unbounded_channel();
        let names: Vec<Arc<str>> = self.run.hosts.keys().cloned().collect();
        let side = beside::run(&self.run, &names, events, |settings, _| {
            settings.mode = Mode::Plan;
            settings.goal = Some(Goal::Look);
        });
        beside::lend(&self.run, &side).await;
        for play in &self.plays {
            crate::engine::work(&side, &tasks_of_clusters(play), &[]).await;
        }
        beside::lend(&side, &self.run).await;
        let mut primaries: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
        while let Ok(event) = said.try_recv() {
            let Event::Cluster(report) = event else {
                continue;
            };
            for member in report.members.iter().filter(|it| it.role == "primary") {
                let of = primaries.entry(member.name.clone()).or_default();
                of.push(called(&report.cluster));
            }
        }
        primaries
    }

    /// Does an act with one node; says which clusters have another primary by it.
    pub(super) async fn perform(&self, node: &Arc<str>, act: Act) -> (Report, Vec<String>) {
        let goal = (act != Act::Gather).then(|| Goal::Leave(node.to_string()));
        let (why, switched) = self.work(goal).await;
        (why.map_or(Report::Done, Report::Failed), switched)
    }

    /// Works on the clusters, toward a goal or to make them whole; says what failed, and which have another primary by it.
    pub(super) async fn work(&self, goal: Option<Goal>) -> (Option<String>, Vec<String>) {
        let whole = goal.is_none();
        let ear = self.listen();
        let names: Vec<Arc<str>> = self.run.hosts.keys().cloned().collect();
        let side = beside::run(&self.run, &names, ear.0, |settings, _| settings.goal = goal);
        beside::lend(&self.run, &side).await;
        let mut why = None;
        for play in &self.plays {
            let part = match whole {
                true => play.clone(),
                false => tasks_of_clusters(play),
            };
            crate::engine::work(&side, &part, &[]).await;
            why = failed(&side, play);
            if why.is_some() {
                break;
            }
        }
        beside::settle(&side, &self.run).await;
        drop(side);
        let switched = ear.1.end().await;
        (why, switched)
    }

    /// Passes on what a run beside says.
    fn listen(&self) -> (mpsc::UnboundedSender<Event>, Ear) {
        let (events, mut said) = mpsc::unbounded_channel();
        let (run, heard) = (self.run.clone(), Arc::<Mutex<Vec<String>>>::default());
        let notes = heard.clone();
        let task = tokio::spawn(async move {
            while let Some(event) = said.recv().await {
                if let Event::TaskFinished(result) = &event {
                    lock(&notes).extend(switchovers(result));
                }
                run.say(event);
            }
        });
        (events, Ear { heard, task })
    }
}

impl Ear {
    /// Everything was said.
    async fn end(self) -> Vec<String> {
        // It ends with the run beside, which nobody holds any more.
        let _ = self.task.await;
        std::mem::take(&mut *lock(&self.heard))
    }
}

/// Only the tasks that look at a cluster.
fn tasks_of_clusters(play: &Scheduled) -> Arc<Scheduled> {
    let mut part = play.clone();
    part.play.gather_facts = false;
    part.play.handlers.clear();
    for tasks in [
        &mut part.play.pre_tasks,
        &mut part.play.tasks,
        &mut part.play.post_tasks,
    ] {
        tasks.retain(is_cluster);
    }
    Arc::new(part)
}

fn failed(run: &Run, play: &Scheduled) -> Option<String> {
    play.hosts
        .iter()
        .filter_map(|name| run.hosts.get(name.as_str()))
        .find(|host| host.out() != Out::Alive)
        .map(|host| host.why_out())
}

/// Its name for people.
fn called(kind: &str) -> &'static str {
    match kind.starts_with("postgres") {
        true => "PostgreSQL",
        false => "redis",
    }
}

/// The switchovers that a result of a cluster's task tells of.
fn switchovers(result: &TaskResult) -> Vec<String> {
    let to = successors(result).into_iter();
    to.map(|to| format!("{} to {to}", called(result.kind)))
        .collect()
}

/// The new primaries that a result of a cluster's task tells of.
fn successors(result: &TaskResult) -> Vec<String> {
    if result.status != Status::Changed || !result.kind.ends_with("_cluster") {
        return Vec::new();
    }
    let to = |field: &Field| match field {
        Field::Value { field, after, .. } if field == "role" && after == "primary" => {
            Some(result.host.to_string())
        }
        Field::Value { field, after, .. } if field == "primary" => Some(after.clone()),
        _ => None,
    };
    result.changes.iter().filter_map(to).collect()
}
