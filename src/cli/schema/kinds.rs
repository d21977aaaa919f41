//! Kinds of tasks as JSON Schema: their names, and what their parameters take.

use serde_json::{Map, Value as Json, json};

use super::shapes::{flag, refused};
use crate::resource::{KINDS, Kind, Param, ParamType};

/// Every name that a kind goes by in a task.
pub fn names(kind: &Kind) -> Vec<String> {
    let own = kind.aliases.iter().chain([&kind.name]);
    let mut names: Vec<String> = own.map(|name| (*name).to_owned()).collect();
    let old: Vec<String> = names
        .iter()
        .filter_map(|name| name.strip_prefix("ansible.builtin."))
        .map(|name| format!("ansible.legacy.{name}"))
        .filter(|name| !names.contains(name))
        .collect();
    names.extend(old);
    names
}

/// The definitions of all kinds, by their short names.
pub fn definitions() -> Map<String, Json> {
    let all = KINDS.iter();
    all.map(|kind| (definition(kind), parameters(kind)))
        .collect()
}

/// What a kind's definition is called.
pub fn definition(kind: &Kind) -> String {
    format!("kind-{}", kind.name)
}

/// Parameters as a mapping, as `key=value` words or text, or none at all.
fn parameters(kind: &Kind) -> Json {
    let mut properties = Map::new();
    let mut open = false;
    for param in kind.params {
        if param.name == Param::OPEN {
            open = true;
            continue;
        }
        let mut schema = value(param);
        schema["description"] = param.doc.into();
        for alias in param.aliases {
            properties.insert((*alias).to_owned(), schema.clone());
        }
        if !param.default.is_empty() {
            schema["description"] = format!("{} Default: {}", param.doc, param.default).into();
        }
        properties.insert(param.name.to_owned(), schema);
    }
    for (name, instead) in kind.refused {
        properties.insert((*name).to_owned(), not_given(name, instead));
    }
    let needed = kind.params.iter().filter(|param| param.required);
    let needed: Vec<Json> = needed.map(is_given).collect();
    let mut map = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": open,
    });
    if !needed.is_empty() {
        map["allOf"] = needed.into();
    }
    let mut forms = vec![map, json!({ "type": "string" })];
    if !kind.params.iter().any(|param| param.required) {
        forms.push(json!({ "type": "null" }));
    }
    json!({ "description": kind.summary, "anyOf": forms })
}

/// What may stand at a parameter that hadeploy does not have: what asks for nothing, or may come to that when it is known; as
/// `resource::Args` reads it.
fn not_given(name: &str, instead: &str) -> Json {
    let mut ways = vec![
        json!({ "type": "null" }),
        json!({ "type": "string", "allOf": [
            { "pattern": r"\{\{" },
            { "pattern": "(^|[^A-Za-z0-9_])omit([^A-Za-z0-9_]|$)" },
        ] }),
    ];
    match name {
        "unsafe_writes" => ways.extend([
            json!({ "const": false }),
            json!({ "type": "string", "pattern": "^([Nn][Oo]|[Ff][Aa][Ll][Ss][Ee]|[Oo][Ff][Ff])$" }),
        ]),
        "login_host" => ways.extend([
            json!({ "enum": ["", "localhost"] }),
            json!({ "type": "string", "allOf": [{ "pattern": r"\{\{" }, { "pattern": "localhost" }] }),
        ]),
        "login_password" => ways.push(json!({ "const": "" })),
        _ => {}
    }
    let mut schema = refused(instead);
    schema.as_object_mut().map(|schema| schema.remove("not"));
    schema["anyOf"] = ways.into();
    schema
}

/// One of its names is there.
fn is_given(param: &Param) -> Json {
    let names = param.aliases.iter().chain([&param.name]);
    let ways: Vec<Json> = names.map(|name| json!({ "required": [name] })).collect();
    json!({ "anyOf": ways })
}

/// What values a parameter takes, before Ansible's coercions; a template stands for any of them, and null is as if not given.
fn value(param: &Param) -> Json {
    let plain = json!({ "type": ["string", "number", "boolean"] });
    let scalars = json!({ "type": "array", "items": { "type": ["string", "number", "boolean"] } });
    let ways = match param.ty {
        ParamType::Any => return json!({}),
        ParamType::Str | ParamType::Source => vec![plain],
        ParamType::Path if param.relative => vec![json!({ "type": "string", "minLength": 1 })],
        ParamType::Path => vec![json!({ "type": "string", "pattern": "^[/~]" })],
        ParamType::Bool => vec![
            flag(),
            json!({ "type": "string", "pattern": "^([yYtTnNfF]|0|1|1\\.0|0\\.0)$" }),
        ],
        ParamType::Int => vec![
            json!({ "type": "integer" }),
            json!({ "type": "string", "pattern": r"^\s*[+-]?[0-9]+\s*$" }),
        ],
        ParamType::Float => vec![
            json!({ "type": "number" }),
            json!({ "type": "string", "pattern": r"^\s*[+-]?[0-9.]+([eE][+-]?[0-9]+)?\s*$" }),
        ],
        ParamType::Mode => vec![
            json!({ "type": "integer", "minimum": 0 }),
            json!({ "type": "string", "pattern": "^((0o)?[0-7]{1,5}|preserve|[ugoa]*[-+=][rwxXstugo]*(,[ugoa]*[-+=][rwxXstugo]*)*)$" }),
        ],
        ParamType::List => vec![scalars, json!({ "type": ["string", "number"] })],
        ParamType::Choice(words) => {
            let mut all: Vec<Json> = words.iter().map(|word| Json::from(*word)).collect();
            // YAML reads `yes` and `no` as true and false in some editors, and a bare True everywhere.
            for (texts, is) in [(["yes", "True"], true), (["no", "False"], false)] {
                if texts.iter().any(|text| words.contains(text)) {
                    all.push(is.into());
                }
            }
            all.extend(
                words
                    .iter()
                    .filter_map(|word| word.parse::<i64>().ok())
                    .map(Json::from),
            );
            vec![json!({ "enum": all })]
        }
        ParamType::Map => vec![json!({ "type": "object" })],
        ParamType::Expression => vec![plain, json!({ "type": "array" })],
    };
    let mut ways = ways;
    ways.push(json!({ "$ref": "#/$defs/template" }));
    ways.push(json!({ "type": "null" }));
    json!({ "anyOf": ways })
}
