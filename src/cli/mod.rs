//! The command line: one file per subcommand.

pub mod ansible_cfg;
mod apply;
mod cluster;
mod collections;
mod command_line;
mod command_table;
mod commit;
mod complete;
mod defaults;
mod demo;
mod deploy;
mod doc;
mod doctor;
mod environment;
mod exec;
pub mod exit;
mod explain;
mod facts;
mod history;
mod hosts;
mod init;
mod interrupt;
pub mod lab;
mod listing;
mod load;
mod log;
mod logs;
mod man;
mod means;
mod node;
mod options;
mod outside;
mod panic;
mod pass;
mod passwords;
mod pipeline;
mod plan;
mod promise;
mod prompt;
mod questions;
mod rolling_update;
mod run;
mod run_id;
pub mod runs;
mod say;
mod schema;
mod teller;
mod unlock;
mod validate;
mod vault;
mod visit;
mod watch;
mod words;

use clap::error::ErrorKind;
use clap::{FromArgMatches, Parser, Subcommand};

use environment::Environment;
use options::RefusedArgs;

/// Bring bare Debian nodes, reached only by SSH, to the state that an inventory and a playbook declare
#[derive(Parser)]
#[command(name = "hadeploy", version = command_table::VERSION, max_term_width = 80, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  hadeploy plan playbooks/site.yml -i inventory.yml
  hadeploy apply playbooks/site.yml -i inventory.yml";

#[derive(Subcommand)]
enum Command {
    Init(init::InitArgs),
    Validate(Box<validate::ValidateArgs>),
    Plan(Box<plan::PlanArgs>),
    Apply(Box<apply::ApplyArgs>),
    RollingUpdate(Box<rolling_update::RollingArgs>),
    Deploy(Box<deploy::DeployArgs>),
    Rollback(Box<deploy::RollbackArgs>),
    Status(Box<cluster::StatusArgs>),
    Doctor(Box<doctor::DoctorArgs>),
    Exec(Box<exec::ExecArgs>),
    Facts(Box<facts::FactsArgs>),
    Hosts(hosts::HostsArgs),
    Explain(Box<explain::ExplainArgs>),
    Pg(Box<cluster::PgArgs>),
    Redis(Box<cluster::RedisArgs>),
    Node(Box<node::NodeCommandArgs>),
    Unlock(Box<unlock::UnlockArgs>),
    History(history::HistoryArgs),
    Log(log::LogArgs),
    Vault(Box<vault::VaultCommandArgs>),
    Doc(doc::DocArgs),
    Schema(schema::SchemaArgs),
    Completions(complete::CompletionsArgs),
    Man(man::ManArgs),
    Lab(lab::LabArgs),
    Demo(demo::DemoArgs),
}

/// Runs the command that the words of the process name; gives the exit status.
pub fn main() -> u8 {
    panic::guard(run_command)
}

fn run_command() -> u8 {
    let env = Environment::read();
    if let Some(status) = complete::answer(&env) {
        return status;
    }
    let words = command_table::command().try_get_matches();
    if let Some(status) = words.as_ref().ok().and_then(reports_nothing) {
        return status;
    }
    let arguments = match words.and_then(|words| Arguments::from_arg_matches(&words)) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => exit::DONE,
                _ => exit::REFUSED,
            };
        }
    };
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
        Command::Doc(args) => doc::run(&args, &env),
        Command::Schema(args) => schema::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Doctor(args) => block_on(doctor::run(*args, &env)),
        Command::Completions(args) => complete::run(&args),
        Command::Man(args) => man::run(&args),
        Command::Vault(args) => block_on(vault::run(*args, &env)),
    }
}

/// Runs that are reported task by task.
const REPORTED: &[&str] = &["plan", "apply", "rolling-update", "deploy", "rollback"];

/// Refuses a report of what is no run.
fn reports_nothing(words: &clap::ArgMatches) -> Option<u8> {
    let (name, mut within) = words.subcommand()?;
    while let Some((_, below)) = within.subcommand() {
        within = below;
    }
    let form = within.try_get_one::<options::Form>("output").ok()??;
    if *form != options::Form::Junit || REPORTED.contains(&name) {
        return None;
    }
    Some(usage(
        &format!("`hadeploy {name}` has no tasks to report as JUnit does"),
        "`--output json` writes what it finds for programs",
    ))
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
