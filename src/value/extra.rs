//! Variables given on the command line with `-e`.

use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

use super::{Entry, Kind, Map, Value, parse_yaml_one};

/// Reads `-e` text that names no file: `key=value` words with quotes as in a shell, all values text, or a mapping in JSON
/// or YAML when it begins with `{`.
pub fn parse_extra(text: &str) -> Result<Map, Vec<Diagnostic>> {
    let source = Source::new("<command line>", text);
    if text.trim_start().starts_with(['{', '[']) {
        let value = parse_yaml_one(&source)?;
        return match value.kind {
            Kind::Map(map) => Ok(map.as_ref().clone()),
            _ => Err(vec![
                Diagnostic::at(&value.span, "`-e` needs a mapping of variables")
                    .help("write {\"name\": \"value\"}"),
            ]),
        };
    }
    let mut map = Map::new();
    let mut faults = Vec::new();
    for word in words(text) {
        let span = Span::new(&source, word.start as u32, word.end as u32);
        if !word.closed {
            faults.push(
                Diagnostic::at(&span, "a quote is opened and not closed").help("close the quote"),
            );
            continue;
        }
        match word.text.split_once('=') {
            Some((name, value)) if is_name(name) => {
                let key = Span::new(&source, word.start as u32, (word.start + name.len()) as u32);
                let value = Value::str(value, &span);
                map.insert(name.into(), Entry { key, value });
            }
            Some((name, _)) => faults.push(
                Diagnostic::at(&span, format!("`{name}` is not a variable name"))
                    .help("names are letters, digits and underscores, and begin with no digit"),
            ),
            None => faults.push(
                Diagnostic::at(&span, format!("`{}` is not `name=value`", word.text))
                    .help("write -e name=value, -e '{\"name\": 1}' or -e @file"),
            ),
        }
    }
    if faults.is_empty() {
        Ok(map)
    } else {
        Err(faults)
    }
}

struct Word {
    text: String,
    start: usize,
    end: usize,
    closed: bool,
}

fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut open: Option<Word> = None;
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((at, next)) = chars.next() {
        if quote.is_none() && next.is_whitespace() {
            words.extend(open.take());
            continue;
        }
        let word = open.get_or_insert_with(|| Word {
            text: String::new(),
            start: at,
            end: at,
            closed: true,
        });
        match (quote, next) {
            (None, '"' | '\'') => quote = Some(next),
            (Some(opened), _) if opened == next => quote = None,
            (None | Some('"'), '\\') => match chars.next() {
                Some((_, escaped)) => {
                    if quote.is_some() && !matches!(escaped, '"' | '\\') {
                        word.text.push('\\');
                    }
                    word.text.push(escaped);
                }
                None => word.text.push('\\'),
            },
            _ => word.text.push(next),
        }
        word.end = chars.offset();
        word.closed = quote.is_none();
    }
    words.extend(open);
    words
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        match parse_extra(text) {
            Ok(map) => {
                let map: serde_json::Map<_, _> = map
                    .iter()
                    .map(|(key, entry)| (key.to_string(), entry.value.to_json()))
                    .collect();
                serde_json::to_string(&map).expect("JSON")
            }
            Err(faults) => faults[0].one_line(),
        }
    }

    #[test]
    fn words_with_shell_quotes_are_text() {
        let cases = [
            ("a=1 b=two", r#"{"a":"1","b":"two"}"#),
            ("a='x y' b=\"it's\"", r#"{"a":"x y","b":"it's"}"#),
            ("a=x\\ y", r#"{"a":"x y"}"#),
            ("a=", r#"{"a":""}"#),
            ("a=b=c", r#"{"a":"b=c"}"#),
            ("a='{{ x }}'", r#"{"a":"{{ x }}"}"#),
            (r#"{"a": 1, "b": [true]}"#, r#"{"a":1,"b":[true]}"#),
            ("{a: yes}", r#"{"a":true}"#),
            ("", "{}"),
        ];
        for (text, expected) in cases {
            assert_eq!(json(text), expected, "{text}");
        }
    }

    #[test]
    fn wrong_words_are_named() {
        assert_eq!(json("a=1 b"), "<command line>:1:5: `b` is not `name=value`");
        assert!(json("1a=2").contains("`1a` is not a variable name"));
        assert!(json("a='x").contains("quote is opened"));
        assert!(json("[1]").contains("needs a mapping"));
    }
}
