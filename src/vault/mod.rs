//! Files and values that are encrypted at rest, in Ansible Vault's own format: read with passwords that nobody has to give before a vault is met.

mod cipher;
mod envelope;
mod file;
mod keyring;

pub use cipher::{SALT, Unsealed, seal, unseal};
pub use envelope::{Broken, DEFAULT_LABEL, Envelope, is_label, is_vault};
pub use file::{FileError, is_vault_file, read_source};
pub use keyring::{Key, Keyring, OpenError, Opened, PasswordSource};
