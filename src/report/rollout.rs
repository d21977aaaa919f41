//! A rolling update for people: a line for each state of a node, and a table of its parts.

use super::style::{Ink, Palette};
use super::text;
use crate::event::NodeRecap;

/// How a state is told.
pub(super) fn word(state: &str) -> &str {
    match state {
        "in_service" => "in service",
        other => other,
    }
}

/// Good news, bad news, or neither.
pub(super) fn ink(state: &str) -> Ink {
    match state {
        "attached" | "in_service" => Ink::Good,
        "out" | "lost" => Ink::Bad,
        _ => Ink::Changed,
    }
}

/// One row for each node: how long each part took, and how it stands.
pub(super) fn table(nodes: &[NodeRecap], palette: Palette) -> Vec<String> {
    let first = nodes
        .iter()
        .map(|node| text::columns(&text::clean(&node.host)))
        .chain([4])
        .max()
        .unwrap_or(4);
    let head = format!(
        "{}  {:>8}  {:>8}  {:>8}  state",
        text::pad("node", first),
        "drain",
        "update",
        "check"
    );
    let mut lines = vec![palette.paint(Ink::Heading, &head)];
    for node in nodes {
        let time = |ms: u64| match ms {
            0 => "-".to_owned(),
            ms => text::duration(ms),
        };
        let mut state = palette.paint(ink(node.state), word(node.state));
        if node.stayed > 0 {
            state.push_str(&format!(" ({} connections stayed)", node.stayed));
        }
        if !node.switchovers.is_empty() {
            let moved = node.switchovers.join(", ");
            state.push_str(&format!(" (switched over first: {})", text::clean(&moved)));
        }
        if let Some(trouble) = &node.trouble {
            state.push_str(&format!(": {}", text::clean(trouble)));
        }
        lines.push(format!(
            "{}  {:>8}  {:>8}  {:>8}  {state}",
            text::pad(&text::clean(&node.host), first),
            time(node.drain_ms),
            time(node.update_ms),
            time(node.check_ms),
        ));
    }
    lines
}
