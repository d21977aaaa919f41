//! JSON that a program printed: every value and key knows its place.

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use crate::value::{Entry, Kind, Map, Value};

/// Reads a text. It is checked whole first, so the places are sought in what is known to be right.
///
/// # Errors
/// What is no JSON, with its place. Values nested more than 127 deep are not read.
pub(super) fn read(source: &Arc<Source>) -> Result<Value, Box<Diagnostic>> {
    let text = source.text();
    if let Err(error) = serde_json::from_str::<serde_json::Value>(text) {
        let start = source.line_start(error.line()) as usize;
        let at = (start + error.column().saturating_sub(1)).min(text.len());
        // The column counts bytes, and may lie inside a character.
        let at = (0..=at).rev().find(|at| text.is_char_boundary(*at));
        let at = at.unwrap_or(0);
        let end = at + text[at..].chars().next().map_or(0, char::len_utf8);
        let said = error.to_string();
        let why = said.split(" at line ").next().unwrap_or(&said).to_owned();
        return Err(Box::new(
            Diagnostic::at(
                &Span::new(source, at as u32, end as u32),
                "this is not JSON",
            )
            .label(why),
        ));
    }
    let mut reader = Reader {
        source,
        bytes: text.as_bytes(),
        at: 0,
    };
    Ok(reader.value())
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        while self.next().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn next(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn span(&self, start: usize) -> Span {
        Span::new(self.source, start as u32, self.at as u32)
    }

    /// Goes on behind a `,` or `:`; false behind the end of a list or mapping, which is passed.
    fn goes_on(&mut self, end: u8) -> bool {
        self.blanks();
        match self.next() {
            Some(byte) if byte == end => {
                self.at += 1;
                false
            }
            Some(b',' | b':') => {
                self.at += 1;
                self.blanks();
                true
            }
            next => next.is_some(),
        }
    }

    fn value(&mut self) -> Value {
        self.blanks();
        let start = self.at;
        match self.next() {
            Some(b'{') => {
                self.at += 1;
                let mut map = Map::new();
                while self.goes_on(b'}') {
                    let from = self.at;
                    let name = self.string();
                    let key = self.span(from);
                    self.goes_on(b'}');
                    let value = self.value();
                    map.insert(name, Entry { key, value });
                }
                Value::new(Kind::Map(Arc::new(map)), &self.span(start))
            }
            Some(b'[') => {
                self.at += 1;
                let mut items = Vec::new();
                while self.goes_on(b']') {
                    items.push(self.value());
                }
                Value::new(Kind::List(Arc::new(items)), &self.span(start))
            }
            Some(b'"') => {
                let text = self.string();
                Value::new(Kind::Str(text), &self.span(start))
            }
            _ => {
                while self
                    .next()
                    .is_some_and(|byte| !byte.is_ascii_whitespace() && !b",]}:".contains(&byte))
                {
                    self.at += 1;
                }
                let span = self.span(start);
                let json = serde_json::from_str(span.text()).unwrap_or_default();
                Value::from_json(&json, &span)
            }
        }
    }

    fn string(&mut self) -> Arc<str> {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.next() {
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => self.at += 1,
                _ => {}
            }
        }
        let text: String = serde_json::from_str(self.span(start).text()).unwrap_or_default();
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_json_with_places() {
        let text = "{\"a\": [1, -2.5, true, null, \"\\ud83d\\ude00\\\"\"],\n \"b\" :{\"c\":{}, \"d\":[]}, \"e\": 99999999999999999999}\n";
        let source = Source::new("j", text);
        let value = read(&source).expect("good JSON");
        let json: serde_json::Value = serde_json::from_str(text).expect("good JSON");
        assert_eq!(value.to_json(), json);
        let map = value.as_map().expect("a mapping");
        assert_eq!(map["b"].key.text(), "\"b\"");
        assert_eq!(map["b"].value.as_map().expect("one")["c"].key.column(), 8);
        assert_eq!(
            map["a"].value.as_list().expect("a list")[1].span.text(),
            "-2.5"
        );
    }

    #[test]
    fn what_is_no_json_has_a_place() {
        for (text, place) in [
            ("", "j:1:1"),
            ("{\"a\": }", "j:1:7"),
            ("{\n\"é\": 'x'}", "j:2:6"),
            ("[1,\n", "j:2:1"),
            ("Traceback", "j:1:1"),
            ("{} x", "j:1:4"),
            ("[\"\\ud83d\"]", "j:1:"),
        ] {
            let fault = read(&Source::new("j", text)).expect_err(text);
            assert!(fault.one_line().starts_with(place), "{}", fault.one_line());
        }
        let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        assert!(read(&Source::new("j", deep)).is_err());
    }
}
