//! What a role says of its arguments: `meta/argument_specs.yml`. A task at its beginning checks them, as in ansible-core 2.19.

use std::path::Path;
use std::sync::Arc;

use super::parse::{Reader, at};
use super::role::Role;
use super::role_use::RoleAsk;
use super::task::Outer;
use super::{Task, TaskAction};
use crate::diagnostic::Diagnostic;
use crate::resource::argument_spec::misplaced;
use crate::source::Span;
use crate::value::{Entry, Kind, Map, Value};

/// The kind of the task that checks arguments.
pub(super) const CHECKER: &str = "validate_argument_spec";

/// What an entry point can say.
const ENTRY: &[&str] = &["options", "short_description", "description"];

impl Reader {
    /// The specifications of a role by entry point: those of `meta/argument_specs.yml`, else `beside` from `meta/main.yml`.
    pub(super) fn role_specs(&mut self, role: &Path, ask: &Value, beside: Option<Value>) -> Map {
        let files =
            ["yml", "yaml"].map(|ending| role.join(format!("meta/argument_specs.{ending}")));
        let specs = match files.iter().find(|path| path.is_file()) {
            None => beside,
            Some(path) => {
                let Some(value) = self.enter(path, Some(ask)) else {
                    return Map::new();
                };
                self.leave();
                self.specs_in(&value)
            }
        };
        match specs.map(|value| (value.as_map().cloned(), value)) {
            Some((Some(map), _)) => map,
            Some((None, value)) if !value.is_null() => {
                self.wrong("argument_specs", "a mapping of entry points", &value);
                Map::new()
            }
            _ => Map::new(),
        }
    }

    fn specs_in(&mut self, file: &Value) -> Option<Value> {
        let Some(map) = file.as_map() else {
            if !file.is_null() {
                self.wrong("meta/argument_specs", "a mapping", file);
            }
            return None;
        };
        let found = map.get("argument_specs").map(|entry| entry.value.clone());
        if let (None, Some((key, entry))) = (&found, map.first()) {
            let fault = Diagnostic::warning(&entry.key, "the file has no key `argument_specs`");
            self.fault(match crate::diagnostic::nearest(key, ["argument_specs"]) {
                Some(_) => fault.help("did you mean `argument_specs`?"),
                None => fault.help("write the entry points below `argument_specs:`"),
            });
        }
        found
    }

    /// The first task of a role: it checks the arguments of the entry point that is asked for, where something is said of it.
    pub(super) fn role_check(
        &mut self,
        role: &Role,
        ask: &RoleAsk,
        specs: &Map,
        inner: &Outer,
    ) -> Option<Task> {
        let point = ask.from("tasks").map_or("main", |(name, _)| name);
        let Some(entry) = specs.get(point) else {
            // Ansible knows an entry point only by its name without the ending.
            if let Some((stem, ".yml" | ".yaml")) = point.rfind('.').map(|it| point.split_at(it))
                && specs.contains_key(stem)
                && let Some((_, written)) = ask.from("tasks")
            {
                let message = format!("the arguments of `{stem}` are not checked");
                self.fault(
                    Diagnostic::warning(&written.span, message)
                        .help(format!("write `tasks_from: {stem}`, without the ending")),
                );
            }
            return None;
        };
        let spec = match entry.value.as_map() {
            Some(map) if !map.is_empty() => map,
            None if !entry.value.is_null() => {
                self.wrong(point, "a mapping with `options`", &entry.value);
                return None;
            }
            _ => return None,
        };
        self.faults.extend(misplaced(spec));
        for (key, entry) in spec {
            if !ENTRY.contains(&key.as_ref())
                && let Some(near) = crate::diagnostic::nearest(key, ENTRY.iter().copied())
            {
                let message = format!("`{key}` says nothing of an entry point");
                let fault = Diagnostic::warning(&entry.key, message);
                self.fault(fault.help(format!("did you mean `{near}`?")));
            }
        }
        let mut name = format!("Validating arguments against arg spec '{point}'");
        if let Some(short) = spec.get("short_description") {
            match self.literal(&short.value, "short_description") {
                Some(short) => name += &format!(" - {short}"),
                None => return None,
            }
        }
        let options = match spec.get("options").map(|entry| &entry.value) {
            Some(value) => plain(value),
            None => Value::new(Kind::Map(Arc::default()), &entry.key),
        };
        let path = role.own.path.canonicalize();
        let path = path.unwrap_or(role.own.path.clone());
        let context = [
            ("type", "role"),
            ("name", &role.own.name),
            ("argument_spec_name", point),
            ("path", &path.to_string_lossy()),
        ]
        .map(|(key, value)| (key, Value::str(value, &entry.key)));
        let parameters = mapping(
            [
                ("argument_spec", options),
                (
                    "provided_arguments",
                    Value::new(Kind::Map(Arc::new(ask.params.clone())), &ask.name.span),
                ),
                (
                    "validate_args_context",
                    Value::new(
                        Kind::Map(Arc::new(mapping(context, &entry.key))),
                        &entry.key,
                    ),
                ),
            ],
            &entry.key,
        );
        let kind = crate::resource::kind(CHECKER)?;
        let args = self.checked(kind, &ask.name.span, &parameters)?;
        let words = [
            ("name", Value::str(&name, &entry.key)),
            ("tags", Value::str("always", &entry.key)),
        ];
        let (own, inherited) = self.keywords(&mapping(words, &entry.key), inner);
        let action = TaskAction::Kind { kind, args };
        let spot = (entry.key.clone(), at(&entry.key));
        Some(self.made(spot, action, own, inherited, None, false))
    }
}

fn mapping<const N: usize>(entries: [(&str, Value); N], place: &Span) -> Map {
    let entry = |value| Entry {
        key: place.clone(),
        value,
    };
    entries
        .into_iter()
        .map(|(key, value)| (key.into(), entry(value)))
        .collect()
}

/// Options without their descriptions, which may hold anything.
fn plain(options: &Value) -> Value {
    let Some(map) = options.as_map() else {
        return options.clone();
    };
    let option = |value: &Value| match value.as_map() {
        None => value.clone(),
        Some(option) => {
            let keys = option
                .iter()
                .filter(|(key, _)| key.as_ref() != "description");
            let keys = keys.map(|(key, entry)| {
                let value = match key.as_ref() {
                    "options" => plain(&entry.value),
                    _ => entry.value.clone(),
                };
                let key_span = entry.key.clone();
                (
                    key.clone(),
                    Entry {
                        key: key_span,
                        value,
                    },
                )
            });
            Value::new(Kind::Map(Arc::new(keys.collect())), &value.span)
        }
    };
    let options_of = map.iter().map(|(name, entry)| {
        let key = entry.key.clone();
        (
            name.clone(),
            Entry {
                key,
                value: option(&entry.value),
            },
        )
    });
    Value::new(Kind::Map(Arc::new(options_of.collect())), &options.span)
}
