//! What a task wants of a PostgreSQL cluster.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::cluster::{Lost, Member};

/// What a task wants.
#[derive(Clone)]
pub struct Spec {
    /// Data members in the order of the inventory, then the witness, if there is one.
    pub members: Vec<Member>,
    /// Whether the last member is a witness: it holds no data and is there to be seen.
    pub witness: bool,
    /// The servers' port.
    pub port: u16,
    /// The user's settings of the server, as `postgresql.conf` has them, without quotes.
    pub settings: BTreeMap<String, String>,
    /// Which commits wait for a standby.
    pub synchronous: Synchronous,
    /// Accounts of the database, the one of repmgr first.
    pub roles: Vec<Role>,
    /// Databases of the user.
    pub databases: Vec<Database>,
    /// Certificates, which other tasks put there.
    pub tls: Tls,
    /// Addresses from which applications may come: the hosts with a pooler.
    pub clients: Vec<String>,
    /// How long repmgrd looks at a dead primary before it elects another: its attempts times their interval.
    pub detection: Duration,
    /// What is to be reached.
    pub goal: Goal,
}

/// Which commits wait for a standby.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// Any one standby with three data members or more, none with fewer.
    #[default]
    Auto,
    /// None waits.
    Off,
    /// Each waits for this many standbys, whichever they are.
    Any(u32),
}

/// An account of the database.
#[derive(Clone, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Its password: a secret, only ever in a step's inputs.
    pub password: String,
    /// What it may do.
    pub kind: RoleKind,
}

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleKind {
    /// repmgr's: superuser and replication.
    Repmgr,
    /// The pooler's: it asks for the other accounts' verifiers.
    Pooler,
    /// An application's: it may log in.
    Login,
}

/// A database of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// Its owner, one of the accounts.
    pub owner: String,
}

/// Files on the nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The authority's certificate.
    pub ca: String,
    /// The server's certificate.
    pub cert: String,
    /// Its key.
    pub key: String,
}

/// What is to be reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Goal {
    /// The cluster of the spec, whatever is there.
    #[default]
    Converge,
    /// Another primary, in order: this member, or the best standby.
    Switchover {
        /// Its name.
        to: Option<String>,
    },
    /// This member becomes a standby of the present primary, even where its own commits are lost by that.
    Rejoin {
        /// Its name.
        name: String,
    },
    /// As [`Goal::Converge`], and a standby that cannot be mended is set aside and cloned anew, even one of another cluster.
    Repair,
    /// This member is about to stop for a while: another one is to be primary, and the cluster goes on without it.
    Leave {
        /// Its name.
        name: String,
    },
    /// This member is lost for good, or is to be: the cluster goes on without it and knows it no more.
    Forget(Lost),
}

/// Settings that hold on a standby at least what they hold on the primary, or it stops.
pub const COUNTERS: [&str; 5] = [
    "max_connections",
    "max_worker_processes",
    "max_wal_senders",
    "max_prepared_transactions",
    "max_locks_per_transaction",
];

/// Name of repmgr's database and account.
pub const REPMGR: &str = "repmgr";

impl Spec {
    /// How many members hold data; they come first.
    pub fn data(&self) -> usize {
        self.members.len() - usize::from(self.witness)
    }

    /// Whether a member is the witness.
    pub fn is_witness(&self, member: usize) -> bool {
        self.witness && member + 1 == self.members.len()
    }

    /// A member's name.
    pub fn name(&self, member: usize) -> &str {
        &self.members[member].name
    }

    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|member| &*member.name == name)
    }

    /// How many standbys a commit waits for.
    pub fn quorum(&self) -> u32 {
        match self.synchronous {
            Synchronous::Off => 0,
            Synchronous::Auto => u32::from(self.data() >= 3),
            Synchronous::Any(count) => count,
        }
    }

    /// Whether repmgrd may promote by itself: two members cannot tell a dead peer from a cut line.
    pub fn automatic(&self) -> bool {
        self.members.len() >= 3
    }

    /// The account of repmgr.
    pub fn repmgr(&self) -> Option<&Role> {
        self.roles.iter().find(|role| role.kind == RoleKind::Repmgr)
    }
}

/// Without passwords and settings, which may hold some.
impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.members.iter().map(|member| &*member.name).collect();
        f.debug_struct("Spec")
            .field("members", &names)
            .field("witness", &self.witness)
            .field("port", &self.port)
            .field("synchronous", &self.synchronous)
            .field("roles", &self.roles)
            .field("databases", &self.databases)
            .field("goal", &self.goal)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Role")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
