//! A line of a configuration as OpenSSH cuts it up.

/// What OpenSSH takes for blank between words.
const BLANK: &[char] = &[' ', '\t', '\r', '\n'];

/// The keyword of a line, and what follows it; `None` for an empty line or a comment. One `=` may stand between the two.
pub(super) fn keyword(line: &str) -> Option<(String, &str)> {
    let line = line.trim_end_matches([' ', '\t', '\r', '\n', '\x0c']);
    let mut rest = Some(line.trim_start_matches(BLANK));
    let word = delimited(&mut rest)?;
    if word.is_empty() || word.starts_with('#') {
        return None;
    }
    Some((word, rest.unwrap_or_default().trim_start_matches(BLANK)))
}

/// The next word up to a blank or one `=`; a quoted part may hold both. `None` at the end, or where a quote is not closed.
pub(super) fn delimited(rest: &mut Option<&str>) -> Option<String> {
    let text = (*rest)?;
    let Some(end) = text.find(|c: char| BLANK.contains(&c) || c == '"' || c == '=') else {
        *rest = None;
        return Some(text.to_string());
    };
    let (head, tail) = text.split_at(end);
    if let Some(quoted) = tail.strip_prefix('"') {
        let Some((inside, behind)) = quoted.split_once('"') else {
            *rest = None;
            return None;
        };
        *rest = Some(behind.trim_start_matches(BLANK));
        return Some(format!("{head}{inside}"));
    }
    let equals = tail.starts_with('=');
    let mut behind = tail[1..].trim_start_matches(BLANK);
    if !equals && let Some(value) = behind.strip_prefix('=') {
        behind = value.trim_start_matches(BLANK);
    }
    *rest = Some(behind);
    Some(head.to_string())
}

/// The words of a value: blanks, both kinds of quotes, the backslash before a quote, a backslash or a blank, and `#` for a comment.
/// `None` where a quote is not closed.
pub(super) fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut characters = text.chars().peekable();
    loop {
        while characters.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        match characters.peek() {
            None | Some('#') => return Some(words),
            Some(_) => {}
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some(c) = characters.next() {
            match (quote, c) {
                (_, '\\') => {
                    let escaped = characters.next_if(|next| {
                        matches!(next, '\'' | '"' | '\\') || (quote.is_none() && *next == ' ')
                    });
                    word.push(escaped.unwrap_or('\\'));
                }
                (None, ' ' | '\t') => break,
                (None, '"' | '\'') => quote = Some(c),
                (Some(open), c) if c == open => quote = None,
                (_, c) => word.push(c),
            }
        }
        if quote.is_some() {
            return None;
        }
        words.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyword_and_its_value() {
        let cases = [
            ("  Port 22 ", Some(("Port", "22"))),
            ("Port=22", Some(("Port", "22"))),
            ("Port = 22", Some(("Port", "22"))),
            ("Port\t=\t22\r", Some(("Port", "22"))),
            ("\"Port\" 22", Some(("Port", "22"))),
            ("Port == 22", Some(("Port", "= 22"))),
            ("Port", Some(("Port", ""))),
            ("# Port 22", None),
            ("", None),
            (" \t", None),
        ];
        for (line, wanted) in cases {
            let found = keyword(line);
            let found = found.as_ref().map(|(word, rest)| (word.as_str(), *rest));
            assert_eq!(found, wanted, "{line:?}");
        }
    }

    #[test]
    fn words_as_openssh_splits_them() {
        let cases: [(&str, Option<&[&str]>); 8] = [
            ("a  b\tc", Some(&["a", "b", "c"])),
            (r#""a b" 'c d'"#, Some(&["a b", "c d"])),
            (r#"a"b c"d"#, Some(&["ab cd"])),
            (r"a\ b \n \\", Some(&["a b", r"\n", r"\"])),
            ("a # b", Some(&["a"])),
            ("a#b", Some(&["a#b"])),
            ("'open", None),
            ("''", Some(&[""])),
        ];
        for (text, wanted) in cases {
            let wanted = wanted.map(|words| words.iter().map(|w| w.to_string()).collect());
            assert_eq!(words(text), wanted, "{text:?}");
        }
    }
}
