//! Plays and tasks as written, typed; and the project: playbooks, inventory and options resolved against each other.

mod action;
mod block;
mod check;
mod cluster;
mod collections;
mod explain;
mod fields;
mod free_form;
mod handler;
mod handler_names;
mod idle;
mod include;
mod include_vars;
pub mod keywords;
mod listing;
mod loops;
pub mod magic;
mod meta;
mod module_defaults;
pub mod modules;
mod never;
mod order;
mod parse;
mod pause;
mod placing;
mod play;
mod precedence;
mod privilege;
mod project;
mod prompts;
mod role;
mod role_folder;
mod role_specs;
mod role_task;
mod role_use;
mod rolling;
mod run_once;
mod scope;
mod search;
mod select;
mod serial;
mod setter;
mod sources;
mod spec_values;
mod task;
mod undefined;
mod unsettled;
mod uses;
mod vars_files;

use std::path::PathBuf;
use std::sync::Arc;

use crate::resource::{Args, Kind};
use crate::source::Span;
use crate::value::{Map, Value};

pub use check::missing;
pub use collections::Installed;
pub use explain::{Explained, Found};
pub use fields::{is_literal, is_template};
pub use include::{Include, Loaded};
pub use include_vars::{ReadVars, VarsAsk};
pub use listing::{ListedPlay, ListedTask};
pub use order::Order;
pub use parse::parse_playbook;
pub use precedence::{Layer, STRONGEST_FIRST};
pub use privilege::Privilege;
pub use project::{Options, Project, Scheduled};
pub use prompts::{Answers, Blank, Nobody, Prompt};
pub use role::{Own, PlayRoles, Role};
pub use rolling::Rollout;
pub use run_once::RunOnce;
pub use search::{Search, includes, project_folder};
pub use select::TagChoice;
pub use serial::BatchSize;
pub use setter::{Counts, Setter};
pub use vars_files::{chosen_vars_file, load_vars_file};

/// One playbook file with everything it imports.
#[derive(Debug, Clone)]
pub struct Playbook {
    /// The path as the user gave it.
    pub name: String,
    /// In order; those of imported playbooks stand where the import stood.
    pub plays: Vec<Play>,
}

/// Tasks for some hosts.
#[derive(Debug, Clone)]
pub struct Play {
    /// Its `name`, or its `hosts` as written.
    pub name: Arc<str>,
    /// Where it begins.
    pub span: Span,
    /// Text or a list of texts; perhaps templates over extra variables.
    pub hosts: Value,
    /// Whether facts are gathered; true unless said otherwise.
    pub gather_facts: bool,
    /// `vars`, with those of an `import_playbook` laid over them.
    pub vars: Map,
    /// `vars_prompt`; the answers are among `vars` once the project is loaded.
    pub prompts: Vec<Prompt>,
    /// `vars_files` in order; literal names are read already, and opened once the play has hosts.
    pub vars_files: Vec<VarsFile>,
    /// `become…` of the play.
    pub privilege: Privilege,
    /// `remote_user`.
    pub remote_user: Option<Value>,
    /// `connection`.
    pub connection: Option<Value>,
    /// `port`.
    pub port: Option<Value>,
    /// `environment`, outer first; mappings or templates.
    pub environment: Vec<Value>,
    /// Inherited by its tasks, where they are repeated.
    pub tags: Vec<Arc<str>>,
    /// Conditions of an `import_playbook`; its tasks hold them too.
    pub when: Vec<Value>,
    /// Whether a host goes on without waiting for the others.
    pub free: bool,
    /// In which order its hosts stand.
    pub order: Order,
    /// Whether notified handlers run on a host that failed.
    pub force_handlers: bool,
    /// Whether a host goes on without its facts when it cannot be reached for them.
    pub ignore_unreachable: Option<Value>,
    /// `serial`: numbers and percentages, perhaps templates.
    pub serial: Vec<Value>,
    /// `max_fail_percentage`, and 0 for `any_errors_fatal`: when more of its hosts failed, the others stop.
    pub may_fail: Option<f64>,
    /// `rolling`: how its hosts are updated one after the other, a mapping as written.
    pub rolling: Option<Value>,
    /// Keywords that are templates and decide what is done before any host is known; none once the project is loaded.
    pub unsettled: Vec<(&'static str, Value)>,
    /// Before the first flush of handlers.
    pub pre_tasks: Vec<Task>,
    /// Between the flushes.
    pub tasks: Vec<Task>,
    /// Behind them.
    pub post_tasks: Vec<Task>,
    /// In the order of their definition: those of its roles, its own, those of roles that its tasks bring.
    pub handlers: Vec<Task>,
    /// Its roles; their tasks are among `tasks`.
    pub roles: PlayRoles,
    /// The folder of its file; empty for the working folder.
    pub folder: PathBuf,
}

/// One of a play's `vars_files`.
#[derive(Debug, Clone)]
pub enum VarsFile {
    /// Its name was literal and it is read.
    Read {
        /// The name as written.
        name: Value,
        /// What it sets.
        vars: Arc<Map>,
    },
    /// Its name is a template, or a list of names of which one is: render it, then [`chosen_vars_file`] and [`load_vars_file`].
    Template(Value),
}

/// One unbound task.
#[derive(Debug, Clone)]
pub struct Task {
    /// Unique in the run, growing in the order of the files.
    pub id: usize,
    /// `name`, perhaps a template.
    pub name: Option<Value>,
    /// The name as written, or the kind's.
    pub label: Arc<str>,
    /// `file:line`.
    pub at: Arc<str>,
    /// Where it begins.
    pub span: Span,
    /// What it does.
    pub action: TaskAction,
    /// All must hold; those of imports come first.
    pub when: Vec<Value>,
    /// `vars` of its role, of imports and of the task, outer first; not those of the play.
    pub vars: Vec<Arc<Map>>,
    /// Parameters of its role and `vars` of includes, outer first: stronger than what tasks set.
    pub params: Vec<Arc<Map>>,
    /// The role it belongs to.
    pub role: Option<Arc<Role>>,
    /// `loop` or `with_…`.
    pub repeat: Option<Loop>,
    /// The variable its result goes to.
    pub register: Option<Arc<str>>,
    /// Names of handlers or topics; perhaps templates.
    pub notify: Vec<Value>,
    /// Topics a handler listens to.
    pub listen: Vec<Arc<str>>,
    /// All must hold for the task to count as changed; empty for the kind's own verdict.
    pub changed_when: Vec<Value>,
    /// All must hold for the task to count as failed; empty for the kind's own verdict.
    pub failed_when: Vec<Value>,
    /// Attempts until it is as wanted.
    pub until: Option<Until>,
    /// Whether a failure is passed over.
    pub ignore_errors: Option<Value>,
    /// Whether the host goes on when it cannot be reached for it.
    pub ignore_unreachable: Option<Value>,
    /// Its own, those of imports and those of the play.
    pub tags: Vec<Arc<str>>,
    /// Its own over those of imports; [`Privilege::over`] the play's.
    pub privilege: Privilege,
    /// `environment` of imports and of the task, outer first; not that of the play.
    pub environment: Vec<Value>,
    /// Whether its arguments and result are secret.
    pub no_log: Option<Value>,
    /// `check_mode: false` runs a command in a plan.
    pub check_mode: Option<Value>,
    /// Whether its diff is shown.
    pub diff: Option<Value>,
    /// Seconds it may take.
    pub timeout: Option<Value>,
    /// How many hosts may act for it at once.
    pub throttle: Option<Value>,
    /// `remote_user` of the task.
    pub remote_user: Option<Value>,
    /// Whether its failure on one host stops all of them.
    pub fatal: bool,
    /// Whether one host does it for all.
    pub run_once: RunOnce,
    /// The host that acts in place of its own.
    pub delegate: Option<Value>,
    /// Whether the variables it sets are those of the host that acts.
    pub delegate_facts: Option<Value>,
    /// When it runs in a rolling update; none for each node's own turn.
    pub rollout: Option<Rollout>,
    /// Whether it is a handler.
    pub handler: bool,
    /// The blocks it stands in, outer first.
    pub within: Arc<[Within]>,
    /// The names that loops of includes around it set.
    pub given: Vec<Arc<str>>,
    /// The folder of its file, for relative sources.
    pub folder: PathBuf,
}

impl Task {
    /// It, and the tasks that it is known to include.
    pub fn with_included(&self) -> Vec<&Task> {
        let mut found = vec![self];
        if let TaskAction::Include(include) = &self.action
            && let Some(loaded) = &include.read
        {
            found.extend(loaded.tasks.iter().flat_map(Task::with_included));
        }
        found
    }

    /// Whether it includes tasks or variables of which nothing is known, or sets variables whose names are templates.
    pub fn is_open(&self) -> bool {
        match &self.action {
            TaskAction::Include(include) => include.is_open(),
            TaskAction::Vars(vars) => vars.names().is_none(),
            TaskAction::Kind { kind, args } if kind.name == "set_fact" => {
                args.open().any(|(name, _)| is_template(name))
            }
            _ => false,
        }
    }

    /// Whether each item of its loop is done before the next one is looked at.
    pub fn pauses(&self) -> bool {
        self.repeat
            .as_ref()
            .is_some_and(|repeat| repeat.pause.is_some() || !repeat.break_when.is_empty())
    }
}

/// What a task does.
#[derive(Debug, Clone)]
pub enum TaskAction {
    /// A kind of the table.
    Kind {
        /// Which.
        kind: &'static Kind,
        /// Its arguments; literal values are coerced, templates are as written.
        args: Args,
    },
    /// Something the engine itself does.
    Meta(Meta),
    /// Tasks of another file, or of a role.
    Include(Arc<Include>),
    /// Variables of files.
    Vars(Arc<VarsAsk>),
    /// Nothing: it cannot be done, and why. It fails where its condition holds.
    Never(Arc<[crate::diagnostic::Diagnostic]>),
}

impl TaskAction {
    /// The name of its kind.
    pub fn name(&self) -> &'static str {
        match self {
            TaskAction::Kind { kind, .. } => kind.name,
            TaskAction::Meta(_) => "meta",
            TaskAction::Include(include) => include.word(),
            TaskAction::Vars(_) => "include_vars",
            TaskAction::Never(_) => "never",
        }
    }
}

/// What `meta` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meta {
    /// Forgets the facts; they are read anew where the play gathers them.
    ClearFacts,
    /// Ends the play for the hosts of the batch.
    EndBatch,
    /// Ends the play for the host.
    EndHost,
    /// Ends the play.
    EndPlay,
    /// Ends the role for the host.
    EndRole,
    /// Runs what is notified so far.
    FlushHandlers,
    /// Nothing.
    Noop,
    /// Nothing: the connection stays.
    ResetConnection,
}

/// Where a task stands in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within {
    /// The number of the block, unique in the run.
    pub block: usize,
    /// Which of its lists.
    pub part: Part,
}

/// The lists of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What is to be done.
    Block,
    /// What is done when one of these failed.
    Rescue,
    /// What is done behind both, however they ended.
    Always,
}

/// A task that is tried again.
#[derive(Debug, Clone)]
pub struct Until {
    /// All must hold; none for success.
    pub conditions: Vec<Value>,
    /// How often it is tried again; 3 unless said otherwise.
    pub retries: Option<Value>,
    /// Seconds between two attempts; 5 unless said otherwise.
    pub delay: Option<Value>,
}

/// The repetition of a task.
#[derive(Debug, Clone)]
pub struct Loop {
    /// What to go over, perhaps a template.
    pub items: Value,
    /// How it is gone over.
    pub kind: LoopKind,
    /// The variable that holds the item; `item` unless said otherwise.
    pub var: Arc<str>,
    /// The variable that counts from 0.
    pub index_var: Option<Arc<str>>,
    /// What is shown for an item.
    pub label: Option<Value>,
    /// Seconds between items.
    pub pause: Option<Value>,
    /// Whether `ansible_loop` is there.
    pub extended: bool,
    /// Whether `ansible_loop.allitems` is there as well.
    pub allitems: bool,
    /// The loop ends behind an item for which all of them hold.
    pub break_when: Vec<Value>,
}

/// How a loop goes over its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoopKind {
    /// `loop`: each item of a list.
    List,
    /// `with_items`: lists in the list are flattened one level; a single value is a list of one.
    Items,
    /// `with_dict`: each entry as `{key, value}`.
    Dict,
    /// `with_flattened`: lists in lists, however deep, are flattened.
    Flattened,
    /// `with_together`: the first of each list, the second of each, and so on.
    Together,
    /// `with_nested`: each of the first list with each of the next.
    Nested,
    /// `with_indexed_items`: the number and the item.
    Indexed,
    /// `with_subelements`: an item and one of a list in it.
    Subelements,
    /// What a lookup of this name finds for the terms.
    Lookup(&'static str),
    /// `with_sequence`: numbers, written out.
    Sequence,
}

impl Play {
    /// Its tasks in order, without handlers.
    pub fn all_tasks(&self) -> impl Iterator<Item = &Task> {
        self.pre_tasks
            .iter()
            .chain(&self.tasks)
            .chain(&self.post_tasks)
    }

    /// Its tasks, then its handlers, each with those that it is known to include.
    pub fn tasks_and_handlers(&self) -> impl Iterator<Item = &Task> {
        self.all_tasks()
            .chain(&self.handlers)
            .flat_map(Task::with_included)
    }

    /// The handlers a notification means: the last one of that name, rendered by `name_of`, and all that listen to it.
    pub fn notified<'a>(
        &'a self,
        notification: &str,
        name_of: impl Fn(&'a Task) -> Option<Arc<str>>,
    ) -> Vec<&'a Task> {
        let named = self
            .handlers
            .iter()
            .rposition(|handler| name_of(handler).as_deref() == Some(notification));
        self.handlers
            .iter()
            .enumerate()
            .filter(|(index, handler)| {
                Some(*index) == named || handler.listen.iter().any(|topic| &**topic == notification)
            })
            .map(|(_, handler)| handler)
            .collect()
    }
}
