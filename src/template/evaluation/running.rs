//! An evaluation from its beginning to its end.

use std::sync::Arc;

use super::{Evaluation, Halt};
use crate::template::Stop;

/// An evaluation under way; what it remembers is let go at its end.
pub(in crate::template) struct Running(pub(super) Arc<Evaluation>);

impl Drop for Running {
    fn drop(&mut self) {
        let mut notes = self.0.notes();
        notes.known.clear();
    }
}

impl std::ops::Deref for Running {
    type Target = Arc<Evaluation>;

    fn deref(&self) -> &Arc<Evaluation> {
        &self.0
    }
}

impl Running {
    /// The result, unless a name was asked for that is known only later.
    pub(in crate::template) fn finish<T>(&self, result: Result<T, Halt>) -> Result<T, Stop> {
        if let Some(task) = self.notes().after.take() {
            return Err(Stop::After(task));
        }
        result.map_err(Into::into)
    }
}
