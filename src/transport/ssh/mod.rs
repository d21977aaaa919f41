//! SSH connections by russh.
//!
//! Built for latency: no Nagle and no delayed acknowledgements ([`dial`]), the fastest ciphers first, and session channels opened ahead,
//! so that starting a command costs one round trip.

pub mod algorithms;
pub mod arguments;
mod channel;
mod channels;
pub mod config;
mod dial;
mod guard;
mod hops;
mod host_key;
mod keys;
pub mod known_hosts;
mod login;
mod options;
mod program;
mod signers;
mod spool;
pub mod trail;
mod wire;

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use russh::client::{Config, Handle};
use russh::{Disconnect, Preferred};
use tokio::time::Instant;

pub use keys::{NobodyToAsk, PassphrasePrompt};
pub use options::{AddressFamily, HostKeyChecking, HostKeyRule, SshOptions, Way};

use self::channels::Channels;
use self::dial::{Deadline, dial};
use self::guard::{Guard, GuardError, Story, why};
use self::hops::{Hops, Reached};
use self::host_key::{HostKeyCheck, KnownHostsFiles};
use self::keys::KeyRing;
use self::program::Complaints;
use self::trail::{Carrier, Leg, Milestone, Trail};
use self::wire::{HopStream, Wire};
use super::error::TransportError;
use super::{Process, Transport};

/// What all connections of a run share: key files with their passphrases, known_hosts files, and the connections to jump hosts. Clones
/// share it too.
#[derive(Clone)]
pub struct SshClient {
    keys: Arc<KeyRing>,
    known_hosts: Arc<KnownHostsFiles>,
    hops: Arc<Hops>,
}

impl SshClient {
    /// `prompt` is asked for the passphrase of an encrypted key when that key is needed.
    pub fn new(prompt: Arc<dyn PassphrasePrompt>) -> Self {
        Self {
            keys: Arc::new(KeyRing::new(prompt)),
            known_hosts: Arc::default(),
            hops: Arc::default(),
        }
    }
}

/// One authenticated connection.
pub struct SshTransport {
    channels: Channels,
    host: String,
    story: Arc<Story>,
}

impl SshTransport {
    /// Connects and logs in. A server that hangs up before it has said who it is (as sshd does when too many knock at once) is asked once more.
    ///
    /// # Errors
    /// Every [`TransportError`] but `Protocol` for a refused command.
    pub async fn connect(options: SshOptions, client: &SshClient) -> Result<Self, TransportError> {
        Self::connect_told(options, client).await.1
    }

    /// The same, and what happened on the way, however it ended.
    pub async fn connect_told(
        options: SshOptions,
        client: &SshClient,
    ) -> (Trail, Result<Self, TransportError>) {
        let options = Arc::new(options);
        let mut legs = Vec::new();
        let connected = log_in(&options, client, &mut legs).await;
        let connected = connected.map(|(handle, story)| {
            let host = options.describe();
            tracing::debug!(%host, "connected");
            Self {
                channels: Channels::open(handle, &host, Arc::clone(&story)),
                host,
                story,
            }
        });
        (Trail { legs }, connected)
    }
}

/// How long to wait before knocking again.
const HANGUP_PAUSE: Duration = Duration::from_millis(300);

#[async_trait]
impl Transport for SshTransport {
    async fn start(&self, command: &str) -> Result<Process, TransportError> {
        let (channel, seat) = self.channels.take().await?;
        channel::run(channel, command, &self.host, Arc::clone(&self.story), seat).await
    }

    fn describe(&self) -> String {
        self.host.clone()
    }

    async fn close(&self) {
        self.channels.close().await;
    }
}

/// A connection that we are logged in on, and what is told of it.
type LoggedIn = Result<(Handle<Guard>, Arc<Story>), TransportError>;

/// Connects, over jump hosts where there are, and logs in; how it went is added to `legs`.
async fn log_in(options: &Arc<SshOptions>, client: &SshClient, legs: &mut Vec<Leg>) -> LoggedIn {
    let (by, mut reached) = match &options.way {
        Way::Direct => (Carrier::Tcp, None),
        Way::Command(command) => (Carrier::Command(command.clone()), None),
        Way::Jump(jump) => {
            let reached = client.hops.reach(jump, client, legs).await;
            let hop = jump.describe();
            let reached = reached.map_err(|error| error.at_hop(options.describe(), hop.clone()))?;
            (Carrier::Jump(hop), Some(reached))
        }
    };
    let story = Arc::new(Story::new(options.describe(), by));
    let result = on_wire(options, client, &mut reached, &story).await;
    legs.push(story.leg());
    Ok((result?, story))
}

/// The same for a jump host: the type of a future that may hold one like itself can't be written.
fn log_in_at_hop<'a>(
    options: &'a Arc<SshOptions>,
    client: &'a SshClient,
    legs: &'a mut Vec<Leg>,
) -> Pin<Box<dyn Future<Output = LoggedIn> + Send + 'a>> {
    Box::pin(log_in(options, client, legs))
}

/// The leg to the host itself.
async fn on_wire(
    options: &Arc<SshOptions>,
    client: &SshClient,
    reached: &mut Option<Reached>,
    story: &Arc<Story>,
) -> Result<Handle<Guard>, TransportError> {
    let mut deadline = Deadline::new(options);
    let mut handle = match shake_hands(options, client, &mut deadline, reached, story).await {
        Err(TransportError::Lost { .. }) if !story.host_key_seen() && !is_program(options) => {
            story.note(Milestone::HungUp);
            deadline
                .limit("the connection", tokio::time::sleep(HANGUP_PAUSE))
                .await?;
            shake_hands(options, client, &mut deadline, reached, story).await?
        }
        result => result?,
    };
    login::log_in(&mut handle, options, &client.keys, &mut deadline, story).await?;
    Ok(handle)
}

fn is_program(options: &SshOptions) -> bool {
    matches!(options.way, Way::Command(_))
}

/// What carries the connection, and the complaints of a program that does.
async fn wire(
    options: &SshOptions,
    client: &SshClient,
    deadline: &mut Deadline,
    reached: &mut Option<Reached>,
    story: &Story,
) -> Result<(Wire, Option<Complaints>), TransportError> {
    let wire = match (&options.way, reached) {
        (Way::Command(command), _) => {
            let started = program::start(command);
            let (stream, complaints) = started.map_err(|error| TransportError::NoProgram {
                host: options.describe(),
                reason: error.to_string(),
            })?;
            story.note(Milestone::Connected {
                at: format!("`{command}`"),
            });
            return Ok((Wire::Program(stream), Some(complaints)));
        }
        (Way::Jump(jump), Some(reached)) => {
            // One that was open before may have died unseen: it has half the time, then another is made.
            let half = deadline.left() / 2;
            let within = if reached.shared {
                half
            } else {
                deadline.left()
            };
            let channel = match reached.hop.channel(options, deadline, within).await {
                Err(TransportError::Timeout { .. } | TransportError::AtHop { .. })
                    if reached.shared =>
                {
                    let began = Instant::now();
                    story.note(Milestone::NoAnswer {
                        at: format!("the connection to `{}` that was open", jump.describe()),
                        reason: "a new one is made".to_string(),
                    });
                    client.hops.forget(jump, &reached.hop).await;
                    let again = client.hops.reach(jump, client, &mut Vec::new()).await;
                    // The jump host has a time limit of its own.
                    deadline.extend(began.elapsed());
                    *reached =
                        again.map_err(|error| error.at_hop(options.describe(), jump.describe()))?;
                    reached
                        .hop
                        .channel(options, deadline, deadline.left())
                        .await?
                }
                opened => opened?,
            };
            story.note(Milestone::Connected {
                at: format!("{}:{}", options.address, options.port),
            });
            Wire::Hop(HopStream {
                stream: channel.into_stream(),
                _hop: Arc::clone(&reached.hop),
            })
        }
        _ => Wire::Tcp(dial(options, deadline, story).await?),
    };
    Ok((wire, None))
}

/// What carries the connection, key exchange and host key.
async fn shake_hands(
    options: &Arc<SshOptions>,
    client: &SshClient,
    deadline: &mut Deadline,
    reached: &mut Option<Reached>,
    story: &Arc<Story>,
) -> Result<Handle<Guard>, TransportError> {
    let check = HostKeyCheck::new(Arc::clone(options), Arc::clone(&client.known_hosts));
    let config = Arc::new(config(options, &check));
    let (stream, complaints) = wire(options, client, deadline, reached, story).await?;
    let guard = Guard::new(check, Arc::clone(story));
    let connected = deadline
        .limit(
            "the key exchange",
            russh::client::connect_stream(config, stream, guard),
        )
        .await?;
    let says = match (&complaints, &connected) {
        (Some(complaints), Err(_)) => complaints.last().await,
        _ => None,
    };
    let says = says.map_or_else(String::new, |line| {
        format!("; the `ProxyCommand` says: {line}")
    });
    connected.map_err(|error| match error {
        GuardError::Refused(error) => error,
        GuardError::Ssh(russh::Error::NoCommonAlgo { kind, theirs, .. }) => {
            TransportError::Protocol {
                host: options.describe(),
                reason: format!(
                    "it offers no {kind:?} algorithm that is supported here, only {}",
                    theirs.join(", ")
                ),
            }
        }
        GuardError::Ssh(russh::Error::Disconnect | russh::Error::HUP | russh::Error::IO(_)) => {
            TransportError::Lost {
                host: options.describe(),
                reason: format!("{} during the key exchange{says}", why(&error)),
            }
        }
        GuardError::Ssh(error) => TransportError::Protocol {
            host: options.describe(),
            reason: error.to_string(),
        },
    })
}

fn config(options: &SshOptions, check: &HostKeyCheck) -> Config {
    let mut preferred = Preferred {
        key: Cow::Owned(check.algorithms()),
        host_key_certificates: Cow::Owned(check.certificate_algorithms()),
        compression: Cow::Borrowed(&[russh::compression::NONE]),
        ..Preferred::DEFAULT
    };
    options.algorithms.limit(&mut preferred);
    Config {
        preferred,
        keepalive_interval: (!options.keepalive_interval.is_zero())
            .then_some(options.keepalive_interval),
        keepalive_max: options.keepalive_max,
        // A long silent command is no reason to hang up; keepalives find dead hosts.
        inactivity_timeout: None,
        nodelay: true,
        ..Config::default()
    }
}

/// What is said to the server at the end.
async fn say_goodbye(handle: &Handle<Guard>) {
    let _ = handle.disconnect(Disconnect::ByApplication, "", "").await;
}
