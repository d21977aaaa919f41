//! `password_hash`: passwords as `/etc/shadow` holds them.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use base64::Engine;
use base64::alphabet::BCRYPT;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, Value as Native};
use sha2::{Digest, Sha256};

use super::given::Given;
use super::text_of;
use crate::template::convert::fault;
use crate::template::current;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("password_hash", password_hash);
}

/// Hashes made in this run, by a digest of what they were made of: one takes most of a second, and every host asks for it.
static MADE: LazyLock<Mutex<HashMap<[u8; 32], String>>> = LazyLock::new(Mutex::default);

/// Characters of a salt.
pub(in crate::template) const SALT: &[u8; 64] =
    b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Whether `password_hash` knows the name of a kind.
///
/// # Errors
/// It does not.
pub(in crate::template) fn is_password_hash(name: &str) -> Result<(), Error> {
    Kind::read(name).map(drop)
}

fn password_hash(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<String, Error> {
    let given = Given::read(
        &["hashtype", "salt", "salt_size", "rounds", "ident"],
        args,
        &kwargs,
    )?;
    let password = text_of(value)?;
    let word = given.text_or("hashtype", "sha512")?;
    let kind = Kind::read(&word)?;
    let (least, most) = kind.salt_size();
    let size = match given.whole("salt_size")? {
        None => most,
        Some(size) => usize::try_from(size)
            .ok()
            .filter(|size| (least..=most).contains(size))
            .ok_or_else(|| fault(format!("`salt_size` is {least} to {most}")))?,
    };
    let salt = match given.text("salt")?.filter(|salt| !salt.is_empty()) {
        Some(salt) => salt,
        None => own_salt(kind, size)?,
    };
    let rounds = given.whole("rounds")?.filter(|rounds| *rounds != 0);
    hash_password(&password, &word, Some(salt), rounds, given.text("ident")?)
}

/// A password's hash of a kind, as Ansible names kinds.
pub(in crate::template) fn hash_password(
    password: &str,
    kind: &str,
    salt: Option<String>,
    rounds: Option<i64>,
    ident: Option<String>,
) -> Result<String, Error> {
    let kind = Kind::read(kind)?;
    let (least, most) = kind.salt_size();
    let salt = match salt {
        Some(salt) => salt,
        None => own_salt(kind, most)?,
    };
    if !salt.bytes().all(|byte| SALT.contains(&byte)) {
        return Err(fault("a salt is letters, digits, `.` and `/`"));
    }
    if !(least..=most).contains(&salt.len()) {
        return Err(fault(match least == most {
            true => format!("a salt of this kind has {most} characters"),
            false => format!("a salt has at most {most} characters"),
        }));
    }
    let key = key(&[
        password,
        kind.name(),
        &salt,
        &format!("{rounds:?}"),
        ident.as_deref().unwrap_or(""),
    ]);
    let made = || MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = made().get(&key) {
        return Ok(known.clone());
    }
    let hash = match kind {
        Kind::Bcrypt => bcrypt(password, &salt, rounds, ident.as_deref())?,
        _ => sha(kind, password, &salt, rounds)?,
    };
    made().insert(key, hash.clone());
    Ok(hash)
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Sha512,
    Sha256,
    Bcrypt,
}

impl Kind {
    fn read(word: &str) -> Result<Kind, Error> {
        match word {
            "sha512" | "sha512_crypt" => Ok(Kind::Sha512),
            "sha256" | "sha256_crypt" => Ok(Kind::Sha256),
            "blowfish" | "bcrypt" => Ok(Kind::Bcrypt),
            "md5" | "md5_crypt" => Err(fault("md5 is broken in seconds; use `sha512`")),
            _ => Err(fault("the kind of hash is sha512, sha256 or blowfish")),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Sha512 => "sha512",
            Kind::Sha256 => "sha256",
            Kind::Bcrypt => "bcrypt",
        }
    }

    /// The shortest and the longest salt.
    fn salt_size(self) -> (usize, usize) {
        match self {
            Kind::Bcrypt => (22, 22),
            _ => (1, 16),
        }
    }
}

fn key(parts: &[&str]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

/// Where no salt is given, Ansible draws one, and the hash differs with every run. Here it follows from the host's name, as Ansible's
/// documentation advises: the next run finds what this one wrote. It does not follow from the password, which it would give away.
fn own_salt(kind: Kind, size: usize) -> Result<String, Error> {
    let host = current::name("inventory_hostname")
        .and_then(|name| name.as_str().map(str::to_owned))
        .ok_or_else(|| {
            fault("no host is known here to take a salt from; give one: `password_hash('sha512', salt)`")
        })?;
    let bytes = key(&["hadeploy password_hash", kind.name(), &host]);
    let salt = bytes
        .iter()
        .map(|byte| char::from(SALT[usize::from(byte & 63)]));
    Ok(salt.take(size).collect())
}

fn sha(kind: Kind, password: &str, salt: &str, rounds: Option<i64>) -> Result<String, Error> {
    let (id, default) = match kind {
        Kind::Sha256 => ("5", 535_000),
        _ => ("6", 656_000),
    };
    let rounds = u32::try_from(rounds.unwrap_or(default))
        .ok()
        .filter(|rounds| (1000..=999_999_999).contains(rounds))
        .ok_or_else(|| fault("`rounds` is 1000 to 999999999"))?;
    let params = sha_crypt::Params::new(rounds).map_err(|_| fault("`rounds` is out of range"))?;
    let (password, salt_bytes) = (password.as_bytes(), salt.as_bytes());
    // The bytes in the order that crypt(3) writes them in.
    let mut ordered = Vec::with_capacity(64);
    match kind {
        Kind::Sha256 => {
            let bytes = sha_crypt::sha256_crypt(password, salt_bytes, params);
            for i in 0..10 {
                let triple = [i, i + 10, i + 20];
                ordered.extend((0..3).map(|at| bytes[triple[(5 - at - i % 3) % 3]]));
            }
            ordered.extend([bytes[30], bytes[31]]);
        }
        _ => {
            let bytes = sha_crypt::sha512_crypt(password, salt_bytes, params);
            for i in 0..21 {
                let triple = [i, i + 21, i + 42];
                ordered.extend((0..3).map(|at| bytes[triple[(2 - at + i % 3) % 3]]));
            }
            ordered.push(bytes[63]);
        }
    }
    let hash = mcf::Base64::Crypt.encode_string(&ordered);
    // 5000 rounds are what is meant where none are written.
    let written = match rounds {
        5000 => String::new(),
        rounds => format!("rounds={rounds}$"),
    };
    Ok(format!("${id}${written}{salt}${hash}"))
}

fn bcrypt(
    password: &str,
    salt: &str,
    rounds: Option<i64>,
    ident: Option<&str>,
) -> Result<String, Error> {
    let version = match ident.unwrap_or("2b") {
        "2a" => bcrypt::Version::TwoA,
        "2b" => bcrypt::Version::TwoB,
        "2y" => bcrypt::Version::TwoY,
        _ => return Err(fault("`ident` is 2a, 2b or 2y")),
    };
    let cost = u32::try_from(rounds.unwrap_or(12))
        .ok()
        .filter(|cost| (4..=31).contains(cost))
        .ok_or_else(|| fault("`rounds` of this kind is 4 to 31: two to that power"))?;
    // Of the last character only two bits count.
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone);
    let bytes = GeneralPurpose::new(&BCRYPT, config)
        .decode(salt)
        .ok()
        .and_then(|bytes| <[u8; 16]>::try_from(bytes).ok())
        .ok_or_else(|| fault("a salt of this kind has 22 characters"))?;
    if password.len() > 72 {
        return Err(fault(
            "bcrypt reads only 72 bytes of a password; use `sha512`",
        ));
    }
    let parts = bcrypt::hash_with_salt(password, cost, bytes)
        .map_err(|_| fault("this password cannot be hashed by bcrypt"))?;
    Ok(parts.format_for_version(version))
}
