//! `hadeploy exec`: a command on some hosts at once.

use clap::Args;

use super::environment::Environment;
use super::options::{BaseArgs, LockArgs, NodeArgs};
use super::visit::{self, Order};
use crate::command::quote;

/// Run a command on hosts, all at once
///
/// One word is for the shell: `hadeploy exec web -- 'ps aux | grep nginx'`. Several
/// are the command and its arguments, which no shell takes apart again. It runs as
/// the login user, or as root with `-b`, and has no input.
///
/// A command may change anything, so it holds the leases of its hosts as an apply
/// does: while another run has one of them, nothing is started and the exit status
/// is 4. `--no-lease` is for looking while an apply runs.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ExecArgs {
    /// Which hosts: names, groups, globs, `web:!web3`
    pattern: String,
    /// The command
    #[arg(last = true, required = true, value_name = "COMMAND")]
    words: Vec<String>,
    #[command(flatten)]
    base: BaseArgs,
    #[command(flatten)]
    nodes: NodeArgs,
    #[command(flatten)]
    lock: LockArgs,
    /// Take no lease, and do not mind who holds it
    #[arg(
        long,
        conflicts_with = "lock_timeout",
        help_heading = "How to work on nodes"
    )]
    no_lease: bool,
}

const EXAMPLES: &str = "Examples:
  hadeploy exec web -i inventory.yml -- uptime
  hadeploy exec all -b -i inventory.yml -- systemctl is-active nginx
  hadeploy exec db --no-lease -i inventory.yml -- 'df -h / | tail -1'";

/// Runs it; gives the exit status.
pub async fn run(args: ExecArgs, env: &Environment) -> u8 {
    let command = match args.words.as_slice() {
        [one] => one.clone(),
        words => {
            let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
            quoted.join(" ")
        }
    };
    let order = Order::Exec(command, !args.no_lease, args.lock.lock_timeout);
    visit::run(&args.pattern, args.base, args.nodes, order, env).await
}
