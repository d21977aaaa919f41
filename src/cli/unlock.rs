//! `hadeploy unlock`: who holds the leases of hosts, and those of dead runs given back.

use clap::Args;

use super::defaults::Defaults;
use super::environment::Environment;
use super::hosts::select;
use super::interrupt::Interrupts;
use super::load::{Loaded, refuse, warn};
use super::means::Means;
use super::options::{BaseArgs, NodeArgs, Output, ProjectArgs};
use super::prompt;
use super::run::{self, Work};
use crate::diagnostic::Diagnostic;
use crate::engine::Unlock;
use crate::event::Mode;
use crate::playbook::{Project, includes};
use crate::template::Templates;

/// Say who holds the leases of nodes, and give back those of dead runs
///
/// A run says every ten seconds that it lives. Its lease is given back only after
/// thirty seconds of silence; while one of the runs lives, nothing is touched and the
/// exit status is 4. A later apply takes over such a lease by itself: this is for
/// seeing who holds it, and for a step that a dead run left and that does not end.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct UnlockArgs {
    /// Which hosts: names, groups, globs, `web:!web3`
    #[arg(default_value = "all", hide_default_value = true)]
    pattern: String,
    /// Only leases of the run ID
    #[arg(long, value_name = "ID")]
    run: Option<String>,
    /// End what that run still does on the hosts, with everything it started
    #[arg(long, requires = "run")]
    end_steps: bool,
    #[command(flatten)]
    base: BaseArgs,
    #[command(flatten)]
    nodes: NodeArgs,
}

const EXAMPLES: &str = "Examples:
  hadeploy unlock -i inventory.yml
  hadeploy unlock node2 --run 20261130t094501-6f2c1d --end-steps";

/// Runs it; gives the exit status.
pub async fn run(args: UnlockArgs, env: &Environment) -> u8 {
    let selected = select(&args.pattern, &args.base, env);
    let (inventory, hosts, warnings, keyring) = match selected {
        Ok(selected) => selected,
        Err(faults) => return refuse(&faults, &args.base, env),
    };
    let defaults = match Defaults::read(env) {
        Ok(defaults) => defaults,
        Err(faults) => return refuse(&faults, &args.base, env),
    };
    if args.base.output == Output::Human {
        warn(&warnings, &args.base, env);
    }
    let password = match prompt::become_password(&args.nodes, env) {
        Ok(password) => password,
        Err(fault) => return refuse(&[*fault], &args.base, env),
    };
    let interrupts = match Interrupts::listen() {
        Ok(interrupts) => interrupts,
        Err(error) => {
            let fault = Diagnostic::error(format!("cannot listen for signals: {error}"));
            return refuse(&[fault], &args.base, env);
        }
    };
    let work = Work {
        yes: true,
        unlock: Some(Unlock {
            hosts: hosts.iter().map(|host| host.as_str().to_owned()).collect(),
            run: args.run,
            end_steps: args.end_steps,
        }),
        ..Work::new(
            Mode::Apply,
            ProjectArgs::without_playbook(args.base),
            args.nodes,
        )
    };
    let templates = Templates::with_outside(includes(&[], &keyring), env.outside());
    let loaded = Loaded {
        project: Project::of_hosts(inventory, keyring),
        templates,
        warnings,
        defaults,
        included: Default::default(),
    };
    let means = Means::new(password, &loaded.project, env);
    run::engage(&work, loaded, &means, interrupts, env).await
}
