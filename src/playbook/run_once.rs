//! `run_once`, which may be a template.

use crate::value::Value;

/// Whether one host does a task for all.
#[derive(Debug, Clone, Default)]
pub enum RunOnce {
    /// Each host does it.
    #[default]
    No,
    /// One does.
    Yes,
    /// As this template says, on each host when it comes there.
    If(Value),
}

impl RunOnce {
    /// The template that decides it.
    pub fn template(&self) -> Option<&Value> {
        match self {
            RunOnce::If(value) => Some(value),
            _ => None,
        }
    }
}
