//! The log of a run, read back: each line becomes the event it was, so that a run can be shown again.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::change::{Action, Effect, Field};
use crate::diagnostic::{Diagnostic, Severity};
use crate::event::{
    CommandResult, Consequence, Event, Failure, Impact, ItemResult, LeaseEvent, Mode, Moved,
    NodeRecap, Recap, Status, Tally, TaskResult,
};
use crate::source::{Source, Span};

/// Names of states, as events have them.
const STATES: &[&str] = &[
    "in_service",
    "draining",
    "drained",
    "updating",
    "checking",
    "attached",
    "out",
    "lost",
];

/// What a line of a log says.
#[derive(Debug)]
pub enum Replayed {
    /// This happened.
    Event(Box<Event>),
    /// Something that is known and that people are not shown again, such as a look at a cluster.
    Passed,
    /// The line is damaged, or of a later hadeploy.
    Damaged,
}

/// Reads a line back. `kinds` gives the lasting name of a kind of task.
pub fn replay(line: &str, kinds: &dyn Fn(&str) -> &'static str) -> Replayed {
    let Ok(json) = serde_json::from_str::<Json>(line) else {
        return Replayed::Damaged;
    };
    match json["event"].as_str() {
        Some("cluster_status" | "node_status" | "looked" | "facts") => Replayed::Passed,
        Some(_) => match event(&json, kinds) {
            Some(event) => Replayed::Event(Box::new(event)),
            None => Replayed::Damaged,
        },
        None => Replayed::Damaged,
    }
}

fn event(json: &Json, kinds: &dyn Fn(&str) -> &'static str) -> Option<Event> {
    let name = json["event"].as_str()?;
    Some(match name {
        "run_started" => Event::RunStarted {
            mode: mode(json["mode"].as_str()?)?,
            run_id: shared(&json["run_id"])?,
            playbook: text(&json["playbook"]),
            hosts: names(&json["hosts"]),
            log: optional(&json["log"]),
        },
        "play_started" => Event::PlayStarted {
            play: shared(&json["play"])?,
            hosts: names(&json["hosts"]),
        },
        "host_connected" => Event::HostConnected {
            host: shared(&json["host"])?,
        },
        "host_unreachable" => Event::HostUnreachable {
            host: shared(&json["host"])?,
            error: Failure {
                message: text(&json["error"]),
                help: optional(&json["help"]),
                output: texts(&json["output"]),
                ..Failure::default()
            },
        },
        "task_finished" | "handler_finished" => {
            Event::TaskFinished(Box::new(task(json, name == "handler_finished", kinds)?))
        }
        "command_finished" => Event::CommandFinished(Box::new(CommandResult {
            host: shared(&json["host"])?,
            command: text(&json["command"]),
            rc: number(&json["rc"]),
            stdout: text(&json["stdout"]),
            stderr: text(&json["stderr"]),
            cut: flag(&json["cut"]),
            duration_ms: count(&json["duration_ms"]),
            msg: text(&json["msg"]),
        })),
        "warning" => Event::Warning {
            host: shared(&json["host"]),
            message: text(&json["message"]),
        },
        "diagnostic" => Event::Diagnostic(Box::new(diagnostic(json)?)),
        "owed" => Event::Owed {
            host: shared(&json["host"])?,
            handler: text(&json["handler"]),
            since: text(&json["since"]),
        },
        "release" => Event::Release {
            release: text(&json["release"]),
        },
        "node_state" => Event::NodeState {
            host: shared(&json["host"])?,
            state: state(&json["state"])?,
            ms: count(&json["ms"]),
            detail: text(&json["detail"]),
        },
        "lease" => Event::Lease(Box::new(LeaseEvent {
            host: shared(&json["host"])?,
            run: text(&json["run"]),
            holder: text(&json["holder"]),
            command: text(&json["command"]),
            since: text(&json["since"]),
            silent_s: count(&json["silent_s"]),
            lives: flag(&json["lives"]),
            works: flag(&json["works"]),
            freed: flag(&json["freed"]),
        })),
        "plan_moved" => Event::PlanMoved(Box::new(Moved {
            host: shared(&json["host"]),
            task: shared(&json["task"]),
            at: shared(&json["at"]),
            file: optional(&json["file"]),
            field: text(&json["field"]),
            planned: text(&json["planned"]),
            now: text(&json["now"]),
        })),
        "plan_saved" => Event::PlanSaved {
            file: text(&json["file"]),
        },
        "run_finished" => Event::RunFinished(recap(json)?),
        _ => return None,
    })
}

fn mode(word: &str) -> Option<Mode> {
    [Mode::Plan, Mode::Apply, Mode::Rolling, Mode::Exec]
        .into_iter()
        .find(|mode| mode.word() == word)
}

fn task(json: &Json, handler: bool, kinds: &dyn Fn(&str) -> &'static str) -> Option<TaskResult> {
    let follows = json["effects"].as_array().into_iter().flatten();
    let follows: Vec<Consequence> = follows
        .map(|it| Consequence {
            effect: effect(&it["effect"], &it["unit"]),
            handler: shared(&it["handler"]),
        })
        .collect();
    let items = json["items"].as_array().into_iter().flatten();
    let cause = Some(&json["failure"]).filter(|cause| cause.is_object());
    Some(TaskResult {
        play: shared(&json["play"])?,
        task: shared(&json["task"])?,
        host: shared(&json["host"])?,
        delegate: shared(&json["delegate"]),
        status: status(&json["status"])?,
        at: shared(&json["at"])?,
        kind: kinds(json["kind"].as_str()?),
        action: action(&json["action"])?,
        changes: fields(&json["changes"]),
        effect: effect(&json["effect"], &json["unit"]),
        follows,
        msg: text(&json["msg"]),
        rc: number(&json["rc"]),
        duration_ms: count(&json["duration_ms"]),
        items: items
            .filter_map(|it| {
                Some(ItemResult {
                    item: text(&it["item"]),
                    status: status(&it["status"])?,
                    changes: fields(&it["changes"]),
                    msg: text(&it["msg"]),
                })
            })
            .collect(),
        ignored: flag(&json["ignored"]),
        rescued: flag(&json["rescued"]),
        known_after: optional(&json["known_after"]),
        failure: cause.map(|cause| Failure {
            message: text(&cause["message"]),
            command: optional(&cause["command"]),
            rc: number(&cause["rc"]),
            output: texts(&cause["output"]),
            help: optional(&cause["help"]),
        }),
        handler,
    })
}

fn fields(json: &Json) -> Vec<Field> {
    let fields = json.as_array().into_iter().flatten();
    fields
        .filter_map(|json| {
            let field = json["field"].as_str()?.to_owned();
            if json.get("before_sha256").is_none() {
                return Some(Field::Value {
                    field,
                    before: text(&json["before"]),
                    after: text(&json["after"]),
                });
            }
            let diff = json["diff"].as_str();
            let sides = diff.and_then(super::undiff::sides);
            // Nothing is shown that was not seen.
            let seen = |(before, after): &(String, String)| {
                diff == Some(&*super::unified(
                    &field,
                    before,
                    after,
                    super::Limits::WHOLE,
                ))
            };
            let (before, after) = sides.filter(seen).unzip();
            Some(Field::Text {
                field,
                before_sha256: optional(&json["before_sha256"]),
                after_sha256: optional(&json["after_sha256"]),
                before: before.map(Arc::from),
                after: after.map(Arc::from),
            })
        })
        .collect()
}

/// Its lines are not shown again: the file may be another by now.
fn diagnostic(json: &Json) -> Option<Diagnostic> {
    let mut place = optional(&json["file"]).unwrap_or_default();
    for part in ["line", "column"] {
        if let Some(number) = json[part].as_u64() {
            place.push_str(&format!(":{number}"));
        }
    }
    let source = Source::new(place.clone(), "");
    Some(Diagnostic {
        severity: match json["severity"].as_str()? {
            "warning" => Severity::Warning,
            _ => Severity::Error,
        },
        message: text(&json["message"]),
        span: (!place.is_empty()).then(|| Span::new(&source, 0, 0)),
        label: optional(&json["label"]),
        related: None,
        help: optional(&json["help"]),
        absent: false,
    })
}

fn recap(json: &Json) -> Option<Recap> {
    let hosts = json["hosts"].as_object().into_iter().flatten();
    let nodes = json["rollout"].as_array().into_iter().flatten();
    Some(Recap {
        exit_code: u8::try_from(json["exit_code"].as_u64()?).ok()?,
        reason: text(&json["reason"]),
        touched: flag(&json["touched"]),
        elapsed_ms: count(&json["elapsed_ms"]),
        hosts: hosts
            .map(|(host, counts)| (host.as_str().into(), tally(counts)))
            .collect(),
        rollout: nodes
            .filter_map(|it| {
                Some(NodeRecap {
                    host: shared(&it["host"])?,
                    state: state(&it["state"])?,
                    trouble: optional(&it["trouble"]),
                    drain_ms: count(&it["drain_ms"]),
                    update_ms: count(&it["update_ms"]),
                    check_ms: count(&it["check_ms"]),
                    stayed: count(&it["connections_stayed"]),
                    switchovers: texts(&it["switchovers"]),
                })
            })
            .collect(),
        impact: impact(json),
    })
}

fn impact(json: &Json) -> Impact {
    let mut impact = Impact {
        reboots: names(&json["reboots"]),
        ..Impact::default()
    };
    for it in json["effects"].as_array().into_iter().flatten() {
        let row = (effect(&it["effect"], &it["unit"]), names(&it["hosts"]));
        match flag(&it["possible"]) {
            true => impact.possible.push(row),
            false => impact.effects.push(row),
        }
    }
    for it in json["unknown"].as_array().into_iter().flatten() {
        if let Some(task) = shared(&it["task"]) {
            impact.open.push((task, names(&it["hosts"])));
        }
    }
    impact
}

fn tally(json: &Json) -> Tally {
    let get = |name: &str| u32::try_from(count(&json[name])).unwrap_or(u32::MAX);
    Tally {
        ok: get("ok"),
        changed: get("changed"),
        skipped: get("skipped"),
        failed: get("failed"),
        rescued: get("rescued"),
        ignored: get("ignored"),
        unknown: get("unknown"),
        unreachable: get("unreachable"),
        round_trips: get("round_trips"),
        streams: get("streams"),
    }
}

fn status(json: &Json) -> Option<Status> {
    let word = json.as_str()?;
    let all = [
        Status::Ok,
        Status::Changed,
        Status::Skipped,
        Status::Failed,
        Status::Unreachable,
        Status::Unknown,
    ];
    all.into_iter().find(|status| status.word() == word)
}

fn action(json: &Json) -> Option<Action> {
    let word = json.as_str()?;
    let all = [
        Action::None,
        Action::Create,
        Action::Update,
        Action::Delete,
        Action::Run,
    ];
    all.into_iter().find(|action| action.word() == word)
}

fn effect(word: &Json, unit: &Json) -> Effect {
    match (word.as_str(), optional(unit)) {
        (Some("reload"), Some(unit)) => Effect::Reload(unit),
        (Some("restart"), Some(unit)) => Effect::Restart(unit),
        _ => Effect::None,
    }
}

fn state(json: &Json) -> Option<&'static str> {
    let word = json.as_str()?;
    STATES.iter().find(|state| **state == word).copied()
}

fn shared(json: &Json) -> Option<Arc<str>> {
    json.as_str().map(Arc::from)
}

fn optional(json: &Json) -> Option<String> {
    json.as_str().map(str::to_owned)
}

fn text(json: &Json) -> String {
    optional(json).unwrap_or_default()
}

fn texts(json: &Json) -> Vec<String> {
    let items = json.as_array().into_iter().flatten();
    items.filter_map(optional).collect()
}

fn names(json: &Json) -> Vec<Arc<str>> {
    let items = json.as_array().into_iter().flatten();
    items.filter_map(shared).collect()
}

fn number(json: &Json) -> Option<i32> {
    json.as_i64().and_then(|number| i32::try_from(number).ok())
}

fn count(json: &Json) -> u64 {
    json.as_u64().unwrap_or(0)
}

fn flag(json: &Json) -> bool {
    json.as_bool().unwrap_or(false)
}
