//! Looks for many secrets at once: one automaton over their beginnings says where one may stand, and only there they are compared.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, Input, MatchKind};

use super::{SHORTEST_ANYWHERE, Secret};

/// So many bytes of each secret are in the automaton. It stays small, and holds no whole secret but short ones.
const BEGINNING: usize = 16;

/// Finds secrets in text.
pub(super) struct Finder {
    beginnings: AhoCorasick,
    /// By their first byte, the longest first: a secret that contains another is found as a whole.
    secrets: HashMap<u8, Vec<Secret>>,
}

impl Finder {
    /// For these secrets, none of which is empty. None without any, or when they are more than an automaton holds.
    pub(super) fn new<'a>(secrets: impl Iterator<Item = &'a Secret>) -> Option<Finder> {
        let mut by_first: HashMap<u8, Vec<Secret>> = HashMap::new();
        for secret in secrets {
            let first = *secret.reveal().as_bytes().first()?;
            by_first.entry(first).or_default().push(secret.clone());
        }
        for secrets in by_first.values_mut() {
            secrets.sort_by_key(|secret| std::cmp::Reverse(secret.reveal().len()));
        }
        let beginnings = by_first.values().flatten().map(|secret| {
            let bytes = secret.reveal().as_bytes();
            &bytes[..bytes.len().min(BEGINNING)]
        });
        let beginnings = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .build(beginnings)
            .ok()?;
        (!by_first.is_empty()).then_some(Finder {
            beginnings,
            secrets: by_first,
        })
    }

    /// Where the next secret stands from `at` on: its first byte and the one behind it.
    pub(super) fn next(&self, text: &str, mut at: usize) -> Option<(usize, usize)> {
        while at < text.len() {
            // The whole text is looked at: nothing begins before a place where the automaton saw nothing.
            let found = self.beginnings.find(Input::new(text).range(at..))?;
            let start = found.start();
            if let Some(length) = self.secret_at(text, start) {
                return Some((start, start + length));
            }
            at = start + 1;
        }
        None
    }

    /// The length in bytes of the longest secret that starts at `at`, which is the first byte of a character, as a secret's is.
    fn secret_at(&self, text: &str, at: usize) -> Option<usize> {
        let rest = &text[at..];
        let secrets = self.secrets.get(rest.as_bytes().first()?)?;
        let found = secrets.iter().map(Secret::reveal).find(|secret| {
            rest.starts_with(secret)
                && (secret.chars().count() >= SHORTEST_ANYWHERE
                    || stands_alone(&text[..at], &rest[secret.len()..]))
        })?;
        Some(found.len())
    }
}

/// Whether no letter or digit touches the place between `before` and `after`.
fn stands_alone(before: &str, after: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    !before.chars().next_back().is_some_and(joins) && !after.chars().next().is_some_and(joins)
}
