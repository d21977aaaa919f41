//! `hadeploy status`, `hadeploy pg …` and `hadeploy redis …`: the clusters of a playbook, looked at or brought somewhere.

use clap::{Args, Subcommand};

use super::environment::Environment;
use super::options::{CommonArgs, UsualPlaybook};
use super::run::{self, Work};
use crate::cluster::Goal;
use crate::event::Mode;

/// Show how the clusters are, and what the next failure would cost
#[derive(Debug, Args)]
#[command(after_help = STATUS)]
pub struct StatusArgs {
    #[command(flatten)]
    common: CommonArgs,
}

/// Look after the PostgreSQL cluster
#[derive(Debug, Args)]
pub struct PgArgs {
    #[command(subcommand)]
    command: PgCommand,
}

#[derive(Debug, Subcommand)]
enum PgCommand {
    /// Show roles, lag and quorum
    Status {
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Make another node the primary, as planned: no acknowledged write is lost
    Switchover {
        /// The node that becomes primary [default: the standby that is furthest]
        #[arg(long, value_name = "NODE")]
        to: Option<String>,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Bring a node back as a standby, even where its data have to be copied anew
    Rejoin {
        /// The node
        node: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Mend what a plain apply leaves to you
    Repair {
        #[command(flatten)]
        common: CommonArgs,
    },
}

/// Look after the redis cluster
#[derive(Debug, Args)]
pub struct RedisArgs {
    #[command(subcommand)]
    command: RedisCommand,
}

#[derive(Debug, Subcommand)]
enum RedisCommand {
    /// Show roles, lag and quorum
    Status {
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Make another node the primary, as planned: no acknowledged write is lost
    Failover {
        /// The node that becomes primary [default: the sentinels choose]
        #[arg(long, value_name = "NODE")]
        to: Option<String>,
        #[command(flatten)]
        common: CommonArgs,
    },
}

const STATUS: &str = "Examples:
  hadeploy status -i inventory.yml
  hadeploy status -i inventory.yml --output json

Nothing is changed. Exit status: 0 every cluster was looked at, 1 a node could
not be reached.";

/// Runs it; gives the exit status.
pub async fn status(args: StatusArgs, env: &Environment) -> u8 {
    work(args.common, None, Goal::Look, env).await
}

/// Runs it; gives the exit status.
pub async fn pg(args: PgArgs, env: &Environment) -> u8 {
    let (common, goal) = match args.command {
        PgCommand::Status { common } => (common, Goal::Look),
        PgCommand::Switchover { to, common } => (common, Goal::Switchover(to)),
        PgCommand::Rejoin { node, common } => (common, Goal::Rejoin(node)),
        PgCommand::Repair { common } => (common, Goal::Repair),
    };
    work(common, Some("postgres_cluster"), goal, env).await
}

/// Runs it; gives the exit status.
pub async fn redis(args: RedisArgs, env: &Environment) -> u8 {
    let (common, goal) = match args.command {
        RedisCommand::Status { common } => (common, Goal::Look),
        RedisCommand::Failover { to, common } => (common, Goal::Switchover(to)),
    };
    work(common, Some("redis_cluster"), goal, env).await
}

async fn work(args: CommonArgs, kind: Option<&'static str>, goal: Goal, env: &Environment) -> u8 {
    let project = match args.project(&UsualPlaybook::SITE, env) {
        Ok(project) => project,
        Err(status) => return status,
    };
    let looks = goal == Goal::Look;
    let work = Work {
        mode: match looks {
            true => Mode::Plan,
            false => Mode::Apply,
        },
        project,
        nodes: args.nodes,
        detailed: false,
        yes: args.yes || looks,
        lock_timeout: args.lock.lock_timeout,
        rolling: None,
        clusters: Some((kind, goal)),
    };
    run::run(work, env).await
}
