//! Names of handlers that are templates: they are filled in before any host is known, as in ansible-core (`StrategyBase.search_handlers_by_notification`).

use std::sync::Arc;

use super::fields::is_literal;
use super::project::Project;
use super::scope::Outside;
use super::{Play, Task};
use crate::diagnostic::Diagnostic;
use crate::template::{Scope, Stop, Templates};
use crate::value::{Kind, Map, Value};

/// Fills in the names of all handlers by what the play, its roles and `-e` say. One that needs more can only be notified by a topic.
pub(super) fn fill_in(project: &mut Project, templates: &Templates, faults: &mut Vec<Diagnostic>) {
    for scheduled in &mut project.plays {
        let play = &scheduled.play;
        let names: Vec<Option<Result<Value, Stop>>> = play
            .handlers
            .iter()
            .map(|handler| {
                let name = handler.name.as_ref().filter(|name| !is_literal(name))?;
                Some(templates.render(name, &scope(play, handler, &project.extra)))
            })
            .collect();
        for (handler, name) in scheduled.play.handlers.iter_mut().zip(names) {
            match name {
                Some(Ok(name)) => handler.rename(&name),
                Some(Err(stop)) if handler.listen.is_empty() => {
                    faults.push(nameless(handler, stop))
                }
                _ => {}
            }
        }
    }
}

/// What the name of a handler may use.
fn scope(play: &Play, handler: &Task, extra: &Map) -> Arc<dyn Scope> {
    let own = handler.params.iter().rev().chain(handler.vars.iter().rev());
    let defaults = handler
        .role
        .iter()
        .flat_map(|role| role.defaults.iter().rev());
    Arc::new(Outside::of_task(play, extra, own, defaults))
}

fn nameless(handler: &Task, stop: Stop) -> Diagnostic {
    let span = handler
        .name
        .as_ref()
        .map_or(&handler.span, |name| &name.span);
    let why = match stop {
        Stop::Fault(fault) => fault.message,
        Stop::After(task) => format!("it cannot wait for `{task}`"),
    };
    Diagnostic::warning(span, "nothing can notify this handler")
        .label(why)
        .help("its name is read before any host is known: it can use `-e`, and variables of the play and of its role; or give it topics with `listen`")
}

impl Task {
    /// Gives it the name that its template came to.
    fn rename(&mut self, name: &Value) {
        let text = match &name.kind {
            Kind::Str(text) => text.to_string(),
            _ => name.to_json().to_string(),
        };
        self.label = match &self.role {
            Some(role) => format!("{} : {text}", role.own.name).into(),
            None => text.as_str().into(),
        };
        self.name = Some(Value::str(&text, &name.span));
    }
}
