//! `plan --out FILE` and `apply --from FILE`: what a plan is of, the file it is kept in, and what must agree with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::commit;
use super::environment::Environment;
use super::load::Loaded;
use super::options::ProjectArgs;
use super::run::Work;
use super::teller::Saver;
use crate::diagnostic::Diagnostic;
use crate::event::{Event, Moved};
use crate::plan::{self, Identity, Plan, Record, Salt};

/// What a run has to do with a saved plan.
#[derive(Default)]
pub enum Promise {
    /// Nothing.
    #[default]
    None,
    /// The plan is kept in this file.
    Out(PathBuf),
    /// What it says is done, and nothing else.
    From(PathBuf, Box<Plan>),
}

/// Reads a saved plan and takes from it what the command line does not say.
///
/// # Errors
/// It is no good plan, or one of something else than the command line says.
pub fn take(path: &Path, args: &mut ProjectArgs) -> Result<Promise, Box<Diagnostic>> {
    let said = path.display();
    let plan = plan::read(path).map_err(|error| {
        Diagnostic::error(format!("cannot apply the plan `{said}`: {error}"))
            .help("make one with `hadeploy plan … --out FILE`")
    })?;
    let of = &plan.of;
    agree(&mut args.playbooks, &of.playbooks, "playbook", path)?;
    agree(&mut args.base.inventory, &of.inventories, "inventory", path)?;
    agree(&mut args.tags, &of.tags, "`--tags`", path)?;
    agree(&mut args.skip_tags, &of.skip_tags, "`--skip-tags`", path)?;
    one(&mut args.limit, &of.limit, "`--limit`", path)?;
    one(
        &mut args.start_at_task,
        &of.start_at_task,
        "`--start-at-task`",
        path,
    )?;
    Ok(Promise::From(path.to_owned(), Box::new(plan)))
}

fn agree(
    given: &mut Vec<String>,
    planned: &[String],
    what: &str,
    path: &Path,
) -> Result<(), Box<Diagnostic>> {
    if given.is_empty() {
        *given = planned.to_vec();
    }
    match given == planned {
        true => Ok(()),
        false => Err(other(what, &planned.join(" "), &given.join(" "), path)),
    }
}

fn one(
    given: &mut Option<String>,
    planned: &Option<String>,
    what: &str,
    path: &Path,
) -> Result<(), Box<Diagnostic>> {
    if given.is_none() {
        given.clone_from(planned);
    }
    let words = |words: &Option<String>| words.clone().unwrap_or_default();
    match given == planned {
        true => Ok(()),
        false => Err(other(what, &words(planned), &words(given), path)),
    }
}

fn other(what: &str, planned: &str, given: &str, path: &Path) -> Box<Diagnostic> {
    let quoted = |words: &str| match words {
        "" => "none".to_owned(),
        words => format!("`{words}`"),
    };
    Box::new(
        Diagnostic::error(format!(
            "the plan `{}` is of another {what}: {}, not {}",
            path.display(),
            quoted(planned),
            quoted(given)
        ))
        .help("what the plan says need not be said again: `hadeploy apply --from FILE`"),
    )
}

/// What the command line says a run is of.
pub fn identity(args: &ProjectArgs, loaded: &Loaded, salt: &Salt) -> Identity {
    let extra = loaded.project.extra.iter();
    Identity {
        playbooks: args.playbooks.clone(),
        inventories: loaded.defaults.inventories(&args.base.inventory),
        limit: args.limit.clone(),
        tags: args.tags.clone(),
        skip_tags: args.skip_tags.clone(),
        start_at_task: args.start_at_task.clone(),
        extra: extra
            .map(|(name, entry)| {
                let value = entry.value.to_json().to_string();
                (name.to_string(), salt.hash(&value))
            })
            .collect(),
    }
}

/// Whether `-e` says what it said when the plan was made.
///
/// # Errors
/// Which names are missing, too many or set otherwise.
pub fn same_extra(saved: &Plan, now: &Identity, path: &Path) -> Result<(), Box<Diagnostic>> {
    let names = |wanted: &dyn Fn(&String) -> bool| {
        let all: BTreeSet<&String> = saved.of.extra.keys().chain(now.extra.keys()).collect();
        let chosen = all.into_iter().filter(|name| wanted(name));
        chosen.map(|name| format!("`{name}`")).collect::<Vec<_>>()
    };
    let other = names(&|name| saved.of.extra.get(name) != now.extra.get(name));
    if other.is_empty() {
        return Ok(());
    }
    Err(Box::new(
        Diagnostic::error(format!(
            "the plan `{}` was made with other extra variables: {}",
            path.display(),
            other.join(", ")
        ))
        .help("give `-e` as it was given to the plan: values may be secret, so the plan does not hold them"),
    ))
}

/// A new salt.
///
/// # Errors
/// The system has no random numbers.
pub fn salt() -> io::Result<Salt> {
    let mut random = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    Ok(Salt::new(random))
}

/// The files that are read before a run begins.
pub fn sources(loaded: &Loaded) -> BTreeSet<PathBuf> {
    let mut files: BTreeSet<PathBuf> = loaded
        .project
        .sources()
        .into_iter()
        .map(PathBuf::from)
        .collect();
    files.extend(loaded.project.playbooks.iter().map(PathBuf::from));
    files.extend(loaded.project.inventory.files.iter().cloned());
    files
}

/// Each file with its SHA-256. What is no file, such as the command line, has none.
fn hashed(files: impl IntoIterator<Item = PathBuf>) -> BTreeMap<String, String> {
    let hashed = files.into_iter().filter_map(|path| {
        let sum = sha256(&path)?;
        Some((path.display().to_string(), sum))
    });
    hashed.collect()
}

fn sha256(path: &Path) -> Option<String> {
    if !path.is_file() {
        return None;
    }
    let mut hash = Sha256::new();
    let mut file = File::open(path).ok()?;
    let mut piece = vec![0; 64 * 1024];
    loop {
        match file.read(&mut piece).ok()? {
            0 => break,
            length => hash.update(&piece[..length]),
        }
    }
    let digest = hash.finalize();
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Files of the plan that are otherwise now.
pub fn changed_files(saved: &Plan) -> Vec<Moved> {
    let moved = saved.files.iter().filter_map(|(file, sum)| {
        let now = match sha256(Path::new(file)) {
            Some(now) if now == *sum => return None,
            Some(_) => "changed",
            None => "gone",
        };
        Some(of_file(file, "as it was read", now))
    });
    moved.collect()
}

/// Files that were read now and not for the plan.
pub fn new_files(saved: &Plan, now: &Plan) -> Vec<Moved> {
    let files = now.files.keys();
    files
        .filter(|file| !saved.files.contains_key(*file))
        .map(|file| of_file(file, "not read", "read"))
        .collect()
}

fn of_file(file: &str, planned: &str, now: &str) -> Moved {
    Moved {
        file: Some(file.to_owned()),
        field: "file".to_owned(),
        planned: planned.to_owned(),
        now: now.to_owned(),
        ..Moved::default()
    }
}

/// Makes a plan of what a run has recorded.
pub struct Maker {
    /// What was recorded.
    pub record: Arc<Record>,
    of: Identity,
    by: String,
    sources: BTreeSet<PathBuf>,
    included: Arc<std::sync::Mutex<Vec<PathBuf>>>,
}

impl Maker {
    /// For a run that has not begun.
    pub fn new(work: &Work, loaded: &Loaded, salt: Salt, env: &Environment) -> Maker {
        Maker {
            of: identity(&work.project, loaded, &salt),
            by: format!("{}@{}", env.user, env.machine),
            sources: sources(loaded),
            included: loaded.included.clone(),
            record: Arc::new(Record::new(salt)),
        }
    }

    /// The plan, once the run has ended.
    pub fn plan(self) -> Plan {
        let (hosts, read): (IndexMap<_, _>, _) = self.record.take();
        let included = self
            .included
            .lock()
            .map(|files| files.clone())
            .unwrap_or_default();
        let files = self.sources.into_iter().chain(read).chain(included);
        let first = self.of.playbooks.first().map(PathBuf::from);
        Plan {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            made: format!("{:.0}", Timestamp::now()),
            by: self.by,
            commit: first.and_then(|playbook| commit::of(&playbook)),
            of: self.of,
            salt: self.record.salt().clone(),
            files: hashed(files),
            hosts,
        }
    }

    /// Writes the plan at the end of the run; the end says so when that fails.
    pub fn saver(self, path: PathBuf) -> Saver {
        Box::new(move |recap| {
            let file = path.display().to_string();
            if recap.exit_code != super::exit::DONE {
                recap.reason = format!("{}; `{file}` was not written", recap.reason);
                return None;
            }
            match plan::write(&self.plan(), &path) {
                Ok(()) => Some(Event::PlanSaved { file }),
                Err(error) => {
                    recap.exit_code = super::exit::REFUSED;
                    recap.reason = format!("the plan cannot be written to `{file}`: {error}");
                    None
                }
            }
        })
    }
}
