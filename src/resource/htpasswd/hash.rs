//! Hashes of passwords as web servers keep them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use sha_crypt::{Algorithm, Params, PasswordVerifier, ShaCrypt};
use sha_crypt::{CustomizedPasswordHasher, PasswordHash};

/// What makes a bcrypt hash slow: 2 to the power of it.
const COST: u32 = 10;

/// How a password is hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// MD5 a thousand times, as Apache has it.
    Apr1,
    /// The same as crypt(3) has it.
    Md5,
    /// bcrypt.
    Bcrypt,
    /// SHA-256 of crypt(3).
    Sha256,
    /// SHA-512 of crypt(3).
    Sha512,
    /// SHA-1 without a salt.
    LdapSha1,
    /// The password itself.
    Plain,
}

impl Scheme {
    /// By passlib's name.
    pub fn named(name: &str) -> Option<Scheme> {
        Some(match name {
            "apr_md5_crypt" | "portable" | "portable_apache22" => Scheme::Apr1,
            "md5_crypt" => Scheme::Md5,
            "bcrypt" | "portable_apache24" | "host_apache24" => Scheme::Bcrypt,
            "sha256_crypt" => Scheme::Sha256,
            "sha512_crypt" => Scheme::Sha512,
            "ldap_sha1" => Scheme::LdapSha1,
            "plaintext" => Scheme::Plain,
            _ => return None,
        })
    }

    /// The hash; `salt` is of chance, and not secret.
    pub fn hash(self, password: &str, salt: &[u8; 16]) -> String {
        let bytes = password.as_bytes();
        match self {
            Scheme::Apr1 => md5_crypt("$apr1$", bytes, &letters(&salt[..8])),
            Scheme::Md5 => md5_crypt("$1$", bytes, &letters(&salt[..8])),
            Scheme::Bcrypt => match bcrypt::hash_with_salt(bytes, COST, *salt) {
                Ok(parts) => parts.format_for_version(bcrypt::Version::TwoY),
                Err(error) => unreachable!("the cost is in range: {error}"),
            },
            Scheme::Sha256 => sha(Algorithm::Sha256Crypt, bytes, salt),
            Scheme::Sha512 => sha(Algorithm::Sha512Crypt, bytes, salt),
            Scheme::LdapSha1 => format!("{{SHA}}{}", STANDARD.encode(sha1::Sha1::digest(bytes))),
            Scheme::Plain => password.to_owned(),
        }
    }
}

/// Whether a hash is of this password, whatever its scheme. What nobody can check, such as DES, is not.
pub fn is_of(hash: &str, password: &str) -> bool {
    let bytes = password.as_bytes();
    for magic in ["$apr1$", "$1$"] {
        if let Some((salt, _)) = hash
            .strip_prefix(magic)
            .and_then(|rest| rest.split_once('$'))
        {
            return md5_crypt(magic, bytes, salt) == hash;
        }
    }
    if hash.starts_with("$2") {
        return bcrypt::verify(bytes, hash).unwrap_or(false);
    }
    if hash.starts_with("$5$") || hash.starts_with("$6$") {
        return ShaCrypt::default().verify_password(bytes, hash).is_ok();
    }
    if hash.starts_with("{SHA}") {
        return Scheme::LdapSha1.hash(password, &[0; 16]) == hash;
    }
    hash == password
}

fn sha(algorithm: Algorithm, password: &[u8], salt: &[u8; 16]) -> String {
    let made: Result<PasswordHash, _> = ShaCrypt::from(algorithm).hash_password_customized(
        password,
        &salt[..12],
        None,
        None,
        Params::RECOMMENDED,
    );
    match made {
        Ok(hash) => hash.as_str().to_owned(),
        Err(error) => unreachable!("twelve bytes are a salt: {error}"),
    }
}

const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn letters(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte & 63)]))
        .collect()
}

/// MD5 crypt, as FreeBSD wrote it and Apache took it over; no kept crate has Apache's.
fn md5_crypt(magic: &str, password: &[u8], salt: &str) -> String {
    let salt = &salt.as_bytes()[..salt.len().min(8)];
    let other = Md5::new()
        .chain_update(password)
        .chain_update(salt)
        .chain_update(password)
        .finalize();
    let mut first = Md5::new()
        .chain_update(password)
        .chain_update(magic)
        .chain_update(salt);
    let mut left = password.len();
    while left > 0 {
        first.update(&other[..left.min(16)]);
        left = left.saturating_sub(16);
    }
    let mut length = password.len();
    while length > 0 {
        match length & 1 {
            1 => first.update([0]),
            _ => first.update(&password[..1]),
        }
        length >>= 1;
    }
    let mut end = first.finalize();
    for round in 0..1000 {
        let mut next = Md5::new();
        match round & 1 {
            1 => next.update(password),
            _ => next.update(end),
        }
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        match round & 1 {
            1 => next.update(end),
            _ => next.update(password),
        }
        end = next.finalize();
    }
    let mut text = format!("{magic}{}$", String::from_utf8_lossy(salt));
    let mut put = |a: u8, b: u8, c: u8, count: usize| {
        let mut value = (usize::from(a) << 16) | (usize::from(b) << 8) | usize::from(c);
        for _ in 0..count {
            text.push(char::from(LETTERS[value & 63]));
            value >>= 6;
        }
    };
    for [a, b, c] in [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] {
        put(end[a], end[b], end[c], 4);
    }
    put(0, 0, end[11], 2);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `openssl passwd`.
    #[test]
    fn hashes_of_others_are_known() {
        let secret = "it is a secret";
        for (hash, password) in [
            ("$apr1$abcdefgh$3NU68lZ/0BLz0.ZVxxyO60", secret),
            ("$1$abcdefgh$.h.2bqgnvaCrxKBpluVAJ0", secret),
            ("$apr1$zz$j2/RZcZLBHtY4Hv3/anFc1", ""),
            (
                "$6$abcdefgh$D7W7qyozKBT.t6FD3DVYHvADbIO0eSyI4.p20LaEUjro8PqTGYYo/EQcuNjhFbzo9Yg5ir1KIEqFY/yJpgFph0",
                "x",
            ),
            ("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "password"),
            ("as it is", "as it is"),
        ] {
            assert!(is_of(hash, password), "{hash}");
            assert!(!is_of(hash, "another"), "{hash}");
        }
        // DES.
        assert!(!is_of("rqXexS6ZhobKA", "password"));
    }

    #[test]
    fn what_is_made_is_known_again() {
        for name in [
            "apr_md5_crypt",
            "md5_crypt",
            "bcrypt",
            "sha256_crypt",
            "sha512_crypt",
            "ldap_sha1",
            "plaintext",
        ] {
            let scheme = Scheme::named(name).expect("a scheme");
            let hash = scheme.hash("grüße: 1", b"0123456789abcdef");
            assert!(is_of(&hash, "grüße: 1"), "{hash}");
            assert!(!is_of(&hash, "grüße: 2"), "{hash}");
            assert!(!hash.contains([':', '\n']) || name == "plaintext", "{hash}");
        }
        assert_eq!(Scheme::named("des_crypt"), None);
    }
}
