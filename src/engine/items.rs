//! The items of a loop.

use std::sync::Arc;

use minijinja::Value as Native;

use super::bind::Binder;
use super::scope::TaskScope;
use super::sequences;
use crate::playbook::{Loop, LoopKind};
use crate::template::{Stop, to_native};
use crate::value::Value;

/// Holds the terms of a lookup that makes a loop.
const TERMS: &str = "ansible_loop_terms";

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
        match repeat.kind {
            LoopKind::Lookup(name) => self.looked_up(name, &value, scope),
            kind => Ok(sequences::of(kind, &value)?),
        }
    }

    /// What a lookup finds for its rendered terms, of which there may be one without a list.
    fn looked_up(
        &self,
        lookup: &str,
        terms: &Value,
        scope: &Arc<TaskScope>,
    ) -> Result<Vec<Value>, Stop> {
        let list = match terms.as_list() {
            Some(_) => to_native(terms),
            None => [to_native(terms)].into_iter().collect(),
        };
        let mut own = scope.own.clone();
        own.push((TERMS.into(), list));
        let inner = Arc::new(TaskScope {
            play: scope.play.clone(),
            vars: scope.vars.clone(),
            params: scope.params.clone(),
            role: scope.role.clone(),
            own,
            around: scope.around.clone(),
        });
        let query = format!("{{{{ query('{lookup}', *{TERMS}) }}}}");
        let found = self.render(&Value::str(&query, &terms.span), &inner)?;
        Ok(found.as_list().map(<[Value]>::to_vec).unwrap_or_default())
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
