//! How the cluster is, for an operator.

use super::observation::{Daemon, View};
use super::spec::Spec;
use super::state::{State, states};
use super::survey::Survey;
use crate::cluster::{MemberReport, Quorum, Report};

/// Roles, lag, quorum, and what is not as it should be.
pub fn report(spec: &Spec, views: &[View]) -> Report {
    let survey = Survey::new(spec, views);
    let findings = states(spec, views);
    let healthy = findings
        .iter()
        .all(|finding| finding.state == State::Healthy);
    let leader = survey.leader().map(|(member, _)| member);
    let end = leader.and_then(|member| Some(survey.redis(member)?.offset));
    let summary = match leader {
        Some(primary) if healthy => format!(
            "{} is primary, and all members agree",
            spec.name_of(primary)
        ),
        _ => findings
            .iter()
            .map(|finding| format!("{} ({})", finding.text, finding.state.code()))
            .collect::<Vec<_>>()
            .join("; "),
    };
    Report {
        cluster: "redis".to_owned(),
        healthy,
        summary,
        next_loss: next_loss(&survey, leader),
        quorum: Some(quorum(&survey)),
        members: survey
            .members()
            .map(|member| MemberReport {
                name: spec.name_of(member).to_owned(),
                role: match survey.redis(member) {
                    Some(redis) if redis.primary => "primary",
                    Some(_) => "replica",
                    None => "unknown",
                }
                .to_owned(),
                state: state(&views[member]),
                lag_bytes: survey
                    .redis(member)
                    .filter(|redis| !redis.primary)
                    .and_then(|redis| Some(end?.saturating_sub(redis.offset))),
                details: details(&survey, member),
            })
            .collect(),
    }
}

fn state(view: &View) -> String {
    let node = match view {
        View::Unknown(why) => return why.clone(),
        View::Known(node) => node,
    };
    match &node.redis {
        Daemon::Down => "down",
        Daemon::Hung => "does not answer",
        Daemon::Locked => "refuses the password",
        Daemon::Up(redis) if redis.loading => "reads its data",
        Daemon::Up(redis) if redis.syncing => "is being filled",
        Daemon::Up(redis) if !redis.primary && !redis.link => "no connection to its primary",
        Daemon::Up(_) => "running",
    }
    .to_owned()
}

fn details(survey: &Survey, member: usize) -> Vec<(String, String)> {
    let mut details = Vec::new();
    let Some(node) = survey.node(member) else {
        return details;
    };
    details.push(("version".to_owned(), node.version.clone()));
    let sentinel = match &node.sentinel {
        Daemon::Down => "down".to_owned(),
        Daemon::Hung => "does not answer".to_owned(),
        Daemon::Locked => "refuses the password".to_owned(),
        Daemon::Up(sentinel) => match &sentinel.watch {
            None => "watches nothing".to_owned(),
            Some(watch) => format!(
                "watches {}, {}, {} other sentinels, {} replicas",
                watch.address,
                if watch.quorum { "quorum" } else { "no quorum" },
                watch.sentinels.len(),
                watch.replicas.len()
            ),
        },
    };
    details.push(("sentinel".to_owned(), sentinel));
    details
}

/// What the sentinels need to replace a primary.
fn quorum(survey: &Survey) -> Quorum {
    let there = survey
        .members()
        .filter(|member| survey.watching(*member).is_some())
        .count();
    let needed = survey.spec.watch.quorum;
    Quorum {
        needed: needed as u64,
        there: there as u64,
        text: format!("{needed} sentinels have to miss the primary, {there} watch it"),
    }
}

/// What happens when the next member fails.
fn next_loss(survey: &Survey, leader: Option<usize>) -> String {
    let sentinels = survey
        .members()
        .filter(|member| survey.watching(*member).is_some())
        .count();
    let replicas = survey
        .members()
        .filter(|member| survey.redis(*member).is_some_and(|redis| redis.link))
        .count();
    if leader.is_none() {
        "there is no primary now".to_owned()
    } else if replicas == 0 {
        "without the primary there is no redis".to_owned()
    } else if sentinels <= survey.spec.majority() {
        "the loss of one more member leaves no majority: nobody replaces the primary by itself"
            .to_owned()
    } else {
        "any one member may fail: the sentinels replace a primary, and what it acknowledged in its last moments may be lost".to_owned()
    }
}
