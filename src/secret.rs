//! Values that must never be shown, and the masking of text that may contain them.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, RwLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroize;

/// What stands in the place of a secret, in every event, log, diff and error.
pub const MASK: &str = "(masked)";

/// The variable of the environment that may hold the password of vaults; no program that is started inherits it.
pub const PASSWORD_VARIABLE: &str = "HADEPLOY_VAULT_PASSWORD";

/// Shorter secrets are masked only where they stand as a whole word: replacing every `a` of an output would hide nothing and make it unreadable.
const SHORTEST_ANYWHERE: usize = 3;

/// A value that is wiped from memory when it is dropped and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes `value` over.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself; whoever calls this answers for where it goes.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(value)
    }
}

/// All secrets of one run. Clones share the same collection.
///
/// Each secret is hidden as a whole, without the line end it may close with, and, when it has several lines, line by line too (a
/// program may print one line of a key). Of the lines only those of three characters and more count, so that a lone `}` stays. A secret of
/// one or two characters is hidden only where it stands as a whole word; an empty one not at all.
#[derive(Clone, Default)]
pub struct Masker {
    /// Longest first, without doubles: a secret that contains another is replaced as a whole.
    needles: Arc<RwLock<Arc<Vec<Secret>>>>,
}

impl Masker {
    /// A masker that knows no secret yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on `secret` is hidden.
    pub fn add(&self, secret: &Secret) {
        let whole = secret.reveal().trim_end_matches(['\n', '\r']);
        let mut fresh: Vec<&str> = whole
            .lines()
            .map(str::trim)
            .filter(|line| line.chars().count() >= SHORTEST_ANYWHERE)
            .collect();
        fresh.push(whole);
        let spelled = spellings(whole);
        fresh.extend(spelled.iter().map(Secret::reveal));
        let mut guard = self
            .needles
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut needles = Vec::clone(&guard);
        for text in fresh {
            if !text.is_empty() && !needles.iter().any(|known| known.reveal() == text) {
                needles.push(Secret::new(text));
            }
        }
        needles.sort_by_key(|needle| std::cmp::Reverse(needle.reveal().len()));
        *guard = Arc::new(needles);
    }

    /// `text` with each secret replaced by [`MASK`]; borrowed when there was none in it.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let needles = Arc::clone(
            &self
                .needles
                .read()
                .unwrap_or_else(|poisoned| poisoned.into_inner()),
        );
        if !needles.iter().any(|needle| text.contains(needle.reveal())) {
            return Cow::Borrowed(text);
        }
        // A secret starts at the first byte of a character, so looking for its first byte finds no middle of one.
        let mut starts = [false; 256];
        for needle in needles.iter() {
            starts[usize::from(needle.reveal().as_bytes()[0])] = true;
        }
        let mut masked = String::with_capacity(text.len());
        let (mut done, mut at) = (0, 0);
        while let Some(byte) = text.as_bytes().get(at) {
            let found = if starts[usize::from(*byte)] {
                secret_at(&needles, text, at)
            } else {
                None
            };
            let Some(length) = found else {
                at += 1;
                continue;
            };
            masked.push_str(&text[done..at]);
            masked.push_str(MASK);
            at += length;
            done = at;
        }
        if done == 0 {
            return Cow::Borrowed(text);
        }
        masked.push_str(&text[done..]);
        Cow::Owned(masked)
    }
}

impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masker")
    }
}

/// How else a secret is written: inside JSON, in quotes of a shell, in an address, and in base64 as the bodies of requests are.
fn spellings(secret: &str) -> Vec<Secret> {
    if secret.chars().count() < SHORTEST_ANYWHERE {
        return Vec::new();
    }
    let json = serde_json::Value::from(secret).to_string();
    let address = secret.bytes().fold(String::new(), |mut text, byte| {
        match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            true => text.push(char::from(byte)),
            false => text.push_str(&format!("%{byte:02X}")),
        }
        text
    });
    [
        json[1..json.len() - 1].to_owned(),
        secret.replace('\'', "'\\''"),
        address,
        STANDARD.encode(secret),
    ]
    .into_iter()
    .map(Secret::from)
    .collect()
}

/// The length in bytes of the longest secret that starts at `at`.
fn secret_at(needles: &[Secret], text: &str, at: usize) -> Option<usize> {
    let rest = &text[at..];
    let found = needles.iter().map(Secret::reveal).find(|needle| {
        rest.starts_with(needle)
            && (needle.chars().count() >= SHORTEST_ANYWHERE
                || stands_alone(&text[..at], &rest[needle.len()..]))
    })?;
    Some(found.len())
}

/// Whether no letter or digit touches the place between `before` and `after`.
fn stands_alone(before: &str, after: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    !before.chars().next_back().is_some_and(joins) && !after.chars().next().is_some_and(joins)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masker(secrets: &[&str]) -> Masker {
        let masker = Masker::new();
        for secret in secrets {
            masker.add(&Secret::new(*secret));
        }
        masker
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(
            format!("{:?}", Some(Secret::new("hunter2"))),
            "Some((masked))"
        );
        assert!(!format!("{:?}", masker(&["hunter2"])).contains("hunter2"));
    }

    #[test]
    fn text_without_a_secret_is_borrowed() {
        assert!(matches!(
            masker(&["hunter2"]).mask("nothing here"),
            Cow::Borrowed("nothing here")
        ));
    }

    #[test]
    fn each_occurrence_goes_and_the_longest_wins() {
        let masker = masker(&["pass", "password1"]);
        assert_eq!(
            masker.mask("password1 pass password1pass"),
            "(masked) (masked) (masked)(masked)"
        );
    }

    #[test]
    fn a_multi_line_secret_is_hidden_whole_and_line_by_line() {
        let masker = masker(&["-----BEGIN-----\nAAAA1111\n}\n-----END-----\n"]);
        assert_eq!(
            masker.mask("x -----BEGIN-----\nAAAA1111\n}\n-----END----- y"),
            "x (masked) y"
        );
        assert_eq!(masker.mask("line 2: AAAA1111 }"), "line 2: (masked) }");
    }

    #[test]
    fn a_short_secret_is_hidden_only_as_a_word() {
        let masker = masker(&["ab", ""]);
        assert_eq!(
            masker.mask("ab=cab ab, (ab) abc _ab"),
            "(masked)=cab (masked), ((masked)) abc _ab"
        );
    }

    #[test]
    fn characters_of_several_bytes_are_kept_whole() {
        assert_eq!(masker(&["gehéim"]).mask("ä gehéim ö"), "ä (masked) ö");
    }

    #[test]
    fn other_spellings_of_a_secret_are_hidden_too() {
        let masker = masker(&["p\"a's/1"]);
        for text in [
            r#"{"pw":"p\"a's/1"}"#,
            r#"'p"a'\''s/1'"#,
            "x://u:p%22a%27s%2F1@h",
            "Basic cCJhJ3MvMQ==",
        ] {
            assert!(masker.mask(text).contains(MASK), "{text}");
        }
    }

    #[test]
    fn clones_share_their_secrets() {
        let first = Masker::new();
        let second = first.clone();
        first.add(&Secret::new("hunter2"));
        assert_eq!(second.mask("hunter2"), MASK);
    }
}
