//! Text files of the controller that may be vaults.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::age::is_age;
use super::envelope::is_ansible;
use super::keyring::{Keyring, OpenError};
use crate::source::Source;

/// Why a file gave no text.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(#[from] std::io::Error),
    /// It is not text.
    #[error("it is not UTF-8 text")]
    NotText,
    /// It is a vault that stays closed.
    #[error("{0}")]
    Closed(#[from] OpenError),
}

/// Whether bytes begin as what Ansible Vault or age encrypted.
pub fn is_vault(bytes: &[u8]) -> bool {
    is_ansible(bytes) || is_age(bytes)
}

/// Whether a file begins as a vault does.
///
/// # Errors
/// It cannot be read.
pub fn is_vault_file(path: &Path) -> std::io::Result<bool> {
    let mut head = Vec::new();
    std::fs::File::open(path)?.take(64).read_to_end(&mut head)?;
    Ok(is_vault(&head))
}

/// A text file, opened when it is a vault; its lines are then shown by no diagnostic.
///
/// # Errors
/// It cannot be read or opened, or is no text.
pub fn read_source(path: &Path, keyring: &Keyring) -> Result<Arc<Source>, FileError> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path)?;
    if !is_vault(&bytes) {
        let text = String::from_utf8(bytes).map_err(|_| FileError::NotText)?;
        return Ok(Source::new(name, text));
    }
    let content = keyring.open(&bytes)?;
    match std::str::from_utf8(&content) {
        Ok(text) => Ok(Source::sealed(name, text)),
        Err(_) => Err(OpenError::NotText.into()),
    }
}
