//! How a cluster is, for people: its members, one a row, and what the next failure would cost.

use super::style::{Ink, Palette};
use super::text;
use crate::cluster::{MemberReport, Report};

/// The table and its verdict.
pub(super) fn lines(report: &Report, palette: Palette) -> Vec<String> {
    let ink = if report.healthy { Ink::Good } else { Ink::Bad };
    let head = format!("{}: {}", report.cluster, text::clean(&report.summary));
    let mut lines = vec![palette.paint(ink, &head)];
    let width = |of: fn(&MemberReport) -> &str| {
        let columns = report
            .members
            .iter()
            .map(|member| text::columns(of(member)));
        columns.max().unwrap_or(0)
    };
    let (name, role) = (width(|member| &member.name), width(|member| &member.role));
    let state = width(|member| &member.state).min(40);
    for member in &report.members {
        let mut line = format!(
            "  {}  {}  {}",
            text::pad(&text::clean(&member.name), name),
            text::pad(&text::clean(&member.role), role),
            text::pad(&text::clean(&member.state), state),
        );
        if let Some(lag) = member.lag_bytes {
            line.push_str(&format!("  {}", bytes(lag)));
        }
        for (key, value) in &member.details {
            line.push_str(&format!("  {key} {}", text::clean(value)));
        }
        lines.push(line.trim_end().to_owned());
    }
    if !report.next_loss.is_empty() {
        lines.push(format!(
            "  next failure: {}",
            text::clean(&report.next_loss)
        ));
    }
    lines
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
