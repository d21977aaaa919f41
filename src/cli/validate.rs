//! `hadeploy validate`: all that is wrong in the files, ssh configurations among them, without connecting.

use clap::Args;

use super::ansible_cfg::Cfg;
use super::environment::Environment;
use super::load::{Loaded, ended, load, masked, refuse, warn};
use super::means::{Means, settings};
use super::options::{NodeArgs, Output, ProjectArgs};
use super::run::Work;
use super::{exit, listing, say};
use crate::diagnostic::{Diagnostic, count};
use crate::engine;
use crate::event::Event;
use crate::report;

/// Check playbook and inventory, and connect to nothing
#[derive(Debug, Args)]
pub struct ValidateArgs {
    #[command(flatten)]
    project: ProjectArgs,
}

/// Runs it; gives the exit status.
pub fn run(args: &ValidateArgs, env: &Environment) -> u8 {
    let args = &args.project;
    if let Some(status) = super::refuse_options(&args.refused) {
        return status;
    }
    let notes = Cfg::find(env, &args.playbooks).map_or(Vec::new(), |cfg| cfg.notes());
    let mut loaded = match load(args, false, env) {
        Ok(loaded) => loaded,
        Err(mut faults) => {
            faults.extend(notes);
            return refuse(&faults, &args.base, env);
        }
    };
    loaded.warnings.extend(notes);
    let lists = args.list_hosts || args.list_tasks || args.list_tags;
    let ways = if lists {
        Vec::new()
    } else {
        ways(args, &loaded, env)
    };
    if ways.iter().any(Diagnostic::is_error) {
        loaded.warnings.extend(ways);
        return refuse(&loaded.warnings, &args.base, env);
    }
    loaded.warnings.extend(ways);
    warn(&loaded.warnings, &args.base, env);
    if listing::show(&loaded.project, args) {
        return exit::DONE;
    }
    let reason = verdict(&loaded);
    match args.base.output {
        Output::Human => say::out(&reason),
        Output::Json => {
            let end = Event::RunFinished(ended(exit::DONE, reason));
            say::out(&report::line(&end, None).unwrap_or_default());
        }
    }
    exit::DONE
}

/// What is wrong with how the hosts are reached: connection variables and ssh configurations, as a run resolves them.
fn ways(args: &ProjectArgs, loaded: &Loaded, env: &Environment) -> Vec<Diagnostic> {
    let work = Work::looking(args.clone(), NodeArgs::default());
    let means = Means::new(None, &loaded.project, env);
    let settings = settings(&work, loaded, &means, String::new(), env);
    let ways = engine::ways(&loaded.project, &loaded.templates, &settings);
    masked(ways, &loaded.project.keyring)
}

fn verdict(loaded: &Loaded) -> String {
    let plays = &loaded.project.plays;
    let tasks = plays
        .iter()
        .map(|scheduled| scheduled.play.tasks_and_handlers().count())
        .sum();
    let complaints = match loaded.warnings.len() {
        0 => "nothing to complain about".to_owned(),
        warnings => count(warnings, "warning"),
    };
    format!(
        "{}, {}: {complaints}",
        count(plays.len(), "play"),
        count(tasks, "task")
    )
}
