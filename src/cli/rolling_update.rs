//! `hadeploy rolling-update`: node after node, each taken out of the balancer meanwhile.

use clap::{Args, ValueEnum};

use super::environment::Environment;
use super::options::{LockArgs, NodeArgs, ProjectArgs};
use super::run::{self, Work};
use crate::engine::Rolling;
use crate::event::Mode;
use crate::rollout::{OnFailure, Share};

/// Update node after node, each taken out of the load balancer meanwhile
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RollingArgs {
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    nodes: NodeArgs,
    #[command(flatten)]
    lock: LockArgs,
    #[command(flatten)]
    pace: PaceArgs,
    /// Show the order, and what would change on each node; change nothing
    #[arg(long, help_heading = "How to go from node to node")]
    dry_run: bool,
    /// Do not ask whether to go on; what the playbook asks (vars_prompt, pause) it asks all the same
    #[arg(long, help_heading = "How to work on nodes")]
    yes: bool,
}

/// How many nodes at once, and what when one turns out bad. What is left out, the play's `rolling:` says.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "How to go from node to node")]
pub struct PaceArgs {
    /// Work on N nodes at once, or on a share such as 30% [default: 1]
    #[arg(long, value_name = "N", value_parser = Share::parse)]
    batch: Option<Share>,
    /// Let at most N nodes be out at once, those included that were out before [default: 1]
    #[arg(long, value_name = "N", value_parser = Share::parse)]
    max_unavailable: Option<Share>,
    /// When a node turns out bad: stop there, or bring the release before back to all (rollback) [default: stop]
    #[arg(long, value_name = "WHAT", value_enum, hide_possible_values = true)]
    on_failure: Option<WhenBad>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum WhenBad {
    Stop,
    Rollback,
}

impl PaceArgs {
    /// For the engine.
    pub fn rolling(&self, back: bool) -> Rolling {
        Rolling {
            batch: self.batch,
            max_unavailable: self.max_unavailable,
            on_failure: self.on_failure.map(|what| match what {
                WhenBad::Stop => OnFailure::Stop,
                WhenBad::Rollback => OnFailure::Rollback,
            }),
            back,
        }
    }
}

const EXAMPLES: &str = "Examples:
  hadeploy rolling-update playbooks/site.yml -i inventory.yml --dry-run
  hadeploy rolling-update playbooks/site.yml -i inventory.yml --yes
  hadeploy rolling-update playbooks/site.yml -e app_release=v42 --batch 30%

Nodes on which nothing would change stay in service. The same command goes on
after any interruption.

Exit status: 0 done, 1 refused before any node was touched, 3 stopped or rolled
back, 4 another run is at work, 130 interrupted.";

/// Runs it; gives the exit status.
pub async fn run(args: RollingArgs, env: &Environment) -> u8 {
    let mode = match args.dry_run {
        true => Mode::Plan,
        false => Mode::Rolling,
    };
    let work = Work {
        yes: args.yes || args.dry_run,
        lock_timeout: args.lock.lock_timeout,
        rolling: Some(args.pace.rolling(false)),
        ..Work::new(mode, args.project, args.nodes)
    };
    run::run(work, env).await
}
