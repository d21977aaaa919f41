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
use crate::inventory::{ConnectionVars, Host, HostPattern, Inventory, ListedVar};
use crate::name::GroupName;
use crate::report;
use crate::secret::{MASK, Masker};
use crate::value::{self, Value};
use crate::vault::Keyring;

/// List hosts with their addresses and groups
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct HostsArgs {
    /// Which hosts: names, groups, globs, `web:!web3`, `db[0]`
    #[arg(default_value = "all", hide_default_value = true)]
    pattern: String,
    /// Print the variables of each host, merged, each with the place that sets
    /// it and what it overrides
    #[arg(long)]
    vars: bool,
    /// Draw the groups as a tree: all, or the group that the pattern names
    #[arg(long, conflicts_with = "vars")]
    graph: bool,
    #[command(flatten)]
    base: BaseArgs,
}

const EXAMPLES: &str = "Examples:
  hadeploy hosts -i inventory.yml
  hadeploy hosts 'web:!web3' --vars -i inventory.yml
  hadeploy hosts --graph -i production/";

/// Runs it; gives the exit status.
pub fn run(args: &HostsArgs, env: &Environment) -> u8 {
    let (inventory, hosts, warnings, keyring) = match select(&args.pattern, &args.base, env) {
        Ok(selected) => selected,
        Err(faults) => return refuse(&faults, &args.base, env),
    };
    warn(&warnings, &args.base, env);
    if args.graph {
        return graph(&inventory, args, env);
    }
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

/// The groups below the one that is named.
fn graph(inventory: &Inventory, args: &HostsArgs, env: &Environment) -> u8 {
    let Some(drawn) = inventory.graph(&args.pattern) else {
        let groups = inventory.groups.keys().map(GroupName::as_str);
        let fault = Diagnostic::error(format!("no group is called `{}`", args.pattern))
            .nearest(&args.pattern, groups)
            .help("`--graph` draws one group, with the groups below it");
        return refuse(&[fault], &args.base, env);
    };
    match args.base.output {
        Output::Human => say::out(&drawn),
        Output::Json => {
            for group in inventory.groups.values() {
                let texts = |names: &[crate::name::HostName]| -> Vec<String> {
                    names.iter().map(ToString::to_string).collect()
                };
                let children: Vec<String> =
                    group.children.iter().map(ToString::to_string).collect();
                let line = json!({
                    "v": 1,
                    "event": "group",
                    "group": group.name.as_str(),
                    "hosts": texts(&group.direct),
                    "all_hosts": texts(&group.hosts),
                    "children": children,
                });
                say::out(&line.to_string());
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
    faults.append(&mut masked(
        inventory.open(&matched.hosts, &keyring),
        &keyring,
    ));
    if faults.iter().any(Diagnostic::is_error) {
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

/// The variables as indented YAML, with a comment behind each that says who sets it.
fn yaml(host: &Host, masker: &Masker) -> String {
    let vars = shown(host, masker);
    let texts: Vec<(String, String)> = vars
        .iter()
        .map(|var| {
            let entry = serde_json::Map::from_iter([(var.name.to_string(), var.value.clone())]);
            let text = serde_yaml::to_string(&entry).unwrap_or_default();
            (text, comment(var))
        })
        .collect();
    let first = |text: &str| text.lines().next().unwrap_or_default().chars().count();
    let width = texts.iter().map(|(text, _)| first(text)).max().unwrap_or(0);
    let width = width.min(COMMENT_COLUMN);
    let mut told = String::new();
    for (text, comment) in texts {
        let mut lines = text.lines();
        let head = lines.next().unwrap_or_default();
        told.push_str(&format!("    {head:<width$}  # {comment}\n"));
        for line in lines {
            told.push_str(&format!("    {line}\n"));
        }
    }
    told
}

/// Comments stand in this column, at most.
const COMMENT_COLUMN: usize = 40;
/// Characters of a value that is overridden.
const OVERRIDDEN: usize = 40;

/// Who sets it, and what that overrides.
fn comment(var: &ListedVar) -> String {
    let mut text = format!("{}, {}", var.origin, var.at);
    for (number, under) in var.over.iter().enumerate() {
        let value: String = under.value.to_string();
        let mut short: String = value.chars().take(OVERRIDDEN).collect();
        if short.len() < value.len() {
            short.push('…');
        }
        let word = if number == 0 { "; over" } else { "," };
        text.push_str(&format!("{word} {short} ({}, {})", under.origin, under.at));
    }
    text
}

/// What the inventory sets for a host, in the order of its files; passwords are masked, and what vaults hold.
fn shown(host: &Host, masker: &Masker) -> Vec<ListedVar> {
    let listed = host.list().vars;
    let place = |var: &ListedVar| host.vars.get_index_of(&var.name);
    let mut listed: Vec<ListedVar> = listed
        .into_iter()
        .map(|mut var| {
            let secret = command_line::is_secret(&var.name);
            let over = var.over.iter_mut().map(|under| &mut under.value);
            for value in over.chain([&mut var.value]) {
                *value = concealed(secret, value.take(), masker);
            }
            var
        })
        .collect();
    listed.sort_by_key(place);
    listed
}

/// A value as it may be shown: none of a secret name's text, nothing that vaults hold.
pub(super) fn concealed(
    secret: bool,
    value: serde_json::Value,
    masker: &Masker,
) -> serde_json::Value {
    match secret && value.is_string() {
        true => MASK.into(),
        false => hidden(value, masker),
    }
}

fn hidden(value: serde_json::Value, masker: &Masker) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Json::String(text) => masker.mask(&value::as_written(&text)).into(),
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
        let vars = shown(host, masker);
        let merged = vars
            .iter()
            .map(|var| (var.name.to_string(), var.value.clone()));
        object["vars"] = merged.collect::<serde_json::Map<_, _>>().into();
        let origins = vars.iter().map(|var| {
            let over: Vec<_> = var
                .over
                .iter()
                .map(
                    |under| json!({"origin": &*under.origin, "at": under.at, "value": under.value}),
                )
                .collect();
            let origin = json!({"origin": &*var.origin, "at": var.at, "over": over});
            (var.name.to_string(), origin)
        });
        object["origins"] = origins.collect::<serde_json::Map<_, _>>().into();
    }
    object
}
