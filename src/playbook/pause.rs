//! `pause` among the tasks: where it is for a whole batch.

use super::{Task, TaskAction};

impl TaskAction {
    /// Whether it stops for an answer: one for all hosts, as in Ansible.
    pub(super) fn asks(&self) -> bool {
        match self {
            TaskAction::Kind { kind, args } => {
                kind.name == "pause" && !args.has("seconds") && !args.has("minutes")
            }
            _ => false,
        }
    }
}

impl Task {
    /// Whether it is a `pause`: one that is made once is made once for each batch.
    pub fn is_pause(&self) -> bool {
        self.action.name() == "pause"
    }
}
