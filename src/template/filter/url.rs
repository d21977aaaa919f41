//! URLs: `urlsplit`, `urldecode`, and what tells them.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, Value as Native};

use super::given::Given;
use super::{pairs_of, text_of};
use crate::diagnostic::nearest;
use crate::template::convert::fault;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("urlsplit", urlsplit);
    environment.add_filter("urlencode", urlencode);
    environment.add_filter("urldecode", |value: &Native| {
        let text = text_of(value)?.replace('+', " ");
        Ok::<_, Error>(unquoted(&text))
    });
}

/// The parts of a URL, as Python's `urlsplit` cuts them.
pub(in crate::template) struct Url {
    /// In small letters; empty without one.
    pub scheme: String,
    /// User, host and port.
    pub netloc: String,
    pub path: String,
    pub query: String,
    pub fragment: String,
}

impl Url {
    pub(in crate::template) fn parse(text: &str) -> Url {
        let text = text.trim_matches(|c: char| c <= ' ');
        let text: String = text.chars().filter(|c| !"\t\r\n".contains(*c)).collect();
        let is_scheme = |scheme: &str| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        };
        let (scheme, rest) = match text.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_lowercase(), rest),
            _ => (String::new(), text.as_str()),
        };
        let (netloc, rest) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())),
            None => ("", rest),
        };
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        Url {
            scheme,
            netloc: netloc.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            fragment: fragment.to_owned(),
        }
    }
}

const PARTS: &[&str] = &[
    "fragment", "hostname", "netloc", "password", "path", "port", "query", "scheme", "username",
];

fn urlsplit(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<Native, Error> {
    let given = Given::read(&["query"], args, &kwargs)?;
    let url = Url::parse(&text_of(value)?);
    let (account, host) = match url.netloc.rsplit_once('@') {
        Some((account, host)) => (Some(account), host),
        None => (None, url.netloc.as_str()),
    };
    let (user, password) = match account {
        Some(account) => match account.split_once(':') {
            Some((user, password)) => (Some(user), Some(password)),
            None => (Some(account), None),
        },
        None => (None, None),
    };
    let (name, port) = match host.strip_prefix('[') {
        Some(inside) => match inside.split_once(']') {
            Some((name, rest)) => (name, rest.strip_prefix(':')),
            None => return Err(fault("the address in this URL has no `]`")),
        },
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        },
    };
    let port = match port.filter(|port| !port.is_empty()) {
        None => Native::from(()),
        Some(port) => match port.parse::<u16>() {
            Ok(port) => Native::from(port),
            Err(_) => return Err(fault("the port of this URL is no number below 65536")),
        },
    };
    let text = |part: Option<&str>| part.map_or(Native::from(()), Native::from);
    let name = (!name.is_empty()).then(|| name.to_lowercase());
    let part = |which: &str| match which {
        "fragment" => Native::from(url.fragment.as_str()),
        "hostname" => text(name.as_deref()),
        "netloc" => Native::from(url.netloc.as_str()),
        "password" => text(password),
        "path" => Native::from(url.path.as_str()),
        "port" => port.clone(),
        "query" => Native::from(url.query.as_str()),
        "scheme" => Native::from(url.scheme.as_str()),
        _ => text(user),
    };
    match given.text_or("query", "")?.as_str() {
        "" => Ok(Native::from_pairs(
            PARTS
                .iter()
                .map(|which| (Native::from(*which), part(which))),
        )),
        which if PARTS.contains(&which) => Ok(part(which)),
        which => Err(fault(match nearest(which, PARTS.iter().copied()) {
            Some(near) => format!("a URL has no such part; did you mean `{near}`?"),
            None => format!("a URL has no such part; there are {}", PARTS.join(", ")),
        })),
    }
}

/// Text for a path, pairs for a query.
fn urlencode(value: &Native) -> Result<String, Error> {
    let pairs = match value.kind() {
        ValueKind::Map => pairs_of(value)?,
        ValueKind::Seq | ValueKind::Iterable => pairs_of(&super::data::pairs(value)?)?,
        _ => return Ok(quoted(&text_of(value)?, "/")),
    };
    let mut parts = Vec::new();
    for (key, item) in pairs {
        let (key, item) = (text_of(&key)?, text_of(&item)?);
        let plus = |text: &str| quoted(text, "").replace("%20", "+");
        parts.push(format!("{}={}", plus(&key), plus(&item)));
    }
    Ok(parts.join("&"))
}

fn quoted(text: &str, safe: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "_.-~".contains(c) || byte.is_ascii() && safe.contains(c) {
            out.push(c);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// `%41` as the byte it stands for; what is no UTF-8 then is replaced.
fn unquoted(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |digit: u8| char::from(digit).to_digit(16);
        match (first, tail) {
            (b'%', [a, b, behind @ ..]) => match (hex(*a), hex(*b)) {
                (Some(a), Some(b)) => {
                    bytes.push((a * 16 + b) as u8);
                    rest = behind;
                }
                _ => {
                    bytes.push(b'%');
                    rest = tail;
                }
            },
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
