//! The hosts of each play: its pattern, then `--limit`.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;

use indexmap::IndexSet;

use super::Play;
use super::fields::is_literal;
use super::project::{Project, Scheduled};
use super::scope::Outside;
use super::serial;
use crate::diagnostic::{Diagnostic, list};
use crate::inventory::{ConnectionVars, HostPattern, Matched};
use crate::name::HostName;
use crate::template::{Scope, Stop, Templates};
use crate::value::{Kind, Map, Value};

/// Fills in the hosts of all plays. A play without hosts is skipped and said; when all are, that is an error.
pub(super) fn hosts(
    project: &mut Project,
    inventories: &[String],
    limit: Option<&str>,
    templates: &Templates,
    faults: &mut Vec<Diagnostic>,
) {
    let before = errors(faults);
    let mut patterns = Vec::new();
    for scheduled in &mut project.plays {
        match serial::sizes(&scheduled.play, &project.extra, templates) {
            Ok(sizes) => scheduled.batches = sizes,
            // What is wrong as it is written was said when it was read.
            Err(fault) if !scheduled.play.serial.iter().all(is_literal) => faults.push(fault),
            Err(_) => {}
        }
        let read = pattern(&scheduled.play, &project.extra, templates);
        patterns.push(keep(read, faults));
    }
    let limit = limit.and_then(|text| keep(HostPattern::from_option("--limit", text), faults));
    let local = |pattern: &HostPattern| pattern.names_localhost();
    if patterns.iter().flatten().chain(&limit).any(local) {
        project.inventory.add_localhost();
    }
    delegates(project, faults);
    if inventories.is_empty() && !patterns.iter().flatten().all(local) {
        faults.push(
            Diagnostic::error("no inventory is given")
                .help("name one with `-i`, or set `inventory` in hadeploy.yml"),
        );
        return;
    }
    let limited: Option<HashSet<HostName>> = limit
        .and_then(|pattern| keep(pattern.select(&project.inventory), faults))
        .map(|matched| matched.hosts.into_iter().collect());
    for (scheduled, pattern) in project.plays.iter_mut().zip(patterns) {
        let matched = pattern.and_then(|it| keep(it.select_for_play(&project.inventory), faults));
        if let Some(mut matched) = matched {
            faults.append(&mut matched.ignored);
            faults.extend(place(scheduled, matched, limited.as_ref()));
        }
    }
    let nowhere = project.plays.iter().all(|play| play.hosts.is_empty());
    if nowhere && !project.plays.is_empty() && errors(faults) == before {
        faults.push(
            Diagnostic::error("no play has a host")
                .help("`hadeploy hosts -i INVENTORY` lists what there is"),
        );
    }
}

/// Hosts that act for others and are named literally must be there; this machine always is.
fn delegates(project: &mut Project, faults: &mut Vec<Diagnostic>) {
    let tasks = project
        .plays
        .iter()
        .flat_map(|scheduled| scheduled.play.tasks_and_handlers());
    let named: Vec<Value> = tasks
        .filter_map(|task| task.delegate.clone())
        .filter(is_literal)
        .collect();
    let known = |project: &Project, name: &str| {
        let mut hosts = project.inventory.hosts.keys();
        hosts.any(|host| host.as_str() == name)
    };
    for value in named {
        let name = value.as_str().unwrap_or_default();
        if name == "localhost" {
            project.inventory.add_localhost();
        } else if !known(project, name) && !project.inventory.hosts.is_empty() {
            let hosts = project.inventory.hosts.keys().map(HostName::as_str);
            faults.push(
                Diagnostic::at(&value.span, format!("no host is called `{name}`"))
                    .nearest(name, hosts)
                    .help("`delegate_to` names a host of the inventory, or `localhost`"),
            );
        }
    }
}

/// The types of connection variables that are no templates.
pub(super) fn check_connections(project: &Project, faults: &mut Vec<Diagnostic>) {
    let literal = |value: &Value| -> Result<Value, Infallible> {
        Ok(if is_literal(value) {
            value.clone()
        } else {
            Value::new(Kind::Null, &value.span)
        })
    };
    let hosts: IndexSet<&HostName> = project.plays.iter().flat_map(|play| &play.hosts).collect();
    for host in hosts
        .iter()
        .filter_map(|name| project.inventory.hosts.get(*name))
    {
        let Ok(vars) = ConnectionVars::of(&host.vars)
            .over(&project.extra)
            .map(literal);
        keep(vars.typed(&host.name), faults);
    }
}

/// Gives a play its hosts, or says why it has none.
fn place(
    scheduled: &mut Scheduled,
    matched: Matched,
    limited: Option<&HashSet<HostName>>,
) -> Option<Diagnostic> {
    scheduled.hosts = matched.hosts;
    scheduled.play.order.arrange(&mut scheduled.hosts);
    let why = if !scheduled.hosts.is_empty() {
        if let Some(limited) = limited {
            let hosts = std::mem::take(&mut scheduled.hosts);
            (scheduled.hosts, scheduled.beyond) =
                hosts.into_iter().partition(|host| limited.contains(host));
        }
        "`--limit` leaves it no host".to_owned()
    } else if matched.empty_groups.is_empty() {
        "its pattern leaves no host".to_owned()
    } else {
        let groups = matched.empty_groups.iter().map(String::as_str);
        format!("no host is in {}", list(groups))
    };
    let play = &scheduled.play;
    scheduled.hosts.is_empty().then(|| {
        Diagnostic::warning(
            &play.hosts.span,
            format!("the play `{}` is skipped", play.name),
        )
        .label(why)
    })
}

fn pattern(
    play: &Play,
    extra: &Map,
    templates: &Templates,
) -> Result<HostPattern, Vec<Diagnostic>> {
    let scope: Arc<dyn Scope> = Arc::new(Outside::of(play, extra));
    match templates.render(&play.hosts, &scope) {
        Ok(rendered) => HostPattern::parse(&rendered),
        Err(Stop::Fault(fault)) => Err(vec![(*fault).help(
            "`hosts` is read before any host is known: it can use `-e`, and `vars` of the play",
        )]),
        Err(Stop::After(task)) => Err(vec![Diagnostic::at(
            &play.hosts.span,
            format!("`hosts` cannot wait for `{task}`"),
        )]),
    }
}

fn errors(faults: &[Diagnostic]) -> usize {
    faults.iter().filter(|fault| fault.is_error()).count()
}

fn keep<T>(result: Result<T, Vec<Diagnostic>>, faults: &mut Vec<Diagnostic>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(mut found) => {
            faults.append(&mut found);
            None
        }
    }
}
