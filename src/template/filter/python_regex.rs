//! A pattern in Python's spelling, as the engine of regular expressions takes it.

use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use fancy_regex::{Captures, Regex, RegexBuilder};
use minijinja::Error;

use crate::template::convert::fault;

/// Flags of a pattern: ignore case, `^` and `$` at each line.
pub(in crate::template) type Flags = (bool, bool);

/// Steps one match may take back.
const BACKTRACKS: usize = 1_000_000;

static KNOWN: LazyLock<RwLock<HashMap<(String, Flags), Pattern>>> = LazyLock::new(RwLock::default);

/// A compiled pattern.
#[derive(Clone)]
pub(in crate::template) struct Pattern {
    regex: Regex,
    /// The same for texts that end with a line break, before which Python's `$` matches as well.
    before_break: Option<Regex>,
}

/// The pattern, compiled once per run.
pub(in crate::template) fn pattern(text: &str, flags: Flags) -> Result<Pattern, Error> {
    let key = (text.to_owned(), flags);
    if let Some(known) = KNOWN
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&key)
    {
        return Ok(known.clone());
    }
    let (plain, dollar) = translated(text, false);
    let built = Pattern {
        regex: build(&plain, flags)?,
        before_break: match dollar && !flags.1 {
            true => Some(build(&translated(text, true).0, flags)?),
            false => None,
        },
    };
    KNOWN
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(key, built.clone());
    Ok(built)
}

fn build(text: &str, flags: Flags) -> Result<Regex, Error> {
    RegexBuilder::new(text)
        .case_insensitive(flags.0)
        .multi_line(flags.1)
        .backtrack_limit(BACKTRACKS)
        .delegate_size_limit(4 << 20)
        .build()
        .map_err(|error| {
            let said = error.to_string();
            let last = said.lines().last().unwrap_or("");
            let last = last.trim_start_matches("error: ");
            // The pattern itself may be secret; what is said of it is not.
            let words = last.split(['`', '\'', '"']).next().unwrap_or("").trim();
            fault(format!("not a regular expression: {words}"))
        })
}

impl Pattern {
    fn of(&self, text: &str) -> &Regex {
        match &self.before_break {
            Some(regex) if text.ends_with('\n') => regex,
            _ => &self.regex,
        }
    }

    /// Whether it is found anywhere.
    pub(in crate::template) fn found(&self, text: &str) -> Result<bool, Error> {
        self.of(text).is_match(text).map_err(endless)
    }

    /// The first place.
    pub(super) fn first<'t>(&self, text: &'t str) -> Result<Option<Captures<'t, str>>, Error> {
        self.of(text).captures(text).map_err(endless)
    }

    /// Whether it matches from the beginning on.
    pub(in crate::template) fn begins(&self, text: &str) -> Result<bool, Error> {
        let found = self.of(text).find(text).map_err(endless)?;
        Ok(found.is_some_and(|found| found.start() == 0))
    }

    /// All places, `most` of them at most, in Python's way: an empty match may stand directly behind another match, never in the
    /// same place as another empty one.
    pub(super) fn each<'t>(
        &self,
        text: &'t str,
        most: usize,
        mut take: impl FnMut(&Captures<'t, str>),
    ) -> Result<usize, Error> {
        let regex = self.of(text);
        let (mut at, mut count) = (0, 0);
        let mut empty_at = None;
        while count < most {
            let Some(found) = regex.captures_from_pos(text, at).map_err(endless)? else {
                break;
            };
            let whole = found.get(0).expect("a match has a whole");
            let empty = whole.start() == whole.end();
            if empty && empty_at == Some(whole.start()) {
                match text[at..].chars().next() {
                    Some(c) => at += c.len_utf8(),
                    None => break,
                }
                continue;
            }
            take(&found);
            count += 1;
            at = whole.end();
            empty_at = empty.then_some(at);
        }
        Ok(count)
    }

    /// Groups, the whole counted with them.
    pub(super) fn groups(&self) -> usize {
        self.regex.captures_len()
    }

    /// Whether a group has that name.
    pub(super) fn names(&self, name: &str) -> bool {
        self.regex
            .capture_names()
            .flatten()
            .any(|known| known == name)
    }
}

fn endless(_: fancy_regex::Error) -> Error {
    fault("the regular expression takes too many steps on this text; make it simpler")
}

/// Python's spelling as the engine's; and whether a `$` is in it, which `before_break` also lets match before a last line break.
fn translated(text: &str, before_break: bool) -> (String, bool) {
    let mut out = String::with_capacity(text.len());
    let mut dollar = false;
    // Inside `[…]`: how many characters were read of it.
    let mut class: Option<usize> = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let rest = &text[at + c.len_utf8()..];
        match (c, class) {
            ('\\', _) => {
                let Some((_, next)) = chars.next() else {
                    out.push('\\');
                    break;
                };
                match next {
                    // Only at the very end; and signs that mean something behind a backslash nowhere but here.
                    'Z' => out.push_str("\\z"),
                    '<' | '>' => out.push(next),
                    next => out.extend(['\\', next]),
                }
                class = class.map(|read| read + 1);
            }
            ('[', None) => {
                out.push('[');
                class = Some(0);
                if rest.starts_with('^') {
                    chars.next();
                    out.push('^');
                }
            }
            // A bracket that comes first stands for itself.
            (']', Some(0)) => {
                out.push_str("\\]");
                class = Some(1);
            }
            (']', Some(_)) => {
                out.push(']');
                class = None;
            }
            ('[' | '&' | '~', Some(read)) => {
                out.extend(['\\', c]);
                class = Some(read + 1);
            }
            (c, Some(read)) => {
                out.push(c);
                class = Some(read + 1);
            }
            ('$', None) => {
                dollar = true;
                out.push_str(if before_break { "(?=\\n?\\z)" } else { "$" });
            }
            ('{', None) => match repetition(rest) {
                Some(true) => out.push_str("{0"),
                Some(false) => out.push('{'),
                None => out.push_str("\\{"),
            },
            (c, None) => out.push(c),
        }
    }
    (out, dollar)
}

/// Whether `3}`, `3,}`, `3,5}` or `,5}` follows a brace, which else stands for itself; true when the first number is missing.
fn repetition(rest: &str) -> Option<bool> {
    let (inside, _) = rest.split_once('}')?;
    let (low, high) = inside.split_once(',').unwrap_or((inside, "0"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(low) && digits(high) && inside.bytes().any(|byte| byte.is_ascii_digit()))
        .then_some(low.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_and_the_engine_mean_the_same() {
        let plain = |text: &str| translated(text, false).0;
        assert_eq!(
            plain(r"a\Z[[\]&]\<b{x}{,3}{2}"),
            r"a\z[\[\]\&]<b\{x}{0,3}{2}"
        );
        assert_eq!(plain("[]a][^]b]"), r"[\]a][^\]b]");
        assert_eq!(
            translated("a$[$]", true),
            (r"a(?=\n?\z)[$]".to_owned(), true)
        );
        assert_eq!(plain("\\"), "\\");
    }

    #[test]
    fn what_takes_too_long_ends() {
        let slow = pattern("^(?=(a+)+$)(a|aa)+\\1b", (false, false)).expect("it is a pattern");
        assert!(slow.found(&"a".repeat(60)).is_err());
    }
}
