//! `hadeploy facts`: what is gathered of hosts.

use std::sync::Arc;

use clap::Args;
use globset::{Glob, GlobMatcher};

use super::environment::Environment;
use super::load::refuse;
use super::options::{BaseArgs, NodeArgs};
use super::visit::{self, Order};
use crate::diagnostic::Diagnostic;
use crate::fact::gather;
use crate::playbook::magic;

/// Show the facts of hosts
///
/// They are what a play finds as `ansible_facts`, gathered now. Nothing is written.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct FactsArgs {
    /// Which hosts: names, groups, globs, `web:!web3`
    pattern: String,
    /// Only facts of these names, with or without `ansible_`; globs are good
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    filter: Vec<String>,
    #[command(flatten)]
    base: BaseArgs,
    #[command(flatten)]
    nodes: NodeArgs,
}

const EXAMPLES: &str = "Examples:
  hadeploy facts web1 -i inventory.yml
  hadeploy facts all --filter 'distribution*,memtotal_mb' -i inventory.yml";

/// Runs it; gives the exit status.
pub async fn run(args: FactsArgs, env: &Environment) -> u8 {
    let mut globs = Vec::new();
    for name in &args.filter {
        match glob(name) {
            Ok(glob) => globs.push(glob),
            Err(fault) => return refuse(&[*fault], &args.base, env),
        }
    }
    let takes = move |name: &str| globs.is_empty() || globs.iter().any(|glob| glob.is_match(name));
    let order = Order::Facts(Arc::new(takes));
    visit::run(&args.pattern, args.base, args.nodes, order, env).await
}

/// What a name of the filter stands for. A plain one must be that of a fact.
fn glob(name: &str) -> Result<GlobMatcher, Box<Diagnostic>> {
    let name = name.trim();
    let name = gather::of_variable(name).unwrap_or(name);
    let name = if name == "local" { gather::LOCAL } else { name };
    let plain = !name.contains(['*', '?', '[', '{']);
    if plain && !magic::is_fact(name) {
        return Err(Box::new(
            Diagnostic::error(format!("no fact is called `{name}`"))
                .nearest(name, gather::NAMES.iter().copied())
                .help("`hadeploy facts` without a filter shows all"),
        ));
    }
    match Glob::new(name) {
        Ok(glob) => Ok(glob.compile_matcher()),
        Err(error) => Err(Box::new(
            Diagnostic::error(format!("`{name}` is not a pattern of names"))
                .label(error.kind().to_string()),
        )),
    }
}
