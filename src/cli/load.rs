//! The user's files, read and resolved against the command line; and how what is wrong in them is told.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use indexmap::IndexMap;

use super::defaults::Defaults;
use super::environment::Environment;
use super::exit;
use super::options::{BaseArgs, Output, ProjectArgs};
use super::pipeline::{self, Lines};
use super::{collections, passwords, prompt};
use crate::diagnostic::{Diagnostic, count};
use crate::event::{Event, Impact, Recap};
use crate::playbook::{self, Project, includes};
use crate::report::{Json, Plain, ReportOptions, Reporter, Reporters};
use crate::template::Templates;
use crate::vault::Keyring;

/// A project without errors.
pub struct Loaded {
    /// Playbooks and inventory.
    pub project: Project,
    /// Its templates, compiled.
    pub templates: Arc<Templates>,
    /// Templates that templates include, as far as they were read.
    pub included: Arc<Mutex<Vec<PathBuf>>>,
    /// What is worth a word in it.
    pub warnings: Vec<Diagnostic>,
    /// What `hadeploy.yml` says.
    pub defaults: Defaults,
}

/// Reads everything; `asks` says whether somebody may be asked for what `vars_prompt` wants.
///
/// # Errors
/// All that is wrong, warnings among it.
pub fn load(args: &ProjectArgs, asks: bool, env: &Environment) -> Result<Loaded, Vec<Diagnostic>> {
    let defaults = Defaults::for_playbooks(env, &args.playbooks)?;
    let keyring = passwords::keyring(&args.base.vault, &defaults, env)?;
    let included: Arc<Mutex<Vec<PathBuf>>> = Arc::default();
    let (find, read) = (includes(&args.playbooks, &keyring), included.clone());
    let find = Box::new(move |name: &str, asking: &str| {
        let source = find(name, asking)?;
        if let Ok(mut read) = read.lock() {
            read.push(source.name().into());
        }
        Some(source)
    });
    let templates = Templates::with_outside(find, env.outside());
    let inventories = defaults.inventories(&args.base.inventory);
    let options = playbook::Options {
        answers: match asks {
            true => prompt::answers(env, keyring.masker()),
            false => Arc::new(playbook::Blank),
        },
        keyring: keyring.clone(),
        installed: collections::installed(env, &args.playbooks),
        ..args.options()
    };
    let (project, found) = Project::load(&args.playbooks, &inventories, &options, &templates);
    let warnings = masked(found, &keyring);
    if warnings.iter().any(Diagnostic::is_error) {
        return Err(warnings);
    }
    Ok(Loaded {
        project,
        templates,
        included,
        warnings,
        defaults,
    })
}

/// What is wrong in the files, without what was encrypted in them.
pub fn masked(faults: Vec<Diagnostic>, keyring: &Keyring) -> Vec<Diagnostic> {
    let mask = |words: &str| keyring.masker().mask(words).into_owned();
    faults.into_iter().map(|fault| fault.masked(mask)).collect()
}

/// Tells all that is wrong, and that nothing was touched; gives the exit status.
pub fn refuse(faults: &[Diagnostic], base: &BaseArgs, env: &Environment) -> u8 {
    let mut reporter = reporter(base, env);
    for fault in faults {
        reporter.event(&Event::Diagnostic(Box::new(fault.clone())));
    }
    let errors = faults.iter().filter(|fault| fault.is_error()).count();
    let reason = count(errors, "error");
    reporter.event(&Event::RunFinished(Recap {
        elapsed_ms: u64::try_from(env.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        ..ended(exit::REFUSED, reason)
    }));
    reporter.finish();
    exit::REFUSED
}

/// Tells warnings, where they stand for themselves.
pub fn warn(warnings: &[Diagnostic], base: &BaseArgs, env: &Environment) {
    let mut reporter = reporter(base, env);
    for warning in warnings {
        reporter.event(&Event::Diagnostic(Box::new(warning.clone())));
    }
    reporter.finish();
}

/// The end of something that came to no host.
pub fn ended(exit_code: u8, reason: String) -> Recap {
    Recap {
        exit_code,
        reason,
        touched: false,
        elapsed_ms: 0,
        hosts: IndexMap::new(),
        rollout: Vec::new(),
        impact: Impact::default(),
    }
}

/// For what is told before a run: people read it on standard error, programs on standard output.
fn reporter(base: &BaseArgs, env: &Environment) -> Box<dyn Reporter> {
    match base.output {
        Output::Json => {
            let mut all = pipeline::reporters(env, Lines::Nowhere);
            all.push(Box::new(Json::new(Box::new(io::stdout()))));
            Box::new(Reporters(all))
        }
        Output::Human => {
            let mut all = pipeline::reporters(env, Lines::Err);
            let plain = Plain::new(options(base, env, env.tells), Box::new(io::stderr()));
            all.push(Box::new(plain));
            Box::new(Reporters(all))
        }
    }
}

/// How people want to see it, on a stream that is a terminal or not.
pub fn options(base: &BaseArgs, env: &Environment, terminal: bool) -> ReportOptions {
    let default = ReportOptions::default();
    ReportOptions {
        verbosity: base.verbose,
        colour: terminal && !env.colourless,
        width: env.columns.unwrap_or(default.width),
        ..default
    }
}
