//! The edit of a text, line by line, as Ansible does it.

use regex::bytes::Regex;

use super::super::pattern::Replacement;

/// How the line that is replaced or removed is found.
pub enum Find {
    /// It is the line itself.
    Line,
    /// It matches.
    Regex(Regex),
    /// It holds this.
    Part(String),
}

/// Where a new line goes.
pub enum Insert {
    /// Before all.
    Begin,
    /// Behind all.
    End,
    /// Behind a line that matches, else behind all.
    After(Regex),
    /// Before a line that matches, else behind all.
    Before(Regex),
}

/// What is done to a text.
pub struct Edit {
    /// The line, without its end.
    pub line: String,
    /// Whether the line was given, so that it can itself be looked for.
    pub by_line: bool,
    /// Whether it is to be there.
    pub present: bool,
    /// How it is found.
    pub find: Find,
    /// Where it goes when it is not found.
    pub insert: Insert,
    /// Whether the first match counts, rather than the last.
    pub first: bool,
    /// The line with its groups, when it has them.
    pub backrefs: Option<Replacement>,
}

impl Edit {
    /// The new text, and in words what was done; none for nothing.
    pub fn apply(&self, text: &[u8]) -> (Vec<u8>, Option<String>) {
        let mut lines: Vec<Vec<u8>> = text
            .split_inclusive(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        let words = if self.present {
            self.put(&mut lines).map(str::to_owned)
        } else {
            self.remove(&mut lines)
        };
        (lines.concat(), words)
    }

    fn remove(&self, lines: &mut Vec<Vec<u8>>) -> Option<String> {
        let before = lines.len();
        lines.retain(|line| match &self.find {
            Find::Line => !self.by_line || bare(line) != self.line.as_bytes(),
            _ => !self.found(line),
        });
        let removed = before - lines.len();
        (removed > 0).then(|| format!("{removed} line(s) removed"))
    }

    fn put(&self, lines: &mut Vec<Vec<u8>>) -> Option<&'static str> {
        let found = self.position(lines, |line| self.found(line));
        let same = || {
            lines
                .iter()
                .rposition(|line| bare(line) == self.line.as_bytes())
        };
        if let Some(at) = found.or_else(same) {
            let new = self.new_line(found.map(|at| lines[at].as_slice()));
            if lines[at] == new {
                return None;
            }
            lines[at] = new;
            return Some("line replaced");
        }
        if self.backrefs.is_some() {
            return None;
        }
        let at = match &self.insert {
            Insert::Begin => 0,
            Insert::End => lines.len(),
            Insert::After(regex) => self
                .position(lines, |line| regex.is_match(unended(line)))
                .map_or(lines.len(), |at| at + 1),
            Insert::Before(regex) => self
                .position(lines, |line| regex.is_match(unended(line)))
                .unwrap_or(lines.len()),
        };
        // A last line without an end would swallow what is put behind it.
        if let Some(last) = at.checked_sub(1).and_then(|last| lines.get_mut(last))
            && !last.ends_with(b"\n")
            && !last.ends_with(b"\r")
        {
            last.push(b'\n');
        }
        lines.insert(at, self.new_line(None));
        Some("line added")
    }

    fn position(&self, lines: &[Vec<u8>], test: impl Fn(&[u8]) -> bool) -> Option<usize> {
        if self.first {
            lines.iter().position(|line| test(line))
        } else {
            lines.iter().rposition(|line| test(line))
        }
    }

    fn found(&self, line: &[u8]) -> bool {
        match &self.find {
            Find::Line => false,
            Find::Regex(regex) => regex.is_match(unended(line)),
            Find::Part(part) => {
                part.is_empty()
                    || line
                        .windows(part.len())
                        .any(|window| window == part.as_bytes())
            }
        }
    }

    /// The line with its end; `old` is the line that matched.
    fn new_line(&self, old: Option<&[u8]>) -> Vec<u8> {
        let mut line = match (&self.backrefs, &self.find, old) {
            (Some(backrefs), Find::Regex(regex), Some(old)) => regex
                .captures(unended(old))
                .map_or_else(Vec::new, |captures| backrefs.expand(&captures)),
            _ => self.line.clone().into_bytes(),
        };
        if !line.ends_with(b"\n") {
            line.push(b'\n');
        }
        line
    }
}

/// The line without its end.
fn bare(line: &[u8]) -> &[u8] {
    let end = line
        .iter()
        .rposition(|byte| !b"\r\n".contains(byte))
        .map_or(0, |last| last + 1);
    &line[..end]
}

/// The line without its newline, before which Python's `$` matches too.
fn unended(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::pattern::compile;
    use crate::source::Span;

    fn edit(line: &str) -> Edit {
        Edit {
            line: line.to_owned(),
            by_line: true,
            present: true,
            find: Find::Line,
            insert: Insert::End,
            first: false,
            backrefs: None,
        }
    }

    fn regex(text: &str) -> Regex {
        compile(text, &Span::synthetic("test")).expect("a pattern")
    }

    fn apply(edit: &Edit, text: &str) -> String {
        let (new, words) = edit.apply(text.as_bytes());
        let new = String::from_utf8(new).expect("utf-8");
        assert_eq!(words.is_some(), new != text);
        let (again, words) = edit.apply(new.as_bytes());
        assert_eq!((again, words), (new.clone().into_bytes(), None), "twice");
        new
    }

    #[test]
    fn added_at_the_end_the_begin_or_beside() {
        assert_eq!(apply(&edit("c"), ""), "c\n");
        assert_eq!(apply(&edit("c"), "a\nb"), "a\nb\nc\n");
        assert_eq!(apply(&edit("b"), "a\nb\n"), "a\nb\n");
        let at = |insert| Edit {
            insert,
            ..edit("c")
        };
        assert_eq!(apply(&at(Insert::Begin), "a\n"), "c\na\n");
        assert_eq!(
            apply(&at(Insert::After(regex("^a$"))), "a\na\nb\n"),
            "a\na\nc\nb\n"
        );
        assert_eq!(apply(&at(Insert::After(regex("z"))), "a\n"), "a\nc\n");
        assert_eq!(apply(&at(Insert::After(regex("a"))), "a"), "a\nc\n");
        assert_eq!(
            apply(&at(Insert::Before(regex("a"))), "a\na\n"),
            "a\nc\na\n"
        );
        let first = Edit {
            first: true,
            ..at(Insert::Before(regex("a")))
        };
        assert_eq!(apply(&first, "a\na\n"), "c\na\na\n");
    }

    #[test]
    fn replaced_where_it_matches() {
        let find = |find| Edit {
            find,
            ..edit("Port 2222")
        };
        let by = find(Find::Regex(regex("^#?Port ")));
        assert_eq!(
            apply(&by, "#Port 22\nx\nPort 23\n"),
            "#Port 22\nx\nPort 2222\n"
        );
        let part = find(Find::Part("ort 2".to_owned()));
        assert_eq!(apply(&part, "Port 22"), "Port 2222\n");
    }

    #[test]
    fn groups_are_kept_and_nothing_is_added_without_a_match() {
        let pattern = regex("^(max=).*(#.*)$");
        let backrefs = Replacement::read(r"\g<1>9 \2", &pattern, &Span::synthetic("test"));
        let by = Edit {
            find: Find::Regex(pattern),
            backrefs: Some(backrefs.expect("a line")),
            ..edit(r"\g<1>9 \2")
        };
        assert_eq!(apply(&by, "max=7 # n\n"), "max=9 # n\n");
        assert_eq!(apply(&by, "min=7\n"), "min=7\n");
    }

    #[test]
    fn removed_wherever_it_matches() {
        let gone = |find, by_line| Edit {
            present: false,
            find,
            by_line,
            ..edit("a")
        };
        assert_eq!(apply(&gone(Find::Line, true), "a\nb\na"), "b\n");
        assert_eq!(
            apply(&gone(Find::Regex(regex("^a")), false), "ab\nb\n"),
            "b\n"
        );
    }

    #[test]
    fn foreign_bytes_stay() {
        let (new, _) = edit("c").apply(b"\xff\xe9\r\n");
        assert_eq!(new, b"\xff\xe9\r\nc\n");
    }
}
