//! How a cluster is, for people: its members, one a row, and what the next failure would cost.

use std::collections::HashSet;

use super::style::{Ink, Palette};
use super::text;
use crate::cluster::{MemberReport, Report};

/// What a member is called among nodes and the members of all clusters.
pub(super) fn key(report: &Report, member: &str) -> String {
    format!("{}/{member}", report.cluster)
}

/// The table.
pub(super) fn members(
    report: &Report,
    changed: &HashSet<String>,
    columns: usize,
    palette: Palette,
) -> Vec<String> {
    let width = |of: fn(&MemberReport) -> &str| {
        let columns = report
            .members
            .iter()
            .map(|member| text::columns(of(member)));
        columns.max().unwrap_or(0)
    };
    let (name, role) = (width(|member| &member.name), width(|member| &member.role));
    // Why a member does not answer may be long, and stands alone.
    let known = report.members.iter().filter(|it| it.role != "unknown");
    let state = known.map(|it| text::columns(&it.state)).max().unwrap_or(0);
    let lag = |member: &MemberReport| member.lag_bytes.map(bytes).unwrap_or_default();
    let behind = report.members.iter().map(|it| text::columns(&lag(it)));
    let behind = behind.max().unwrap_or(0);
    let row = |member: &MemberReport| {
        let mark = match changed.contains(&key(report, &member.name)) {
            true => "*",
            false => " ",
        };
        let mut line = format!(
            "{mark} {}  {}  {}",
            text::pad(&text::clean(&member.name), name),
            text::pad(&text::clean(&member.role), role),
            text::pad(&text::clean(&member.state), state),
        );
        line.push_str(&format!("  {}", text::pad(&lag(member), behind)));
        for (key, value) in &member.details {
            if let Some(words) = detail(report, key, value) {
                line.push_str(&format!("  {}", text::clean(&words)));
            }
        }
        let line = text::fit(line.trim_end(), columns);
        match member.role.as_str() {
            "unknown" | "-" => palette.paint(Ink::Bad, &line),
            _ => line,
        }
    };
    report.members.iter().map(row).collect()
}

/// The part of a detail that an operator looks for, with names in place of addresses.
fn detail(report: &Report, key: &str, value: &str) -> Option<String> {
    match key {
        "version" => None,
        "sentinel" => {
            let mut parts = value.split(", ");
            let watches = parts.next().unwrap_or_default();
            let quorum = match parts.next() {
                Some("no quorum") => ", no quorum",
                _ => "",
            };
            let primary = report.members.iter().find(|it| it.role == "primary");
            let followed = match (primary, watches.strip_prefix("watches ")) {
                // All agree: who it is stands in the row above or below.
                (Some(primary), Some(_)) if report.healthy => format!("watches {}", primary.name),
                _ => watches.to_owned(),
            };
            Some(format!("sentinel {followed}{quorum}"))
        }
        _ => Some(format!("{key} {value}")),
    }
}

/// The quorum, and what the next failure would cost.
pub(super) fn verdict(report: &Report, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(quorum) = &report.quorum {
        lines.push(format!("quorum: {}", text::clean(&quorum.text)));
    }
    if !report.next_loss.is_empty() {
        lines.push(format!("next failure: {}", text::clean(&report.next_loss)));
    }
    let wrapped = lines.iter().flat_map(|line| text::wrap(line, width - 2, 2));
    wrapped.map(|line| format!("  {line}")).collect()
}

/// How far behind.
fn bytes(lag: u64) -> String {
    match lag {
        0 => "no lag".to_owned(),
        1..=9999 => format!("{lag} B behind"),
        10_000..=9_999_999 => format!("{} kB behind", lag / 1000),
        _ => format!("{} MB behind", lag / 1_000_000),
    }
}
