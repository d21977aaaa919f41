//! Playbooks and files of tasks as JSON Schema.

use serde_json::{Map, Value as Json, json};

use super::kinds;
use super::shapes::{self, properties};
use crate::cli::words::{self, Shape, Word};
use crate::playbook::keywords;
use crate::resource::KINDS;

/// A word, and what its value may be.
type Action = (&'static str, fn() -> Json);

/// What a task may do beside its kinds, with what their values may be.
const OTHER_ACTIONS: &[Action] = &[
    ("import_role", import_role),
    ("import_tasks", import_tasks),
    ("include_role", include_role),
    ("include_tasks", include_tasks),
    ("include_vars", include_vars),
    ("meta", meta),
];

/// A list of plays.
pub fn plays() -> Json {
    let any = json!({
        "type": "array",
        "items": {
            "if": { "anyOf": import_names().iter().map(|name| json!({ "required": [name] })).collect::<Vec<_>>() },
            "then": { "$ref": "#/$defs/import_playbook" },
            "else": { "$ref": "#/$defs/play" },
        },
        "$defs": definitions(),
    });
    super::headed("A playbook of hadeploy", any)
}

/// A list of tasks, as it is imported or included.
pub fn tasks() -> Json {
    let any = json!({
        "type": ["array", "null"],
        "items": { "$ref": "#/$defs/task" },
        "$defs": definitions(),
    });
    super::headed("Tasks of hadeploy", any)
}

fn import_names() -> [&'static str; 2] {
    ["import_playbook", "ansible.builtin.import_playbook"]
}

fn definitions() -> Json {
    let mut definitions = kinds::definitions();
    if let Json::Object(more) = shapes::definitions() {
        definitions.extend(more);
    }
    let mut play = shapes::object(words::PLAY);
    play["required"] = json!(["hosts"]);
    refuse(&mut play, keywords::PLAY_REFUSED);
    let role = play["properties"]["roles"]["items"].take();
    play["properties"]["roles"]["items"] = json!({ "anyOf": [role_name(), role_entry(role)] });
    if let Some(ways) = play["properties"]["strategy"]["anyOf"].as_array_mut() {
        let full = r"^ansible\.builtin\.(linear|free|host_pinned)$";
        ways.push(json!({ "type": "string", "pattern": full }));
    }
    definitions.insert("play".to_owned(), play);
    let mut import = shapes::object(words::IMPORT_PLAYBOOK);
    import["properties"]["ansible.builtin.import_playbook"] =
        import["properties"]["import_playbook"].clone();
    definitions.insert("import_playbook".to_owned(), import);
    definitions.insert(
        "task".to_owned(),
        json!({
            "if": { "type": "object", "required": ["block"] },
            "then": { "$ref": "#/$defs/block" },
            "else": { "$ref": "#/$defs/single" },
        }),
    );
    definitions.insert("block".to_owned(), shapes::object(words::BLOCK));
    definitions.insert("single".to_owned(), single());
    definitions.into()
}

/// A task that is no block: its words, and one action.
fn single() -> Json {
    let mut all: Map<String, Json> = properties(words::TASK);
    let mut actions = vec!["action".to_owned(), "local_action".to_owned()];
    for kind in KINDS {
        let schema = json!({ "$ref": format!("#/$defs/{}", kinds::definition(kind)) });
        for name in kinds::names(kind) {
            all.insert(name.clone(), schema.clone());
            actions.push(name);
        }
    }
    for (name, schema) in OTHER_ACTIONS {
        for name in [
            (*name).to_owned(),
            format!("ansible.builtin.{name}"),
            format!("ansible.legacy.{name}"),
        ] {
            all.insert(name.clone(), schema());
            actions.push(name);
        }
    }
    let one: Vec<Json> = actions
        .iter()
        .map(|name| json!({ "required": [name] }))
        .collect();
    let mut single = json!({
        "type": "object",
        "properties": all,
        // Loops may be named in full.
        "patternProperties": { r"^with_(ansible\.(builtin|legacy)|community\.general)\.": true },
        "additionalProperties": false,
        "oneOf": one,
    });
    refuse(&mut single, keywords::TASK_REFUSED);
    single
}

/// The name of a role that is known before any host is.
fn role_name() -> Json {
    json!({ "anyOf": [shapes::of(Shape::Literal), { "type": "integer" }] })
}

/// A mapping in `roles`, made from its words: what is none of them is a variable of the role.
fn role_entry(mut entry: Json) -> Json {
    for name in ["role", "name"] {
        let place = &mut entry["properties"][name];
        let doc = place["description"].take();
        *place = role_name();
        place["description"] = doc;
    }
    let on_tasks: Vec<(&str, &str)> = keywords::TASK
        .iter()
        .map(|name| (*name, "write it on the tasks of the role"))
        .collect();
    refuse(&mut entry, &on_tasks);
    refuse(&mut entry, keywords::TASK_REFUSED);
    entry["additionalProperties"] = true.into();
    entry["patternProperties"] = json!({ "^with_": false });
    entry["propertyNames"] = json!({ "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" });
    entry["anyOf"] = json!([{ "required": ["role"] }, { "required": ["name"] }]);
    entry
}

fn meta() -> Json {
    shapes::of(Shape::Literal)
}

fn import_tasks() -> Json {
    let file = shapes::of(Shape::Literal);
    either(file.clone(), json!({ "file": file }), &["file"])
}

fn include_tasks() -> Json {
    let text = json!({ "type": "string" });
    let properties = json!({ "file": text, "_raw_params": text, "apply": apply() });
    either(text, properties, &["file", "_raw_params"])
}

fn import_role() -> Json {
    let mut properties = of_role(&shapes::of(Shape::Literal));
    properties["apply"] = shapes::refused("what stands beside an import goes to all its tasks");
    let name = json!({
        "type": "string",
        "pattern": "^[^=]+$",
        "not": { "$ref": "#/$defs/template" },
    });
    either(name, properties, &["name", "role"])
}

fn include_role() -> Json {
    let mut properties = of_role(&json!({ "type": "string" }));
    properties["apply"] = apply();
    // Text with `=` would be parameters, which are a mapping here.
    let name = json!({ "type": "string", "pattern": "^[^=]+$" });
    either(name, properties, &["name", "role"])
}

/// The parameters that an import and an include of a role share; `name` is what names may be.
fn of_role(name: &Json) -> Json {
    let switch = shapes::of(Shape::Switch);
    json!({
        "name": name,
        "role": name,
        "tasks_from": name,
        "vars_from": name,
        "defaults_from": name,
        "handlers_from": name,
        "allow_duplicates": switch,
        "public": switch,
        "rolespec_validate": switch,
    })
}

fn include_vars() -> Json {
    let text = json!({ "type": "string" });
    let texts = shapes::of(Shape::Texts);
    let properties = json!({
        "file": text,
        "_raw_params": text,
        "dir": text,
        "name": shapes::of(Shape::Text),
        "depth": shapes::of(Shape::Count),
        "files_matching": shapes::of(Shape::Text),
        "ignore_files": texts,
        "extensions": texts,
        "ignore_unknown_extensions": shapes::of(Shape::Flag),
        "hash_behaviour": shapes::refused(
            "give the variables a `name`, and merge them with the filter `combine`"
        ),
    });
    either(text, properties, &["file", "_raw_params", "dir"])
}

/// Text, or a mapping with these parameters and one of those that it needs.
fn either(text: Json, properties: Json, needed: &[&str]) -> Json {
    let needed: Vec<Json> = needed
        .iter()
        .map(|name| json!({ "required": [name] }))
        .collect();
    let map = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "anyOf": needed,
    });
    json!({ "anyOf": [text, map] })
}

/// What `apply` lays over all tasks of an include: the words of a block without its tasks.
fn apply() -> Json {
    let words: Vec<Word> = words::BLOCK
        .iter()
        .filter(|word| !matches!(word.name, "block" | "rescue" | "always" | "rollout"))
        .copied()
        .collect();
    let mut apply = shapes::object(&words);
    apply["type"] = json!(["object", "null"]);
    apply
}

/// Adds what Ansible has there and this has not.
fn refuse(schema: &mut Json, table: &[(&str, &str)]) {
    for (name, instead) in table {
        let place = &mut schema["properties"][*name];
        if place.is_null() {
            *place = shapes::refused(instead);
        }
    }
}
