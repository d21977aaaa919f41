//! A play laid out: its tasks in order, with the places where handlers are flushed.

use std::sync::Arc;

use super::progress::Place;
use crate::playbook::{Meta, Play, Task, TaskAction};

/// A play laid out: its tasks and flushes in order, shared by all hosts.
pub struct Layout {
    /// Tasks, with a flush of handlers behind each section.
    pub items: Vec<Item>,
    /// In the order of their definition.
    pub handlers: Vec<Arc<Task>>,
}

/// One thing in its place.
#[derive(Clone)]
pub struct Item {
    /// Where it stands in the play's order.
    pub place: Place,
    /// What it is.
    pub what: What,
}

/// A task or a flush.
#[derive(Clone)]
pub enum What {
    /// A task.
    Task(Arc<Task>),
    /// A notified handler, by its index in the play.
    Handler(usize, Arc<Task>),
    /// Handlers notified so far run here.
    Flush,
}

impl Layout {
    /// Lays a play out.
    pub fn of(play: &Play) -> Layout {
        let mut what = Vec::new();
        for tasks in [&play.pre_tasks, &play.tasks, &play.post_tasks] {
            for task in tasks {
                what.push(match &task.action {
                    TaskAction::Meta(Meta::FlushHandlers) => What::Flush,
                    _ => What::Task(Arc::new(task.clone())),
                });
            }
            what.push(What::Flush);
        }
        Layout {
            items: what
                .into_iter()
                .enumerate()
                .map(|(index, what)| Item {
                    place: (index, 0, 0),
                    what,
                })
                .collect(),
            handlers: play.handlers.iter().cloned().map(Arc::new).collect(),
        }
    }
}
