//! Commands as argument lists; the one place that quotes for a shell.

use std::fmt;

/// A program and its arguments. Turned into text only here, so that no legal file name is ever refused or misread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    words: Vec<String>,
}

impl Command {
    /// A command without arguments yet.
    pub fn new(program: impl Into<String>) -> Command {
        Command {
            words: vec![program.into()],
        }
    }

    /// Adds one argument.
    pub fn arg(mut self, argument: impl Into<String>) -> Command {
        self.words.push(argument.into());
        self
    }

    /// Adds several arguments.
    pub fn args<I, S>(mut self, arguments: I) -> Command
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        self.words.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Program and arguments.
    pub fn words(&self) -> &[String] {
        &self.words
    }
}

/// The shell text of the command.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.words.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(&quote(word))?;
        }
        Ok(())
    }
}

/// One word as POSIX sh reads it back unchanged. Words of harmless characters stay bare, so that logs stay readable.
/// NUL cannot be in an argument; it is dropped.
pub fn quote(word: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,=".contains(c);
    if !word.is_empty() && word.chars().all(harmless) && !word.starts_with('=') {
        return word.to_owned();
    }
    let mut quoted = String::with_capacity(word.len() + 2);
    quoted.push('\'');
    for c in word.chars() {
        match c {
            '\'' => quoted.push_str("'\\''"),
            '\0' => {}
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn through_sh(words: &[String]) -> Vec<String> {
        let mut command = Command::new("printf").arg("%s\\0");
        command = command.args(words.iter().cloned());
        let output = std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(command.to_string())
            .output()
            .expect("sh runs");
        String::from_utf8(output.stdout)
            .expect("utf-8")
            .split_terminator('\0')
            .map(str::to_owned)
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn a_real_shell_reads_every_word_back(words in prop::collection::vec("[^\0]{0,12}", 1..4)) {
            prop_assert_eq!(through_sh(&words), words);
        }
    }

    #[test]
    fn simple_words_stay_bare() {
        assert_eq!(
            Command::new("ls").arg("-la").arg("/etc").to_string(),
            "ls -la /etc"
        );
        assert_eq!(quote("it's"), "'it'\\''s'");
        assert_eq!(quote(""), "''");
    }
}
