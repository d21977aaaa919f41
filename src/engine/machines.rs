//! Machines that several names of the inventory lead to. What is known of a machine and the right to write to it are the machine's: its names
//! take turns, and what one of them writes the others do not know any more. Where hosts must not share a machine they are refused.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use indexmap::IndexMap;
use tokio::sync::OwnedMutexGuard;

use super::clustered;
use super::reach::ssh_options;
use super::state::{HostState, Run, Settings, lock};
use crate::diagnostic::{Diagnostic, Severity};
use crate::event::{Event, Mode};
use crate::inventory::Method;
use crate::node::NodeError;
use crate::playbook::Project;
use crate::transport::ssh::{SshOptions, Way};

/// One machine of a run.
#[derive(Default)]
pub struct Machine {
    names: Mutex<Vec<Arc<str>>>,
    connections: AtomicU32,
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// The machines of a run.
#[derive(Default)]
pub struct Machines {
    known: Mutex<HashMap<String, Arc<Machine>>>,
    /// Hosts that must be machines of their own, and for what.
    apart: Vec<(String, HashSet<Arc<str>>)>,
    /// Names of one machine that were told before anything was connected.
    told: Mutex<HashSet<Arc<str>>>,
}

impl Machines {
    /// For the plays of a run: the members of a cluster, and the nodes of a rolling update, are machines of their own.
    pub(super) fn of(project: &Project, settings: &Settings) -> Machines {
        let plays = &project.plays;
        let mut apart = Vec::new();
        for scheduled in plays.iter().filter(|play| !play.hosts.is_empty()) {
            for task in scheduled.play.tasks_and_handlers() {
                if clustered::is_cluster(task) {
                    let members = clustered::members(task, &project.inventory);
                    let members = members.into_iter().map(Arc::from).collect();
                    apart.push((format!("a {}", task.action.name()), members));
                }
            }
        }
        if settings.rolling.is_some() {
            let rolled = plays.iter().filter(|play| play.play.rolling.is_some());
            let nodes = rolled.flat_map(|play| play.hosts.iter().chain(&play.beyond));
            let nodes = nodes.map(|host| Arc::from(host.as_str())).collect();
            apart.push(("a rolling update".to_owned(), nodes));
        }
        Machines {
            apart,
            ..Machines::default()
        }
    }

    /// For what two hosts must not be one machine.
    fn keeps_apart(&self, one: &str, other: &str) -> Option<&str> {
        let both = |(_, hosts): &&(String, HashSet<Arc<str>>)| {
            hosts.contains(one) && hosts.contains(other)
        };
        self.apart.iter().find(both).map(|(what, _)| what.as_str())
    }
}

/// Hosts that the inventory says are one machine: an error where they must not be, else a warning that says how they are treated.
pub(super) fn foretold(
    project: &Project,
    settings: &Settings,
    machines: &Machines,
    hosts: &IndexMap<Arc<str>, Arc<HostState>>,
) -> Vec<Diagnostic> {
    let mut ways: IndexMap<String, Vec<&Arc<HostState>>> = IndexMap::new();
    for host in hosts.values() {
        if let Some(way) = way(settings, host) {
            ways.entry(way).or_default().push(host);
        }
    }
    let mut faults = Vec::new();
    for (way, hosts) in ways.iter().filter(|(_, hosts)| hosts.len() > 1) {
        lock(&machines.told).extend(hosts.iter().map(|host| host.name.clone()));
        let before = faults.len();
        for (at, host) in hosts.iter().enumerate() {
            for other in &hosts[..at] {
                if let Some(what) = machines.keeps_apart(&other.name, &host.name) {
                    let words = refused(&other.name, &host.name, way, what);
                    faults.push(place(host, Diagnostic::error(words)));
                }
            }
        }
        if faults.len() == before && works_as(project, hosts.iter().map(|host| &*host.name)) {
            let names = names_of(hosts.iter().map(|host| &*host.name));
            let mut fault = place(hosts[1], Diagnostic::error(several(&names, way)));
            fault.severity = Severity::Warning;
            faults.push(fault);
        }
    }
    faults
}

/// What leads to a host, for people: two hosts with the same are one machine. None where that is not well described.
fn way(settings: &Settings, host: &HostState) -> Option<String> {
    match host.connection.method {
        Method::Local => Some("the one that hadeploy runs on".to_owned()),
        Method::Ssh => ssh_options(&host.name, &host.connection, settings)
            .ok()
            .map(|options| address(&options)),
    }
}

fn address(options: &SshOptions) -> String {
    let end = format!("{}:{}", options.address, options.port);
    match &options.way {
        Way::Direct => end,
        Way::Jump(jump) => format!("{end} over {}", address(jump)),
        Way::Command(command) => format!("{end} by `{command}`"),
    }
}

/// Where the inventory says how a host is reached.
fn place(host: &HostState, fault: Diagnostic) -> Diagnostic {
    let named = ["ansible_host", "ansible_connection"];
    let entry = named.iter().find_map(|name| host.host.vars.get(*name));
    match entry {
        Some(entry) => fault.place(&entry.value.span),
        None => fault,
    }
}

fn names_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

fn several(names: &str, way: &str) -> String {
    format!(
        "{names} are one machine ({way}): they take turns on it, and each does its tasks; leave one name where they should be done once"
    )
}

fn refused(one: &str, other: &str, way: &str, what: &str) -> String {
    format!(
        "`{one}` and `{other}` are one machine ({way}), and {what} needs a machine for each: give them different addresses, or leave one name"
    )
}

/// Notes which machine a host that was just connected is, by what the node said of itself. Gives the number of this connection among those that the
/// run made to the machine, from 0.
///
/// # Errors
/// It is the machine of another host, and must not be.
pub(super) fn arrive(run: &Run, host: &HostState, id: String) -> Result<u32, NodeError> {
    let machine = lock(&run.machines.known).entry(id).or_default().clone();
    let machine = host.machine.get_or_init(|| machine).clone();
    let number = machine.connections.fetch_add(1, Ordering::Relaxed);
    let mut names = lock(&machine.names);
    if names.contains(&host.name) {
        return Ok(number);
    }
    let way = way(&run.settings, host).unwrap_or_default();
    for other in names.iter() {
        if let Some(what) = run.machines.keeps_apart(other, &host.name) {
            return Err(NodeError::Twin(refused(other, &host.name, &way, what)));
        }
    }
    names.push(host.name.clone());
    let mut told = lock(&run.machines.told);
    // A command of `exec` runs under all names at once.
    let turns = run.settings.mode != Mode::Exec;
    let turns = turns && works_as(&run.project, names.iter().map(AsRef::as_ref));
    if turns && !names.iter().all(|name| told.contains(name)) {
        told.extend(names.iter().cloned());
        run.say(Event::Warning {
            host: Some(host.name.clone()),
            message: several(&names_of(names.iter().map(AsRef::as_ref)), &way),
        });
    }
    Ok(number)
}

/// Whether several of these hosts do plays: a name that only acts for others, as `localhost` does, is nothing to tell of.
fn works_as<'a>(project: &Project, names: impl Iterator<Item = &'a str>) -> bool {
    let works = |name: &&str| {
        let mut hosts = project.plays.iter().flat_map(|play| &play.hosts);
        hosts.any(|host| host.as_str() == *name)
    };
    names.filter(works).count() > 1
}

impl HostState {
    /// The names that its machine has beside its own.
    pub(super) fn twins(&self) -> Vec<Arc<str>> {
        let Some(machine) = self.machine.get() else {
            return Vec::new();
        };
        let names = lock(&machine.names);
        let others = names.iter().filter(|name| **name != self.name);
        others.cloned().collect()
    }

    /// Waits for its turn to write to its machine, and has it while it keeps what is returned.
    pub(super) async fn turn(&self) -> Option<OwnedMutexGuard<()>> {
        match self.machine.get() {
            Some(machine) => Some(machine.turn.clone().lock_owned().await),
            None => None,
        }
    }

    /// What was written under this name the other names of its machine do not know.
    pub(super) fn wrote(&self, run: &Run) {
        for twin in self.twins() {
            if let Some(twin) = run.hosts.get(&twin) {
                twin.stale.store(true, Ordering::Relaxed);
            }
        }
    }
}
