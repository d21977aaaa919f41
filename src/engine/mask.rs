//! Secrets are hidden in everything that is said, in one place.

use std::sync::Arc;

use crate::change::Field;
use crate::event::{Event, Failure, TaskResult};
use crate::secret::Masker;

/// The event without secrets.
pub fn event(mut event: Event, masker: &Masker) -> Event {
    match &mut event {
        Event::TaskFinished(result) => task(result, masker),
        Event::HostUnreachable { error, .. } => failure(error, masker),
        Event::HostWorking { what, .. } => text(what, masker),
        Event::Warning { message, .. } => text(message, masker),
        Event::NodeState { detail, .. } => text(detail, masker),
        Event::Cluster(report) => {
            text(&mut report.summary, masker);
            for member in &mut report.members {
                text(&mut member.state, masker);
            }
        }
        Event::Node(report) => {
            if let Some(why) = &mut report.unreachable {
                text(why, masker);
            }
        }
        Event::RunFinished(recap) => {
            text(&mut recap.reason, masker);
            let nodes = recap.rollout.iter_mut();
            for trouble in nodes.filter_map(|node| node.trouble.as_mut()) {
                text(trouble, masker);
            }
        }
        Event::Diagnostic(diagnostic) => {
            let masked = |words: &str| masker.mask(words).into_owned();
            **diagnostic = diagnostic.as_ref().clone().masked(masked);
        }
        _ => {}
    }
    event
}

fn text(words: &mut String, masker: &Masker) {
    if let std::borrow::Cow::Owned(masked) = masker.mask(words) {
        *words = masked;
    }
}

fn task(result: &mut TaskResult, masker: &Masker) {
    text(&mut result.msg, masker);
    fields(&mut result.changes, masker);
    for item in &mut result.items {
        text(&mut item.item, masker);
        text(&mut item.msg, masker);
        fields(&mut item.changes, masker);
    }
    if let Some(reason) = &mut result.failure {
        failure(reason, masker);
    }
}

fn failure(failure: &mut Failure, masker: &Masker) {
    text(&mut failure.message, masker);
    for words in failure.command.iter_mut().chain(&mut failure.help) {
        text(words, masker);
    }
    for line in &mut failure.output {
        text(line, masker);
    }
}

fn fields(fields: &mut [Field], masker: &Masker) {
    for field in fields {
        match field {
            Field::Value { before, after, .. } => {
                text(before, masker);
                text(after, masker);
            }
            Field::Text { before, after, .. } => {
                for side in [before, after].into_iter().flatten() {
                    if let std::borrow::Cow::Owned(masked) = masker.mask(side) {
                        *side = Arc::from(masked);
                    }
                }
            }
        }
    }
}
