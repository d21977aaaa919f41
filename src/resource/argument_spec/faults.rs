//! What is wrong with a specification itself, which is seen without any value.

use super::types::TYPES;
use super::{default_of, is_true, validate, word};
use crate::diagnostic::{Diagnostic, list};
use crate::source::Span;
use crate::template::python;
use crate::value::{Entry, Kind, Map, Value};

/// What an option can say.
const KEYS: &[&str] = &[
    "type",
    "elements",
    "required",
    "default",
    "choices",
    "options",
    "aliases",
    "no_log",
    "apply_defaults",
    "description",
    "version_added",
    "version_added_collection",
    "deprecated_aliases",
    "removed_at_date",
    "removed_in_version",
    "removed_from_collection",
    "mutually_exclusive",
    "required_together",
    "required_one_of",
    "required_if",
    "required_by",
];

/// What options below one option can want of each other.
const REQUIREMENTS: &[&str] = &[
    "mutually_exclusive",
    "required_together",
    "required_one_of",
    "required_if",
    "required_by",
];

/// Everything that is wrong with the options of a specification; what Ansible overlooks is a warning. Templates are left out: what they come
/// to is seen in the run.
pub fn faults(spec: &Map) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    for (name, entry) in spec {
        if is_template(&entry.value) {
            continue;
        }
        match entry.value.as_map() {
            Some(option) => of_option(name, &entry.key, option, &mut faults),
            None => faults.push(
                Diagnostic::at(
                    &entry.value.span,
                    format!(
                        "the option `{name}` is a mapping, not {}",
                        entry.value.type_name()
                    ),
                )
                .help(format!("an option of any text is written `{name}: {{}}`")),
            ),
        }
    }
    faults
}

/// Requirements that stand where Ansible does not look for them: beside `options` of an entry point.
pub fn misplaced(entry_point: &Map) -> Vec<Diagnostic> {
    let found = entry_point
        .iter()
        .filter(|(key, _)| REQUIREMENTS.contains(&key.as_ref()));
    let fault = |(key, entry): (&std::sync::Arc<str>, &Entry)| {
        Diagnostic::warning(
            &entry.key,
            format!("`{key}` of an entry point is not checked"),
        )
        .help("Ansible checks it only beside `options` of an option; a task `assert` says the same")
    };
    found.map(fault).collect()
}

fn is_template(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.contains("{{") || text.contains("{%"))
}

/// Whether no part of a value is a template.
fn is_literal(value: &Value) -> bool {
    match &value.kind {
        Kind::List(items) => items.iter().all(is_literal),
        Kind::Map(map) => map.values().all(|entry| is_literal(&entry.value)),
        _ => !is_template(value),
    }
}

fn of_option(name: &str, place: &Span, option: &Map, faults: &mut Vec<Diagnostic>) {
    let before = faults.len();
    let given = |key: &str| {
        option
            .get(key)
            .map(|entry| &entry.value)
            .filter(|it| !it.is_null())
    };
    for (key, entry) in option {
        if key.as_ref() == "fallback" {
            faults.push(
                Diagnostic::at(
                    &entry.key,
                    "`fallback` is for modules: a file can name no function",
                )
                .help("a `default` in `defaults/main.yml` does it"),
            );
        } else if !KEYS.contains(&key.as_ref())
            && let Some(near) = crate::diagnostic::nearest(key, KEYS.iter().copied())
        {
            faults.push(
                Diagnostic::warning(&entry.key, format!("`{key}` says nothing of an option"))
                    .help(format!("did you mean `{near}`?")),
            );
        }
    }
    for key in ["type", "elements"] {
        let Some(value) = given(key).filter(|value| !is_template(value)) else {
            continue;
        };
        let text = value.as_str().unwrap_or_default();
        if !TYPES.contains(&text) {
            faults.push(
                Diagnostic::at(
                    &value.span,
                    format!("`{}` is no type", python(value, false)),
                )
                .nearest(text, TYPES.iter().copied())
                .help(format!("the types are {}", list(TYPES.iter().copied()))),
            );
        }
    }
    let ty = given("type").map_or(Some("str"), Value::as_str);
    let is_list = ty == Some("list") || given("type").is_some_and(is_template);
    if let Some(elements) = given("elements").filter(|_| !is_list) {
        faults.push(
            Diagnostic::at(&elements.span, "only a `list` has `elements`").help(format!(
                "write `type: list` for `{name}`, or take `elements` away"
            )),
        );
    }
    for key in ["choices", "aliases"] {
        let wrong = given(key).filter(|value| value.as_list().is_none() && !is_template(value));
        if let Some(value) = wrong {
            faults.push(
                Diagnostic::at(
                    &value.span,
                    format!("`{key}` is a list, not {}", value.type_name()),
                )
                .help(format!("write `{key}: [{}]`", python(value, false))),
            );
        }
    }
    if let (true, Some(default)) = (is_true(option, "required"), default_of(option)) {
        faults.push(
            Diagnostic::at(
                &default.span,
                format!("`{name}` is required and has a default"),
            )
            .help("Ansible fails on both: take one of them away"),
        );
    }
    for key in REQUIREMENTS {
        faults.extend(given(key).and_then(|value| of_requirement(key, value)));
    }
    let takes = ty == Some("dict") || (is_list && word(option, "elements") == Some("dict"));
    match given("options").map(|value| (value, value.as_map())) {
        Some((_, Some(below))) if takes => faults.extend(self::faults(below)),
        Some((value, _)) if !is_template(value) => faults.push(match takes {
            true => Diagnostic::at(
                &value.span,
                format!("`options` is a mapping, not {}", value.type_name()),
            ),
            false => Diagnostic::warning(
                &option["options"].key,
                format!("the options below `{name}` are not checked"),
            )
            .help("they are with `type: dict`, or with `type: list` and `elements: dict`"),
        }),
        _ => {}
    }
    if faults[before..].iter().any(Diagnostic::is_error)
        || !option.values().all(|it| is_literal(&it.value))
    {
        return;
    }
    if let Some(default) = default_of(option) {
        let key = place.clone();
        let value = Value::new(Kind::Map(std::sync::Arc::new(option.clone())), place);
        let alone = Map::from_iter([(name.into(), Entry { key, value })]);
        let wrong = validate(&alone, Map::new()).into_iter();
        faults.extend(wrong.map(|problem| {
            Diagnostic::warning(&default.span, problem.message)
                .help("where no value is given, the role fails because of its own default")
        }));
    }
}

/// The shape of a requirement: lists of lists, or for `required_by` a mapping.
fn of_requirement(key: &str, value: &Value) -> Option<Diagnostic> {
    if is_template(value) {
        return None;
    }
    let fault =
        |span: &Span, shape: &str| Some(Diagnostic::at(span, format!("`{key}` is {shape}")));
    if key == "required_by" {
        return match value.kind {
            Kind::Map(_) => None,
            _ => fault(
                &value.span,
                "a mapping of an option to the ones that it needs",
            ),
        };
    }
    let shape = match key {
        "required_if" => "a list of `[option, value, [other options]]`",
        _ => "a list of lists of options",
    };
    let Some(groups) = value.as_list() else {
        return fault(&value.span, shape);
    };
    let right = |group: &Value| match (key, group.as_list()) {
        ("required_if", Some(rule)) => (3..=4).contains(&rule.len()),
        (_, Some(_)) => true,
        _ => is_template(group),
    };
    let wrong = groups.iter().find(|group| !right(group))?;
    fault(&wrong.span, shape)
}
