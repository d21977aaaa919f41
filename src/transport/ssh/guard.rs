//! What watches over one connection: judges the host key, and remembers why the connection ended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use russh::Names;
use russh::client::{DisconnectReason, Handler, Session};
use russh::keys::PublicKeyOrCertificate;
use tokio::time::Instant;

use super::host_key::HostKeyCheck;
use super::trail::{Carrier, Leg, Milestone, Stage};
use crate::transport::error::TransportError;

/// The handler russh calls back.
pub(crate) struct Guard {
    check: HostKeyCheck,
    /// The key taken at first; the same one is taken again when the session's keys are renewed.
    accepted: Option<Vec<u8>>,
    /// Keys were exchanged; later they are only renewed.
    exchanged: bool,
    story: Arc<Story>,
}

/// What is known of a connection's life, shared with its owner.
pub(crate) struct Story {
    began: Instant,
    leg: Mutex<Leg>,
    host_key_seen: AtomicBool,
    end: Mutex<Option<String>>,
}

/// Why russh gave up.
#[derive(Debug)]
pub(crate) enum GuardError {
    /// We did not take the host key.
    Refused(TransportError),
    /// Anything else.
    Ssh(russh::Error),
}

impl From<russh::Error> for GuardError {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(error)
    }
}

impl Story {
    /// The story of a connection that begins now.
    pub(crate) fn new(to: String, by: Carrier) -> Self {
        Self {
            began: Instant::now(),
            leg: Mutex::new(Leg {
                to,
                by,
                stages: Vec::new(),
            }),
            host_key_seen: AtomicBool::new(false),
            end: Mutex::default(),
        }
    }

    /// Remembers what came about.
    pub(crate) fn note(&self, what: Milestone) {
        let after = self.began.elapsed();
        let mut leg = self.leg.lock().unwrap_or_else(PoisonError::into_inner);
        leg.stages.push(Stage { what, after });
    }

    /// What came about so far.
    pub(crate) fn leg(&self) -> Leg {
        let leg = self.leg.lock().unwrap_or_else(PoisonError::into_inner);
        leg.clone()
    }

    /// Whether the server came as far as to show its key.
    pub(crate) fn host_key_seen(&self) -> bool {
        self.host_key_seen.load(Ordering::Relaxed)
    }

    /// Why the connection ended, for people.
    pub(crate) fn end(&self) -> String {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.clone().unwrap_or_else(|| "it was closed".to_string())
    }
}

impl Guard {
    pub(crate) fn new(check: HostKeyCheck, story: Arc<Story>) -> Self {
        Self {
            check,
            accepted: None,
            exchanged: false,
            story,
        }
    }
}

impl Handler for Guard {
    type Error = GuardError;

    async fn check_server_key(
        &mut self,
        offered: &PublicKeyOrCertificate,
    ) -> Result<bool, GuardError> {
        self.story.host_key_seen.store(true, Ordering::Relaxed);
        let bytes = match offered.certificate() {
            Some(certificate) => certificate.to_bytes(),
            None => offered.public_key().to_bytes(),
        };
        let bytes = bytes.map_err(|error| GuardError::Ssh(error.into()))?;
        if self.accepted.as_ref() != Some(&bytes) {
            let taken = self.check.check(offered).map_err(GuardError::Refused)?;
            self.story.note(taken);
            self.accepted = Some(bytes);
        }
        Ok(true)
    }

    async fn kex_done(
        &mut self,
        _shared_secret: Option<&[u8]>,
        names: &Names,
        _session: &mut Session,
    ) -> Result<(), GuardError> {
        if !self.exchanged {
            self.exchanged = true;
            self.story.note(Milestone::KeysExchanged {
                kex: names.kex.as_ref().to_string(),
                cipher: names.cipher.as_ref().to_string(),
            });
        }
        Ok(())
    }

    async fn disconnected(
        &mut self,
        reason: DisconnectReason<GuardError>,
    ) -> Result<(), GuardError> {
        let (text, result) = match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                (format!("the server ended it: {}", info.message), Ok(()))
            }
            DisconnectReason::Error(error) => (why(&error), Err(error)),
        };
        *self
            .story
            .end
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(text);
        result
    }
}

/// An error of the library in words for people.
pub(crate) fn why(error: &GuardError) -> String {
    match error {
        GuardError::Refused(error) => error.to_string(),
        GuardError::Ssh(russh::Error::KeepaliveTimeout) => {
            "the host gave no sign of life".to_string()
        }
        GuardError::Ssh(russh::Error::Disconnect | russh::Error::HUP) => {
            "the server closed it".to_string()
        }
        GuardError::Ssh(russh::Error::IO(error)) => match error.kind() {
            std::io::ErrorKind::UnexpectedEof => "the server closed it".to_string(),
            std::io::ErrorKind::ConnectionReset => "it was reset".to_string(),
            _ => error.to_string(),
        },
        GuardError::Ssh(error) => error.to_string(),
    }
}
