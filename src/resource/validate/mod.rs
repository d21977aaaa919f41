//! The command a new content must pass before it replaces the old one: the task's own, else the checker of the daemon that reads it.

mod checkers;
mod lines;

use super::Args;
use crate::command::{Command, quote};
use crate::diagnostic::Diagnostic;

pub use checkers::script as known;
pub use lines::{fault, unread};

/// `visudo -cf %s`, split into words. No shell reads it, as in Ansible.
#[derive(Debug, Clone)]
pub struct Validate {
    words: Vec<String>,
    /// What people are told it is, where that is not its words.
    shown: Option<&'static str>,
}

impl Validate {
    /// Reads the parameter `validate`.
    pub fn bind(args: &Args) -> Result<Option<Validate>, Diagnostic> {
        let Some(text) = args.str("validate") else {
            return Ok(None);
        };
        let place = args.value_place("validate");
        let Some(words) = split(text) else {
            return Err(Diagnostic::at(place, "`validate` ends inside quotes"));
        };
        if !text.contains("%s") {
            return Err(Diagnostic::at(
                place,
                "`validate` does not say where the file's name goes",
            )
            .help("write `%s` there, such as `visudo -cf %s`"));
        }
        Ok(Some(Validate { words, shown: None }))
    }

    /// A kind's own check: POSIX sh that fails when the file `$1` is wrong, and says why.
    pub fn by_shell(shown: &'static str, script: &str) -> Validate {
        Validate {
            words: ["/bin/sh", "-c", script, "sh", "%s"]
                .map(str::to_owned)
                .to_vec(),
            shown: Some(shown),
        }
    }

    /// The command as shell text; the file is named by the shell word `"$t"`.
    pub fn command(&self, file: &str) -> String {
        let words: Vec<String> = self
            .words
            .iter()
            // A kind's own script may have the sign for itself.
            .map(
                |word| match word.contains("%s") && (self.shown.is_none() || word == "%s") {
                    true => word
                        .split("%s")
                        .map(|part| {
                            if part.is_empty() {
                                String::new()
                            } else {
                                quote(part)
                            }
                        })
                        .collect::<Vec<_>>()
                        .join(&format!("\"{file}\"")),
                    false => quote(word),
                },
            )
            .collect();
        words.join(" ")
    }

    /// The command as the user wrote it, but for its quotes.
    pub fn text(&self) -> String {
        match self.shown {
            Some(shown) => shown.to_owned(),
            None => self.words.join(" "),
        }
    }

    /// The check of the file named by the shell word `"$t"`; `path` is what it will be.
    pub fn script(&self, file: &str, path: &str) -> String {
        let (words, command) = (self.command(file), self.text());
        let say = Command::new("echo").arg(format!(
            "the new content of `{path}` does not pass `{command}`; the old one stands"
        ));
        format!("{{ {words} >&2 || {{ {say} >&2; false; }}; }}")
    }
}

/// Words as a POSIX shell would split them, without any expansion; none when a quote is left open.
fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => match chars.next()? {
                            c @ ('"' | '\\' | '$' | '`') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(chars.next()?),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_as_a_shell_splits_them() {
        assert_eq!(
            split(r#"nginx -t -c "%s" 'a b'\ c"#).expect("closed"),
            ["nginx", "-t", "-c", "%s", "a b c"]
        );
        assert_eq!(split("a 'b"), None);
    }

    #[test]
    fn a_script_keeps_its_signs() {
        let validate = Validate::by_shell("check", "printf '%s\\n' \"$1\"; false");
        let script = validate
            .script("$t", "/etc/x")
            .replacen("{ ", "t=/a; { ", 1);
        let output = std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(script)
            .output()
            .expect("sh runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            said,
            "/a\nthe new content of `/etc/x` does not pass `check`; the old one stands\n"
        );
    }

    #[test]
    fn the_file_stands_where_the_sign_is() {
        let validate = Validate {
            words: vec!["check".into(), "--file=%s".into(), "$(id)".into()],
            shown: None,
        };
        let script = validate.script("$t", "/etc/x");
        assert!(
            script.starts_with("{ check --file=\"$t\" '$(id)' >&2 ||"),
            "{script}"
        );
    }
}
