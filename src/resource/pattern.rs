//! Python's regular expressions, as Ansible's users write them, on a linear-time engine.

use regex::bytes::{Captures, Regex};

use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// Reads a Python pattern. What the engine has not (look-around, references inside the pattern) is said at `place`.
pub fn compile(pattern: &str, place: &Span) -> Result<Regex, Diagnostic> {
    compile_with("", pattern, place)
}

/// The same with flags before it, such as `(?m)`.
pub fn compile_with(flags: &str, pattern: &str, place: &Span) -> Result<Regex, Diagnostic> {
    Regex::new(&format!("{flags}{}", translate(pattern))).map_err(|error| {
        let text = error.to_string();
        let reason = text
            .lines()
            .last()
            .unwrap_or_default()
            .trim_start_matches("error: ")
            .to_owned();
        let foreign = ["look-around", "backreferences"]
            .iter()
            .any(|word| reason.contains(word));
        let fault = Diagnostic::at(place, "this regular expression cannot be used").label(reason);
        if foreign {
            fault.help("look-around and references like `\\1` inside a pattern are not supported; match the whole text and repeat what stays by its groups")
        } else {
            fault.help("patterns are Python's; write a literal special character with a backslash")
        }
    })
}

/// Spells the few things differently that Python and the engine read differently.
fn translate(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut chars = pattern.char_indices().peekable();
    let mut class = false;
    let mut class_start = 0;
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some((_, 'Z')) => text.push_str("\\z"),
                Some((_, c @ ('<' | '>' | ' ' | '"' | '\'' | '/' | '%' | '@' | '!' | '='))) => {
                    text.push(c);
                }
                Some((_, c)) => text.extend(['\\', c]),
                None => text.push('\\'),
            },
            '[' if !class => {
                class = true;
                class_start = at + 1;
                text.push('[');
                if let Some((_, '^')) = chars.peek() {
                    chars.next();
                    class_start += 1;
                    text.push('^');
                }
            }
            // In Python a class holds no class.
            '[' | '&' | '~' if class => text.extend(['\\', c]),
            ']' if class && at > class_start => {
                class = false;
                text.push(']');
            }
            '{' if !class && !is_count(&pattern[at..]) => text.push_str("\\{"),
            c => text.push(c),
        }
    }
    text
}

/// Whether `{` begins a count such as `{2,}`.
fn is_count(text: &str) -> bool {
    let Some(end) = text.find('}') else {
        return false;
    };
    let inner = &text[1..end];
    !inner.is_empty() && inner != "," && inner.chars().all(|c| c.is_ascii_digit() || c == ',')
}

/// A replacement with references to groups: `\1`, `\g<name>`.
#[derive(Debug, Clone)]
pub struct Replacement {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Number(usize),
    Name(String),
}

impl Replacement {
    /// Reads the text as Python's `expand` does; groups must be those of `regex`.
    pub fn read(text: &str, regex: &Regex, place: &Span) -> Result<Replacement, Diagnostic> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if c != '\\' {
                literal.push(c);
                continue;
            }
            let piece = match chars.next() {
                Some(digit @ '1'..='9') => {
                    let mut number = digit.to_digit(10).unwrap_or_default() as usize;
                    if let Some(second) = chars.peek().and_then(|c| c.to_digit(10)) {
                        number = number * 10 + second as usize;
                        chars.next();
                    }
                    Piece::Number(number)
                }
                Some('g') => {
                    let rest: String = chars.by_ref().take_while(|c| *c != '>').collect();
                    let name = rest.strip_prefix('<').unwrap_or_default();
                    match name.parse() {
                        Ok(number) => Piece::Number(number),
                        Err(_) => Piece::Name(name.to_owned()),
                    }
                }
                Some('n') => Piece::Text("\n".to_owned()),
                Some('t') => Piece::Text("\t".to_owned()),
                Some('r') => Piece::Text("\r".to_owned()),
                Some('\\') => Piece::Text("\\".to_owned()),
                Some(c) if !c.is_ascii_alphanumeric() => Piece::Text(format!("\\{c}")),
                other => {
                    let what: String = other.into_iter().collect();
                    return Err(Diagnostic::at(
                        place,
                        format!("`\\{what}` means nothing in a replacement"),
                    )
                    .help("write a backslash as `\\\\`, a group as `\\1` or `\\g<name>`"));
                }
            };
            let known = match &piece {
                Piece::Text(_) => true,
                Piece::Number(number) => *number < regex.captures_len(),
                Piece::Name(name) => regex.capture_names().flatten().any(|known| known == name),
            };
            if !known {
                return Err(Diagnostic::at(
                    place,
                    "this names a group that `regexp` does not have",
                )
                .help("groups are numbered from 1 by their opening brackets"));
            }
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal)));
            }
            pieces.push(piece);
        }
        pieces.push(Piece::Text(literal));
        Ok(Replacement { pieces })
    }

    /// The text for a match; a group that took no part is empty.
    pub fn expand(&self, captures: &Captures) -> Vec<u8> {
        let mut text = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(piece) => text.extend_from_slice(piece.as_bytes()),
                Piece::Number(number) => {
                    text.extend_from_slice(
                        captures.get(*number).map_or(&[], |found| found.as_bytes()),
                    );
                }
                Piece::Name(name) => {
                    text.extend_from_slice(
                        captures.name(name).map_or(&[], |found| found.as_bytes()),
                    );
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Span {
        Span::synthetic("test")
    }

    fn matches(pattern: &str, text: &str) -> bool {
        compile(pattern, &place())
            .expect("a pattern")
            .is_match(text.as_bytes())
    }

    #[test]
    fn what_python_reads_differently() {
        assert!(matches(r"^\s*#?\s*Port\b", "#Port 22"));
        assert!(matches(r"a\Z", "a"));
        assert!(matches("[[]x", "[x"));
        assert!(matches("[]x]", "]"));
        assert!(matches("[^]x]", "a"));
        assert!(matches(r"\<b\>", "<b>"));
        assert!(matches("${HOME}".trim_start_matches('$'), "{HOME}"));
        assert!(matches("a{2}", "aa"));
        assert!(matches("[a&&b]", "&"));
        assert!(matches(r"\/etc\/\-\_", "/etc/-_"));
    }

    #[test]
    fn what_the_engine_has_not_is_said() {
        for pattern in ["a(?=b)", r"(a)\1", "("] {
            let fault = compile(pattern, &place()).expect_err("no pattern");
            assert!(fault.label.is_some(), "{pattern}");
        }
    }

    #[test]
    fn groups_are_expanded() {
        let regex = compile(r"^(?P<key>\w+)=(\d+)?", &place()).expect("a pattern");
        let captures = regex.captures(b"max=7").expect("a match");
        let line = |text| Replacement::read(text, &regex, &place());
        let expand = |text| line(text).expect("a line").expand(&captures);
        assert_eq!(expand(r"\g<key> \2\\ \g<2>"), br"max 7\ 7");
        assert!(line(r"\3").is_err());
        assert!(line(r"\q").is_err());
        assert!(line(r"\g<no>").is_err());
    }
}
