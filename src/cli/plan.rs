//! `hadeploy plan`: what an apply would change.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::environment::Environment;
use super::options::{NodeArgs, ProjectArgs};
use super::promise::Promise;
use super::run::{self, Work};
use crate::event::Mode;

/// Show what an apply would change, and write nothing
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PlanArgs {
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    nodes: NodeArgs,
    /// Exit with 2 when changes are pending
    #[arg(long, help_heading = "How to work on nodes")]
    detailed_exitcode: bool,
    /// Save the plan to FILE, for `hadeploy apply --from FILE`
    #[arg(long, value_name = "FILE", help_heading = "How to work on nodes")]
    out: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  hadeploy plan playbooks/site.yml -i inventory.yml
  hadeploy plan playbooks/site.yml -i inventory.yml --limit n1 --tags nginx
  hadeploy plan playbooks/site.yml --detailed-exitcode --output json
  hadeploy plan playbooks/site.yml --out site.plan

At its end it says which units would be restarted or reloaded, and where, which
nodes would restart, and what only an apply knows. A saved plan holds hashes of
what was found and of what is wanted, no secrets, and is readable by you only.

Exit status: 0 nothing wrong, 1 something failed, 2 changes are pending (only
with --detailed-exitcode).";

/// Runs it; gives the exit status.
pub async fn run(args: PlanArgs, env: &Environment) -> u8 {
    let work = Work {
        detailed: args.detailed_exitcode,
        yes: true,
        lock_timeout: Some(Duration::ZERO),
        promise: args.out.map_or(Promise::None, Promise::Out),
        ..Work::new(Mode::Plan, args.project, args.nodes)
    };
    run::run(work, env).await
}
