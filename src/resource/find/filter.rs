//! Which entries of a folder are meant.

use regex::bytes::Regex;

use crate::fact::{Stat, TreeEntry};
use crate::resource::mode::FileMode;

/// Which time of an entry counts for its age.
#[derive(Clone, Copy)]
pub enum Stamp {
    /// Last read.
    Read,
    /// Last change of its attributes.
    Changed,
    /// Last write.
    Written,
}

/// What an entry must be.
pub struct Filter {
    /// One of these matches its name.
    pub patterns: Vec<Regex>,
    /// None of these does.
    pub excludes: Vec<Regex>,
    /// `f`, `d`, `l`; none for any.
    pub kind: Option<char>,
    /// Seconds at least, or at most when negative.
    pub age: Option<i64>,
    /// What the age is counted from.
    pub stamp: Stamp,
    /// Bytes at least, or at most when negative; of files only.
    pub size: Option<i64>,
    /// Whether names that begin with a dot count.
    pub hidden: bool,
    /// Permissions, and whether they are all.
    pub mode: Option<(FileMode, bool)>,
    /// Levels below the folder.
    pub depth: Option<usize>,
}

impl Filter {
    /// Whether the entry is meant, as of `now`.
    pub fn takes(&self, entry: &TreeEntry, now: f64) -> bool {
        let name = entry.name.rsplit('/').next().unwrap_or_default();
        let stat = &entry.stat;
        let is = |patterns: &[Regex]| {
            patterns
                .iter()
                .any(|pattern| pattern.is_match(name.as_bytes()))
        };
        self.depth
            .is_none_or(|depth| entry.name.split('/').count() <= depth)
            && (self.hidden || !name.starts_with('.'))
            && self.kind.is_none_or(|kind| kind == stat.kind)
            && is(&self.patterns)
            && !is(&self.excludes)
            && self.is_of_age(stat, now)
            && (stat.kind != 'f' || within(self.size, stat.size as f64))
            && self.has_mode(stat)
    }

    fn is_of_age(&self, stat: &Stat, now: f64) -> bool {
        let then = match self.stamp {
            Stamp::Read => stat.atime,
            Stamp::Changed => stat.ctime,
            Stamp::Written => stat.mtime,
        };
        within(self.age, now - then)
    }

    fn has_mode(&self, stat: &Stat) -> bool {
        self.mode.as_ref().is_none_or(|(mode, exact)| {
            let wanted = mode.bits(0, false);
            if *exact {
                stat.mode == wanted
            } else {
                stat.mode & wanted != 0
            }
        })
    }
}

/// At least the limit, or at most what a negative one says.
fn within(limit: Option<i64>, found: f64) -> bool {
    limit.is_none_or(|limit| match limit {
        0.. => found >= limit as f64,
        _ => found <= limit.unsigned_abs() as f64,
    })
}

/// A number with one of these units behind it.
pub fn measure(text: &str, units: &[(char, i64)]) -> Option<i64> {
    let text = text.to_ascii_lowercase();
    let unit = text
        .chars()
        .last()
        .and_then(|last| units.iter().find(|(unit, _)| *unit == last));
    let (digits, factor) = match unit {
        Some((_, factor)) => (&text[..text.len() - 1], *factor),
        None => (text.as_str(), 1),
    };
    let plain = digits.strip_prefix('-').unwrap_or(digits);
    let good = !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit());
    good.then(|| digits.parse::<i64>().ok()?.checked_mul(factor))
        .flatten()
}

/// A shell pattern for whole names as a regular expression, as Python's `fnmatch` reads it.
pub fn shell_pattern(pattern: &str) -> String {
    let mut text = String::from(r"(?s)\A");
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '*' => text.push_str(".*"),
            '?' => text.push('.'),
            '[' => {
                let inside = rest.as_str();
                // A bracket directly behind the beginning belongs to the class.
                let from = inside.len() - inside.trim_start_matches('!').len().min(inside.len());
                let from = from.min(1);
                let skip = from + inside[from..].chars().next().map_or(0, char::len_utf8);
                match inside.get(skip..).and_then(|tail| tail.find(']')) {
                    Some(end) => {
                        let class = &inside[from..skip + end];
                        let not = if from > 0 { "^" } else { "" };
                        let class = class
                            .replace('\\', r"\\")
                            .replace('[', r"\[")
                            .replace(']', r"\]")
                            .replace('^', r"\^")
                            .replace('&', r"\&")
                            .replace('~', r"\~");
                        text.push_str(&format!("[{not}{class}]"));
                        rest = inside[skip + end + 1..].chars();
                    }
                    None => text.push_str(r"\["),
                }
            }
            c => text.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    text + r"\z"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shell_patterns_match_whole_names() {
        let matches = |pattern: &str, name: &str| {
            Regex::new(&shell_pattern(pattern))
                .expect("a pattern")
                .is_match(name.as_bytes())
        };
        for (pattern, name) in [
            ("*.log", "a.b.log"),
            ("a?c", "aéc"),
            ("[!a-c]x", "dx"),
            ("[]]", "]"),
            ("[a", "[a"),
            ("a+b", "a+b"),
            ("[^a]", "^"),
            ("*", ""),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("*.log", "a.logs"),
            ("[!a]x", "ax"),
            ("a.c", "abc"),
            ("[a-c]", "d"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn numbers_with_units() {
        let units = [('s', 1), ('d', 86400)];
        assert_eq!(measure("2D", &units), Some(172_800));
        assert_eq!(measure("-30", &units), Some(-30));
        for text in ["", "d", "1y", "1.5d", "+3", "--3"] {
            assert_eq!(measure(text, &units), None, "{text}");
        }
        assert!(
            within(Some(-30), 30.0)
                && !within(Some(-30), 31.0)
                && within(Some(5), 5.0)
                && !within(Some(5), 4.0)
        );
    }
}
