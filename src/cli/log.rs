//! `hadeploy log`: a run shown again, as it was seen.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value as Json;

use super::environment::Environment;
use super::options::Output;
use super::{exit, runs, say};
use crate::diagnostic::{Diagnostic, count};
use crate::event::{Event, Mode};
use crate::report::{Plain, Replayed, ReportOptions, Reporter, replay};
use crate::resource::KINDS;

/// Show a run again, as it was seen
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct LogArgs {
    /// Which run: its name, the beginning of it, or `last`
    #[arg(value_name = "RUN", default_value = "last")]
    run: String,
    /// Only what is about the host NAME; may be repeated
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// Show also what was as wanted
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(flatten)]
    output: Output,
}

const EXAMPLES: &str = "Examples:
  hadeploy log
  hadeploy log 20261130t0945 --host web1 -v";

/// Runs it; gives the exit status, which is not that of the run.
pub fn run(args: &LogArgs, env: &Environment) -> u8 {
    let found = runs::folder(env).and_then(|folder| {
        let paths = runs::paths(&folder).map_err(|fault| vec![*fault])?;
        let path = find(&paths, &args.run, &folder).map_err(|fault| vec![*fault])?;
        let lines = runs::lines(&path).map_err(|error| {
            let shown = path.display();
            vec![Diagnostic::error(format!(
                "cannot read the log `{shown}`: {error}"
            ))]
        })?;
        known_hosts(&lines, &args.host).map_err(|fault| vec![*fault])?;
        Ok((path, lines))
    });
    match found {
        Ok((path, lines)) => {
            match args.output {
                Output::Human => human(&path, &lines, args, env),
                Output::Json => machine(&lines, args),
            }
            exit::DONE
        }
        Err(faults) => runs::refuse(&faults, args.output, env),
    }
}

/// The log of the run of that name.
fn find(paths: &[PathBuf], name: &str, folder: &Path) -> Result<PathBuf, Box<Diagnostic>> {
    if name == "last" {
        let last = paths.last().cloned();
        return last.ok_or_else(|| {
            Box::new(
                Diagnostic::error(format!("no run has left a log in `{}`", folder.display()))
                    .help("a run that works on nodes leaves one"),
            )
        });
    }
    let begin: Vec<&PathBuf> = paths
        .iter()
        .filter(|path| runs::run_of(path).starts_with(name))
        .collect();
    match begin.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(Box::new(
            Diagnostic::error(format!("no run is called `{name}`"))
                .nearest(name, paths.iter().map(|path| runs::run_of(path)))
                .help("`hadeploy history` lists them; the last hundred are kept"),
        )),
        several => {
            if let Some(whole) = several.iter().find(|path| runs::run_of(path) == name) {
                return Ok((*whole).clone());
            }
            let names = several.iter().map(|path| runs::run_of(path));
            Err(Box::new(
                Diagnostic::error(format!(
                    "{} begin with `{name}`: {}",
                    count(several.len(), "run"),
                    crate::diagnostic::list(names)
                ))
                .help("write more of the name"),
            ))
        }
    }
}

/// Each host that is asked for must be one of the run.
fn known_hosts(lines: &[String], wanted: &[String]) -> Result<(), Box<Diagnostic>> {
    let started = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Json>(line).ok())
        .find(|json| json["event"] == "run_started");
    let Some(started) = started else {
        return Ok(());
    };
    let hosts: Vec<&str> = started["hosts"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .collect();
    for name in wanted {
        if !hosts.contains(&name.as_str()) {
            return Err(Box::new(
                Diagnostic::error(format!("the run had no host `{name}`"))
                    .nearest(name, hosts.iter().copied())
                    .help(format!("its hosts were {}", crate::diagnostic::list(hosts))),
            ));
        }
    }
    Ok(())
}

/// Whether a line is about one of the hosts, or about none.
fn is_about(json: &Json, hosts: &[String]) -> bool {
    hosts.is_empty()
        || json["host"]
            .as_str()
            .is_none_or(|host| hosts.iter().any(|it| it == host))
}

fn human(path: &Path, lines: &[String], args: &LogArgs, env: &Environment) {
    let mut reporter: Option<Plain> = None;
    let (mut damaged, mut ended) = (0, false);
    for line in lines {
        let Ok(json) = serde_json::from_str::<Json>(line) else {
            damaged += 1;
            continue;
        };
        if !is_about(&json, &args.host) {
            continue;
        }
        let mut event = match replay(line, &kind) {
            Replayed::Event(event) => *event,
            Replayed::Passed => continue,
            Replayed::Damaged => {
                damaged += 1;
                continue;
            }
        };
        match &mut event {
            Event::RunStarted {
                mode,
                run_id,
                playbook,
                ..
            } => {
                let time = json["time"].as_str().unwrap_or_default();
                let of = match playbook.is_empty() {
                    true => String::new(),
                    false => format!(" of {playbook}"),
                };
                say::out(&format!("run {run_id}: {}{of}, {time}", mode.word()));
                // An unlock has no playbook, and ends in a sentence like a command.
                let sentence = *mode == Mode::Exec || playbook.is_empty();
                reporter = Some(begin(args, sentence, env));
            }
            Event::RunFinished(recap) if !args.host.is_empty() => {
                recap
                    .hosts
                    .retain(|host, _| args.host.iter().any(|it| **it == **host));
                ended = true;
            }
            Event::RunFinished(_) => ended = true,
            _ => {}
        }
        reporter
            .get_or_insert_with(|| begin(args, false, env))
            .event(&event);
    }
    if let Some(mut reporter) = reporter {
        reporter.finish();
    }
    if !ended {
        say::out("the log has no end: the run goes on, or was killed");
    }
    if damaged > 0 {
        let lines = count(damaged, "line");
        say::err(&format!(
            "warning: {lines} of `{}` could not be read",
            path.display()
        ));
    }
}

fn begin(args: &LogArgs, sentence: bool, env: &Environment) -> Plain {
    let default = ReportOptions::default();
    let options = ReportOptions {
        verbosity: args.verbose,
        // What has a diff was seen with it.
        diff: true,
        colour: env.shows && !env.colourless,
        width: env.columns.unwrap_or(default.width),
        sentence,
        ..default
    };
    Plain::new(options, Box::new(io::stdout()))
}

/// The lasting name of a kind; one that is gone has none.
fn kind(name: &str) -> &'static str {
    let found = KINDS.iter().find(|kind| kind.name == name);
    found.map_or("", |kind| kind.name)
}

/// The lines as they are, but for those that cannot be read.
fn machine(lines: &[String], args: &LogArgs) {
    for line in lines {
        let Ok(json) = serde_json::from_str::<Json>(line) else {
            continue;
        };
        if json["event"].is_string() && is_about(&json, &args.host) {
            say::out(line);
        }
    }
}
