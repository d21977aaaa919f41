//! How the two sides talk: what is used by itself, and what a configuration leaves of it.

use std::borrow::Cow;

use russh::keys::Algorithm;
use russh::{Preferred, cipher, kex, mac};

use super::known_hosts::wildcard_match;

/// With AES instructions GCM moves twice as much as chacha20, and every server Debian ships has it.
const CIPHERS: &[cipher::Name] = &[
    cipher::AES_256_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];

/// What a list of a configuration leaves of the usual methods. Nothing is added by one: the usual ones are the strong ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// These, in this order.
    Only(Vec<String>),
    /// All but these.
    Without(Vec<String>),
}

/// The lists of a configuration, by what they are about; none leaves everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Algorithms {
    /// `Ciphers`
    pub ciphers: Option<Choice>,
    /// `KexAlgorithms`
    pub kex: Option<Choice>,
    /// `MACs`
    pub macs: Option<Choice>,
    /// `HostKeyAlgorithms`
    pub host_keys: Option<Choice>,
}

impl Choice {
    /// Reads a list with commas; one that only adds (`+`), or only says what comes first (`^`), leaves everything.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let list = |text: &str| text.split(',').map(str::to_string).collect();
        match text.chars().next() {
            Some('+' | '^') => None,
            Some('-') => Some(Self::Without(list(&text[1..]))),
            _ => Some(Self::Only(list(text))),
        }
    }

    /// What is left of `usual`, in order.
    fn of<T: AsRef<str> + Clone>(&self, usual: &[T]) -> Vec<T> {
        let place = |patterns: &[String], name: &T| {
            patterns
                .iter()
                .position(|pattern| wildcard_match(pattern, name.as_ref()))
        };
        let mut left = usual.to_vec();
        match self {
            Self::Only(patterns) => {
                left.retain(|name| place(patterns, name).is_some());
                left.sort_by_key(|name| place(patterns, name));
            }
            Self::Without(patterns) => left.retain(|name| place(patterns, name).is_none()),
        }
        left
    }
}

impl Algorithms {
    /// Takes away from `preferred`, whose host keys are filled in, what is not to be used; its ciphers become the usual ones.
    pub(crate) fn limit(&self, preferred: &mut Preferred) {
        preferred.cipher = match &self.ciphers {
            None => Cow::Borrowed(CIPHERS),
            Some(choice) => Cow::Owned(choice.of(CIPHERS)),
        };
        if let Some(choice) = &self.kex {
            let mut left = choice.of(&preferred.kex);
            // These are no methods but what the sides can do beside them.
            let extras = preferred.kex.iter().filter(|name| is_extra(name));
            left.extend(extras.copied());
            left.dedup();
            preferred.kex = Cow::Owned(left);
        }
        if let Some(choice) = &self.macs {
            preferred.mac = Cow::Owned(choice.of(&preferred.mac));
        }
        if let Some(choice) = &self.host_keys {
            preferred.key = Cow::Owned(choice.of(&preferred.key));
            let wanted =
                |algorithm: &Algorithm| !choice.of(&[algorithm.to_certificate_type()]).is_empty();
            preferred.host_key_certificates.to_mut().retain(wanted);
        }
    }
}

fn is_extra(name: &kex::Name) -> bool {
    let name = name.as_ref();
    name.starts_with("ext-info-") || name.starts_with("kex-strict-")
}

/// The usual methods that a keyword chooses from, and of which something must be left.
pub(crate) fn usual(keyword: &str) -> Vec<&'static str> {
    fn names<T: AsRef<str>>(list: &'static [T]) -> Vec<&'static str> {
        list.iter().map(AsRef::as_ref).collect()
    }
    const KEX: &[kex::Name] = match Preferred::DEFAULT.kex {
        Cow::Borrowed(list) => list,
        Cow::Owned(_) => &[],
    };
    const MACS: &[mac::Name] = match Preferred::DEFAULT.mac {
        Cow::Borrowed(list) => list,
        Cow::Owned(_) => &[],
    };
    match keyword {
        "Ciphers" => names(CIPHERS),
        "MACs" => names(MACS),
        "KexAlgorithms" => {
            let mut list = names(KEX);
            list.retain(|name| !name.starts_with("ext-info-") && !name.starts_with("kex-strict-"));
            list
        }
        _ => vec![
            "ssh-ed25519",
            "ecdsa-sha2-nistp256",
            "ecdsa-sha2-nistp384",
            "ecdsa-sha2-nistp521",
            "rsa-sha2-512",
            "rsa-sha2-256",
        ],
    }
}

/// Whether a choice leaves something of the usual methods of a keyword.
pub(crate) fn leaves_some(choice: &Choice, keyword: &str) -> bool {
    !choice.of(&usual(keyword)).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_leave_what_they_name() {
        let left = |text: &str| match Choice::read(text) {
            Some(choice) => choice.of(&["a1", "a2", "b1"]).join(" "),
            None => "all".to_string(),
        };
        let cases = [
            ("b1,a1", "b1 a1"),
            ("a*", "a1 a2"),
            ("-a*", "b1"),
            ("-b1,zz", "a1 a2"),
            ("+zz", "all"),
            ("^b1", "all"),
            ("zz", ""),
        ];
        for (text, wanted) in cases {
            assert_eq!(left(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_left_is_what_is_offered() {
        let algorithms = Algorithms {
            ciphers: Choice::read("aes256-ctr"),
            kex: Choice::read("-mlkem*,diffie*"),
            macs: Choice::read("hmac-sha2-256,hmac-sha2-512"),
            host_keys: Choice::read("rsa-sha2-512,ssh-ed25519-cert-v01@openssh.com"),
        };
        let rsa = Algorithm::new("rsa-sha2-512").unwrap();
        let mut preferred = Preferred {
            key: Cow::Owned(vec![Algorithm::Ed25519, rsa.clone()]),
            host_key_certificates: Cow::Owned(vec![Algorithm::Ed25519, rsa.clone()]),
            ..Preferred::DEFAULT
        };
        algorithms.limit(&mut preferred);
        assert_eq!(*preferred.cipher, [cipher::AES_256_CTR]);
        assert_eq!(*preferred.mac, [mac::HMAC_SHA256, mac::HMAC_SHA512]);
        assert_eq!(*preferred.key, [rsa]);
        assert_eq!(*preferred.host_key_certificates, [Algorithm::Ed25519]);
        assert_eq!(preferred.kex[0], kex::CURVE25519);
        assert!(
            preferred
                .kex
                .contains(&kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT)
        );
        assert!(!preferred.kex.contains(&kex::DH_G14_SHA256));
    }

    #[test]
    fn the_names_are_those_of_the_library() {
        let keys = usual("HostKeyAlgorithms");
        assert!(keys.iter().all(|name| Algorithm::new(name).is_ok()));
        assert!(usual("KexAlgorithms").contains(&"curve25519-sha256"));
        assert!(usual("MACs").len() > 2 && usual("Ciphers").len() == 5);
    }
}
