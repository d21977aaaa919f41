//! Lines of known_hosts: whose they are, and what they say.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// One line that holds a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// `@cert-authority` or `@revoked`.
    pub marker: Option<&'a str>,
    /// Names with commas, or one name hashed.
    pub hosts: &'a str,
    /// `ssh-ed25519` …
    pub algorithm: &'a str,
    /// In base64.
    pub key: &'a str,
}

impl<'a> Line<'a> {
    /// Reads a line; none when it is empty, a comment, or no such line.
    pub fn read(text: &'a str) -> Option<Line<'a>> {
        let mut words = text.split_ascii_whitespace();
        let first = words.next().filter(|word| !word.starts_with('#'))?;
        let (marker, hosts) = match first.starts_with('@') {
            true => (Some(first), words.next()?),
            false => (None, first),
        };
        Some(Line {
            marker,
            hosts,
            algorithm: words.next()?,
            key: words.next()?,
        })
    }

    /// Whether the key is in base64 and says the algorithm before it.
    pub fn is_well_formed(&self) -> bool {
        let Ok(bytes) = STANDARD.decode(self.key) else {
            return false;
        };
        let name = self.algorithm.as_bytes();
        let length = u32::try_from(name.len()).unwrap_or(0).to_be_bytes();
        bytes
            .strip_prefix(&length)
            .is_some_and(|rest| rest.starts_with(name))
    }

    /// Whether it is of this host, as `ssh-keygen -F` looks it up. `host` is in small letters.
    pub fn is_of(&self, host: &str) -> bool {
        if let Some(hashed) = self.hosts.strip_prefix("|1|") {
            return hashed.split_once('|').is_some_and(|(salt, digest)| {
                STANDARD
                    .decode(salt)
                    .is_ok_and(|salt| hash(&salt, host) == digest)
            });
        }
        let mut found = false;
        for pattern in self.hosts.split(',') {
            let (negated, pattern) = match pattern.strip_prefix('!') {
                Some(pattern) => (true, pattern),
                None => (false, pattern),
            };
            if fits(pattern.to_ascii_lowercase().as_bytes(), host.as_bytes()) {
                if negated {
                    return false;
                }
                found = true;
            }
        }
        found
    }

    /// Whether its names are patterns, of more hosts than it names.
    pub fn is_pattern(&self) -> bool {
        !self.hosts.starts_with("|1|") && self.hosts.contains(['*', '?', '!'])
    }

    /// Where its names begin in the line that it was read from.
    pub fn start(&self, line: &str) -> usize {
        let marked = self
            .marker
            .and_then(|marker| Some(line.find(marker)? + marker.len()));
        let from = marked.unwrap_or(0);
        line[from..].find(self.hosts).map_or(from, |at| from + at)
    }

    /// Whether it stands in the other's place: a host has one key of each algorithm.
    pub fn rivals(&self, other: &Line) -> bool {
        (self.marker, self.algorithm) == (other.marker, other.algorithm)
    }

    /// Whether it says the same of a host.
    pub fn says_same(&self, other: &Line) -> bool {
        (self.marker, self.algorithm, self.key) == (other.marker, other.algorithm, other.key)
    }
}

/// `|1|SALT|HASH` of a name.
pub fn hashed(salt: &[u8; 20], host: &str) -> String {
    format!("|1|{}|{}", STANDARD.encode(salt), hash(salt, host))
}

fn hash(salt: &[u8], host: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(salt).expect("any length is a key");
    mac.update(host.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// `*` is any number of letters, `?` is one.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=text.len()).any(|at| fits(rest, &text[at..])),
        (Some((b'?', rest)), Some((_, text))) => fits(rest, text),
        (Some((a, rest)), Some((b, text))) if a == b => fits(rest, text),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIPz5jQ6uNWvLcl0pQPBWlMGBTfKjIhoaoQPWo4Nu5gy0";

    #[test]
    fn lines_are_read() {
        let text = format!("@revoked a,b ssh-ed25519 {KEY} me@here");
        let line = Line::read(&text).expect("a line");
        assert_eq!((line.marker, line.hosts), (Some("@revoked"), "a,b"));
        assert!(line.is_well_formed());
        let text = format!("a ssh-rsa {KEY}");
        assert!(!Line::read(&text).expect("a line").is_well_formed());
        assert_eq!(Line::read("# a b c"), None);
        assert_eq!(Line::read("a ssh-rsa"), None);
    }

    #[test]
    fn hosts_are_found() {
        let of = |hosts: &str, host: &str| {
            let text = format!("{hosts} ssh-ed25519 {KEY}");
            Line::read(&text).expect("a line").is_of(host)
        };
        assert!(of("a.example,192.0.2.1", "192.0.2.1"));
        assert!(of("[a.example]:2222", "[a.example]:2222"));
        assert!(of("*.example,!b.example", "a.example"));
        assert!(!of("*.example,!b.example", "b.example"));
        assert!(!of("a.example", "aa.example"));
        let name = hashed(b"0123456789abcdefghij", "a.example");
        assert!(of(&name, "a.example"));
        assert!(!of(&name, "b.example"));
        // Made by `ssh-keygen -H`.
        assert!(of(
            "|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg=",
            "192.168.1.61"
        ));
    }
}
