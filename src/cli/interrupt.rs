//! SIGINT and SIGTERM: the first lets what runs come to its end, the second ends hadeploy at once.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The two signals, taken from their default effect.
pub struct Interrupts {
    int: Signal,
    term: Signal,
}

impl Interrupts {
    /// Takes them over.
    ///
    /// # Errors
    /// The system refuses.
    pub fn listen() -> io::Result<Interrupts> {
        Ok(Interrupts {
            int: signal(SignalKind::interrupt())?,
            term: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next of them.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.int.recv() => {}
            _ = self.term.recv() => {}
        }
    }
}
