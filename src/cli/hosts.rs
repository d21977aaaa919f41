//! `hadeploy hosts`: what the inventory holds.

use clap::Args;
use serde_json::json;

use super::defaults::Defaults;
use super::environment::Environment;
use super::load::{ended, masked, refuse, warn};
use super::options::{BaseArgs, Output};
use super::{command_line, exit, passwords, say};
use crate::diagnostic::Diagnostic;
use crate::event::Event;
use crate::inventory::{ConnectionVars, Host, HostPattern, Inventory};
use crate::name::GroupName;
use crate::report;
use crate::secret::{MASK, Masker};
use crate::value::Value;
use crate::vault::Keyring;

/// List hosts with their addresses and groups
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct HostsArgs {
    /// Which hosts: names, groups, globs, `web:!web3`, `db[0]`
    #[arg(default_value = "all", hide_default_value = true)]
    pattern: String,
    /// Print the variables of each host, merged
    #[arg(long)]
    vars: bool,
    #[command(flatten)]
    base: BaseArgs,
}

const EXAMPLES: &str = "Examples:
  hadeploy hosts -i inventory.yml
  hadeploy hosts 'web:!web3' --vars -i inventory.yml";

/// Runs it; gives the exit status.
pub fn run(args: &HostsArgs, env: &Environment) -> u8 {
    let (inventory, hosts, warnings, keyring) = match select(&args.pattern, &args.base, env) {
        Ok(selected) => selected,
        Err(faults) => return refuse(&faults, &args.base, env),
    };
    warn(&warnings, &args.base, env);
    let hosts: Vec<&Host> = hosts
        .iter()
        .filter_map(|name| inventory.hosts.get(name))
        .collect();
    match args.base.output {
        Output::Human => say::out(&human(&hosts, args.vars, keyring.masker())),
        Output::Json => {
            for host in hosts {
                say::out(&machine(host, args.vars, keyring.masker()).to_string());
            }
            let end = Event::RunFinished(ended(exit::DONE, "listed".to_owned()));
            say::out(&report::line(&end, None).unwrap_or_default());
        }
    }
    exit::DONE
}

type Selected = (
    Inventory,
    Vec<crate::name::HostName>,
    Vec<Diagnostic>,
    Keyring,
);

/// The inventory, the hosts of it that `pattern` selects, at least one, and warnings.
pub(super) fn select(
    pattern: &str,
    base: &BaseArgs,
    env: &Environment,
) -> Result<Selected, Vec<Diagnostic>> {
    let defaults = Defaults::read(env)?;
    let mut faults = Vec::new();
    let keyring = passwords::keyring(&base.vault, &defaults, env)?;
    let text = pattern;
    let pattern = HostPattern::from_option("PATTERN", pattern)?;
    let inventories = defaults.inventories(&base.inventory);
    if inventories.is_empty() && !pattern.names_localhost() {
        faults.push(
            Diagnostic::error("no inventory is given")
                .help("name one with `-i`, or set `inventory` in hadeploy.yml"),
        );
        return Err(faults);
    }
    let (mut inventory, found) = Inventory::load(&inventories, &[], &keyring);
    faults.append(&mut masked(found, &keyring));
    if faults.iter().any(Diagnostic::is_error) {
        return Err(faults);
    }
    if pattern.names_localhost() {
        inventory.add_localhost();
    }
    let matched = pattern.select(&inventory)?;
    if matched.hosts.is_empty() {
        faults.push(
            Diagnostic::error(format!("`{}` selects no host", text))
                .help("`hadeploy hosts` without a pattern lists all"),
        );
        return Err(faults);
    }
    Ok((inventory, matched.hosts, faults, keyring))
}

/// The address as written, which may be a template.
fn address(host: &Host) -> String {
    let vars = ConnectionVars::of(&host.vars);
    let written = vars.get("address").and_then(Value::as_str);
    written.unwrap_or(host.name.as_str()).to_owned()
}

fn human(hosts: &[&Host], with_vars: bool, masker: &Masker) -> String {
    let width =
        |texts: &dyn Fn(&Host) -> usize| hosts.iter().map(|host| texts(host)).max().unwrap_or(0);
    let name = width(&|host| host.name.as_str().chars().count());
    let place = width(&|host| address(host).chars().count());
    let mut text = String::new();
    for host in hosts {
        let groups: Vec<&str> = host.groups.iter().map(GroupName::as_str).collect();
        let line = format!(
            "{:<name$}  {:<place$}  {}",
            host.name.as_str(),
            address(host),
            groups.join(", ")
        );
        text.push_str(line.trim_end());
        text.push('\n');
        if with_vars {
            text.push_str(&yaml(host, masker));
        }
    }
    text
}

/// The variables as indented YAML.
fn yaml(host: &Host, masker: &Masker) -> String {
    let vars = vars(host, masker);
    if vars.as_object().is_none_or(serde_json::Map::is_empty) {
        return String::new();
    }
    let text = serde_yaml::to_string(&vars).unwrap_or_default();
    text.lines().map(|line| format!("    {line}\n")).collect()
}

/// What the inventory sets for a host; passwords are masked, and what vaults hold.
fn vars(host: &Host, masker: &Masker) -> serde_json::Value {
    host.vars
        .iter()
        .map(|(name, entry)| {
            let value = match command_line::is_secret(name) && entry.value.as_str().is_some() {
                true => MASK.into(),
                false => hidden(entry.value.to_json(), masker),
            };
            (name.to_string(), value)
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn hidden(value: serde_json::Value, masker: &Masker) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Json::String(text) => masker.mask(&text).into(),
        Json::Number(number) => match masker.mask(&number.to_string()) {
            std::borrow::Cow::Owned(masked) => masked.into(),
            std::borrow::Cow::Borrowed(_) => Json::Number(number),
        },
        Json::Array(items) => items.into_iter().map(|item| hidden(item, masker)).collect(),
        Json::Object(map) => map
            .into_iter()
            .map(|(key, item)| (key, hidden(item, masker)))
            .collect(),
        other => other,
    }
}

fn machine(host: &Host, with_vars: bool, masker: &Masker) -> serde_json::Value {
    let groups: Vec<&str> = host.groups.iter().map(GroupName::as_str).collect();
    let mut object = json!({
        "v": 1,
        "event": "host",
        "host": host.name.as_str(),
        "address": address(host),
        "groups": groups,
    });
    if with_vars {
        object["vars"] = vars(host, masker);
    }
    object
}
