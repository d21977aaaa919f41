//! The items of a loop.

use std::sync::Arc;

use minijinja::Value as Native;

use super::bind::Binder;
use super::native;
use super::scope::TaskScope;
use crate::diagnostic::Diagnostic;
use crate::playbook::{Loop, LoopKind};
use crate::template::Stop;
use crate::value::{Entry, Kind as ValueKind, Map, Value};

impl Binder {
    pub(super) fn label(
        &self,
        repeat: &Loop,
        item: &Value,
        scope: &Arc<TaskScope>,
    ) -> Result<String, Stop> {
        let shown = match &repeat.label {
            Some(label) => self.render(label, scope)?,
            None => item.clone(),
        };
        Ok(match shown.as_str() {
            Some(text) => text.to_owned(),
            None => shown.to_json().to_string(),
        })
    }

    pub(super) fn items(&self, repeat: &Loop, scope: &Arc<TaskScope>) -> Result<Vec<Value>, Stop> {
        let value = self.render(&repeat.items, scope)?;
        let wrong = |wanted: &str| {
            Stop::from(
                Diagnostic::at(
                    &repeat.items.span,
                    format!("a loop goes over {wanted}, not over {}", value.type_name()),
                )
                .help("make it a list, as with `| list`, or `| dict2items` for a mapping"),
            )
        };
        match repeat.kind {
            LoopKind::List => Ok(value.as_list().ok_or_else(|| wrong("a list"))?.to_vec()),
            LoopKind::Items => Ok(match value.as_list() {
                Some(items) => items
                    .iter()
                    .flat_map(|item| match item.as_list() {
                        Some(inner) => inner.to_vec(),
                        None => vec![item.clone()],
                    })
                    .collect(),
                None => vec![value.clone()],
            }),
            LoopKind::Dict => {
                let map = value.as_map().ok_or_else(|| wrong("a mapping"))?;
                Ok(map.iter().map(|(key, entry)| pair(key, entry)).collect())
            }
        }
    }
}

fn pair(key: &str, entry: &Entry) -> Value {
    let span = &entry.value.span;
    let map: Map = [
        ("key", Value::str(key, &entry.key)),
        ("value", entry.value.clone()),
    ]
    .into_iter()
    .map(|(name, value)| {
        (
            Arc::from(name),
            Entry {
                key: entry.key.clone(),
                value,
            },
        )
    })
    .collect();
    Value::new(ValueKind::Map(Arc::new(map)), span)
}

pub(super) fn extended(index: usize, count: usize) -> Native {
    native(serde_json::json!({
        "index": index + 1,
        "index0": index,
        "revindex": count - index,
        "revindex0": count - index - 1,
        "first": index == 0,
        "last": index + 1 == count,
        "length": count,
    }))
}
