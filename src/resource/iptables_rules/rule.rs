//! What the user declares to be let in, and the rules of either family that do it.

use std::net::IpAddr;

use super::family::Family;
use crate::diagnostic::{Diagnostic, list};
use crate::value::{Kind, Map, Value};

/// The keys of one rule.
pub const KEYS: [&str; 8] = [
    "name",
    "ports",
    "proto",
    "from",
    "interface",
    "comment",
    "limit",
    "burst",
];

/// Ports that one rule of the packet filter can hold; a range counts twice.
const PORTS: usize = 15;

/// Protocols with ports.
const WITH_PORTS: [&str; 2] = ["tcp", "udp"];

/// The others that have a name here, and their numbers.
const NUMBERS: [(&str, u8); 6] = [
    ("igmp", 2),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("vrrp", 112),
    ("sctp", 132),
];

/// One thing that is let in.
#[derive(Debug, Clone)]
pub struct Rule {
    comment: Option<String>,
    /// First and last port.
    ports: Vec<(u16, u16)>,
    /// `tcp`, `udp` or a number; none for all.
    proto: Option<String>,
    /// Networks of either family; empty for everybody.
    from: Vec<(IpAddr, u8)>,
    interface: Option<String>,
    /// New connections of one address: so many, in `sec`, `min`, `hour` or `day`.
    limit: Option<(u64, &'static str)>,
    burst: u64,
}

/// The fault of a key that no rule has.
pub fn unknown_keys(map: &Map) -> Vec<Diagnostic> {
    map.iter()
        .filter(|(key, _)| !KEYS.contains(&&***key))
        .map(|(key, entry)| {
            Diagnostic::at(&entry.key, format!("unknown key `{key}` of a rule"))
                .nearest(key, KEYS)
                .help(format!("a rule has {}", list(KEYS)))
        })
        .collect()
}

impl Rule {
    /// Reads one.
    pub fn read(value: &Value) -> Result<Rule, Diagnostic> {
        let Some(map) = value.as_map() else {
            return Err(Diagnostic::at(
                &value.span,
                format!("a rule is a mapping, not {}", value.type_name()),
            )
            .help("write `{name: web, ports: [80, 443]}`"));
        };
        if let Some(fault) = unknown_keys(map).into_iter().next() {
            return Err(fault);
        }
        let get = |key: &str| {
            map.get(key)
                .map(|entry| &entry.value)
                .filter(|v| !v.is_null())
        };
        let comment = get("comment").or(get("name"));
        let rule = Rule {
            comment: comment.map(comment_of).transpose()?,
            ports: items(get("ports"))
                .iter()
                .map(ports_of)
                .collect::<Result<_, _>>()?,
            proto: get("proto").map_or(Ok(None), proto_of)?,
            from: items(get("from"))
                .iter()
                .filter_map(|value| network_of(value).transpose())
                .collect::<Result<_, _>>()?,
            interface: get("interface").map(interface_of).transpose()?,
            limit: get("limit").map(limit_of).transpose()?,
            burst: get("burst").map_or(Ok(5), burst_of)?,
        };
        rule.sound(value, map)
    }

    /// Rules across its keys.
    fn sound(mut self, value: &Value, map: &Map) -> Result<Rule, Diagnostic> {
        let has_ports = !self.ports.is_empty();
        if has_ports && !map.contains_key("proto") {
            self.proto = Some("tcp".to_owned());
        }
        let knows_ports = self
            .proto
            .as_deref()
            .is_some_and(|proto| WITH_PORTS.contains(&proto));
        if has_ports && !knows_ports {
            return Err(
                Diagnostic::at(&value.span, "ports need `proto: tcp` or `proto: udp`")
                    .help("write two rules for a port of both"),
            );
        }
        if !has_ports && self.proto.is_none() && self.from.is_empty() && self.interface.is_none() {
            return Err(
                Diagnostic::at(&value.span, "this rule would let in everything")
                    .help("name `ports`, a `proto`, who it is `from`, or the `interface`"),
            );
        }
        let any = items(map.get("from").map(|entry| &entry.value));
        if !any.is_empty() && self.from.is_empty() && any.len() > 1 {
            return Err(Diagnostic::at(&value.span, "`any` stands alone in `from`"));
        }
        Ok(self)
    }

    /// Whether it lets in TCP from `address` to `port`; an interface is taken to be the right one.
    pub fn admits(&self, address: IpAddr, port: u16) -> bool {
        let proto = self.proto.as_deref().is_none_or(|proto| proto == "tcp");
        let ports = self.ports.is_empty()
            || self
                .ports
                .iter()
                .any(|(from, to)| (*from..=*to).contains(&port));
        let from = self.from.is_empty()
            || self.from.iter().any(|(network, length)| {
                address.is_ipv4() == network.is_ipv4() && masked(address, *length) == *network
            });
        proto && ports && from
    }

    /// The rules of a family, as its `save` would print them.
    pub fn lines(&self, family: Family) -> Vec<String> {
        let mut sources: Vec<String> = self
            .from
            .iter()
            .filter(|(network, _)| network.is_ipv4() == (family == Family::V4))
            .map(|(network, length)| format!("-s {network}/{length} "))
            .collect();
        if self.from.is_empty() {
            sources.push(String::new());
        }
        let mut lines = Vec::new();
        for source in &sources {
            for ports in self.matches() {
                let mut line = source.clone();
                if let Some(interface) = &self.interface {
                    line.push_str(&format!("-i {interface} "));
                }
                if let Some(proto) = &self.proto {
                    line.push_str(&format!("-p {proto} {ports}"));
                }
                line.push_str(&self.limits(&line, family));
                if let Some(comment) = &self.comment {
                    line.push_str(&format!("-m comment --comment \"{comment}\" "));
                }
                line.push_str("-j ACCEPT");
                lines.push(line);
            }
        }
        lines
    }

    /// What its ports are matched by, each so long as one rule can hold.
    fn matches(&self) -> Vec<String> {
        let text = |(from, to): &(u16, u16)| match from == to {
            true => from.to_string(),
            false => format!("{from}:{to}"),
        };
        let proto = self.proto.as_deref().unwrap_or("all");
        match self.ports.as_slice() {
            [] => vec![String::new()],
            [one] => vec![format!("-m {proto} --dport {} ", text(one))],
            many => {
                let mut groups: Vec<(usize, Vec<String>)> = Vec::new();
                for port in many {
                    let weight = if port.0 == port.1 { 1 } else { 2 };
                    match groups.last_mut().filter(|(held, _)| held + weight <= PORTS) {
                        Some((held, group)) => {
                            *held += weight;
                            group.push(text(port));
                        }
                        None => groups.push((weight, vec![text(port)])),
                    }
                }
                groups
                    .iter()
                    .map(|(_, group)| format!("-m multiport --dports {} ", group.join(",")))
                    .collect()
            }
        }
    }

    /// Its limit. The kernel counts under a name: the same name for the same rule.
    fn limits(&self, line: &str, family: Family) -> String {
        let Some((count, unit)) = self.limit else {
            return String::new();
        };
        let mask = match family {
            Family::V4 => "",
            Family::V6 => " --hashlimit-srcmask 64",
        };
        let sum =
            super::super::body::sha256(format!("{line}{count}{unit}{}", self.burst).as_bytes());
        format!(
            "-m conntrack --ctstate NEW -m hashlimit --hashlimit-upto {count}/{unit} --hashlimit-burst {} --hashlimit-mode srcip --hashlimit-name hd{}{mask} ",
            self.burst,
            &sum[..10]
        )
    }
}

/// A list's items, words between commas, or the value itself.
fn items(value: Option<&Value>) -> Vec<Value> {
    match value.map(|value| (&value.kind, value)) {
        None => Vec::new(),
        Some((Kind::List(items), _)) => items
            .iter()
            .flat_map(|item| match item.as_list() {
                Some(_) => items_of(item),
                None => vec![item.clone()],
            })
            .collect(),
        Some((Kind::Str(text), value)) => text
            .split(',')
            .map(|word| Value::str(word.trim(), &value.span))
            .collect(),
        Some((_, value)) => vec![value.clone()],
    }
}

fn items_of(value: &Value) -> Vec<Value> {
    items(Some(value))
}

fn text(value: &Value) -> String {
    match &value.kind {
        Kind::Int(number) => number.to_string(),
        _ => value.as_str().unwrap_or_default().trim().to_owned(),
    }
}

fn comment_of(value: &Value) -> Result<String, Diagnostic> {
    let words = text(value);
    let plain = |c: char| !c.is_control() && !matches!(c, '"' | '\\' | '\'');
    if words.is_empty() || words.len() > 200 || !words.chars().all(plain) {
        return Err(Diagnostic::at(
            &value.span,
            "a rule's name is 1 to 200 bytes without quotes and backslashes",
        ));
    }
    Ok(words)
}

fn ports_of(value: &Value) -> Result<(u16, u16), Diagnostic> {
    let words = text(value);
    let (from, to) = words.split_once([':', '-']).unwrap_or((&words, &words));
    let port = |word: &str| word.trim().parse::<u16>().ok().filter(|port| *port > 0);
    match (port(from), port(to)) {
        (Some(from), Some(to)) if from <= to => Ok((from, to)),
        _ => Err(Diagnostic::at(&value.span, format!("`{words}` is no port"))
            .help("write a number from 1 to 65535, or a range such as 60000:61000; names of services are not looked up")),
    }
}

fn proto_of(value: &Value) -> Result<Option<String>, Diagnostic> {
    let word = text(value);
    if word == "any" || word == "all" {
        return Ok(None);
    }
    if WITH_PORTS.contains(&word.as_str()) {
        return Ok(Some(word));
    }
    let named = NUMBERS
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, number)| *number);
    match named.or_else(|| word.parse().ok()) {
        Some(6) => Ok(Some("tcp".to_owned())),
        Some(17) => Ok(Some("udp".to_owned())),
        Some(number) if number > 0 => Ok(Some(number.to_string())),
        _ => Err(
            Diagnostic::at(&value.span, format!("`{word}` is no protocol")).help(format!(
                "it is tcp, udp, {}, any, or a number",
                list(NUMBERS.map(|(name, _)| name))
            )),
        ),
    }
}

/// The number of a protocol that has a name, as text.
pub fn number(name: &str) -> Option<String> {
    let found = NUMBERS.iter().find(|(known, _)| *known == name);
    found.map(|(_, number)| number.to_string())
}

/// None for `any`.
fn network_of(value: &Value) -> Result<Option<(IpAddr, u8)>, Diagnostic> {
    let words = text(value);
    if words == "any" {
        return Ok(None);
    }
    let fault = || {
        Diagnostic::at(&value.span, format!("`{words}` is no address")).help(
            "write an address, a network such as 10.0.0.0/8 or fd00::/8, or `any`; names are not looked up, since a packet filter holds addresses",
        )
    };
    let (address, length) = match words.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (words.as_str(), None),
    };
    let address: IpAddr = address.parse().map_err(|_| fault())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = match length {
        Some(length) => length
            .parse()
            .ok()
            .filter(|length| *length <= most)
            .ok_or_else(fault)?,
        None => most,
    };
    if length == 0 {
        return Err(Diagnostic::at(
            &value.span,
            "a network of all addresses is written `any`",
        ));
    }
    Ok(Some((masked(address, length), length)))
}

fn masked(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            IpAddr::V4((u32::from(address) & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            IpAddr::V6((u128::from(address) & mask).into())
        }
    }
}

fn interface_of(value: &Value) -> Result<String, Diagnostic> {
    let word = text(value);
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-:@".contains(c);
    let name = word.strip_suffix('+').unwrap_or(&word);
    if name.is_empty() || word.len() > 15 || !name.chars().all(plain) || name.starts_with('-') {
        return Err(
            Diagnostic::at(&value.span, format!("`{word}` is no name of an interface"))
                .help("such as eth1; eth+ stands for all that begin so"),
        );
    }
    Ok(word)
}

fn limit_of(value: &Value) -> Result<(u64, &'static str), Diagnostic> {
    let words = text(value);
    let (count, unit) = words.split_once('/').unwrap_or((&words, ""));
    let count = count
        .trim()
        .parse()
        .ok()
        .filter(|count| (1..=10_000).contains(count));
    let unit = unit.trim();
    let units = [
        ("second", "sec"),
        ("minute", "min"),
        ("hour", "hour"),
        ("day", "day"),
    ];
    let known = units
        .iter()
        .find(|(long, short)| !unit.is_empty() && (long.starts_with(unit) || *short == unit));
    match (count, known) {
        (Some(count), Some((_, short))) => Ok((count, short)),
        _ => Err(
            Diagnostic::at(&value.span, format!("`{words}` is no limit"))
                .help("write how many new connections one address may make, such as 10/minute"),
        ),
    }
}

fn burst_of(value: &Value) -> Result<u64, Diagnostic> {
    let words = text(value);
    words
        .parse()
        .ok()
        .filter(|burst| (1..=10_000).contains(burst))
        .ok_or_else(|| {
            Diagnostic::at(
                &value.span,
                format!("`{words}` is no number of connections"),
            )
        })
}
