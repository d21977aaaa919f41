//! The way back to the release before.

use super::{Next, Rollout};
use crate::rollout::{Outcome, State};

impl Rollout {
    /// The next batch on the way back.
    pub(super) fn pick_back(&mut self, why: String) -> Next {
        if self.back.is_none() {
            let mut back: Vec<usize> = (0..self.members.len())
                .filter(|&index| self.members[index].updated)
                .collect();
            back.sort_by_key(|&index| self.members[index].state.serves());
            self.back = Some(back);
        }
        if self.interrupted {
            self.back_failed
                .get_or_insert("it was interrupted".to_owned());
        }
        if self.back_failed.is_none() {
            let back = self.back.clone().unwrap_or_default();
            let open: Vec<usize> = back
                .into_iter()
                .filter(|&index| {
                    let member = &self.members[index];
                    !member.restored && member.state != State::Lost
                })
                .collect();
            if !open.is_empty() {
                return self.take(&open, 1);
            }
        }
        let lost = self
            .members
            .iter()
            .any(|member| member.state == State::Lost && member.updated);
        match (&self.back_failed, lost) {
            (Some(failed), _) => {
                let both = format!("{why}; and the way back failed: {failed}");
                self.end(Outcome::RollbackFailed(both))
            }
            (None, true) => {
                let both = format!("{why}; a lost node could not be rolled back");
                self.end(Outcome::RollbackFailed(both))
            }
            (None, false) => self.end(Outcome::RolledBack(why)),
        }
    }
}
