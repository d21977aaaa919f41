//! `hadeploy history`: the runs that left a log on this machine.

use clap::Args;
use serde_json::json;

use super::environment::Environment;
use super::load::ended;
use super::options::Output;
use super::runs::{self, Logged};
use super::{exit, say};
use crate::diagnostic::count;
use crate::event::Event;
use crate::report;

/// List the runs of this machine
///
/// Each run that worked on nodes leaves a log, and the last hundred are kept.
/// `hadeploy log RUN` shows one of them again.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct HistoryArgs {
    /// So many of the last ones
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    last: usize,
    #[command(flatten)]
    output: Output,
}

const EXAMPLES: &str = "Examples:
  hadeploy history
  hadeploy log last";

/// Runs it; gives the exit status.
pub fn run(args: &HistoryArgs, env: &Environment) -> u8 {
    let folder = match runs::folder(env) {
        Ok(folder) => folder,
        Err(faults) => return runs::refuse(&faults, args.output, env),
    };
    let paths = match runs::paths(&folder) {
        Ok(paths) => paths,
        Err(fault) => return runs::refuse(&[*fault], args.output, env),
    };
    let first = paths.len().saturating_sub(args.last);
    let logged: Vec<Logged> = paths[first..]
        .iter()
        .map(|path| Logged::read(path))
        .collect();
    match args.output {
        Output::Human if logged.is_empty() => {
            say::out(&format!("no run has left a log in `{}`", folder.display()));
        }
        Output::Human => say::out(&human(&logged)),
        Output::Json => {
            for run in &logged {
                say::out(&machine(run).to_string());
            }
            let end = Event::RunFinished(ended(exit::DONE, "listed".to_owned()));
            say::out(&report::line(&end, None).unwrap_or_default());
        }
    }
    exit::DONE
}

fn human(logged: &[Logged]) -> String {
    let rows: Vec<[String; 6]> = logged
        .iter()
        .map(|run| {
            let changes = match run.changes {
                0 => String::new(),
                changes => changes.to_string(),
            };
            [
                run.id.clone(),
                run.time.replace('T', " "),
                run.mode.clone(),
                run.what.clone(),
                format!("{} {changes:>7}", format_args!("{:>5}", run.hosts)),
                run.result(),
            ]
        })
        .collect();
    let heads = ["run", "when", "mode", "playbook", "hosts changes", "result"];
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([heads[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let line = |cells: &[&str]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    let mut text = line(&heads);
    for row in &rows {
        text.push_str(&line(&row.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    let damaged: usize = logged.iter().map(|run| run.damaged).sum();
    if damaged > 0 {
        let lines = count(damaged, "line");
        text.push_str(&format!("{lines} of these logs could not be read\n"));
    }
    text
}

fn machine(run: &Logged) -> serde_json::Value {
    json!({
        "v": 1,
        "event": "run",
        "run_id": run.id,
        "time": run.time,
        "mode": run.mode,
        "what": run.what,
        "hosts": run.hosts,
        "changes": run.changes,
        "exit_code": run.exit_code,
        "reason": run.reason,
        "elapsed_ms": run.elapsed_ms,
        "damaged_lines": run.damaged,
        "log": run.path.display().to_string(),
    })
}
