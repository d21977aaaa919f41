//! What a plan would do to services and nodes, in a few lines.

use std::sync::Arc;

use super::style::{Ink, Palette};
use super::text;
use crate::change::Effect;
use crate::event::Impact;

/// Hosts that a line names.
const HOSTS: usize = 6;
/// Tasks that the last line names.
const TASKS: usize = 6;

/// Restarts and reloads by unit and host, hosts that restart, and what cannot be foretold.
pub(super) fn lines(impact: &Impact, palette: Palette) -> Vec<String> {
    let mut rows: Vec<(&str, String)> = Vec::new();
    for wanted in ["restart", "reload"] {
        for (effect, hosts) in &impact.effects {
            let hosts: Vec<&Arc<str>> = hosts.iter().collect();
            rows.extend(row(wanted, effect, &hosts));
        }
    }
    let uncertain = impact.uncertain();
    for (word, said) in [("restart", "may restart"), ("reload", "may reload")] {
        for (effect, hosts) in &uncertain {
            rows.extend(row(word, effect, hosts).map(|(_, words)| (said, words)));
        }
    }
    if !impact.reboots.is_empty() {
        let hosts: Vec<&Arc<str>> = impact.reboots.iter().collect();
        rows.push(("reboots", names(&hosts)));
    }
    for (task, hosts) in impact.open.iter().take(TASKS) {
        let hosts: Vec<&Arc<str>> = hosts.iter().collect();
        let words = format!("`{}` on {}", text::clean(task), names(&hosts));
        rows.push(("not foretold", words));
    }
    if impact.open.len() > TASKS {
        let more = format!("and {} more tasks", impact.open.len() - TASKS);
        rows.push(("not foretold", more));
    }
    let width = rows.iter().map(|(word, _)| word.len()).max().unwrap_or(0);
    rows.into_iter()
        .map(|(word, words)| {
            let ink = match word {
                "restarts" | "reboots" => Ink::Bad,
                "reloads" => Ink::Changed,
                _ => Ink::Unknown,
            };
            let gap = " ".repeat(width - word.len());
            format!("{}{gap}  {words}", palette.paint(ink, word))
        })
        .collect()
}

fn row(wanted: &str, effect: &Effect, hosts: &[&Arc<str>]) -> Option<(&'static str, String)> {
    if effect.word() != wanted {
        return None;
    }
    let unit = effect.unit()?;
    let word = match effect {
        Effect::Reload(_) => "reloads",
        _ => "restarts",
    };
    Some((word, format!("{} on {}", text::clean(unit), names(hosts))))
}

fn names(hosts: &[&Arc<str>]) -> String {
    let named: Vec<String> = hosts
        .iter()
        .take(HOSTS)
        .map(|host| text::clean(host))
        .collect();
    match hosts.len().saturating_sub(HOSTS) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
