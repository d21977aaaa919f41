//! `hadeploy doctor`: is this machine ready for a run, and are the nodes? It only looks, also at nodes that cannot be reached or that let nobody in.

mod controller;
mod disk;
mod finding;
mod node;
mod script;
mod way;

use std::sync::Arc;

use anstyle::{AnsiColor, Style};
use clap::Args;
use serde_json::json;
use tokio::sync::mpsc;

use self::finding::{Finding, Level};
use super::defaults::Defaults;
use super::environment::Environment;
use super::hosts::select;
use super::load::{Loaded, ended, refuse, warn};
use super::means::{Means, settings};
use super::options::{BaseArgs, NodeArgs, Output, ProjectArgs};
use super::run::Work;
use super::{exit, prompt, run_id, say};
use crate::diagnostic::count;
use crate::engine::visit::{Visited, visit};
use crate::event::Event;
use crate::inventory::{ConnectionVars, Inventory};
use crate::name::HostName;
use crate::playbook::{Project, includes};
use crate::report;
use crate::template::Templates;
use crate::value::Value;

/// Check this machine and the nodes: the way in, sudo, clock, disk, packages, ports
///
/// Each check is one line: ok, warn or bad, and what cures it. Nothing is written anywhere. The exit status is 1 when something is bad.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DoctorArgs {
    /// Which hosts: names, groups, globs, `web:!web3`
    #[arg(default_value = "all", hide_default_value = true)]
    pattern: String,
    #[command(flatten)]
    base: BaseArgs,
    #[command(flatten)]
    nodes: NodeArgs,
}

const EXAMPLES: &str = "Examples:
  hadeploy doctor -i inventory.yml
  hadeploy doctor web -i inventory.yml -K
  hadeploy doctor --output json";

/// Runs it; gives the exit status.
pub async fn run(args: DoctorArgs, env: &Environment) -> u8 {
    let selected = select(&args.pattern, &args.base, env);
    let (inventory, hosts, warnings, keyring) = match selected {
        Ok(selected) => selected,
        Err(faults) => return refuse(&faults, &args.base, env),
    };
    let defaults = match Defaults::read(env) {
        Ok(defaults) => defaults,
        Err(faults) => return refuse(&faults, &args.base, env),
    };
    warn(&warnings, &args.base, env);
    let password = match prompt::become_password(&args.nodes, env) {
        Ok(password) => password,
        Err(fault) => return refuse(&[*fault], &args.base, env),
    };
    let named = keys(&inventory, &hosts, &args.nodes, &defaults, env);
    let base = args.base.clone();
    let work = Work::looking(ProjectArgs::without_playbook(args.base), args.nodes);
    let templates = Templates::with_includes(includes(&[], &keyring));
    let loaded = Loaded {
        project: Project::of_hosts(inventory, keyring),
        templates,
        warnings: Vec::new(),
        defaults,
        included: Default::default(),
    };
    let means = Means::new(password, &loaded.project, env);
    let mut settings = settings(
        &work,
        &loaded,
        &means,
        run_id::run_id(jiff::Timestamp::now()),
        env,
    );
    settings.host_keys.only_look = true;
    let mut told = Told::new(&base, env);
    let logs = loaded.defaults.logs.as_deref();
    told.about(
        None,
        &controller::findings(env, &named, settings.forks, logs),
    );
    let (send, mut receive) = mpsc::unbounded_channel::<Visited>();
    let going = visit(
        &loaded.project,
        &loaded.templates,
        means.reach.clone(),
        settings,
        &hosts,
        Arc::new(script::text),
        send,
    );
    let telling = async {
        let mut waiting: Vec<Visited> = Vec::new();
        let mut order = hosts.iter();
        let mut next = order.next();
        // They are told of in the order of the inventory, each as soon as it is its turn.
        while let Some(visited) = receive.recv().await {
            waiting.push(visited);
            while let Some(at) =
                next.and_then(|next| waiting.iter().position(|it| it.host == next.as_str()))
            {
                let visited = waiting.swap_remove(at);
                told.about(Some(&visited), &node::findings(&visited));
                next = order.next();
            }
        }
    };
    let (went, ()) = tokio::join!(going, telling);
    match went {
        Ok(()) => told.end(),
        Err(faults) => refuse(&faults, &base, env),
    }
}

/// Key files that are named for the hosts or on the command line.
fn keys(
    inventory: &Inventory,
    hosts: &[HostName],
    nodes: &NodeArgs,
    defaults: &Defaults,
    env: &Environment,
) -> Vec<std::path::PathBuf> {
    let given = nodes.private_key.as_ref().map(|path| env.expand(path));
    let mut keys: Vec<_> = given
        .or_else(|| defaults.private_key.clone())
        .into_iter()
        .collect();
    for host in hosts.iter().filter_map(|name| inventory.hosts.get(name)) {
        let vars = ConnectionVars::of(&host.vars);
        let written = vars.get("identity_file").and_then(Value::as_str);
        // A template is rendered only for its host; the way to that host tells of it.
        keys.extend(
            written
                .filter(|text| !text.contains("{{"))
                .map(|text| env.expand(text.as_ref())),
        );
    }
    keys.sort();
    keys.dedup();
    keys
}

/// Tells findings, and counts them.
struct Told {
    output: Output,
    colour: bool,
    counts: [usize; 3],
}

impl Told {
    fn new(base: &BaseArgs, env: &Environment) -> Told {
        Told {
            output: base.output,
            colour: env.shows && !env.colourless,
            counts: [0; 3],
        }
    }

    /// What was found of a host; of this machine when there is none.
    fn about(&mut self, visited: Option<&Visited>, findings: &[Finding]) {
        for finding in findings {
            self.counts[finding.level as usize] += 1;
        }
        if self.output == Output::Json {
            for finding in findings {
                let mut line =
                    json!({ "v": 1, "event": "check", "host": visited.map(|it| &it.host) });
                if let (Some(line), Ok(serde_json::Value::Object(mut more))) =
                    (line.as_object_mut(), serde_json::to_value(finding))
                {
                    line.append(&mut more);
                }
                say::out(&line.to_string());
            }
            return;
        }
        let head = match visited {
            None => "this machine".to_owned(),
            Some(it) if it.is_here || it.host == it.address => it.host.clone(),
            Some(it) => format!("{} ({})", it.host, it.address),
        };
        say::out(&self.paint(Style::new().bold(), &head));
        for finding in findings {
            say::out(&self.line(finding));
        }
    }

    fn line(&self, finding: &Finding) -> String {
        let style = match finding.level {
            Level::Ok => AnsiColor::Green.on_default(),
            Level::Warn => AnsiColor::Yellow.on_default(),
            Level::Bad => AnsiColor::Red.on_default().bold(),
        };
        let word = self.paint(style, &format!("{:<4}", finding.level.word()));
        let cure = match &finding.cure {
            Some(cure) => format!("  →  {cure}"),
            None => String::new(),
        };
        format!("  {word}  {:<12} {}{cure}", finding.check, finding.said)
    }

    fn paint(&self, style: Style, text: &str) -> String {
        match self.colour {
            true => format!("{style}{text}{style:#}"),
            false => text.to_owned(),
        }
    }

    /// Says how it ended; gives the exit status.
    fn end(self) -> u8 {
        let [ok, warn, bad] = self.counts;
        let code = match bad {
            0 => exit::DONE,
            _ => exit::REFUSED,
        };
        let reason = format!(
            "{} well, {} to look at, {} bad",
            count(ok, "check"),
            warn,
            bad
        );
        match self.output {
            Output::Human => say::out(&reason),
            Output::Json => {
                let end = Event::RunFinished(ended(code, reason));
                say::out(&report::line(&end, None).unwrap_or_default());
            }
        }
        code
    }
}
