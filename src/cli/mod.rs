//! The command line: one file per subcommand.

mod apply;
mod cluster;
mod command_line;
mod commit;
mod defaults;
mod demo;
mod deploy;
mod duration;
mod environment;
mod exec;
pub mod exit;
mod explain;
mod facts;
mod history;
mod hosts;
mod interrupt;
pub mod lab;
mod listing;
mod load;
mod log;
mod logs;
mod means;
mod node;
mod options;
mod panic;
mod pass;
mod passwords;
mod plan;
mod promise;
mod prompt;
mod rolling_update;
mod run;
mod run_id;
mod runs;
mod say;
mod teller;
mod unlock;
mod validate;
mod vault;
mod visit;
mod watch;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};

use environment::Environment;
use options::RefusedArgs;

/// Bring bare Debian nodes, reached only by SSH, to the state that an inventory and a playbook declare
#[derive(Parser)]
#[command(name = "hadeploy", version, max_term_width = 80, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  hadeploy plan playbooks/site.yml -i inventory.yml
  hadeploy apply playbooks/site.yml -i inventory.yml";

#[derive(Subcommand)]
enum Command {
    Plan(Box<plan::PlanArgs>),
    Apply(Box<apply::ApplyArgs>),
    RollingUpdate(Box<rolling_update::RollingArgs>),
    Deploy(Box<deploy::DeployArgs>),
    Rollback(Box<deploy::RollbackArgs>),
    Status(Box<cluster::StatusArgs>),
    Pg(Box<cluster::PgArgs>),
    Redis(Box<cluster::RedisArgs>),
    Node(Box<node::NodeCommandArgs>),
    Unlock(Box<unlock::UnlockArgs>),
    Validate(Box<validate::ValidateArgs>),
    Hosts(hosts::HostsArgs),
    Explain(Box<explain::ExplainArgs>),
    History(history::HistoryArgs),
    Log(log::LogArgs),
    Vault(Box<vault::VaultCommandArgs>),
    Lab(lab::LabArgs),
    Demo(demo::DemoArgs),
    Facts(Box<facts::FactsArgs>),
    Exec(Box<exec::ExecArgs>),
    #[command(hide = true)]
    Doc(Later),
}

/// What comes in a later release takes any words, so that it is refused by its name.
#[derive(Args)]
struct Later {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    words: Vec<OsString>,
}

/// Runs the command that the words of the process name; gives the exit status.
pub fn main() -> u8 {
    panic::guard(run_command)
}

fn run_command() -> u8 {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => exit::DONE,
                _ => exit::REFUSED,
            };
        }
    };
    let env = Environment::read();
    match arguments.command {
        Command::Plan(args) => block_on(plan::run(*args, &env)),
        Command::Apply(args) => block_on(apply::run(*args, &env)),
        Command::RollingUpdate(args) => block_on(rolling_update::run(*args, &env)),
        Command::Deploy(args) => block_on(deploy::deploy(*args, &env)),
        Command::Rollback(args) => block_on(deploy::rollback(*args, &env)),
        Command::Status(args) => block_on(cluster::status(*args, &env)),
        Command::Pg(args) => block_on(cluster::pg(*args, &env)),
        Command::Redis(args) => block_on(cluster::redis(*args, &env)),
        Command::Node(args) => block_on(node::run(*args, &env)),
        Command::Unlock(args) => block_on(unlock::run(*args, &env)),
        Command::Validate(args) => validate::run(&args, &env),
        Command::Hosts(args) => hosts::run(&args, &env),
        Command::Explain(args) => explain::run(*args, &env),
        Command::History(args) => history::run(&args, &env),
        Command::Log(args) => log::run(&args, &env),
        Command::Lab(args) => block_on(lab(args)),
        Command::Demo(args) => block_on(demo::run(args)),
        Command::Facts(args) => block_on(facts::run(*args, &env)),
        Command::Exec(args) => block_on(exec::run(*args, &env)),
        Command::Doc(later) => later.refuse("doc"),
        Command::Vault(args) => block_on(vault::run(*args, &env)),
    }
}

impl Later {
    fn refuse(self, name: &str) -> u8 {
        drop(self.words);
        usage(
            &format!("`hadeploy {name}` comes in a later release"),
            "`hadeploy --help` lists what there is",
        )
    }
}

/// Says which option is refused; none when all are known.
fn refuse_options(refused: &RefusedArgs) -> Option<u8> {
    let (message, help) = refused.first()?;
    Some(usage(&message, help))
}

fn usage(message: &str, help: &str) -> u8 {
    say::err(&format!("error: {message}\nhelp: {help}"));
    exit::REFUSED
}

async fn lab(args: lab::LabArgs) -> u8 {
    match lab::run(args).await {
        Ok(status) => u8::try_from(status).unwrap_or(exit::REFUSED),
        Err(error) => {
            say::err(&format!("error: {error:#}"));
            exit::REFUSED
        }
    }
}

/// Runs to the end; what still runs then, such as a question that nobody answers, is left behind.
fn block_on(command: impl Future<Output = u8>) -> u8 {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            return usage(
                &format!("cannot start: {error}"),
                "check the limits on threads and open files (`ulimit -a`)",
            );
        }
    };
    let status = runtime.block_on(command);
    runtime.shutdown_background();
    status
}
