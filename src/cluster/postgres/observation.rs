//! What was read of one member.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What is known of a member.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// What it said.
    Known(Box<Observation>),
    /// Why nothing is known.
    Unknown(String),
}

impl Seen {
    /// What it said, if anything.
    pub fn known(&self) -> Option<&Observation> {
        match self {
            Seen::Known(observation) => Some(observation),
            Seen::Unknown(_) => None,
        }
    }
}

/// What was read of one member.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observation {
    /// PostgreSQL's major release: what is installed, else what the node's apt offers.
    pub release: u32,
    /// Installed version of each package of ours, by name; one that is not installed is missing.
    pub packages: BTreeMap<String, String>,
    /// Whether `/etc/postgresql/RELEASE/main/postgresql.conf` is there.
    pub configured: bool,
    /// Whether `PG_VERSION` lies in the data directory.
    pub data: bool,
    /// Whether the data directory holds anything else than that: without data, it stands in the way of a clone.
    pub remains: bool,
    /// `postgresql@RELEASE-main.service`.
    pub unit: Unit,
    /// What `pg_controldata` says; none without data, or where it cannot be read.
    pub control: Option<Controldata>,
    /// Whether `standby.signal` lies in the data directory.
    pub standby_signal: bool,
    /// What the server says; none when it does not answer.
    pub online: Option<Online>,
    /// Whether the server's process runs though it does not answer: it starts, recovers or hangs.
    pub process: bool,
    /// repmgrd.
    pub repmgrd: Repmgrd,
    /// `node_id` of `/etc/repmgr.conf`.
    pub repmgr_id: Option<u32>,
    /// Free bytes where the data lie.
    pub disk_free: u64,
    /// Size there.
    pub disk_size: u64,
    /// Each managed file that is there, by path.
    pub files: BTreeMap<String, FileSeen>,
    /// What `pg-needs-rejoin` holds: the start guard found another primary when this one wanted to start.
    pub needs_rejoin: Option<String>,
    /// What the start guard said when it last refused a start.
    pub refused_start: Option<String>,
    /// Whether we stopped this server for good because another one is the primary: it stays down until it is rejoined.
    pub fenced: bool,
    /// The local pooler; none when none runs, or it serves no database.
    pub pooler: Option<Pooler>,
    /// Data directories that were set aside earlier.
    pub set_aside: Vec<String>,
}

/// Nobody calls a disk full on which so much is free.
const PLENTY: u64 = 20 << 30;

impl Observation {
    /// Less than a tenth of the disk below the data is free, and less than what is plenty on any disk.
    pub fn disk_nearly_full(&self) -> bool {
        self.disk_free < PLENTY.min(self.disk_size / 10)
    }

    /// How much room there is, for people.
    pub fn room(&self) -> String {
        format!(
            "{} of {} MB below /var/lib/postgresql are free",
            self.disk_free >> 20,
            self.disk_size >> 20
        )
    }
}

/// A unit of systemd.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unit {
    /// `ActiveState`.
    pub active: String,
    /// `Result`.
    pub result: String,
    /// `UnitFileState`.
    pub enabled: String,
}

/// What `pg_controldata` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Controldata {
    /// `Database cluster state`: `shut down`, `shut down in recovery`, `in production`, `in archive recovery` …
    pub state: String,
    /// `Database system identifier`.
    pub sysid: u64,
    /// `Latest checkpoint's TimeLineID`.
    pub tli: u32,
    /// `Latest checkpoint location`.
    pub checkpoint: u64,
    /// `Minimum recovery ending location`; 0 for none.
    pub min_recovery: u64,
    /// `Min recovery ending loc's timeline`; 0 for none.
    pub min_recovery_tli: u32,
    /// The counters of the primary whose WAL it has replayed: a standby does not start with less.
    pub counters: BTreeMap<String, u64>,
    /// Whether pages carry checksums.
    pub checksums: bool,
}

impl Controldata {
    /// How far the data reach for certain: time line, then place.
    pub fn reach(&self) -> (u32, u64) {
        (
            self.tli.max(self.min_recovery_tli),
            self.checkpoint.max(self.min_recovery),
        )
    }

    /// Whether it was stopped in order.
    pub fn clean(&self) -> bool {
        self.state.starts_with("shut down")
    }
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Online {
    /// `pg_is_in_recovery()`.
    pub recovery: bool,
    /// System identifier.
    pub sysid: u64,
    /// What the server drew by chance: for salts, which must not be guessed.
    #[serde(default)]
    pub random: String,
    /// Time line.
    pub tli: u32,
    /// Received place; on a primary the current one. 0 for none.
    pub receive: u64,
    /// Replayed place; 0 for none.
    pub replay: u64,
    /// Whether replay is paused or about to be.
    pub paused: bool,
    /// `default_transaction_read_only`.
    pub read_only: bool,
    /// When the configuration was last read, in seconds since 1970.
    pub loaded: f64,
    /// Settings that were changed in the files and wait for a restart.
    pub pending_restart: Vec<String>,
    /// Faults in the files of settings or of access, as the server sees them.
    pub config_errors: Vec<String>,
    /// Names set in `postgresql.auto.conf`.
    pub auto: Vec<String>,
    /// Effective settings that we manage or ask for.
    pub settings: BTreeMap<String, Setting>,
    /// The WAL receiver.
    pub receiver: Option<Receiver>,
    /// Rows of `pg_stat_replication`.
    pub senders: Vec<Sender>,
    /// Physical replication slots.
    pub slots: Vec<Slot>,
    /// Rows of `repmgr.nodes`; none when the extension or its database is not there.
    #[serde(skip)]
    pub nodes: Option<Vec<Node>>,
    /// Where the earlier time lines of a primary ended.
    #[serde(default)]
    pub forks: Vec<Fork>,
    /// Accounts.
    pub roles: Vec<RoleSeen>,
    /// Databases: name and owner.
    pub databases: BTreeMap<String, String>,
    /// WAL files that wait for the archiver.
    pub ready: u64,
}

/// An effective setting.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// As `SHOW` prints it.
    pub shown: String,
    /// In the unit of `pg_settings`.
    pub raw: String,
    /// Whether it takes effect by a restart only.
    pub postmaster: bool,
}

/// The WAL receiver of a standby.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receiver {
    /// `streaming`, `waiting` …
    pub status: String,
    /// Whom it receives from.
    pub sender_host: String,
    /// Its slot.
    pub slot: String,
}

/// A row of `pg_stat_replication`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sender {
    /// `application_name`: the standby's name.
    pub name: String,
    /// Where it is.
    pub address: String,
    /// `streaming`, `catchup` …
    pub state: String,
    /// `async`, `quorum`, `sync` …
    pub sync: String,
    /// Bytes it has still to replay.
    pub lag: u64,
}

/// A physical replication slot.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// Whether a standby uses it.
    pub active: bool,
    /// `reserved`, `extended`, `unreserved`, `lost`; empty for none.
    pub wal_status: String,
    /// Bytes of WAL it holds back.
    pub held: u64,
}

/// Where a time line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fork {
    /// The time line.
    pub tli: u32,
    /// The place from which on the next one counts.
    pub end: u64,
}

/// A row of `repmgr.nodes`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// `primary`, `standby` or `witness`.
    pub kind: String,
    /// Whom it follows.
    pub upstream: Option<u32>,
    /// Whether it counts.
    pub active: bool,
    /// Its priority.
    pub priority: i64,
    /// How it is reached.
    pub conninfo: String,
    /// Its slot.
    pub slot: String,
}

/// An account, without its verifier.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleSeen {
    /// Its name.
    pub name: String,
    /// Superuser.
    pub superuser: bool,
    /// May log in.
    pub login: bool,
    /// May replicate.
    pub replication: bool,
    /// `ITERATIONS:SALT` of its SCRAM verifier, empty for none.
    pub salt: String,
    /// SHA-256 of the whole verifier, lower-case hex.
    pub digest: String,
}

/// repmgrd of a member.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repmgrd {
    /// Whether its unit is active.
    pub running: bool,
    /// Whether its state file says paused.
    pub paused: bool,
    /// Whether `/etc/repmgr.conf` is newer than its start.
    pub stale: bool,
    /// Whether its unit is enabled.
    pub enabled: bool,
    /// Seconds since it last saw whom this standby follows, where it has noted that.
    pub unseen: Option<u64>,
}

/// A pooler on the member.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pooler {
    /// Whether a database of it is paused.
    pub paused: bool,
}

/// A managed file as it was found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FileSeen {
    /// Lower-case hex.
    pub sha256: String,
    /// Permission bits.
    pub mode: u32,
    /// Owner's name.
    pub owner: String,
    /// Group's name.
    pub group: String,
    /// When it was last written, in seconds since 1970.
    pub modified: f64,
}
