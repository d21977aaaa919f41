//! PostgreSQL with repmgr: one primary, its standbys, and perhaps a witness.
//!
//! ```text
//! Spec ─┐
//! probe ▶ Observation of each member ▶ decide ▶ Act on one member ▶ node::step ▶ Step
//! ```

mod act;
mod node;
mod observation;
mod parse;
mod probe;
mod site;
mod spec;

pub use act::Act;
pub use node::ManagedFile;
pub use observation::{
    Controldata, FileSeen, Node, Observation, Online, Pooler, Receiver, Repmgrd, RoleSeen, Seen,
    Sender, Setting, Slot, Unit,
};
pub use site::{FENCED, NEEDS_REJOIN, REFUSED, Site, TOKEN};
pub use spec::{Database, Goal, Role, RoleKind, Spec, Synchronous, Tls};
