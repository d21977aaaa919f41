//! Two plans, or two changes, held against each other.

use std::collections::{BTreeMap, BTreeSet};

use super::{FieldPlan, Plan, TaskPlan, UnitPlan};
use crate::event::Moved;

/// One thing that is otherwise than planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What: a field, `action`, `status` …
    pub field: String,
    /// What was planned.
    pub planned: String,
    /// What it is now.
    pub now: String,
}

impl Difference {
    fn new(field: &str, planned: impl Into<String>, now: impl Into<String>) -> Difference {
        Difference {
            field: field.to_owned(),
            planned: planned.into(),
            now: now.into(),
        }
    }

    /// A cluster with another primary.
    pub(super) fn leads(planned: &str, now: &str) -> Difference {
        Difference::new("primary", planned, now)
    }

    /// A cluster's server that does not run, or does again.
    pub(super) fn stands(planned: Option<&str>, now: Option<&str>) -> Option<Difference> {
        let word = |down: Option<&str>| down.unwrap_or(RUNNING).to_owned();
        (planned != now).then(|| Difference::new("server", word(planned), word(now)))
    }

    /// A change that the plan does not have.
    pub(super) fn unplanned(now: &UnitPlan) -> Difference {
        Difference::new("change", NOTHING, told(now))
    }
}

const NOTHING: &str = "nothing";
const RUNNING: &str = "running";

/// Everything by which the plan made now differs from the saved one, host by host in the order of the saved one.
pub fn moved(saved: &Plan, now: &Plan) -> Vec<Moved> {
    let mut found = stands_otherwise(saved, now);
    found.append(&mut led_otherwise(saved, now));
    for (host, planned) in &saved.hosts {
        match now.hosts.get(host) {
            Some(tasks) => of_host(host, planned, tasks, &mut found),
            None => found.push(whole_host(host, "in the run", "not in it")),
        }
    }
    for host in now.hosts.keys() {
        if !saved.hosts.contains_key(host) {
            found.push(whole_host(host, "not in the run", "in it"));
        }
    }
    found
}

/// Servers of clusters that run no more, or again: why the whole cluster may be moved along another path, in which the server itself need not
/// stand.
fn stands_otherwise(saved: &Plan, now: &Plan) -> Vec<Moved> {
    let mut found = Vec::new();
    for (host, planned) in &saved.hosts {
        let tasks = now.hosts.get(host).into_iter().flatten();
        for task in tasks.filter(|task| task.leads.is_some()) {
            let planned = planned.iter().find(|other| other.place == task.place);
            let planned = planned.filter(|other| other.leads.is_some());
            let difference = planned
                .and_then(|other| Difference::stands(other.down.as_deref(), task.down.as_deref()));
            found.extend(difference.map(|it| entry(host, task, it)));
        }
    }
    found
}

/// Clusters with another primary: what is to be done may be the same, but not to whom and in which order. Each is said once, of no host.
fn led_otherwise(saved: &Plan, now: &Plan) -> Vec<Moved> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for task in saved.hosts.values().flatten() {
        let Some(planned) = &task.leads else { continue };
        if !seen.insert(&task.place) {
            continue;
        }
        let mut others = now.hosts.values().flatten();
        let leads = others.find_map(|other| match other.place == task.place {
            true => other.leads.as_ref(),
            false => None,
        });
        if let Some(leads) = leads.filter(|leads| *leads != planned) {
            found.push(Moved {
                host: None,
                ..entry("", task, Difference::leads(planned, leads))
            });
        }
    }
    found
}

fn whole_host(host: &str, planned: &str, now: &str) -> Moved {
    Moved {
        host: Some(host.into()),
        field: "host".to_owned(),
        planned: planned.to_owned(),
        now: now.to_owned(),
        ..Moved::default()
    }
}

/// By place; what comes there several times, one after the other.
fn of_host(host: &str, planned: &[TaskPlan], now: &[TaskPlan], found: &mut Vec<Moved>) {
    let mut left: BTreeMap<&str, Vec<&TaskPlan>> = BTreeMap::new();
    for task in now.iter().rev() {
        left.entry(&task.place).or_default().push(task);
    }
    for task in planned {
        let differences = match left.get_mut(task.place.as_str()).and_then(Vec::pop) {
            Some(other) => of_task(task, other),
            None => vec![Difference::new(
                "task",
                task.status.clone(),
                "it does not come",
            )],
        };
        found.extend(differences.into_iter().map(|it| entry(host, task, it)));
    }
    for task in now {
        let Some(others) = left.get_mut(task.place.as_str()) else {
            continue;
        };
        if others.iter().any(|other| std::ptr::eq(*other, task)) {
            others.retain(|other| !std::ptr::eq(*other, task));
            let difference = Difference::new("task", "it does not come", task.status.clone());
            found.push(entry(host, task, difference));
        }
    }
}

fn entry(host: &str, task: &TaskPlan, difference: Difference) -> Moved {
    Moved {
        host: Some(host.into()),
        task: Some(task.task.as_str().into()),
        at: Some(task.at.as_str().into()),
        file: None,
        field: difference.field,
        planned: difference.planned,
        now: difference.now,
    }
}

fn of_task(planned: &TaskPlan, now: &TaskPlan) -> Vec<Difference> {
    let mut found = Vec::new();
    for number in 0..planned.units.len().max(now.units.len()) {
        match (planned.units.get(number), now.units.get(number)) {
            (Some(planned), Some(now)) => {
                let mut these = differences(planned, now);
                if these.is_empty() && planned.status != now.status {
                    these.push(Difference::new(
                        "status",
                        planned.status.clone(),
                        now.status.clone(),
                    ));
                }
                found.extend(these);
            }
            (Some(planned), None) => {
                found.push(Difference::new("item", told(planned), "there is none"));
            }
            (None, Some(now)) => found.push(Difference::new("item", "there is none", told(now))),
            (None, None) => {}
        }
    }
    if found.is_empty() && planned.status != now.status {
        found.push(Difference::new(
            "status",
            planned.status.clone(),
            now.status.clone(),
        ));
    }
    if found.is_empty() && planned.effects != now.effects {
        let words = |effects: &[String]| match effects {
            [] => NOTHING.to_owned(),
            effects => effects.join(", "),
        };
        found.push(Difference::new(
            "effect",
            words(&planned.effects),
            words(&now.effects),
        ));
    }
    found
}

/// How a change differs from the planned one.
pub(super) fn differences(planned: &UnitPlan, now: &UnitPlan) -> Vec<Difference> {
    if planned.is_none() != now.is_none() {
        return vec![Difference::new("change", told(planned), told(now))];
    }
    let mut found = Vec::new();
    if planned.action != now.action {
        found.push(Difference::new(
            "action",
            planned.action.clone(),
            now.action.clone(),
        ));
    }
    for (field, other) in pairs(planned, now) {
        match other {
            Some(other) => found.extend(of_field(field, other)),
            None => found.push(Difference::new(&field.field, arrow(field), NOTHING)),
        }
    }
    for (field, other) in pairs(now, planned) {
        if other.is_none() {
            found.push(Difference::new(&field.field, NOTHING, arrow(field)));
        }
    }
    if found.is_empty() && planned.runs != now.runs {
        found.push(Difference::new("command", "as in the plan", "another one"));
    }
    found
}

/// Each field of `one` with that of the same name of `other`; of several with one name, as hidden ones have, in their order.
fn pairs<'a>(
    one: &'a UnitPlan,
    other: &'a UnitPlan,
) -> impl Iterator<Item = (&'a FieldPlan, Option<&'a FieldPlan>)> {
    one.fields.iter().enumerate().map(|(index, field)| {
        let same = |it: &&FieldPlan| it.field == field.field;
        let earlier = one.fields[..index].iter().filter(same).count();
        (field, other.fields.iter().filter(same).nth(earlier))
    })
}

/// Where what is found may be otherwise than planned: how what is wanted differs.
pub(super) fn wanted_otherwise(planned: &UnitPlan, now: &UnitPlan) -> Vec<Difference> {
    let mut found = Vec::new();
    for (field, other) in pairs(planned, now) {
        if let Some(other) = other
            && other.will != field.will
        {
            found.push(Difference::new(
                &field.field,
                wanted(field),
                otherwise(wanted(field), wanted(other)),
            ));
        }
    }
    if let (Some(planned), Some(now)) = (&planned.runs, &now.runs)
        && planned != now
    {
        found.push(Difference::new("command", "as in the plan", "another one"));
    }
    found
}

fn of_field(planned: &FieldPlan, now: &FieldPlan) -> Option<Difference> {
    let (found, wanted) = (planned.was == now.was, planned.will == now.will);
    if found && wanted {
        return None;
    }
    if arrow(planned) != arrow(now) {
        return Some(Difference::new(&planned.field, arrow(planned), arrow(now)));
    }
    // A text, or a value that is masked.
    let (planned_words, now_words) = match (found, wanted) {
        (true, _) => ("what is wanted", "something else is wanted"),
        (_, true) => ("what was found there", "something else is there"),
        _ => (
            "what was found and wanted",
            "something else is there, and something else is wanted",
        ),
    };
    Some(Difference::new(&planned.field, planned_words, now_words))
}

fn arrow(field: &FieldPlan) -> String {
    match (field.before.as_str(), field.after.as_str()) {
        ("", "") => "a change".to_owned(),
        ("", after) => after.to_owned(),
        (before, "") => format!("{before} → none"),
        (before, after) => format!("{before} → {after}"),
    }
}

fn wanted(field: &FieldPlan) -> String {
    match field.after.as_str() {
        "" => "the text of the plan".to_owned(),
        after => after.to_owned(),
    }
}

fn otherwise(planned: String, now: String) -> String {
    match planned == now {
        true => "another one".to_owned(),
        false => now,
    }
}

/// A change in a few words.
fn told(unit: &UnitPlan) -> String {
    if unit.is_none() {
        return match unit.status.as_str() {
            "unknown" => "not known".to_owned(),
            _ => NOTHING.to_owned(),
        };
    }
    let fields: Vec<String> = unit
        .fields
        .iter()
        .map(
            |field| match (field.before.as_str(), field.after.as_str()) {
                ("", "") => field.field.clone(),
                _ => format!("{} {}", field.field, arrow(field)),
            },
        )
        .collect();
    match fields.is_empty() {
        true => unit.action.clone(),
        false => format!("{} ({})", unit.action, fields.join(", ")),
    }
}

#[cfg(test)]
mod tests;
