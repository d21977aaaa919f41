//! Changes behind which the way in must be found again.

use std::time::Duration;

/// What keeps the way in open over a change that could close it.
///
/// The old state is saved on the node, and a timer there puts it back, before the step that carries this and the rest of its change are run. Only
/// a new connection, with the rights that the run needs, stops the timer. `$S` is the folder of what is saved in all three scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// What is changed, for people: `/etc/ssh/sshd_config`, `the firewall`.
    pub what: String,
    /// POSIX sh, run with `set -e` before the change: saves the old state below `$S`.
    pub save: String,
    /// POSIX sh that puts the old state back, on a node that nobody can reach. Its last status says whether it did. `$HOW` is `now`,
    /// `timer` or `boot`; at `boot` it must start nothing. It may run again after it was cut off.
    pub restore: String,
    /// POSIX sh, run after the confirmation: what must survive a restart of the node.
    pub persist: String,
    /// Whether the change itself survives a restart of the node, so that the node must also put the old state back when it starts.
    pub survives_boot: bool,
}

impl Guard {
    /// So long after a change the node waits for the confirmation: what is put back then lets us in again within 60 s.
    pub const WINDOW: Duration = Duration::from_secs(50);
}

/// A restart of the node; the run goes on behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reboot {
    /// How long the node may take until it answers again.
    pub timeout: Duration,
    /// How long one try to connect may take; none for as long as any other.
    pub connect_timeout: Option<Duration>,
    /// The pause between its first answer and the test.
    pub pause: Duration,
    /// POSIX sh that succeeds when the node is ready.
    pub test: String,
}
