//! What can go wrong between here and a node, and what to do about it.

use std::time::Duration;

use crate::fact::FactError;
use crate::transport::TransportError;

/// What can go wrong between here and a node.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The connection could not be made.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The connection, or the shell on it, is gone.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// No answer in time.
    #[error("{what} gave no answer within {} s", after.as_secs())]
    Timeout {
        /// What was waited for.
        what: String,
        /// How long.
        after: Duration,
    },
    /// sudo wants a password and none was given.
    #[error("sudo asks for a password")]
    NeedsPassword,
    /// sudo did not take the password.
    #[error("sudo refused the password")]
    WrongPassword,
    /// The login user may not use sudo.
    #[error("sudo is not allowed: {0}")]
    NotAllowed(String),
    /// There is no sudo on the node.
    #[error("there is no sudo on the node")]
    NoSudo,
    /// A change closed the way in, and it did not open again.
    #[error("{0}")]
    ShutOut(String),
    /// It is the machine of another host, which it must not be.
    #[error("{0}")]
    Twin(String),
    /// What the node said makes no sense.
    #[error(transparent)]
    Fact(#[from] FactError),
    /// A script could not be started or has no result.
    #[error("{0}")]
    Launch(String),
    /// Reading or writing on this side failed.
    #[error("{0}")]
    Io(String),
}

impl NodeError {
    /// Whether it means that the host is out of reach, rather than that it refused something.
    pub fn is_unreachable(&self) -> bool {
        matches!(
            self,
            NodeError::Transport(_)
                | NodeError::Lost(_)
                | NodeError::Timeout { .. }
                | NodeError::ShutOut(_)
        )
    }

    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            NodeError::Transport(error) => error.help(),
            NodeError::NeedsPassword => {
                Some("give it with -K, or with --become-password-file".to_owned())
            }
            NodeError::WrongPassword => Some(
                "one host was tried and no other: check the password given with -K or --become-password-file"
                    .to_owned(),
            ),
            NodeError::NotAllowed(_) => {
                Some("allow the login user in /etc/sudoers.d, or log in as root with -u root".to_owned())
            }
            NodeError::NoSudo => {
                Some("install the package sudo, or log in as root with -u root".to_owned())
            }
            NodeError::ShutOut(_) => Some(
                "look at the node by its console: what is saved of the old state lies in /var/lib/hadeploy/guard, with the script `restore` that puts it back"
                    .to_owned(),
            ),
            NodeError::Launch(why) if why.starts_with("no room") => Some(
                "the disk is full: free some space on the node (`df -h`, `du -xsh /var/*`), then apply again; nothing was written"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

impl From<std::io::Error> for NodeError {
    fn from(error: std::io::Error) -> NodeError {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe
            | std::io::ErrorKind::ConnectionReset
            | std::io::ErrorKind::UnexpectedEof => NodeError::Lost(error.to_string()),
            _ => NodeError::Io(error.to_string()),
        }
    }
}
