//! Why a host can't be reached, or was lost, and what to do about it.

use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

/// Why a connection or a command on it failed. Each is one line; [`TransportError::help`] is the next thing to do.
#[derive(Debug, Clone, Error)]
pub enum TransportError {
    /// The name has no address.
    #[error("no address is known for `{host}`: {reason}")]
    Unresolved {
        /// The host in the inventory.
        name: String,
        /// The address as the user gave it.
        host: String,
        /// What the resolver says.
        reason: String,
    },
    /// Nothing answers there, or something says no.
    #[error("`{host}` port {port} can't be connected: {reason}")]
    Refused {
        /// The address as the user gave it.
        host: String,
        /// The port.
        port: u16,
        /// What the system says.
        reason: String,
    },
    /// A jump host does not connect us to the host behind it.
    #[error("the jump host `{hop}` can't connect to `{host}` port {port}: {reason}")]
    NoForward {
        /// The host behind it, as the jump host was told it.
        host: String,
        /// Its port.
        port: u16,
        /// The jump host.
        hop: String,
        /// What it says.
        reason: String,
    },
    /// Something is wrong at a jump host.
    #[error("on the way to `{host}`, at the jump host `{hop}`: {error}")]
    AtHop {
        /// Where the way leads.
        host: String,
        /// The jump host.
        hop: String,
        /// What is wrong there.
        error: Box<TransportError>,
    },
    /// The program that should carry the connection can't be started.
    #[error("the `ProxyCommand` of `{host}` can't be started: {reason}")]
    NoProgram {
        /// Where the way leads.
        host: String,
        /// What the system says.
        reason: String,
    },
    /// The time to connect was over.
    #[error("no answer from `{host}` within {} during {what}", seconds(*after))]
    Timeout {
        /// The address as the user gave it.
        host: String,
        /// What was waited for: `the connection`, `the key exchange`, `the authentication`.
        what: &'static str,
        /// The whole time given to connecting.
        after: Duration,
    },
    /// No known_hosts file has a key for this host.
    #[error(
        "the {key_type} host key of `{host}` is unknown: {fingerprint}{}",
        other_types_note(other_types)
    )]
    UnknownHostKey {
        /// The name looked up, with the port when it is not 22: `[10.0.0.1]:2222`.
        host: String,
        /// `ssh-ed25519`
        key_type: String,
        /// `SHA256:…`
        fingerprint: String,
        /// Key types that are known for this host; the server showed none of these keys.
        other_types: Vec<String>,
    },
    /// Another key is known for this host.
    #[error(
        "the host key of `{host}` has changed: offered is {key_type} {offered}, known is {}",
        known_list(known)
    )]
    ChangedHostKey {
        /// The name looked up.
        host: String,
        /// The type of the offered key.
        key_type: String,
        /// Fingerprint of the offered key.
        offered: String,
        /// What is known instead.
        known: Vec<KnownKeyPlace>,
    },
    /// The key stands as `@revoked` in a known_hosts file.
    #[error("the host key of `{host}` is revoked at {}: {fingerprint}", place.at())]
    RevokedHostKey {
        /// The name looked up.
        host: String,
        /// Fingerprint of the revoked key or authority.
        fingerprint: String,
        /// Where it is revoked.
        place: Box<KnownKeyPlace>,
    },
    /// A known authority signed the host's certificate, but it does not hold.
    #[error("the host certificate `{key_id}` of `{host}` does not hold: {reason}")]
    HostCertificate {
        /// The name looked up.
        host: String,
        /// The certificate's own name.
        key_id: String,
        /// Fingerprint of the authority.
        authority: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A new host key can't be written down.
    #[error("the new host key can't be added to `{}`: {reason}", path.display())]
    KnownHostsFile {
        /// The known_hosts file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The server accepted none of the keys.
    #[error("`{user}` is not let in at `{host}`; tried {}", tried_list(tried))]
    Authentication {
        /// The address as the user gave it.
        host: String,
        /// The login name.
        user: String,
        /// What was tried or skipped, in order, each with its reason when it has one.
        tried: Vec<String>,
    },
    /// A key file can't be used.
    #[error("key file `{}` can't be used: {reason}", path.display())]
    KeyFile {
        /// The private key, or its certificate.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A key file is encrypted and stays so.
    #[error("key file `{}` is encrypted: {reason}", path.display())]
    KeyPassphrase {
        /// The private key.
        path: PathBuf,
        /// `no terminal to ask for its passphrase`, or how often a wrong one was given.
        reason: String,
    },
    /// The connection ended while something ran on it, or before something could be started.
    #[error("the connection to `{host}` was lost: {reason}")]
    Lost {
        /// Where it led.
        host: String,
        /// What is known of the cause.
        reason: String,
    },
    /// The far side does not speak as it should.
    #[error("`{host}` answers in an unexpected way: {reason}")]
    Protocol {
        /// Where it led.
        host: String,
        /// What went wrong.
        reason: String,
    },
}

/// A line of a known_hosts file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKeyPlace {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// `ssh-ed25519`
    pub key_type: String,
    /// `SHA256:…`
    pub fingerprint: String,
}

impl KnownKeyPlace {
    /// `file:line`
    pub fn at(&self) -> String {
        format!("{}:{}", self.file.display(), self.line)
    }
}

impl TransportError {
    /// The same as it is seen from `host`, on whose way `hop` stands.
    pub(crate) fn at_hop(self, host: String, hop: String) -> Self {
        match self {
            // The jump host that it is about is named already.
            Self::AtHop { hop, error, .. } => Self::AtHop { host, hop, error },
            Self::NoForward { .. } => self,
            error => Self::AtHop {
                host,
                hop,
                error: Box::new(error),
            },
        }
    }

    /// What the user can do next, when there is something.
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::Unresolved { host, .. } => format!("set `ansible_host` of `{host}` to its address"),
            Self::Refused { host, reason, .. } if reason.contains("no route") || reason.contains("unreachable") => format!("is the address right, and is the machine on and in a network that is reached from here? try `ping {host}`"),
            Self::Refused { host, port, .. } => format!("is sshd running there? try `ssh -p {port} {host} true`, or set `ansible_port`"),
            Self::NoForward { hop, host, port, .. } => format!("try it from there: `ssh {} ssh-keyscan -p {port} {host}`; its sshd must allow it (`AllowTcpForwarding`, `PermitOpen`)", uri(hop)),
            Self::AtHop { error, .. } => {
                let help = error.help()?;
                help.replace("set `ansible_port`", "give the jump host its port, as in `-J user@host:2222`")
            }
            Self::NoProgram { .. } => return None,
            Self::Timeout { .. } => "raise the limit with `-o ConnectTimeout=30` in `ansible_ssh_common_args`, or check the address and the firewall".to_string(),
            Self::UnknownHostKey { host, .. } => format!("compare the fingerprint with the server's own (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` there), then connect once with `--host-key-checking accept-new`, or add the line of `{}`", keyscan(host)),
            Self::ChangedHostKey { host, known, .. } => match known.first() {
                Some(place) => format!("if the host was reinstalled, forget its old key: `ssh-keygen -R '{host}' -f '{}'`; if not, somebody may be listening in", place.file.display()),
                None => "check who answers at this address before going on".to_string(),
            },
            Self::RevokedHostKey { .. } => "somebody declared this key stolen or retired: give the host a new key (`ssh-keygen -A` there) before going on".to_string(),
            Self::HostCertificate { .. } => "look at it there with `ssh-keygen -L -f /etc/ssh/ssh_host_ed25519_key-cert.pub` and have it signed again".to_string(),
            Self::KnownHostsFile { .. } => "mend its rights, or name another file with `-o UserKnownHostsFile=FILE`".to_string(),
            Self::Authentication { host, user, .. } => format!("name the right key with `--private-key FILE`, or install it there: `ssh-copy-id -i FILE {user}@{host}`; where it is installed, sshd wants nobody else to write there: `chmod go-w ~{user} ~{user}/.ssh ~{user}/.ssh/authorized_keys` as root there, and `journalctl -u ssh` says why"),
            Self::KeyFile { path, .. } => format!("check it with `ssh-keygen -y -f '{}'`", path.display()),
            Self::KeyPassphrase { path, .. } => format!("load it into an agent first: `ssh-add '{}'`", path.display()),
            Self::Protocol { reason, .. } if reason.starts_with("it offers no ") => "as root there, take lines such as `KexAlgorithms`, `Ciphers`, `MACs` and `HostKeyAlgorithms` out of /etc/ssh/sshd_config and sshd_config.d, so that OpenSSH's own defaults hold, and `systemctl restart ssh`".to_string(),
            Self::Lost { .. } | Self::Protocol { .. } => return None,
        };
        Some(text)
    }
}

/// `root@10.77.0.11:22` as ssh takes it.
fn uri(place: &str) -> String {
    format!("ssh://{place}")
}

/// The command that shows a host's keys.
fn keyscan(host: &str) -> String {
    match host
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]:"))
    {
        Some((name, port)) => format!("ssh-keyscan -p {port} {name}"),
        None => format!("ssh-keyscan {host}"),
    }
}

fn seconds(after: Duration) -> String {
    if after.subsec_millis() == 0 {
        format!("{} s", after.as_secs())
    } else {
        format!("{:.1} s", after.as_secs_f64())
    }
}

fn other_types_note(types: &[String]) -> String {
    if types.is_empty() {
        String::new()
    } else {
        format!(" (known for it: {})", types.join(", "))
    }
}

fn known_list(known: &[KnownKeyPlace]) -> String {
    let each: Vec<String> = known
        .iter()
        .map(|place| format!("{} {} at {}", place.key_type, place.fingerprint, place.at()))
        .collect();
    each.join(", ")
}

fn tried_list(tried: &[String]) -> String {
    if tried.is_empty() {
        "nothing: there is no key to try".to_string()
    } else {
        tried.join(", ")
    }
}
