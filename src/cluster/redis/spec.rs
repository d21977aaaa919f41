//! What a redis cluster is to be: its members, its password, its settings, and what is asked of it now.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::cluster::Member;

/// The port of redis on every member, with and without TLS.
pub const REDIS_PORT: u16 = 6379;
/// The port of sentinel on every member, with and without TLS.
pub const SENTINEL_PORT: u16 = 26379;

/// The wanted cluster.
#[derive(Clone)]
pub struct Spec {
    /// Its members; the first becomes primary of a new cluster.
    pub members: Vec<Member>,
    /// The name under which sentinels watch the primary.
    pub name: String,
    /// The password of redis and of sentinel: words of [`is_plain_word`].
    pub password: String,
    /// Files of the members for TLS; none for connections in the clear.
    pub tls: Option<Tls>,
    /// Settings of redis by their names, as the user wrote them.
    pub settings: BTreeMap<String, String>,
    /// How sentinels watch.
    pub watch: Watch,
    /// What is asked for.
    pub goal: Goal,
}

/// Files on each member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The authority that signed the certificates.
    pub ca: String,
    /// The member's certificate.
    pub certificate: String,
    /// Its key, readable for the account `redis`.
    pub key: String,
}

/// How sentinels watch the primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// So many sentinels must miss the primary.
    pub quorum: usize,
    /// Silence after which a sentinel misses it.
    pub down_after: Duration,
    /// How long a failover may take; a new one on the same primary waits twice that.
    pub failover_timeout: Duration,
}

/// What is asked of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Goal {
    /// To be as described.
    #[default]
    Converge,
    /// To be as described, with another primary.
    Failover {
        /// The member that is to become primary; none for whichever the sentinels choose.
        to: Option<usize>,
    },
    /// To be as described, with another primary than this member, which is about to stop for a while.
    Leave {
        /// The member.
        member: usize,
    },
    /// To be as described, and to know nothing more of a former member.
    Forget {
        /// The addresses it had.
        addresses: Vec<String>,
    },
    /// To go on without this member for good.
    Part {
        /// The member.
        member: usize,
        /// The addresses by which it is known.
        addresses: Vec<String>,
        /// A bare machine has its name now, which is taken in afterwards.
        replaced: bool,
    },
}

impl Watch {
    /// For that many sentinels: more than half must miss the primary, five seconds each.
    pub fn of(members: usize) -> Watch {
        Watch {
            quorum: members / 2 + 1,
            down_after: Duration::from_secs(5),
            failover_timeout: Duration::from_secs(30),
        }
    }
}

impl Spec {
    /// More than half of the members.
    pub fn majority(&self) -> usize {
        self.members.len() / 2 + 1
    }

    /// The member with that address.
    pub fn at(&self, address: &str) -> Option<usize> {
        self.members
            .iter()
            .position(|member| member.address == address)
    }

    /// A member's name.
    pub fn name_of(&self, member: usize) -> &str {
        &self.members[member].name
    }

    /// The settings that redis is to have on a member, by name: what the cluster needs, then what the user wants.
    pub fn wanted(&self, member: usize) -> BTreeMap<String, String> {
        let address = &self.members[member].address;
        let spare = if self.members.len() > 1 { "1" } else { "0" };
        let mut wanted: BTreeMap<String, String> = [
            ("appendonly", "yes"),
            ("client-output-buffer-limit", "replica 64mb 32mb 60"),
            ("min-replicas-max-lag", "5"),
            ("min-replicas-to-write", spare),
            ("repl-backlog-size", "16mb"),
            ("repl-diskless-sync-delay", "1"),
            ("replica-priority", "100"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
        wanted.extend(self.settings.clone());
        wanted.insert("bind".to_owned(), format!("{address} 127.0.0.1"));
        wanted.insert("protected-mode".to_owned(), "yes".to_owned());
        wanted.insert("replica-announce-ip".to_owned(), address.clone());
        if let Some(tls) = &self.tls {
            for (name, value) in tls.settings() {
                wanted.insert(name.to_owned(), value.to_owned());
            }
        }
        wanted
    }
}

impl Tls {
    /// The settings that name its files, the same in redis and in sentinel.
    pub fn settings(&self) -> [(&'static str, &str); 5] {
        [
            ("tls-ca-cert-file", &self.ca),
            ("tls-cert-file", &self.certificate),
            ("tls-key-file", &self.key),
            ("tls-auth-clients", "optional"),
            ("tls-replication", "yes"),
        ]
    }
}

/// Shows no password.
impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spec")
            .field("members", &self.members)
            .field("name", &self.name)
            .field("tls", &self.tls)
            .field("settings", &self.settings)
            .field("watch", &self.watch)
            .field("goal", &self.goal)
            .finish_non_exhaustive()
    }
}

/// Settings of redis that belong to the cluster itself, so that a user cannot give them, each with the reason.
pub const OWN: &[(&str, &str)] = &[
    ("bind", "each member listens on its private address"),
    ("port", "it is 6379; `tls` says whether it speaks TLS"),
    ("tls-port", "it is 6379; `tls` says whether it speaks TLS"),
    ("tls-cert-file", "give `tls`"),
    ("tls-key-file", "give `tls`"),
    ("tls-ca-cert-file", "give `tls`"),
    ("tls-replication", "give `tls`"),
    (
        "tls-auth-clients",
        "clients prove themselves by the password",
    ),
    ("protected-mode", "it stays on"),
    ("requirepass", "give `password`"),
    ("masterauth", "give `password`"),
    ("masteruser", "members use the default account"),
    ("replica-announce-ip", "it is the member's private address"),
    ("replicaof", "who follows whom is decided by the sentinels"),
    ("slaveof", "who follows whom is decided by the sentinels"),
    ("replica-priority", "a failover sets it for a moment"),
    ("slave-priority", "a failover sets it for a moment"),
    (
        "cluster-enabled",
        "sentinels and redis' own cluster exclude each other",
    ),
    (
        "include",
        "redis writes all it knows into its main file, which then overrides the included one",
    ),
    (
        "rename-command",
        "sentinels need the commands under their own names",
    ),
    ("dir", "it stays /var/lib/redis"),
    ("dbfilename", "it stays dump.rdb"),
    ("appenddirname", "it stays appendonlydir"),
    ("daemonize", "systemd runs redis"),
    ("supervised", "systemd runs redis"),
    ("pidfile", "systemd runs redis"),
];

/// Settings that redis reads only when it starts.
pub const AT_START: &[&str] = &[
    "aclfile",
    "always-show-logo",
    "databases",
    "disable-thp",
    "enable-debug-command",
    "enable-module-command",
    "enable-protected-configs",
    "io-threads",
    "io-threads-do-reads",
    "logfile",
    "set-proc-title",
    "syslog-enabled",
    "syslog-facility",
    "syslog-ident",
    "tcp-backlog",
    "unixsocket",
    "unixsocketperm",
];

/// Whether a word can stand unquoted in the files of redis and sentinel, which write it back in their own way.
pub fn is_plain_word(word: &str) -> bool {
    !word.is_empty()
        && word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.~+/=:@%!,^*-".contains(c))
}
