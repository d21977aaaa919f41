//! What `exec` and `facts` share: hosts without a playbook, and a run on them.

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::defaults::Defaults;
use super::environment::Environment;
use super::hosts::select;
use super::interrupt::Interrupts;
use super::load::{Loaded, refuse, warn};
use super::means::{Means, settings};
use super::options::{BaseArgs, NodeArgs, Output, ProjectArgs};
use super::run::{Work, attend, journal, reporters};
use super::teller::Teller;
use super::{logs, prompt, run_id};
use crate::diagnostic::Diagnostic;
use crate::engine::{self, Exec, Facts, Origin};
use crate::event::Mode;
use crate::playbook::{Project, includes};
use crate::template::Templates;

/// What is done on the hosts.
pub enum Order {
    /// A command; how long another run's lease is waited for.
    Exec(String, bool, Option<std::time::Duration>),
    /// Their facts, by those names.
    Facts(std::sync::Arc<dyn Fn(&str) -> bool + Send + Sync>),
}

/// Does it; gives the exit status.
pub async fn run(
    pattern: &str,
    base: BaseArgs,
    nodes: NodeArgs,
    order: Order,
    env: &Environment,
) -> u8 {
    let (inventory, hosts, warnings, keyring) = match select(pattern, &base, env) {
        Ok(selected) => selected,
        Err(faults) => return refuse(&faults, &base, env),
    };
    let defaults = match Defaults::read(env) {
        Ok(defaults) => defaults,
        Err(faults) => return refuse(&faults, &base, env),
    };
    if base.output == Output::Human {
        warn(&warnings, &base, env);
    }
    let password = match prompt::become_password(&nodes, env) {
        Ok(password) => password,
        Err(fault) => return refuse(&[*fault], &base, env),
    };
    let mut interrupts = match Interrupts::listen() {
        Ok(interrupts) => interrupts,
        Err(error) => {
            let fault = Diagnostic::error(format!("cannot listen for signals: {error}"));
            return refuse(&[fault], &base, env);
        }
    };
    let (mode, lock_timeout) = match &order {
        Order::Exec(_, _, timeout) => (Mode::Exec, *timeout),
        Order::Facts(_) => (Mode::Plan, None),
    };
    let work = Work {
        yes: true,
        lock_timeout,
        ..Work::new(mode, ProjectArgs::without_playbook(base), nodes)
    };
    let loaded = Loaded {
        templates: Templates::with_includes(includes(&[], &keyring)),
        project: Project::of_hosts(inventory, keyring),
        warnings,
        defaults,
        included: Default::default(),
    };
    let means = Means::new(password, &loaded.project, env);
    let id = run_id::run_id(Timestamp::now());
    let (mut reporters, bars) = reporters(&work, mode, false, env);
    let mut notes = Vec::new();
    let mut log = None;
    // A look leaves no log.
    if mode == Mode::Exec {
        match journal(&loaded, &id, env) {
            Ok(journal) => {
                log = Some(journal.path().display().to_string());
                reporters.0.push(Box::new(journal));
            }
            Err(why) => notes.push(why),
        }
    }
    if let Err(why) = logs::start(work.project.base.verbose, env, bars.clone()) {
        notes.push(why);
    }
    let mut settings = settings(&work, &loaded, &means, id, env);
    settings.log = log;
    settings.origin = Origin {
        pipeline: env.pipeline.clone(),
        ..Origin::default()
    };
    let teller = Teller::start(mode, false, reporters, None);
    let events = teller.events();
    teller.begin(
        notes,
        loaded.warnings,
        work.project.base.output == Output::Json,
    );
    let interrupt = CancellationToken::new();
    let visit = engine::Visit {
        project: loaded.project,
        templates: loaded.templates,
        reach: means.reach.clone(),
        settings,
        masker: means.masker.clone(),
        events,
        interrupt: interrupt.clone(),
    };
    let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    let running = match order {
        Order::Exec(command, lease, _) => tokio::spawn(engine::exec(
            visit,
            Exec {
                hosts,
                command,
                lease,
            },
        )),
        Order::Facts(takes) => tokio::spawn(engine::facts(visit, Facts { hosts, takes })),
    };
    // What runs is ended, not finished: the end says so.
    attend(
        running,
        teller,
        &mut interrupts,
        &interrupt,
        bars.as_ref(),
        true,
    )
    .await
}
