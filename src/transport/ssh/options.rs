//! What one SSH connection needs to know.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::algorithms::Algorithms;

/// Everything about one connection. Paths are complete; nothing here reads the environment.
#[derive(Debug, Clone)]
pub struct SshOptions {
    /// The host's name in the inventory, for advice.
    pub host: String,
    /// Name or IP address to connect to; also the name looked up in known_hosts.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// Login name.
    pub user: String,
    /// Keys the user named; each must be readable.
    pub identity_files: Vec<PathBuf>,
    /// Keys that a configuration names, tried behind those; one that is missing or no key is passed over.
    pub configured_identities: Vec<PathBuf>,
    /// Certificates for any of the keys, beside those that lie next to their key files.
    pub certificates: Vec<PathBuf>,
    /// Keys tried when none was named (`~/.ssh/id_ed25519` …); missing ones are passed over.
    pub default_identities: Vec<PathBuf>,
    /// Offer no other key of the agent than the identities above.
    pub identities_only: bool,
    /// The user's files. The first one is where `accept-new` writes; without one nothing is learned.
    pub known_hosts: Vec<PathBuf>,
    /// The machine's files, only read: `/etc/ssh/ssh_known_hosts`.
    pub global_known_hosts: Vec<PathBuf>,
    /// Learned names are hashed.
    pub hash_known_hosts: bool,
    /// Looked up in known_hosts in the place of the address and the port.
    pub host_key_alias: Option<String>,
    /// What to do with an unknown host key.
    pub host_key_checking: HostKeyChecking,
    /// Whether a key that is taken by `accept-new` is written down.
    pub learns_host_keys: bool,
    /// For name, TCP, key exchange and authentication together; waiting for a passphrase does not count.
    pub connect_timeout: Duration,
    /// After this much silence the server is asked for a sign of life; zero is never.
    pub keepalive_interval: Duration,
    /// So many questions without an answer, and the connection is lost.
    pub keepalive_max: usize,
    /// The socket of an ssh-agent.
    pub agent: Option<PathBuf>,
    /// Which addresses of a name count.
    pub address_family: AddressFamily,
    /// The address of this machine to connect from.
    pub bind_address: Option<IpAddr>,
    /// What is left of the usual methods.
    pub algorithms: Algorithms,
    /// What carries the connection.
    pub way: Way,
}

/// What carries a connection.
#[derive(Debug, Clone, Default)]
pub enum Way {
    /// A TCP connection of this machine.
    #[default]
    Direct,
    /// The connection to a jump host, which is made and checked in the same manner.
    Jump(Arc<SshOptions>),
    /// A program on this machine, run by `sh`: its standard input and output.
    Command(String),
}

/// Which addresses of a name count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AddressFamily {
    /// All.
    #[default]
    Any,
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl SshOptions {
    /// Port 22, ten seconds, keepalive 15 s × 3, strict host keys, and no keys, files or agent.
    pub fn new(
        host: impl Into<String>,
        address: impl Into<String>,
        user: impl Into<String>,
    ) -> Self {
        Self {
            host: host.into(),
            address: address.into(),
            port: 22,
            user: user.into(),
            identity_files: Vec::new(),
            configured_identities: Vec::new(),
            certificates: Vec::new(),
            default_identities: Vec::new(),
            identities_only: false,
            known_hosts: Vec::new(),
            global_known_hosts: Vec::new(),
            hash_known_hosts: false,
            host_key_alias: None,
            host_key_checking: HostKeyChecking::Yes,
            learns_host_keys: true,
            connect_timeout: Duration::from_secs(10),
            keepalive_interval: Duration::from_secs(15),
            keepalive_max: 3,
            agent: None,
            address_family: AddressFamily::Any,
            bind_address: None,
            algorithms: Algorithms::default(),
            way: Way::Direct,
        }
    }

    /// The name that known_hosts files know the host by, in lower case.
    pub fn known_name(&self) -> String {
        self.host_key_alias
            .as_ref()
            .unwrap_or(&self.address)
            .to_lowercase()
    }

    /// The port that known_hosts files know the host by: an alias stands for address and port together.
    pub fn known_port(&self) -> u16 {
        match self.host_key_alias {
            Some(_) => 22,
            None => self.port,
        }
    }

    /// `root@10.77.0.11:22`
    pub fn describe(&self) -> String {
        if self.address.contains(':') {
            format!("{}@[{}]:{}", self.user, self.address, self.port)
        } else {
            format!("{}@{}:{}", self.user, self.address, self.port)
        }
    }
}

/// What becomes of unknown host keys beside what arguments and configurations say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HostKeyRule {
    /// Whatever they say.
    pub always: Option<HostKeyChecking>,
    /// Where the arguments do not say, before any configuration.
    pub usual: Option<HostKeyChecking>,
    /// Nothing is written down.
    pub only_look: bool,
}

/// What to do with a host key that no known_hosts file has. A changed or revoked key is refused whatever is set here, except that `No`
/// lets a changed one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HostKeyChecking {
    /// Refuse it.
    #[default]
    Yes,
    /// Learn it.
    AcceptNew,
    /// Take it, and learn nothing.
    No,
}

impl FromStr for HostKeyChecking {
    type Err = ();

    /// As OpenSSH spells it; `ask` is `yes`, for nobody is asked.
    fn from_str(text: &str) -> Result<Self, ()> {
        match text.to_ascii_lowercase().as_str() {
            "yes" | "true" | "ask" => Ok(Self::Yes),
            "accept-new" => Ok(Self::AcceptNew),
            "no" | "false" | "off" => Ok(Self::No),
            _ => Err(()),
        }
    }
}
