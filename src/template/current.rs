//! The evaluation under way on this thread: what filters, tests and lookups ask beyond their arguments.

use std::cell::RefCell;
use std::sync::Arc;

use minijinja::Value as Native;

use super::evaluation::Evaluation;

thread_local! {
    static RUNNING: RefCell<Vec<Arc<Evaluation>>> = const { RefCell::new(Vec::new()) };
}

/// While it lives, an evaluation is the one under way.
pub(super) struct Entered(());

impl Drop for Entered {
    fn drop(&mut self) {
        RUNNING.with_borrow_mut(|running| {
            running.pop();
        });
    }
}

/// Makes an evaluation the one under way, for as long as the result lives.
pub(super) fn enter(evaluation: &Arc<Evaluation>) -> Entered {
    RUNNING.with_borrow_mut(|running| running.push(evaluation.clone()));
    Entered(())
}

/// The evaluation under way.
pub(super) fn evaluation() -> Option<Arc<Evaluation>> {
    RUNNING.with_borrow(|running| running.last().cloned())
}

/// A name of its scope.
pub(super) fn name(name: &str) -> Option<Native> {
    evaluation()?.lookup(name)
}
