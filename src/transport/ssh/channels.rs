//! Session channels, opened before they are needed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use russh::client::{Handle, Msg};
use russh::{Channel, ChannelOpenFailure, Error};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::guard::{Guard, Story};
use super::say_goodbye;
use crate::transport::error::TransportError;

/// Opened ahead: opening one costs a round trip, and a server allows ten by default.
const AHEAD: usize = 2;

type Opening = JoinHandle<Result<Channel<Msg>, Error>>;

/// The channels of one connection.
pub(crate) struct Channels {
    shared: Arc<Shared>,
}

struct Shared {
    handle: Handle<Guard>,
    host: String,
    story: Arc<Story>,
    ahead: Mutex<VecDeque<Opening>>,
    seats: Arc<Seats>,
}

/// Counts the channels in use.
#[derive(Default)]
struct Seats {
    taken: Mutex<usize>,
    freed: Notify,
}

/// Held by a command as long as its channel is open.
pub(crate) struct Seat(Arc<Seats>);

impl Channels {
    /// Takes the connection over and opens the first channels in the background.
    pub(crate) fn open(handle: Handle<Guard>, host: &str, story: Arc<Story>) -> Self {
        let shared = Shared {
            handle,
            host: host.to_string(),
            story,
            ahead: Mutex::default(),
            seats: Arc::default(),
        };
        let channels = Self {
            shared: Arc::new(shared),
        };
        channels.fill();
        channels
    }

    /// A channel that is open. When the server grants no more, waits until a command ends.
    pub(crate) async fn take(&self) -> Result<(Channel<Msg>, Seat), TransportError> {
        let shared = &self.shared;
        let ahead = shared.ahead().pop_front();
        self.fill();
        if let Some(opening) = ahead
            && let Ok(Ok(channel)) = opening.await
        {
            return Ok((channel, shared.seats.take()));
        }
        loop {
            let freed = shared.seats.freed.notified();
            match shared.handle.channel_open_session().await {
                Ok(channel) => return Ok((channel, shared.seats.take())),
                Err(Error::ChannelOpenFailure(_)) if shared.seats.any_taken() => {
                    // A spare that came up meanwhile serves as well.
                    tokio::select! {
                        () = freed => {}
                        () = tokio::time::sleep(RETRY) => {}
                    }
                    if let Some(channel) = self.spare().await {
                        return Ok((channel, shared.seats.take()));
                    }
                }
                Err(Error::ChannelOpenFailure(reason)) => return Err(self.refused(&reason)),
                Err(_) => {
                    return Err(TransportError::Lost {
                        host: shared.host.clone(),
                        reason: shared.story.end(),
                    });
                }
            }
        }
    }

    pub(crate) async fn close(&self) {
        let ahead: Vec<Opening> = self.shared.ahead().drain(..).collect();
        for opening in ahead {
            opening.abort();
        }
        say_goodbye(&self.shared.handle).await;
    }

    async fn spare(&self) -> Option<Channel<Msg>> {
        let opening = self.shared.ahead().pop_front()?;
        opening.await.ok()?.ok()
    }

    /// Opens as many as are missing, without waiting for them. One that fails is no error: whoever needs it opens its own.
    fn fill(&self) {
        let mut ahead = self.shared.ahead();
        ahead.retain(|opening| !opening.is_finished() || !self.shared.handle.is_closed());
        while ahead.len() < AHEAD && !self.shared.handle.is_closed() {
            let shared = Arc::clone(&self.shared);
            ahead.push_back(tokio::spawn(async move {
                shared.handle.channel_open_session().await
            }));
        }
    }

    fn refused(&self, reason: &ChannelOpenFailure) -> TransportError {
        TransportError::Protocol {
            host: self.shared.host.clone(),
            reason: format!("it opens no session ({reason:?})"),
        }
    }
}

/// How often a full server is asked again.
const RETRY: std::time::Duration = std::time::Duration::from_millis(500);

impl Shared {
    fn ahead(&self) -> std::sync::MutexGuard<'_, VecDeque<Opening>> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seats {
    fn take(self: &Arc<Self>) -> Seat {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Seat(Arc::clone(self))
    }

    fn any_taken(&self) -> bool {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) > 0
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.freed.notify_one();
    }
}
