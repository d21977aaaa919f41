//! Lines of quoted texts that are indented less than YAML asks.
//!
//! A line of a quoted text must be indented more than what holds it (YAML 1.2.2, 6.3). PyYAML, which Ansible reads with, does not ask for
//! it. Blanks at the beginning of such a line mean nothing, so the parser is shown some more of them than there are.

use std::borrow::Cow;

/// Lines that are moved at most; a text with more of them is refused.
const MOST_LINES: usize = 1000;

/// Where blanks are put for the parser: offsets in the source with their number, in order.
#[derive(Debug, Default)]
pub(super) struct Blanks(Vec<(usize, usize)>);

impl Blanks {
    /// The text that the parser is shown.
    pub(super) fn put<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.0.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut shown = String::with_capacity(text.len());
        let mut from = 0;
        for (at, count) in &self.0 {
            shown.push_str(&text[from..*at]);
            shown.extend(std::iter::repeat_n(' ', *count));
            from = *at;
        }
        shown.push_str(&text[from..]);
        Cow::Owned(shown)
    }

    /// The offset in the source of one in the text that the parser was shown.
    pub(super) fn offset(&self, shown: usize) -> usize {
        let mut before = 0;
        for (at, count) in &self.0 {
            match shown.checked_sub(at + before) {
                Some(behind) => before += behind.min(*count),
                None => break,
            }
        }
        shown - before
    }

    /// Moves the line at an offset of the source behind all that may hold it. False where nothing is left to move.
    pub(super) fn move_line(&mut self, text: &str, offset: usize) -> bool {
        let start = text[..offset].rfind('\n').map_or(0, |end| end + 1);
        let place = self.0.partition_point(|(at, _)| *at < start);
        let moved = self.0.get(place).is_some_and(|(at, _)| *at == start);
        if moved || self.0.len() >= MOST_LINES {
            return false;
        }
        let heads = text[..offset].lines();
        let deepest = heads.map(|line| line.len() - line.trim_start_matches([' ', '-', '?']).len());
        self.0
            .insert(place, (start, deepest.max().unwrap_or(0) + 1));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Blanks;

    #[test]
    fn offsets_are_those_of_the_source() {
        let text = "- a: 'x\ny\nz' # €\n";
        let mut blanks = Blanks::default();
        assert!(blanks.move_line(text, 8));
        assert!(blanks.move_line(text, 10));
        assert!(!blanks.move_line(text, 8), "a line is moved once");
        let shown = blanks.put(text);
        assert_eq!(shown, "- a: 'x\n   y\n   z' # €\n");
        for word in ["a", "y", "z", "€"] {
            let at = shown.find(word).unwrap();
            assert_eq!(blanks.offset(at), text.find(word).unwrap(), "{word}");
        }
        assert_eq!(blanks.offset(shown.len()), text.len());
        // Within the blanks it is the line's beginning.
        assert_eq!(blanks.offset(9), 8);
    }
}
