//! What can be done to one member.

use super::spec::Spec;
use crate::change::{Effect, Field};

/// What can be done to one member. Each is safe to repeat: one that was cut off half-way is simply done again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Act {
    /// Installs the packages without starting a server, makes folders, and writes the files that need no server.
    Prepare,
    /// Writes the managed files that differ; the server reads them again if it runs and `reload` is set. A changed unit is made known to
    /// systemd. Files that a fault of the server's own check meets are put back.
    WriteFiles {
        /// Whether the server reads them.
        reload: bool,
    },
    /// Takes settings that the files hold out of `postgresql.auto.conf`, and has the server read its files.
    ResetSettings {
        /// Their names.
        names: Vec<String>,
    },
    /// Makes a new, empty database cluster and starts it as a primary of its own: the first primary, or a witness.
    CreateCluster,
    /// Makes or mends accounts, their passwords, databases, and repmgr's extension. Only where the server is no standby.
    EnsureRoles,
    /// Registers this member as the primary, over whatever row is there.
    RegisterPrimary,
    /// Clones the data of another member into an empty data directory. The server is not started.
    Clone {
        /// The source.
        from: usize,
    },
    /// Starts the server where `standby.signal` lies in its data, and waits until it answers.
    Start,
    /// Starts the server as a primary, past the start guard, and waits until it takes writes.
    StartPrimary,
    /// Registers this member as a standby, over whatever row is there.
    RegisterStandby {
        /// Whom it follows.
        upstream: usize,
    },
    /// Registers this member as the witness.
    RegisterWitness {
        /// The primary.
        primary: usize,
    },
    /// Enables repmgrd and starts it, or starts it again.
    StartRepmgrd,
    /// repmgrd stops judging.
    Pause,
    /// repmgrd judges again.
    Unpause,
    /// Makes a stopped former primary a standby: rewinds its data if they went another way, keeps the evidence, starts it.
    Rejoin {
        /// The present primary.
        to: usize,
    },
    /// Stops the server if it runs, and renames its data directory; nothing is deleted.
    SetAside,
    /// Drops an unused slot.
    DropSlot {
        /// Its name.
        name: String,
    },
    /// A running standby follows another primary.
    Follow {
        /// The primary.
        to: usize,
    },
    /// Makes this standby the primary.
    Promote,
    /// This standby gets slots for the others, which are to follow it soon.
    MakeReady,
    /// Makes this standby the primary as soon as it holds the last of one that was stopped directly before; it hears how far that went.
    TakeOver,
    /// A running standby follows the one that is taking over, or has just done so. Without repmgr, whose table is brought up to date later.
    Turn {
        /// Who takes over.
        to: usize,
    },
    /// Stops a server that must not be a primary, and keeps it stopped until it is rejoined.
    Fence,
    /// The standby replays again.
    ResumeReplay,
    /// Restarts a standby and waits until it streams.
    RestartStandby,
    /// Restarts the witness's server.
    RestartWitness,
    /// Restarts the primary where it stands.
    RestartPrimary,
    /// Stops the primary in order, and says how far it went.
    StopPrimary,
    /// The local pooler holds its clients back.
    PausePooler,
    /// The local pooler lets its clients go on.
    ResumePooler,
    /// The server writes a checkpoint.
    Checkpoint,
    /// Stops repmgrd, the pooler and the server of a member that leaves for good, and keeps them from coming back at a boot.
    Retire,
    /// Removes the row of a member from repmgr's table, on the primary.
    Unregister {
        /// Its number there.
        id: u32,
        /// Its name there.
        name: String,
    },
}

impl Act {
    /// What it does, for people: a step's title.
    pub fn title(&self, spec: &Spec) -> String {
        let name = |member: &usize| spec.name(*member);
        match self {
            Act::Prepare => "install PostgreSQL and repmgr".into(),
            Act::WriteFiles { reload: true } => "write the configuration and reload it".into(),
            Act::WriteFiles { reload: false } => "write the configuration".into(),
            Act::ResetSettings { names } => {
                format!("reset {} in postgresql.auto.conf", names.join(", "))
            }
            Act::CreateCluster => "create an empty database cluster".into(),
            Act::EnsureRoles => "bring accounts and databases up to date".into(),
            Act::RegisterPrimary => "register as primary".into(),
            Act::Clone { from } => format!("clone the data of {}", name(from)),
            Act::Start => "start as standby".into(),
            Act::StartPrimary => "start as primary".into(),
            Act::RegisterStandby { upstream } => {
                format!("register as standby of {}", name(upstream))
            }
            Act::RegisterWitness { primary } => {
                format!("register as witness of {}", name(primary))
            }
            Act::StartRepmgrd => "start repmgrd".into(),
            Act::Pause => "pause repmgrd".into(),
            Act::Unpause => "unpause repmgrd".into(),
            Act::Rejoin { to } => format!("rejoin as standby of {}", name(to)),
            Act::SetAside => "set the data directory aside".into(),
            Act::DropSlot { name } => format!("drop the slot {name}"),
            Act::Follow { to } => format!("follow {}", name(to)),
            Act::Promote => "promote to primary".into(),
            Act::MakeReady => "make ready to take over".into(),
            Act::TakeOver => "take over as primary".into(),
            Act::Turn { to } => format!("turn to {}", name(to)),
            Act::Fence => "stop the server and keep it stopped".into(),
            Act::ResumeReplay => "resume replay".into(),
            Act::RestartStandby => "restart the standby".into(),
            Act::RestartWitness => "restart the witness".into(),
            Act::RestartPrimary => "restart the primary".into(),
            Act::StopPrimary => "stop the primary".into(),
            Act::PausePooler => "pause the pooler".into(),
            Act::ResumePooler => "resume the pooler".into(),
            Act::Checkpoint => "write a checkpoint".into(),
            Act::Retire => "stop PostgreSQL for good".into(),
            Act::Unregister { name, .. } => format!("unregister {name}"),
        }
    }

    /// What is said to differ.
    pub fn field(&self, spec: &Spec) -> Field {
        let name = |member: &usize| spec.name(*member).to_owned();
        match self {
            Act::Prepare => Field::value("packages", "", "postgresql, repmgr"),
            Act::WriteFiles { .. } => Field::value("configuration", "differs", "as declared"),
            Act::ResetSettings { names } => Field::value(
                "configuration",
                format!("{} overridden", names.join(", ")),
                "as declared",
            ),
            Act::CreateCluster => Field::value("data", "", "empty cluster"),
            Act::EnsureRoles => Field::value("accounts", "differ", "as declared"),
            Act::RegisterPrimary => Field::value("registered", "", "primary"),
            Act::Clone { from } => Field::value("data", "", format!("clone of {}", name(from))),
            Act::Start => Field::value("server", "stopped", "standby"),
            Act::StartPrimary => Field::value("server", "stopped", "primary"),
            Act::RegisterStandby { upstream } => {
                Field::value("registered", "", format!("standby of {}", name(upstream)))
            }
            Act::RegisterWitness { primary } => {
                Field::value("registered", "", format!("witness of {}", name(primary)))
            }
            Act::StartRepmgrd => Field::value("repmgrd", "stopped", "running"),
            Act::Pause => Field::value("repmgrd", "running", "paused"),
            Act::Unpause => Field::value("repmgrd", "paused", "running"),
            Act::Rejoin { to } => {
                Field::value("role", "former primary", format!("standby of {}", name(to)))
            }
            Act::SetAside => Field::value("data", "unusable", "set aside"),
            Act::DropSlot { name } => Field::value("slot", name.clone(), ""),
            Act::Follow { to } | Act::Turn { to } => Field::value("upstream", "", name(to)),
            Act::Promote | Act::TakeOver => Field::value("role", "standby", "primary"),
            Act::MakeReady => Field::value("slots", "", "of the other standbys"),
            Act::Fence => Field::value("server", "second primary", "stopped"),
            Act::ResumeReplay => Field::value("replay", "paused", "running"),
            Act::RestartStandby | Act::RestartWitness | Act::RestartPrimary => {
                Field::value("server", "needs a restart", "restarted")
            }
            Act::StopPrimary => Field::value("server", "primary", "stopped"),
            Act::PausePooler => Field::value("pooler", "running", "paused"),
            Act::ResumePooler => Field::value("pooler", "paused", "running"),
            Act::Checkpoint => Field::value("checkpoint", "", "written"),
            Act::Retire => Field::value("server", "running", "stopped and disabled"),
            Act::Unregister { name, .. } => Field::value("registered", name.clone(), ""),
        }
    }

    /// What it does to a running service.
    pub fn effect(&self, release: u32) -> Effect {
        let server = || format!("postgresql@{release}-main.service");
        match self {
            Act::WriteFiles { reload: true } | Act::ResetSettings { .. } | Act::Turn { .. } => {
                Effect::Reload(server())
            }
            Act::CreateCluster
            | Act::Start
            | Act::StartPrimary
            | Act::Rejoin { .. }
            | Act::SetAside
            | Act::Follow { .. }
            | Act::Promote
            | Act::TakeOver
            | Act::Fence
            | Act::RestartStandby
            | Act::RestartWitness
            | Act::RestartPrimary
            | Act::Retire
            | Act::StopPrimary => Effect::Restart(server()),
            Act::StartRepmgrd => Effect::Restart("repmgrd.service".into()),
            _ => Effect::None,
        }
    }
}
