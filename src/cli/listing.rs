//! `--list-hosts`, `--list-tasks` and `--list-tags`: what would be worked on, without connecting.

use serde_json::json;

use super::load::ended;
use super::options::{Output, ProjectArgs};
use super::{exit, say};
use crate::diagnostic::count;
use crate::event::Event;
use crate::playbook::{ListedPlay, Project};
use crate::report;

/// Shows the lists that are asked for; whether any was.
pub fn show(project: &Project, args: &ProjectArgs) -> bool {
    if !(args.list_hosts || args.list_tasks || args.list_tags) {
        return false;
    }
    let plays = project.list();
    match args.base.output {
        Output::Human => say::out(
            &plays
                .iter()
                .map(|play| human(play, args))
                .collect::<String>(),
        ),
        Output::Json => {
            for play in &plays {
                say::out(&machine(play).to_string());
            }
            let end = Event::RunFinished(ended(exit::DONE, "listed".to_owned()));
            say::out(&report::line(&end, None).unwrap_or_default());
        }
    }
    true
}

fn human(play: &ListedPlay, args: &ProjectArgs) -> String {
    let mut text = format!("play {} ({})\n", play.play, play.pattern);
    if args.list_hosts {
        text.push_str(&format!("  {}\n", count(play.hosts.len(), "host")));
        for host in &play.hosts {
            text.push_str(&format!("    {host}\n"));
        }
    }
    if args.list_tasks {
        text.push_str(&format!("  {}\n", count(play.tasks.len(), "task")));
        for task in &play.tasks {
            text.push_str(&format!("    {}  {}", task.name, task.at));
            if !task.tags.is_empty() {
                text.push_str(&format!("  [{}]", task.tags.join(", ")));
            }
            text.push('\n');
        }
    }
    if args.list_tags {
        text.push_str(&format!("  tags: {}\n", play.tags.join(", ")));
    }
    text
}

fn machine(play: &ListedPlay) -> serde_json::Value {
    let texts =
        |texts: &[std::sync::Arc<str>]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let tasks: Vec<_> = play
        .tasks
        .iter()
        .map(|task| json!({"task": &*task.name, "at": &*task.at, "tags": texts(&task.tags)}))
        .collect();
    json!({
        "v": 1,
        "event": "play_listed",
        "play": &*play.play,
        "pattern": play.pattern,
        "hosts": texts(&play.hosts),
        "tags": texts(&play.tags),
        "tasks": tasks,
    })
}
