//! What options below one option want of each other.

use std::sync::Arc;

use super::types::equal;
use super::{Checker, found_in, items, truth};
use crate::template::python;
use crate::value::{Map, Value};

/// The lists of names below a key of an option.
fn lists(owner: &Map, key: &str) -> Vec<Vec<Value>> {
    let lists = owner.get(key).and_then(|entry| entry.value.as_list());
    lists.unwrap_or_default().iter().map(items).collect()
}

fn names(values: &[Value]) -> Vec<&str> {
    values.iter().filter_map(Value::as_str).collect()
}

/// Whether one of some names is given.
fn any_given(value: &Value, given: &Map) -> bool {
    names(&items(value))
        .iter()
        .any(|name| given.contains_key(*name))
}

impl Checker {
    /// `mutually_exclusive`: all groups of which more than one is given.
    pub(super) fn exclusive(&mut self, owner: &Map, given: &Map, around: &[Arc<str>]) {
        let groups = lists(owner, "mutually_exclusive");
        let broken: Vec<String> = groups
            .iter()
            .map(|group| names(group))
            .filter(|group| {
                group
                    .iter()
                    .filter(|name| given.contains_key(**name))
                    .count()
                    > 1
            })
            .map(|group| group.join("|"))
            .collect();
        if !broken.is_empty() {
            let message = format!("parameters are mutually exclusive: {}", broken.join(", "));
            self.problem(around, &[], found_in(message, around));
        }
    }

    /// `required_together`, `required_one_of`, `required_if` and `required_by`: of each the first that is not met.
    pub(super) fn requirements(&mut self, owner: &Map, given: &Map, around: &[Arc<str>]) {
        let together = lists(owner, "required_together").into_iter().find(|group| {
            let here = group.iter().filter(|name| any_given(name, given)).count();
            (1..group.len()).contains(&here)
        });
        let one_of = lists(owner, "required_one_of").into_iter();
        let one_of = one_of.filter(|group| !group.iter().any(|name| any_given(name, given)));
        let one_of = one_of.take(1);
        let found = together
            .map(|group| {
                format!(
                    "parameters are required together: {}",
                    names(&group).join(", ")
                )
            })
            .into_iter()
            .chain(one_of.map(|group| {
                let names = names(&group).join(", ");
                format!("one of the following is required: {names}")
            }))
            .chain(
                lists(owner, "required_if")
                    .iter()
                    .find_map(|rule| unmet(rule, given)),
            )
            .chain(required_by(owner, given));
        let found: Vec<String> = found.map(|message| found_in(message, around)).collect();
        for message in found {
            self.problem(around, &[], message);
        }
    }
}

/// `[option, value, [others], any]`: what is missing.
fn unmet(rule: &[Value], given: &Map) -> Option<String> {
    let [option, wanted, others, rest @ ..] = rule else {
        return None;
    };
    let value = &given.get(option.as_str()?)?.value;
    if !equal(value, wanted) {
        return None;
    }
    let one = rest.first().is_some_and(truth);
    let others = items(others);
    let missing: Vec<Value> = others
        .iter()
        .filter(|it| !any_given(it, given))
        .cloned()
        .collect();
    let most = if one { others.len() } else { 1 };
    (!missing.is_empty() && missing.len() >= most).then(|| {
        format!(
            "{} is {} but {} of the following are missing: {}",
            python(option, false),
            python(value, false),
            if one { "any" } else { "all" },
            names(&missing).join(", ")
        )
    })
}

fn required_by(owner: &Map, given: &Map) -> Option<String> {
    let has = |name: &str| given.get(name).is_some_and(|entry| !entry.value.is_null());
    let rules = owner.get("required_by")?.value.as_map()?;
    rules
        .iter()
        .filter(|(name, _)| has(name))
        .find_map(|(name, entry)| {
            let others = items(&entry.value);
            let missing: Vec<&str> = names(&others)
                .into_iter()
                .filter(|name| !has(name))
                .collect();
            (!missing.is_empty()).then(|| {
                format!(
                    "missing parameter(s) required by '{name}': {}",
                    missing.join(", ")
                )
            })
        })
}
