//! What was seen of a member.

use std::collections::BTreeMap;

/// What is known of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// It answered.
    Known(Box<Node>),
    /// Nothing, and why.
    Unknown(String),
}

/// A member that answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    /// Both packages are installed.
    pub installed: bool,
    /// The package's version of redis-server.
    pub version: String,
    /// `/etc/redis` belongs to the account `redis`, which can write there.
    pub folder: bool,
    /// Redis can read the files of TLS, or needs none.
    pub readable: bool,
    /// The file of redis.
    pub redis_file: RedisFile,
    /// The file of sentinel.
    pub sentinel_file: SentinelFile,
    /// There is data of redis on the disk.
    pub kept: bool,
    /// Redis said at its last start that it cannot read its data.
    pub corrupt: bool,
    /// The last line of its log that tells of trouble.
    pub trouble: String,
    /// Redis.
    pub redis: Daemon<Redis>,
    /// Sentinel.
    pub sentinel: Daemon<Sentinel>,
}

/// A daemon of a member.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Daemon<T> {
    /// Nothing listens.
    #[default]
    Down,
    /// Something listens and does not answer.
    Hung,
    /// It takes neither the wanted password nor the one in its file.
    Locked,
    /// It answered.
    Up(Box<T>),
}

impl<T> Daemon<T> {
    /// What it said.
    pub fn up(&self) -> Option<&T> {
        match self {
            Daemon::Up(said) => Some(said),
            _ => None,
        }
    }

    /// What it said, to be altered.
    pub fn up_mut(&mut self) -> Option<&mut T> {
        match self {
            Daemon::Up(said) => Some(said),
            _ => None,
        }
    }

    /// Nothing listens.
    pub fn is_down(&self) -> bool {
        matches!(self, Daemon::Down)
    }

    /// Something is there that cannot be judged.
    pub fn is_blind(&self) -> bool {
        matches!(self, Daemon::Hung | Daemon::Locked)
    }
}

/// The file of redis, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RedisFile {
    /// It was written by this tool: it has its mark.
    pub marked: bool,
    /// The address it follows after a restart.
    pub follows: Option<String>,
}

/// The file of sentinel, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SentinelFile {
    /// It was written by this tool: it has its mark.
    pub marked: bool,
    /// The address it watches.
    pub watches: Option<String>,
    /// Its configuration's age.
    pub epoch: u64,
    /// The address it announces.
    pub announces: Option<String>,
    /// The sentinel's own id.
    pub id: String,
    /// Ports, addresses, files and passwords in it are as wanted.
    pub access: bool,
}

/// How a daemon was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Access {
    /// In the way that is wanted, with or without TLS.
    pub transport: bool,
    /// With the wanted password.
    pub password: bool,
}

impl Access {
    /// As wanted.
    pub fn right(self) -> bool {
        self.transport && self.password
    }
}

/// What redis said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Redis {
    /// How it was reached.
    pub access: Access,
    /// The password it shows its primary is the wanted one.
    pub masterauth: bool,
    /// It takes writes, or would.
    pub primary: bool,
    /// The address it follows.
    pub follows: Option<String>,
    /// Its connection to that is there.
    pub link: bool,
    /// It is being filled.
    pub syncing: bool,
    /// It reads its data.
    pub loading: bool,
    /// How far its data goes.
    pub offset: u64,
    /// Number of keys.
    pub keys: u64,
    /// Followers that are there: address and offset.
    pub followers: Vec<(String, u64)>,
    /// The last save or append failed.
    pub unsaved: bool,
    /// Its settings.
    pub settings: BTreeMap<String, String>,
}

/// What a sentinel said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sentinel {
    /// How it was reached.
    pub access: Access,
    /// Its own id.
    pub id: String,
    /// It distrusts its clock and does nothing.
    pub tilt: bool,
    /// What it watches under the cluster's name.
    pub watch: Option<Watching>,
}

/// How a sentinel sees the primary.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Watching {
    /// The primary's address.
    pub address: String,
    /// What it says of it: `master`, `s_down`, `o_down`, `failover_in_progress` …
    pub flags: Vec<String>,
    /// Its configuration's age.
    pub epoch: u64,
    /// `quorum`, `down-after-milliseconds`, `failover-timeout`.
    pub settings: BTreeMap<String, String>,
    /// The password it shows redis is the wanted one.
    pub password: bool,
    /// Enough sentinels can be reached for a failover.
    pub quorum: bool,
    /// The replicas it knows.
    pub replicas: Vec<Peer>,
    /// The other sentinels it knows.
    pub sentinels: Vec<Peer>,
}

/// Someone a sentinel knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Peer {
    /// Its address.
    pub address: String,
    /// Its port; 0 for a sentinel that another took the place of.
    pub port: u16,
    /// A sentinel's id.
    pub id: String,
    /// It does not answer.
    pub down: bool,
    /// A replica's priority.
    pub priority: u32,
}

impl Watching {
    /// Whether a flag stands.
    pub fn says(&self, flag: &str) -> bool {
        self.flags.iter().any(|said| said == flag)
    }

    /// Whether a change of the primary is near or on its way.
    pub fn unsettled(&self) -> bool {
        ["s_down", "o_down", "failover_in_progress", "disconnected"]
            .iter()
            .any(|flag| self.says(flag))
    }
}

impl View {
    /// The member, if it answered.
    pub fn node(&self) -> Option<&Node> {
        match self {
            View::Known(node) => Some(node),
            View::Unknown(_) => None,
        }
    }
}
