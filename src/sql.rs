//! Text of SQL for PostgreSQL; the one place that quotes for it.

/// Names longer than this are cut by the server, in bytes.
pub const LONGEST_NAME: usize = 63;

/// A name as PostgreSQL reads it back unchanged. NUL cannot be in one; it is dropped.
pub fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('\0', "").replace('"', "\"\""))
}

/// A text as PostgreSQL reads it back unchanged, whatever `standard_conforming_strings` says, and as psql takes it for one word, in
/// which it sees no variable and no command. NUL cannot be in one; it is dropped.
pub fn text(text: &str) -> String {
    let quoted = text.replace('\0', "").replace('\'', "''");
    match quoted.contains('\\') {
        true => format!(" E'{}'", quoted.replace('\\', "\\\\")),
        false => format!("'{quoted}'"),
    }
}

/// Texts between commas.
pub fn texts<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    items.into_iter().map(text).collect::<Vec<_>>().join(", ")
}

/// The connection string that names a database.
pub fn connection(database: &str) -> String {
    let quoted = database.replace('\\', "\\\\").replace('\'', "\\'");
    format!("dbname='{quoted}'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a server reads behind `E'`, `'` or `"`, by the rules of its lexer, and what is left behind the end.
    fn read(word: &str) -> Option<(String, &str)> {
        let word = word.trim_start();
        let (escapes, rest) = match word.strip_prefix('E') {
            Some(rest) => (true, rest),
            None => (false, word),
        };
        let mark = rest.chars().next()?;
        let mut chars = rest.char_indices().skip(1).peekable();
        let mut found = String::new();
        while let Some((at, char)) = chars.next() {
            if char == mark {
                match chars.peek() {
                    Some((_, next)) if *next == mark => chars.next(),
                    _ => return Some((found, &rest[at + 1..])),
                };
                found.push(mark);
            } else if char == '\\' && escapes {
                found.push(chars.next()?.1);
            } else {
                // Without `E`, a backslash means two things by two settings; there must be none.
                if char == '\\' && mark == '\'' {
                    return None;
                }
                found.push(char);
            }
        }
        None
    }

    proptest! {
        #[test]
        fn texts_are_read_back(words in "([^\0]|['\"\\\\]){0,12}") {
            let quoted = text(&words);
            prop_assert_eq!(read(&quoted), Some((words, "")));
        }

        #[test]
        fn names_are_read_back(words in "([^\0]|['\"\\\\]){0,12}") {
            let quoted = name(&words);
            prop_assert_eq!(read(&quoted), Some((words, "")));
        }
    }

    #[test]
    fn they_stay_readable() {
        assert_eq!(name("app"), "\"app\"");
        assert_eq!(name("a\"b"), "\"a\"\"b\"");
        assert_eq!(text("it's"), "'it''s'");
        assert_eq!(text("a\\'b"), " E'a\\\\''b'");
        assert_eq!(texts(["a", "b"]), "'a', 'b'");
        assert_eq!(connection("it's=\\"), "dbname='it\\'s=\\\\'");
    }
}
