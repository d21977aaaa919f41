//! Parameters written as text: `command: ls -l creates=/x` and `apt: name=nginx state=present`.

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::name::is_identifier;
use crate::resource::Kind;
use crate::source::Span;
use crate::value::{Entry, Map, Value, place};

/// The `key=value` words that Ansible takes out of a command; every other such word belongs to the command.
const COMMAND_KEYS: &[&str] = &[
    "creates",
    "removes",
    "chdir",
    "executable",
    "stdin",
    "stdin_add_newline",
    "strip_empty_ends",
];

/// Splits a command from the parameters among its words. What is left of the text is kept as it was written.
pub(super) fn command(kind: &'static Kind, parameter: &str, text: &str, span: &Span) -> Map {
    let mut map = Map::new();
    let mut rest = String::new();
    let mut kept = 0;
    for range in words(text) {
        let word = &text[range.clone()];
        let Some((key, value)) = word.split_once('=') else {
            continue;
        };
        let known = kind.params.iter().any(|param| param.name == key);
        if !COMMAND_KEYS.contains(&key) || !known {
            continue;
        }
        rest.push_str(&text[kept..range.start]);
        kept = range.end;
        insert(&mut map, key, value, text, &range, span);
    }
    rest.push_str(&text[kept..]);
    let rest = rest.trim();
    if !rest.is_empty() {
        let entry = Entry {
            key: span.clone(),
            value: Value::str(rest, span),
        };
        map.insert(parameter.into(), entry);
    }
    map
}

/// Text that is nothing but `key=value` words.
pub(super) fn key_values(
    kind: &'static Kind,
    text: &str,
    span: &Span,
) -> Result<Map, Vec<Diagnostic>> {
    let mut map = Map::new();
    let mut faults = Vec::new();
    for range in words(text) {
        let word = &text[range.clone()];
        let spot = place(span, text, range.clone());
        match word.split_once('=') {
            Some((key, _)) if map.contains_key(key) => {
                faults.push(Diagnostic::at(&spot, format!("`{key}` is given twice")));
            }
            Some((key, value)) if is_identifier(key) => {
                insert(&mut map, key, value, text, &range, span);
            }
            _ => faults.push(
                Diagnostic::at(
                    &spot,
                    format!("`{}` takes no text such as `{word}`", kind.name),
                )
                .help("write its parameters as a mapping below it, or as `key=value` words"),
            ),
        }
    }
    if faults.is_empty() {
        Ok(map)
    } else {
        Err(faults)
    }
}

fn insert(map: &mut Map, key: &str, value: &str, text: &str, range: &Range<usize>, span: &Span) {
    let equals = range.start + key.len();
    let entry = Entry {
        key: place(span, text, range.start..equals),
        value: Value::str(unquote(value), &place(span, text, equals + 1..range.end)),
    };
    map.insert(Arc::from(key), entry);
}

fn unquote(text: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = text
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
        {
            return inner;
        }
    }
    text
}

/// Byte ranges of the words: white space parts them, but not in quotes and not in templates.
fn words(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut depth = 0usize;
    let mut at = 0;
    while at < bytes.len() {
        let pair = bytes.get(at..at + 2);
        let byte = bytes[at];
        if byte.is_ascii_whitespace() && quote.is_none() && depth == 0 {
            if let Some(start) = start.take() {
                words.push(start..at);
            }
            at += 1;
            continue;
        }
        start.get_or_insert(at);
        match (pair, quote) {
            (Some(b"{{" | b"{%" | b"{#"), _) => {
                depth += 1;
                at += 1;
            }
            (Some(b"}}" | b"%}" | b"#}"), _) if depth > 0 => {
                depth -= 1;
                at += 1;
            }
            _ if depth > 0 => {}
            _ if byte == b'\\' && quote != Some(b'\'') => at += 1,
            (_, Some(open)) if byte == open => quote = None,
            (_, None) if byte == b'"' || byte == b'\'' => quote = Some(byte),
            _ => {}
        }
        at += 1;
    }
    if let Some(start) = start {
        words.push(start..bytes.len());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn words_respect_quotes_templates_and_backslashes() {
        let split = |text: &'static str| -> Vec<&str> {
            words(text).into_iter().map(|range| &text[range]).collect()
        };
        assert_eq!(split("a  'b c' d"), ["a", "'b c'", "d"]);
        assert_eq!(split("x={{ a | b }} y"), ["x={{ a | b }}", "y"]);
        assert_eq!(split("a\\ b \"c\\\" d\""), ["a\\ b", "\"c\\\" d\""]);
        assert_eq!(split("it's open"), ["it's open"]);
        assert_eq!(split("{{ a }"), ["{{ a }"]);
        assert_eq!(split("ö=1 \\"), ["ö=1", "\\"]);
    }

    #[test]
    fn parts_of_the_text_know_their_place() {
        let text = "- command: ls creates=/x\n";
        let source = Source::new("a.yml", text);
        let span = Span::new(&source, 11, 24);
        let range = 3..13;
        let mut map = Map::new();
        insert(&mut map, "creates", "/x", "ls creates=/x", &range, &span);
        assert_eq!(map["creates"].key.text(), "creates");
        assert_eq!(map["creates"].value.span.text(), "/x");
    }
}
