//! Files that age encrypted to keys (<https://age-encryption.org/v1>), for teams whose members have keys of their own.

#[cfg(feature = "age")]
mod keys;

#[cfg(feature = "age")]
pub use keys::{AgeKey, Recipients};
#[cfg(feature = "age")]
pub(super) use keys::{AgeKeys, open};

/// How such files begin: as bytes, and as text.
const HEADS: [&[u8]; 2] = [
    b"age-encryption.org/",
    b"-----BEGIN AGE ENCRYPTED FILE-----",
];

/// Whether bytes begin as a file does that age encrypted.
pub fn is_age(bytes: &[u8]) -> bool {
    HEADS.iter().any(|head| bytes.starts_with(head))
}
