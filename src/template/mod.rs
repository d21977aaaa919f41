//! Strict Jinja templates with Ansible's filters and tests.

use crate::diagnostic::Diagnostic;

/// Why binding stopped.
#[derive(Debug, Clone)]
pub enum Stop {
    /// A value is known only after another task: its name.
    After(String),
    /// It is wrong.
    Fault(Box<Diagnostic>),
}

impl From<Diagnostic> for Stop {
    fn from(diagnostic: Diagnostic) -> Stop {
        Stop::Fault(Box::new(diagnostic))
    }
}
