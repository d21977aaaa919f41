//! Roles that run once on a host, however often a play uses them: the tasks of later uses are left out.

use std::sync::Arc;

use super::host::HostRun;
use super::layout::{Item, What};
use super::walk::{Step, Walk};
use crate::playbook::{Role, Task};

impl HostRun {
    /// At a task of a role that has run here already for another use of it, or may have: none when the task is done.
    pub(super) fn ran_before(
        &mut self,
        index: usize,
        task: &Task,
        walk: &mut Walk,
    ) -> Option<Step> {
        let role = task.role.as_ref().filter(|_| !task.handler)?;
        let identity = role.identity.as_ref()?;
        match self.ran.get(identity) {
            Some(first) if *first == role.number => None,
            Some(_) => {
                self.drop_item(index, task);
                self.pass_nothing(index, walk);
                Some(Step::On)
            }
            // Whether the tasks of an earlier use are done here is seen when they are bound.
            None if !walk.clear && self.is_used_before(index, role) => {
                self.promise(task);
                Some(Step::On)
            }
            None => None,
        }
    }

    fn is_used_before(&self, index: usize, role: &Role) -> bool {
        self.items[..index].iter().any(|item| {
            role_of(item).is_some_and(|it| it.number != role.number && it.identity == role.identity)
        })
    }

    /// A task of the role is done here, and so the role has run.
    pub(super) fn runs_role(&mut self, task: &Task) {
        if let Some(role) = task.role.as_ref().filter(|_| !task.handler)
            && let Some(identity) = &role.identity
        {
            self.ran.entry(identity.clone()).or_insert(role.number);
        }
    }

    /// Nothing is left of a task that is not done, nor said of it.
    pub(super) fn drop_item(&mut self, index: usize, task: &Task) {
        self.items[index].what = What::Nothing;
        self.withdraw(task);
    }

    /// At the place of what was left out.
    pub(super) fn pass_nothing(&mut self, index: usize, walk: &Walk) {
        if walk.clear && walk.batch.entries.is_empty() {
            self.pass(index);
        }
    }
}

fn role_of(item: &Item) -> Option<&Arc<Role>> {
    match &item.what {
        What::Task(task) => task.role.as_ref(),
        _ => None,
    }
}
