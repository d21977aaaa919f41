//! The hosts of a run: how each is reached, who logs in, and whether root is needed there.

use std::sync::Arc;

use indexmap::IndexMap;

use super::machines::{self, Machines};
use super::reach::ssh_options;
use super::state::{HostState, Settings};
use crate::diagnostic::Diagnostic;
use crate::event::Mode;
use crate::inventory::{ConnectionVars, Host, Method};
use crate::name::HostName;
use crate::playbook::{Play, Privilege, Project, Scheduled};
use crate::source::Span;
use crate::template::{Lookup, Scope, Stop, Templates};
use crate::value::{Kind, Map, Value};

/// A host's own variables and `-e`: all that connection variables may use.
struct Before {
    extra: Arc<Map>,
    vars: Arc<Map>,
    name: String,
}

impl Scope for Before {
    fn lookup(&self, name: &str) -> Lookup {
        if name == "inventory_hostname" {
            return Lookup::Ready(self.name.as_str().into());
        }
        match self.extra.get(name).or_else(|| self.vars.get(name)) {
            Some(entry) => Lookup::Written(entry.value.clone()),
            None => Lookup::Undefined,
        }
    }

    fn names(&self) -> Vec<String> {
        self.extra
            .keys()
            .chain(self.vars.keys())
            .map(|name| name.to_string())
            .collect()
    }
}

/// Every host of the run, in inventory order, and what is wrong with how they are reached.
pub fn of(
    project: &Project,
    templates: &Templates,
    settings: &Settings,
) -> (IndexMap<Arc<str>, Arc<HostState>>, Vec<Diagnostic>) {
    let mut hosts = IndexMap::new();
    let mut faults = Vec::new();
    let delegates = super::delegates::of(project, templates);
    for (name, host) in &project.inventory.hosts {
        let plays: Vec<&Scheduled> = project
            .plays
            .iter()
            .filter(|play| play.hosts.contains(name))
            .collect();
        let delegated = delegates.get(name.as_str()).copied();
        if plays.is_empty() && delegated.is_none() {
            continue;
        }
        match state(project, templates, settings, name, host, &plays) {
            Ok(mut state) => {
                match delegated {
                    // Root is needed only for what it does for others.
                    Some(becomes) if plays.is_empty() => {
                        state.root = state.login == "root"
                            || state.connection.privileged == Some(true)
                            || settings.force_become
                            || becomes;
                    }
                    Some(becomes) => state.root |= becomes,
                    None => {}
                }
                hosts.insert(state.name.clone(), Arc::new(state));
            }
            Err(found) => {
                for fault in found {
                    if !faults.iter().any(|known| same(known, &fault)) {
                        faults.push(fault);
                    }
                }
            }
        }
    }
    (hosts, faults)
}

/// What is wrong with how the hosts of a project are reached, and which of them are one machine, as a run says it before it connects.
pub fn ways(project: &Project, templates: &Templates, settings: &Settings) -> Vec<Diagnostic> {
    let (hosts, mut faults) = of(project, templates, settings);
    let machines = Machines::of(project, settings);
    faults.extend(machines::foretold(project, settings, &machines, &hosts));
    faults
}

/// What is wrong with the ssh configuration is wrong for many hosts, and said once.
fn same(one: &Diagnostic, other: &Diagnostic) -> bool {
    let at = |fault: &Diagnostic| fault.span.as_ref().map(Span::at);
    one.message == other.message && at(one) == at(other)
}

/// A host as its first play reaches it. Without a play it is one that others need, such as a balancer, and it is needed as root.
pub fn state(
    project: &Project,
    templates: &Templates,
    settings: &Settings,
    name: &HostName,
    host: &Host,
    plays: &[&Scheduled],
) -> Result<HostState, Vec<Diagnostic>> {
    // A host outside the plays may be closed still: one that is delegated to.
    let opened = host.opened(&project.keyring)?;
    let host: &Host = &opened;
    let first = plays.first();
    let text = |text: &Option<String>| {
        text.as_ref()
            .map(|text| Value::str(text, &Span::synthetic("<command line>")))
    };
    let vars = ConnectionVars::of(&host.vars)
        .over(&project.extra)
        .or(
            "user",
            first.and_then(|first| first.play.remote_user.clone()),
        )
        .or("user", text(&settings.user))
        .or("port", first.and_then(|first| first.play.port.clone()))
        .or(
            "method",
            first.and_then(|first| first.play.connection.clone()),
        );
    let scope: Arc<dyn Scope> = Arc::new(Before {
        extra: project.extra.clone(),
        vars: host.vars.clone(),
        name: name.as_str().to_owned(),
    });
    let rendered =
        vars.map(|value| templates.render(value, &scope))
            .map_err(|stop| match stop {
                Stop::Fault(fault) => vec![*fault],
                Stop::After(what) => vec![Diagnostic::error(format!(
                    "how `{}` is reached depends on `{what}`",
                    name.as_str()
                ))],
            })?;
    let connection = rendered.typed(name)?;
    let login = match connection.method {
        Method::Local => settings.local_user.clone(),
        Method::Ssh => {
            ssh_options(name.as_str(), &connection, settings)
                .map_err(|fault| vec![fault.diagnostic(&rendered)])?
                .user
        }
    };
    let becomes = connection.privileged == Some(true)
        || settings.force_become
        || plays.is_empty()
        || plays.iter().any(|scheduled| play_becomes(&scheduled.play));
    let root = login == "root" || becomes;
    let diff = settings.diff || settings.mode == Mode::Plan;
    Ok(HostState::new(host.clone(), connection, login, root, diff))
}

fn play_becomes(play: &Play) -> bool {
    becomes(&play.privilege)
        || play
            .tasks_and_handlers()
            .any(|task| becomes(&task.privilege))
}

/// A template may come out as true.
pub(super) fn becomes(privilege: &Privilege) -> bool {
    privilege
        .become_
        .as_ref()
        .is_some_and(|value| match &value.kind {
            Kind::Bool(flag) => *flag,
            Kind::Null => false,
            _ => true,
        })
}
