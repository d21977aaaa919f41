//! The items of a loop.

use std::sync::Arc;

use minijinja::Value as Native;

use super::bind::Binder;
use super::scope::TaskScope;
use super::sequences;
use crate::playbook::Loop;
use crate::template::Stop;
use crate::value::Value;

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
        Ok(sequences::of(repeat.kind, &value)?)
    }
}

/// `ansible_loop` at one of the items.
pub(super) fn extended(index: usize, items: &[Native], all: bool) -> Native {
    let count = items.len();
    let mut entries: Vec<(&str, Native)> = vec![
        ("index", (index + 1).into()),
        ("index0", index.into()),
        ("revindex", (count - index).into()),
        ("revindex0", (count - index - 1).into()),
        ("first", (index == 0).into()),
        ("last", (index + 1 == count).into()),
        ("length", count.into()),
    ];
    if let Some(previous) = index.checked_sub(1) {
        entries.push(("previtem", items[previous].clone()));
    }
    if let Some(next) = items.get(index + 1) {
        entries.push(("nextitem", next.clone()));
    }
    if all {
        entries.push(("allitems", items.iter().cloned().collect()));
    }
    Native::from_pairs(entries)
}
