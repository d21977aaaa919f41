//! What `rolling:` says for each node, read and checked before anything connects.

use std::sync::Arc;

use crate::balancer::{Member, Spec};
use crate::diagnostic::Diagnostic;
use crate::engine::scope::PlayScope;
use crate::engine::state::{HostState, Run};
use crate::event::Event;
use crate::name::HostName;
use crate::playbook::Scheduled;
use crate::rollout::{self, Gate, Policy, Rank, Seen, Settings};
use crate::template::{Lookup, Scope, Stop};
use crate::value::{Kind, Value};

/// A rolling update, ready to begin.
pub(in crate::engine) struct Prepared {
    /// Its nodes, in the order of the inventory; the named canary first.
    pub nodes: Vec<Prepare>,
    /// The play that says `rolling`.
    pub play: Arc<str>,
    /// Where it says so, `file:line`.
    pub at: Arc<str>,
}

/// One node of it.
pub(in crate::engine) struct Prepare {
    /// Its name.
    pub name: Arc<str>,
    /// What the play says, with the node's variables.
    pub settings: Settings,
    /// The balancer, with the node's variables.
    pub spec: Spec,
    /// The node as the balancer knows it.
    pub member: Member,
    /// `--limit` leaves it out: it is only looked at.
    pub watched: bool,
    /// The release that it gets, where that can be said before anything connects.
    pub release: Option<String>,
}

impl Prepared {
    /// Whether that host is one of its nodes.
    pub(super) fn has(&self, host: &str) -> bool {
        self.nodes.iter().any(|node| *node.name == *host)
    }

    /// The node whose settings stand for all.
    pub(super) fn first(&self) -> &Prepare {
        &self.nodes[0]
    }

    pub(super) fn release_variable(&self) -> Arc<str> {
        self.first().settings.release_variable.clone()
    }

    /// How it goes on: what the play says, under what the command line says.
    pub(super) fn policy(&self) -> Policy {
        self.first().settings.policy(self.nodes.len())
    }

    /// The node as a member of the rollout.
    pub(super) fn member(&self, index: usize, pending: bool, seen: &Seen) -> rollout::Member {
        let node = &self.nodes[index];
        let member = rollout::Member::new(node.name.clone(), Rank::Plain, pending, seen);
        match node.watched {
            true => member.watched(),
            false => member,
        }
    }

    /// Hosts of the inventory that the balancer needs.
    pub(in crate::engine) fn balancer_hosts(&self) -> Vec<String> {
        self.nodes
            .iter()
            .flat_map(|node| node.spec.hosts())
            .cloned()
            .collect()
    }
}

/// Reads `rolling:` for each of its hosts.
///
/// # Errors
/// Everything that is wrong with it.
pub(in crate::engine) fn prepare(
    run: &Arc<Run>,
    plays: &[Arc<Scheduled>],
) -> Result<Prepared, Vec<Diagnostic>> {
    let rolled: Vec<(&Arc<Scheduled>, &Value)> = plays
        .iter()
        .filter(|play| !play.hosts.is_empty())
        .filter_map(|play| Some((play, play.play.rolling.as_ref()?)))
        .collect();
    let Some((first, value)) = rolled.first() else {
        return Err(vec![
            Diagnostic::error("no play with hosts says `rolling`").help(
                "write `rolling:` with at least `health:` on the play whose hosts are to be updated one after the other",
            ),
        ]);
    };
    for (_, other) in &rolled[1..] {
        if other != value {
            return Err(vec![
                Diagnostic::at(&other.span, "two plays say `rolling` differently")
                    .related(&value.span, "here it stands first")
                    .help(
                        "one rolling update has one way: write the same on both, or leave one out",
                    ),
            ]);
        }
    }
    let mut faults = Vec::new();
    let mut nodes = Vec::new();
    for (name, host) in &run.hosts {
        let taken = |hosts: &[HostName]| hosts.iter().any(|host| host.as_str() == &**name);
        let changed = rolled.iter().any(|(play, _)| taken(&play.hosts));
        if !changed && !rolled.iter().any(|(play, _)| taken(&play.beyond)) {
            continue;
        }
        match node(run, first, host, value) {
            Ok(node) => nodes.push(Prepare {
                watched: !changed,
                ..node
            }),
            Err(mut found) => {
                faults.append(&mut found);
                break;
            }
        }
    }
    if !faults.is_empty() || nodes.is_empty() {
        return Err(faults);
    }
    for secret in nodes.iter().flat_map(|node: &Prepare| node.spec.secrets()) {
        run.masker.add(&secret);
    }
    if let Some(canary) = nodes[0].settings.canary.clone() {
        let Some(place) = nodes.iter().position(|node| node.name == canary) else {
            return Err(vec![
                Diagnostic::at(
                    &value.span,
                    format!("the canary `{canary}` is none of the hosts"),
                )
                .nearest(&canary, nodes.iter().map(|node| &*node.name)),
            ]);
        };
        let node = nodes.remove(place);
        nodes.insert(0, node);
    }
    Ok(Prepared {
        nodes,
        play: first.play.name.clone(),
        at: format!("{}:{}", value.span.source().name(), value.span.line()).into(),
    })
}

/// Says which release the nodes get, if the command line does; to which one they go back is known later.
pub(in crate::engine) fn tell_release(run: &Run, prepared: &Prepared) {
    let back = run.settings.rolling.as_ref().is_some_and(|it| it.back);
    let given = run.project.extra.get(&prepared.release_variable());
    if let (false, Some(release)) = (back, given.and_then(|entry| entry.value.as_str())) {
        run.say(Event::Release {
            release: release.to_owned(),
        });
    }
}

/// Reads again what a healthy node is, in a run with another release; none when that cannot be said.
pub(super) fn gate_again(run: &Arc<Run>, plays: &[Arc<Scheduled>], name: &str) -> Option<Gate> {
    let host = run.hosts.get(name)?;
    let (play, value) = plays
        .iter()
        .find_map(|play| Some((play, play.play.rolling.as_ref()?)))?;
    Some(node(run, play, host, value).ok()?.settings.gate)
}

fn node(
    run: &Arc<Run>,
    play: &Arc<Scheduled>,
    host: &Arc<HostState>,
    value: &Value,
) -> Result<Prepare, Vec<Diagnostic>> {
    if !host.root {
        return Err(vec![
            Diagnostic::at(
                &value.span,
                format!("a rolling update needs root on `{}`", host.name),
            )
            .help("set `become: true` on the play"),
        ]);
    }
    let play = PlayScope::new(run.clone(), play.clone(), host.clone(), Arc::default());
    let known = |stop: Stop| match stop {
        Stop::Fault(fault) => vec![*fault],
        Stop::After(what) => vec![
            Diagnostic::at(&value.span, format!("`rolling` depends on `{what}`")).help(
                "it is read before anything connects: use variables of the inventory or the play",
            ),
        ],
    };
    play.read_vars_files().map_err(known)?;
    let scope: Arc<dyn Scope> = play.clone();
    let value = run.templates.render(value, &scope).map_err(known)?;
    let mut settings = Settings::read(&value, false)?;
    if let Some(asked) = &run.settings.rolling {
        settings.batch = asked.batch.unwrap_or(settings.batch);
        settings.max_unavailable = asked.max_unavailable.unwrap_or(settings.max_unavailable);
        settings.on_failure = asked.on_failure.unwrap_or(settings.on_failure);
    }
    let nothing = Value::new(Kind::Null, &value.span);
    let spec = Spec::read(settings.balancer.as_ref().unwrap_or(&nothing))?;
    let text = |name: &str| match scope.lookup(name) {
        Lookup::Written(value) => {
            let value = run.templates.render(&value, &scope).ok()?;
            value.as_str().map(str::to_owned)
        }
        _ => None,
    };
    let address = text("private_address").unwrap_or_else(|| host.connection.address.clone());
    Ok(Prepare {
        name: host.name.clone(),
        member: spec.member(&host.name, &address),
        release: text(&settings.release_variable),
        settings,
        spec,
        watched: false,
    })
}
