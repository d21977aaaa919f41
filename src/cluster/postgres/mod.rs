//! PostgreSQL with repmgr: one primary, its standbys, and perhaps a witness.
//!
//! ```text
//! Spec ─┐
//! probe ▶ Observation of each member ▶ decide ▶ Act on one member ▶ node::step ▶ Step
//! ```
//!
//! One file for each topic of the choice, in the order in which it is made:
//! - `picture`: what each member is, and who is the primary among those that run. It is the one on the highest time line; of equals the one
//!   that more members follow, since acknowledged commits are there; then the one that reaches further.
//! - `rivals`: several primaries. The others are stopped one by one and stay so; people decide about their commits (`rejoin`).
//! - `headless`: none. All members empty: one is made. repmgrd judges: it is waited for. A switchover was begun: it is ended. A stopped primary
//!   that no standby exceeds: it is started. None left: the standby that holds most is promoted.
//! - `present`: one. `configuration`, `standbys`, `registry`, and last `switchover`, where the primary itself has to go down.
//! - `disk`: what fills up, for people to see to.
//! - `leave`: whether the cluster can go on without a member for a while.
//! - `forget`: what is lost for good.
//!
//! What holds, whatever members say (`tests/postgres`):
//! - While a data member is unknown, nothing is created, promoted, rewound, set aside, stopped or restarted: it might be the primary. Only a
//!   second primary on an earlier time line is stopped even then.
//! - A data directory goes away by a rename, and only while another member runs as the primary.
//! - What disturbs a server is done to one member at a time, and a standby restarts only while all others stream.
//! - A switchover can be cut off anywhere: what it was about is read from repmgrd's pauses, the poolers and the servers, and ended or undone.
//! - What cannot be decided is refused, with what the operator can do.

mod accounts;
mod act;
mod cluster;
mod configuration;
mod disk;
mod foresee;
mod forget;
mod headless;
mod judge;
mod leave;
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
    Controldata, FileSeen, Fork, Node, Observation, Online, Pooler, Receiver, Repmgrd, RoleSeen,
    Seen, Sender, Setting, Slot, Unit,
};
pub use picture::{Condition, Picture, State};
pub use site::{FENCED, NEEDS_REJOIN, REFUSED, Site, TOKEN};
pub use spec::{Database, Goal, Role, RoleKind, Spec, Synchronous, Tls};
