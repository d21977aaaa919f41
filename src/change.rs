//! What differs between a node and its wanted state, and the effects that mend it. Data only: the engine runs steps.

mod act;
mod aside;
mod brought;
mod effect;
mod obstacle;
mod way_in;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::fact::{Answer, Question};

pub use act::{ActOutput, Interpreted, LocalFile, Reading};
pub use aside::Aside;
pub use brought::FACT;
pub use effect::Effect;
pub use obstacle::Obstacle;
pub use way_in::{Guard, Reboot};

/// What is done to the thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is as wanted.
    None,
    /// It is made.
    Create,
    /// It is altered.
    Update,
    /// It is removed.
    Delete,
    /// Something is run: a command, a restart.
    Run,
}

impl Action {
    /// The word in events.
    pub fn word(self) -> &'static str {
        match self {
            Action::None => "none",
            Action::Create => "create",
            Action::Update => "update",
            Action::Delete => "delete",
            Action::Run => "run",
        }
    }
}

/// One thing that differs, before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// A short value: a mode, an owner, a state.
    Value {
        /// Its name: `mode`, `owner`, `state` …
        field: String,
        /// As found; empty for none.
        before: String,
        /// As wanted.
        after: String,
    },
    /// A text with a line diff. The texts are there only when a diff was asked for and both are text.
    Text {
        /// `content`, or the file's path inside a folder copy.
        field: String,
        /// SHA-256 of the old content, none when there was none.
        before_sha256: Option<String>,
        /// SHA-256 of the new content, none when it is removed.
        after_sha256: Option<String>,
        /// Old text.
        before: Option<Arc<str>>,
        /// New text.
        after: Option<Arc<str>>,
    },
}

impl Field {
    /// A short value.
    pub fn value(
        field: impl Into<String>,
        before: impl Into<String>,
        after: impl Into<String>,
    ) -> Field {
        Field::Value {
            field: field.into(),
            before: before.into(),
            after: after.into(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Field::Value { field, .. } | Field::Text { field, .. } => field,
        }
    }
}

/// What `Resource::diff` found.
#[derive(Debug, Clone)]
pub struct Change {
    /// What is done.
    pub action: Action,
    /// What differs.
    pub fields: Vec<Field>,
    /// What mends it, in order. Empty exactly when the action is none.
    pub steps: Vec<Step>,
    /// What it does to a running service.
    pub effect: Effect,
    /// What it does to further services.
    pub also: Vec<Effect>,
    /// Why nothing is to be done, or what is; for people.
    pub reason: String,
    /// What `register` gets beside changed, failed, skipped, and a command's output.
    pub result: serde_json::Map<String, serde_json::Value>,
    /// Variables it sets on the host (`set_fact`).
    pub facts: serde_json::Map<String, serde_json::Value>,
    /// Why it cannot be: an absence that is an error, or a task that says so itself (`fail`, `assert`).
    pub obstacle: Option<Obstacle>,
    /// How its act's end is read, where it is not a command's.
    pub reading: Option<Reading>,
    /// A file of the controller that is written behind its steps (`fetch`).
    pub local: Option<LocalFile>,
    /// What people should know before it is made.
    pub warnings: Vec<String>,
    /// What it says or asks before anything goes on (`pause`).
    pub aside: Option<Aside>,
}

impl Change {
    fn with(action: Action, reason: impl Into<String>) -> Change {
        Change {
            action,
            fields: Vec::new(),
            steps: Vec::new(),
            effect: Effect::None,
            also: Vec::new(),
            reason: reason.into(),
            result: serde_json::Map::new(),
            facts: serde_json::Map::new(),
            obstacle: None,
            reading: None,
            local: None,
            warnings: Vec::new(),
            aside: None,
        }
    }

    /// Nothing to do, and why.
    pub fn none(reason: impl Into<String>) -> Change {
        Change::with(Action::None, reason)
    }

    /// Something to do; fields and steps follow.
    pub fn new(action: Action) -> Change {
        Change::with(action, "")
    }

    /// Cannot be: something it needs is absent. An earlier task may still bring it.
    pub fn blocked(message: impl Into<String>) -> Change {
        let mut change = Change::none("");
        change.obstacle = Some(Obstacle {
            message: message.into(),
            help: None,
            may_vanish: true,
        });
        change
    }

    /// Cannot be, whatever comes before.
    pub fn failed(message: impl Into<String>) -> Change {
        let mut change = Change::blocked(message);
        if let Some(obstacle) = &mut change.obstacle {
            obstacle.may_vanish = false;
        }
        change
    }

    /// Says what to do about the obstacle.
    pub fn help(mut self, help: impl Into<String>) -> Change {
        if let Some(obstacle) = &mut self.obstacle {
            obstacle.help = Some(help.into());
        }
        self
    }

    /// Adds a field.
    pub fn field(mut self, field: Field) -> Change {
        self.fields.push(field);
        self
    }

    /// Adds a step.
    pub fn step(mut self, step: Step) -> Change {
        self.steps.push(step);
        self
    }

    /// Adds something for `register`.
    pub fn result(mut self, key: &str, value: impl Into<serde_json::Value>) -> Change {
        self.result.insert(key.to_owned(), value.into());
        self
    }

    /// Says how its act's end is read.
    pub fn reading(mut self, reading: Reading) -> Change {
        self.reading = Some(reading);
        self
    }

    /// Sets the effect on a service.
    pub fn effect(mut self, effect: Effect) -> Change {
        self.effect = effect;
        self
    }

    /// Says something that people should know before it is made.
    pub fn warning(mut self, words: impl Into<String>) -> Change {
        self.warnings.push(words.into());
        self
    }

    /// Sets the words for people.
    pub fn reason(mut self, reason: impl Into<String>) -> Change {
        self.reason = reason.into();
        self
    }
}

/// Bytes that a step needs on the node.
#[derive(Debug, Clone)]
pub enum Content {
    /// In memory: templates, small files.
    Bytes(Arc<[u8]>),
    /// A file of the controller, streamed; never held in memory.
    File {
        /// Where it is.
        path: PathBuf,
        /// Its length in bytes when it was hashed.
        len: u64,
        /// Its SHA-256, lower-case hex.
        sha256: Arc<str>,
    },
    /// A tar stream of many files of the controller, made while it is sent. Entries are relative, with mode;
    /// owner and group are root's.
    Tar(Arc<Vec<TarEntry>>),
}

/// One file or folder of a [`Content::Tar`].
#[derive(Debug, Clone)]
pub struct TarEntry {
    /// Relative path on the node.
    pub name: String,
    /// Permission bits.
    pub mode: u32,
    /// The controller's file and its length, or none for a folder.
    pub file: Option<(PathBuf, u64)>,
}

/// What a step may have altered; what is known of it is forgotten, then the predictions are entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touch {
    /// A path, everything below it, and the listing of the folders above it.
    Path(String),
    /// A path where an empty folder is made: what was absent below it still is.
    NewFolder(String),
    /// An account, its groups and its home.
    Account(String),
    /// A group.
    Group(String),
    /// A unit; all knowledge of units is forgotten, since one may pull another.
    Unit(String),
    /// The answer to this question of debconf.
    Debconf(String),
    /// What apt knows of packages that are not installed, as a fetch of its lists does.
    PackageLists,
    /// Packet filter rules.
    Firewall,
    /// What a [`crate::fact::postgres::Ask`] with this key asks, and what depends on it.
    Postgres(String),
    /// Everything, as a package install or a command does.
    Everything,
}

/// Something that must be so: before a step, what it was decided on; behind it, what was wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// A path. Fields that are none do not matter.
    Path {
        /// Absolute path. A link is not followed.
        path: String,
        /// `f` file, `d` folder, `l` link, as `find -printf %y`; `-` for nothing there.
        kind: Option<char>,
        /// Permission bits.
        mode: Option<u32>,
        /// Owner's name or number, as the user wrote it.
        owner: Option<String>,
        /// Group's name or number.
        group: Option<String>,
        /// SHA-256 of the content.
        sha256: Option<String>,
        /// Where a link leads.
        target: Option<String>,
    },
    /// A shell fragment that must succeed; `field` is what is said to be wrong when it does not,
    /// with the fragment's output as what was found.
    Check {
        /// `state`, `enabled`, `shell` …
        field: String,
        /// POSIX sh.
        script: String,
    },
}

impl Expect {
    /// A path that must not be there.
    pub fn absent(path: impl Into<String>) -> Expect {
        Expect::Path {
            path: path.into(),
            kind: Some('-'),
            mode: None,
            owner: None,
            group: None,
            sha256: None,
            target: None,
        }
    }
}

/// One effect on a node.
///
/// `script` is POSIX sh, run by `/bin/sh` with `set -e`-less semantics: its last status decides. It runs as root, or as the task's
/// `become_user`, in a shell of its own with umask 022, folder `/`, `LC_ALL=C.UTF-8` and a plain PATH. Each of `inputs` is a readable file whose path is in
/// `$IN1`, `$IN2` …; it lies on the node's disk or tmpfs, not necessarily on the file system of the target. `$TAG` is unique for the run and
/// step, for temporary names beside a target.
#[derive(Debug, Clone)]
pub struct Step {
    /// What it does, for the live line: `write /etc/motd`, `install nginx`.
    pub title: String,
    /// POSIX sh.
    pub script: String,
    /// Bytes it needs.
    pub inputs: Vec<Content>,
    /// What it may alter.
    pub touches: Vec<Touch>,
    /// What is known afterwards, where it can be known.
    pub predicts: Vec<(Question, Answer)>,
    /// What it was decided on; if that has moved, it is not run and the task is diffed again.
    pub before: Vec<Expect>,
    /// What must be so directly behind it.
    pub verify: Vec<Expect>,
    /// Whether every other host must first have done what comes before it (starting a unit, a command).
    pub cut: bool,
    /// Whether it is an act whose output and status belong to the task's result (a command).
    pub act: bool,
    /// How long it may take.
    pub deadline: Duration,
    /// Environment variables.
    pub env: Vec<(String, String)>,
    /// Standard input of a command, if any; text only.
    pub stdin: Option<Arc<str>>,
    /// A short text that lies in a file while the step runs, named by `$LINE`: what is in arguments shows in the process list.
    pub line: Option<Arc<str>>,
    /// What keeps the way in open from this step to the end of its change.
    pub guard: Option<Arc<Guard>>,
    /// The step has the node restart shortly after it: it is waited for.
    pub reboot: Option<Reboot>,
    /// Whether each line that it says on standard output is for people.
    pub tells: bool,
}

impl Step {
    /// Thirty minutes: longer than any package install seen, short enough that a hung node ends a night run.
    pub const DEADLINE: Duration = Duration::from_secs(30 * 60);

    /// A step that only has its title and script yet.
    pub fn new(title: impl Into<String>, script: impl Into<String>) -> Step {
        Step {
            title: title.into(),
            script: script.into(),
            inputs: Vec::new(),
            touches: Vec::new(),
            predicts: Vec::new(),
            before: Vec::new(),
            verify: Vec::new(),
            cut: false,
            act: false,
            deadline: Step::DEADLINE,
            env: Vec::new(),
            stdin: None,
            line: None,
            guard: None,
            reboot: None,
            tells: false,
        }
    }

    /// Whether it has a script of its own, that ends with it: what comes behind waits for more than the script.
    pub fn stands_apart(&self) -> bool {
        self.guard.is_some() || self.reboot.is_some()
    }

    /// Adds an input; the n-th is `$INn` in the script.
    pub fn input(mut self, content: Content) -> Step {
        self.inputs.push(content);
        self
    }

    /// Says what it may alter.
    pub fn touch(mut self, touch: Touch) -> Step {
        self.touches.push(touch);
        self
    }

    /// Says what is known afterwards.
    pub fn predict(mut self, question: Question, answer: Answer) -> Step {
        self.predicts.push((question, answer));
        self
    }

    /// Says what it was decided on.
    pub fn before(mut self, expect: Expect) -> Step {
        self.before.push(expect);
        self
    }

    /// Says what must be so behind it.
    pub fn verify(mut self, expect: Expect) -> Step {
        self.verify.push(expect);
        self
    }

    /// Guards the way in from here to the end of the change. It waits for the other hosts as any cut.
    pub fn guard(mut self, guard: Guard) -> Step {
        self.guard = Some(Arc::new(guard));
        self.cut()
    }

    /// Makes it wait for the other hosts.
    pub fn cut(mut self) -> Step {
        self.cut = true;
        self
    }
}
