//! The block below a failure: place, why, the command, its last lines, what to do.

use super::style::{Ink, Palette};
use super::text;
use crate::event::Failure;

/// Lines of output that are shown without `-v`; the last ones, where programs say why.
const OUTPUT_LINES: usize = 12;

/// The indented lines that explain `failure`. `at` is `file:line`, empty for none.
pub(super) fn block(failure: &Failure, at: &str, verbose: bool, palette: Palette) -> Vec<String> {
    let mut lines = Vec::new();
    if !at.is_empty() {
        lines.push(format!("    at {}", text::clean(at)));
    }
    let message = text::clean_lines(&failure.message);
    for (index, line) in message.iter().enumerate() {
        let line = match index {
            0 => format!("error: {line}"),
            _ => format!("       {line}"),
        };
        lines.push(format!("    {}", palette.paint(Ink::Bad, &line)));
    }
    let status = failure.rc.map(|rc| format!("exit status {rc}"));
    match (&failure.command, status) {
        (Some(command), Some(status)) => {
            lines.push(format!("    command: {}  ({status})", text::clean(command)));
        }
        (Some(command), None) => lines.push(format!("    command: {}", text::clean(command))),
        (None, Some(status)) => lines.push(format!("    {status}")),
        (None, None) => {}
    }
    lines.extend(output(&failure.output, verbose, palette));
    if let Some(help) = &failure.help {
        for (index, line) in text::clean_lines(help).iter().enumerate() {
            let head = if index == 0 { "help:" } else { "     " };
            lines.push(format!("    {head} {line}"));
        }
    }
    lines
}

fn output(output: &[String], verbose: bool, palette: Palette) -> Vec<String> {
    let all: Vec<String> = output
        .iter()
        .flat_map(|line| text::clean_lines(line))
        .collect();
    let hidden = match verbose {
        true => 0,
        false => all.len().saturating_sub(OUTPUT_LINES),
    };
    let mut lines = Vec::new();
    if hidden > 0 {
        let note = format!("… {hidden} earlier lines (-v shows them)");
        lines.push(format!("    {}", palette.paint(Ink::Dim, &note)));
    }
    let bar = palette.paint(Ink::Dim, "|");
    lines.extend(
        all[hidden..]
            .iter()
            .map(|line| format!("    {bar} {line}").trim_end().to_owned()),
    );
    lines
}
