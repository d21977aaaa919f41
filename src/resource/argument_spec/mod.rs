//! Specifications of arguments: what a role says of its variables, and what is wrong with their values.
//!
//! The rules, their order and their words are those of `ArgumentSpecValidator` of ansible-core 2.19. Where it names an internal class of
//! Python, the plain one stands here.

mod faults;
mod requirements;
mod types;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::source::Span;
use crate::template::python;
use crate::value::{Entry, Kind, Map, Value};

use self::types::{convert, equal, mapping, type_of};

pub use self::faults::{faults, misplaced};

/// One thing that is wrong with values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, as Ansible says it; values of options with `no_log` are masked.
    pub message: String,
    /// The options at the top of the specification that it is about, or names that are none.
    pub options: Vec<Arc<str>>,
}

/// What is wrong with `given`; `spec` maps the names of options to what is said of each. Nothing may be wrong with `spec` itself, see [`faults`].
pub fn validate(spec: &Map, given: Map) -> Vec<Problem> {
    let mut checker = Checker::default();
    let mut given = given;
    checker.level(spec, &Map::new(), &mut given, &mut Vec::new());
    checker.unsupported();
    let secrets = checker.secrets;
    let masked = |text: String| {
        secrets
            .iter()
            .fold(text, |text, it| text.replace(it, "********"))
    };
    let mut problems = checker.problems;
    for problem in &mut problems {
        problem.message = masked(std::mem::take(&mut problem.message));
    }
    problems
}

#[derive(Default)]
struct Checker {
    problems: Vec<Problem>,
    /// Keys that are no option: the way to each, and what is supported there.
    unknown: Vec<(Vec<Arc<str>>, String)>,
    /// Texts of options with `no_log`.
    secrets: BTreeSet<String>,
}

/// A text in an option's description.
fn word<'a>(option: &'a Map, key: &str) -> Option<&'a str> {
    option.get(key).and_then(|entry| entry.value.as_str())
}

/// The list in an option's description; a single value is one item.
fn items(value: &Value) -> Vec<Value> {
    match &value.kind {
        Kind::List(items) => items.to_vec(),
        _ => vec![value.clone()],
    }
}

/// Whether a key of an option is there, and Python takes its value for true.
fn is_true(option: &Map, key: &str) -> bool {
    option.get(key).is_some_and(|entry| truth(&entry.value))
}

fn truth(value: &Value) -> bool {
    match &value.kind {
        Kind::Null => false,
        Kind::Bool(flag) => *flag,
        Kind::Int(number) => *number != 0,
        Kind::Float(number) => *number != 0.0,
        Kind::Str(text) => !text.is_empty(),
        Kind::List(items) => !items.is_empty(),
        Kind::Map(map) => !map.is_empty(),
    }
}

/// The value an option has when none is given.
fn default_of(option: &Map) -> Option<&Value> {
    let entry = option.get("default")?;
    (!entry.value.is_null()).then_some(&entry.value)
}

/// The options below an option that takes mappings.
fn below(option: &Map) -> Option<&Map> {
    let takes = match word(option, "type") {
        Some("dict") => true,
        Some("list") => word(option, "elements") == Some("dict"),
        _ => false,
    };
    option.get("options").filter(|_| takes)?.value.as_map()
}

/// The options of a specification that can be read.
fn options(spec: &Map) -> impl Iterator<Item = (&Arc<str>, &Map)> {
    spec.iter()
        .filter_map(|(name, entry)| Some((name, entry.value.as_map()?)))
}

/// `a, b and the rest` behind a message below an option.
fn found_in(message: String, around: &[Arc<str>]) -> String {
    match around.is_empty() {
        true => message,
        false => format!("{message} found in {}", around.join(" -> ")),
    }
}

impl Checker {
    fn problem(&mut self, around: &[Arc<str>], names: &[Arc<str>], message: String) {
        let options = match around.first() {
            Some(first) => vec![first.clone()],
            None => names.to_vec(),
        };
        self.problems.push(Problem { message, options });
    }

    /// One mapping of values. `owner` is the option it belongs to, `around` the names of those it is below.
    fn level(&mut self, spec: &Map, owner: &Map, given: &mut Map, around: &mut Vec<Arc<str>>) {
        let aliases = fill_aliases(spec, given);
        if let Err((name, message)) = self.no_log(spec, given) {
            self.problem(around, &[name], message);
        }
        self.unknown_keys(spec, &aliases, given, around);
        self.exclusive(owner, given, around);
        fill_defaults(spec, given, false);
        let missing: BTreeSet<Arc<str>> = options(spec)
            .filter(|(name, option)| is_true(option, "required") && !given.contains_key(*name))
            .map(|(name, _)| name.clone())
            .collect();
        if !missing.is_empty() {
            let names: Vec<Arc<str>> = missing.into_iter().collect();
            let message = format!("missing required arguments: {}", names.join(", "));
            self.problem(around, &names, found_in(message, around));
        }
        for (name, option) in options(spec) {
            self.typed(name, option, given, around);
        }
        for (name, option) in options(spec) {
            self.chosen(name, option, given, around);
        }
        self.requirements(owner, given, around);
        fill_defaults(spec, given, true);
        for (name, option) in options(spec) {
            self.inner(name, option, given, around);
        }
    }

    /// The texts of options with `no_log`, at any depth.
    fn no_log(&mut self, spec: &Map, given: &Map) -> Result<(), (Arc<str>, String)> {
        for (name, option) in options(spec) {
            let value = given.get(name).map(|entry| &entry.value);
            if is_true(option, "no_log")
                && let Some(value) = value
            {
                texts(value, &mut self.secrets);
            }
            let (Some(inner), Some(value)) = (below(option), value.filter(|it| !it.is_null()))
            else {
                continue;
            };
            for item in items(value) {
                let fault = |message: String| (name.clone(), message);
                let map = match &item.kind {
                    Kind::Map(map) => map.as_ref().clone(),
                    Kind::Str(text) => mapping(text, &item.span).map_err(fault)?,
                    _ => {
                        let wanted = word(option, "type").unwrap_or_default();
                        return Err(fault(format!(
                            "Value '{}' in the sub parameter field '{name}' must be a {wanted}, not '{}'",
                            python(&item, false),
                            type_of(&item)
                        )));
                    }
                };
                self.no_log(inner, &map)?;
            }
        }
        Ok(())
    }

    fn unknown_keys(
        &mut self,
        spec: &Map,
        aliases: &BTreeSet<Arc<str>>,
        given: &Map,
        around: &[Arc<str>],
    ) {
        for name in given.keys() {
            if spec.contains_key(name) || aliases.contains(name) {
                continue;
            }
            let known: BTreeSet<&str> = spec
                .keys()
                .map(Arc::as_ref)
                .filter(|name| !aliases.contains(*name))
                .collect();
            let mut supported = known.into_iter().collect::<Vec<_>>().join(", ");
            if !aliases.is_empty() {
                let aliases: Vec<&str> = aliases.iter().map(Arc::as_ref).collect();
                supported += &format!(" ({})", aliases.join(", "));
            }
            let way = around.iter().chain([name]).cloned().collect();
            self.unknown.push((way, supported));
        }
    }

    /// Says which keys are no options: one message for all of them, the last.
    fn unsupported(&mut self) {
        self.unknown.sort();
        self.unknown.dedup();
        let Some((_, supported)) = self.unknown.last() else {
            return;
        };
        let names: Vec<String> = self.unknown.iter().map(|(way, _)| way.join(".")).collect();
        let message = format!(
            "{}. Supported parameters include: {supported}.",
            names.join(", ")
        );
        let tops = self.unknown.iter().map(|(way, _)| way[0].clone());
        let options = tops.collect();
        self.problems.push(Problem { message, options });
    }

    fn typed(&mut self, name: &Arc<str>, option: &Map, given: &mut Map, around: &[Arc<str>]) {
        let Some(entry) = given.get_mut(name) else {
            return;
        };
        let idle = !is_true(option, "required") && default_of(option).is_none();
        if entry.value.is_null() && idle {
            return;
        }
        let wanted = word(option, "type").unwrap_or("str");
        let was = type_of(&entry.value);
        let mut faults = Vec::new();
        match convert(wanted, &entry.value) {
            Ok(value) => entry.value = value,
            Err(why) => {
                let mut message = format!("argument '{name}' is of type {was}");
                if !around.is_empty() {
                    message += &format!(" found in '{}'.", around.join(" -> "));
                }
                faults.push(format!(
                    "{message} and we were unable to convert to {wanted}: {why}"
                ));
            }
        }
        if let (Some(elements), Kind::List(list), true) = (
            word(option, "elements"),
            &entry.value.kind,
            faults.is_empty(),
        ) {
            let mut converted = Vec::new();
            for item in list.iter() {
                match convert(elements, item) {
                    Ok(item) => converted.push(item),
                    Err(why) => {
                        let mut message = format!("Elements value for option '{name}'");
                        if !around.is_empty() {
                            message += &format!(" found in '{}'", around.join(" -> "));
                        }
                        faults.push(format!(
                            "{message} is of type {} and we were unable to convert to {elements}: {why}",
                            type_of(item)
                        ));
                    }
                }
            }
            entry.value.kind = Kind::List(Arc::new(converted));
        }
        for fault in faults {
            self.problem(around, std::slice::from_ref(name), fault);
        }
    }

    fn chosen(&mut self, name: &Arc<str>, option: &Map, given: &Map, around: &[Arc<str>]) {
        let choices = option
            .get("choices")
            .and_then(|entry| entry.value.as_list());
        let (Some(choices), Some(entry)) = (choices, given.get(name)) else {
            return;
        };
        let is_choice = |value: &Value| choices.iter().any(|choice| equal(choice, value));
        let words = |values: &[Value]| {
            let words: Vec<String> = values.iter().map(|value| python(value, false)).collect();
            words.join(", ")
        };
        let message = match &entry.value.kind {
            Kind::List(list) => {
                let others: Vec<Value> = list.iter().filter(|it| !is_choice(it)).cloned().collect();
                if others.is_empty() {
                    return;
                }
                format!(
                    "value of {name} must be one or more of: {}. Got no match for: {}",
                    words(choices),
                    words(&others)
                )
            }
            _ if is_choice(&entry.value) || is_switch(&entry.value, choices) => return,
            _ => format!(
                "value of {name} must be one of: {}, got: {}",
                words(choices),
                python(&entry.value, false)
            ),
        };
        self.problem(
            around,
            std::slice::from_ref(name),
            found_in(message, around),
        );
    }

    /// The options below an option.
    fn inner(&mut self, name: &Arc<str>, option: &Map, given: &Map, around: &mut Vec<Arc<str>>) {
        let Some(spec) = below(option) else {
            return;
        };
        let value = given.get(name).map(|entry| &entry.value);
        let value = value.filter(|value| !value.is_null());
        let empty = Value::new(Kind::Map(Arc::default()), &Span::synthetic("<spec>"));
        let value = match value {
            None if is_true(option, "apply_defaults") => &empty,
            None => return,
            Some(value) => value,
        };
        around.push(name.clone());
        for item in items(value) {
            let Kind::Map(map) = &item.kind else {
                let message = format!("value of '{name}' must be of type dict or list of dicts");
                self.problem(around, &[], message);
                continue;
            };
            self.level(spec, option, &mut map.as_ref().clone(), around);
        }
        around.pop();
    }
}

/// `yes` and the like are booleans in YAML: a choice that can only mean the same is met.
fn is_switch(value: &Value, choices: &[Value]) -> bool {
    let words: &[&str] = match value.as_str() {
        Some("True") => &["y", "yes", "on", "1", "true", "t"],
        Some("False") => &["n", "no", "off", "0", "false", "f"],
        _ => return false,
    };
    let same = choices.iter().filter(|choice| match &choice.kind {
        Kind::Str(text) => words.contains(&text.as_ref()),
        Kind::Bool(flag) => *flag == (words[0] == "y"),
        _ => false,
    });
    same.count() == 1
}

/// Gives options what is given by another of their names; the names are returned.
fn fill_aliases(spec: &Map, given: &mut Map) -> BTreeSet<Arc<str>> {
    let mut all = BTreeSet::new();
    for (name, option) in options(spec) {
        let aliases = option.get("aliases").map(|entry| items(&entry.value));
        for alias in aliases.into_iter().flatten() {
            let Some(alias) = alias.as_str() else {
                continue;
            };
            if let Some(entry) = given.get(alias) {
                given.insert(name.clone(), entry.clone());
            }
            all.insert(alias.into());
        }
    }
    all
}

/// Gives options that have no value their default, or with `all` nothing.
fn fill_defaults(spec: &Map, given: &mut Map, all: bool) {
    for (name, option) in options(spec) {
        if given.contains_key(name) {
            continue;
        }
        let key = &spec[name].key;
        let value = match default_of(option) {
            Some(value) => value.clone(),
            None if all => Value::new(Kind::Null, key),
            None => continue,
        };
        let key = key.clone();
        given.insert(name.clone(), Entry { key, value });
    }
}

/// All texts and numbers of a value.
fn texts(value: &Value, into: &mut BTreeSet<String>) {
    match &value.kind {
        Kind::Str(text) if !text.is_empty() => {
            into.insert(text.to_string());
        }
        Kind::Int(_) | Kind::Float(_) => {
            into.insert(python(value, false));
        }
        Kind::List(items) => items.iter().for_each(|item| texts(item, into)),
        Kind::Map(map) => map.values().for_each(|entry| texts(&entry.value, into)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
