//! How a platform is, for people, on one screen of 80 columns: its nodes, its clusters, and what the next failure would cost.

use std::collections::{HashMap, HashSet};

use super::style::{Ink, Palette};
use super::{cluster, text};
use crate::cluster::node::{Pooler, Service};
use crate::cluster::{NodeReport, Report};
use crate::diagnostic::count;

/// The narrowest screen that is filled.
const NARROWEST: usize = 60;
/// What a node may take at most.
const MEMORY_MB: u64 = 1024;
/// Less room than this is named.
const ROOM_MB: u64 = 1024;
/// pgroute looks every two seconds.
const OLD_S: u64 = 30;

/// What was found since the last look ended, and how it was before.
#[derive(Default)]
pub(super) struct Screen {
    nodes: Vec<NodeReport>,
    clusters: Vec<Report>,
    /// What mattered of each node and member at the last look.
    before: HashMap<String, String>,
}

impl Screen {
    /// Takes a node in.
    pub(super) fn node(&mut self, node: &NodeReport) {
        self.nodes.push(node.clone());
    }

    /// Takes a cluster in.
    pub(super) fn cluster(&mut self, cluster: &Report) {
        self.clusters.push(cluster.clone());
    }

    /// Everything that was taken in, and forgets it.
    pub(super) fn lines(&mut self, head: &str, width: usize, palette: Palette) -> Vec<String> {
        let changed = self.changed();
        let (nodes, clusters) = (
            std::mem::take(&mut self.nodes),
            std::mem::take(&mut self.clusters),
        );
        let width = width.max(NARROWEST);
        let mut lines = Vec::new();
        if !nodes.is_empty() {
            let ink = match nodes.iter().all(NodeReport::is_well) {
                true => Ink::Good,
                false => Ink::Bad,
            };
            let summary = format!("nodes: {}", summary(&nodes));
            lines.push(headline(&summary, head, ink, width, palette));
            lines.extend(table(&nodes, &changed, width, palette));
            lines.extend(services(&nodes, width));
        }
        for report in &clusters {
            let head = if lines.is_empty() { head } else { "" };
            let ink = if report.healthy { Ink::Good } else { Ink::Bad };
            let summary = format!("{}: {}", report.cluster, text::clean(&report.summary));
            lines.push(headline(&summary, head, ink, width, palette));
            lines.extend(cluster::members(report, &changed, width, palette));
            lines.extend(cluster::verdict(report, width));
        }
        lines
    }

    /// Which nodes and members are not as they were at the last look; none at the first.
    fn changed(&mut self) -> HashSet<String> {
        let nodes = self.nodes.iter().map(|node| {
            let now = format!(
                "{:?} {:?} {:?} {:?} {:?} {:?}",
                node.unreachable.is_some(),
                node.services,
                node.ready,
                node.drained,
                node.pgbouncer.as_ref().map(|pooler| (
                    &pooler.target,
                    pooler.paused,
                    pooler.disabled
                )),
                node.pgroute.as_ref().map(|route| &route.verdict),
            );
            (node.host.clone(), now)
        });
        let members = self.clusters.iter().flat_map(|report| {
            let now = |member: &crate::cluster::MemberReport| {
                let key = cluster::key(report, &member.name);
                (key, format!("{} {}", member.role, member.state))
            };
            report.members.iter().map(now)
        });
        let now: HashMap<String, String> = nodes.chain(members).collect();
        let differs = |(key, value): (&String, &String)| {
            let before = self.before.get(key)?;
            (before != value).then(|| key.clone())
        };
        let changed = now.iter().filter_map(differs).collect();
        self.before = now;
        changed
    }
}

/// A sentence, and what stands at the right edge where there is room.
fn headline(summary: &str, right: &str, ink: Ink, width: usize, palette: Palette) -> String {
    let room = width.saturating_sub(text::columns(right) + 2);
    if right.is_empty() || text::columns(summary) > room {
        let lines = text::wrap(summary, width, 2);
        let painted: Vec<String> = lines.iter().map(|line| palette.paint(ink, line)).collect();
        return painted.join("\n");
    }
    let gap = " ".repeat(width - text::columns(summary) - text::columns(right));
    format!(
        "{}{gap}{}",
        palette.paint(ink, summary),
        palette.paint(Ink::Dim, right)
    )
}

fn summary(nodes: &[NodeReport]) -> String {
    let names = |which: &dyn Fn(&NodeReport) -> bool| {
        let names: Vec<String> = nodes
            .iter()
            .filter(|node| which(node))
            .map(|node| text::clean(&node.host))
            .collect();
        names.join(", ")
    };
    let lost = names(&|node| node.unreachable.is_some());
    let bad = names(&|node| node.unreachable.is_none() && !node.is_well());
    let mut words = match (lost.is_empty(), bad.is_empty()) {
        (true, true) => format!("all {} well", nodes.len()),
        (true, false) => format!("look at {bad}"),
        (false, true) => format!("{lost} unreachable"),
        (false, false) => format!("{lost} unreachable, look at {bad}"),
    };
    let known: Vec<u64> = nodes.iter().filter_map(|node| node.memory_pss_mb).collect();
    if known.is_empty() {
        return words;
    }
    let heavy = names(&|node| node.memory_pss_mb.is_some_and(|mb| mb >= MEMORY_MB));
    words.push_str(&match heavy.is_empty() {
        true if known.len() < nodes.len() => ", all others under 1 GB of memory".to_owned(),
        true => ", each under 1 GB of memory".to_owned(),
        false => format!(", 1 GB of memory or more on {heavy}"),
    });
    words
}

/// A node a row.
fn table(
    nodes: &[NodeReport],
    changed: &HashSet<String>,
    width: usize,
    palette: Palette,
) -> Vec<String> {
    let first = nodes
        .iter()
        .map(|node| text::columns(&text::clean(&node.host)));
    let first = first.max().unwrap_or(0).clamp(4, 20);
    let head = ["visitors", "services", "memory", "disk free", "pooler"];
    let rows: Vec<[String; 5]> = nodes.iter().map(cells).collect();
    let widths: Vec<usize> = (0..5)
        .map(|column| {
            let rows = rows.iter().map(|row| text::columns(&row[column]));
            rows.chain([head[column].len()]).max().unwrap_or(0)
        })
        .collect();
    let join = |cells: &[String]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| text::pad(cell, *width))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let head = join(&head.map(str::to_owned));
    let head = format!("  {}  {head}", text::pad("node", first));
    let mut lines = vec![palette.paint(Ink::Dim, &text::fit(&head, width))];
    for (node, row) in nodes.iter().zip(&rows) {
        let mark = if changed.contains(&node.host) {
            "*"
        } else {
            " "
        };
        let name = text::pad(&text::fit(&text::clean(&node.host), first), first);
        let (rest, ink) = match &node.unreachable {
            Some(why) => {
                let since = match node.silent_ms / 1000 {
                    0 => String::new(),
                    _ => format!(" for {}", text::duration(node.silent_ms)),
                };
                (
                    format!("unreachable{since}: {}", text::clean(why)),
                    Some(Ink::Bad),
                )
            }
            None => (join(row), (!node.is_well()).then_some(Ink::Changed)),
        };
        let line = text::fit(&format!("{mark} {name}  {rest}"), width);
        lines.push(match ink {
            Some(ink) => palette.paint(ink, &line),
            None => line,
        });
        let bad = troubles(node);
        if !bad.is_empty() {
            let indent = first + 4;
            let wrapped = text::wrap(&bad.join(", "), width - indent, 0);
            let indented = wrapped
                .iter()
                .map(|line| format!("{}{}", " ".repeat(indent), palette.paint(Ink::Bad, line)));
            lines.extend(indented);
        }
    }
    lines
}

fn cells(node: &NodeReport) -> [String; 5] {
    let visitors = match (node.ready, node.drained) {
        (_, true) => "drained",
        (Some(true), _) => "ready",
        (Some(false), _) => "not ready",
        (None, _) => "",
    };
    let active = node.services.iter().filter(|it| it.is_active()).count();
    let services = match node.services.len() - active {
        0 => format!("{active} active"),
        bad => format!("{active} active, {bad} not"),
    };
    let memory = match (node.memory_pss_mb, node.memory_mb) {
        (Some(own), Some(all)) => format!("{own} of {all} MiB"),
        (Some(own), None) => format!("{own} MiB"),
        (None, _) => String::new(),
    };
    let room = match node.disk_free_mb {
        Some(mb) if mb < ROOM_MB => format!("{mb} MiB!"),
        Some(mb) => format!("{}.{} GiB", mb / 1024, mb % 1024 * 10 / 1024),
        None => String::new(),
    };
    [
        visitors.to_owned(),
        services,
        memory,
        room,
        pooler(node).unwrap_or_default(),
    ]
}

/// What does not run, and who cannot pass the pooler.
fn troubles(node: &NodeReport) -> Vec<String> {
    let stopped = node.services.iter().filter(|service| !service.is_active());
    let mut words: Vec<String> = stopped
        .map(|service| format!("{} {}", short(service), text::clean(&service.state)))
        .collect();
    let Some(pooler) = &node.pgbouncer else {
        return words;
    };
    let flags = [(pooler.paused, "paused"), (pooler.disabled, "disabled")];
    for (_, word) in flags.iter().filter(|(is, _)| *is) {
        words.push(format!("pooler {word}"));
    }
    if pooler.waiting > 0 {
        let clients = count(
            usize::try_from(pooler.waiting).unwrap_or(usize::MAX),
            "client",
        );
        words.push(format!("{clients} waiting at the pooler"));
    }
    words
}

/// Where the pooler leads, and what pgroute makes of it.
fn pooler(node: &NodeReport) -> Option<String> {
    let mut words = match &node.pgbouncer {
        Some(pooler) => vec![leads(pooler)],
        None if node.pgroute.is_some() => vec!["no answer".to_owned()],
        None => return None,
    };
    match &node.pgroute {
        Some(route) if route.age_s > OLD_S => {
            words.push(format!("pgroute silent {} s", route.age_s));
        }
        Some(route) => words.push(text::clean(&route.verdict)),
        None => {}
    }
    Some(words.join(", "))
}

fn leads(pooler: &Pooler) -> String {
    let target = match &pooler.node {
        Some(node) => text::clean(node),
        None => text::clean(&pooler.target),
    };
    format!("→ {target}")
}

/// What runs, once for all nodes that have the same.
fn services(nodes: &[NodeReport], width: usize) -> Vec<String> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for node in nodes {
        let active = node.services.iter().filter(|it| it.is_active());
        let active: Vec<String> = active.map(short).collect();
        if active.is_empty() {
            continue;
        }
        let (active, host) = (active.join(" "), text::clean(&node.host));
        match groups.iter_mut().find(|(alike, _)| *alike == active) {
            Some((_, hosts)) => hosts.push(host),
            None => groups.push((active, vec![host])),
        }
    }
    let lines = groups.iter().flat_map(|(active, hosts)| {
        let who = match hosts.len() {
            1..=5 => hosts.join(" "),
            many => format!("{} and {}", hosts[0], count(many - 1, "host")),
        };
        text::wrap(&format!("{who}: {active}"), width - 2, 2)
    });
    lines.map(|line| format!("  {line}")).collect()
}

/// A unit by the name that people use.
fn short(service: &Service) -> String {
    let unit = text::clean(&service.unit);
    match unit.strip_prefix("postgresql@") {
        Some(_) => "postgresql".to_owned(),
        None => unit,
    }
}

#[cfg(test)]
mod tests;
