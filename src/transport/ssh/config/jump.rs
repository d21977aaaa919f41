//! Jump hosts and proxy programs, as they are written.

use super::error::{ConfigError, Place};
use super::tokens::{self, Allowed};

/// What stands between this machine and the host. The first of all `ProxyJump` and `ProxyCommand` lines counts, but that a program may
/// follow a `ProxyJump none`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Proxy {
    /// Nothing, whatever is said later.
    None,
    /// No jump host, whatever is said later.
    NoJump,
    /// Jump hosts in the order in which they are gone; never empty.
    Jump(Vec<JumpHost>),
    /// A program.
    Command(String),
}

/// `[user@]host[:port]`, or `ssh://[user@]host[:port]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JumpHost {
    pub(crate) user: Option<String>,
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
}

impl Proxy {
    pub(super) fn command(text: &str) -> Self {
        match text.eq_ignore_ascii_case("none") {
            true => Self::None,
            false => Self::Command(text.to_string()),
        }
    }
}

/// Reads the value of `ProxyJump` or `-J`: jump hosts behind commas, or `none`.
pub(super) fn jumps(text: &str, place: &Place) -> Result<Proxy, ConfigError> {
    let text = text.trim_start_matches([' ', '\t', '=']);
    let text = text
        .split_once('#')
        .map_or(text, |(before, _)| before)
        .trim();
    if text.eq_ignore_ascii_case("none") {
        return Ok(Proxy::NoJump);
    }
    let hosts: Option<Vec<JumpHost>> = text.split(',').map(jump_host).collect();
    hosts.map(Proxy::Jump).ok_or_else(|| {
        place.error(format!(
            "`{text}` names no jump host: expected [user@]host[:port], several with commas between, or none"
        ))
    })
}

fn jump_host(text: &str) -> Option<JumpHost> {
    let (text, is_uri) = match text.strip_prefix("ssh://") {
        Some(rest) => (rest.strip_suffix('/').unwrap_or(rest), true),
        None => (text, false),
    };
    let (user, place) = match text.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, text),
    };
    // In a URI the user may have parameters behind `;`, which mean nothing.
    let user = user.map(|user| match is_uri {
        true => user.split(';').next().unwrap_or_default(),
        false => user,
    });
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, behind) = rest.split_once(']')?;
            match behind {
                "" => (host, None),
                _ => (host, Some(behind.strip_prefix(':')?)),
            }
        }
        None => match place.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            // An IPv6 address without brackets has no port.
            Some(_) if is_uri => return None,
            _ => (place, None),
        },
    };
    let port = match port {
        Some(port) => Some(port.parse().ok().filter(|port| *port > 0)?),
        None => None,
    };
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"'\"`$\\;&<>|(){}/".contains(c);
    let good = !host.is_empty()
        && !host.starts_with('-')
        && host.chars().all(plain)
        && tokens::first_unknown(host, Allowed::PROXY).is_none()
        && user.is_none_or(|user| !user.is_empty() && !user.starts_with('-'));
    good.then(|| JumpHost {
        user: user.map(str::to_string),
        host: host.to_string(),
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match jumps(text, &Place::Argument) {
            Ok(Proxy::Jump(hosts)) => {
                let shown = hosts.iter().map(|jump| {
                    let user = jump.user.as_deref().unwrap_or("");
                    let port = jump.port.map_or(String::new(), |port| port.to_string());
                    format!("{user}|{}|{port}", jump.host)
                });
                shown.collect::<Vec<_>>().join(" ")
            }
            Ok(other) => format!("{other:?}"),
            Err(_) => "bad".to_string(),
        }
    }

    #[test]
    fn jump_hosts_are_read() {
        let cases = [
            ("a", "|a|"),
            ("u@a:22", "u|a|22"),
            ("a,b@c:1 # why", "|a| b|c|1"),
            ("[fe80::1]:2222", "|fe80::1|2222"),
            ("fe80::1", "|fe80::1|"),
            ("ssh://u@a:22/", "u|a|22"),
            ("u@x@a", "u@x|a|"),
            ("none", "NoJump"),
            ("a:0", "bad"),
            ("a:b", "bad"),
            ("@a", "bad"),
            ("a,,b", "bad"),
            ("-oProxyCommand=x", "bad"),
            ("a;b", "bad"),
            ("", "bad"),
        ];
        for (text, wanted) in cases {
            assert_eq!(read(text), wanted, "{text:?}");
        }
    }
}
