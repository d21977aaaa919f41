//! The heartbeat of one host's lease.

use super::shell::{Privilege, Shell};
use super::{NodeError, Way, lease, lock};

/// Says on one host that the run lives, through a shell of its own.
pub struct Pulse {
    pub(super) transport: Way,
    pub(super) privilege: Privilege,
    pub(super) base: String,
    pub(super) run: String,
    pub(super) shell: Option<Shell>,
}

impl Pulse {
    /// One heartbeat; false when the lease is another's.
    ///
    /// # Errors
    /// The connection is gone for now; the next beat tries the one that took its place.
    pub async fn beat(&mut self) -> Result<bool, NodeError> {
        if self.shell.is_none() {
            let way = lock(&self.transport).clone();
            self.shell = Some(Shell::start(&*way, &self.privilege, &self.base).await?);
        }
        let Some(shell) = self.shell.as_mut() else {
            return Ok(true);
        };
        let text = format!(
            "{{\n{}}} </dev/null 2>/dev/null",
            lease::beat_text(&self.base, &self.run)
        );
        match shell.run(&text, &[], lease::HEARTBEAT).await {
            Ok(reply) => Ok(reply.stdout == b"ok"),
            Err(error) => {
                self.shell = None;
                Err(error)
            }
        }
    }
}
