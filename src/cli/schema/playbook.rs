//! Playbooks and files of tasks as JSON Schema.

use serde_json::{Map, Value as Json, json};

use super::kinds;
use super::shapes::{self, properties};
use crate::cli::words;
use crate::playbook::keywords;
use crate::resource::KINDS;

/// What a task may do beside its kinds, with the shapes of their values.
const OTHER_ACTIONS: &[&str] = &["meta", "import_tasks", "include_tasks"];

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
    for name in OTHER_ACTIONS {
        for name in [
            (*name).to_owned(),
            format!("ansible.builtin.{name}"),
            format!("ansible.legacy.{name}"),
        ] {
            all.insert(name.clone(), json!({ "type": ["string", "object"] }));
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
        "additionalProperties": false,
        "oneOf": one,
    });
    refuse(&mut single, keywords::TASK_REFUSED);
    single
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
