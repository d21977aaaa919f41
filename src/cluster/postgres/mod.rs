//! PostgreSQL with repmgr: one primary, its standbys, and perhaps a witness.
//!
//! ```text
//! Spec ─┐
//! probe ▶ Observation of each member ▶ decide ▶ Act on one member ▶ node::step ▶ Step
//! ```

mod accounts;
mod act;
mod cluster;
mod configuration;
mod foresee;
mod forget;
mod headless;
mod judge;
mod look;
mod node;
mod observation;
mod parse;
mod picture;
mod present;
mod probe;
mod registry;
mod report;
mod rivals;
mod site;
mod spec;
mod standbys;
mod switchover;

pub use act::Act;
pub use cluster::{PostgresCluster, foreseen};
pub use judge::decide;
pub use look::{Decision, Look, Wanted, WantedFile};
pub use node::ManagedFile;
pub use observation::{
    Controldata, FileSeen, Node, Observation, Online, Pooler, Receiver, Repmgrd, RoleSeen, Seen,
    Sender, Setting, Slot, Unit,
};
pub use picture::{Condition, Picture, State};
pub use site::{FENCED, NEEDS_REJOIN, REFUSED, Site, TOKEN};
pub use spec::{Database, Goal, Role, RoleKind, Spec, Synchronous, Tls};
