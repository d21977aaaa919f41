//! Blocks: lists of tasks with shared keywords, and what is done when one of them fails.

use super::parse::Reader;
use super::task::Outer;
use super::{Part, Task, Within, keywords};
use crate::diagnostic::Diagnostic;
use crate::value::{Map, Value};

/// The lists of a block, in the order in which they are laid out.
const PARTS: [(&str, Part); 3] = [
    ("block", Part::Block),
    ("rescue", Part::Rescue),
    ("always", Part::Always),
];

/// Whether an entry of a list of tasks is a block, or means to be.
pub(super) fn is_block(map: &Map) -> bool {
    PARTS.iter().any(|(key, _)| map.contains_key(*key))
}

impl Reader {
    /// Reads a block: its tasks stand in the flat list, each knowing the blocks around it.
    pub(super) fn block(
        &mut self,
        value: &Value,
        map: &Map,
        outer: &Outer,
        handler: bool,
        tasks: &mut Vec<Task>,
    ) {
        let (span, _) = super::play::spot(map, value);
        if handler && !outer.in_handler {
            self.fault(
                Diagnostic::at(&span, "a block cannot be a handler").help(
                    "make a handler of each task, and let them listen to one topic; or put the block into a file, and make a handler of an `include_tasks` of it",
                ),
            );
            return;
        }
        if !map.contains_key("block") {
            let meant = |key: &str| crate::diagnostic::nearest(key, ["block"]).is_some();
            if let Some((key, entry)) = map.iter().find(|(key, _)| meant(key)) {
                self.not_on_block(key, &entry.key);
                return;
            }
            let lone = PARTS.iter().find_map(|(key, _)| map.get(*key));
            let key = lone.map_or(&span, |entry| &entry.key);
            let fault = Diagnostic::at(key, format!("`{}` without `block`", key.text()));
            self.fault(fault.help("the tasks that may fail stand below `block:`"));
            return;
        }
        for (key, entry) in map {
            if !keywords::BLOCK.contains(&key.as_ref()) {
                self.not_on_block(key, &entry.key);
            }
        }
        let (own, mut inner) = self.keywords(map, outer);
        if !own.notify.is_empty() {
            inner.notify = own.notify;
        }
        let id = self.task_id();
        for (key, part) in PARTS {
            let Some(entry) = map.get(key) else { continue };
            let mut inner = inner.clone();
            inner.within.push(Within { block: id, part });
            tasks.extend(self.tasks(&entry.value, key, &inner, handler));
        }
    }

    fn not_on_block(&mut self, key: &str, span: &crate::source::Span) {
        let known = keywords::TASK.contains(&key) || self.find_kind(key).is_some();
        let fault = match keywords::refused_in_task(key) {
            Some(instead) => {
                Diagnostic::at(span, format!("hadeploy does not have `{key}` on a block"))
                    .help(instead)
            }
            None if known && key.starts_with("loop") => {
                Diagnostic::at(span, format!("`{key}` does not go with `block`"))
                    .help("put the tasks into a file, and loop over an `include_tasks` of it")
            }
            None if known => Diagnostic::at(span, format!("`{key}` does not go with `block`"))
                .help("write it on the tasks in the block"),
            None => Diagnostic::at(span, format!("unknown key `{key}` of a block"))
                .nearest(key, keywords::BLOCK.iter().copied()),
        };
        self.fault(fault);
    }
}
