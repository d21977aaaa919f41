//! The parts of a template's text and the words in them, for what the engine does not tell.

use std::ops::Range;

use crate::value::{Kind, Value};

/// Whether any text in the value holds a template.
pub fn is_template(value: &Value) -> bool {
    match &value.kind {
        Kind::Str(text) => has_markers(text),
        Kind::List(items) => items.iter().any(is_template),
        Kind::Map(map) => map.values().any(|entry| is_template(&entry.value)),
        _ => false,
    }
}

/// Whether a text holds `{{`, `{%` or `{#`.
pub(super) fn has_markers(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == b'{') {
        at += found + 1;
        if matches!(bytes.get(at), Some(b'{' | b'%' | b'#')) {
            return true;
        }
    }
    false
}

/// The six markers in the order of `RenderOptions`: expression, block, comment, each begin and end.
pub(super) type Markers<'a> = [&'a str; 6];

/// Jinja's own markers.
pub(super) const MARKERS: Markers<'static> = ["{{", "}}", "{%", "%}", "{#", "#}"];

/// What a part of a template is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Text that is copied, raw blocks among it.
    Data,
    /// `{{ }}`.
    Expression,
    /// `{% %}`.
    Block,
    /// `{# #}`.
    Comment,
}

/// A part of a template.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// What it is.
    pub part: Part,
    /// All of it.
    pub outer: Range<usize>,
    /// Without its markers and the `-` or `+` beside them.
    pub inner: Range<usize>,
    /// Whether its end marker is there.
    pub closed: bool,
}

/// Splits a template into its parts.
pub(super) fn pieces(text: &str, markers: &Markers<'_>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    // Where each begin marker stands next, looked for anew only behind the last one: most texts hold no comment, and are gone through once.
    let mut ahead = [0, 2, 4].map(|index| text.find(markers[index]));
    while at < text.len() {
        let next = [(Part::Expression, 0), (Part::Block, 2), (Part::Comment, 4)]
            .into_iter()
            .zip(&mut ahead)
            .filter_map(|((part, index), ahead)| {
                if ahead.is_some_and(|found| found < at) {
                    *ahead = text[at..].find(markers[index]).map(|found| at + found);
                }
                ahead.map(|found| (found, part, index))
            })
            .min_by_key(|(found, _, index)| (*found, std::cmp::Reverse(markers[*index].len())));
        let Some((start, part, index)) = next else {
            break;
        };
        if start > at {
            pieces.push(data(at..start));
        }
        let piece = piece(text, start, part, markers[index], markers[index + 1]);
        at = piece.outer.end;
        let raw = piece.part == Part::Block && text[piece.inner.clone()].trim() == "raw";
        pieces.push(piece);
        if raw {
            let end = raw_end(text, at, markers);
            pieces.push(data(at..end));
            at = end;
        }
    }
    if at < text.len() {
        pieces.push(data(at..text.len()));
    }
    pieces
}

fn data(range: Range<usize>) -> Piece {
    Piece {
        part: Part::Data,
        inner: range.clone(),
        outer: range,
        closed: true,
    }
}

fn piece(text: &str, start: usize, part: Part, begin: &str, end: &str) -> Piece {
    let mut inner = start + begin.len();
    if text[inner..].starts_with(['-', '+']) {
        inner += 1;
    }
    let found = if part == Part::Comment {
        text[inner..].find(end).map(|found| inner + found)
    } else {
        closing(text, inner, end)
    };
    let (stop, outer_end, closed) = match found {
        Some(found) => (found, found + end.len(), true),
        None => (text.len(), text.len(), false),
    };
    let mut inner_end = stop;
    if inner_end > inner && text[inner..inner_end].ends_with(['-', '+']) {
        inner_end -= 1;
    }
    Piece {
        part,
        outer: start..outer_end,
        inner: inner..inner_end.max(inner),
        closed,
    }
}

/// Where the end marker stands, quotes and brackets respected.
fn closing(text: &str, from: usize, end: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    let mut depth = 0usize;
    while at < bytes.len() {
        if depth == 0 && bytes[at..].starts_with(end.as_bytes()) {
            return Some(at);
        }
        match bytes[at] {
            b'"' | b'\'' => at = string_end(bytes, at),
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    // Brackets that do not match: the first end marker, so that the engine says what is wrong.
    text[from..].find(end).map(|found| from + found)
}

/// The index of the quote that closes the string opened at `at`, or of the last byte.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let quote = bytes[at];
    let mut index = at + 1;
    while index < bytes.len() {
        match bytes[index] {
            b'\\' => index += 1,
            byte if byte == quote => return index,
            _ => {}
        }
        index += 1;
    }
    bytes.len().saturating_sub(1)
}

fn raw_end(text: &str, from: usize, markers: &Markers<'_>) -> usize {
    let mut at = from;
    while let Some(found) = text[at..].find(markers[2]) {
        let start = at + found;
        let word = text[start + markers[2].len()..].trim_start_matches(['-', '+', ' ', '\t', '\n']);
        if word.starts_with("endraw") {
            return start;
        }
        at = start + markers[2].len();
    }
    text.len()
}

/// What a word of an expression is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// A name or keyword.
    Name,
    /// A quoted string.
    Text,
    /// A number.
    Number,
    /// An operator or bracket, one or two characters.
    Sign,
}

/// A word of an expression.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// What it is.
    pub word: Word,
    /// Where it stands in the whole text.
    pub range: Range<usize>,
}

impl Token {
    /// Its spelling.
    pub(super) fn of<'t>(&self, text: &'t str) -> &'t str {
        &text[self.range.clone()]
    }
}

/// The words of an expression or block.
pub(super) fn tokens(text: &str, range: Range<usize>) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let start = at;
        let byte = bytes[at];
        let word = if byte.is_ascii_whitespace() {
            at += 1;
            continue;
        } else if byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80 {
            while at < range.end
                && (bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_' || bytes[at] >= 0x80)
            {
                at += 1;
            }
            Word::Name
        } else if byte.is_ascii_digit() {
            while at < range.end
                && (bytes[at].is_ascii_alphanumeric()
                    || bytes[at] == b'_'
                    || bytes[at] == b'.' && bytes.get(at + 1).is_some_and(u8::is_ascii_digit))
            {
                at += 1;
            }
            Word::Number
        } else if matches!(byte, b'"' | b'\'') {
            at = (string_end(bytes, at) + 1).min(range.end);
            Word::Text
        } else {
            let two = &text.as_bytes()[at..(at + 2).min(range.end)];
            at += if matches!(two, b"==" | b"!=" | b"<=" | b">=" | b"//" | b"**") {
                2
            } else {
                1
            };
            Word::Sign
        };
        tokens.push(Token {
            word,
            range: start..at,
        });
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::chain::{chains, guarded};

    fn shapes(text: &str) -> Vec<(Part, &str)> {
        pieces(text, &MARKERS)
            .into_iter()
            .map(|piece| (piece.part, &text[piece.inner]))
            .collect()
    }

    #[test]
    fn parts_end_where_the_engine_ends_them() {
        assert_eq!(
            shapes("a {{- '}}' -}}{% if x %}{# {{ #}{% raw %}{{ y }}{% endraw %}"),
            [
                (Part::Data, "a "),
                (Part::Expression, " '}}' "),
                (Part::Block, " if x "),
                (Part::Comment, " {{ "),
                (Part::Block, " raw "),
                (Part::Data, "{{ y }}"),
                (Part::Block, " endraw "),
            ]
        );
        assert_eq!(
            shapes("{{ {'a': {'b': 1}} }}"),
            [(Part::Expression, " {'a': {'b': 1}} ")]
        );
        assert!(!pieces("{{ x", &MARKERS)[0].closed);
    }

    #[test]
    fn a_long_text_is_gone_through_once() {
        let text = "{{ x }}".repeat(40_000);
        assert_eq!(pieces(&text, &MARKERS).len(), 40_000);
    }

    #[test]
    fn chains_are_roots_with_their_links() {
        let text = "a.b['c'] | d(x) is not defined and f(y=z.w)[0]";
        let tokens = tokens(text, 0..text.len());
        let found: Vec<(&str, usize, bool)> = chains(text, &tokens)
            .iter()
            .map(|chain| {
                (
                    tokens[chain.root].of(text),
                    chain.links.len(),
                    guarded(text, &tokens, chain.end),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("a", 2, true),
                ("x", 0, false),
                ("f", 0, false),
                ("z", 1, false)
            ]
        );
    }
}
