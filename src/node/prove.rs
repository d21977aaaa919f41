//! The proof that the way in is still open: a new connection, with the rights that the run needs, confirms a guarded change. Without it, the node
//! puts the old state back by itself, and that is waited for.

use std::time::{Duration, Instant};

use super::guard::{self, GuardState};
use super::shell::{Privilege, Shell};
use super::{Node, NodeError, Transport, TransportError, lease, lock};
use crate::change::Guard;

/// Between two tries.
pub(super) const PAUSE: Duration = Duration::from_secs(2);

/// Before its time is up no new try is begun: one that comes in late would find the node at work.
const LATE: Duration = Duration::from_secs(4);

/// So long after its time the node may take to be as before.
pub(super) const MARGIN: Duration = Duration::from_secs(60);

/// One try to come in takes at most so long.
const TRY: Duration = Duration::from_secs(12);

/// Logins that are refused count as attacks on the node: no more than this are made.
const LOGINS: u32 = 2;

/// What became of a guarded change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// A new connection confirmed it; the status of what was then done, and its words.
    Confirmed(i32, String),
    /// The way in was lost, and the node put the old state back.
    Restored {
        /// Why no new connection could be made.
        why: String,
        /// Seconds from the launch of the change until a connection could be made again.
        after_s: u64,
        /// The status of putting it back.
        status: i32,
        /// Its words.
        said: String,
    },
}

impl Node {
    /// Confirms the guarded change of the script launched last, which began at `began`, or waits until the node has undone it.
    ///
    /// # Errors
    /// The way in stays shut.
    pub async fn prove(&mut self, guard: &Guard, began: Instant) -> Result<Proof, NodeError> {
        let ended = Instant::now();
        let launch = self.last_launch();
        let text = guard::confirm_text(guard, &launch);
        let mut why: Option<NodeError> = None;
        let mut refused = 0;
        while refused < LOGINS && Instant::now() + LATE < began + Guard::WINDOW {
            let left = (began + Guard::WINDOW).saturating_duration_since(Instant::now());
            match self.anew(&text, TRY.min(left)).await {
                Ok(GuardState::Confirmed(status, said)) => {
                    return Ok(Proof::Confirmed(status, said));
                }
                Ok(GuardState::Restored(status, said)) => {
                    return Ok(restored(why, began, status, said));
                }
                Ok(GuardState::Waits) => {}
                Err(error) => {
                    tracing::debug!(at = %self.describe(), %error, "the way in is not proved");
                    refused += u32::from(is_refusal(&error));
                    why = Some(error);
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        let due = ended + Guard::WINDOW + Duration::from_secs(1);
        // The node's time began with the script at the earliest: where that was cut off, the old state is back long before.
        let mut early = began + Guard::WINDOW + Duration::from_secs(1);
        let told = guard::told_text(&launch);
        while early < due {
            tokio::time::sleep(early.saturating_duration_since(Instant::now())).await;
            if let Ok(GuardState::Restored(status, said)) = self.anew(&told, TRY).await {
                return Ok(restored(why, began, status, said));
            }
            early = Instant::now() + LATE;
        }
        tokio::time::sleep(due.saturating_duration_since(Instant::now())).await;
        let text = guard::restored_text(&launch);
        loop {
            let error = match self.anew(&text, TRY).await {
                Ok(GuardState::Confirmed(status, said)) => {
                    return Ok(Proof::Confirmed(status, said));
                }
                Ok(GuardState::Restored(status, said)) => {
                    return Ok(restored(why, began, status, said));
                }
                Ok(GuardState::Waits) => NodeError::Lost("it is still at it".to_owned()),
                Err(error) => error,
            };
            if Instant::now() > due + MARGIN {
                return Err(NodeError::ShutOut(format!(
                    "the way in was lost by a change of {}, and the node did not open it again within {} s: {error}",
                    guard.what,
                    began.elapsed().as_secs()
                )));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Comes in by a new connection, which takes the place of the old one, and runs `text` there.
    async fn anew(&mut self, text: &str, limit: Duration) -> Result<GuardState, NodeError> {
        let text = format!(
            "{{\n{}{text}\n}} </dev/null 2>/dev/null",
            lease::adopt_text(&self.base, &self.run)
        );
        let (connector, privilege) = (&*self.connector, &self.privilege);
        let coming = async {
            let transport = connector.connect().await?;
            let shell = enter(&*transport, privilege, &self.base, &text).await;
            if shell.is_err() {
                transport.close().await;
            }
            let (shell, state) = shell?;
            Ok::<_, NodeError>((transport, shell, state))
        };
        let timed = tokio::time::timeout(limit, coming).await;
        let (transport, shell, state) = timed.map_err(|_| NodeError::Timeout {
            what: "a new connection".to_owned(),
            after: limit,
        })??;
        self.round_trips += 1;
        let old = std::mem::replace(&mut *lock(&self.transport), transport);
        self.shell = Some(shell);
        old.close().await;
        Ok(state)
    }
}

/// Starts a shell with the rights of the run on a new connection, and runs `text` there.
async fn enter(
    transport: &dyn Transport,
    privilege: &Privilege,
    base: &str,
    text: &str,
) -> Result<(Shell, GuardState), NodeError> {
    let mut shell = Shell::start(transport, privilege, base).await?;
    let reply = shell.run(text, &[], TRY).await?;
    let state = guard::parse(&reply.stdout)
        .ok_or_else(|| NodeError::Launch("the node does not say what it did".to_owned()))?;
    Ok((shell, state))
}

/// Whether the node counts it as an attempt of somebody who must not come in.
fn is_refusal(error: &NodeError) -> bool {
    matches!(
        error,
        NodeError::Transport(TransportError::Authentication { .. })
            | NodeError::WrongPassword
            | NodeError::NeedsPassword
            | NodeError::NotAllowed(_)
    )
}

fn restored(why: Option<NodeError>, began: Instant, status: i32, said: String) -> Proof {
    Proof::Restored {
        why: why.map_or_else(
            || "no new connection came through in time".to_owned(),
            |error| error.to_string(),
        ),
        after_s: began.elapsed().as_secs(),
        status,
        said,
    }
}
