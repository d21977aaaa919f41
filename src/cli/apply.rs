//! `hadeploy apply`: brings the nodes to the wanted state.

use std::path::PathBuf;

use clap::Args;

use super::environment::Environment;
use super::load::refuse;
use super::options::{LockArgs, NodeArgs, ProjectArgs};
use super::promise::{self, Promise};
use super::run::{self, Work};
use crate::event::Mode;

/// Bring the nodes to the state that the playbook declares
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[command(mut_arg("playbooks", |playbooks| playbooks.required(false).required_unless_present("from")))]
pub struct ApplyArgs {
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    nodes: NodeArgs,
    #[command(flatten)]
    lock: LockArgs,
    /// Do not ask whether to go on; what the playbook asks (vars_prompt, pause) it asks all the same
    #[arg(long, help_heading = "How to work on nodes")]
    yes: bool,
    /// Do what the plan in FILE says, and nothing else
    #[arg(long, value_name = "FILE", help_heading = "What to work on")]
    from: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  hadeploy apply playbooks/site.yml -i inventory.yml
  hadeploy apply playbooks/site.yml -i inventory.yml --limit n1 --diff
  hadeploy apply playbooks/site.yml --yes --lock-timeout 5m
  hadeploy apply --from site.plan

On a terminal it first shows what would change, with restarts and reloads, and
asks. With --from everything is compared with the plan anew: when anything has
moved, on a node or in the files, it says what and changes nothing (exit status
1). What moves later stops its host before that task writes.

Exit status: 0 done, 1 no host came to its tasks, 3 a host failed on the way,
4 another run is at work, 130 interrupted.";

/// Runs it; gives the exit status.
pub async fn run(args: ApplyArgs, env: &Environment) -> u8 {
    let mut project = args.project;
    let promise = match args.from.map(|file| promise::take(&file, &mut project)) {
        None => Promise::None,
        Some(Ok(promise)) => promise,
        Some(Err(fault)) => return refuse(&[*fault], &project.base, env),
    };
    let work = Work {
        yes: args.yes,
        lock_timeout: args.lock.lock_timeout,
        promise,
        ..Work::new(Mode::Apply, project, args.nodes)
    };
    run::run(work, env).await
}
