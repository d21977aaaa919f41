//! The only table of exit statuses.

/// Done, or nothing to do.
pub const DONE: u8 = 0;
/// No host entered its tasks: usage, a wrong file, no match, none reachable, a password refused; or any failed or unreachable host in a
/// plan.
pub const REFUSED: u8 = 1;
/// `plan --detailed-exitcode`: changes are pending. [`REFUSED`] is stronger.
pub const PENDING: u8 = 2;
/// At least one host entered its tasks, and one ended failed or unreachable.
pub const INCOMPLETE: u8 = 3;
/// Another run holds the lease, and nothing was touched.
pub const LEASED: u8 = 4;
/// A bug in hadeploy.
pub const BUG: u8 = 70;
/// Interrupted by SIGINT or SIGTERM; the state is as reported.
pub const INTERRUPTED: u8 = 130;
