//! What makes a handler: who can notify it, and what cannot be one.

use std::sync::Arc;

use super::fields::is_literal;
use super::parse::Reader;
use super::task::Outer;
use super::{Play, Task, TaskAction};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::{Map, Value};

/// What stands among handlers under a name, and is none.
#[derive(Default)]
pub(super) struct NoHandlers {
    /// The names of imports.
    pub(super) imports: Vec<Value>,
    /// The names of what is refused already.
    refused: Vec<Value>,
}

impl Reader {
    /// A role, imported or included, in the place of a handler. Ansible refuses it as well.
    pub(super) fn no_role_as_handler(&mut self, span: &Span, map: &Map) {
        let name = map.get("name").map(|entry| entry.value.clone());
        self.of_play.no_handlers.refused.extend(name);
        self.fault(
            Diagnostic::at(span, "a role cannot be a handler").help(
                "its own handlers are there as soon as the role is; `include_tasks` of a file can be a handler",
            ),
        );
    }

    /// A task of a file that a handler includes: the handler runs it, and nothing else can notify it.
    pub(super) fn check_included_handler(&mut self, map: &Map, outer: &Outer) {
        if let Some(listen) = map.get("listen").filter(|_| outer.in_handler) {
            self.fault(
                Diagnostic::warning(
                    &listen.key,
                    "nothing can notify this task: a handler includes its file",
                )
                .help("notify that handler; or bring the file with `import_tasks`: then each of its tasks is a handler"),
            );
        }
    }

    /// Literal names in `notify` must be those of a handler or a topic. Warns of two handlers with one name.
    pub(super) fn check_notify(&mut self, play: &Play, none: &NoHandlers) {
        let mut names: Vec<&str> = Vec::new();
        let mut faults = Vec::new();
        let mut open = false;
        for (index, handler) in play.handlers.iter().enumerate() {
            names.extend(handler.listen.iter().map(Arc::as_ref));
            let Some(name) = &handler.name else {
                if handler.listen.is_empty() {
                    faults.push(
                        Diagnostic::warning(&handler.span, "nothing can notify this handler")
                            .help("give it a `name`, or topics with `listen`"),
                    );
                }
                continue;
            };
            // What it comes to is found out when the whole project is there.
            open |= !is_literal(name);
            let text = name.as_str().unwrap_or("");
            let earlier = play.handlers[..index].iter().find_map(|other| {
                let name = other.name.as_ref()?;
                (other.label == handler.label).then_some(name)
            });
            if let Some(earlier) = earlier {
                faults.push(
                    Diagnostic::warning(&name.span, format!("two handlers are called `{text}`"))
                        .label("this one is used")
                        .related(&earlier.span, "this one never runs"),
                );
            }
            names.push(text);
            if handler.role.is_some() {
                names.push(&handler.label);
            }
        }
        // A role that is chosen in the run brings handlers that are not known.
        open |= play.all_tasks().flat_map(Task::with_included).any(|task| {
            matches!(&task.action, TaskAction::Include(include) if include.is_open() && include.word() == "include_role")
        });
        let notified = play.tasks_and_handlers().flat_map(|task| &task.notify);
        for notify in notified.filter(|notify| is_literal(notify) && !open) {
            let text = notify.as_str().unwrap_or("");
            let is_refused = || none.refused.iter().any(|name| name.as_str() == Some(text));
            let is_there = || play.handlers.iter().any(|handler| handler.is_called(text));
            if !names.contains(&text) && !is_there() && !is_refused() {
                faults.push(not_there(play, notify, text, &names, &none.imports));
            }
        }
        self.faults.append(&mut faults);
    }
}

impl Task {
    /// Whether a notification of that name means this handler: its name, with its role or without.
    pub fn is_called(&self, name: &str) -> bool {
        let plain = self.name.as_ref().and_then(Value::as_str);
        // A role of a collection is known by its short name as well.
        let short = || {
            let rest = name.strip_prefix(&*self.role.as_ref()?.own.short)?;
            rest.strip_prefix(" : ")
        };
        plain == Some(name) || *self.label == *name || (plain.is_some() && plain == short())
    }
}

/// What is wrong with the name of a handler that is not there.
fn not_there(
    play: &Play,
    notify: &Value,
    text: &str,
    names: &[&str],
    imports: &[Value],
) -> Diagnostic {
    let fault = Diagnostic::at(&notify.span, format!("no handler is called `{text}`"));
    let imported = imports.iter().find(|name| name.as_str() == Some(text));
    if let Some(import) = imported {
        return fault.related(&import.span, "an import").help(
            "an import is no handler: notify the tasks of its file by their names or topics, or make it an `include_tasks`",
        );
    }
    let included = play
        .handlers
        .iter()
        .flat_map(|handler| handler.with_included().into_iter().skip(1))
        .find(|task| task.is_called(text));
    if let Some(included) = included {
        return fault
            .related(&included.span, "it is in a file that a handler includes")
            .help("notify that handler; or bring the file with `import_tasks`: then each of its tasks is a handler");
    }
    let fault = fault.nearest(text, names.iter().copied());
    if names.is_empty() {
        return fault.help("the play has no `handlers`");
    }
    fault.help(format!(
        "the play's handlers are {}",
        crate::diagnostic::list(names.iter().copied())
    ))
}
