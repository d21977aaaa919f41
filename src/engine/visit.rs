//! One look at hosts, whatever state they are in: each is knocked at, and where somebody is let in one script is run by the login user's own shell.
//! No lease is asked for, and nothing is kept open.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use super::hosts;
use super::reach::{Reach, Target};
use super::state::Settings;
use crate::diagnostic::Diagnostic;
use crate::inventory::Method;
use crate::name::HostName;
use crate::playbook::Project;
use crate::secret::Secret;
use crate::template::Templates;
use crate::transport::ssh::trail::Trail;
use crate::transport::{Transport, TransportError};

/// How long the script may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of it at one host.
#[derive(Debug)]
pub struct Visited {
    /// The host.
    pub host: String,
    /// Where it was knocked.
    pub address: String,
    /// Who logs in.
    pub login: String,
    /// Whether it is this machine, which nobody logs in to.
    pub is_here: bool,
    /// What happened on the way there by SSH.
    pub trail: Trail,
    /// What the script printed, or how far it came.
    pub end: Result<Seen, Unseen>,
}

/// What a script printed, and between which times of this machine's clock.
#[derive(Debug)]
pub struct Seen {
    /// Its output.
    pub text: String,
    /// When it was sent.
    pub began: Timestamp,
    /// When it had ended.
    pub ended: Timestamp,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Unseen {
    /// How the host is to be reached is wrong in the files.
    Wrong(String),
    /// It was not reached, or let nobody in.
    Transport(TransportError),
    /// The script did not come to its end.
    Script(String),
}

/// Makes the script of a host; it is given the password of sudo, where there is one.
pub type Script = dyn Fn(Option<&Secret>) -> String + Send + Sync;

/// Goes to all hosts at once, as many as `settings.forks`; what comes of each goes to `told` as soon as it is known.
///
/// # Errors
/// What is wrong with connection variables of the hosts.
pub async fn visit(
    project: &Project,
    templates: &Templates,
    reach: Arc<dyn Reach>,
    settings: Settings,
    wanted: &[HostName],
    script: Arc<Script>,
    told: mpsc::UnboundedSender<Visited>,
) -> Result<(), Vec<Diagnostic>> {
    let mut faults = Vec::new();
    let mut states = Vec::new();
    for name in wanted {
        let Some(host) = project.inventory.hosts.get(name) else {
            continue;
        };
        match hosts::state(project, templates, &settings, name, host, &[]) {
            Ok(state) => states.push(state),
            Err(mut found) => faults.append(&mut found),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let forks = Arc::new(Semaphore::new(settings.forks.max(1)));
    let mut visits = tokio::task::JoinSet::new();
    for state in states {
        let (reach, settings, script) = (reach.clone(), settings.clone(), script.clone());
        let (forks, told) = (forks.clone(), told.clone());
        visits.spawn(async move {
            let _permit = forks.acquire_owned().await.ok();
            let connection = &state.connection;
            let target = Target {
                name: &state.name,
                connection,
                login: &state.login,
            };
            let own = connection.become_password.as_ref().map(Secret::new);
            let password = own.or_else(|| settings.become_password.clone());
            let (trail, end) = match reach.told(&target, &settings).await {
                Ok((trail, Ok(transport))) => {
                    (trail, look(&*transport, &script(password.as_ref())).await)
                }
                Ok((trail, Err(error))) => (trail, Err(Unseen::Transport(error))),
                Err(why) => (Trail::default(), Err(Unseen::Wrong(why))),
            };
            let _ = told.send(Visited {
                host: state.name.to_string(),
                address: connection.address.clone(),
                login: state.login.clone(),
                is_here: connection.method == Method::Local,
                trail,
                end,
            });
        });
    }
    while visits.join_next().await.is_some() {}
    Ok(())
}

/// Gives the script to a shell as its input: it stands in no list of processes.
async fn look(transport: &dyn Transport, script: &str) -> Result<Seen, Unseen> {
    let began = Timestamp::now();
    let asked = async {
        let mut process = transport
            .start("exec /bin/sh")
            .await
            .map_err(Unseen::Transport)?;
        let lost = |error: std::io::Error| Unseen::Script(error.to_string());
        process
            .stdin
            .write_all(script.as_bytes())
            .await
            .map_err(lost)?;
        process.stdin.shutdown().await.map_err(lost)?;
        let (mut text, mut errors) = (Vec::new(), Vec::new());
        let (mut out, mut err) = (process.stdout, process.stderr);
        let read = tokio::join!(out.read_to_end(&mut text), err.read_to_end(&mut errors));
        read.0.map_err(lost)?;
        let exit = process.exit.wait().await.map_err(Unseen::Transport)?;
        if !exit.success() {
            // A login shell that lets nobody in says so on standard output.
            let said = match errors.is_empty() {
                true => String::from_utf8_lossy(&text),
                false => String::from_utf8_lossy(&errors),
            };
            let last = said.lines().last().unwrap_or_default();
            return Err(Unseen::Script(format!(
                "the shell ended with {exit}: {last}"
            )));
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    let end = timeout(PATIENCE, asked).await;
    let ended = Timestamp::now();
    transport.close().await;
    match end {
        Ok(text) => text.map(|text| Seen { text, began, ended }),
        Err(_) => Err(Unseen::Script(format!(
            "no end within {} s",
            PATIENCE.as_secs()
        ))),
    }
}
