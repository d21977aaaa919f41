//! A play laid out: its tasks in order, with the places where handlers are flushed.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use minijinja::Value as Native;
use tokio::sync::Semaphore;

use super::once::{Key, Once};
use super::place::Place;
use super::state::lock;
use crate::playbook::{Meta, Part, Play, Task, TaskAction, Within};

/// A play laid out: its tasks and flushes in order, shared by all hosts.
pub struct Layout {
    /// Tasks, with a flush of handlers behind each section; those of rescues are not among them.
    pub items: Vec<Item>,
    /// What is done when a task of a block failed, by the number of the block.
    pub rescues: HashMap<usize, Vec<Item>>,
    /// What came of tasks that run once.
    pub once: Once,
    /// In the order of their definition; those of roles that are chosen in the run behind all others.
    handlers: Mutex<Arc<Vec<Arc<Task>>>>,
    /// What was said once for all.
    said: Mutex<HashSet<Key>>,
    /// Who may act for tasks that not all hosts do at once.
    turns: Mutex<HashMap<(Key, usize), Arc<Semaphore>>>,
    /// Whether `meta: end_play` ended it.
    ended: AtomicBool,
    /// Whether a task failed that may fail on no host.
    fatal: AtomicBool,
}

/// One thing in its place.
#[derive(Clone)]
pub struct Item {
    /// Where it stands in the play's order.
    pub place: Place,
    /// What it is.
    pub what: What,
    /// The blocks it stands in, outer first.
    pub within: Arc<[Within]>,
    /// What the loops of the includes around it set.
    pub given: Arc<[(Arc<str>, Native)]>,
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
    /// What a handler included has run: it is owed no longer.
    Paid(usize),
    /// What was here is not done.
    Nothing,
    /// An earlier failure goes on here: what always runs behind it has run.
    Raise,
}

impl Layout {
    /// Lays a play out.
    pub fn of(play: &Play) -> Layout {
        let mut layout = Layout {
            items: Vec::new(),
            rescues: HashMap::new(),
            once: Once::default(),
            handlers: Mutex::new(Arc::new(
                play.handlers.iter().cloned().map(Arc::new).collect(),
            )),
            said: Mutex::default(),
            turns: Mutex::default(),
            ended: AtomicBool::new(false),
            fatal: AtomicBool::new(false),
        };
        let mut place = 0;
        for tasks in [&play.pre_tasks, &play.tasks, &play.post_tasks] {
            for task in tasks {
                layout.add(Item::of(task, Place::at(place)));
                place += 1;
            }
            // None before the first task: what an earlier run owes may be mended by this one's tasks, and must not stop them.
            if place == 0 && !(play.tasks.is_empty() && play.post_tasks.is_empty()) {
                continue;
            }
            layout.items.push(Item {
                place: Place::at(place),
                what: What::Flush,
                within: Arc::default(),
                given: Arc::default(),
            });
            place += 1;
        }
        layout
    }

    /// The handlers that are known so far. None ever goes away or gets another index.
    pub fn handlers(&self) -> Arc<Vec<Arc<Task>>> {
        lock(&self.handlers).clone()
    }

    /// Whether something that is said once for all was not said yet: now it is.
    pub fn is_new(&self, key: Key) -> bool {
        lock(&self.said).insert(key)
    }

    /// The turns of a task for which so many hosts may act at once.
    pub fn turns(&self, key: Key, limit: usize) -> Arc<Semaphore> {
        let mut turns = lock(&self.turns);
        let new = || Arc::new(Semaphore::new(limit));
        turns.entry((key, limit)).or_insert_with(new).clone()
    }

    /// The play ends: no further batch begins.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    /// Whether it ended early.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// A task failed that may fail on no host.
    pub fn fail(&self) {
        self.fatal.store(true, Ordering::Release);
    }

    /// Whether all hosts stop.
    pub fn is_fatal(&self) -> bool {
        self.fatal.load(Ordering::Acquire)
    }

    /// Handlers of a role that was included, once for all hosts.
    pub fn add_handlers(&self, more: &[Arc<Task>]) {
        if more.is_empty() {
            return;
        }
        let mut handlers = lock(&self.handlers);
        let handlers = Arc::make_mut(&mut *handlers);
        for handler in more {
            if handlers.iter().all(|known| known.id != handler.id) {
                handlers.push(handler.clone());
            }
        }
    }

    fn add(&mut self, item: Item) {
        let mut around = item.within.iter().rev();
        match around.find(|within| within.part == Part::Rescue) {
            Some(within) => self.rescues.entry(within.block).or_default().push(item),
            None => self.items.push(item),
        }
    }
}

impl Item {
    /// A task in its place.
    pub fn of(task: &Task, place: Place) -> Item {
        Item {
            place,
            within: task.within.clone(),
            given: Arc::default(),
            what: match &task.action {
                TaskAction::Meta(Meta::FlushHandlers) => What::Flush,
                _ => What::Task(Arc::new(task.clone())),
            },
        }
    }
}
