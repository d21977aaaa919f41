//! One that sets a variable, and when that counts.

use std::sync::Arc;

use super::{Scheduled, TaskAction};
use crate::value::{Map, Value};

/// One that sets a variable.
#[derive(Debug, Clone)]
pub struct Setter {
    /// `vars of the play`, `group_vars/web`, `-e` …
    pub origin: String,
    /// `file:line`; empty where it stands in no file.
    pub at: String,
    /// The value as written; none where it comes only in a run.
    pub value: Option<Value>,
    /// When it counts.
    pub when: Counts,
    /// The task that sets it, where one does.
    pub(super) task: Option<Arc<str>>,
}

/// When something that sets a variable counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// In every task.
    Always,
    /// In every task, since a task of an earlier play has set it.
    Earlier,
    /// From then on, once that task has run.
    Behind,
    /// Only in that task.
    Within,
}

impl Counts {
    /// Whether it counts in every task of the play, whatever came before.
    pub fn is_steady(self) -> bool {
        matches!(self, Counts::Always | Counts::Earlier)
    }
}

impl Setter {
    pub(super) fn of_hadeploy(origin: &str) -> Setter {
        Setter {
            origin: origin.to_owned(),
            at: String::new(),
            value: None,
            when: Counts::Always,
            task: None,
        }
    }
}

pub(super) fn setter(map: &Map, name: &str, origin: &str) -> Option<Setter> {
    let entry = map.get(name)?;
    Some(Setter {
        origin: origin.to_owned(),
        at: entry.key.at(),
        value: Some(entry.value.clone()),
        when: Counts::Always,
        task: None,
    })
}

/// What tasks of a play set for all behind them.
pub(super) fn set_behind(scheduled: &Scheduled, name: &str, when: Counts) -> Vec<Setter> {
    let mut found = Vec::new();
    for task in scheduled.play.tasks_and_handlers() {
        let mut add = |origin: &str, value: Option<Value>| {
            found.push(Setter {
                origin: format!("{origin} the task `{}`", task.label),
                at: task.at.to_string(),
                value,
                when,
                task: Some(task.label.clone()),
            });
        };
        if task.register.as_deref() == Some(name) {
            add("result of", None);
        }
        if let TaskAction::Kind { kind, args } = &task.action
            && kind.name == "set_fact"
            && let Some((_, entry)) = args.open().find(|(set, _)| *set == name)
        {
            add("set_fact in", Some(entry.value.clone()));
        }
    }
    found.reverse();
    found
}

/// What tasks of a play set for themselves.
pub(super) fn set_within(scheduled: &Scheduled, name: &str) -> Vec<Setter> {
    let mut found: Vec<Setter> = Vec::new();
    for task in scheduled.play.tasks_and_handlers() {
        for map in task.vars.iter().rev() {
            let origin = format!("vars of the task `{}`", task.label);
            let Some(own) = setter(map, name, &origin) else {
                continue;
            };
            // Those of an import or a block are repeated in its tasks.
            if !found.iter().any(|other| other.at == own.at) {
                found.push(Setter {
                    when: Counts::Within,
                    ..own
                });
            }
        }
    }
    found
}
