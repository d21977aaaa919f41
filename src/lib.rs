//! hadeploy brings bare Debian nodes, reached only by SSH, to the state that an inventory and a playbook declare, and keeps them there.
//!
//! # The idea
//!
//! A resource is a pure function: [`resource::Resource::diff`] is given what is [known](fact::Known) of a node and returns the
//! [`change::Change`] that mends it, with its steps, or the questions still open. It has no network, no clock and no files, so a plan cannot write:
//! there is nothing to write with. The engine asks *all* remaining tasks of a host, reads what they lack in one script, and runs what they want in
//! one script. An unchanged play of any length costs two or three scripts a host.
//!
//! ```text
//! files ─parse▶ Inventory, Playbook ─resolve▶ Project: plays × hosts          pure; all diagnostics together
//! per host, at most `forks` at once:
//!   connect ▶ Node ▶ gather facts ▶ bind templates ▶ ┌ diff  ▶ Change | Missing     pure      ◀ a plan ends here
//!                                                    └ ask     one script           read only, batched over tasks
//!                                                      steps ▶ one script           the only writes
//! Event ▶ one channel ▶ Reporters
//! ```
//!
//! Plan and apply are one code path with an [`event::Mode`]. On a terminal an apply is shown as a plan before it asks.
//!
//! # Where things live, in reading order
//!
//! 1. [`source`], [`diagnostic`]: places in the user's files, and what to fix there. [`value`]: values with spans, and YAML.
//!    [`vault`]: what is encrypted in them; a [`vault::Keyring`] goes with the reading, gets a password when a vault needs it, and
//!    hides what it opens.
//!    [`template`]: strict Jinja; a name may be known only *after* another task, and then binding stops with [`template::Stop::After`].
//! 2. [`inventory`], [`playbook`]: what there is and what is to be done; `playbook::Project` is both, resolved and checked, before anything connects.
//!    An inventory is YAML, INI, a folder or a program, read into one form; each variable keeps every place that set it. Roles become tasks when
//!    the project is resolved, or when they are included. [`settings`] is `hadeploy.yml`. [`name`] holds checked names.
//! 3. [`change`]: what differs, and steps as data: a step says what it touches, what it predicts, what it was decided on, and what must be so behind it.
//!    [`fact`]: one file for each kind of question, a shell fragment and a pure parser. [`command`], [`sql`]: quoting, each in one place; [`scram`]: passwords as PostgreSQL stores them.
//!    [`resource`]: one file for each kind of task, one row in its table; the comment above the row is its page of `hadeploy doc`.
//! 4. [`transport`]: bytes to a host (SSH by russh, as ssh configurations say, over jump hosts; this machine; a played host in tests). [`node`]: a connected host: one long-lived shell, scripts, the
//!    launcher that detaches steps from the connection, the lease, the way back after a cut. [`secret`]: values that are never shown.
//! 5. [`engine`]: `run` (plays), `host` and `walk` (one play on one host), `script` (what its scripts mean), `progress` (linear order at cuts),
//!    `gate` (all leases or none), `machines` (several names of one), `handlers` (notified and owed), `scope` and `bind` (variables and templates).
//! 6. [`balancer`]: load balancers, one file for each provider: a node leaves and comes back, seen by the balancer itself.
//! 7. [`cluster`]: PostgreSQL and redis as state machines over all their members: asked together, decided purely, moved one step at a time.
//! 8. [`event`]: what happened, as plain data; [`plan`]: what of it a saved plan keeps, without secrets, and how two of them differ; [`report`]: who
//!    tells it. [`cli`]: the command line, the only place that reads the environment.
//! 9. [`lab`]: real Debian nodes on this machine, for the demo and the tests. [`process`]: programs on the controller.
//!
//! # What holds
//!
//! - **Questions only read**, and a diff asks all its independent questions at once: two waves at most.
//! - **Every script that holds steps starts the same way** (`node::launch`): its text and inputs go to the node whole, then it runs under a transient
//!   systemd unit, records its result under `/run/hadeploy/steps/RUN/N`, and is re-attached by that name when the connection was cut. Nothing is
//!   started twice. Secrets are in no argument, no unit property and no journal; the files they go through have no name any more, or go with
//!   their step.
//! - **What a step touched is read back** behind it in the same script; a difference is a failure that names the field.
//! - **One writer a machine**: the lease is a folder made by one rename, proved in every script, beaten every ten seconds, free again when the shell
//!   that took it sees the end of its stream, or taken over thirty seconds after the last beat when no step of its holder runs.
//! - **The way in stays open**: a change to what it depends on (`engine::way_in` has the table: sshd, sudo, PAM, accounts, keys, the network; and the
//!   packet filter) is undone by the node itself unless a new connection confirms it within a minute (`change::Guard`).
//! - **A daemon is never given what it cannot read**: a written file passes the daemon's own checker first (`resource::validate`).
//! - **Never more nodes out than allowed, nobody back unhealthy, no healthy node left out**: `rollout` decides, thousands of played fleets prove it.
//! - **A saved plan is a promise**: an apply of it begins only where a plan made anew is the same, and each change is looked up in it before it is
//!   written. Where a plan could not know, it says so, and only there an apply may find other things; it never writes others.
//! - **Each node keeps a line of each run** that held its lease, written by the shell that gives the lease back: it costs no script.
//! - **A handler is owed** from before the change that raises it until it has run: the note lies on the node.
//! - **Undefined, unknown and misspelt are errors before connecting**, with file, line and column.
//!
//! # What is deliberately absent
//!
//! No Python on nodes and no agent; no state file on the controller: the truth is read from the nodes; no retry that was not asked for, except making a
//! lost connection again; no global state but the compiled templates of a run. `tests/tidy.rs` holds the table of who may import whom.

pub mod balancer;
pub mod change;
pub mod cli;
pub mod cluster;
pub mod command;
pub mod diagnostic;
pub mod engine;
pub mod event;
#[cfg(test)]
#[path = "../tests/support/executable.rs"]
mod executable;
pub mod fact;
pub mod inventory;
pub mod lab;
pub mod name;
pub mod node;
pub mod plan;
pub mod playbook;
pub mod process;
pub mod report;
pub mod resource;
pub mod rollout;
pub mod scram;
pub mod secret;
pub mod settings;
pub mod source;
pub mod sql;
pub mod template;
pub mod transport;
pub mod value;
pub mod vault;
