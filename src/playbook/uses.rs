//! The values of a task that are evaluated, and how.

use super::{Play, Privilege, Task, TaskAction};
use crate::resource::ParamType;
use crate::value::Value;

/// How a value is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Text with templates in it.
    Template,
    /// An expression without braces.
    Expression,
    /// One of the task's `when`.
    When,
}

/// What a play evaluates beside its tasks, its variables and the hosts it is for.
pub(super) fn of_play(play: &Play) -> impl Iterator<Item = &Value> {
    play.environment
        .iter()
        .chain(&play.rolling)
        .chain(&play.remote_user)
        .chain(&play.connection)
        .chain(&play.port)
        .chain(&play.serial)
        .chain(of_privilege(&play.privilege))
}

/// Everything a task evaluates but its `vars`, which count only where they are used.
pub(super) fn of(task: &Task) -> Vec<(&Value, Use)> {
    let mut uses: Vec<(&Value, Use)> = Vec::new();
    uses.extend(task.when.iter().map(|value| (value, Use::When)));
    if let Some(repeat) = &task.repeat {
        uses.push((&repeat.items, Use::Template));
        uses.extend(repeat.label.iter().map(|value| (value, Use::Template)));
        uses.extend(repeat.pause.iter().map(|value| (value, Use::Template)));
    }
    if let TaskAction::Kind { kind, args } = &task.action {
        for (name, entry) in args.iter() {
            let param = kind.params.iter().find(|param| param.name == name);
            let how = match param.map(|param| param.ty) {
                Some(ParamType::Expression) => Use::Expression,
                _ => Use::Template,
            };
            uses.push((&entry.value, how));
        }
        uses.extend(args.open().map(|(_, entry)| (&entry.value, Use::Template)));
    }
    if let TaskAction::Include(include) = &task.action {
        uses.extend(include.names().map(|value| (value, Use::Template)));
    }
    if let TaskAction::Vars(ask) = &task.action {
        let values = ask.parameters.values();
        uses.extend(values.map(|entry| (&entry.value, Use::Template)));
    }
    let breaks = task.repeat.iter().flat_map(|repeat| &repeat.break_when);
    uses.extend(breaks.map(|value| (value, Use::Expression)));
    let conditions = task.changed_when.iter().chain(&task.failed_when);
    let conditions = conditions.chain(task.until.iter().flat_map(|until| &until.conditions));
    uses.extend(conditions.map(|value| (value, Use::Expression)));
    let templates = task
        .name
        .iter()
        .chain(&task.notify)
        .chain(&task.environment)
        .chain(&task.ignore_errors)
        .chain(&task.ignore_unreachable)
        .chain(&task.throttle)
        .chain(&task.no_log)
        .chain(&task.check_mode)
        .chain(&task.diff)
        .chain(&task.timeout)
        .chain(&task.remote_user)
        .chain(&task.delegate)
        .chain(&task.delegate_facts)
        .chain(task.run_once.template())
        .chain(task.until.iter().flat_map(|until| &until.retries))
        .chain(task.until.iter().flat_map(|until| &until.delay))
        .chain(of_privilege(&task.privilege));
    uses.extend(templates.map(|value| (value, Use::Template)));
    uses
}

/// The values of a privilege.
pub(super) fn of_privilege(privilege: &Privilege) -> impl Iterator<Item = &Value> {
    privilege
        .become_
        .iter()
        .chain(&privilege.user)
        .chain(&privilege.method)
}
