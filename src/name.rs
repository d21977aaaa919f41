//! Checked names: hosts, groups and variables.

use std::borrow::Borrow;
use std::fmt;
use std::net::Ipv6Addr;
use std::sync::Arc;

/// The name of a host, as the inventory spells it. Never begins with `-`, so it cannot pass for an option.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostName(Arc<str>);

/// The name of a group.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupName(Arc<str>);

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is written.
    #[error("the name is empty")]
    Empty,
    /// It begins with something that a name cannot begin with.
    #[error("a name cannot begin with `{0}`")]
    Begin(char),
    /// It holds a character that means something in patterns or in a shell, or cannot be seen.
    #[error("a name cannot hold `{}`", .0.escape_default())]
    Character(char),
    /// `host:22`.
    #[error("a host's name cannot hold a port")]
    Port,
}

impl HostName {
    /// Letters, digits, `.`, `_`, `-`; or an IPv6 address.
    pub fn new(text: &str) -> Result<HostName, NameError> {
        let address = text.split('%').next().unwrap_or(text);
        if address.parse::<Ipv6Addr>().is_err() {
            check(text)?;
        }
        Ok(HostName(text.into()))
    }

    /// The name as shared text, as events carry it.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Up to the first dot; an address stays whole.
    pub fn short(&self) -> &str {
        if self.0.parse::<std::net::IpAddr>().is_ok() {
            return &self.0;
        }
        self.0.split('.').next().unwrap_or(&self.0)
    }
}

impl GroupName {
    /// Letters, digits, `.`, `_`, `-`.
    pub fn new(text: &str) -> Result<GroupName, NameError> {
        check(text)?;
        Ok(GroupName(text.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the group of all hosts.
    pub fn is_all(&self) -> bool {
        &*self.0 == "all"
    }
}

fn check(text: &str) -> Result<(), NameError> {
    let first = text.chars().next().ok_or(NameError::Empty)?;
    if first == '-' || first == '.' {
        return Err(NameError::Begin(first));
    }
    match text
        .chars()
        .find(|c| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '-')))
    {
        Some(':') => Err(NameError::Port),
        Some(bad) => Err(NameError::Character(bad)),
        None => Ok(()),
    }
}

/// Whether a variable, a register or a loop variable can be called so.
pub fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

macro_rules! text_like {
    ($name:ident) => {
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_like!(HostName);
text_like!(GroupName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_be_options_patterns_or_ports_are_refused() {
        assert!(HostName::new("web-1.example.org").is_ok());
        assert!(HostName::new("fe80::1%eth0").is_ok());
        assert_eq!(HostName::new("-oProxy"), Err(NameError::Begin('-')));
        assert_eq!(HostName::new("web:22"), Err(NameError::Port));
        assert_eq!(HostName::new("a b"), Err(NameError::Character(' ')));
        assert_eq!(HostName::new(""), Err(NameError::Empty));
        assert_eq!(GroupName::new("w*b"), Err(NameError::Character('*')));
    }

    #[test]
    fn the_short_name_of_an_address_is_the_address() {
        let short = |text: &str| HostName::new(text).map(|name| name.short().to_owned());
        assert_eq!(short("web1.example.org"), Ok("web1".to_owned()));
        assert_eq!(short("10.0.0.1"), Ok("10.0.0.1".to_owned()));
    }
}
