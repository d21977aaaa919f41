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
    /// It is the host's key.
    Known,
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

    /// What is known of `key` (wire format) when `host` (lower case) shows it at `port`.
    ///
    /// At another port than 22 the name without a port counts too, but only where it knows the very key.
    pub fn verdict(&self, host: &str, port: u16, key: &[u8]) -> Verdict {
        let name = lookup_name(host, port);
        let plain = self.of(host);
        let own = if name == host {
            plain.clone()
        } else {
            self.of(&name)
        };
        if let Some(line) = own
            .iter()
            .chain(&plain)
            .find(|line| line.marker == Marker::Revoked && line.key == key)
        {
            return Verdict::Revoked(line.place());
        }
        let keys = |lines: &[&Line]| -> Vec<Line> {
            lines
                .iter()
                .filter(|line| line.marker == Marker::None)
                .map(|line| (*line).clone())
                .collect()
        };
        let known = keys(&own);
        if known
            .iter()
            .chain(&keys(&plain))
            .any(|line| line.key == key)
        {
            return Verdict::Known;
        }
        let offered = key_type_of(key).unwrap_or_default();
        let same_type: Vec<KnownKeyPlace> = known
            .iter()
            .filter(|line| line.key_type == offered)
            .map(Line::place)
            .collect();
        if !same_type.is_empty() {
            return Verdict::Changed(same_type);
        }
        let mut other_types: Vec<String> = known.into_iter().map(|line| line.key_type).collect();
        other_types.dedup();
        Verdict::Unknown { other_types }
    }

    /// The key types known for a host, in file order: these are asked for first.
    pub fn key_types(&self, host: &str, port: u16) -> Vec<String> {
        let mut lines = self.of(&lookup_name(host, port));
        if lines.is_empty() {
            lines = self.of(host);
        }
        let mut types: Vec<String> = Vec::new();
        for line in lines {
            if line.marker == Marker::None && !types.contains(&line.key_type) {
                types.push(line.key_type.clone());
            }
        }
        types
    }

    /// Whether any `@cert-authority` line speaks for the host.
    pub fn has_authority(&self, host: &str, port: u16) -> bool {
        self.authorities(host, port).next().is_some()
    }

    /// Whether `key` (wire format) may certify the host.
    pub fn is_authority(&self, host: &str, port: u16, key: &[u8]) -> bool {
        self.authorities(host, port).any(|line| line.key == key)
    }

    fn authorities(&self, host: &str, port: u16) -> impl Iterator<Item = &Line> {
        let mut lines = self.of(&lookup_name(host, port));
        if !lines
            .iter()
            .any(|line| line.marker == Marker::CertAuthority)
        {
            lines = self.of(host);
        }
        lines
            .into_iter()
            .filter(|line| line.marker == Marker::CertAuthority)
    }

    /// Where `key` (wire format) is revoked for the host.
    pub fn revoked(&self, host: &str, port: u16, key: &[u8]) -> Option<KnownKeyPlace> {
        match self.verdict(host, port, key) {
            Verdict::Revoked(place) => Some(place),
            _ => None,
        }
    }

    fn of(&self, name: &str) -> Vec<&Line> {
        self.lines
            .iter()
            .filter(|line| line.hosts.contain(name))
            .collect()
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
fn wildcard_match(pattern: &str, text: &str) -> bool {
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
