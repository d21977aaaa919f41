//! Values that must never be shown, and the masking of text that may contain them.

mod finder;
pub mod passphrase;
mod spellings;

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, RwLock};

use zeroize::Zeroize;

use finder::Finder;

/// What stands in the place of a secret, in every event, log, diff and error.
pub const MASK: &str = "(masked)";

/// The variable of the environment that may hold the password of vaults; no program that is started inherits it.
pub const PASSWORD_VARIABLE: &str = "HADEPLOY_VAULT_PASSWORD";

/// Shorter secrets are masked only where they stand as a whole word: replacing every `a` of an output would hide nothing and make it unreadable.
const SHORTEST_ANYWHERE: usize = 3;

/// A value that is wiped from memory when it is dropped and never printed.
#[derive(Clone, PartialEq, Eq, Hash)]
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
/// one or two characters is hidden only where it stands as a whole word; an empty one not at all. What is made of a secret of three
/// characters and more is hidden with it: quoted for JSON or a shell, percent-encoded, in base64; of six and more also where its base64 is a part of a
/// longer text's.
#[derive(Clone, Default)]
pub struct Masker {
    known: Arc<RwLock<Known>>,
}

/// What is looked for, without doubles.
#[derive(Default)]
struct Known {
    needles: HashSet<Secret>,
    /// Made anew by the first who looks after a secret was added.
    finder: Option<Option<Arc<Finder>>>,
}

impl Masker {
    /// A masker that knows no secret yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on `secret` is hidden.
    pub fn add(&self, secret: &Secret) {
        let whole = secret.reveal().trim_end_matches(['\n', '\r']);
        let is_long = |text: &str| text.chars().count() >= SHORTEST_ANYWHERE;
        let mut fresh: Vec<Secret> = whole
            .lines()
            .map(str::trim)
            .filter(|line| is_long(line))
            .map(Secret::new)
            .collect();
        fresh.push(Secret::new(whole));
        if is_long(whole) {
            fresh.extend(spellings::of(whole));
        }
        let mut known = self
            .known
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        for needle in fresh {
            if !needle.reveal().is_empty() && known.needles.insert(needle) {
                known.finder = None;
            }
        }
    }

    /// `text` with each secret replaced by [`MASK`]; borrowed when there was none in it.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let Some(finder) = self.finder() else {
            return Cow::Borrowed(text);
        };
        let mut masked = String::new();
        let mut done = 0;
        while let Some((start, end)) = finder.next(text, done) {
            masked.push_str(&text[done..start]);
            masked.push_str(MASK);
            done = end;
        }
        if done == 0 {
            return Cow::Borrowed(text);
        }
        masked.push_str(&text[done..]);
        Cow::Owned(masked)
    }

    fn finder(&self) -> Option<Arc<Finder>> {
        let known = self
            .known
            .read()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(finder) = &known.finder {
            return finder.clone();
        }
        drop(known);
        let mut known = self
            .known
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let Known { needles, finder } = &mut *known;
        let made = finder.get_or_insert_with(|| Finder::new(needles.iter()).map(Arc::new));
        made.clone()
    }
}

impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masker")
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

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

    /// What programs make of it: each must be hidden, and nothing of it stand beside the mask but what its neighbours share.
    #[test]
    fn what_is_made_of_a_secret_is_hidden() {
        let secret = "kö/?>~ 'x\"$1";
        let masker = masker(&[secret]);
        let url = |bytes: &[u8]| STANDARD.encode(bytes).replace('+', "-").replace('/', "_");
        for before in ["", "u", "us", "use", "user:"] {
            for after in ["", ":", ":x", ":xy@host/"] {
                let whole = format!("{before}{secret}{after}");
                for text in [STANDARD.encode(&whole), url(whole.as_bytes())] {
                    let shown = masker.mask(&text).into_owned();
                    let left = shown.replace(MASK, "");
                    let around = before.len() + after.len();
                    assert!(shown.contains(MASK), "{whole}: {shown}");
                    assert!(left.len() <= around * 4 / 3 + 6, "{whole}: {shown}");
                }
            }
        }
        for text in [
            r#"{"a":"kö/?>~ 'x\"$1"}"#,
            r#"{"a": "k\u00f6/?>~ 'x\"$1"}"#,
            r#"'kö/?>~ '\''x"$1'"#,
            r#"'kö/?>~ '"'"'x"$1'"#,
            r#""kö/?>~ 'x\"\$1""#,
            r#"kö/\?\>\~\ \'x\"\$1"#,
            "p=k%C3%B6%2F%3F%3E~%20%27x%22%241",
            "p=k%c3%b6%2f%3f%3e~%20%27x%22%241",
            "p=k%C3%B6/%3F%3E~%20%27x%22%241",
            "p=k%C3%B6%2F%3F%3E~+%27x%22%241&",
        ] {
            let shown = masker.mask(text).into_owned();
            assert!(shown.contains(MASK), "{text}: {shown}");
            assert!(!shown.contains("$1") && !shown.contains("%241"), "{shown}");
        }
    }

    #[test]
    fn a_long_secret_is_hidden_in_wrapped_base64() {
        let key: String = (0..400u32)
            .map(|n| char::from(b'!' + (n * 7 % 90) as u8))
            .collect();
        let masker = masker(&[&format!("{key}\n")]);
        for length in [64, 76] {
            let text = STANDARD.encode(format!("{key}\n"));
            let lines: Vec<&str> = text
                .as_bytes()
                .chunks(length)
                .map(|line| std::str::from_utf8(line).expect("ascii"))
                .collect();
            let shown = masker.mask(&lines.join("\n")).into_owned();
            assert!(shown.replace(MASK, "").trim().len() <= 4, "{shown}");
        }
    }

    /// Short secrets are parts of ordinary words in base64, and of ordinary base64.
    #[test]
    fn a_short_secret_masks_nothing_by_chance() {
        let masker = masker(&["abcde", "12345"]);
        let text = STANDARD.encode("an abcde within, and 12345 more");
        assert_eq!(masker.mask(&text), text);
        assert_eq!(masker.mask("abcde"), MASK);
    }

    #[test]
    fn beginnings_that_many_share_lead_to_the_right_one() {
        let long = "-----BEGIN KEY-----AAAA";
        let masker = masker(&[long, "-----BEGIN KEY-----BBBB", "-----BEGIN", "KEY"]);
        assert_eq!(masker.mask(&format!("x{long}y")), "x(masked)y");
        assert_eq!(
            masker.mask("-----BEGIN KEY-----CCCC"),
            "(masked) (masked)-----CCCC"
        );
        assert_eq!(masker.mask("------BEGIN"), "-(masked)");
    }

    #[test]
    fn a_secret_that_comes_later_is_hidden_too() {
        let masker = masker(&["first1"]);
        assert_eq!(masker.mask("first1 later2"), "(masked) later2");
        masker.add(&Secret::new("later2"));
        assert_eq!(masker.mask("first1 later2"), "(masked) (masked)");
    }

    #[test]
    fn clones_share_their_secrets() {
        let first = Masker::new();
        let second = first.clone();
        first.add(&Secret::new("hunter2"));
        assert_eq!(second.mask("hunter2"), MASK);
    }
}
