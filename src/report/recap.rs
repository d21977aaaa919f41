//! The end of a run: a table of the hosts, and what was done in one line.

use std::sync::Arc;

use super::ReportOptions;
use super::style::{Ink, Palette};
use super::text;
use crate::diagnostic::count;
use crate::event::{Mode, Recap, Tally};

/// Tables up to this many rows name every host.
const ROWS: usize = 20;
/// In longer tables, as many hosts with the same good counts share a row.
const ALIKE: usize = 3;

/// The table and the last lines.
pub(super) fn lines(
    recap: &Recap,
    mode: Mode,
    log: Option<&str>,
    options: &ReportOptions,
) -> Vec<String> {
    let palette = Palette::new(options.colour);
    let mut lines = Vec::new();
    if !recap.hosts.is_empty() {
        lines.extend(table(recap, mode, options, palette));
        lines.push(String::new());
    }
    if !recap.rollout.is_empty() {
        lines.extend(super::rollout::table(&recap.rollout, palette));
        lines.push(String::new());
    }
    if mode == Mode::Plan {
        let impact = super::impact::lines(&recap.impact, palette);
        if !impact.is_empty() {
            lines.extend(impact);
            lines.push(String::new());
        }
    }
    let (ink, last) = verdict(recap, mode, options.next_command.as_deref());
    lines.push(palette.paint(ink, &last));
    if let Some(log) = log.filter(|_| recap.exit_code != 0 && recap.exit_code != 2) {
        lines.push(format!("full log: {}", text::clean(log)));
    }
    lines
}

/// The end of looks at the platform, which told everything themselves: why they ended otherwise than well.
pub(super) fn looked(recap: &Recap, palette: Palette) -> Vec<String> {
    match recap.exit_code {
        0 | 130 => Vec::new(),
        _ => vec![palette.paint(Ink::Bad, &format!("failed: {}", text::clean(&recap.reason)))],
    }
}

/// The end of what counts nothing: its reason.
pub(super) fn sentence(recap: &Recap, palette: Palette) -> String {
    let reason = text::clean(&recap.reason);
    match (recap.exit_code, recap.touched) {
        (0, _) => palette.paint(Ink::Good, &reason),
        (_, true) => palette.paint(Ink::Bad, &format!("failed: {reason}")),
        (_, false) => palette.paint(Ink::Bad, &format!("failed: {reason}; nothing was touched")),
    }
}

/// A column: its head, what it counts, and whether it stands there without a count.
struct Column {
    head: &'static str,
    get: fn(&Tally) -> u32,
    always: bool,
    ink: Ink,
}

fn all_columns(mode: Mode, verbose: bool) -> Vec<Column> {
    let column = |head, get, always, ink| Column {
        head,
        get,
        always,
        ink,
    };
    let changed = match mode {
        Mode::Plan => "would change",
        Mode::Apply | Mode::Rolling | Mode::Exec => "changed",
    };
    let mut columns = vec![
        column("ok", |tally| tally.ok, true, Ink::Good),
        column(changed, |tally| tally.changed, true, Ink::Changed),
        column("skipped", |tally| tally.skipped, false, Ink::Dim),
        column("unknown", |tally| tally.unknown, false, Ink::Unknown),
        column("rescued", |tally| tally.rescued, false, Ink::Changed),
        column("ignored", |tally| tally.ignored, false, Ink::Changed),
        column("failed", |tally| tally.failed, true, Ink::Bad),
        column("unreachable", |tally| tally.unreachable, false, Ink::Bad),
    ];
    if verbose {
        columns.push(column("scripts", |tally| tally.round_trips, true, Ink::Dim));
    }
    columns
}

fn table(recap: &Recap, mode: Mode, options: &ReportOptions, palette: Palette) -> Vec<String> {
    let columns: Vec<Column> = all_columns(mode, options.verbosity > 0)
        .into_iter()
        .filter(|column| column.always || recap.hosts.values().any(|tally| (column.get)(tally) > 0))
        .collect();
    let rows = rows(recap, options.verbosity > 0);
    let first = rows
        .iter()
        .map(|(name, _)| text::columns(name))
        .chain([4])
        .max()
        .unwrap_or(4);
    let mut head = text::pad("host", first);
    for column in &columns {
        head.push_str("  ");
        head.push_str(column.head);
    }
    let mut lines = vec![palette.paint(Ink::Heading, &head)];
    for (name, tally) in rows {
        let mut line = text::pad(&name, first);
        for column in &columns {
            let number = (column.get)(&tally);
            let cell = format!("{number:>width$}", width = column.head.len());
            let cell = match number {
                0 => cell,
                _ => palette.paint(column.ink, &cell),
            };
            line.push_str("  ");
            line.push_str(&cell);
        }
        lines.push(line);
    }
    lines
}

/// Names and counts. In a long table, hosts that went well with the same counts share the row of the first of them.
fn rows(recap: &Recap, verbose: bool) -> Vec<(String, Tally)> {
    let every = |(host, tally): (&Arc<str>, &Tally)| (text::clean(host), *tally);
    if verbose || recap.hosts.len() <= ROWS {
        return recap.hosts.iter().map(every).collect();
    }
    let mut groups: Vec<(Tally, Vec<&Arc<str>>)> = Vec::new();
    for (host, tally) in &recap.hosts {
        let counts = Tally {
            round_trips: 0,
            streams: 0,
            ..*tally
        };
        match groups.iter_mut().find(|(alike, _)| *alike == counts) {
            Some((_, hosts)) if went_well(tally) => hosts.push(host),
            _ => groups.push((counts, vec![host])),
        }
    }
    let mut rows = Vec::new();
    for (tally, hosts) in groups {
        if hosts.len() > ALIKE {
            let label = format!(
                "{} and {} like it",
                text::clean(hosts[0]),
                count(hosts.len() - 1, "host")
            );
            rows.push((label, tally));
        } else {
            rows.extend(hosts.iter().map(|host| (text::clean(host), tally)));
        }
    }
    rows
}

fn went_well(tally: &Tally) -> bool {
    tally.failed == 0 && tally.unreachable == 0
}

/// What was done, how long it took, and how to go on.
fn verdict(recap: &Recap, mode: Mode, next: Option<&str>) -> (Ink, String) {
    let time = text::duration(recap.elapsed_ms);
    let hosts = recap.hosts.len();
    let sum = |get: fn(&Tally) -> u32| recap.hosts.values().map(|tally| get(tally) as usize).sum();
    let changed: usize = sum(|tally| tally.changed);
    let unknown: usize = sum(|tally| tally.unknown);
    let moved = recap
        .hosts
        .values()
        .filter(|tally| tally.changed > 0 || tally.unknown > 0)
        .count();
    let place = format!("on {moved} of {}", count(hosts, "host"));
    let then = |word: &str| next.map_or(String::new(), |next| format!("; {word} with `{next}`"));

    if !matches!(recap.exit_code, 0 | 2) {
        let word = if recap.exit_code == 130 {
            "interrupted"
        } else {
            "failed"
        };
        let reason = match text::clean(&recap.reason) {
            reason if reason.is_empty() && recap.exit_code != 130 => {
                format!(": exit status {}", recap.exit_code)
            }
            reason if reason.is_empty() || reason == word => String::new(),
            reason => format!(": {reason}"),
        };
        let done = match (mode, recap.touched) {
            (Mode::Plan, _) | (_, false) => "nothing was touched".to_owned(),
            (Mode::Apply | Mode::Rolling | Mode::Exec, true) => {
                format!("{} made {place}", count(changed, "change"))
            }
        };
        let on = match mode {
            Mode::Apply | Mode::Rolling | Mode::Exec => then("go on"),
            Mode::Plan => String::new(),
        };
        return (Ink::Bad, format!("{word}{reason}; {done} ({time}){on}"));
    }
    match mode {
        _ if changed + unknown == 0 => (
            Ink::Good,
            format!("nothing to change on {} ({time})", count(hosts, "host")),
        ),
        Mode::Plan => {
            let open = match unknown {
                0 => String::new(),
                _ => format!(", {unknown} of them known only in an apply"),
            };
            let pending = count(changed + unknown, "change");
            let on = then("apply");
            (
                Ink::Changed,
                format!("{pending} pending {place}{open} ({time}){on}"),
            )
        }
        Mode::Apply | Mode::Rolling | Mode::Exec => (
            Ink::Good,
            format!("done: {} made {place} ({time})", count(changed, "change")),
        ),
    }
}
