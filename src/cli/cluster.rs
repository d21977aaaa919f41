//! `hadeploy status`, `hadeploy pg …` and `hadeploy redis …`: the clusters of a playbook, looked at or brought somewhere.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::environment::Environment;
use super::options::{CommonArgs, UsualPlaybook};
use super::run::{self, Work};
use crate::cluster::Goal;
use crate::engine::Look;
use crate::event::Mode;

/// Show how nodes and clusters are, and what the next failure would cost
#[derive(Debug, Args)]
#[command(after_help = STATUS)]
pub struct StatusArgs {
    #[command(flatten)]
    common: CommonArgs,
    #[command(flatten)]
    watch: WatchArgs,
}

/// How often it is looked.
#[derive(Debug, Args)]
struct WatchArgs {
    /// Look again every so many seconds, until Ctrl-C [default: 2]
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2", value_parser = clap::value_parser!(u64).range(1..=3600), help_heading = "What to show")]
    watch: Option<u64>,
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
        #[command(flatten)]
        watch: WatchArgs,
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
        #[command(flatten)]
        watch: WatchArgs,
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
  hadeploy status -i inventory.yml --watch
  hadeploy status -i inventory.yml --output json

Nothing is changed, and no lease is taken. Of each node: its services, whether
it takes visitors, the memory of all its processes together (PSS), the room on
its fullest file system, and where its pgbouncer leads. Of each cluster: roles,
lag, the quorum, and what the next failure would cost. With --watch, `*` marks
what changed since the look before; a node that is lost is found again.

With --output json each look is one `node_status` a node, one `cluster_status`
a cluster, and `looked`.

Exit status: 0 everything was looked at, 1 a node could not be reached,
130 ended by Ctrl-C, as --watch always is.";

/// Runs it; gives the exit status.
pub async fn status(args: StatusArgs, env: &Environment) -> u8 {
    look(args.common, None, &args.watch, env).await
}

/// Runs it; gives the exit status.
pub async fn pg(args: PgArgs, env: &Environment) -> u8 {
    const KIND: &str = "postgres_cluster";
    let (common, goal) = match args.command {
        PgCommand::Status { common, watch } => return look(common, Some(KIND), &watch, env).await,
        PgCommand::Switchover { to, common } => (common, Goal::Switchover(to)),
        PgCommand::Rejoin { node, common } => (common, Goal::Rejoin(node)),
        PgCommand::Repair { common } => (common, Goal::Repair),
    };
    work(common, Some((Some(KIND), goal)), None, env).await
}

/// Runs it; gives the exit status.
pub async fn redis(args: RedisArgs, env: &Environment) -> u8 {
    const KIND: &str = "redis_cluster";
    let (common, goal) = match args.command {
        RedisCommand::Status { common, watch } => {
            return look(common, Some(KIND), &watch, env).await;
        }
        RedisCommand::Failover { to, common } => (common, Goal::Switchover(to)),
    };
    work(common, Some((Some(KIND), goal)), None, env).await
}

async fn look(
    common: CommonArgs,
    kind: Option<&'static str>,
    watch: &WatchArgs,
    env: &Environment,
) -> u8 {
    let every = watch.watch.map(Duration::from_secs);
    work(common, None, Some(Look { kind, every }), env).await
}

async fn work(
    args: CommonArgs,
    clusters: Option<(Option<&'static str>, Goal)>,
    look: Option<Look>,
    env: &Environment,
) -> u8 {
    let project = match args.project(&UsualPlaybook::SITE, env) {
        Ok(project) => project,
        Err(status) => return status,
    };
    let mode = match look {
        Some(_) => Mode::Plan,
        None => Mode::Apply,
    };
    let work = Work {
        yes: args.yes || look.is_some(),
        lock_timeout: args.lock.lock_timeout,
        clusters,
        look,
        ..Work::new(mode, project, args.nodes)
    };
    run::run(work, env).await
}
