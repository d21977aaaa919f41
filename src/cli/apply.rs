//! `hadeploy apply`: brings the nodes to the wanted state.

use clap::Args;

use super::environment::Environment;
use super::options::{LockArgs, NodeArgs, ProjectArgs};
use super::run::{self, Work};
use crate::event::Mode;

/// Bring the nodes to the state that the playbook declares
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ApplyArgs {
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    nodes: NodeArgs,
    #[command(flatten)]
    lock: LockArgs,
    /// Ask nothing
    #[arg(long, help_heading = "How to work on nodes")]
    yes: bool,
}

const EXAMPLES: &str = "Examples:
  hadeploy apply playbooks/site.yml -i inventory.yml
  hadeploy apply playbooks/site.yml -i inventory.yml --limit n1 --diff
  hadeploy apply playbooks/site.yml --yes --lock-timeout 5m

Exit status: 0 done, 1 no host came to its tasks, 3 a host failed on the way,
4 another run is at work, 130 interrupted.";

/// Runs it; gives the exit status.
pub async fn run(args: ApplyArgs, env: &Environment) -> u8 {
    let work = Work {
        mode: Mode::Apply,
        project: args.project,
        nodes: args.nodes,
        detailed: false,
        yes: args.yes,
        lock_timeout: args.lock.lock_timeout,
        rolling: None,
        clusters: None,
        look: None,
        unlock: None,
        first: None,
        question: None,
    };
    run::run(work, env).await
}
