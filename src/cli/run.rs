//! A plan or an apply: from the words of the command line to the exit status.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressDrawTarget};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::environment::Environment;
use super::interrupt::Interrupts;
use super::load::{self, Loaded, load, refuse, warn};
use super::means::{Means, settings};
use super::options::{NodeArgs, Output, ProjectArgs};
use super::pass::{self, First};
use super::pipeline::{self, Lines};
use super::promise::{self, Maker, Promise};
use super::questions::Asker;
use super::teller::Teller;
use super::{command_line, commit, exit, listing, logs, prompt, run_id, say};
use crate::cluster::Goal;
use crate::diagnostic::{Diagnostic, count};
use crate::engine::{self, Look, Origin, Unlock};
use crate::event::Mode;
use crate::plan;
use crate::report::{self, Journal, Json, Looks, ReportOptions, Reporters};

/// What is to be done.
pub struct Work {
    /// Plan or apply.
    pub mode: Mode,
    /// On what.
    pub project: ProjectArgs,
    /// How.
    pub nodes: NodeArgs,
    /// `--detailed-exitcode`.
    pub detailed: bool,
    /// Whether nothing is asked.
    pub yes: bool,
    /// `--lock-timeout`.
    pub lock_timeout: Option<Duration>,
    /// Node after node, each taken out of the balancer meanwhile.
    pub rolling: Option<engine::Rolling>,
    /// Only clusters are worked on: of this kind or of all, with a goal beside their wanted state.
    pub clusters: Option<(Option<&'static str>, Goal)>,
    /// Nothing is done but looking.
    pub look: Option<Look>,
    /// No play is run: leases are given back.
    pub unlock: Option<Unlock>,
    /// What is wanted of the clusters before the plays begin.
    pub first: Option<Goal>,
    /// What a person, or `--yes`, must agree to first, wherever it is run.
    pub question: Option<String>,
    /// What it has to do with a saved plan.
    pub promise: Promise,
}

impl Work {
    /// What does nothing but look.
    pub fn looking(project: ProjectArgs, nodes: NodeArgs) -> Work {
        Work {
            yes: true,
            ..Work::new(Mode::Plan, project, nodes)
        }
    }

    /// Nothing but this is asked: a person agrees to it first, and no clusters and no saved plan are singled out.
    pub fn new(mode: Mode, project: ProjectArgs, nodes: NodeArgs) -> Work {
        Work {
            mode,
            project,
            nodes,
            detailed: false,
            yes: false,
            lock_timeout: None,
            rolling: None,
            clusters: None,
            look: None,
            unlock: None,
            first: None,
            question: None,
            promise: Promise::None,
        }
    }
}

/// Does it; gives the exit status.
pub async fn run(work: Work, env: &Environment) -> u8 {
    let args = &work.project;
    if let Some(status) = super::refuse_options(&args.refused) {
        return status;
    }
    let lists = args.list_hosts || args.list_tasks || args.list_tags;
    let mut loaded = match load(args, !lists, env) {
        Ok(loaded) => loaded,
        Err(faults) => return refuse(&faults, &args.base, env),
    };
    let kind = match (&work.clusters, &work.look) {
        (Some((kind, _)), _) => Some(*kind),
        (None, Some(look)) => look.kind.map(Some),
        (None, None) => None,
    };
    if let Some(kind) = kind
        && let Some(fault) = only_clusters(&mut loaded, kind, args)
    {
        return refuse(&[fault], &args.base, env);
    }
    if let Some(fault) = super::node::place(&mut loaded, &work) {
        return refuse(&[fault], &args.base, env);
    }
    if args.base.output == Output::Human || lists {
        warn(&loaded.warnings, &args.base, env);
    }
    if listing::show(&loaded.project, args) {
        return exit::DONE;
    }
    let password = match prompt::become_password(&work.nodes, env) {
        Ok(password) => password,
        Err(fault) => return refuse(&[*fault], &args.base, env),
    };
    if let Promise::From(path, saved) = &work.promise {
        let now = promise::identity(args, &loaded, &saved.salt);
        if let Err(fault) = promise::same_extra(saved, &now, path) {
            return refuse(&[*fault], &args.base, env);
        }
    }
    let mut interrupts = match Interrupts::listen() {
        Ok(interrupts) => interrupts,
        Err(error) => {
            let fault = Diagnostic::error(format!("cannot listen for signals: {error}"));
            return refuse(&[fault], &args.base, env);
        }
    };
    let means = Means::new(password, &loaded.project, env);
    let first = match &work.promise {
        Promise::From(_, saved) => {
            pass::compared(&work, &loaded, saved, &means, &mut interrupts, env).await
        }
        _ if asks_to_apply(&work, env) => {
            pass::shown(&work, &loaded, &means, &mut interrupts, env).await
        }
        _ => First::Go,
    };
    if let First::Ended(status) = first {
        return status;
    }
    if !confirmed(&work, &loaded, env) {
        say::err("nothing was touched");
        return exit::REFUSED;
    }
    engage(&work, loaded, &means, interrupts, env).await
}

/// Whether somebody is asked who has not seen what would change: then that is shown first.
fn asks_to_apply(work: &Work, env: &Environment) -> bool {
    let plays = work.clusters.is_none() && work.first.is_none() && work.question.is_none();
    can_ask(work, env) && plays && !work.yes && work.mode.may_change()
}

/// Whether somebody is there who can be asked.
fn can_ask(work: &Work, env: &Environment) -> bool {
    env.asks && env.tells && !env.unattended && work.project.base.is_for_people()
}

/// Leaves only the tasks of clusters in the project, or says that there are none.
fn only_clusters(
    loaded: &mut Loaded,
    kind: Option<&str>,
    args: &ProjectArgs,
) -> Option<Diagnostic> {
    let kept = loaded.project.keep_clusters(kind);
    let what = kind.unwrap_or("cluster");
    let playbooks = args.playbooks.join("`, `");
    (kept == 0).then(|| {
        Diagnostic::error(format!("no task of `{playbooks}` is a {what}"))
            .help("name the playbook with `--playbook`, or as `playbook` in hadeploy.yml")
    })
}

/// Whether the user says yes, where one can be asked.
fn confirmed(work: &Work, loaded: &Loaded, env: &Environment) -> bool {
    if work.yes {
        return true;
    }
    let asks = can_ask(work, env);
    if let Some(question) = &work.question {
        if !asks {
            say::err(&format!("{question}\nnobody can be asked: say `--yes`"));
        }
        return asks && prompt::yes(&format!("{question}\ngo on? [y/N] "));
    }
    if !asks {
        return true;
    }
    let hosts: HashSet<_> = loaded
        .project
        .plays
        .iter()
        .flat_map(|scheduled| &scheduled.hosts)
        .collect();
    let playbooks = work.project.playbooks.join("`, `");
    let hosts = count(hosts.len(), "host");
    prompt::yes(&match work.mode {
        Mode::Rolling => format!("roll `{playbooks}` out to {hosts}, node after node? [y/N] "),
        _ => format!("apply `{playbooks}` to {hosts}? [y/N] "),
    })
}

/// Lets the engine run, with everyone who listens.
pub(super) async fn engage(
    work: &Work,
    loaded: Loaded,
    means: &Means,
    mut interrupts: Interrupts,
    env: &Environment,
) -> u8 {
    let id = run_id::run_id(Timestamp::now());
    let (mut reporters, bars) = reporters(work, work.mode, false, env);
    let mut notes = Vec::new();
    let mut log = None;
    // Of a watch it would grow as long as that goes on, and there is nothing to read up.
    match (!watches(work))
        .then(|| journal(&loaded, &id, env))
        .transpose()
    {
        Ok(None) => {}
        Ok(Some(journal)) => {
            log = Some(journal.path().display().to_string());
            reporters.0.push(Box::new(journal));
        }
        Err(why) => notes.push(why),
    }
    if let Err(why) = logs::start(work.project.base.verbose, env, bars.clone()) {
        notes.push(why);
    }
    let mut settings = settings(work, &loaded, means, id, env);
    settings.log = log;
    if work.mode.may_change() {
        let playbook = loaded.project.playbooks.first().map(PathBuf::from);
        settings.origin = Origin {
            pipeline: env.pipeline.clone(),
            commit: commit::asked(playbook),
        };
    }
    let mut saver = None;
    match &work.promise {
        Promise::None => {}
        Promise::Out(path) => {
            let salt = match promise::salt() {
                Ok(salt) => salt,
                Err(error) => {
                    let fault = Diagnostic::error(format!("there are no random numbers: {error}"));
                    return refuse(&[fault], &work.project.base, env);
                }
            };
            let maker = Maker::new(work, &loaded, salt, env);
            settings.record = Some(maker.record.clone());
            saver = Some(maker.saver(path.clone()));
        }
        Promise::From(_, saved) => {
            settings.promise = Some(Arc::new(plan::Promise::new(saved)));
        }
    }
    if can_ask(work, env) && work.mode.may_change() {
        let questions = Arc::new(engine::Questions::default());
        settings.questions = Some(questions.clone());
        // It stands last: what was told before the question is shown before it.
        reporters.0.push(Box::new(Asker(questions)));
    }
    let teller = Teller::start(work.mode, work.detailed, reporters, saver);
    let events = teller.events();
    teller.begin(
        notes,
        loaded.warnings,
        work.project.base.output == Output::Json,
    );
    let interrupt = CancellationToken::new();
    let (reach, masker) = (means.reach.clone(), means.masker.clone());
    let (project, templates, stop) = (loaded.project, loaded.templates, interrupt.clone());
    let run = match (work.look.clone(), work.unlock.clone()) {
        (_, Some(wanted)) => tokio::spawn(engine::unlock(
            project,
            templates,
            reach,
            settings,
            masker,
            events,
            (wanted, stop),
        )),
        (Some(look), None) => tokio::spawn(engine::status(
            project,
            templates,
            reach,
            settings,
            masker,
            events,
            (look, stop),
        )),
        (None, None) => tokio::spawn(engine::run(
            project, templates, reach, settings, masker, events, stop,
        )),
    };
    let quiet = watches(work);
    let bars = bars.as_ref();
    attend(run, teller, &mut interrupts, &interrupt, bars, quiet).await
}

/// Waits for the end of the run, or for who wants it sooner.
pub async fn attend(
    mut run: tokio::task::JoinHandle<crate::event::Recap>,
    teller: Teller,
    interrupts: &mut Interrupts,
    interrupt: &CancellationToken,
    bars: Option<&MultiProgress>,
    quiet: bool,
) -> u8 {
    let tell = |words: &str| match bars {
        // Nothing has to be finished.
        _ if quiet => {}
        Some(bars) => bars.suspend(|| say::err(words)),
        None => say::err(words),
    };
    loop {
        tokio::select! {
            _ = &mut run => break,
            () = interrupts.next() => {}
        }
        if !interrupt.is_cancelled() {
            interrupt.cancel();
            tell("finishing what runs; press again to stop at once");
            continue;
        }
        run.abort();
        teller.stop();
        break;
    }
    let told = tokio::task::spawn_blocking(move || teller.finish()).await;
    let Ok(told) = told else { return exit::BUG };
    if let Some(left) = told.left {
        say::err(&left);
    }
    if let Some(trouble) = told.trouble {
        say::err(&format!("warning: {trouble}"));
    }
    told.exit_code.unwrap_or(exit::BUG)
}

/// Whether hosts are only asked something, for no playbook.
fn is_visit(work: &Work) -> bool {
    work.mode == Mode::Plan && work.project.playbooks.is_empty()
}

/// Whether it looks again and again.
fn watches(work: &Work) -> bool {
    work.look.as_ref().is_some_and(|look| look.every.is_some())
}

/// Who is told of a run in that mode: people on standard output, or programs. `brief` is for a plan before a question.
pub fn reporters(
    work: &Work,
    mode: Mode,
    brief: bool,
    env: &Environment,
) -> (Reporters, Option<MultiProgress>) {
    let base = &work.project.base;
    if base.output == Output::Json {
        let mut all = pipeline::reporters(env, Lines::Nowhere);
        all.push(Box::new(Json::new(Box::new(io::stdout()))));
        return (Reporters(all), None);
    }
    let next = match (mode, &work.promise) {
        (Mode::Plan, Promise::Out(path)) => {
            command_line::to_apply_from(&env.words, &path.display().to_string())
        }
        (Mode::Plan, _) => command_line::to_apply(&env.words),
        // What was done half is no longer as it was when the plan was made.
        (Mode::Apply, Promise::From(path, plan)) => {
            command_line::to_plan(&plan.of, &path.display().to_string())
        }
        (Mode::Apply | Mode::Rolling | Mode::Exec, _) => command_line::shown(&env.words),
    };
    let next = (!brief).then_some(next);
    let looks = match (watches(work), env.shows) {
        (false, _) => Looks::One,
        (true, false) => Looks::Below,
        (true, true) => Looks::InPlace,
    };
    let options = ReportOptions {
        looks,
        sentence: work.unlock.is_some() || work.mode == Mode::Exec || is_visit(work),
        diff: work.nodes.diff,
        brief,
        next_command: next,
        ..load::options(base, env, env.shows)
    };
    if base.junit.0 {
        // The report is for a program; people read the run as it goes on the other stream.
        let mut all = pipeline::reporters(env, Lines::Err);
        all.push(Box::new(report::Plain::new(
            options,
            Box::new(io::stderr()),
        )));
        all.push(Box::new(report::Junit::new(Box::new(io::stdout()))));
        return (Reporters(all), None);
    }
    let target = match env.shows && looks == Looks::One {
        true => ProgressDrawTarget::stdout(),
        false => ProgressDrawTarget::hidden(),
    };
    let (reporter, bars) = report::human(options, target, Box::new(io::stdout()));
    let mut all = match brief {
        true => Vec::new(),
        false => pipeline::reporters(env, Lines::Out),
    };
    all.push(reporter);
    (Reporters(all), bars)
}

/// The log of a run of that name, or why there is none.
pub(super) fn journal(loaded: &Loaded, id: &str, env: &Environment) -> Result<Journal, String> {
    let folder = loaded.defaults.logs.clone().or_else(|| env.runs());
    let folder = folder.ok_or("there is no log of this run: HOME is not set")?;
    Journal::create(&folder, id, Journal::KEEP).map_err(|error| {
        let why = std::error::Error::source(&error).map(|source| format!(": {source}"));
        format!(
            "there is no log of this run: {error}{}",
            why.unwrap_or_default()
        )
    })
}
