//! Session channels, opened before they are needed.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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
    /// The server refused one more; forgotten once all are free.
    full: AtomicBool,
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
        let mut refused_alone = 0;
        loop {
            let freed = shared.seats.freed.notified();
            let ahead = shared.ahead().pop_front();
            self.fill();
            if let Some(opening) = ahead
                && let Ok(Ok(channel)) = opening.await
            {
                return Ok((channel, shared.seats.take()));
            }
            match shared.handle.channel_open_session().await {
                Ok(channel) => return Ok((channel, shared.seats.take())),
                Err(Error::ChannelOpenFailure(reason)) => {
                    shared.seats.full.store(true, Ordering::Relaxed);
                    // With no command and no spare to wait for, a last channel may still be closing.
                    let alone = !shared.seats.any_taken() && shared.ahead().is_empty();
                    refused_alone = if alone { refused_alone + 1 } else { 0 };
                    if refused_alone > REFUSALS {
                        return Err(self.refused(&reason));
                    }
                    tokio::select! {
                        () = freed => {}
                        () = tokio::time::sleep(RETRY) => {}
                    }
                }
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

    /// Opens as many as are missing, without waiting for them, unless the server is known to grant no more. One that fails is no error:
    /// whoever needs it opens its own.
    fn fill(&self) {
        let shared = &self.shared;
        let mut ahead = shared.ahead();
        while ahead.len() < AHEAD
            && !shared.seats.full.load(Ordering::Relaxed)
            && !shared.handle.is_closed()
        {
            let shared = Arc::clone(shared);
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
const RETRY: Duration = Duration::from_millis(100);
/// How often it may refuse while no command of ours runs.
const REFUSALS: usize = 3;

impl Shared {
    fn ahead(&self) -> MutexGuard<'_, VecDeque<Opening>> {
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
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *taken -= 1;
        if *taken == 0 {
            self.0.full.store(false, Ordering::Relaxed);
        }
        self.0.freed.notify_one();
    }
}
