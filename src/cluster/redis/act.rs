//! What can be done to a member: each a single, named effect.

use super::drift::Drift;
use super::spec::Spec;
use crate::change::{Effect, Field};

/// How the title of a planned failover begins.
pub const HAND_OVER: &str = "hand over to ";

/// One effect on one member. Other members in it are indices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Both packages are installed; nothing is started.
    Install,
    /// `/etc/redis` is given to the account `redis`.
    OwnFolder,
    /// The file of a redis without data is written, and redis started.
    Prepare {
        /// Whom it follows.
        follows: Option<usize>,
    },
    /// The file of a sentinel that nobody counts on is written, and sentinel started.
    WriteSentinel {
        /// The primary it watches.
        watches: usize,
    },
    /// Redis is started.
    StartRedis,
    /// Data that redis cannot read is renamed, and redis started without it.
    SetAside,
    /// Sentinel is started.
    StartSentinel,
    /// Sentinel is restarted.
    RestartSentinel,
    /// Sentinel is stopped, for as long as all members change their ways in.
    StopSentinel,
    /// Redis takes the wanted ports and the wanted password while it runs.
    Switch,
    /// Ports, addresses and passwords in the file of sentinel are as wanted; it is restarted.
    EditSentinel,
    /// Redis follows the primary; what it held is kept in a file if it was a primary itself.
    Follow {
        /// The primary.
        primary: usize,
    },
    /// Settings are set while redis runs.
    SetRedis {
        /// Which.
        drifts: Vec<Drift>,
    },
    /// Redis shows its primary the wanted password.
    SetMasterauth,
    /// Redis writes its settings and its role down.
    KeepRedis,
    /// Settings that redis reads at its start are written, and it is restarted.
    EditRedis {
        /// Which.
        drifts: Vec<Drift>,
    },
    /// Sentinel watches as wanted.
    SetSentinel {
        /// How.
        drifts: Vec<Drift>,
        /// It shows redis another password from now on.
        password: bool,
    },
    /// Sentinel writes what it knows down.
    KeepSentinel,
    /// Sentinel and redis are stopped, and do not come back at a boot.
    Retire,
    /// Sentinel forgets replicas and other sentinels and finds them again.
    Reset,
    /// Writes pause, the replica catches up, the sentinels are told to change the primary.
    Failover {
        /// The replica that is to take over, as far as its priority says so.
        to: usize,
    },
}

impl Act {
    /// What it is called in a live line.
    pub fn title(&self, spec: &Spec) -> String {
        let names = |drifts: &[Drift]| {
            let names: Vec<&str> = drifts.iter().map(|drift| drift.name.as_str()).collect();
            names.join(", ")
        };
        match self {
            Act::Install => "install redis-server and redis-sentinel".to_owned(),
            Act::OwnFolder => "give /etc/redis to redis".to_owned(),
            Act::Prepare { follows: None } => {
                "write redis.conf and start redis as primary".to_owned()
            }
            Act::Prepare {
                follows: Some(primary),
            } => {
                format!(
                    "write redis.conf and start redis as replica of {}",
                    spec.name_of(*primary)
                )
            }
            Act::WriteSentinel { watches } => {
                format!(
                    "write sentinel.conf and start sentinel, which watches {}",
                    spec.name_of(*watches)
                )
            }
            Act::StartRedis => "start redis".to_owned(),
            Act::SetAside => "set unreadable data aside and start redis".to_owned(),
            Act::StartSentinel => "start sentinel".to_owned(),
            Act::RestartSentinel => "restart sentinel".to_owned(),
            Act::StopSentinel => "stop sentinel while all members change".to_owned(),
            Act::Switch => "change ports and password of redis".to_owned(),
            Act::EditSentinel => "change ports and passwords of sentinel".to_owned(),
            Act::Follow { primary } => format!("follow {}", spec.name_of(*primary)),
            Act::SetRedis { drifts } => format!("set {} of redis", names(drifts)),
            Act::SetMasterauth => "set the password for the primary".to_owned(),
            Act::KeepRedis => "have redis write its file".to_owned(),
            Act::EditRedis { drifts } => format!("set {} and restart redis", names(drifts)),
            Act::SetSentinel { drifts, password } => {
                let mut what = names(drifts);
                if *password {
                    what.push_str(if what.is_empty() {
                        "auth-pass"
                    } else {
                        ", auth-pass"
                    });
                }
                format!("set {what} of sentinel")
            }
            Act::KeepSentinel => "have sentinel write its file".to_owned(),
            Act::Retire => "stop redis and sentinel for good".to_owned(),
            Act::Reset => "have sentinel forget who is gone".to_owned(),
            Act::Failover { to } => format!("{HAND_OVER}{}", spec.name_of(*to)),
        }
    }

    /// What is said to differ.
    pub fn field(&self, spec: &Spec) -> Field {
        let drifted = |what: &str, drifts: &[Drift]| match drifts {
            [one] => Field::value(one.name.clone(), one.before.clone(), one.after.clone()),
            more => {
                let side = |pick: fn(&Drift) -> &String| {
                    let parts: Vec<String> = more
                        .iter()
                        .map(|drift| format!("{} {}", drift.name, pick(drift)))
                        .collect();
                    parts.join(", ")
                };
                Field::value(
                    what,
                    side(|drift| &drift.before),
                    side(|drift| &drift.after),
                )
            }
        };
        match self {
            Act::Install => Field::value("packages", "absent", "installed"),
            Act::OwnFolder => {
                Field::value("/etc/redis", "another owner or mode", "redis:redis 2770")
            }
            Act::Prepare { follows: None } => Field::value("role", "", "primary"),
            Act::Prepare { follows: Some(_) } => Field::value("role", "", "replica"),
            Act::WriteSentinel { watches } => Field::value(
                "sentinel",
                "",
                format!("watches {}", spec.name_of(*watches)),
            ),
            Act::StartRedis => Field::value("redis", "stopped", "running"),
            Act::SetAside => Field::value("data", "unreadable", "set aside"),
            Act::StartSentinel => Field::value("sentinel", "stopped", "running"),
            Act::RestartSentinel => Field::value("sentinel", "out of step", "restarted"),
            Act::StopSentinel => Field::value("sentinel", "running", "stopped for a moment"),
            Act::Switch => Field::value("way in of redis", "other ports or password", "as wanted"),
            Act::EditSentinel => Field::value(
                "way in of sentinel",
                "other ports or passwords",
                "as wanted",
            ),
            Act::Follow { primary } => Field::value("follows", "", spec.name_of(*primary)),
            Act::SetRedis { drifts } | Act::EditRedis { drifts } => drifted("settings", drifts),
            Act::SetMasterauth => Field::value("masterauth", "another", "as wanted"),
            Act::KeepRedis => Field::value(
                "redis.conf",
                "another role than the running one",
                "as running",
            ),
            Act::SetSentinel { drifts, .. } if !drifts.is_empty() => drifted("sentinel", drifts),
            Act::SetSentinel { .. } => Field::value("auth-pass", "another", "as wanted"),
            Act::KeepSentinel => Field::value(
                "sentinel.conf",
                "another than the running one's",
                "as running",
            ),
            Act::Retire => Field::value("redis and sentinel", "running", "stopped and disabled"),
            Act::Reset => Field::value("known members", "some are gone", "those of the cluster"),
            Act::Failover { to } => Field::value("primary", "", spec.name_of(*to)),
        }
    }

    /// What it does to a running service.
    pub fn effect(&self) -> Effect {
        let redis = || Effect::Restart("redis-server.service".to_owned());
        let sentinel = || Effect::Restart("redis-sentinel.service".to_owned());
        match self {
            Act::Prepare { .. }
            | Act::StartRedis
            | Act::SetAside
            | Act::Retire
            | Act::EditRedis { .. } => redis(),
            Act::WriteSentinel { .. }
            | Act::StartSentinel
            | Act::RestartSentinel
            | Act::StopSentinel
            | Act::EditSentinel => sentinel(),
            _ => Effect::None,
        }
    }
}
