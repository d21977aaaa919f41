//! `hadeploy deploy RELEASE` and `hadeploy rollback`: the application only, node after node.

use std::path::Path;

use clap::Args;

use super::defaults::Defaults;
use super::environment::Environment;
use super::load::refuse;
use super::options::{BaseArgs, LockArgs, NodeArgs, ProjectArgs, RefusedArgs};
use super::rolling_update::PaceArgs;
use super::run::{self, Work};
use super::usage;
use crate::event::Mode;

/// The variable of the playbooks that names the release.
const VARIABLE: &str = "app_release";
/// Where the playbook stands unless `hadeploy.yml` or `--playbook` say otherwise.
const PLAYBOOK: &str = "playbooks/deploy.yml";

/// Bring a release of the application to all nodes, one after the other
#[derive(Debug, Args)]
#[command(after_help = DEPLOY)]
pub struct DeployArgs {
    /// The release: the playbook gets it as the variable `app_release`
    #[arg(value_name = "RELEASE")]
    release: String,
    #[command(flatten)]
    common: CommonArgs,
}

/// Bring the release before back to all nodes, one after the other
#[derive(Debug, Args)]
#[command(after_help = ROLLBACK)]
pub struct RollbackArgs {
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Debug, Args)]
struct CommonArgs {
    #[command(flatten)]
    base: BaseArgs,
    /// The playbook [default: `deploy_playbook` of hadeploy.yml, or playbooks/deploy.yml]
    #[arg(long, value_name = "FILE", help_heading = "What to work on")]
    playbook: Option<String>,
    /// Set variables: NAME=VALUE, JSON, or @FILE; may be repeated
    #[arg(short, long, value_name = "VARS", help_heading = "What to work on")]
    extra_vars: Vec<String>,
    #[command(flatten)]
    nodes: NodeArgs,
    #[command(flatten)]
    lock: LockArgs,
    #[command(flatten)]
    pace: PaceArgs,
    /// Show the order, and what would change on each node; change nothing
    #[arg(long, help_heading = "How to go from node to node")]
    dry_run: bool,
    /// Ask nothing
    #[arg(long, help_heading = "How to work on nodes")]
    yes: bool,
}

const DEPLOY: &str = "Examples:
  hadeploy deploy v42 -i inventory.yml
  hadeploy deploy v42 --on-failure rollback --yes --lock-timeout 5m

What the playbook marks with `rollout: before` (the upload, static files) is
done on all nodes first, what it marks with `rollout: once` (migrations) on one;
then node after node is taken out of the balancer, changed, proved healthy, and
put back.

Exit status: 0 done, 1 refused before any node was touched, 3 stopped or rolled
back, 4 another run is at work, 130 interrupted.";

const ROLLBACK: &str = "Examples:
  hadeploy rollback -i inventory.yml

The nodes are asked which release they ran before the one that was switched to
last, and all get that one. A deploy that stopped half way is undone so, too.

Exit status: 0 done, 1 refused before any node was touched, 3 stopped,
4 another run is at work, 130 interrupted.";

/// Runs it; gives the exit status.
pub async fn deploy(args: DeployArgs, env: &Environment) -> u8 {
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
    if args.release.starts_with(['.', '-'])
        || !args.release.chars().all(legal)
        || args.release.is_empty()
    {
        return usage(
            &format!("`{}` cannot name a release", args.release),
            "use letters, digits, `.`, `_`, `+` and `-`, such as `v42` or a commit",
        );
    }
    let release = format!("{VARIABLE}={}", args.release);
    work(args.common, Some(release), env).await
}

/// Runs it; gives the exit status.
pub async fn rollback(args: RollbackArgs, env: &Environment) -> u8 {
    work(args.common, None, env).await
}

async fn work(args: CommonArgs, release: Option<String>, env: &Environment) -> u8 {
    let playbook = match &args.playbook {
        Some(playbook) => playbook.clone(),
        None => match Defaults::read(env) {
            Ok((defaults, _)) => defaults
                .deploy_playbook
                .unwrap_or_else(|| PLAYBOOK.to_owned()),
            Err(faults) => return refuse(&faults, &args.base, env),
        },
    };
    if args.playbook.is_none() && !Path::new(&playbook).exists() {
        return usage(
            &format!("there is no playbook `{playbook}`"),
            "name one with `--playbook`, or as `deploy_playbook` in hadeploy.yml",
        );
    }
    let back = release.is_none();
    let mut extra_vars = args.extra_vars;
    match release {
        Some(release) => extra_vars.push(release),
        // What builds or fetches a release knows from this that the nodes have it already.
        None => extra_vars.push("rolling_back=true".to_owned()),
    }
    let work = Work {
        mode: match args.dry_run {
            true => Mode::Plan,
            false => Mode::Rolling,
        },
        project: ProjectArgs {
            playbooks: vec![playbook],
            base: args.base,
            limit: None,
            tags: Vec::new(),
            skip_tags: Vec::new(),
            extra_vars,
            start_at_task: None,
            list_hosts: false,
            list_tasks: false,
            list_tags: false,
            refused: RefusedArgs::default(),
        },
        nodes: args.nodes,
        detailed: false,
        yes: args.yes || args.dry_run,
        lock_timeout: args.lock.lock_timeout,
        rolling: Some(args.pace.rolling(back)),
        clusters: None,
        first: None,
        question: None,
    };
    run::run(work, env).await
}
