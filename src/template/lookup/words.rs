//! Terms of the older spelling, `key=value` behind words.

use minijinja::Error;

use crate::diagnostic::nearest;
use crate::template::convert::fault;

/// The words of a term that set nothing, and what the others set.
pub(super) struct Words {
    /// Joined by blanks.
    pub plain: String,
    /// In order.
    pub set: Vec<(String, String)>,
}

/// Reads `a b key=value other='x y'`; only some keys set something.
pub(super) fn read(term: &str, keys: &[&str]) -> Result<Words, Error> {
    let mut words = Words {
        plain: String::new(),
        set: Vec::new(),
    };
    for word in split(term) {
        let set = word.split_once('=').filter(|(key, _)| {
            !key.is_empty()
                && key
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        });
        let Some((key, value)) = set else {
            if !words.plain.is_empty() {
                words.plain.push(' ');
            }
            words.plain.push_str(&unquoted(&word));
            continue;
        };
        if !keys.contains(&key) {
            return Err(fault(match nearest(key, keys.iter().copied()) {
                Some(near) => format!("no option `{key}`; did you mean `{near}`?"),
                None => format!("no option `{key}`; there are {}", keys.join(", ")),
            }));
        }
        words.set.push((key.to_owned(), unquoted(value)));
    }
    Ok(words)
}

/// Words between blanks, which quotes hold together.
fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut open = String::new();
    let mut quote = None;
    for c in text.chars() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(mark)) if c == mark => quote = None,
            (c, None) if c.is_whitespace() => {
                if !open.is_empty() {
                    words.push(std::mem::take(&mut open));
                }
                continue;
            }
            _ => {}
        }
        open.push(c);
    }
    if !open.is_empty() {
        words.push(open);
    }
    words
}

fn unquoted(text: &str) -> String {
    let inside = |mark| {
        text.strip_prefix(mark)
            .and_then(|text: &str| text.strip_suffix(mark))
    };
    inside('"')
        .or_else(|| inside('\''))
        .unwrap_or(text)
        .to_owned()
}
