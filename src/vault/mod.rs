//! Files and values that are encrypted at rest, in Ansible Vault's own format, or by age to the keys of a team: read with passwords that nobody has to give before a vault is met.

mod age;
mod cipher;
mod envelope;
mod file;
mod keyring;

pub use age::is_age;
#[cfg(feature = "age")]
pub use age::{AgeKey, Recipients};
pub use cipher::{SALT, Unsealed, seal, unseal};
pub use envelope::{Broken, DEFAULT_LABEL, Envelope, is_label};
pub use file::{FileError, is_vault, is_vault_file, read_source};
pub use keyring::{Key, Keyring, OpenError, Opened, PasswordSource};
