//! What `--list-hosts`, `--list-tasks` and `--list-tags` show.

use std::sync::Arc;

use super::Project;

/// A play and its hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPlay {
    /// Its name.
    pub play: Arc<str>,
    /// Its pattern as written.
    pub pattern: String,
    /// Its hosts in inventory order.
    pub hosts: Vec<Arc<str>>,
    /// The tags of its tasks, sorted.
    pub tags: Vec<Arc<str>>,
    /// Its tasks that would run, in order; handlers are not among them.
    pub tasks: Vec<ListedTask>,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTask {
    /// Its name, or its kind.
    pub name: Arc<str>,
    /// `file:line`.
    pub at: Arc<str>,
    /// Its tags.
    pub tags: Vec<Arc<str>>,
}

impl Project {
    /// Every play with its hosts, tasks and tags, as `--limit` and `--tags` leave them.
    pub fn list(&self) -> Vec<ListedPlay> {
        self.plays
            .iter()
            .map(|scheduled| {
                let play = &scheduled.play;
                let mut tags: Vec<Arc<str>> = play
                    .all_tasks()
                    .flat_map(|task| task.tags.iter().cloned())
                    .collect();
                tags.sort();
                tags.dedup();
                ListedPlay {
                    play: play.name.clone(),
                    pattern: play.hosts.span.text().to_owned(),
                    hosts: scheduled.hosts.iter().map(|host| host.shared()).collect(),
                    tags,
                    tasks: play
                        .all_tasks()
                        .map(|task| ListedTask {
                            name: task.label.clone(),
                            at: task.at.clone(),
                            tags: task.tags.clone(),
                        })
                        .collect(),
                }
            })
            .collect()
    }
}
