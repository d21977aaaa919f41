//! The edit of a text: a block between two marker lines, as Ansible does it.

use regex::bytes::Regex;

/// Where a new block goes. A pattern is held against each line, or against the whole text when its flag says so.
pub enum Insert {
    /// Before all.
    Begin,
    /// Behind all.
    End,
    /// Behind the last line that matches, else behind all.
    After(Regex, bool),
    /// Before the last line that matches, else behind all.
    Before(Regex, bool),
}

/// What is done to a text.
pub struct Edit {
    /// The line before the block, with its end.
    pub begin: String,
    /// The line behind the block, with its end.
    pub end: String,
    /// The block; none when it is to be gone.
    pub block: Option<String>,
    /// Where it goes when there is none yet.
    pub insert: Insert,
    /// Whether an empty line is to follow.
    pub append: bool,
    /// Whether an empty line is to stand before.
    pub prepend: bool,
}

impl Edit {
    /// The new text.
    pub fn apply(&self, text: &[u8]) -> Vec<u8> {
        let mut lines: Vec<Vec<u8>> = text
            .split_inclusive(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        // The last line may be a marker without its end, which an editor took away.
        let last = |mark: &str| {
            lines.iter().rposition(|line| {
                line.strip_suffix(b"\n").unwrap_or(line) == mark.trim_end_matches('\n').as_bytes()
            })
        };
        let mut at = match (last(&self.begin), last(&self.end)) {
            (Some(begin), Some(end)) => {
                let (first, last) = (begin.min(end), begin.max(end));
                lines.drain(first..=last);
                first
            }
            _ if self.block.is_none() => return text.to_vec(),
            _ => self.place(text, &lines),
        };
        // A line without an end would swallow what is put behind it.
        if let Some(before) = at.checked_sub(1).and_then(|before| lines.get_mut(before))
            && !before.ends_with(b"\n")
        {
            before.push(b'\n');
        }
        if self.prepend && at > 0 && lines[at - 1] != b"\n" {
            lines.insert(at, b"\n".to_vec());
            at += 1;
        }
        let mut behind = at;
        if let Some(block) = &self.block {
            let end = if block.ends_with('\n') { "" } else { "\n" };
            let whole = format!("{}{block}{end}{}", self.begin, self.end);
            lines.insert(at, whole.into_bytes());
            behind += 1;
        }
        if self.append && lines.get(behind).is_some_and(|line| line != b"\n") {
            lines.insert(behind, b"\n".to_vec());
        }
        lines.concat()
    }

    /// The number of lines that are to stand before the new block.
    fn place(&self, text: &[u8], lines: &[Vec<u8>]) -> usize {
        let newlines = |end: usize| text[..end].iter().filter(|byte| **byte == b'\n').count();
        let line = |regex: &Regex| lines.iter().rposition(|line| regex.is_match(bare(line)));
        let found = match &self.insert {
            Insert::Begin => Some(0),
            Insert::End => None,
            Insert::After(regex, false) => line(regex).map(|at| at + 1),
            Insert::Before(regex, false) => line(regex),
            Insert::After(regex, true) => regex.find(text).map(|found| newlines(found.end()) + 1),
            Insert::Before(regex, true) => regex.find(text).map(|found| newlines(found.start())),
        };
        found.unwrap_or(lines.len()).min(lines.len())
    }
}

/// The line without its newline, before which Python's `$` matches too.
fn bare(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(block: &str) -> Edit {
        Edit {
            begin: "# BEGIN\n".to_owned(),
            end: "# END\n".to_owned(),
            block: Some(block.to_owned()).filter(|block| !block.is_empty()),
            insert: Insert::End,
            append: false,
            prepend: false,
        }
    }

    fn apply(edit: &Edit, text: &str) -> String {
        let new = edit.apply(text.as_bytes());
        assert_eq!(edit.apply(&new), new, "twice");
        String::from_utf8(new).expect("utf-8")
    }

    fn regex(text: &str) -> Regex {
        Regex::new(text).expect("a pattern")
    }

    #[test]
    fn a_new_block_goes_where_it_is_told() {
        assert_eq!(apply(&edit("b"), "a"), "a\n# BEGIN\nb\n# END\n");
        assert_eq!(apply(&edit("b\n"), ""), "# BEGIN\nb\n# END\n");
        let at = |insert| Edit {
            insert,
            ..edit("b")
        };
        assert_eq!(apply(&at(Insert::Begin), "a\n"), "# BEGIN\nb\n# END\na\n");
        let after = at(Insert::After(regex("^a$"), false));
        assert_eq!(apply(&after, "a\na\nc\n"), "a\na\n# BEGIN\nb\n# END\nc\n");
        assert_eq!(apply(&after, "c\n"), "c\n# BEGIN\nb\n# END\n");
        let before = at(Insert::Before(regex("^a$"), false));
        assert_eq!(apply(&before, "a\na\nc\n"), "a\n# BEGIN\nb\n# END\na\nc\n");
        let many = at(Insert::After(regex("(?m)a\n^b"), true));
        assert_eq!(apply(&many, "a\nb\nc\n"), "a\nb\n# BEGIN\nb\n# END\nc\n");
        let many = at(Insert::Before(regex("(?m)^b\nc"), true));
        assert_eq!(apply(&many, "a\nb\nc\n"), "a\n# BEGIN\nb\n# END\nb\nc\n");
    }

    #[test]
    fn an_old_block_is_replaced_where_it_stands() {
        assert_eq!(
            apply(&edit("n"), "a\n# BEGIN\no\n# END\nz"),
            "a\n# BEGIN\nn\n# END\nz"
        );
        assert_eq!(
            apply(&edit("n"), "# BEGIN\no\n# END"),
            "# BEGIN\nn\n# END\n"
        );
        assert_eq!(
            apply(&edit("n"), "# END\nx\n# BEGIN\nz\n"),
            "# BEGIN\nn\n# END\nz\n"
        );
    }

    #[test]
    fn without_a_block_it_is_removed() {
        assert_eq!(apply(&edit(""), "a\n# BEGIN\no\n# END\nz\n"), "a\nz\n");
        assert_eq!(apply(&edit(""), "a\n# BEGIN\nz"), "a\n# BEGIN\nz");
    }

    #[test]
    fn empty_lines_around_it() {
        let spaced = |insert| Edit {
            insert,
            append: true,
            prepend: true,
            ..edit("b")
        };
        let middle = spaced(Insert::After(regex("a"), false));
        assert_eq!(apply(&middle, "a\nc\n"), "a\n\n# BEGIN\nb\n# END\n\nc\n");
        assert_eq!(apply(&spaced(Insert::End), ""), "# BEGIN\nb\n# END\n");
        assert_eq!(
            apply(&spaced(Insert::Begin), "a\n"),
            "# BEGIN\nb\n# END\n\na\n"
        );
    }
}
