//! What changes mean for services and nodes, in events.

use std::sync::Arc;

use serde::Serialize;

use crate::change::Effect;
use crate::event::{Consequence, Impact, TaskResult};

#[derive(Serialize)]
pub(super) struct Follows<'a> {
    effect: &'static str,
    unit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handler: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Disturbed<'a> {
    effect: &'static str,
    unit: Option<&'a str>,
    hosts: Vec<&'a str>,
    /// Only an apply knows whether it happens.
    possible: bool,
}

#[derive(Serialize)]
pub(super) struct Open<'a> {
    task: &'a str,
    hosts: &'a [Arc<str>],
}

/// Its own effect, else the strongest of the handlers that it notifies.
pub(super) fn strongest(result: &TaskResult) -> &Effect {
    let all = || result.follows.iter().map(|follows| &follows.effect);
    match &result.effect {
        Effect::None => all()
            .find(|effect| matches!(effect, Effect::Restart(_)))
            .or_else(|| all().find(|effect| **effect != Effect::None))
            .unwrap_or(&Effect::None),
        own => own,
    }
}

pub(super) fn follows(follows: &Consequence) -> Follows<'_> {
    Follows {
        effect: match &follows.effect {
            Effect::None => "unknown",
            effect => effect.word(),
        },
        unit: follows.effect.unit(),
        handler: follows.handler.as_deref(),
    }
}

pub(super) fn disturbed(impact: &Impact) -> Vec<Disturbed<'_>> {
    let certain = impact.effects.iter().map(|(effect, hosts)| {
        let hosts: Vec<&Arc<str>> = hosts.iter().collect();
        (effect, hosts, false)
    });
    let possible = impact.uncertain().into_iter();
    certain
        .chain(possible.map(|(effect, hosts)| (effect, hosts, true)))
        .map(|(effect, hosts, possible)| Disturbed {
            effect: effect.word(),
            unit: effect.unit(),
            hosts: hosts.into_iter().map(|host| &**host).collect(),
            possible,
        })
        .collect()
}

/// Tasks of which only an apply knows what they do.
pub(super) fn open(impact: &Impact) -> Vec<Open<'_>> {
    let open = impact.open.iter();
    open.map(|(task, hosts)| Open { task, hosts }).collect()
}
