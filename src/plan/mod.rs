//! A saved plan: what an apply would do, task by task on each host, as it can be compared later without holding any secret.
//!
//! A plan is a promise in two ways. Before anything is written, the diff is made anew and compared with the saved one ([`compare::moved`]). And while
//! it is applied, each change is compared once more before it is written ([`Promise::check`]), since a node may move in between.
//!
//! Values are compared by hashes under a salt of the file; what is shown of them is masked. What a plan cannot know is kept as such: a task that
//! waits for another, a command, and what stands *behind* a task that may alter anything (a package, a command). Only there an apply may
//! find other things than the plan did, and even there it writes nothing but what was planned to be written.

mod compare;
mod file;
mod promise;
mod record;

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::change::{Action, Field};
use crate::secret::MASK;

pub use compare::{Difference, moved};
pub use file::{FileError, read, write};
pub use promise::Promise;
pub use record::Record;

/// A cluster without a primary.
pub const NOBODY: &str = "none";

/// A saved plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// hadeploy's version.
    pub version: String,
    /// When it was made, RFC 3339.
    pub made: String,
    /// By whom: `user@machine`.
    pub by: String,
    /// The commit of the project, if it is a repository.
    pub commit: Option<String>,
    /// What it is a plan of.
    pub of: Identity,
    /// Under which values are hashed.
    pub salt: Salt,
    /// The files of the project that were read, each with its SHA-256.
    pub files: BTreeMap<String, String>,
    /// The tasks of each host, in their order.
    pub hosts: IndexMap<String, Vec<TaskPlan>>,
}

/// What the command line said: the same words give the same run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Playbooks, as they were given.
    pub playbooks: Vec<String>,
    /// Inventories, as they were given.
    pub inventories: Vec<String>,
    /// `--limit`.
    pub limit: Option<String>,
    /// `--tags`.
    pub tags: Vec<String>,
    /// `--skip-tags`.
    pub skip_tags: Vec<String>,
    /// `--start-at-task`.
    pub start_at_task: Option<String>,
    /// The names of `-e`, each with the hash of its value.
    pub extra: BTreeMap<String, String>,
}

/// A task or handler on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskPlan {
    /// Where it stands: the number of the play, and the way to the task in it.
    pub place: String,
    /// Its name.
    pub task: String,
    /// `file:line`.
    pub at: String,
    /// `apt`, `copy` …
    pub kind: String,
    /// `ok`, `changed`, `skipped`, `unknown` …
    pub status: String,
    /// The task before which nothing is known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_after: Option<String>,
    /// A task before it may alter anything: what it finds may be otherwise then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<String>,
    /// Of a cluster: who its primary was, or [`NOBODY`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leads: Option<String>,
    /// Of a cluster's member: how its server was found, where it did not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down: Option<String>,
    /// What follows for services: `restart nginx.service`, `reload nginx.service by handler web`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<String>,
    /// Its change, or those of the items of its loop. Only those with something to tell stand in it for a task without a loop.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<UnitPlan>,
}

/// The change of a task, or of one item of its loop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitPlan {
    /// `ok`, `changed` …
    pub status: String,
    /// `create`, `update` …
    pub action: String,
    /// What differs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldPlan>,
    /// The hash of what is run, where something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<String>,
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldPlan {
    /// Its name.
    pub field: String,
    /// As found, for people; of a text nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub before: String,
    /// As wanted, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub after: String,
    /// The hash of what was found.
    pub was: String,
    /// The hash of what is wanted.
    pub will: String,
}

/// What values are hashed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Salt(String);

impl Salt {
    /// A new one, of what nobody can guess.
    pub fn new(random: [u8; 16]) -> Salt {
        Salt(hex(&random))
    }

    /// The hash of a value.
    pub fn hash(&self, value: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(self.0.as_bytes());
        hash.update([0]);
        hash.update(value.as_bytes());
        hex(&hash.finalize()[..16])
    }
}

/// How values are shown: never, or with the secrets in them masked.
#[derive(Clone, Copy)]
pub enum Shown<'a> {
    /// `no_log`.
    Never,
    /// By this.
    Masked(&'a dyn Fn(&str) -> String),
}

impl Shown<'_> {
    fn text(self, text: &str) -> String {
        match self {
            Shown::Never => MASK.to_owned(),
            Shown::Masked(mask) => mask(text),
        }
    }
}

impl UnitPlan {
    /// Of a change: what is done, what differs, what is run.
    pub fn of(
        status: &str,
        action: Action,
        fields: &[Field],
        runs: Option<&str>,
        salt: &Salt,
        shown: Shown,
    ) -> UnitPlan {
        UnitPlan {
            status: status.to_owned(),
            action: action.word().to_owned(),
            fields: fields
                .iter()
                .map(|field| FieldPlan::of(field, salt, shown))
                .collect(),
            runs: runs.map(|runs| salt.hash(runs)),
        }
    }

    /// Whether nothing is to be done.
    pub fn is_none(&self) -> bool {
        self.action == Action::None.word() && self.fields.is_empty() && self.runs.is_none()
    }
}

impl FieldPlan {
    fn of(field: &Field, salt: &Salt, shown: Shown) -> FieldPlan {
        let name = shown.text(field.name());
        match field {
            Field::Value { before, after, .. } => FieldPlan {
                field: name,
                before: shown.text(before),
                after: shown.text(after),
                was: salt.hash(before),
                will: salt.hash(after),
            },
            Field::Text {
                before_sha256,
                after_sha256,
                ..
            } => {
                let hash = |sha256: &Option<String>| salt.hash(sha256.as_deref().unwrap_or(""));
                FieldPlan {
                    field: name,
                    before: String::new(),
                    after: String::new(),
                    was: hash(before_sha256),
                    will: hash(after_sha256),
                }
            }
        }
    }
}

impl Plan {
    /// How many changes it holds, and how many of what only an apply knows.
    pub fn pending(&self) -> (usize, usize) {
        let tasks = || self.hosts.values().flatten();
        let with = |status: &str| tasks().filter(|task| task.status == status).count();
        (with("changed"), with("unknown"))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
