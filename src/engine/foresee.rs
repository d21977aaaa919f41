//! Questions of a task that cannot be bound yet: whatever its content will be, the place it goes to can be read ahead.
//!
//! A template that uses a fact would otherwise cost a script of its own, only to look at its target.

use super::host::HostRun;
use super::walk::Walk;
use crate::fact::Question;
use crate::playbook::{Task, TaskAction};
use crate::resource::{Param, ParamType};

impl HostRun {
    /// Adds what `task` will ask of the paths it names, as far as they are known. Only to a script that is sent anyway: an answer nobody
    /// needs in the end (its condition is false, the target is a folder) costs nothing but a line.
    pub(super) fn foresee(&self, index: usize, task: &Task, walk: &mut Walk) {
        let TaskAction::Kind { kind, args } = &task.action else {
            return;
        };
        let sent = !walk.missing.is_empty() || !walk.batch.entries.is_empty();
        if !sent || task.repeat.is_some() {
            return;
        }
        let scope = self.binder.scope(task, self.items[index].given.to_vec());
        let mut questions = Vec::new();
        for (name, entry) in args.iter() {
            let is_this = |param: &&Param| param.name == name;
            let Some(param) = kind
                .params
                .iter()
                .find(is_this)
                .filter(|param| tells(param))
            else {
                continue;
            };
            // What runs a program or makes a password does so once, when the task is bound.
            let written = entry.value.as_str().unwrap_or_default();
            if written.contains("lookup") || written.contains("query") {
                continue;
            }
            let Ok(value) = self.binder.render(&entry.value, &scope) else {
                continue;
            };
            if let Some(text) = value.as_str() {
                foreseen(kind.name, param, text, &mut questions);
            }
        }
        if let Err(missing) = walk.view.need(questions) {
            walk.missing.merge(missing);
        }
    }
}

/// Whether a question follows from the parameter alone.
fn tells(param: &Param) -> bool {
    param.ty == ParamType::Path || matches!(param.name, "owner" | "group")
}

/// What a task of that kind will ask of a value it was given.
fn foreseen(kind: &str, param: &Param, text: &str, questions: &mut Vec<Question>) {
    let writes = matches!(kind, "template" | "copy");
    let is_name = !text.is_empty() && !text.bytes().all(|byte| byte.is_ascii_digit());
    match (param.ty, param.name) {
        (ParamType::Path, _) if is_plain(text) => {
            questions.push(Question::Path(text.into()));
            if writes {
                questions.push(Question::Digest(text.into()));
                let folder = text.rsplit_once('/').map_or("", |(folder, _)| folder);
                let folder = if folder.is_empty() { "/" } else { folder };
                questions.push(Question::Path(folder.into()));
            }
        }
        (_, "owner") if writes && is_name => questions.push(Question::Account(text.into())),
        (_, "group") if writes && is_name => questions.push(Question::Group(text.into())),
        _ => {}
    }
}

/// Whether kinds ask for a path as it is written.
fn is_plain(path: &str) -> bool {
    path.starts_with('/') && !path.ends_with('/') && !path.contains('\0')
}
