//! What known_hosts files say of a host: parsing and lookup, pure.
//!
//! Written to OpenSSH's rules and tested against `ssh-keygen -F`: plain, hashed and `[host]:port` names, wildcards, negation, letter
//! case, markers. Keys are compared as the bytes of the wire, so that comments and unknown key types don't matter.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::transport::error::KnownKeyPlace;

/// What is known of an offered key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is the host's key; where it stands first.
    Known(KnownKeyPlace),
    /// Nothing is known of this key type; `other_types` of the host are.
    Unknown {
        /// Key types known for the host.
        other_types: Vec<String>,
    },
    /// The host has other keys of this type.
    Changed(Vec<KnownKeyPlace>),
    /// The key is revoked for this host.
    Revoked(KnownKeyPlace),
}

/// The lines of one or more files, in order.
#[derive(Debug, Clone, Default)]
pub struct KnownHosts {
    lines: Vec<Line>,
}

/// The lines about one host: hashed names make looking them up dear, so that is done once.
#[derive(Debug, Clone)]
pub struct HostKeys {
    own: Vec<Line>,
    /// The lines that name the host without its port.
    without_port: Vec<Line>,
}

#[derive(Debug, Clone)]
struct Line {
    file: PathBuf,
    number: usize,
    marker: Marker,
    hosts: Hosts,
    key_type: String,
    key: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker {
    None,
    CertAuthority,
    Revoked,
}

#[derive(Debug, Clone)]
enum Hosts {
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
    Patterns(Vec<String>),
}

impl KnownHosts {
    /// Adds the lines of a file. What can't be decoded is passed over, as OpenSSH does.
    pub fn add(&mut self, file: &Path, text: &[u8]) {
        for (index, raw) in text.split(|byte| *byte == b'\n').enumerate() {
            let Ok(line) = std::str::from_utf8(raw) else {
                continue;
            };
            if let Some(line) = parse_line(line, file, index + 1) {
                self.lines.push(line);
            }
        }
    }

    /// All that is said of `host` (lower case) at `port`.
    pub fn host(&self, host: &str, port: u16) -> HostKeys {
        let name = lookup_name(host, port);
        let own = self.of(&name);
        let without_port = if name == host {
            Vec::new()
        } else {
            self.of(host)
        };
        HostKeys { own, without_port }
    }

    fn of(&self, name: &str) -> Vec<Line> {
        self.lines
            .iter()
            .filter(|line| line.hosts.contain(name))
            .cloned()
            .collect()
    }
}

impl HostKeys {
    /// What is known of `key` (wire format).
    ///
    /// At another port than 22 the name without a port counts too, but only where it knows the very key.
    pub fn verdict(&self, key: &[u8]) -> Verdict {
        if let Some(place) = self.revoked(key) {
            return Verdict::Revoked(place);
        }
        let plain = |line: &&Line| line.marker == Marker::None;
        if let Some(line) = self.all().filter(plain).find(|line| line.key == key) {
            return Verdict::Known(line.place());
        }
        let offered = key_type_of(key).unwrap_or_default();
        let own = || self.own.iter().filter(plain);
        let same_type: Vec<KnownKeyPlace> = own()
            .filter(|line| line.key_type == offered)
            .map(Line::place)
            .collect();
        if !same_type.is_empty() {
            return Verdict::Changed(same_type);
        }
        let mut other_types: Vec<String> = own().map(|line| line.key_type.clone()).collect();
        other_types.dedup();
        Verdict::Unknown { other_types }
    }

    /// The key types that are known, in file order: these are asked for first.
    pub fn key_types(&self) -> Vec<String> {
        let lines = if self.own.is_empty() {
            &self.without_port
        } else {
            &self.own
        };
        let mut types: Vec<String> = Vec::new();
        for line in lines.iter().filter(|line| line.marker == Marker::None) {
            if !types.contains(&line.key_type) {
                types.push(line.key_type.clone());
            }
        }
        types
    }

    /// Whether any `@cert-authority` line speaks for the host.
    pub fn has_authority(&self) -> bool {
        self.all().any(|line| line.marker == Marker::CertAuthority)
    }

    /// Whether `key` (wire format) may certify the host.
    pub fn is_authority(&self, key: &[u8]) -> bool {
        self.all()
            .any(|line| line.marker == Marker::CertAuthority && line.key == key)
    }

    /// Where `key` (wire format) is revoked.
    pub fn revoked(&self, key: &[u8]) -> Option<KnownKeyPlace> {
        self.all()
            .find(|line| line.marker == Marker::Revoked && line.key == key)
            .map(Line::place)
    }

    fn all(&self) -> impl Iterator<Item = &Line> {
        self.own.iter().chain(&self.without_port)
    }
}

impl Line {
    fn place(&self) -> KnownKeyPlace {
        KnownKeyPlace {
            file: self.file.clone(),
            line: self.number,
            key_type: self.key_type.clone(),
            fingerprint: fingerprint(&self.key),
        }
    }
}

impl Hosts {
    /// Whether `name` (lower case, with the port when it is not 22) is meant. A negated pattern that fits decides against the whole line.
    fn contain(&self, name: &str) -> bool {
        match self {
            Self::Hashed { salt, hash } => hashed(salt, name) == *hash,
            Self::Patterns(patterns) => {
                let mut found = false;
                for pattern in patterns {
                    match pattern.strip_prefix('!') {
                        Some(negated) if wildcard_match(negated, name) => return false,
                        Some(_) => {}
                        None => found |= wildcard_match(pattern, name),
                    }
                }
                found
            }
        }
    }
}

/// The name under which files know `host` at `port`.
pub fn lookup_name(host: &str, port: u16) -> String {
    if port == 22 {
        host.to_string()
    } else {
        format!("[{host}]:{port}")
    }
}

/// A line that names `key` (wire format) as the key of a host, for a file; `None` when the bytes are no key.
pub fn line_for(host: &str, port: u16, key: &[u8]) -> Option<String> {
    Some(format!(
        "{} {} {}\n",
        lookup_name(host, port),
        key_type_of(key)?,
        STANDARD.encode(key)
    ))
}

/// The same with the name hashed, so that the file does not tell where its owner goes.
pub fn hashed_line_for(host: &str, port: u16, key: &[u8], salt: &[u8]) -> Option<String> {
    let hash = hashed(salt, &lookup_name(host, port));
    Some(format!(
        "|1|{}|{} {} {}\n",
        STANDARD.encode(salt),
        STANDARD.encode(hash),
        key_type_of(key)?,
        STANDARD.encode(key)
    ))
}

/// `SHA256:…`, as ssh-keygen prints it.
pub fn fingerprint(key: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(key)))
}

/// The type that a key in wire format begins with.
pub fn key_type_of(key: &[u8]) -> Option<String> {
    let length = u32::from_be_bytes(key.get(..4)?.try_into().ok()?) as usize;
    let name = key.get(4..4usize.checked_add(length)?)?;
    Some(std::str::from_utf8(name).ok()?.to_string())
}

fn parse_line(line: &str, file: &Path, number: usize) -> Option<Line> {
    let blank = |c: char| c == ' ' || c == '\t';
    let line = line.trim_matches(|c| blank(c) || c == '\r');
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let mut fields = line.split(blank).filter(|field| !field.is_empty());
    let mut hosts = fields.next()?;
    let mut marker = Marker::None;
    if hosts.starts_with('@') {
        marker = match hosts {
            "@cert-authority" => Marker::CertAuthority,
            "@revoked" => Marker::Revoked,
            _ => return None,
        };
        hosts = fields.next()?;
    }
    let key_type = fields.next()?.to_string();
    let key = STANDARD.decode(fields.next()?).ok()?;
    if key_type_of(&key)? != key_type {
        return None;
    }
    Some(Line {
        file: file.to_path_buf(),
        number,
        marker,
        hosts: parse_hosts(hosts)?,
        key_type,
        key,
    })
}

fn parse_hosts(field: &str) -> Option<Hosts> {
    match field.strip_prefix("|1|") {
        Some(rest) => {
            let (salt, hash) = rest.split_once('|')?;
            Some(Hosts::Hashed {
                salt: STANDARD.decode(salt).ok()?,
                hash: STANDARD.decode(hash).ok()?,
            })
        }
        None => Some(Hosts::Patterns(
            field.split(',').map(str::to_lowercase).collect(),
        )),
    }
}

fn hashed(salt: &[u8], name: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(salt).expect("a MAC takes a key of any length");
    mac.update(name.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// `*` stands for any text, `?` for one byte. Linear in the worst case that files of strangers may hold: there is one way back only.
pub(crate) fn wildcard_match(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p, t));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match back {
                Some((star, from)) => {
                    back = Some((star, from + 1));
                    p = star + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests;
