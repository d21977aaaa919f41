//! The conditions of a `Match` line.

use super::error::{ConfigError, Place};
use super::tokens::{self, Allowed};
use super::words::delimited;

/// All of them must hold.
pub(crate) type Criteria = Vec<Criterion>;

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Criterion {
    /// It must not hold.
    pub(super) negated: bool,
    pub(super) kind: Kind,
}

/// What a condition looks at; patterns may be lists with commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    All,
    /// Names were made canonical, which never happens here: the same as the final pass.
    Canonical,
    Final,
    Host(String),
    OriginalHost(String),
    User(String),
    LocalUser(String),
    Tagged(String),
    /// A command line that ends with status 0.
    Exec(String),
}

/// Conditions of OpenSSH that are not known here.
const UNSUPPORTED: &[(&str, &str)] = &[
    (
        "localnetwork",
        "use `exec` with a command that looks at the addresses, such as `ip -br addr`",
    ),
    ("address", "use `host`, which sees what `HostName` says"),
    ("command", "hadeploy runs many commands over one connection"),
    (
        "sessiontype",
        "hadeploy runs many commands over one connection",
    ),
    ("version", "hadeploy is no version of OpenSSH"),
];

/// Reads what follows `Match`.
pub(super) fn criteria(text: &str, place: &Place) -> Result<Criteria, ConfigError> {
    let mut found = Criteria::new();
    let mut rest = Some(text);
    while let Some(word) = delimited(&mut rest) {
        if word.is_empty() || word.starts_with('#') {
            break;
        }
        let (negated, name) = match word.strip_prefix('!') {
            Some(name) => (true, name),
            None => (false, word.as_str()),
        };
        let name = name.to_ascii_lowercase();
        let kind = match name.as_str() {
            "all" => {
                let behind = delimited(&mut rest).unwrap_or_default();
                if found.len() > 1 || !(behind.is_empty() || behind.starts_with('#')) {
                    return Err(place.error(
                        "`all` stands alone in a `Match`, or behind `final` or `canonical`",
                    ));
                }
                let kind = Kind::All;
                found.push(Criterion { negated, kind });
                return Ok(found);
            }
            "final" => Kind::Final,
            "canonical" => Kind::Canonical,
            _ => argument(&name, delimited(&mut rest), place)?,
        };
        found.push(Criterion { negated, kind });
    }
    if found.is_empty() {
        return Err(place.error("`Match` needs a condition, such as `host`, `user` or `all`"));
    }
    Ok(found)
}

fn argument(name: &str, value: Option<String>, place: &Place) -> Result<Kind, ConfigError> {
    let make = match name {
        "host" => Kind::Host,
        "originalhost" => Kind::OriginalHost,
        "user" => Kind::User,
        "localuser" => Kind::LocalUser,
        "tagged" => Kind::Tagged,
        "exec" => Kind::Exec,
        _ => {
            if let Some((_, instead)) = UNSUPPORTED.iter().find(|(known, _)| *known == name) {
                let error = place.error(format!("`Match {name}` is not supported"));
                return Err(error.help(*instead));
            }
            return Err(place.error(format!(
                "`{name}` is no condition of `Match`: known are all, canonical, exec, final, host, localuser, originalhost, tagged and user"
            )));
        }
    };
    let value = value
        .filter(|value| !value.is_empty() && !value.starts_with('#'))
        .ok_or_else(|| place.error(format!("`Match {name}` needs a value")))?;
    if name == "exec"
        && let Some(token) = tokens::first_unknown(&value, Allowed::PATH)
    {
        return Err(place.error(format!(
            "`{token}` stands for nothing in `Match exec`; known are {}",
            Allowed::PATH.list()
        )));
    }
    Ok(make(value))
}
