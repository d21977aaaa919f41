//! Python literals: Ansible reads the values of an INI inventory with `ast.literal_eval`, and takes what that refuses as text.

use std::sync::Arc;

use crate::source::Span;
use crate::value::{Entry, Kind, Map, Value};

/// Brackets inside brackets, at most; deeper ones are text.
const MAX_DEPTH: usize = 100;

/// The value that `text` spells: a literal, else the text itself. All its parts have the one place.
///
/// Whole numbers beyond 64 bits and complex numbers stay text; a set becomes a list, as Ansible makes it one.
pub(super) fn read(text: &str, span: &Span) -> Value {
    let mut reader = Reader {
        text: text.trim_start_matches([' ', '\t']),
        at: 0,
        span,
    };
    let kind = reader.whole().unwrap_or_else(|| Kind::Str(text.into()));
    Value::new(kind, span)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    span: &'a Span,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\u{c}')) {
            self.at += 1;
        }
    }

    fn value(&self, kind: Kind) -> Value {
        Value::new(kind, self.span)
    }

    /// Everything, up to a comment behind it.
    fn whole(&mut self) -> Option<Kind> {
        let first = self.one(0)?;
        let mut items = vec![self.value(first.clone())];
        let mut is_tuple = false;
        loop {
            self.blanks();
            match self.peek() {
                None | Some('#') => break,
                Some(',') => {
                    self.at += 1;
                    is_tuple = true;
                    self.blanks();
                    if matches!(self.peek(), None | Some('#')) {
                        break;
                    }
                    let kind = self.one(0)?;
                    items.push(self.value(kind));
                }
                Some(_) => return None,
            }
        }
        Some(match is_tuple {
            true => Kind::List(Arc::new(items)),
            false => first,
        })
    }

    fn one(&mut self, depth: usize) -> Option<Kind> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.blanks();
        match self.peek()? {
            '(' => self.tuple(depth),
            '[' => {
                self.at += 1;
                let (items, _) = self.items(']', depth)?;
                Some(Kind::List(Arc::new(items)))
            }
            '{' => self.braces(depth),
            '\'' | '"' => self.strings(),
            '+' | '-' => {
                let minus = self.peek() == Some('-');
                self.at += 1;
                self.blanks();
                self.number(minus)
            }
            '.' if self.rest().starts_with("...") => {
                self.at += 3;
                Some(Kind::Str("...".into()))
            }
            first if first.is_ascii_digit() || first == '.' => self.number(false),
            _ => self.word(),
        }
    }

    fn tuple(&mut self, depth: usize) -> Option<Kind> {
        self.at += 1;
        let (mut items, commas) = self.items(')', depth)?;
        if items.len() == 1 && commas == 0 {
            return items.pop().map(|item| item.kind);
        }
        Some(Kind::List(Arc::new(items)))
    }

    /// The items up to `close`, and how many commas stood among them.
    fn items(&mut self, close: char, depth: usize) -> Option<(Vec<Value>, usize)> {
        let mut items = Vec::new();
        let mut commas = 0;
        loop {
            self.blanks();
            if self.take(close) {
                return Some((items, commas));
            }
            if items.len() != commas {
                return None;
            }
            let kind = self.one(depth + 1)?;
            items.push(self.value(kind));
            self.blanks();
            if self.take(',') {
                commas += 1;
            }
        }
    }

    /// A dictionary or a set.
    fn braces(&mut self, depth: usize) -> Option<Kind> {
        self.at += 1;
        let mut map = Map::new();
        let mut set: Vec<Value> = Vec::new();
        let mut ready = true;
        loop {
            self.blanks();
            if self.take('}') {
                break;
            }
            if !ready {
                return None;
            }
            let key = self.one(depth + 1)?;
            self.blanks();
            if self.take(':') {
                let value = self.one(depth + 1)?;
                let entry = Entry {
                    key: self.span.clone(),
                    value: self.value(value),
                };
                map.insert(key_text(&key)?, entry);
            } else {
                // Python refuses these in a set.
                if matches!(key, Kind::List(_) | Kind::Map(_)) {
                    return None;
                }
                let value = self.value(key);
                if !set.contains(&value) {
                    set.push(value);
                }
            }
            self.blanks();
            ready = self.take(',');
        }
        match (map.is_empty(), set.is_empty()) {
            (_, true) => Some(Kind::Map(Arc::new(map))),
            (true, false) => Some(Kind::List(Arc::new(set))),
            (false, false) => None,
        }
    }

    fn word(&mut self) -> Option<Kind> {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        if behind.starts_with(['\'', '"']) {
            return self.strings();
        }
        let kind = match word {
            "True" => Kind::Bool(true),
            "False" => Kind::Bool(false),
            "None" => Kind::Null,
            "set" => {
                self.at += end;
                self.blanks();
                let opened = self.take('(');
                self.blanks();
                let closed = self.take(')');
                return (opened && closed).then(|| Kind::List(Arc::default()));
            }
            _ => return None,
        };
        self.at += end;
        Some(kind)
    }

    /// Strings that stand behind one another are one.
    fn strings(&mut self) -> Option<Kind> {
        let mut bytes = Vec::new();
        let mut of_bytes = None;
        loop {
            let prefix: String = self
                .rest()
                .chars()
                .take_while(char::is_ascii_alphabetic)
                .collect();
            if !self.rest()[prefix.len()..].starts_with(['\'', '"']) {
                break;
            }
            let (raw, is_bytes) = match prefix.to_ascii_lowercase().as_str() {
                "" | "u" => (false, false),
                "r" => (true, false),
                "b" => (false, true),
                "br" | "rb" => (true, true),
                _ => return None,
            };
            if of_bytes
                .replace(is_bytes)
                .is_some_and(|was| was != is_bytes)
            {
                return None;
            }
            self.at += prefix.len();
            self.string(raw, is_bytes, &mut bytes)?;
            self.blanks();
        }
        of_bytes?;
        String::from_utf8(bytes)
            .ok()
            .map(|text| Kind::Str(text.into()))
    }

    fn string(&mut self, raw: bool, is_bytes: bool, into: &mut Vec<u8>) -> Option<()> {
        let quote = self.peek()?;
        let triple: String = std::iter::repeat_n(quote, 3).collect();
        let end = match self.rest().starts_with(&triple) {
            true => triple,
            false => quote.to_string(),
        };
        self.at += end.len();
        loop {
            if self.rest().starts_with(&end) {
                self.at += end.len();
                return Some(());
            }
            let next = self.peek()?;
            if is_bytes && !next.is_ascii() {
                return None;
            }
            self.at += next.len_utf8();
            let mut push = |c: char| into.extend(c.encode_utf8(&mut [0; 4]).bytes());
            match next {
                '\\' if raw => {
                    // The backslash stays, and what it stands before ends nothing.
                    let behind = self.peek()?;
                    self.at += behind.len_utf8();
                    push('\\');
                    push(behind);
                }
                '\\' => self.escape(is_bytes, into)?,
                next => push(next),
            }
        }
    }

    fn escape(&mut self, is_bytes: bool, into: &mut Vec<u8>) -> Option<()> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        let code = match next {
            '\\' | '\'' | '"' => next as u32,
            'a' => 7,
            'b' => 8,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'v' => 11,
            '0'..='7' => {
                let digits = self
                    .rest()
                    .chars()
                    .take(2)
                    .take_while(|c| c.is_digit(8))
                    .count();
                self.at += digits;
                u32::from_str_radix(&self.text[self.at - digits - 1..self.at], 8).ok()?
            }
            'x' => self.hex(2)?,
            'u' if !is_bytes => self.hex(4)?,
            'U' if !is_bytes => self.hex(8)?,
            // By name: not among what inventories hold.
            'N' if !is_bytes => return None,
            other => {
                into.push(b'\\');
                other as u32
            }
        };
        if is_bytes && code < 256 {
            into.push(code as u8);
            return Some(());
        }
        let c = char::from_u32(code)?;
        into.extend(c.encode_utf8(&mut [0; 4]).bytes());
        Some(())
    }

    fn hex(&mut self, length: usize) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + length)?;
        let all = digits.chars().all(|c| c.is_ascii_hexdigit());
        self.at += length;
        all.then(|| u32::from_str_radix(digits, 16).ok())?
    }

    fn number(&mut self, minus: bool) -> Option<Kind> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let mut end = 0;
        while let Some(byte) = bytes.get(end) {
            let exponent = end > 0
                && matches!(bytes[end - 1], b'e' | b'E')
                && !rest.starts_with("0x")
                && !rest.starts_with("0X");
            let part = byte.is_ascii_alphanumeric()
                || matches!(byte, b'_' | b'.')
                || (exponent && matches!(byte, b'+' | b'-'));
            if !part {
                break;
            }
            end += 1;
        }
        let word = &rest[..end];
        // Underscores part digits from digits.
        let parts = word.split('_').collect::<Vec<_>>();
        let inner = |part: &&str, first: bool| {
            let before = first || part.starts_with(|c: char| c.is_ascii_hexdigit());
            before && !part.is_empty()
        };
        if !parts
            .iter()
            .enumerate()
            .all(|(at, part)| inner(part, at == 0))
        {
            return None;
        }
        let plain = word.replace('_', "");
        let kind = whole(&plain, minus).or_else(|| broken(&plain, minus))?;
        self.at += end;
        Some(kind)
    }
}

/// A key of a dictionary, as the text Python gives it.
fn key_text(key: &Kind) -> Option<Arc<str>> {
    Some(match key {
        Kind::Str(text) => text.clone(),
        Kind::Int(number) => number.to_string().into(),
        Kind::Bool(true) => "True".into(),
        Kind::Bool(false) => "False".into(),
        Kind::Float(number) => format!("{number:?}").into(),
        Kind::Null | Kind::List(_) | Kind::Map(_) => return None,
    })
}

fn whole(text: &str, minus: bool) -> Option<Kind> {
    let lower = text.to_ascii_lowercase();
    let (digits, base) = match lower.get(..2) {
        Some("0x") => (&lower[2..], 16),
        Some("0o") => (&lower[2..], 8),
        Some("0b") => (&lower[2..], 2),
        _ => (lower.as_str(), 10),
    };
    // `0644` is no number in Python, `00` is.
    let zeros = digits.chars().all(|c| c == '0');
    if base == 10 && digits.len() > 1 && digits.starts_with('0') && !zeros {
        return None;
    }
    let plain = digits.chars().all(|c| c.is_ascii_alphanumeric());
    let number = i128::from_str_radix(digits, base).ok().filter(|_| plain)?;
    i64::try_from(if minus { -number } else { number })
        .ok()
        .map(Kind::Int)
}

fn broken(text: &str, minus: bool) -> Option<Kind> {
    let is_float = text.contains(['.', 'e', 'E'])
        && text.contains(|c: char| c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    let number: f64 = is_float.then(|| text.parse().ok())??;
    Some(Kind::Float(if minus { -number } else { number }))
}

#[cfg(test)]
mod tests;
