//! SSH connections by russh.
//!
//! Built for latency: no Nagle and no delayed acknowledgements ([`dial`]), the fastest ciphers first, and session channels opened ahead,
//! so that starting a command costs one round trip.

pub mod arguments;
mod channel;
mod channels;
mod dial;
mod guard;
mod host_key;
mod keys;
pub mod known_hosts;
mod login;
mod options;
mod spool;
pub mod trail;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use russh::client::{Config, Handle};
use russh::{Disconnect, Preferred, cipher};

pub use keys::{NobodyToAsk, PassphrasePrompt};
pub use options::{HostKeyChecking, SshOptions};

use self::channels::Channels;
use self::dial::{Deadline, dial};
use self::guard::{Guard, GuardError, Story, why};
use self::host_key::{HostKeyCheck, KnownHostsFiles};
use self::keys::KeyRing;
use self::trail::{Carrier, Milestone, Trail};
use super::error::TransportError;
use super::{Process, Transport};

/// What all connections of a run share: key files with their passphrases, and known_hosts files. Clones share it too.
#[derive(Clone)]
pub struct SshClient {
    keys: Arc<KeyRing>,
    known_hosts: Arc<KnownHostsFiles>,
}

impl SshClient {
    /// `prompt` is asked for the passphrase of an encrypted key when that key is needed.
    pub fn new(prompt: Arc<dyn PassphrasePrompt>) -> Self {
        Self {
            keys: Arc::new(KeyRing::new(prompt)),
            known_hosts: Arc::default(),
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
        let story = Arc::new(Story::new(options.describe(), Carrier::Tcp));
        let connected = Self::go(Arc::new(options), client, &story).await;
        let legs = vec![story.leg()];
        (Trail { legs }, connected)
    }

    async fn go(
        options: Arc<SshOptions>,
        client: &SshClient,
        story: &Arc<Story>,
    ) -> Result<Self, TransportError> {
        let mut deadline = Deadline::new(&options);
        let mut handle = match shake_hands(&options, client, &deadline, story).await {
            Err(TransportError::Lost { .. }) if !story.host_key_seen() => {
                story.note(Milestone::HungUp);
                deadline
                    .limit("the connection", tokio::time::sleep(HANGUP_PAUSE))
                    .await?;
                shake_hands(&options, client, &deadline, story).await?
            }
            result => result?,
        };
        login::log_in(&mut handle, &options, &client.keys, &mut deadline, story).await?;
        let host = options.describe();
        tracing::debug!(%host, "connected");
        Ok(Self {
            channels: Channels::open(handle, &host, Arc::clone(story)),
            host,
            story: Arc::clone(story),
        })
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

/// TCP, key exchange and host key.
async fn shake_hands(
    options: &Arc<SshOptions>,
    client: &SshClient,
    deadline: &Deadline,
    story: &Arc<Story>,
) -> Result<Handle<Guard>, TransportError> {
    let check = HostKeyCheck::new(Arc::clone(options), Arc::clone(&client.known_hosts));
    let config = Arc::new(config(options, &check));
    let stream = dial(options, deadline, story).await?;
    let guard = Guard::new(check, Arc::clone(story));
    let connected = deadline
        .limit(
            "the key exchange",
            russh::client::connect_stream(config, stream, guard),
        )
        .await?;
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
                reason: format!("{} during the key exchange", why(&error)),
            }
        }
        GuardError::Ssh(error) => TransportError::Protocol {
            host: options.describe(),
            reason: error.to_string(),
        },
    })
}

fn config(options: &SshOptions, check: &HostKeyCheck) -> Config {
    Config {
        preferred: Preferred {
            key: Cow::Owned(check.algorithms()),
            host_key_certificates: Cow::Owned(check.certificate_algorithms()),
            // With AES instructions GCM moves twice as much as chacha20, and every server Debian ships has it.
            cipher: Cow::Borrowed(&[
                cipher::AES_256_GCM,
                cipher::CHACHA20_POLY1305,
                cipher::AES_256_CTR,
                cipher::AES_192_CTR,
                cipher::AES_128_CTR,
            ]),
            compression: Cow::Borrowed(&[russh::compression::NONE]),
            ..Preferred::DEFAULT
        },
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
