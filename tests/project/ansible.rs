//! Inventories of all kinds, held against what ansible-core makes of them.

use std::collections::BTreeMap;

use hadeploy::inventory::Inventory;
use hadeploy::vault::Keyring;
use serde_json::{Map, Value, json};

use crate::Folder;
use crate::executable::make_executable;

const CASES: &str = include_str!("inventories.yaml");

/// Loads the inventory of a case; its hosts and groups as the case spells them, and what was said.
fn made(case: &Value) -> (Value, Value, String, Vec<String>) {
    let texts = |key: &str| -> Vec<String> {
        let list = case[key].as_array().into_iter().flatten();
        list.filter_map(|text| text.as_str().map(str::to_owned))
            .collect()
    };
    let files: Vec<(&str, &str)> = case["files"]
        .as_object()
        .expect("a mapping")
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str().expect("a text")))
        .collect();
    let folder = Folder::new(&files);
    for name in texts("executable") {
        make_executable(&folder.path(&name));
    }
    let sources: Vec<String> = texts("sources")
        .into_iter()
        .map(|source| match source.contains(',') {
            true => source,
            false => folder.name(&source),
        })
        .collect();
    let (inventory, faults) = Inventory::load(&sources, &[], &Keyring::default());
    let hosts: Map<String, Value> = inventory
        .hosts
        .values()
        .map(|host| {
            let vars: Map<String, Value> = host
                .vars
                .iter()
                .map(|(name, entry)| (name.to_string(), entry.value.to_json()))
                .collect();
            (host.name.to_string(), vars.into())
        })
        .collect();
    let groups: BTreeMap<String, Vec<String>> = inventory
        .groups
        .values()
        .map(|group| {
            let mut hosts: Vec<String> = group.hosts.iter().map(ToString::to_string).collect();
            hosts.sort();
            (group.name.to_string(), hosts)
        })
        .collect();
    let without_place: Vec<String> = faults
        .iter()
        .filter(|fault| fault.is_error() && fault.span.is_none())
        .map(|fault| fault.message.clone())
        .collect();
    (
        hosts.into(),
        json!(groups),
        folder.said(&faults),
        without_place,
    )
}

#[test]
fn inventories_are_those_of_ansible() {
    let cases: Vec<Value> = serde_yaml::from_str(CASES).expect("good YAML");
    let mut wrong = Vec::new();
    let mut refused = 0;
    for case in &cases {
        let name = case["name"].as_str().expect("a name");
        let (hosts, groups, said, without_place) = made(case);
        if case["refused"] == true {
            refused += 1;
            if !said.contains("error ") {
                wrong.push(format!("{name}: not refused"));
            }
            // What a program did is in no file.
            if !without_place.is_empty() && !name.contains("program") {
                wrong.push(format!("{name}: without a place: {without_place:?}"));
            }
            continue;
        }
        if said.contains("error ") {
            wrong.push(format!("{name}: {said}"));
            continue;
        }
        if groups != case["groups"] {
            wrong.push(format!(
                "{name}: groups {groups} and not {}",
                case["groups"]
            ));
        }
        let wanted = case["hosts"].as_object().expect("a mapping");
        for (host, vars) in wanted {
            if hosts[host] != *vars {
                wrong.push(format!("{name}: {host} {} and not {vars}", hosts[host]));
            }
        }
        if hosts.as_object().map(Map::len) != Some(wanted.len()) {
            wrong.push(format!("{name}: other hosts"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        cases.len() > 100 && refused > 20,
        "{} {refused}",
        cases.len()
    );
}
