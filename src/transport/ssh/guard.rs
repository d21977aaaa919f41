//! What watches over one connection: judges the host key, and remembers why the connection ended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use russh::client::{DisconnectReason, Handler};
use russh::keys::PublicKeyOrCertificate;

use super::host_key::HostKeyCheck;
use crate::transport::error::TransportError;

/// The handler russh calls back.
pub(crate) struct Guard {
    check: HostKeyCheck,
    /// The key taken at first; the same one is taken again when the session's keys are renewed.
    accepted: Option<Vec<u8>>,
    story: Arc<Story>,
}

/// What is known of a connection's life, shared with its owner.
#[derive(Default)]
pub(crate) struct Story {
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
            self.check.check(offered).map_err(GuardError::Refused)?;
            self.accepted = Some(bytes);
        }
        Ok(true)
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
