//! `hadeploy explain`: who sets a variable of a host, and what it comes to.

use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::defaults::Defaults;
use super::environment::Environment;
use super::hosts::concealed;
use super::load::{ended, load, refuse, warn};
use super::options::{BaseArgs, Output, ProjectArgs};
use super::{command_line, exit, say};
use crate::diagnostic::Diagnostic;
use crate::event::Event;
use crate::inventory::{Host, HostPattern};
use crate::playbook::{Counts, Explained, Found, Setter};
use crate::report;
use crate::secret::Masker;
use crate::template::is_template;
use crate::value::{self, Value};

/// Say who sets a variable of a host, and what it comes to
///
/// Everything that sets it is listed, the strongest first: the extra variables of the
/// command line, what tasks set, the files and variables of plays, and the layers of
/// the inventory. Nothing is connected to.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ExplainArgs {
    /// Which hosts: a name, or a pattern
    #[arg(value_name = "HOST")]
    pattern: String,
    /// Which variable
    #[arg(value_name = "VAR")]
    name: String,
    #[command(flatten)]
    base: BaseArgs,
    /// Count in what this playbook sets; may be repeated [default: `playbook` of
    /// hadeploy.yml, if it names one]
    #[arg(short, long, value_name = "FILE", help_heading = "What to work on")]
    playbook: Vec<String>,
    /// Set variables: NAME=VALUE, JSON, or @FILE; may be repeated
    #[arg(short, long, value_name = "VARS", help_heading = "What to work on")]
    extra_vars: Vec<String>,
}

const EXAMPLES: &str = "Examples:
  hadeploy explain web1 http_port -i inventory.yml
  hadeploy explain web1 http_port -p site.yml -i inventory.yml";

/// Runs it; gives the exit status.
pub fn run(args: ExplainArgs, env: &Environment) -> u8 {
    let base = args.base.clone();
    match explain(args, env) {
        Ok(()) => exit::DONE,
        Err(faults) => refuse(&faults, &base, env),
    }
}

fn explain(args: ExplainArgs, env: &Environment) -> Result<(), Vec<Diagnostic>> {
    let mut playbooks = args.playbook;
    if playbooks.is_empty() {
        playbooks.extend(Defaults::read(env)?.playbook);
    }
    let name = args.name.as_str();
    let project = ProjectArgs {
        playbooks,
        extra_vars: args.extra_vars,
        ..ProjectArgs::without_playbook(args.base)
    };
    let loaded = load(&project, false, env)?;
    warn(&loaded.warnings, &project.base, env);
    let pattern = HostPattern::from_option("HOST", &args.pattern)?;
    let mut found = loaded.project;
    if pattern.names_localhost() {
        found.inventory.add_localhost();
    }
    let hosts = pattern.select(&found.inventory)?.hosts;
    let faults = found.inventory.open(&hosts, &found.keyring);
    if faults.iter().any(Diagnostic::is_error) {
        return Err(faults);
    }
    let found = Arc::new(found);
    let hosts: Vec<&Host> = hosts
        .iter()
        .filter_map(|name| found.inventory.hosts.get(name))
        .collect();
    let told: Vec<(&Host, Vec<Explained>)> = hosts
        .iter()
        .map(|host| (*host, found.explain(&loaded.templates, host, name)))
        .collect();
    if told
        .iter()
        .flat_map(|(_, told)| told)
        .all(|told| told.chain.is_empty())
    {
        let known = hosts
            .iter()
            .flat_map(|host| found.names_of(&loaded.templates, host))
            .collect::<std::collections::BTreeSet<String>>();
        return Err(vec![
            Diagnostic::error(format!("nothing sets `{name}` on `{}`", args.pattern))
                .nearest(name, known.iter().map(String::as_str))
                .help("`hadeploy hosts --vars` shows what the inventory sets; a playbook counts with `-p`"),
        ]);
    }
    let masker = found.keyring.masker();
    match project.base.output {
        Output::Human => {
            let texts: Vec<String> = told
                .iter()
                .flat_map(|(host, told)| told.iter().map(|told| human(host, name, told, masker)))
                .collect();
            say::out(&texts.join("\n"));
        }
        Output::Json => {
            for (host, told) in &told {
                for told in told {
                    say::out(&machine(host, name, told, masker).to_string());
                }
            }
            let end = Event::RunFinished(ended(exit::DONE, "explained".to_owned()));
            say::out(&report::line(&end, None).unwrap_or_default());
        }
    }
    Ok(())
}

/// Characters of a value in the list; the winner stands above it whole.
const SHORT: usize = 40;

fn human(host: &Host, name: &str, told: &Explained, masker: &Masker) -> String {
    let shown = |value: &Value| value_text(name, value, masker);
    let mut text = format!("{name} on {}", host.name);
    if !told.plays.is_empty() {
        let plays: Vec<String> = told.plays.iter().map(|play| format!("`{play}`")).collect();
        let word = if plays.len() == 1 { "play" } else { "plays" };
        text.push_str(&format!(", in the {word} {}", plays.join(", ")));
    }
    text.push_str(&match &told.value {
        Found::Value(value) => format!(": {}\n", shown(value)),
        Found::After(task) => format!(": known only in a run, after `{task}`\n"),
        Found::Fault(why) => format!(": cannot be rendered: {}\n", masker.mask(why)),
        Found::Nothing if told.chain.is_empty() => ": nothing sets it\n".to_owned(),
        Found::Nothing => ": only where a task sets it\n".to_owned(),
    });
    let rows: Vec<(String, String, &Setter)> = told
        .chain
        .iter()
        .map(|setter| {
            let value = setter.value.as_ref().map_or_else(String::new, shown);
            let mut short: String = value
                .lines()
                .next()
                .unwrap_or_default()
                .chars()
                .take(SHORT)
                .collect();
            if short.len() < value.len() {
                short.push('…');
            }
            let when = match setter.when {
                Counts::Always => "",
                Counts::Earlier => ", in an earlier play",
                Counts::Behind => ", from then on",
                Counts::Within => ", only there",
            };
            (short, format!("{}{when}", setter.origin), setter)
        })
        .collect();
    let wide = |texts: &dyn Fn(&(String, String, &Setter)) -> usize| {
        rows.iter().map(texts).max().unwrap_or(0)
    };
    let value = wide(&|row| row.0.chars().count());
    let origin = wide(&|row| row.1.chars().count());
    let winner = told.chain.iter().position(|setter| setter.when.is_steady());
    for (number, (short, who, setter)) in rows.iter().enumerate() {
        let mark = if winner == Some(number) { "→" } else { " " };
        let line = format!("  {mark} {short:<value$}  {who:<origin$}  {}", setter.at);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A value in one line: text as it is, anything else as JSON.
fn value_text(name: &str, value: &Value, masker: &Masker) -> String {
    match concealed(command_line::is_secret(name), value.to_json(), masker) {
        serde_json::Value::String(text) => match text.is_empty() || text.trim() != text {
            true => format!("{text:?}"),
            false => text,
        },
        other => other.to_string(),
    }
}

/// Whether it is a template as it was written.
fn is_written_template(value: &Value) -> bool {
    let unsafe_text = |text: &str| value::as_written(text) != text;
    is_template(value) && !value.as_str().is_some_and(unsafe_text)
}

fn machine(host: &Host, name: &str, told: &Explained, masker: &Masker) -> serde_json::Value {
    let secret = command_line::is_secret(name);
    let json = |value: &Value| concealed(secret, value.to_json(), masker);
    let chain: Vec<serde_json::Value> = told
        .chain
        .iter()
        .map(|setter| {
            json!({
                "origin": setter.origin,
                "at": (!setter.at.is_empty()).then_some(&setter.at),
                "value": setter.value.as_ref().map(json),
                "template": setter.value.as_ref().is_some_and(is_written_template),
                "counts": match setter.when {
                    Counts::Always => "always",
                    Counts::Earlier => "set_earlier",
                    Counts::Behind => "behind_task",
                    Counts::Within => "within_task",
                },
            })
        })
        .collect();
    let plays: Vec<&str> = told.plays.iter().map(AsRef::as_ref).collect();
    let mut line = json!({
        "v": 1,
        "event": "variable",
        "host": host.name.as_str(),
        "name": name,
        "plays": plays,
        "chain": chain,
    });
    match &told.value {
        Found::Value(value) => line["value"] = json(value),
        Found::After(task) => line["known_after"] = task.as_str().into(),
        Found::Fault(why) => line["fault"] = masker.mask(why).into(),
        Found::Nothing => {}
    }
    line
}
