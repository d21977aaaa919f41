//! Secrets are hidden in everything that is said, in one place.

use std::collections::HashSet;
use std::sync::Arc;

use crate::change::Field;
use crate::event::{Event, Failure, TaskResult};
use crate::secret::{MASK, Masker};

/// The event without secrets.
pub fn event(mut event: Event, masker: &Masker) -> Event {
    match &mut event {
        Event::TaskFinished(result) => task(result, masker),
        Event::HostUnreachable { error, .. } => failure(error, masker),
        Event::HostWorking { what, .. } => text(what, masker),
        Event::CommandOutput { line, .. } => text(line, masker),
        Event::CommandFinished(result) => {
            let words = [&mut result.command, &mut result.stdout, &mut result.stderr];
            for words in words.into_iter().chain([&mut result.msg]) {
                text(words, masker);
            }
        }
        Event::Facts { facts, .. } => facts.values_mut().for_each(|fact| value(fact, masker)),
        Event::Warning { message, .. } => text(message, masker),
        Event::Paused { words, .. } => text(words, masker),
        Event::Release { release } => text(release, masker),
        Event::NodeState { detail, .. } => text(detail, masker),
        Event::Lease(lease) => text(&mut lease.command, masker),
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

fn value(json: &mut serde_json::Value, masker: &Masker) {
    match json {
        serde_json::Value::String(words) => text(words, masker),
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| value(item, masker)),
        serde_json::Value::Object(map) => map.values_mut().for_each(|item| value(item, masker)),
        _ => {}
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
                if let Some(masked) = former(before, after) {
                    *before = masked;
                }
            }
            Field::Text { before, after, .. } => {
                for side in [&mut *before, &mut *after].into_iter().flatten() {
                    if let std::borrow::Cow::Owned(masked) = masker.mask(side) {
                        *side = Arc::from(masked);
                    }
                }
                if let (Some(before), Some(after)) = (before, after)
                    && let Some(masked) = former(before, after)
                {
                    *before = Arc::from(masked);
                }
            }
        }
    }
}

/// The old text without the secrets that new ones replace: a line that goes, and that reads like a masked one around its secret. None
/// when there is no such line.
fn former(before: &str, after: &str) -> Option<String> {
    let masked: Vec<(&str, &str)> = after
        .lines()
        .filter_map(|line| {
            let first = line.find(MASK)?;
            let last = line.rfind(MASK)? + MASK.len();
            Some((&line[..first], &line[last..]))
        })
        .collect();
    if masked.is_empty() {
        return None;
    }
    let stays: HashSet<&str> = after.lines().collect();
    let mut changed = false;
    let lines = before.split_inclusive('\n').map(|whole| {
        let line = whole.trim_end_matches(['\n', '\r']);
        if stays.contains(line) {
            return whole.to_owned();
        }
        let around = masked.iter().find(|(start, end)| {
            line.len() >= start.len() + end.len() && line.starts_with(start) && line.ends_with(end)
        });
        match around {
            Some((start, end)) => {
                changed = true;
                format!("{start}{MASK}{end}{}", &whole[line.len()..])
            }
            None => whole.to_owned(),
        }
    });
    let text: String = lines.collect();
    changed.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::former;

    #[test]
    fn the_secret_that_is_replaced_is_hidden_too() {
        let cases = [
            (
                "a=1\npw = old\n",
                "a=1\npw = (masked)\n",
                Some("a=1\npw = (masked)\n"),
            ),
            (
                "url: x://u:old@h/\r\n",
                "url: x://u:(masked)@h/\n",
                Some("url: x://u:(masked)@h/\r\n"),
            ),
            // A line that is nothing but a secret hides all that go.
            (
                "old one\nstays\n",
                "(masked)\nstays\n",
                Some("(masked)\nstays\n"),
            ),
            ("a=1\nport = 5\n", "a=2\npw = (masked)\n", None),
            ("pw = (masked)\n", "pw = (masked)\nmore\n", None),
            ("old\n", "new\n", None),
        ];
        for (before, after, wanted) in cases {
            assert_eq!(former(before, after).as_deref(), wanted, "{before}");
        }
    }
}
