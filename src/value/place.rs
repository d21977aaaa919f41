//! Where a part of a text value stands in the file it was written in.

use std::ops::Range;

use crate::source::Span;

/// The place of the bytes `range` of `text`, which was read from the scalar at `span`. Follows quotes, escapes, folded
/// lines and the indentation of blocks. The whole scalar where the two do not fit, as for text no file holds.
pub fn place(span: &Span, text: &str, range: Range<usize>) -> Span {
    let raw = span.text();
    if raw.is_empty() {
        return span.clone();
    }
    let base = span.start();
    // Whoever counts bytes may have stopped inside a character.
    let edge = |at: usize| text.is_char_boundary(at);
    let (first, last) = (range.start.min(text.len()), range.end.min(text.len()));
    let start = (0..=first).rev().find(|at| edge(*at)).unwrap_or(0);
    let end = (last..text.len())
        .find(|at| edge(*at))
        .unwrap_or(text.len());
    let range = start..end;
    if raw == text {
        return Span::new(
            span.source(),
            base + range.start as u32,
            base + range.end as u32,
        );
    }
    // A block's span begins behind its leading empty lines.
    let lead = if raw.starts_with('\n') {
        0
    } else {
        text.len() - text.trim_start_matches('\n').len()
    };
    let text = &text[lead..];
    let range = range.start.saturating_sub(lead)..range.end.saturating_sub(lead);
    let Some(start) = follow(raw, text, range.start) else {
        return span.clone();
    };
    let end = if range.end > range.start {
        // The byte behind the last character, so that a fold behind it does not count.
        let last = text[..range.end]
            .char_indices()
            .next_back()
            .map_or(range.start, |(at, _)| at);
        follow(raw, text, last).map(|at| at + character(raw, at))
    } else {
        Some(start)
    };
    let end = end.unwrap_or(start).max(start);
    Span::new(span.source(), base + start as u32, base + end as u32)
}

/// The offset in `raw` that the offset `wanted` of `text` came from.
fn follow(raw: &str, text: &str, wanted: usize) -> Option<usize> {
    let quote = raw.chars().next().filter(|c| matches!(c, '"' | '\''));
    let mut at = quote.map_or(0, char::len_utf8);
    for (offset, wanted_char) in text.char_indices() {
        at = settle(raw, at, wanted_char, quote)?;
        if offset >= wanted {
            return Some(at);
        }
        at += character_in(raw, at, quote);
    }
    Some(at.min(raw.len()))
}

/// Skips what stands in `raw` for layout only, up to the spelling of `wanted`.
fn settle(raw: &str, mut at: usize, wanted: char, quote: Option<char>) -> Option<usize> {
    loop {
        let rest = &raw[at..];
        let next = rest.chars().next()?;
        if quote == Some('"') && next == '\\' {
            if rest[1..].starts_with('\n') {
                at += 2 + blanks(&rest[2..]);
                continue;
            }
            return Some(at);
        }
        if next == wanted {
            return Some(at);
        }
        // A fold: a line break and the indentation behind it became one blank or nothing.
        if wanted == ' ' && matches!(next, '\n' | '\r') {
            return Some(at);
        }
        if !next.is_whitespace() {
            return None;
        }
        at += next.len_utf8();
    }
}

/// How long the spelling of one character at `at` is.
fn character(raw: &str, at: usize) -> usize {
    let quote = raw.chars().next().filter(|c| matches!(c, '"' | '\''));
    character_in(raw, at, quote)
}

fn character_in(raw: &str, at: usize, quote: Option<char>) -> usize {
    let rest = &raw[at.min(raw.len())..];
    let Some(next) = rest.chars().next() else {
        return 0;
    };
    match (quote, next) {
        (Some('"'), '\\') => {
            let digits = match rest[1..].chars().next() {
                Some('x') => 2,
                Some('u') => 4,
                Some('U') => 8,
                Some(other) => return 1 + other.len_utf8(),
                None => return 1,
            };
            (2 + digits).min(rest.len())
        }
        (Some('\''), '\'') if rest[1..].starts_with('\'') => 2,
        _ => next.len_utf8(),
    }
}

fn blanks(rest: &str) -> usize {
    rest.len() - rest.trim_start().len()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::Source;
    use crate::value::parse_yaml_one;

    /// Finds `mark` in the value under `k`, maps it, and returns the spelling in the file with its line.
    fn mapped(yaml: &str, mark: &str) -> (String, usize) {
        let source: Arc<Source> = Source::new("t.yml", yaml);
        let value = parse_yaml_one(&source).expect("the YAML is right");
        let value = &value.as_map().expect("a mapping")["k"].value;
        let text = value.as_str().expect("text");
        let at = text.find(mark).expect("the mark is in the text");
        let span = place(&value.span, text, at..at + mark.len());
        (span.text().to_owned(), span.line())
    }

    #[test]
    fn parts_of_all_scalar_styles_are_found_in_the_file() {
        let cases = [
            ("k: a {{ mark }} b", 1),
            ("k: \"tab\\t \\\" {{ mark }} b\"", 1),
            ("k: \"\\u00e9\\x41 {{ mark }}\"", 1),
            ("k: 'it''s {{ mark }} b'", 1),
            ("k: |\n  one\n    two\n\n  {{ mark }}\n", 5),
            ("k: |-\n\n  one {{ mark }}\n", 3),
            ("k: >-\n  one\n  two\n\n  three\n  {{ mark }} x\n", 6),
            ("k: plain one\n  two\n  {{ mark }} x\n", 3),
            ("k: \"one\n  two \\\n  {{ mark }} x\"\n", 3),
            ("k: 'one\n\n  {{ mark }} x'\n", 3),
        ];
        for (yaml, line) in cases {
            assert_eq!(mapped(yaml, "mark"), ("mark".to_owned(), line), "{yaml}");
        }
    }

    #[test]
    fn a_part_that_ends_inside_a_character_has_all_of_it() {
        for yaml in ["k: a é b", "k: |\n  a é b\n", "k: \"a \\u00e9 b\""] {
            let source: Arc<Source> = Source::new("t.yml", yaml);
            let value = parse_yaml_one(&source).expect("the YAML is right");
            let value = &value.as_map().expect("a mapping")["k"].value;
            let text = value.as_str().expect("text");
            let found = place(&value.span, text, 3..3);
            assert!(
                ["é", "\\u00e9"].contains(&found.text()),
                "{yaml}: {}",
                found.text()
            );
            assert!(place(&value.span, text, 2..99).text().len() >= 4, "{yaml}");
        }
    }

    #[test]
    fn text_without_a_file_has_the_place_of_the_whole() {
        let span = Span::synthetic("facts");
        assert_eq!(place(&span, "{{ x }}", 3..4).source().name(), "facts");
    }
}
