//! How a PostgreSQL cluster is, for an operator.

use std::time::Duration;

use super::cluster::PostgresCluster;
use super::look::Look;
use super::picture::{Condition, Picture, State};
use super::site::Site;
use super::spec::Spec;
use crate::cluster::{Answer, MemberReport, Quorum, Report};

/// What the answers say.
pub(super) fn report(cluster: &PostgresCluster, spec: &Spec, answers: &[Answer]) -> Report {
    let seen = PostgresCluster::seen(answers);
    let site = Site::new(spec, &seen);
    let look = Look {
        site: &site,
        wanted: &[],
        seen: &seen,
        waited: Duration::ZERO,
        made: &[],
        broken: false,
    };
    let picture = Picture::new(&look, None);
    let condition = picture.condition(&look);
    let plain = Report::plain(cluster, answers);
    let mut summary = condition.word().to_owned();
    if let Some(problem) = &picture.problem {
        summary = format!("{summary}: {}", problem.why);
    } else if !plain.healthy {
        summary = format!("{summary}; {}", plain.summary);
    }
    Report {
        cluster: "postgres".to_owned(),
        healthy: plain.healthy,
        summary,
        next_loss: next_loss(spec, &look, &picture, condition),
        quorum: Some(quorum(spec, &picture)),
        members: (0..spec.members.len())
            .map(|member| self::member(&look, &picture, member))
            .collect(),
    }
}

fn member(look: &Look, picture: &Picture, member: usize) -> MemberReport {
    let state = picture.states[member];
    let name = look.name(member).to_owned();
    let Some(seen) = look.known(member) else {
        let why = match &look.seen[member] {
            super::Seen::Unknown(why) => why.clone(),
            super::Seen::Known(_) => String::new(),
        };
        return MemberReport {
            name,
            role: "unknown".to_owned(),
            state: why,
            lag_bytes: None,
            details: Vec::new(),
        };
    };
    let sender = picture
        .primary
        .filter(|primary| *primary != member)
        .and_then(|primary| look.online(primary))
        .and_then(|online| online.senders.iter().find(|sender| sender.name == name));
    let (role, mut words) = match state {
        State::Primary => ("primary", "running".to_owned()),
        State::Streaming => (
            "standby",
            sender.map_or_else(|| "streaming".to_owned(), |sender| sender.state.clone()),
        ),
        State::Witness => ("witness", "running".to_owned()),
        other => ("-", other.word().to_owned()),
    };
    if seen.fenced {
        words.push_str(", stopped for good");
    }
    let mut details = Vec::new();
    // The time line of a witness is its own, and means nothing to the others.
    if let Some(online) = seen.online.as_ref().filter(|_| state != State::Witness) {
        details.push(("timeline".to_owned(), online.tli.to_string()));
    }
    if let Some(sender) = sender {
        details.push(("commit".to_owned(), sender.sync.clone()));
    }
    let repmgrd = match (seen.repmgrd.running, seen.repmgrd.paused) {
        (true, false) => "watches",
        (true, true) => "paused",
        (false, _) => "stopped",
    };
    details.push(("repmgrd".to_owned(), repmgrd.to_owned()));
    if seen.pooler.as_ref().is_some_and(|pooler| pooler.paused) {
        details.push(("pooler".to_owned(), "paused".to_owned()));
    }
    MemberReport {
        name,
        role: role.to_owned(),
        state: words,
        lag_bytes: sender.map(|sender| sender.lag),
        details,
    }
}

/// What a commit waits for.
fn quorum(spec: &Spec, picture: &Picture) -> Quorum {
    let there = picture.of(State::Streaming).len() as u64;
    let needed = u64::from(spec.quorum());
    let text = match needed {
        0 => format!("commits wait for no standby, {there} stream"),
        1 => format!("commits wait for 1 standby, {there} stream"),
        needed => format!("commits wait for {needed} standbys, {there} stream"),
    };
    Quorum {
        needed,
        there,
        text,
    }
}

/// What is lost when one more node fails.
fn next_loss(spec: &Spec, look: &Look, picture: &Picture, condition: Condition) -> String {
    let standbys = picture.of(State::Streaming).len();
    if !matches!(condition, Condition::Healthy | Condition::Degraded) {
        return "there is no primary to lose: nothing can be written now".to_owned();
    }
    let quorum = spec.quorum() as usize;
    let up = 1 + standbys + picture.of(State::Witness).len();
    let watches = |member: usize| {
        look.known(member)
            .is_some_and(|seen| seen.repmgrd.running && !seen.repmgrd.paused)
    };
    let watched = (0..spec.members.len()).all(watches);
    if standbys == 0 {
        return "of the primary: all writes stop, and what is not in a backup is gone".to_owned();
    }
    let kept = match quorum {
        0 => "commits of the last moments may be lost",
        _ => "no acknowledged write is lost",
    };
    if up < spec.members.len() || !spec.automatic() || !watched {
        let why = match () {
            () if !spec.automatic() => "two members have no majority",
            () if up < spec.members.len() => "a member is missing",
            () => "repmgrd does not watch on every member",
        };
        return format!(
            "of the primary: writes stop, and nobody takes over by itself ({why}); {kept}"
        );
    }
    let seconds = spec.detection.as_secs();
    if standbys <= quorum {
        return format!(
            "of a standby: writes wait until one is back; of the primary: another takes over after {seconds} s and more; {kept}"
        );
    }
    format!("of the primary: another takes over after {seconds} s and more; {kept}")
}
