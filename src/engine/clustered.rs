//! A task that brings a cluster to the wanted state: one host drives for all, and each takes the changes that were made on it.

use std::collections::HashMap;
use std::sync::Arc;

use super::bind::Unit;
use super::cluster::{Driven, Driver};
use super::host::{HostRun, Turn};
use super::layout::What;
use super::state::{Out, lock};
use super::verdict::UnitEnd;
use super::walk::{Step, Walk};
use crate::change::Change;
use crate::cluster::{Cluster, Goal, Lost};
use crate::event::{Event, Failure, Status};
use crate::inventory::{HostPattern, Inventory};
use crate::playbook::{Task, TaskAction};

/// Whether it brings the members of a cluster to the wanted state together.
pub(super) fn is_cluster(task: &Task) -> bool {
    matches!(&task.action, TaskAction::Kind { kind, .. } if kind.is_cluster())
}

/// Which kind of cluster it brings to the wanted state.
pub(super) fn kind(task: &Task) -> Option<&'static str> {
    match &task.action {
        TaskAction::Kind { kind, .. } if kind.is_cluster() => Some(kind.name),
        _ => None,
    }
}

/// The groups whose hosts are its members, as far as they are written out.
pub(super) fn groups(task: &Task) -> Vec<String> {
    let TaskAction::Kind { kind, args } = &task.action else {
        return Vec::new();
    };
    let own = |name: &&str| kind.params.iter().any(|param| param.name == *name);
    let group = |name: &str| match args.has(name) {
        true => args.literal(name),
        false => kind
            .params
            .iter()
            .find(|param| param.name == name)
            .map(|param| param.default),
    };
    let named = ["group", "witness"].into_iter().filter(own);
    named
        .filter_map(group)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The hosts of those groups.
pub(super) fn members(task: &Task, inventory: &Inventory) -> Vec<String> {
    groups(task)
        .iter()
        .filter_map(|group| HostPattern::from_option("group", group).ok())
        .filter_map(|pattern| pattern.select(inventory).ok())
        .flat_map(|matched| matched.hosts)
        .map(|host| host.as_str().to_owned())
        .collect()
}

/// Drives a cluster to a goal beside its wanted state.
async fn toward(driver: Driver<'_>, goal: &Goal, plan: bool) -> Driven {
    match driver.cluster.toward(goal) {
        Ok(cluster) => {
            let cluster = &*cluster;
            let driver = Driver { cluster, ..driver };
            driver.go(plan).await
        }
        Err(refusal) => Driven::refused(refusal),
    }
}

fn is_member(cluster: &dyn Cluster, name: &str) -> bool {
    cluster.members().iter().any(|member| *member.name == *name)
}

impl HostRun {
    /// At a cluster task that this host drives. None when it does not apply: its condition is false.
    pub(super) fn clustered(
        &mut self,
        index: usize,
        task: &Arc<Task>,
        walk: &mut Walk,
    ) -> Option<Step> {
        if !walk.clear || !walk.batch.entries.is_empty() {
            walk.clear = false;
            self.promise(task);
            return Some(Step::On);
        }
        let units = match self.bound(index, task) {
            Ok(units) => units,
            Err(stop) => return Some(self.unbound(index, task, stop, walk)),
        };
        let applies = units.iter().any(|unit| unit.resource.is_some());
        applies.then_some(Step::Turn(Turn::Cluster(index)))
    }

    /// Drives the cluster. False when this host is out.
    pub(super) async fn lead(&mut self, index: usize) -> bool {
        let (What::Task(task) | What::Handler(_, task)) = self.items[index].what.clone() else {
            return true;
        };
        let units = self.slots[index].units.clone().unwrap_or_default();
        let Some(unit) = units.first() else {
            return true;
        };
        let resource = unit.resource.as_ref();
        let Some(cluster) = resource.and_then(|resource| resource.cluster()) else {
            return true;
        };
        let place = self.items[index].place.clone();
        self.progress.reach(&self.host.name, &place);
        if !self.be_there().await {
            return false;
        }
        while !self.progress.all_at(&self.host.name, &place) {
            if self.run.stop.is_cancelled() || self.must_stop() {
                return true;
            }
            self.wait(&place).await;
        }
        let plan = !self.run.settings.mode.may_change();
        if self.must_stop() || (!plan && !self.may_write().await) {
            return self.host.out() == Out::Alive;
        }
        let driven = self.driven(index, unit, cluster, plan).await;
        let failed = driven.failure.is_some() && !unit.ignore;
        let mut ends = self.ends(cluster, driven);
        if failed {
            self.half_changed(&task.label, &mut ends);
        }
        let own = ends
            .get(&self.host.name)
            .cloned()
            .unwrap_or_else(|| UnitEnd::of(Status::Ok, Change::none("")));
        self.publish_ends(index, &task, ends, failed);
        self.known.touch(&crate::change::Touch::Everything);
        self.finish_unit(index, &task, own);
        self.host.out() == Out::Alive
    }

    async fn driven(&self, index: usize, unit: &Unit, cluster: &dyn Cluster, plan: bool) -> Driven {
        let (run, name) = (self.run.clone(), self.host.name.clone());
        let say = move |what: String| {
            run.say(Event::HostWorking {
                host: name.clone(),
                what,
            });
        };
        let hosts = self.play.play.hosts.iter();
        let driver = Driver {
            run: &self.run,
            cluster,
            allowed: hosts.map(|host| Arc::from(host.as_str())).collect(),
            promised: self.promised_cluster(index, unit),
            say: &say,
        };
        match &self.run.settings.goal {
            Some(Goal::Look) => driver.tell().await,
            // A node that has no part in it leaves nothing behind.
            Some(Goal::Leave(name)) if !is_member(cluster, name) => Driven::nothing(),
            Some(Goal::Forget(lost)) => {
                let lost = self.found(&driver, lost).await;
                let inventory = &self.run.project.inventory.hosts;
                let elsewhere = inventory.keys().any(|host| host.as_str() == lost.name);
                if elsewhere && !is_member(cluster, &lost.name) && lost.address.is_none() {
                    return Driven::nothing();
                }
                let mut driver = driver;
                driver.allowed.insert(lost.name.as_str().into());
                toward(driver, &Goal::Forget(lost), plan).await
            }
            Some(goal) => toward(driver, goal, plan).await,
            None => driver.go(plan).await,
        }
    }

    /// With the address at which one of the clusters knew it.
    async fn found(&self, driver: &Driver<'_>, lost: &Lost) -> Lost {
        let mut lost = lost.clone();
        if lost.address.is_none() {
            let known = driver.known_at(&lost.name).await;
            let mut noted = lock(&self.run.known_at);
            if known.is_some() {
                *noted = known;
            }
            lost.address = noted.clone();
        }
        lost
    }

    /// What was changed on members before it failed is said with the failure, which is theirs too.
    fn half_changed(&self, label: &str, ends: &mut HashMap<Arc<str>, UnitEnd>) {
        for end in ends.values_mut().filter(|end| !end.changes.is_empty()) {
            if end.status != Status::Failed {
                let why = format!(
                    "`{label}` failed on {}, after this was changed",
                    self.host.name
                );
                let changes = std::mem::take(&mut end.changes);
                *end = UnitEnd {
                    changes,
                    ..UnitEnd::failed(Failure::new(why))
                };
            }
        }
    }

    /// One end for each host of the play and each member.
    fn ends(&self, cluster: &dyn Cluster, mut driven: Driven) -> HashMap<Arc<str>, UnitEnd> {
        let batch = self.play.batch.iter().cloned();
        let members = cluster.members().iter().map(|member| member.name.clone());
        for name in batch.chain(members) {
            let fresh = || UnitEnd::of(Status::Ok, Change::none(""));
            let end = driven.ends.entry(name.clone()).or_insert_with(fresh);
            if end.status != Status::Failed {
                end.result.extend(driven.result.clone());
            }
        }
        if let Some(failure) = driven.failure {
            let end = driven.ends.entry(self.host.name.clone());
            let own = UnitEnd::failed(failure);
            match end {
                std::collections::hash_map::Entry::Occupied(mut end) => {
                    if end.get().status != Status::Failed {
                        let changes = std::mem::take(&mut end.get_mut().changes);
                        *end.get_mut() = UnitEnd { changes, ..own };
                    }
                }
                std::collections::hash_map::Entry::Vacant(place) => {
                    place.insert(own);
                }
            }
        }
        driven.ends
    }
}
