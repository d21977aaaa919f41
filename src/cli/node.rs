//! `hadeploy node …`: a node that is lost, or is to go for good.

use std::net::IpAddr;

use clap::{Args, Subcommand};

use super::environment::Environment;
use super::load::Loaded;
use super::options::{CommonArgs, ProjectArgs, UsualPlaybook};
use super::run::{self, Work};
use super::{exit, say};
use crate::cluster::{Goal, Lost};
use crate::diagnostic::{Diagnostic, Severity, nearest};
use crate::event::Mode;

/// Take a lost node out of the clusters, or a new machine in its place
#[derive(Debug, Args)]
pub struct NodeCommandArgs {
    #[command(subcommand)]
    command: NodeCommand,
}

#[derive(Debug, Subcommand)]
enum NodeCommand {
    /// Take a node out of the clusters for good: it is dead, or it is to go
    #[command(after_help = FORGET)]
    Forget(ForgetArgs),
    /// Have a bare machine take the place of one that died
    #[command(after_help = REPLACE)]
    Replace(ReplaceArgs),
}

#[derive(Debug, Args)]
struct ForgetArgs {
    /// The node, as the inventory calls it, or called it
    node: String,
    /// Where it was, when neither the inventory nor repmgr knows it any more
    #[arg(long, value_name = "ADDRESS")]
    address: Option<IpAddr>,
    /// Go on though two nodes or fewer are left: they have no automatic failover
    #[arg(long)]
    allow_no_failover: bool,
    /// Go on though commits that only this node holds are lost
    #[arg(long)]
    accept_data_loss: bool,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Debug, Args)]
struct ReplaceArgs {
    /// The node, as the inventory calls it: by that name the new machine is reached
    node: String,
    #[command(flatten)]
    common: CommonArgs,
}

const FORGET: &str = "Examples:
  hadeploy node forget node3 -i inventory.yml
  hadeploy node forget node3 -i inventory.yml --yes --allow-no-failover
  hadeploy node forget old5 --address 10.0.0.15 -i inventory.yml

A node that answers hands over first: another one becomes primary where it is,
as planned, and its repmgrd, PostgreSQL, pgbouncer, redis and sentinel stop for
good. One that does not answer is taken for dead. Then the others forget it:
its row and slot of repmgr, and what the sentinels know of it. Afterwards take
it out of the inventory and apply the playbook.

Exit status: 0 done, 1 no host came to its tasks, 3 refused or failed on the
way (the last line says what was touched), 4 another run is at work.";

const REPLACE: &str = "Examples:
  hadeploy node replace node3 -i inventory.yml
  hadeploy node replace node3 -i inventory.yml --host-key-checking accept-new

What the clusters know of the dead machine is forgotten; then the playbook is
applied to all hosts, which makes the bare one a member. The new machine has
another SSH host key. A key that has changed is refused: compare it, then take
the old one out of known_hosts by the command that is named.

Exit status: as of `hadeploy apply`.";

/// Runs it; gives the exit status.
pub async fn run(args: NodeCommandArgs, env: &Environment) -> u8 {
    match args.command {
        NodeCommand::Forget(args) => forget(args, env).await,
        NodeCommand::Replace(args) => replace(args, env).await,
    }
}

async fn forget(args: ForgetArgs, env: &Environment) -> u8 {
    let project = match args.common.project(&UsualPlaybook::SITE, env) {
        Ok(project) => project,
        Err(status) => return status,
    };
    let name = args.node.clone();
    let question = format!(
        "{name} leaves the clusters for good. If it answers, another node takes over and its services stop there; if not, it is taken for dead, and must never be started again with the disk it had."
    );
    let lost = Lost {
        name: args.node,
        address: args.address.map(|address| address.to_string()),
        replaced: false,
        few: args.allow_no_failover,
        loss: args.accept_data_loss,
    };
    let next = next_steps(&name, &project.playbooks[0], &project.base.inventory);
    let work = work(
        args.common,
        project,
        Some((None, Goal::Forget(lost))),
        None,
        Some(question),
    );
    let status = run::run(work, env).await;
    if status == exit::DONE {
        say::err(&next);
    }
    status
}

async fn replace(args: ReplaceArgs, env: &Environment) -> u8 {
    let project = match args.common.project(&UsualPlaybook::SITE, env) {
        Ok(project) => project,
        Err(status) => return status,
    };
    let lost = Lost {
        name: args.node,
        replaced: true,
        ..Lost::default()
    };
    let work = work(args.common, project, None, Some(Goal::Forget(lost)), None);
    run::run(work, env).await
}

fn work(
    common: CommonArgs,
    project: ProjectArgs,
    clusters: Option<(Option<&'static str>, Goal)>,
    first: Option<Goal>,
    question: Option<String>,
) -> Work {
    Work {
        yes: common.yes,
        lock_timeout: common.lock.lock_timeout,
        clusters,
        first,
        question,
        ..Work::new(Mode::Apply, project, common.nodes)
    }
}

/// What is left to the operator when a node was forgotten.
fn next_steps(name: &str, playbook: &str, inventories: &[String]) -> String {
    let inventories: String = inventories.iter().map(|it| format!(" -i {it}")).collect();
    format!(
        "\nThe clusters go on without {name}. What is left to do, now:
  1. Take {name} out of the inventory. As long as it stands there, the next apply
     wants it back.
  2. hadeploy apply {playbook}{inventories}
     Access rules, passwords, the standbys that commits wait for, failover and
     routers go by the nodes that are left only then.
  3. Never start the machine again with the disk it had."
    )
}

/// Settles what an order about one node means for the plays, before anything connects: whether there is such a node, and that the plays go on
/// without one that is to be forgotten.
pub fn place(loaded: &mut Loaded, work: &Work) -> Option<Diagnostic> {
    let names: Vec<String> = loaded
        .project
        .inventory
        .hosts
        .keys()
        .map(|name| name.as_str().to_owned())
        .collect();
    let near = |name: &str| nearest(name, names.iter().map(String::as_str)).map(str::to_owned);
    let known = |name: &str| names.iter().any(|host| host == name);
    if let Some(Goal::Forget(lost)) = &work.first
        && !known(&lost.name)
    {
        let meant = near(&lost.name).map_or_else(
            || format!("the inventory has {}", names.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        return Some(
            Diagnostic::error(format!(
                "no host of the inventory is called `{}`",
                lost.name
            ))
            .help(meant),
        );
    }
    let Some((_, Goal::Forget(lost))) = &work.clusters else {
        return None;
    };
    if !known(&lost.name) {
        let meant =
            near(&lost.name).map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
        let mut warning = Diagnostic::error(format!(
            "`{}` is not in the inventory{meant}: it is looked for among the nodes that repmgr knows",
            lost.name
        ));
        warning.severity = Severity::Warning;
        loaded.warnings.push(warning);
    }
    for scheduled in &mut loaded.project.plays {
        scheduled.hosts.retain(|host| host.as_str() != lost.name);
    }
    let plays = &loaded.project.plays;
    plays.iter().all(|play| play.hosts.is_empty()).then(|| {
        Diagnostic::error(format!(
            "{} is the only host of the clusters: nobody is left to go on without it",
            lost.name
        ))
    })
}
