//! Lines as command words: Python's `shlex.split`, and the expansion of `$NAME` and `~` on the node.

use crate::command::quote;

/// Words as Python's `shlex.split` gives them.
pub fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => loop {
                match chars.next() {
                    Some('\'') => {
                        word.get_or_insert_default();
                        break;
                    }
                    Some(c) => word.get_or_insert_default().push(c),
                    None => return Err("a `'` is never closed".to_owned()),
                }
            },
            '"' => loop {
                match chars.next() {
                    Some('"') => {
                        word.get_or_insert_default();
                        break;
                    }
                    Some('\\') => match chars.next() {
                        Some(c @ ('"' | '\\')) => word.get_or_insert_default().push(c),
                        Some(c) => word.get_or_insert_default().extend(['\\', c]),
                        None => return Err("a `\"` is never closed".to_owned()),
                    },
                    Some(c) => word.get_or_insert_default().push(c),
                    None => return Err("a `\"` is never closed".to_owned()),
                }
            },
            '\\' => match chars.next() {
                Some(c) => word.get_or_insert_default().push(c),
                None => return Err("the line ends in a lone `\\`".to_owned()),
            },
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// A word whose `$NAME`, `${NAME}` and leading `~` the node replaces; an unset variable stays as it is written, as in Ansible.
pub(super) fn expanded(word: &str) -> String {
    if !word.contains('$') {
        return tilde(word);
    }
    let mut text = String::from("\"");
    let mut rest = word;
    while let Some(at) = rest.find('$') {
        text.push_str(&in_double_quotes(&rest[..at]));
        let tail = &rest[at + 1..];
        let (name, taken) = match tail
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
        {
            Some((name, _)) => (name, name.len() + 2),
            None => {
                let end = tail
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                    .unwrap_or(tail.len());
                (&tail[..end], end)
            }
        };
        let variable = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if variable {
            let literal = &rest[at..at + 1 + taken];
            text.push_str(&format!(
                "${{{name}-{}}}",
                in_double_quotes(literal).replace('}', "\\}")
            ));
            rest = &tail[taken..];
        } else {
            text.push_str("\\$");
            rest = tail;
        }
    }
    text.push_str(&in_double_quotes(rest));
    text.push('"');
    text
}

fn in_double_quotes(text: &str) -> String {
    let mut quoted = String::new();
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}

/// Quotes a path whose leading `~` or `~user` the node resolves.
pub fn tilde(path: &str) -> String {
    let Some(rest) = path.strip_prefix('~') else {
        return quote(path);
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let (user, tail) = rest.split_at(end);
    if !user
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
    {
        return quote(path);
    }
    match tail {
        "" => format!("~{user}"),
        tail => format!(
            "~{user}/{}",
            if tail == "/" {
                String::new()
            } else {
                quote(&tail[1..])
            }
        ),
    }
}

/// Shell text that runs `script` as an account, at home there, with the words behind it; all but the account are quoted already.
pub fn as_account(user: &str, script: &str, words: &str) -> String {
    format!(
        "HOME=~{user}; export HOME\nif [ \"$(id -un)\" = {user} ]; then /bin/sh -c {script}{words}\n\
         else runuser -u {user} -- /bin/sh -c {script}{words}; fi"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        split(line).expect("it is well formed")
    }

    #[test]
    fn lines_split_as_shlex_does() {
        assert_eq!(
            words(r##"a 'b c' "d \" e" f\ g\h"##),
            [r##"a"##, r##"b c"##, r##"d " e"##, r##"f gh"##]
        );
        assert_eq!(words(r##"a '' b"##), [r##"a"##, r##""##, r##"b"##]);
        assert_eq!(words(r##""a\n""##), [r##"a\n"##]);
        assert_eq!(
            words("'it'\\''s' x\ty\nz"),
            [r##"it's"##, r##"x"##, r##"y"##, r##"z"##]
        );
        assert_eq!(
            words(r##"a#b "" 'x'y"z""##),
            [r##"a#b"##, r##""##, r##"xyz"##]
        );
        assert!(split("a 'b").is_err());
        assert!(split(r"a \").is_err());
    }

    #[test]
    fn a_real_shell_expands_as_ansible_does() {
        let check = |word: &str, wanted: &str| {
            let output = std::process::Command::new("/bin/sh")
                .arg("-c")
                .arg(format!("printf %s {}", expanded(word)))
                .env("HOME", "/home/me")
                .env("A", "it's \"1\"  2")
                .output()
                .expect("sh runs");
            assert_eq!(String::from_utf8_lossy(&output.stdout), wanted, "{word}");
        };
        check("$A", "it's \"1\"  2");
        check("x${A}y", "xit's \"1\"  2y");
        check("$NOT_SET/${NOT_SET}", "$NOT_SET/${NOT_SET}");
        check("100$ `id` \\ $(id) $1", "100$ `id` \\ $(id) $1");
        check("~/a b", "/home/me/a b");
        check("~root/*", "/root/*");
        check("~no such/x", "~no such/x");
        check("a~b", "a~b");
    }
}
