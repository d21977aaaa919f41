//! `hadeploy status`, `hadeploy pg …` and `hadeploy redis …`: the clusters of a playbook, looked at or brought somewhere.

use std::path::Path;

use clap::{Args, Subcommand};

use super::defaults::Defaults;
use super::environment::Environment;
use super::load::refuse;
use super::options::{BaseArgs, LockArgs, NodeArgs, ProjectArgs, RefusedArgs};
use super::run::{self, Work};
use super::usage;
use crate::cluster::Goal;
use crate::event::Mode;

/// Where the playbook stands unless `hadeploy.yml` or `--playbook` say otherwise.
const PLAYBOOK: &str = "playbooks/site.yml";

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

/// What every order to clusters takes.
#[derive(Debug, Args)]
pub struct CommonArgs {
    #[command(flatten)]
    pub base: BaseArgs,
    /// The playbook that describes the clusters [default: `playbook` of hadeploy.yml, or playbooks/site.yml]
    #[arg(long, value_name = "FILE", help_heading = "What to work on")]
    pub playbook: Option<String>,
    /// Set variables: NAME=VALUE, JSON, or @FILE; may be repeated
    #[arg(short, long, value_name = "VARS", help_heading = "What to work on")]
    pub extra_vars: Vec<String>,
    #[command(flatten)]
    pub nodes: NodeArgs,
    #[command(flatten)]
    pub lock: LockArgs,
    /// Ask nothing
    #[arg(long, help_heading = "How to work on nodes")]
    pub yes: bool,
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
    let playbook = match args.playbook(env) {
        Ok(playbook) => playbook,
        Err(status) => return status,
    };
    let looks = goal == Goal::Look;
    let work = Work {
        mode: match looks {
            true => Mode::Plan,
            false => Mode::Apply,
        },
        project: project(playbook, args.base, args.extra_vars),
        nodes: args.nodes,
        detailed: false,
        yes: args.yes || looks,
        lock_timeout: args.lock.lock_timeout,
        rolling: None,
        clusters: Some((kind, goal)),
        first: None,
        question: None,
    };
    run::run(work, env).await
}

impl CommonArgs {
    /// The playbook that describes the clusters.
    ///
    /// # Errors
    /// There is none; it was said, and this is the exit status.
    pub fn playbook(&self, env: &Environment) -> Result<String, u8> {
        if let Some(playbook) = &self.playbook {
            return Ok(playbook.clone());
        }
        let playbook = match Defaults::read(env) {
            Ok((defaults, _)) => defaults.playbook.unwrap_or_else(|| PLAYBOOK.to_owned()),
            Err(faults) => return Err(refuse(&faults, &self.base, env)),
        };
        if !Path::new(&playbook).exists() {
            return Err(usage(
                &format!("there is no playbook `{playbook}`"),
                "name one with `--playbook`, or as `playbook` in hadeploy.yml",
            ));
        }
        Ok(playbook)
    }
}

/// The whole of a playbook.
pub fn project(playbook: String, base: BaseArgs, extra_vars: Vec<String>) -> ProjectArgs {
    ProjectArgs {
        playbooks: vec![playbook],
        base,
        limit: None,
        tags: Vec::new(),
        skip_tags: Vec::new(),
        extra_vars,
        start_at_task: None,
        list_hosts: false,
        list_tasks: false,
        list_tags: false,
        refused: RefusedArgs::default(),
    }
}
