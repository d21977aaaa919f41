//! What a playbook may do with clusters: their tasks see all members at once, and nobody else restarts their units.

use super::project::{Project, Scheduled};
use super::{Task, TaskAction};
use crate::diagnostic::Diagnostic;
use crate::resource::Args;

/// Units that belong to a cluster: the part of the name before `@` and `.service`.
const UNITS: &[(&str, &[&str])] = &[
    ("postgres_cluster", &["postgresql", "repmgrd"]),
    (
        "redis_cluster",
        &["redis", "redis-server", "redis-sentinel", "sentinel"],
    ),
];

impl Project {
    /// Keeps only the tasks that bring clusters to their wanted state: of one kind, or of all. Gives how many there are.
    pub fn keep_clusters(&mut self, kind: Option<&str>) -> usize {
        let wanted = |task: &Task| of(task).is_some_and(|of| kind.is_none_or(|kind| kind == of));
        let mut kept = 0;
        for scheduled in &mut self.plays {
            let play = &mut scheduled.play;
            play.handlers.clear();
            play.gather_facts = false;
            for tasks in [&mut play.pre_tasks, &mut play.tasks, &mut play.post_tasks] {
                tasks.retain(wanted);
                kept += tasks.len();
            }
        }
        self.plays.retain(|scheduled| {
            let play = &scheduled.play;
            !(play.pre_tasks.is_empty() && play.tasks.is_empty() && play.post_tasks.is_empty())
        });
        kept
    }
}

/// The faults of all tasks that have to do with clusters.
pub(super) fn check(project: &Project) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let tasks = || {
        project.plays.iter().flat_map(|scheduled| {
            let tasks = scheduled.play.tasks_and_handlers();
            tasks.map(move |task| (scheduled, task))
        })
    };
    let clusters: Vec<&Task> = tasks()
        .map(|(_, task)| task)
        .filter(|task| of(task).is_some())
        .collect();
    for (scheduled, task) in tasks() {
        match of(task) {
            Some(kind) => faults.extend(misplaced(scheduled, task, kind)),
            None => faults.extend(clusters.iter().find_map(|cluster| meddles(task, cluster))),
        }
    }
    faults
}

/// The kind, when it is a cluster's.
fn of(task: &Task) -> Option<&'static str> {
    match &task.action {
        TaskAction::Kind { kind, .. } if kind.is_cluster() => Some(kind.name),
        _ => None,
    }
}

/// A cluster task that cannot see all members at once.
fn misplaced(scheduled: &Scheduled, task: &Task, kind: &str) -> Option<Diagnostic> {
    let (word, help) = if task.repeat.is_some() {
        ("a loop", "write one task for each cluster")
    } else if task.delegate.is_some() {
        ("`delegate_to`", "it acts on its members by itself")
    } else if task.until.is_some() {
        ("`until`", "it waits by itself until its members are ready")
    } else if task.handler {
        (
            "a handler",
            "write it as a task: it restarts what needs a restart, in the right order",
        )
    } else if scheduled.play.rolling.is_some() {
        (
            "a play with `rolling`",
            "give it a play of its own before: it restarts its members one after the other by itself",
        )
    } else if !scheduled.play.serial.is_empty() {
        (
            "a play with `serial`",
            "give it a play without: it changes its members one after the other by itself",
        )
    } else {
        return None;
    };
    Some(
        Diagnostic::at(
            &task.span,
            format!("`{kind}` sees all members at once: it cannot be in {word}"),
        )
        .help(help),
    )
}

/// A service task that would restart or stop what the cluster takes care of.
fn meddles(task: &Task, cluster: &Task) -> Option<Diagnostic> {
    let TaskAction::Kind { kind, args } = &task.action else {
        return None;
    };
    if !matches!(kind.name, "systemd" | "service") {
        return None;
    }
    let name = args.literal("name")?;
    let state = args.literal("state")?;
    if !matches!(state, "restarted" | "stopped" | "reloaded") {
        return None;
    }
    let own = of(cluster)?;
    let plain = name.trim_end_matches(".service");
    let plain = plain.split('@').next().unwrap_or(plain);
    let (_, units) = UNITS.iter().find(|(kind, _)| *kind == own)?;
    units.contains(&plain).then(|| {
        Diagnostic::at(
            place(args),
            format!("`{name}` belongs to the cluster of `{}`", cluster.label),
        )
        .help(format!(
            "take this task away: `{own}` at {} restarts its members one at a time, replicas first, and only where it is needed",
            cluster.at
        ))
    })
}

fn place(args: &Args) -> &crate::source::Span {
    args.value_place("state")
}
