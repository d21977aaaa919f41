//! What is wrong with a configuration, and where.

use std::sync::Arc;

use thiserror::Error;

/// Where a setting stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In arguments, which the inventory or the command line holds.
    Argument,
    /// In a file.
    Line {
        /// Its path.
        file: Arc<str>,
        /// From 1.
        line: usize,
    },
}

/// Why a configuration is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ConfigError {
    /// Where it stands.
    pub place: Place,
    /// What is wrong, one line.
    pub message: String,
    /// What to do, when there is something.
    pub help: Option<String>,
}

impl Place {
    /// What is wrong there.
    pub(super) fn error(&self, message: impl Into<String>) -> ConfigError {
        ConfigError {
            place: self.clone(),
            message: message.into(),
            help: None,
        }
    }
}

impl ConfigError {
    /// Says what to do.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// `file:line`, for a place in a file.
    pub fn at(&self) -> Option<String> {
        match &self.place {
            Place::Argument => None,
            Place::Line { file, line } => Some(format!("{file}:{line}")),
        }
    }
}
