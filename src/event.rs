//! What happened: plain data that the engine sends and the reporters show. The vocabulary of `--output json`.

mod failure;
mod impact;

use std::sync::Arc;

use indexmap::IndexMap;
use serde::Serialize;

use crate::change::{Action, Effect, Field};
use crate::cluster::{NodeReport, Report};
use crate::diagnostic::Diagnostic;

pub use failure::Failure;
pub use impact::Impact;

/// Plan shows, apply does. One code path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Shows what would change; nothing can write.
    Plan,
    /// Changes what differs.
    Apply,
    /// Changes what differs, node after node, each taken out of the balancer meanwhile.
    Rolling,
    /// Runs one command, which may change anything.
    Exec,
}

impl Mode {
    /// Whether steps may run.
    pub fn may_change(self) -> bool {
        self != Mode::Plan
    }

    /// `plan`, `apply`, `rolling-update` or `exec`, as events spell it.
    pub fn word(self) -> &'static str {
        match self {
            Mode::Plan => "plan",
            Mode::Apply => "apply",
            Mode::Rolling => "rolling-update",
            Mode::Exec => "exec",
        }
    }
}

/// How one task ended on one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Already as wanted.
    Ok,
    /// Changed; in a plan, would change.
    Changed,
    /// Its condition was false.
    Skipped,
    /// Failed; the host does no more.
    Failed,
    /// The connection was lost and could not be made again.
    Unreachable,
    /// In a plan: cannot be known before an earlier task has run.
    Unknown,
}

impl Status {
    /// The word in events.
    pub fn word(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Changed => "changed",
            Status::Skipped => "skipped",
            Status::Failed => "failed",
            Status::Unreachable => "unreachable",
            Status::Unknown => "unknown",
        }
    }
}

/// One item of a loop.
#[derive(Debug, Clone)]
pub struct ItemResult {
    /// The item's label.
    pub item: String,
    /// How it ended.
    pub status: Status,
    /// What differed.
    pub changes: Vec<Field>,
    /// A word about it: the reason, the error.
    pub msg: String,
}

/// What a change means for a service: at once, or by a handler that it notifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consequence {
    /// Reload or restart, and of what; none when nobody can tell what the handler does to services.
    pub effect: Effect,
    /// The handler that does it.
    pub handler: Option<Arc<str>>,
}

/// A task or a handler that ended on a host.
#[derive(Debug, Clone)]
pub struct TaskResult {
    /// The play's name.
    pub play: Arc<str>,
    /// The task's name; its module for an unnamed one.
    pub task: Arc<str>,
    /// The host's name.
    pub host: Arc<str>,
    /// The other hosts that acted in its place, if any did.
    pub delegate: Option<Arc<str>>,
    /// How it ended.
    pub status: Status,
    /// `file:line` of the task.
    pub at: Arc<str>,
    /// The kind: `apt`, `copy` …
    pub kind: &'static str,
    /// What was or would be done.
    pub action: Action,
    /// What differed.
    pub changes: Vec<Field>,
    /// Reload or restart, and of what: its own, that of its first item which has one.
    pub effect: Effect,
    /// Everything that follows for services: its own effects, then those of the handlers it notifies.
    pub follows: Vec<Consequence>,
    /// The reason, a message of `debug`, or the error in one sentence.
    pub msg: String,
    /// Exit status of a command.
    pub rc: Option<i32>,
    /// From the start of its script to its end; 0 for what needed none.
    pub duration_ms: u64,
    /// The items of a loop, else empty.
    pub items: Vec<ItemResult>,
    /// Failed or unreachable, but `ignore_errors` or `ignore_unreachable` goes on.
    pub ignored: bool,
    /// Failed, and a rescue took over.
    pub rescued: bool,
    /// In a plan: the task it waits for.
    pub known_after: Option<String>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// Whether it is a handler.
    pub handler: bool,
}

/// The counts of one host: disjoint, one per task or handler.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Already as wanted.
    pub ok: u32,
    /// Changed, or would change.
    pub changed: u32,
    /// Conditions that were false.
    pub skipped: u32,
    /// Failed.
    pub failed: u32,
    /// Failed and rescued.
    pub rescued: u32,
    /// Failed and ignored.
    pub ignored: u32,
    /// Not known before an apply.
    pub unknown: u32,
    /// 1 if the host could not be reached or was lost.
    pub unreachable: u32,
    /// Scripts whose answer the run waited for.
    pub round_trips: u32,
    /// Content streams beside them.
    pub streams: u32,
}

impl Tally {
    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Tally) {
        self.ok += other.ok;
        self.changed += other.changed;
        self.skipped += other.skipped;
        self.failed += other.failed;
        self.rescued += other.rescued;
        self.ignored += other.ignored;
        self.unknown += other.unknown;
        self.unreachable = self.unreachable.max(other.unreachable);
        self.round_trips += other.round_trips;
        self.streams += other.streams;
    }

    /// Counts a result of the host.
    pub fn count(&mut self, result: &TaskResult) {
        match result.status {
            Status::Ok => self.ok += 1,
            Status::Changed => self.changed += 1,
            Status::Skipped => self.skipped += 1,
            Status::Failed if result.rescued => self.rescued += 1,
            Status::Failed if result.ignored => self.ignored += 1,
            Status::Failed => self.failed += 1,
            Status::Unreachable if result.ignored => self.ignored += 1,
            Status::Unreachable => self.unreachable = 1,
            Status::Unknown => self.unknown += 1,
        }
    }
}

/// The end of a run.
#[derive(Debug, Clone)]
pub struct Recap {
    /// The exit status of the program.
    pub exit_code: u8,
    /// Why, in a sentence.
    pub reason: String,
    /// Whether anything was written to any node.
    pub touched: bool,
    /// Wall time.
    pub elapsed_ms: u64,
    /// Each host of the run, in inventory order.
    pub hosts: IndexMap<Arc<str>, Tally>,
    /// What a rolling update did with each of its nodes; empty for other runs.
    pub rollout: Vec<NodeRecap>,
    /// What all changes together did, or would do, to services and nodes.
    pub impact: Impact,
}

/// One node of a rolling update, at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRecap {
    /// The node.
    pub host: Arc<str>,
    /// Where it stands: `in_service`, `attached`, `out` …
    pub state: &'static str,
    /// What is wrong with it.
    pub trouble: Option<String>,
    /// Milliseconds until it was drained.
    pub drain_ms: u64,
    /// Milliseconds that its plays took.
    pub update_ms: u64,
    /// Milliseconds of the health gate, and until the balancer had it back.
    pub check_ms: u64,
    /// Connections that were still open when it was updated.
    pub stayed: u64,
    /// Planned switchovers before it was taken out, each in words: `PostgreSQL to n2`.
    pub switchovers: Vec<String>,
}

/// The lease of a host that a run holds, or held.
#[derive(Debug, Clone, Serialize)]
pub struct LeaseEvent {
    /// The host.
    pub host: Arc<str>,
    /// The run.
    pub run: String,
    /// `user@machine`, with the address of the pipeline's page where it is one.
    pub holder: String,
    /// The command line.
    pub command: String,
    /// When the run began, RFC 3339.
    pub since: String,
    /// Seconds since its last sign of life.
    pub silent_s: u64,
    /// Whether that is not too long ago.
    pub lives: bool,
    /// Whether a step of it still runs on the host.
    pub works: bool,
    /// Whether it was given back now.
    pub freed: bool,
}

/// One thing that is otherwise than a saved plan has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// The host; none for a file of the project, and for a cluster as a whole.
    pub host: Option<Arc<str>>,
    /// The task.
    pub task: Option<Arc<str>>,
    /// `file:line` of the task.
    pub at: Option<Arc<str>>,
    /// The file of the project.
    pub file: Option<String>,
    /// What: a field, `change`, `status` …
    pub field: String,
    /// What was planned.
    pub planned: String,
    /// What it is now.
    pub now: String,
}

/// A command of the operator's that ended on a host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CommandResult {
    /// The host.
    pub host: Arc<str>,
    /// The command, for `/bin/sh`.
    pub command: String,
    /// Its exit status, 128 plus the number for a signal; none when the host was lost.
    pub rc: Option<i32>,
    /// Its standard output, the last line ended too.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// Whether there was more than is kept.
    pub cut: bool,
    /// From its start to its end.
    pub duration_ms: u64,
    /// Why there is no status.
    pub msg: String,
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The run begins.
    RunStarted {
        /// Plan or apply.
        mode: Mode,
        /// Its name on nodes and in logs.
        run_id: Arc<str>,
        /// As the user gave it.
        playbook: String,
        /// All hosts of the run.
        hosts: Vec<Arc<str>>,
        /// Where the full log is written.
        log: Option<String>,
    },
    /// A play begins.
    PlayStarted {
        /// Its name.
        play: Arc<str>,
        /// Its hosts.
        hosts: Vec<Arc<str>>,
    },
    /// A host answered.
    HostConnected {
        /// The host.
        host: Arc<str>,
    },
    /// A host did not answer, or was lost.
    HostUnreachable {
        /// The host.
        host: Arc<str>,
        /// Why, and what to do.
        error: Failure,
    },
    /// What a host works on now, for the live line; not in the json output.
    HostWorking {
        /// The host.
        host: Arc<str>,
        /// `installing nginx`, `waiting for n2` …
        what: String,
    },
    /// A command of the operator's said a line, for who watches; not in the json output.
    CommandOutput {
        /// The host.
        host: Arc<str>,
        /// Whether on standard error.
        error: bool,
        /// The line, without its end.
        line: String,
    },
    /// A command of the operator's ended on a host.
    CommandFinished(Box<CommandResult>),
    /// What was gathered of a host.
    Facts {
        /// The host.
        host: Arc<str>,
        /// By name, without `ansible_`.
        facts: serde_json::Map<String, serde_json::Value>,
    },
    /// A task ended on a host.
    TaskFinished(Box<TaskResult>),
    /// Something worth a word.
    Warning {
        /// The host, if it concerns one.
        host: Option<Arc<str>>,
        /// What.
        message: String,
    },
    /// A `pause` has something to say to who watches; not in the json output.
    Paused {
        /// Its name.
        task: Arc<str>,
        /// What.
        words: String,
        /// Where an answer is waited for: whether what is typed is not shown.
        hidden: Option<bool>,
    },
    /// Something to fix in the user's files, found while running.
    Diagnostic(Box<Diagnostic>),
    /// A handler that an earlier run owed.
    Owed {
        /// The host.
        host: Arc<str>,
        /// The handler's name.
        handler: String,
        /// When the change was made, RFC 3339.
        since: String,
    },
    /// The release that a rolling update brings to its nodes: the one that was asked for, or the one they go back to.
    Release {
        /// Its name.
        release: String,
    },
    /// A node of a rolling update came to another state.
    NodeState {
        /// The node.
        host: Arc<str>,
        /// `in_service`, `draining`, `drained`, `updating`, `checking`, `attached`, `out` or `lost`.
        state: &'static str,
        /// Milliseconds it was in the state before.
        ms: u64,
        /// A word about it: what is waited for, why it is out.
        detail: String,
    },
    /// Who holds the lease of a host, and what came of it.
    Lease(Box<LeaseEvent>),
    /// How a cluster is.
    Cluster(Box<Report>),
    /// How a node is.
    Node(Box<NodeReport>),
    /// Everything was looked at once: behind what was told of the nodes and clusters.
    Looked {
        /// Which look it was; the first is 1.
        round: u64,
        /// When it ended, RFC 3339.
        at: String,
        /// How long it took.
        ms: u64,
    },
    /// Something is otherwise than in the plan that is to be applied.
    PlanMoved(Box<Moved>),
    /// The plan was written to a file.
    PlanSaved {
        /// Its path, as the user gave it.
        file: String,
    },
    /// The run ended.
    RunFinished(Recap),
}
