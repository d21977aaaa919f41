//! OpenSSH arguments as an inventory holds them, in `ansible_ssh_common_args` and `ansible_ssh_extra_args`.

#[cfg(test)]
mod tests;
mod words;

use self::words::split;
use super::config::{ConfigError, Line, Place, Setting, argument, option};

/// What the arguments say, in order.
#[derive(Debug, Clone, Default)]
pub struct SshArguments {
    pub(super) lines: Vec<Line>,
    pub(super) config: ConfigChoice,
}

/// Which configuration files are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum ConfigChoice {
    /// The user's and the machine's.
    #[default]
    Usual,
    /// None: `-F none`.
    None,
    /// This one only: `-F FILE`.
    File(String),
}

/// Letters with a value that are followed, and the keyword that each stands for.
const LETTERS: &[(char, &str)] = &[
    ('b', "BindAddress"),
    ('i', "IdentityFile"),
    ('J', "ProxyJump"),
    ('l', "User"),
    ('p', "Port"),
    ('P', "Tag"),
];

/// Letters without a value that change nothing here.
const HARMLESS: &str = "aACkqTvxX";

/// Letters that exist in OpenSSH and are refused.
const REFUSED: &str = "BcDEeGfgIKLMmNnOQRSstVWwYy";

impl SshArguments {
    /// Reads one string of arguments, split into words as a shell does.
    ///
    /// As in OpenSSH the first value of an option counts; only files of keys and certificates add up.
    ///
    /// # Errors
    /// The first word that is not taken.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let mut arguments = Self::default();
        let mut words = split(text)?.into_iter();
        while let Some(word) = words.next() {
            let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
                return Err(error(format!("`{word}` is no ssh option")));
            };
            let mut rest = letters.chars();
            while let Some(letter) = rest.next() {
                if !arguments.flag(letter)? {
                    let glued = rest.as_str().to_string();
                    let value = match glued.is_empty() {
                        true => words.next(),
                        false => Some(glued),
                    };
                    let value = value.ok_or_else(|| error(format!("`-{letter}` needs a value")))?;
                    arguments.letter(letter, &value)?;
                    break;
                }
            }
        }
        Ok(arguments)
    }

    /// Where `other` says something that this does not, that holds; files add up.
    pub fn or(mut self, other: Self) -> Self {
        self.lines.extend(other.lines);
        if self.config == ConfigChoice::Usual {
            self.config = other.config;
        }
        self
    }

    /// Says one thing more.
    pub(super) fn say(&mut self, setting: Setting) {
        self.lines.push(Line::new(Place::Argument, setting));
    }

    /// Takes a letter without a value; `false` when it has one.
    fn flag(&mut self, letter: char) -> Result<bool, ConfigError> {
        let family = match letter {
            '4' => "inet",
            '6' => "inet6",
            _ if HARMLESS.contains(letter) => return Ok(true),
            _ if REFUSED.contains(letter) => {
                return Err(error(format!("`-{letter}` is not supported")));
            }
            'F' | 'o' => return Ok(false),
            _ if LETTERS.iter().any(|(known, _)| *known == letter) => return Ok(false),
            _ => return Err(error(format!("`-{letter}` is no ssh option"))),
        };
        self.say(argument("AddressFamily", "AddressFamily", family)?);
        Ok(true)
    }

    fn letter(&mut self, letter: char, value: &str) -> Result<(), ConfigError> {
        if value.trim().is_empty() {
            return Err(error(format!("`-{letter}` needs a value")));
        }
        match letter {
            'o' => self.say(option(value)?),
            'F' => {
                self.config = match value.eq_ignore_ascii_case("none") {
                    true => ConfigChoice::None,
                    false => ConfigChoice::File(value.to_string()),
                }
            }
            _ => {
                let keyword = LETTERS
                    .iter()
                    .find(|(known, _)| *known == letter)
                    .map_or("", |(_, keyword)| keyword);
                // The shell's words are whole: a blank in a path is no end of it.
                let quoted = match letter {
                    'J' => value.to_string(),
                    _ => format!("\"{}\"", value.replace('\\', r"\\").replace('"', "\\\"")),
                };
                self.say(argument(keyword, &format!("-{letter}"), &quoted)?);
            }
        }
        Ok(())
    }
}

fn error(message: String) -> ConfigError {
    ConfigError {
        place: Place::Argument,
        message,
        help: None,
    }
}
