//! A host as inventories and `-i` spell it: perhaps with ranges, perhaps with a port behind it.

use std::net::Ipv6Addr;

use super::range;

/// What a spelling stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spelled {
    /// The names, in order.
    pub(super) names: Vec<String>,
    /// The port of all of them.
    pub(super) port: Option<u16>,
}

/// Reads `web[01:20]`, `web1:2222`, `10.0.0.1`, `fe80::1`, `[fe80::1]:2222`. The error is a sentence.
pub(super) fn read(text: &str) -> Result<Spelled, String> {
    let (name, port) = split(text);
    let port = match port {
        Some("") => return Err("behind the `:` stands no port".to_owned()),
        Some(port) => match port.parse::<u16>() {
            Ok(port) if port > 0 => Some(port),
            _ => return Err(format!("`{port}` is not a port, 1 to 65535")),
        },
        None => None,
    };
    Ok(Spelled {
        names: range::expand(name)?,
        port,
    })
}

/// The name and the port, both as written.
fn split(text: &str) -> (&str, Option<&str>) {
    if text.parse::<Ipv6Addr>().is_ok() {
        return (text, None);
    }
    let Some((head, port)) = text.rsplit_once(':') else {
        return (text, None);
    };
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return (text, None);
    }
    if let Some(inner) = head
        .strip_prefix('[')
        .and_then(|head| head.strip_suffix(']'))
    {
        return (inner, Some(port));
    }
    match has_bare_colon(head) {
        true => (text, None),
        false => (head, Some(port)),
    }
}

/// Whether a `:` stands outside of brackets, or a bracket is open at the end.
fn has_bare_colon(text: &str) -> bool {
    let mut open = false;
    for c in text.chars() {
        match c {
            '[' => open = true,
            ']' => open = false,
            ':' if !open => return true,
            _ => {}
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_told_from_ranges_and_addresses() {
        let said = |text: &str| {
            read(text).map(|it| format!("{} {:?}", it.names.join(" "), it.port.unwrap_or(0)))
        };
        for (text, wanted) in [
            ("web1", "web1 0"),
            ("web1:2222", "web1 2222"),
            ("w[1:2]", "w1 w2 0"),
            ("w[1:2]:22", "w1 w2 22"),
            ("10.0.0.[1:2]:22", "10.0.0.1 10.0.0.2 22"),
            ("fe80::1", "fe80::1 0"),
            ("[fe80::1]:22", "fe80::1 22"),
            ("fe80::[1:2]", "fe80::1 fe80::2 0"),
        ] {
            assert_eq!(said(text).as_deref(), Ok(wanted), "{text}");
        }
        for (text, words) in [
            ("web1:", "no port"),
            ("web1:0", "not a port"),
            ("web1:70000", "not a port"),
            ("w[1:2", "without `]`"),
        ] {
            let fault = said(text).expect_err(text);
            assert!(fault.contains(words), "{text}: {fault}");
        }
    }
}
