//! How one unit ended, what `register` gets of it, and the one result of a task made of its units.

use std::path::Path;
use std::sync::Arc;

use minijinja::Value as Native;
use serde_json::{Map as Json, Value as JsonValue, json};

use super::bind::Unit;
use super::native;
use crate::change::{Action, Change, Effect, Field};
use crate::event::{Failure, ItemResult, Status, TaskResult};
use crate::playbook::{ReadVars, Task};
use crate::template::pending;

/// How one unit ended.
#[derive(Debug, Clone)]
pub struct UnitEnd {
    /// The verdict.
    pub status: Status,
    /// What differed.
    pub changes: Vec<Field>,
    /// What was done.
    pub action: Action,
    /// What it did to a service.
    pub effect: Effect,
    /// What it did to further services.
    pub also: Vec<Effect>,
    /// A word about it.
    pub msg: String,
    /// Exit status of a command.
    pub rc: Option<i32>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// Of one that failed: whether it had changed something by then, which a command that ended counts as.
    pub changed: bool,
    /// What `register` gets.
    pub result: Json<String, JsonValue>,
    /// Variables it sets.
    pub facts: Json<String, JsonValue>,
    /// Variables of files it read.
    pub vars: Option<Arc<ReadVars>>,
    /// In a plan: what it waits for.
    pub known_after: Option<String>,
    /// In a plan: whether it changes something, and only its act will say more.
    pub open: bool,
    /// What it runs, as a hash.
    pub runs: Option<String>,
    /// Whether it may alter anything on the node, so that what comes behind it may find other things.
    pub alters: bool,
    /// Time of its script.
    pub duration_ms: u64,
}

impl UnitEnd {
    fn new(status: Status, msg: impl Into<String>) -> UnitEnd {
        UnitEnd {
            status,
            changes: Vec::new(),
            action: Action::None,
            effect: Effect::None,
            also: Vec::new(),
            msg: msg.into(),
            rc: None,
            failure: None,
            changed: false,
            result: Json::new(),
            facts: Json::new(),
            vars: None,
            known_after: None,
            open: false,
            runs: None,
            alters: false,
            duration_ms: 0,
        }
    }

    /// Its condition was false.
    pub fn skipped() -> UnitEnd {
        let mut end = UnitEnd::new(Status::Skipped, "the condition is false");
        end.result.insert("skipped".to_owned(), true.into());
        end.result.insert(
            "skip_reason".to_owned(),
            "Conditional result was False".into(),
        );
        end
    }

    /// It includes the tasks of a file.
    pub fn included(path: &Path) -> UnitEnd {
        let mut end = UnitEnd::new(Status::Ok, format!("included {}", path.display()));
        let path = path.display().to_string();
        end.result.insert("include".to_owned(), path.into());
        end
    }

    /// It reads variables of files.
    pub fn read(vars: Arc<ReadVars>) -> UnitEnd {
        let names: Vec<String> = vars
            .files
            .iter()
            .map(|it| it.display().to_string())
            .collect();
        let mut end = UnitEnd::new(Status::Ok, format!("read {}", names.join(", ")));
        end.result
            .insert("ansible_included_var_files".to_owned(), json!(names));
        let facts = vars.vars.iter();
        let facts = facts.map(|(name, entry)| (name.to_string(), entry.value.to_json()));
        let facts: Json<String, JsonValue> = facts.collect();
        end.result
            .insert("ansible_facts".to_owned(), JsonValue::Object(facts));
        end.vars = Some(vars);
        end
    }

    /// `check_mode: true`: what it would change is told and not done. A command is passed over, as in Ansible.
    pub fn dry(change: Change, kind: &str) -> UnitEnd {
        let why = "not done: `check_mode` is true";
        if is_command(kind) || change.reading.is_some() {
            let mut end = UnitEnd::skipped();
            end.msg = why.to_owned();
            return end;
        }
        let mut end = UnitEnd::of(Status::Changed, change);
        end.msg = why.to_owned();
        end.alters = false;
        end
    }

    /// It failed.
    pub fn failed(failure: Failure) -> UnitEnd {
        let mut end = UnitEnd::new(Status::Failed, failure.message.clone());
        end.result
            .insert("msg".to_owned(), failure.message.clone().into());
        end.rc = failure.rc;
        end.failure = Some(failure);
        end
    }

    /// The host could not be reached for it.
    pub fn unreachable(failure: Failure) -> UnitEnd {
        let mut end = UnitEnd::failed(failure);
        end.status = Status::Unreachable;
        end.result.insert("unreachable".to_owned(), true.into());
        end
    }

    /// It cannot be known before another task has run.
    pub fn unknown(after: &str) -> UnitEnd {
        let mut end = UnitEnd::new(Status::Unknown, format!("known after `{after}`"));
        end.known_after = Some(after.to_owned());
        end.alters = true;
        end
    }

    /// As its change says.
    pub fn of(status: Status, change: Change) -> UnitEnd {
        let (runs, alters) = (change.runs(), change.may_alter_anything());
        let mut end = UnitEnd::new(status, change.reason);
        end.runs = runs;
        end.alters = alters;
        end.changes = change.fields;
        end.action = change.action;
        end.effect = change.effect;
        end.also = change.also;
        end.result = change.result;
        end.facts = change.facts;
        end
    }

    /// Enters a command's status and output as Ansible names them.
    pub fn output(&mut self, rc: i32, stdout: &[u8], stderr: &[u8]) {
        self.rc = Some(rc);
        let stripped = self.result.get("strip_empty_ends") != Some(&JsonValue::Bool(false));
        self.result.remove("strip_empty_ends");
        for (name, bytes) in [("stdout", stdout), ("stderr", stderr)] {
            let text = String::from_utf8_lossy(bytes);
            let text = if stripped {
                text.trim_end_matches(['\n', '\r'])
            } else {
                &text
            };
            let lines: Vec<&str> = text.lines().collect();
            self.result.insert(format!("{name}_lines"), json!(lines));
            self.result.insert(name.to_owned(), text.into());
        }
        self.result.insert("rc".to_owned(), rc.into());
    }

    /// A command whose program is not there or may not be run: its result is Ansible's.
    pub fn not_begun(&mut self, rc: i32) {
        self.output(rc, b"", b"");
        let msg = "Error executing command.";
        self.result.insert("msg".to_owned(), msg.into());
    }

    /// Whether it changed something, whatever else became of it.
    fn has_changed(&self) -> bool {
        match self.status {
            Status::Failed => self.changed,
            status => status == Status::Changed,
        }
    }

    /// The value for `register`, as Ansible shapes it.
    pub fn registered(&self) -> JsonValue {
        let mut value = self.result.clone();
        value.insert("changed".to_owned(), self.has_changed().into());
        value.insert("failed".to_owned(), (self.status == Status::Failed).into());
        value
            .entry("skipped")
            .or_insert((self.status == Status::Skipped).into());
        if !self.msg.is_empty() {
            value
                .entry("msg")
                .or_insert_with(|| self.msg.clone().into());
        }
        JsonValue::Object(value)
    }
}

/// What a register holds while its task's verdict is known and its output is not.
pub fn half_known(task: &str, changed: bool) -> Native {
    let unknown = [
        "rc",
        "attempts",
        "stdout",
        "stdout_lines",
        "stderr",
        "stderr_lines",
        "msg",
        "results",
        "stat",
        "dest",
        "path",
        "failed",
        "size",
        "elapsed",
        "status_code",
        "checksum_src",
        "checksum_dest",
        "backup_file",
        "files",
        "extract_results",
        "before",
        "after",
        "remote_url_changed",
        "user_input",
        "delta",
        "name",
        "state",
        "version",
        "virtualenv",
        "requirements",
    ];
    let mut entries: Vec<(String, Native)> = unknown
        .iter()
        .map(|name| ((*name).to_owned(), pending(task)))
        .collect();
    entries.push(("changed".to_owned(), changed.into()));
    entries.push(("skipped".to_owned(), false.into()));
    Native::from_pairs(entries)
}

/// Kinds that run a program of the user's: a plan does not know what it would do.
pub fn is_command(kind: &str) -> bool {
    matches!(kind, "command" | "shell" | "script" | "raw")
}

/// What a register holds in a plan when its task would run or waits for another: a command that would run counts as changed unless
/// `changed_when` says otherwise.
fn not_known(end: &UnitEnd, task: &Task) -> Native {
    let never = |value: &crate::value::Value| value.kind == crate::value::Kind::Bool(false);
    match &end.known_after {
        Some(after) => pending(after),
        None if !is_command(task.action.name()) => pending(&task.label),
        None if task.changed_when.is_empty() => half_known(&task.label, true),
        None if task.changed_when.iter().any(never) => half_known(&task.label, false),
        None => pending(&task.label),
    }
}

/// The value for `register` of a whole task.
pub fn registered(units: &[Arc<Unit>], ends: &[UnitEnd], task: &Task) -> Native {
    let Some(repeat) = &task.repeat else {
        return ends
            .first()
            .map_or(Native::UNDEFINED, |end| match end.status {
                Status::Unknown => not_known(end, task),
                _ if end.open => half_known(&task.label, end.status == Status::Changed),
                _ => native(end.registered()),
            });
    };
    if let Some(end) = ends.iter().find(|end| end.status == Status::Unknown) {
        return not_known(end, task);
    }
    if ends.iter().any(|end| end.open) {
        let changed = ends.iter().any(|end| end.status == Status::Changed);
        return half_known(&task.label, changed);
    }
    let results: Vec<JsonValue> = units
        .iter()
        .zip(ends)
        .map(|(unit, end)| {
            let mut value = end.registered();
            if let (JsonValue::Object(map), Some(item)) = (&mut value, &unit.item) {
                map.insert(repeat.var.to_string(), item.clone());
                map.insert("ansible_loop_var".to_owned(), repeat.var.as_ref().into());
            }
            value
        })
        .collect();
    let any = |status| ends.iter().any(|end| end.status == status);
    let all_skipped = !ends.is_empty() && ends.iter().all(|end| end.status == Status::Skipped);
    let mut value = json!({
        "results": results,
        "changed": ends.iter().any(UnitEnd::has_changed),
        "failed": any(Status::Failed),
        "skipped": all_skipped,
        "msg": if any(Status::Failed) { "One or more items failed" } else { "All items completed" },
    });
    if any(Status::Unreachable) {
        value["unreachable"] = true.into();
    }
    native(value)
}

/// The one result of a task on a host.
pub fn result(
    task: &Task,
    play: &Arc<str>,
    host: &Arc<str>,
    units: &[Arc<Unit>],
    ends: &[UnitEnd],
) -> TaskResult {
    let secret = units.iter().any(|unit| unit.secret);
    let looped = task.repeat.is_some();
    let status = combined(ends);
    let first = ends
        .iter()
        .find(|end| end.status == status)
        .or(ends.first());
    let mut result = TaskResult {
        play: play.clone(),
        task: task.label.clone(),
        host: host.clone(),
        delegate: delegates(units),
        status,
        at: task.at.clone(),
        kind: task.action.name(),
        action: first.map_or(Action::None, |end| end.action),
        changes: Vec::new(),
        effect: ends
            .iter()
            .map(|end| end.effect.clone())
            .find(|effect| *effect != Effect::None)
            .unwrap_or_default(),
        follows: Vec::new(),
        msg: first.map_or_else(
            || "there is nothing to go over".to_owned(),
            |end| end.msg.clone(),
        ),
        rc: first.and_then(|end| end.rc),
        duration_ms: ends.iter().map(|end| end.duration_ms).max().unwrap_or(0),
        items: Vec::new(),
        ignored: false,
        rescued: false,
        known_after: ends.iter().find_map(|end| end.known_after.clone()),
        failure: ends.iter().find_map(|end| end.failure.clone()),
        handler: task.handler,
    };
    if looped {
        result.items = units
            .iter()
            .zip(ends)
            .map(|(unit, end)| ItemResult {
                item: unit.label.clone().unwrap_or_default(),
                status: end.status,
                changes: end.changes.clone(),
                msg: end.msg.clone(),
            })
            .collect();
    } else if let Some(end) = ends.first() {
        result.changes = end.changes.clone();
    }
    if secret {
        hide(&mut result);
    }
    result
}

/// The other hosts that acted.
fn delegates(units: &[Arc<Unit>]) -> Option<Arc<str>> {
    let mut names: Vec<&str> = Vec::new();
    for delegate in units.iter().filter_map(|unit| unit.delegate.as_ref()) {
        if !names.contains(&&*delegate.name) {
            names.push(&delegate.name);
        }
    }
    (!names.is_empty()).then(|| names.join(", ").into())
}

fn combined(ends: &[UnitEnd]) -> Status {
    let any = |status| ends.iter().any(|end| end.status == status);
    for status in [
        Status::Unreachable,
        Status::Failed,
        Status::Unknown,
        Status::Changed,
        Status::Ok,
    ] {
        if any(status) {
            return status;
        }
    }
    Status::Skipped
}

/// `no_log`: that it happened, and nothing of what.
fn hide(result: &mut TaskResult) {
    let masked = || crate::secret::MASK.to_owned();
    result.msg = masked();
    result.changes.clear();
    for item in &mut result.items {
        item.item = masked();
        item.msg = masked();
        item.changes.clear();
    }
    if let Some(failure) = &mut result.failure {
        *failure = Failure::new("the task failed; `no_log` hides why")
            .help("take `no_log` away on a test host to see more");
    }
}
