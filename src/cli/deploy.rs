//! `hadeploy deploy RELEASE` and `hadeploy rollback`: the application only, node after node.

use clap::Args;

use super::environment::Environment;
use super::options::{CommonArgs, UsualPlaybook};
use super::rolling_update::PaceArgs;
use super::run::{self, Work};
use super::usage;
use crate::event::Mode;
use crate::rollout::RELEASE_VARIABLE;

/// Stands for the release until the nodes have said which one they ran before: nothing is done on a node with it.
const NOT_KNOWN_YET: &str = "the-release-before";
/// The playbook of releases.
const PLAYBOOK: UsualPlaybook = UsualPlaybook {
    key: "deploy_playbook",
    named: |defaults| defaults.deploy_playbook,
    path: "playbooks/deploy.yml",
};

/// Bring a release of the application to all nodes, one after the other
#[derive(Debug, Args)]
#[command(after_help = DEPLOY)]
pub struct DeployArgs {
    /// The release: the playbook gets it as the variable `app_release`
    #[arg(value_name = "RELEASE")]
    release: String,
    #[command(flatten)]
    shared: ReleaseArgs,
}

/// Bring the release before back to all nodes, one after the other
#[derive(Debug, Args)]
#[command(after_help = ROLLBACK)]
pub struct RollbackArgs {
    #[command(flatten)]
    shared: ReleaseArgs,
}

/// What both take.
#[derive(Debug, Args)]
#[command(mut_arg("playbook", |playbook| playbook.help(
    "The playbook [default: `deploy_playbook` of hadeploy.yml, or playbooks/deploy.yml]"
)))]
struct ReleaseArgs {
    #[command(flatten)]
    common: CommonArgs,
    #[command(flatten)]
    pace: PaceArgs,
    /// Show the order, and what would change on each node; change nothing
    #[arg(long, help_heading = "How to go from node to node")]
    dry_run: bool,
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
last, and all get that one. A deploy that stopped half way is undone so, too; a
way back that stopped or failed is gone on with. A second one goes further back,
never to a release that was left.

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
    let release = format!("{RELEASE_VARIABLE}={}", args.release);
    work(args.shared, Some(release), env).await
}

/// Runs it; gives the exit status.
pub async fn rollback(args: RollbackArgs, env: &Environment) -> u8 {
    work(args.shared, None, env).await
}

async fn work(args: ReleaseArgs, release: Option<String>, env: &Environment) -> u8 {
    let common = args.common;
    let mut project = match common.project(&PLAYBOOK, env) {
        Ok(project) => project,
        Err(status) => return status,
    };
    let back = release.is_none();
    match release {
        Some(release) => project.extra_vars.push(release),
        None => {
            let stand_in = format!("{RELEASE_VARIABLE}={NOT_KNOWN_YET}");
            // What builds or fetches a release knows from this that the nodes have it already.
            let back = "rolling_back=true".to_owned();
            project.extra_vars.extend([stand_in, back]);
        }
    }
    let mode = match args.dry_run {
        true => Mode::Plan,
        false => Mode::Rolling,
    };
    let work = Work {
        yes: common.yes || args.dry_run,
        lock_timeout: common.lock.lock_timeout,
        rolling: Some(args.pace.rolling(back)),
        ..Work::new(mode, project, common.nodes)
    };
    run::run(work, env).await
}
