//! What a case expects, held against what was found.

use hadeploy::change::{Change, Effect, Field, Step, Touch};
use serde_json::Value;

use super::answers::question;

pub fn compare(expect: &Value, change: &Change, waves: &[Vec<String>]) -> Result<(), String> {
    if let Some(asks) = expect.get("asks") {
        let mut wanted: Vec<Vec<String>> =
            serde_json::from_value(asks.clone()).map_err(|error| error.to_string())?;
        let mut waves = waves.to_vec();
        wanted.iter_mut().for_each(|wave| wave.sort());
        waves.iter_mut().for_each(|wave| wave.sort());
        same("asks", &format!("{wanted:?}"), &format!("{waves:?}"))?;
    }
    let obstacle = change.obstacle.as_ref();
    match (expect["obstacle"].as_str(), obstacle) {
        (Some(part), Some(found)) if found.message.contains(part) => {}
        (None, None) => {}
        (wanted, found) => return Err(format!("obstacle: wanted {wanted:?}, found {found:?}")),
    }
    if let Some(action) = expect["action"].as_str() {
        same("action", action, change.action.word())?;
    } else if obstacle.is_none() {
        return Err("a case says its `action`".to_owned());
    }
    if let Some(part) = expect["reason"].as_str() {
        contains("reason", &change.reason, part)?;
    }
    if let Some(effect) = expect["effect"].as_str() {
        let found = match &change.effect {
            Effect::None => "none".to_owned(),
            Effect::Reload(unit) => format!("reload {unit}"),
            Effect::Restart(unit) => format!("restart {unit}"),
        };
        same("effect", effect, &found)?;
    }
    if let Some(fields) = expect["fields"].as_array() {
        let wanted: Vec<&str> = fields.iter().filter_map(Value::as_str).collect();
        let found: Vec<String> = change.fields.iter().map(field).collect();
        same("fields", &format!("{wanted:?}"), &format!("{found:?}"))?;
    }
    for (key, value) in expect["result"].as_object().into_iter().flatten() {
        let found = change.result.get(key).unwrap_or(&Value::Null);
        same(
            &format!("result.{key}"),
            &value.to_string(),
            &found.to_string(),
        )?;
    }
    if let Some(steps) = expect["steps"].as_array() {
        same(
            "number of steps",
            &steps.len().to_string(),
            &change.steps.len().to_string(),
        )?;
        for (wanted, step) in steps.iter().zip(&change.steps) {
            compare_step(wanted, step)?;
        }
    }
    Ok(())
}

fn compare_step(wanted: &Value, step: &Step) -> Result<(), String> {
    only(
        wanted,
        &[
            "title", "script", "absent", "predicts", "touches", "cut", "act",
        ],
    )?;
    if let Some(title) = wanted["title"].as_str() {
        contains("title", &step.title, title)?;
    }
    for part in strings(&wanted["script"]) {
        contains("script", &step.script, part)?;
    }
    for part in strings(&wanted["absent"]) {
        if step.script.contains(part) {
            return Err(format!("the script has `{part}`: {}", step.script));
        }
    }
    for words in strings(&wanted["predicts"]) {
        let question = question(words)?;
        if !step.predicts.iter().any(|(found, _)| *found == question) {
            return Err(format!("`{words}` is not predicted"));
        }
    }
    let touches: Vec<String> = step.touches.iter().map(touch).collect();
    for words in strings(&wanted["touches"]) {
        if !touches.iter().any(|found| found == words) {
            return Err(format!("`{words}` is not touched: {touches:?}"));
        }
    }
    for (key, found) in [("cut", step.cut), ("act", step.act)] {
        if let Some(wanted) = wanted[key].as_bool() {
            same(key, &wanted.to_string(), &found.to_string())?;
        }
    }
    Ok(())
}

fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// `path /x`, `account web`, `group web`, `unit nginx.service`, `everything`.
fn touch(touch: &Touch) -> String {
    match touch {
        Touch::Path(path) => format!("path {path}"),
        Touch::NewFolder(path) => format!("folder {path}"),
        Touch::Account(name) => format!("account {name}"),
        Touch::Group(name) => format!("group {name}"),
        Touch::Unit(name) => format!("unit {name}"),
        Touch::Postgres(key) => format!("postgres {key}"),
        Touch::Firewall => "firewall".to_owned(),
        Touch::PackageLists => "package lists".to_owned(),
        Touch::Debconf(name) => format!("debconf {name}"),
        Touch::Everything => "everything".to_owned(),
    }
}

/// `mode: 0644 -> 0600`; a text is `content`, with its lines counted when a diff is there: `content (2 -> 3 lines)`.
fn field(field: &Field) -> String {
    match field {
        Field::Value {
            field,
            before,
            after,
        } => format!("{field}: {before} -> {after}"),
        Field::Text {
            field,
            before: None,
            after: None,
            ..
        } => field.clone(),
        Field::Text {
            field,
            before,
            after,
            ..
        } => {
            let lines = |text: &Option<std::sync::Arc<str>>| {
                text.as_ref().map_or(0, |text| text.lines().count())
            };
            format!("{field} ({} -> {} lines)", lines(before), lines(after))
        }
    }
}

pub fn describe(change: &Change) -> String {
    let fields: Vec<String> = change.fields.iter().map(field).collect();
    let steps: Vec<String> = change
        .steps
        .iter()
        .map(|step| {
            format!(
                "  {}\n    {}",
                step.title,
                step.script.replace('\n', "\n    ")
            )
        })
        .collect();
    format!(
        "  {} {fields:?} {} {:?}\n{}\n  {}",
        change.action.word(),
        change.reason,
        change.obstacle,
        steps.join("\n"),
        Value::Object(change.result.clone())
    )
}

fn same(what: &str, wanted: &str, found: &str) -> Result<(), String> {
    if wanted == found {
        return Ok(());
    }
    Err(format!("{what}: wanted {wanted}\n  found {found}"))
}

fn contains(what: &str, found: &str, part: &str) -> Result<(), String> {
    if found.contains(part) {
        return Ok(());
    }
    Err(format!("{what}: `{part}` is not in {found}"))
}

pub fn only(value: &Value, keys: &[&str]) -> Result<(), String> {
    for key in value.as_object().into_iter().flatten().map(|(key, _)| key) {
        if !keys.contains(&key.as_str()) {
            return Err(format!("`{key}` is none of {keys:?}"));
        }
    }
    Ok(())
}
