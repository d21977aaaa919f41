//! Places in the user's files: every value and key knows where it stands.

use std::fmt;
use std::sync::Arc;

/// One text the user wrote: a playbook, an inventory, a template, or `-e` on the command line.
pub struct Source {
    name: String,
    text: String,
    line_starts: Vec<u32>,
    sealed: bool,
}

impl Source {
    /// `name` is the path as the user gave it, or `<command line>` for text without a file.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Source> {
        Source::made(name.into(), text.into(), false)
    }

    /// Text that is encrypted where it lies: its places are told, its lines never shown.
    pub fn sealed(name: impl Into<String>, text: impl Into<String>) -> Arc<Source> {
        Source::made(name.into(), text.into(), true)
    }

    fn made(name: String, text: String, sealed: bool) -> Arc<Source> {
        let mut line_starts = vec![0];
        line_starts.extend(
            text.bytes()
                .enumerate()
                .filter(|(_, byte)| *byte == b'\n')
                .map(|(index, _)| index as u32 + 1),
        );
        Arc::new(Source {
            name,
            text,
            line_starts,
            sealed,
        })
    }

    /// The path as the user gave it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is encrypted where it lies.
    pub fn is_sealed(&self) -> bool {
        self.sealed
    }

    /// Line and column of a byte offset, both counted from 1, the column in characters.
    pub fn line_column(&self, offset: u32) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= offset) - 1;
        let start = self.line_starts[line] as usize;
        let end = (offset as usize).min(self.text.len());
        let column = self
            .text
            .get(start..end)
            .map_or(0, |head| head.chars().count());
        (line + 1, column + 1)
    }

    /// The byte offset at which `line` (from 1) begins; the end of the text for a line past it.
    pub fn line_start(&self, line: usize) -> u32 {
        self.line_starts
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(self.text.len() as u32)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A range of bytes in one source. Cheap to clone.
#[derive(Clone)]
pub struct Span {
    source: Arc<Source>,
    start: u32,
    end: u32,
}

impl Span {
    /// Bytes `start..end` of `source`; clamped to the text, and widened to whole characters.
    pub fn new(source: &Arc<Source>, start: u32, end: u32) -> Span {
        let text = &source.text;
        let last = text.len() as u32;
        let mut start = start.min(last);
        let mut end = end.clamp(start, last);
        while !text.is_char_boundary(start as usize) {
            start -= 1;
        }
        while !text.is_char_boundary(end as usize) {
            end += 1;
        }
        Span {
            source: source.clone(),
            start,
            end,
        }
    }

    /// A place in no file, for values the program itself makes; `name` says where they come from.
    pub fn synthetic(name: &str) -> Span {
        Span::new(&Source::new(name, ""), 0, 0)
    }

    /// The source it lies in.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// First byte.
    pub fn start(&self) -> u32 {
        self.start
    }

    /// Byte behind the last.
    pub fn end(&self) -> u32 {
        self.end
    }

    /// Line from 1.
    pub fn line(&self) -> usize {
        self.source.line_column(self.start).0
    }

    /// Column from 1, in characters.
    pub fn column(&self) -> usize {
        self.source.line_column(self.start).1
    }

    /// `file:line`.
    pub fn at(&self) -> String {
        format!("{}:{}", self.source.name, self.line())
    }

    /// The spelling in the file.
    pub fn text(&self) -> &str {
        self.source
            .text
            .get(self.start as usize..self.end as usize)
            .unwrap_or("")
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.at(), self.column())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        let source = Source::new("a.yml", "öne\ntwo\n");
        assert_eq!(source.line_column(0), (1, 1));
        assert_eq!(source.line_column(2), (1, 2));
        let two = Span::new(&source, 5, 8);
        assert_eq!(two.text(), "two");
        assert_eq!(two.at(), "a.yml:2");
        assert_eq!(source.line_column(99), (3, 1));
    }
}
