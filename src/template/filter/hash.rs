//! Hashes, in hexadecimal.

use std::fmt::Write;

use minijinja::{Environment, Error, Value as Native};
use sha2::Digest;

use super::text_of;
use crate::template::convert::fault;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("hash", |value: &Native, name: Option<String>| {
        hash(&text_of(value)?, name.as_deref().unwrap_or("sha1"))
    });
    environment.add_filter("checksum", |value: &Native| hash(&text_of(value)?, "sha1"));
    environment.add_filter("sha1", |value: &Native| hash(&text_of(value)?, "sha1"));
    environment.add_filter("md5", |value: &Native| hash(&text_of(value)?, "md5"));
}

/// Whether `hash` knows a name.
///
/// # Errors
/// It does not.
pub(in crate::template) fn is_hash(name: &str) -> Result<(), Error> {
    hash("", name).map(drop)
}

fn hash(text: &str, name: &str) -> Result<String, Error> {
    Ok(match name {
        "md5" => hex(&md5::Md5::digest(text)),
        "sha1" => hex(&sha1::Sha1::digest(text)),
        "sha224" => hex(&sha2::Sha224::digest(text)),
        "sha256" => hex(&sha2::Sha256::digest(text)),
        "sha384" => hex(&sha2::Sha384::digest(text)),
        "sha512" => hex(&sha2::Sha512::digest(text)),
        _ => {
            return Err(fault(
                "`hash` knows md5, sha1, sha224, sha256, sha384 and sha512",
            ));
        }
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
