//! The first script of a host: connecting, the lease, owed handlers, facts and every question that needs no answer before it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::gate::Refusal;
use super::machines;
use super::patience;
use super::reach::Target;
use super::state::{HostState, Out, Run, lock};
use super::way_in;
use crate::event::{Event, Failure};
use crate::fact::{Answer, Known, Missing, Question};
use crate::node::guard::{left_text, parse_left};
use crate::node::lease::{claim_text, owed_text, parse_claim, parse_owed, parse_serves};
use crate::node::{Claim, Connector, MACHINE, Node, NodeError, Privilege, parse_machine};
use crate::secret::Secret;

/// Another run's lease is asked for again after this long.
const RETRY: Duration = Duration::from_millis(250);

/// A run that has just ended gives its lease back when the node notices; so long that is waited for without being asked to.
const GRACE: Duration = Duration::from_secs(2);

/// A connection, and what the first script on it found out.
pub type First = (Node, Vec<(Question, Answer)>);

/// Connects, and asks everything that is missing so far. The host is taken out, and told so, when that fails.
pub async fn first_script(
    run: &Arc<Run>,
    host: &Arc<HostState>,
    missing: &Missing,
) -> Result<First, ()> {
    try_first_script(run, host, missing).await.map_err(|error| {
        if let Some(error) = error {
            unreachable(run, host, &error);
            run.gate.settle(&host.name);
        }
    })
}

/// The same, and the host is not taken out. No error when another run holds the lease.
pub async fn try_first_script(
    run: &Arc<Run>,
    host: &Arc<HostState>,
    missing: &Missing,
) -> Result<First, Option<NodeError>> {
    run.say(Event::HostWorking {
        host: host.name.clone(),
        what: "connecting".to_owned(),
    });
    match connect(run, host, missing).await {
        Ok(Some((node, answers))) => {
            host.tally().round_trips += node.round_trips;
            if run.settings.mode.may_change() {
                lock(&run.pulses).push((host.name.clone(), node.pulse()));
            }
            run.say(Event::HostConnected {
                host: host.name.clone(),
            });
            run.gate.settle(&host.name);
            Ok((node, answers))
        }
        Ok(None) => Err(None),
        Err(error) => Err(Some(error)),
    }
}

/// The host is out: it could not be reached or did not let us in.
pub fn unreachable(run: &Run, host: &HostState, error: &NodeError) {
    let mut failure = Failure::new(error.to_string());
    failure.help = error.help();
    host.because(failure.message.clone());
    host.take_out(Out::Unreachable);
    host.tally().unreachable = 1;
    run.say(Event::HostUnreachable {
        host: host.name.clone(),
        error: failure,
    });
}

/// None when another run holds the lease.
async fn connect(
    run: &Arc<Run>,
    host: &Arc<HostState>,
    missing: &Missing,
) -> Result<Option<First>, NodeError> {
    let mut node = patience::connected(run, host).await?;
    let mut prologue = String::new();
    if run.settings.mode.may_change() {
        prologue = claim_text(node.base(), &run.settings.run_id, &run.settings.lease);
    }
    prologue.push_str(&left_text(
        &run.settings.run_id,
        run.settings.mode.may_change(),
    ));
    prologue.push_str(&way_in::kept_text());
    prologue.push_str(&owed_text());
    prologue.push_str(MACHINE);
    let deadline = Instant::now() + run.settings.lock_timeout.max(GRACE);
    let mut arrived = false;
    loop {
        let (said, answers) = node.ask(&prologue, missing).await?;
        if !std::mem::replace(&mut arrived, true)
            && let Some(machine) = parse_machine(&said)
        {
            node.apart(machines::arrive(run, host, machine)?);
        }
        *lock(&host.owed) = parse_owed(&said);
        *lock(&host.kept) = way_in::parse_kept(&said);
        host.serves.store(parse_serves(&said), Ordering::Relaxed);
        for left in parse_left(&said) {
            way_in::tell_left(run, host, &left);
        }
        if !run.settings.mode.may_change() {
            return Ok(Some((node, answers)));
        }
        match parse_claim(&said) {
            Some(Claim::Mine) => return Ok(Some((node, answers))),
            Some(Claim::TakenOver(info)) => {
                run.say(Event::Warning {
                    host: Some(host.name.clone()),
                    message: format!(
                        "took over the lease of a run that gave no sign of life: `{}` by {}, since {}",
                        info.command, info.holder, info.since
                    ),
                });
                return Ok(Some((node, answers)));
            }
            Some(Claim::Held {
                info,
                silent_s,
                finishing,
            }) => {
                if run.stop.is_cancelled() {
                    // Who is told to stop does not wait for others, to begin then.
                    run.gate.give_up();
                    node.close().await;
                    return Ok(None);
                }
                if Instant::now() < deadline && run.gate.refusal().is_none() {
                    run.say(Event::HostWorking {
                        host: host.name.clone(),
                        what: format!("waiting for `{}` by {}", info.command, info.holder),
                    });
                    tokio::select! {
                        () = tokio::time::sleep(RETRY) => {}
                        () = run.stop.cancelled() => {}
                    }
                    continue;
                }
                if host.missed.load(Ordering::Relaxed) {
                    // It was out of reach when the leases were taken: the others are at work, and go on.
                    node.close().await;
                    return Err(NodeError::Launch(format!(
                        "another run holds its lease: `{}` by {}, since {}",
                        info.command, info.holder, info.since
                    )));
                }
                run.gate.refuse(Refusal {
                    host: host.name.clone(),
                    info,
                    silent_s,
                    finishing,
                });
                node.close().await;
                return Ok(None);
            }
            None => {
                return Err(NodeError::Launch(format!(
                    "the lease could not be written to `{}`, which must be a folder of the login user's own",
                    node.base()
                )));
            }
        }
    }
}

/// Connects, and asks nothing yet.
pub async fn open(run: &Run, host: &HostState) -> Result<Node, NodeError> {
    let connector = connector(run, host)?;
    let privilege = privilege(run, host);
    prove_password(run, host, &privilege).await?;
    Node::connect(
        connector,
        privilege,
        host.root,
        &host.login,
        &run.settings.run_id,
    )
    .await
    .inspect_err(|error| refused_password(run, error))
}

fn connector(run: &Run, host: &HostState) -> Result<Box<dyn Connector>, NodeError> {
    let target = Target {
        name: &host.name,
        connection: &host.connection,
        login: &host.login,
    };
    run.reach
        .connector(&target, &run.settings)
        .map_err(NodeError::Io)
}

fn privilege(run: &Run, host: &HostState) -> Privilege {
    if !host.root || host.login == "root" {
        return Privilege::Login;
    }
    let own = host.connection.become_password.as_ref().map(Secret::new);
    match own.or_else(|| run.settings.become_password.clone()) {
        Some(password) => {
            run.masker.add(&password);
            Privilege::SudoPassword(password)
        }
        None => Privilege::Sudo,
    }
}

/// Each distinct password is tried on one host before any other gets it.
async fn prove_password(
    run: &Run,
    host: &HostState,
    privilege: &Privilege,
) -> Result<(), NodeError> {
    let Privilege::SudoPassword(password) = privilege else {
        return Ok(());
    };
    let mut proven = run.passwords.lock().await;
    if proven.contains(password.reveal()) {
        return Ok(());
    }
    if run.stop.is_cancelled() {
        return Err(NodeError::WrongPassword);
    }
    // Others wait here: the lock is held until this host has answered.
    let transport = connector(run, host)?.connect().await?;
    let shell = crate::node::Shell::start(&*transport, privilege, "/nonexistent").await;
    transport.close().await;
    match shell {
        Ok(_) => {
            proven.insert(password.reveal().to_owned());
            Ok(())
        }
        Err(error) => {
            refused_password(run, &error);
            Err(error)
        }
    }
}

/// A wrong password stops the run: no further host is to count it as an attack.
fn refused_password(run: &Run, error: &NodeError) {
    if matches!(error, NodeError::WrongPassword) {
        run.wrong_password();
    }
}

/// Gives back the memory of a host that is done: over hundreds of hosts, only those worked on at the same time take any. Where
/// the run writes, the connection holds the lease and stays until the end.
pub async fn leave(run: &Run, host: &HostState) {
    *lock(&host.known) = Known::new(false);
    if !run.borrows && !run.settings.mode.may_change() {
        farewell(run, host).await;
        *host.node.lock().await = None;
    }
}

/// Takes away the notes of handlers that needed nothing, and ends the connection; the lease goes back with it.
pub async fn farewell(run: &Run, host: &HostState) {
    settle(run, host).await;
    if let Some(node) = host.node.lock().await.as_mut() {
        match run.settings.mode.may_change() {
            true => node.part(&super::audit::line(run, host).await).await,
            false => node.close().await,
        }
    }
}

/// What is left to do on the host before the lease goes back.
pub async fn settle(run: &Run, host: &HostState) {
    pay(run, host).await;
    if !run.borrows {
        way_in::close_old_port(run, host).await;
    }
}

/// Takes away the notes of handlers that ran or needed nothing.
pub async fn pay(run: &Run, host: &HostState) {
    let mut place = host.node.lock().await;
    let Some(node) = place.as_mut() else { return };
    let mut paid: Vec<String> = lock(&host.paid).drain(..).collect();
    // The note is the machine's, and its other names may owe the same.
    for twin in host.twins().iter().filter_map(|name| run.hosts.get(name)) {
        paid.retain(|id| !lock(&twin.due).contains(id));
    }
    if run.settings.mode.may_change() && !paid.is_empty() {
        let script: String = paid
            .iter()
            .map(|id| {
                format!(
                    "rm -f {}/{}\n",
                    crate::node::OWED,
                    crate::command::quote(id)
                )
            })
            .collect();
        // If this is lost, the handler runs once more: no harm.
        let before = node.round_trips;
        let _ = node.read(&script).await;
        host.tally().round_trips += node.round_trips - before;
    }
}
