//! `--output json`: one object a line, each with `"v":1` and its name under `event`. Readers ignore what they do not know.

mod counts;
mod impact;

use std::io::Write;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::Serialize;

use self::counts::{Counts, counts};
use self::impact::{Disturbed, Follows, Open, disturbed, follows, open, strongest};
use super::output::Output;
use super::{Limits, Reporter, unified};
use crate::change::Field;
use crate::cluster::{NodeReport, Report};
use crate::diagnostic::Diagnostic;
use crate::event::{
    CommandResult, Event, Failure, ItemResult, LeaseEvent, NodeRecap, Recap, TaskResult,
};

/// Writes events for programs.
pub struct Json {
    output: Output,
}

impl Json {
    /// Each event is written and flushed at once.
    pub fn new(writer: Box<dyn Write + Send>) -> Json {
        Json {
            output: Output::new(writer),
        }
    }
}

impl Reporter for Json {
    fn event(&mut self, event: &Event) {
        if let Some(line) = line(event, None) {
            self.output.write(line.as_bytes());
        }
    }

    fn finish(&mut self) {}

    fn trouble(&self) -> Option<String> {
        self.output.trouble()
    }
}

/// The event as one line of json, ended by a newline; none for what only the live lines show. `time` (RFC 3339)
/// is put behind `v` where it is given. No character that any reader takes for a line break stands inside.
pub fn line(event: &Event, time: Option<&str>) -> Option<String> {
    let object = object(event)?;
    let mut line = serde_json::to_string(&Line { v: 1, time, object })
        .expect("texts, numbers and text keys always have a json form");
    for (char, escape) in LINE_BREAKS {
        if line.contains(char) {
            line = line.replace(char, escape);
        }
    }
    line.push('\n');
    Some(line)
}

/// Json allows these inside a text; readers that split lines by Unicode's rules do not.
const LINE_BREAKS: [(char, &str); 3] = [
    ('\u{85}', "\\u0085"),
    ('\u{2028}', "\\u2028"),
    ('\u{2029}', "\\u2029"),
];

#[derive(Serialize)]
struct Line<'a> {
    v: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<&'a str>,
    #[serde(flatten)]
    object: Object<'a>,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Object<'a> {
    RunStarted {
        mode: &'static str,
        run_id: &'a str,
        playbook: &'a str,
        hosts: &'a [Arc<str>],
        log: Option<&'a str>,
    },
    PlayStarted {
        play: &'a str,
        hosts: &'a [Arc<str>],
    },
    HostConnected {
        host: &'a str,
    },
    HostUnreachable {
        host: &'a str,
        error: &'a str,
        help: Option<&'a str>,
        output: &'a [String],
    },
    TaskFinished(Box<Task<'a>>),
    HandlerFinished(Box<Task<'a>>),
    CommandFinished(&'a CommandResult),
    Facts {
        host: &'a str,
        facts: &'a serde_json::Map<String, serde_json::Value>,
    },
    Warning {
        host: Option<&'a str>,
        message: &'a str,
    },
    Diagnostic {
        severity: &'static str,
        message: &'a str,
        file: Option<&'a str>,
        line: Option<usize>,
        column: Option<usize>,
        label: Option<&'a str>,
        help: Option<&'a str>,
    },
    Owed {
        host: &'a str,
        handler: &'a str,
        since: &'a str,
    },
    Release {
        release: &'a str,
    },
    NodeState {
        host: &'a str,
        state: &'static str,
        ms: u64,
        detail: &'a str,
    },
    Lease(&'a LeaseEvent),
    ClusterStatus(&'a Report),
    NodeStatus(&'a NodeReport),
    Looked {
        round: u64,
        at: &'a str,
        ms: u64,
    },
    PlanMoved {
        host: Option<&'a str>,
        task: Option<&'a str>,
        at: Option<&'a str>,
        file: Option<&'a str>,
        field: &'a str,
        planned: &'a str,
        now: &'a str,
    },
    PlanSaved {
        file: &'a str,
    },
    RunFinished {
        exit_code: u8,
        reason: &'a str,
        touched: bool,
        elapsed_ms: u64,
        hosts: IndexMap<&'a str, Counts>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        rollout: Vec<Node<'a>>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        effects: Vec<Disturbed<'a>>,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        reboots: &'a [Arc<str>],
        #[serde(skip_serializing_if = "Vec::is_empty")]
        unknown: Vec<Open<'a>>,
    },
}

#[derive(Serialize)]
struct Task<'a> {
    play: &'a str,
    task: &'a str,
    host: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    delegate: Option<&'a str>,
    status: &'static str,
    at: &'a str,
    kind: &'static str,
    action: &'static str,
    changes: Vec<Change<'a>>,
    effect: &'static str,
    unit: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    effects: Vec<Follows<'a>>,
    msg: &'a str,
    rc: Option<i32>,
    duration_ms: u64,
    rescued: bool,
    ignored: bool,
    known_after: Option<&'a str>,
    items: Vec<Item<'a>>,
    failure: Option<Cause<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    item: &'a str,
    status: &'static str,
    changes: Vec<Change<'a>>,
    msg: &'a str,
}

#[derive(Serialize)]
struct Cause<'a> {
    message: &'a str,
    command: Option<&'a str>,
    rc: Option<i32>,
    output: &'a [String],
    help: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Change<'a> {
    Value {
        field: &'a str,
        before: &'a str,
        after: &'a str,
    },
    Text {
        field: &'a str,
        before_sha256: Option<&'a str>,
        after_sha256: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        diff: Option<String>,
    },
}

#[derive(Serialize)]
struct Node<'a> {
    host: &'a str,
    state: &'static str,
    drain_ms: u64,
    update_ms: u64,
    check_ms: u64,
    connections_stayed: u64,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    switchovers: &'a [String],
    trouble: Option<&'a str>,
}

fn object(event: &Event) -> Option<Object<'_>> {
    Some(match event {
        Event::RunStarted {
            mode,
            run_id,
            playbook,
            hosts,
            log,
        } => Object::RunStarted {
            mode: mode.word(),
            run_id,
            playbook,
            hosts,
            log: log.as_deref(),
        },
        Event::PlayStarted { play, hosts } => Object::PlayStarted { play, hosts },
        Event::HostConnected { host } => Object::HostConnected { host },
        Event::HostUnreachable { host, error } => Object::HostUnreachable {
            host,
            error: &error.message,
            help: error.help.as_deref(),
            output: &error.output,
        },
        Event::HostWorking { .. } | Event::CommandOutput { .. } | Event::Paused { .. } => {
            return None;
        }
        Event::CommandFinished(result) => Object::CommandFinished(result),
        Event::Facts { host, facts } => Object::Facts { host, facts },
        Event::TaskFinished(result) if result.handler => {
            Object::HandlerFinished(Box::new(task(result)))
        }
        Event::TaskFinished(result) => Object::TaskFinished(Box::new(task(result))),
        Event::Warning { host, message } => Object::Warning {
            host: host.as_deref(),
            message,
        },
        Event::Diagnostic(diagnostic) => self::diagnostic(diagnostic),
        Event::Owed {
            host,
            handler,
            since,
        } => Object::Owed {
            host,
            handler,
            since,
        },
        Event::Release { release } => Object::Release { release },
        Event::NodeState {
            host,
            state,
            ms,
            detail,
        } => Object::NodeState {
            host,
            state,
            ms: *ms,
            detail,
        },
        Event::Lease(lease) => Object::Lease(lease),
        Event::Cluster(report) => Object::ClusterStatus(report),
        Event::Node(report) => Object::NodeStatus(report),
        Event::Looked { round, at, ms } => Object::Looked {
            round: *round,
            at,
            ms: *ms,
        },
        Event::PlanMoved(moved) => Object::PlanMoved {
            host: moved.host.as_deref(),
            task: moved.task.as_deref(),
            at: moved.at.as_deref(),
            file: moved.file.as_deref(),
            field: &moved.field,
            planned: &moved.planned,
            now: &moved.now,
        },
        Event::PlanSaved { file } => Object::PlanSaved { file },
        Event::RunFinished(recap) => self::recap(recap),
    })
}

fn task(result: &TaskResult) -> Task<'_> {
    let effect = strongest(result);
    Task {
        play: &result.play,
        task: &result.task,
        host: &result.host,
        delegate: result.delegate.as_deref(),
        status: result.status.word(),
        at: &result.at,
        kind: result.kind,
        action: result.action.word(),
        changes: changes(&result.changes),
        effect: effect.word(),
        unit: effect.unit(),
        effects: result.follows.iter().map(follows).collect(),
        msg: &result.msg,
        rc: result.rc,
        duration_ms: result.duration_ms,
        rescued: result.rescued,
        ignored: result.ignored,
        known_after: result.known_after.as_deref(),
        items: result.items.iter().map(item).collect(),
        failure: result.failure.as_ref().map(cause),
    }
}

fn item(item: &ItemResult) -> Item<'_> {
    Item {
        item: &item.item,
        status: item.status.word(),
        changes: changes(&item.changes),
        msg: &item.msg,
    }
}

fn cause(failure: &Failure) -> Cause<'_> {
    Cause {
        message: &failure.message,
        command: failure.command.as_deref(),
        rc: failure.rc,
        output: &failure.output,
        help: failure.help.as_deref(),
    }
}

fn changes(fields: &[Field]) -> Vec<Change<'_>> {
    fields.iter().map(change).collect()
}

fn change(field: &Field) -> Change<'_> {
    match field {
        Field::Value {
            field,
            before,
            after,
        } => Change::Value {
            field,
            before,
            after,
        },
        Field::Text {
            field: name,
            before_sha256,
            after_sha256,
            ..
        } => Change::Text {
            field: name,
            before_sha256: before_sha256.as_deref(),
            after_sha256: after_sha256.as_deref(),
            diff: super::diff::texts(field)
                .map(|(before, after)| unified(name, before, after, Limits::WHOLE)),
        },
    }
}

fn diagnostic(diagnostic: &Diagnostic) -> Object<'_> {
    let span = diagnostic.span.as_ref();
    let place = span.filter(|span| !span.source().text().is_empty());
    Object::Diagnostic {
        severity: diagnostic.severity.word(),
        message: &diagnostic.message,
        file: span.map(|span| span.source().name()),
        line: place.map(|span| span.line()),
        column: place.map(|span| span.column()),
        label: diagnostic.label.as_deref(),
        help: diagnostic.help.as_deref(),
    }
}

fn recap(recap: &Recap) -> Object<'_> {
    Object::RunFinished {
        exit_code: recap.exit_code,
        reason: &recap.reason,
        touched: recap.touched,
        elapsed_ms: recap.elapsed_ms,
        hosts: recap
            .hosts
            .iter()
            .map(|(host, tally)| (&**host, counts(tally)))
            .collect(),
        rollout: recap.rollout.iter().map(node).collect(),
        effects: disturbed(&recap.impact),
        reboots: &recap.impact.reboots,
        unknown: open(&recap.impact),
    }
}

fn node(node: &NodeRecap) -> Node<'_> {
    Node {
        host: &node.host,
        state: node.state,
        drain_ms: node.drain_ms,
        update_ms: node.update_ms,
        check_ms: node.check_ms,
        connections_stayed: node.stayed,
        switchovers: &node.switchovers,
        trouble: node.trouble.as_deref(),
    }
}
