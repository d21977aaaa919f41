//! Keywords of a play that decide what is done before any host is known, where they are templates.

use std::sync::Arc;

use super::Play;
use super::project::Project;
use super::scope::Outside;
use super::serial::percentage;
use crate::diagnostic::Diagnostic;
use crate::template::{Scope, Stop, Templates, is_omit};
use crate::value::{Kind, Value};

/// Fills them in, by `-e` and the variables of the play.
pub(super) fn settle(project: &mut Project, templates: &Templates, faults: &mut Vec<Diagnostic>) {
    let extra = project.extra.clone();
    for scheduled in &mut project.plays {
        let play = &mut scheduled.play;
        let scope: Arc<dyn Scope> = Arc::new(Outside::of(play, &extra));
        for (key, value) in std::mem::take(&mut play.unsettled) {
            let settled = match templates.render(&value, &scope) {
                Ok(rendered) if is_omit(&rendered) => Ok(()),
                Ok(rendered) => play.settle(key, &rendered).ok_or_else(|| {
                    let wanted = match key {
                        "max_fail_percentage" => "a number from 0 to 100",
                        _ => "true or false",
                    };
                    Diagnostic::at(
                        &value.span,
                        format!("`{key}` must be {wanted}, not {}", rendered.type_name()),
                    )
                }),
                Err(Stop::Fault(fault)) => Err((*fault).help(format!(
                    "`{key}` is read before any host is known: it can use `-e`, and `vars` of the play"
                ))),
                Err(Stop::After(task)) => Err(Diagnostic::at(
                    &value.span,
                    format!("`{key}` cannot wait for `{task}`"),
                )),
            };
            faults.extend(settled.err());
        }
    }
}

impl Play {
    /// Takes the value of a keyword; none when it is no such value.
    fn settle(&mut self, key: &str, value: &Value) -> Option<()> {
        match key {
            "gather_facts" => self.gather_facts = truth(value)?,
            "force_handlers" => self.force_handlers = truth(value)?,
            "any_errors_fatal" => {
                if truth(value)? {
                    self.may_fail = Some(0.0);
                }
            }
            _ => {
                let percentage = percentage(value)?;
                self.may_fail = Some(self.may_fail.unwrap_or(percentage).min(percentage));
            }
        }
        Some(())
    }
}

fn truth(value: &Value) -> Option<bool> {
    match &value.kind {
        Kind::Bool(truth) => Some(*truth),
        Kind::Int(0) => Some(false),
        Kind::Int(1) => Some(true),
        Kind::Str(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}
