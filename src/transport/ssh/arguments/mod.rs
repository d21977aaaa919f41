//! OpenSSH arguments as an inventory holds them, in `ansible_ssh_common_args` and `ansible_ssh_extra_args`.

mod names;
#[cfg(test)]
mod tests;
mod words;

use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

use self::names::{HARMLESS, HARMLESS_FLAGS, HONOURED, REFUSED, REFUSED_FLAGS, nearest};
use self::words::split;
use super::options::{HostKeyChecking, SshOptions};

/// What the arguments say; what they don't say is `None` or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SshArguments {
    user: Option<String>,
    port: Option<u16>,
    identity_files: Vec<PathBuf>,
    identities_only: Option<bool>,
    user_known_hosts: Option<Vec<PathBuf>>,
    global_known_hosts: Option<Vec<PathBuf>>,
    host_key_alias: Option<String>,
    host_key_checking: Option<HostKeyChecking>,
    connect_timeout: Option<Duration>,
    keepalive_interval: Option<Duration>,
    keepalive_max: Option<usize>,
    /// `Some(None)` is "no agent".
    agent: Option<Option<PathBuf>>,
}

/// Why arguments are not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ArgumentError {
    /// It exists in OpenSSH, but not here.
    #[error("`{0}` is not supported yet")]
    NotSupported(String),
    /// OpenSSH does not know it either.
    #[error("`{word}` is no ssh option{}", near(nearest.as_deref()))]
    Unknown {
        /// As written.
        word: String,
        /// The option that is most like it.
        nearest: Option<String>,
    },
    /// The option is known, its value is not.
    #[error("`{value}` is no value of `{option}`: expected {expected}")]
    BadValue {
        /// The option.
        option: String,
        /// As written.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// An option stands at the end without its value.
    #[error("`{0}` needs a value")]
    NoValue(String),
    /// A word that is no option.
    #[error("`{0}` is no ssh option")]
    Stray(String),
    /// A quote is never closed.
    #[error("a quote is not closed")]
    OpenQuote,
}

impl SshArguments {
    /// Reads one string of arguments, split into words as a shell does. `home` stands for `~`.
    ///
    /// As in OpenSSH the first value of an option counts; only `IdentityFile` and `-i` add up.
    ///
    /// # Errors
    /// [`ArgumentError`] for the first word that is not taken.
    pub fn parse(text: &str, home: &Path) -> Result<Self, ArgumentError> {
        let mut arguments = Self::default();
        let mut words = split(text)?.into_iter();
        while let Some(word) = words.next() {
            let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
                return Err(ArgumentError::Stray(word));
            };
            let mut rest = letters.chars();
            while let Some(letter) = rest.next() {
                let option = format!("-{letter}");
                if HARMLESS_FLAGS.contains(letter) {
                    continue;
                }
                if REFUSED_FLAGS.contains(letter) {
                    return Err(ArgumentError::NotSupported(option));
                }
                if !"oipl".contains(letter) {
                    return Err(ArgumentError::Unknown {
                        word: option,
                        nearest: None,
                    });
                }
                let glued = rest.as_str().to_string();
                let value = if glued.is_empty() {
                    words.next()
                } else {
                    Some(glued)
                };
                let value = value.ok_or_else(|| ArgumentError::NoValue(option.clone()))?;
                arguments.letter(letter, &option, &value, home)?;
                break;
            }
        }
        Ok(arguments)
    }

    /// Where `other` says something that this does not, that holds; identity files add up.
    pub fn or(mut self, other: Self) -> Self {
        self.identity_files.extend(other.identity_files);
        Self {
            user: self.user.or(other.user),
            port: self.port.or(other.port),
            identity_files: self.identity_files,
            identities_only: self.identities_only.or(other.identities_only),
            user_known_hosts: self.user_known_hosts.or(other.user_known_hosts),
            global_known_hosts: self.global_known_hosts.or(other.global_known_hosts),
            host_key_alias: self.host_key_alias.or(other.host_key_alias),
            host_key_checking: self.host_key_checking.or(other.host_key_checking),
            connect_timeout: self.connect_timeout.or(other.connect_timeout),
            keepalive_interval: self.keepalive_interval.or(other.keepalive_interval),
            keepalive_max: self.keepalive_max.or(other.keepalive_max),
            agent: self.agent.or(other.agent),
        }
    }

    /// Writes what is said here over `options`. In Ansible the variables `ansible_port`, `ansible_user` and
    /// `ansible_ssh_private_key_file` win against arguments: set those afterwards.
    pub fn apply(&self, options: &mut SshOptions) {
        fn set<T: Clone>(target: &mut T, value: &Option<T>) {
            if let Some(value) = value {
                target.clone_from(value);
            }
        }
        set(&mut options.user, &self.user);
        set(&mut options.port, &self.port);
        set(&mut options.identities_only, &self.identities_only);
        set(&mut options.host_key_checking, &self.host_key_checking);
        set(&mut options.connect_timeout, &self.connect_timeout);
        set(&mut options.keepalive_interval, &self.keepalive_interval);
        set(&mut options.keepalive_max, &self.keepalive_max);
        set(&mut options.agent, &self.agent);
        set(&mut options.known_hosts, &self.user_known_hosts);
        set(&mut options.global_known_hosts, &self.global_known_hosts);
        if self.host_key_alias.is_some() {
            options.host_key_alias.clone_from(&self.host_key_alias);
        }
        options
            .identity_files
            .extend(self.identity_files.iter().cloned());
    }

    fn letter(
        &mut self,
        letter: char,
        option: &str,
        value: &str,
        home: &Path,
    ) -> Result<(), ArgumentError> {
        match letter {
            'o' => {
                let (key, value) = key_and_value(value)
                    .ok_or_else(|| ArgumentError::NoValue(value.to_string()))?;
                self.option(key, value, home)
            }
            'i' => self.honoured("IdentityFile", option, value, home),
            'p' => self.honoured("Port", option, value, home),
            _ => self.honoured("User", option, value, home),
        }
    }

    fn option(&mut self, key: &str, value: &str, home: &Path) -> Result<(), ArgumentError> {
        let known = |names: &[&'static str]| {
            names
                .iter()
                .copied()
                .find(|name| name.eq_ignore_ascii_case(key))
        };
        if let Some(name) = known(HONOURED) {
            return self.honoured(name, name, value, home);
        }
        if known(HARMLESS).is_some() {
            return Ok(());
        }
        if let Some(name) = known(REFUSED) {
            return Err(ArgumentError::NotSupported(name.to_string()));
        }
        Err(ArgumentError::Unknown {
            word: key.to_string(),
            nearest: nearest(key),
        })
    }

    /// Sets the option `name`, called `option` in errors.
    fn honoured(
        &mut self,
        name: &str,
        option: &str,
        value: &str,
        home: &Path,
    ) -> Result<(), ArgumentError> {
        let bad = |expected| ArgumentError::BadValue {
            option: option.to_string(),
            value: value.to_string(),
            expected,
        };
        if value.is_empty() {
            return Err(ArgumentError::NoValue(option.to_string()));
        }
        if let Some(token) =
            tokens(value).find(|token| !matches!(name, "User" | "HostKeyAlias") && *token != "%%")
        {
            return Err(ArgumentError::NotSupported(format!("{token} in {option}")));
        }
        match name {
            "User" => first(&mut self.user, value.to_string()),
            "Port" => first(
                &mut self.port,
                value
                    .parse()
                    .ok()
                    .filter(|port| *port > 0)
                    .ok_or_else(|| bad("a number from 1 to 65535"))?,
            ),
            "IdentityFile" => self.identity_files.extend(path(value, home)),
            "IdentitiesOnly" => first(
                &mut self.identities_only,
                yes_or_no(value).ok_or_else(|| bad("yes or no"))?,
            ),
            "IdentityAgent" => first(&mut self.agent, path(value, home)),
            "UserKnownHostsFile" => first(&mut self.user_known_hosts, paths(value, home)),
            "GlobalKnownHostsFile" => first(&mut self.global_known_hosts, paths(value, home)),
            "HostKeyAlias" => first(&mut self.host_key_alias, value.to_string()),
            "StrictHostKeyChecking" => first(
                &mut self.host_key_checking,
                value.parse().map_err(|()| bad("yes, accept-new or no"))?,
            ),
            "ConnectTimeout" => first(
                &mut self.connect_timeout,
                seconds(value)
                    .filter(|time| !time.is_zero())
                    .ok_or_else(|| bad("a time in seconds"))?,
            ),
            "ServerAliveInterval" => first(
                &mut self.keepalive_interval,
                seconds(value).ok_or_else(|| bad("a time in seconds"))?,
            ),
            "ServerAliveCountMax" => first(
                &mut self.keepalive_max,
                value
                    .parse()
                    .ok()
                    .filter(|max| *max > 0)
                    .ok_or_else(|| bad("a number from 1"))?,
            ),
            _ => return Err(ArgumentError::NotSupported(option.to_string())),
        }
        Ok(())
    }
}

/// As in OpenSSH, what is said first holds.
fn first<T>(target: &mut Option<T>, value: T) {
    target.get_or_insert(value);
}

/// `Key=Value`, `Key = Value` or `Key Value`.
fn key_and_value(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| c == '=' || c.is_whitespace())?;
    let (key, rest) = text.split_at(end);
    let rest = rest.trim_start();
    let value = rest.strip_prefix('=').unwrap_or(rest).trim();
    Some((
        key,
        value
            .strip_prefix('"')
            .and_then(|inner| inner.strip_suffix('"'))
            .unwrap_or(value),
    ))
}

fn yes_or_no(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "yes" | "true" => Some(true),
        "no" | "false" => Some(false),
        _ => None,
    }
}

/// `30`, `30s`, `2m`, `1h`; parts add up.
fn seconds(value: &str) -> Option<Duration> {
    let mut total = 0u64;
    let mut number = String::new();
    for c in value.chars() {
        let unit = match c.to_ascii_lowercase() {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        number.clear();
    }
    if !number.is_empty() {
        total = total.checked_add(number.parse().ok()?)?;
    }
    (!value.is_empty()).then(|| Duration::from_secs(total))
}

/// A path with `~` replaced; `none` is no path.
fn path(value: &str, home: &Path) -> Option<PathBuf> {
    if value.eq_ignore_ascii_case("none") {
        return None;
    }
    let value = value.replace("%%", "%");
    Some(match value.strip_prefix("~/") {
        Some(rest) => home.join(rest),
        None => PathBuf::from(value),
    })
}

fn paths(value: &str, home: &Path) -> Vec<PathBuf> {
    value
        .split_whitespace()
        .filter_map(|word| path(word, home))
        .collect()
}

/// The `%h` and the like that OpenSSH would replace.
fn tokens(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = value;
    std::iter::from_fn(move || {
        let at = rest.find('%')?;
        let width = rest[at + 1..]
            .chars()
            .next()
            .map_or(1, |c| 1 + c.len_utf8());
        let token = &rest[at..at + width];
        rest = &rest[at + width..];
        Some(token)
    })
}

fn near(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`"))
}
