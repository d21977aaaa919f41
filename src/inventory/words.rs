//! The words of a host's line in an INI inventory: quotes, backslashes and comments as Python's `shlex.split(line, comments=True)` reads them.

/// One word, and where it stands in the line.
pub(super) struct Word {
    /// Without its quotes.
    pub(super) text: String,
    /// Its first byte.
    pub(super) start: usize,
    /// The byte behind its last.
    pub(super) end: usize,
}

/// What is wrong with a line, and at which byte.
pub(super) type Fault = (usize, &'static str);

/// The words up to a comment. A `#` begins one wherever it stands outside of quotes.
pub(super) fn split(line: &str) -> Result<Vec<Word>, Fault> {
    let mut words = Vec::new();
    let mut open: Option<Word> = None;
    let mut quote: Option<(char, usize)> = None;
    let mut chars = line.char_indices();
    while let Some((at, next)) = chars.next() {
        if quote.is_none() {
            match next {
                ' ' | '\t' | '\r' | '\n' => {
                    words.extend(open.take());
                    continue;
                }
                '#' => break,
                _ => {}
            }
        }
        let word = open.get_or_insert_with(|| Word {
            text: String::new(),
            start: at,
            end: at,
        });
        match (quote, next) {
            (None, '"' | '\'') => quote = Some((next, at)),
            (Some((opened, _)), _) if opened == next => quote = None,
            (None | Some(('"', _)), '\\') => {
                let Some((_, escaped)) = chars.next() else {
                    return Err((at, "behind the backslash stands nothing"));
                };
                if quote.is_some() && !matches!(escaped, '"' | '\\') {
                    word.text.push('\\');
                }
                word.text.push(escaped);
            }
            _ => word.text.push(next),
        }
        word.end = chars.offset();
    }
    if let Some((_, at)) = quote {
        return Err((at, "this quote is not closed"));
    }
    words.extend(open);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_shlex() {
        let said = |line: &str| match split(line) {
            Ok(words) => words.into_iter().map(|word| word.text).collect(),
            Err((at, why)) => vec![format!("{at}: {why}")],
        };
        for (line, words) in [
            ("a b=c  d", &["a", "b=c", "d"][..]),
            ("a b='x y' c=\"it's\"", &["a", "b=x y", "c=it's"]),
            ("a b=x#y z", &["a", "b=x"]),
            ("a b='x#y' # z", &["a", "b=x#y"]),
            (r#"a b="x\"y\d" c=x\ y"#, &["a", "b=x\"y\\d", "c=x y"]),
            (r"a b='x\'", &["a", "b=x\\"]),
            ("a b=''", &["a", "b="]),
            ("a b='x", &["4: this quote is not closed"]),
            (r"a b\", &["3: behind the backslash stands nothing"]),
        ] {
            assert_eq!(said(line), words, "{line}");
        }
    }
}
