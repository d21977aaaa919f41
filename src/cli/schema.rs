//! `hadeploy schema`: JSON Schemas of playbooks, inventories and settings, for editors. They are made from the tables that files are read with.

mod kinds;
mod playbook;
mod shapes;

use clap::{Args, ValueEnum};
use serde_json::{Value as Json, json};

use self::shapes::object;
use super::{exit, say, words};
use crate::inventory::connection;

/// Print the JSON Schema of a kind of file, for editors
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SchemaArgs {
    /// Of which files: playbook, tasks, inventory or settings
    #[arg(value_enum, hide_possible_values = true)]
    of: Files,
}

const EXAMPLES: &str = "Examples:
  hadeploy schema playbook > .vscode/playbook.json
  hadeploy schema settings
Then a playbook can begin with the line
  # yaml-language-server: $schema=../.vscode/playbook.json";

/// The kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Files {
    /// Plays
    Playbook,
    /// Files that are imported or included: lists of tasks
    Tasks,
    /// Hosts and groups
    Inventory,
    /// `hadeploy.yml`
    Settings,
}

/// Runs it; gives the exit status.
pub fn run(args: &SchemaArgs) -> u8 {
    let schema = match args.of {
        Files::Playbook => playbook::plays(),
        Files::Tasks => playbook::tasks(),
        Files::Inventory => inventory(),
        Files::Settings => settings(),
    };
    say::out(&serde_json::to_string_pretty(&schema).unwrap_or_default());
    exit::DONE
}

/// The head of each schema over what it says.
fn headed(title: &str, mut schema: Json) -> Json {
    let mut head = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
    });
    if let (Some(head), Some(schema)) = (head.as_object_mut(), schema.as_object_mut()) {
        head.append(schema);
    }
    head
}

fn inventory() -> Json {
    let mut variables = shapes::properties(words::CONNECTION);
    for (name, instead) in connection::REFUSED {
        variables.insert((*name).to_owned(), shapes::refused(instead));
    }
    let vars = json!({
        "type": ["object", "null"],
        "properties": variables,
        "propertyNames": { "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" },
    });
    let map_of = |of: &str| {
        json!({
            "type": ["object", "null"],
            "additionalProperties": { "$ref": format!("#/$defs/{of}") },
        })
    };
    headed(
        "An inventory of hadeploy",
        json!({
            "type": ["object", "null"],
            "additionalProperties": { "$ref": "#/$defs/group" },
            "$defs": {
                "template": shapes::template(),
                "vars": vars,
                "group": {
                    "type": ["object", "null"],
                    "properties": {
                        "hosts": map_of("vars"),
                        "children": map_of("group"),
                        "vars": { "$ref": "#/$defs/vars" },
                    },
                    "additionalProperties": false,
                },
            },
        }),
    )
}

fn settings() -> Json {
    let mut schema = object(words::SETTINGS);
    schema["properties"]["forks"] = json!({ "type": "integer", "minimum": 1, "maximum": 10_000 });
    // YAML reads a bare `yes` as true.
    schema["properties"]["host_key_checking"] =
        json!({ "enum": ["yes", "accept-new", "no", true, false] });
    schema["type"] = json!(["object", "null"]);
    schema["$defs"] = shapes::definitions();
    headed("hadeploy.yml", schema)
}
