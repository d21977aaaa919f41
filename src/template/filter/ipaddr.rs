//! `ipaddr` of ansible.utils and its queries.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, Value as Native};

use super::address::{Network, in_any};
use super::given::Given;
use super::reach::{MULTICAST, alone, is_global, is_public};
use super::{expected, items_of, text_of};
use crate::diagnostic::nearest;
use crate::template::convert::fault;

pub(super) fn register(environment: &mut Environment<'static>) {
    for (name, version) in [("ipaddr", None), ("ipv4", Some(4)), ("ipv6", Some(6))] {
        environment.add_filter(
            name,
            move |value: &Native, args: &[Native], kwargs: Kwargs| {
                let given = Given::read(&["query"], args, &kwargs)?;
                let query = given.text_or("query", "")?;
                ipaddr(value, &query, version)
            },
        );
    }
    environment.add_filter("ipwrap", wrap_any);
}

/// Whether an address or a network was written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Written {
    Address,
    Network,
}

/// What a query is asked of.
pub(super) struct Asked {
    pub network: Network,
    pub written: Written,
    /// The value as the filter gives it back.
    pub text: String,
}

/// The address a value stands for; none for what is no address.
pub(super) fn read(value: &Native, version: Option<u8>) -> Result<Option<Asked>, Error> {
    let text = match value.kind() {
        ValueKind::String => value.as_str().unwrap_or("").to_owned(),
        ValueKind::Number if value.is_integer() => text_of(value)?,
        ValueKind::Bool | ValueKind::None => return Ok(None),
        _ => return Err(expected("an address", value)),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits(&text) {
        let Ok(number) = text.parse::<u128>() else {
            return Ok(None);
        };
        let network = match version {
            Some(version) => Network::number(number, version),
            None => Network::number(number, 4),
        };
        let network = network.or_else(|| Network::number(number, 6));
        return Ok(network.map(|network| Asked {
            network,
            written: Written::Address,
            text: network.to_string(),
        }));
    }
    if let Some(network) = Network::parse(&text) {
        let written = match text.contains('/') {
            true => Written::Network,
            false => Written::Address,
        };
        return Ok(Some(Asked {
            network,
            written,
            text,
        }));
    }
    let Some((address, prefix)) = text.split_once('/') else {
        return Ok(None);
    };
    let (Ok(address), Ok(prefix)) = (address.parse::<u128>(), prefix.parse::<u8>()) else {
        return Ok(None);
    };
    let network = [4, 6].into_iter().find_map(|version| {
        let network = Network::number(address, version)?;
        (prefix <= network.bits()).then_some(Network { prefix, ..network })
    });
    Ok(network.map(|network| Asked {
        network,
        written: Written::Network,
        text: network.to_string(),
    }))
}

/// One address, or those of a list that have an answer.
pub(super) fn ipaddr(value: &Native, query: &str, version: Option<u8>) -> Result<Native, Error> {
    if matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        let mut found = Vec::new();
        for item in items_of(value)? {
            let answer = ipaddr(&item, query, version)?;
            if answer.is_true() {
                found.push(answer);
            }
        }
        return Ok(Native::from(found));
    }
    let Some(asked) = read(value, version)? else {
        // What the query is called is checked all the same.
        check(query)?;
        return Ok(Native::from(false));
    };
    if version.is_some_and(|version| version != asked.network.version) {
        check(query)?;
        return Ok(Native::from(false));
    }
    answer(&asked, query)
}

const QUERIES: &[&str] = &[
    "",
    "6to4",
    "address",
    "address/prefix",
    "bool",
    "broadcast",
    "cidr",
    "first_usable",
    "gateway",
    "gw",
    "host",
    "host/prefix",
    "hostmask",
    "hostnet",
    "int",
    "ip",
    "ip/prefix",
    "ip_netmask",
    "ipv4",
    "ipv6",
    "last_usable",
    "link-local",
    "lo",
    "loopback",
    "multicast",
    "net",
    "next_usable",
    "netmask",
    "network",
    "network_id",
    "network/prefix",
    "network_netmask",
    "network_wildcard",
    "peer",
    "prefix",
    "previous_usable",
    "private",
    "public",
    "range_usable",
    "revdns",
    "router",
    "size",
    "size_usable",
    "subnet",
    "type",
    "unicast",
    "v4",
    "v6",
    "version",
    "wildcard",
    "wrap",
];

/// Whether a query is a word, a number or a network.
pub(in crate::template) fn check(query: &str) -> Result<(), Error> {
    if QUERIES.contains(&query) || query.parse::<i128>().is_ok() || Network::parse(query).is_some()
    {
        return Ok(());
    }
    let near = nearest(
        query,
        QUERIES.iter().copied().filter(|known| !known.is_empty()),
    );
    Err(fault(match near {
        Some(near) => format!("no query of this name; did you mean `{near}`?"),
        None => "no query of this name; it is a word such as `network`, a number, or a network"
            .to_owned(),
    }))
}

fn answer(asked: &Asked, query: &str) -> Result<Native, Error> {
    let Asked {
        network: v,
        written,
        text,
    } = asked;
    let address = *written == Written::Address;
    let nothing = || Ok(Native::from(()));
    let whole_text = || Ok(Native::from(text.as_str()));
    let say = |text: String| Ok(Native::from(text));
    let when = |holds: bool| match holds {
        true => Ok(Native::from(text.as_str())),
        false => Ok(Native::from(())),
    };
    let usable = || match (address, v.usable()) {
        (true, _) => Err(fault("this is an address, not a network")),
        (false, usable) => Ok(usable),
    };
    let host = !v.is_first() || v.broadcast().is_none();
    match query {
        "" if address => say(v.ip()),
        "" => say(v.to_string()),
        "bool" => Ok(Native::from(true)),
        "address" | "ip" => match v.size() {
            1 => say(v.ip()),
            _ if host || v.version == 6 => say(v.ip()),
            _ => nothing(),
        },
        "address/prefix" | "gateway" | "gw" | "host/prefix" | "hostnet" | "router" => {
            let edge = v.is_first() || v.broadcast() == Some(v.value);
            match v.size() > 2 && edge {
                true => Ok(Native::from(false)),
                false => say(v.to_string()),
            }
        }
        "broadcast" => match v.size() > 2 {
            true => say(v
                .broadcast()
                .map_or("None".to_owned(), |value| v.show(value))),
            false => nothing(),
        },
        "cidr" => say(v.to_string()),
        "subnet" | "network/prefix" => say(v.cidr().to_string()),
        "first_usable" => Ok(usable()?.map_or(Native::from(()), |(first, _)| v.show(first).into())),
        "last_usable" => Ok(usable()?.map_or(Native::from(()), |(_, last)| v.show(last).into())),
        "range_usable" => Ok(usable()?.map_or(Native::from(()), |(first, last)| {
            format!("{}-{}", v.show(first), v.show(last)).into()
        })),
        "next_usable" => Ok(usable()?.map_or(Native::from(()), |bounds| {
            step(v, v.value.checked_add(1), bounds)
        })),
        "previous_usable" => Ok(usable()?.map_or(Native::from(()), |bounds| {
            step(v, v.value.checked_sub(1), bounds)
        })),
        "peer" => peer(v, address),
        "host" => match v.size() == 1 || host {
            true => say(v.to_string()),
            false => nothing(),
        },
        "hostmask" | "wildcard" => say(v.show(v.hosts())),
        "netmask" => say(v.show(v.mask())),
        "int" if address => Ok(number(v.value)),
        "int" => say(format!("{}/{}", v.value, v.prefix)),
        "ip/prefix" => match v.size() == 2 || v.size() > 1 && !v.is_first() {
            true => say(v.to_string()),
            false => nothing(),
        },
        "ip_netmask" => match v.size() == 2 || v.size() > 1 && !v.is_first() {
            true => say(format!("{} {}", v.ip(), v.show(v.mask()))),
            false => nothing(),
        },
        "ipv4" | "v4" if v.version == 4 => whole_text(),
        "ipv4" | "v4" => Ok(as_ipv4(v).map_or(Native::from(false), Native::from)),
        "ipv6" | "v6" if v.version == 6 => whole_text(),
        "ipv6" | "v6" => say(format!("::ffff:{}/{}", v.ip(), u32::from(v.prefix) + 96)),
        "link-local" => when(in_any(&alone(v), &["169.254.0.0/16", "fe80::/10"])),
        "loopback" | "lo" => when(in_any(&alone(v), &["127.0.0.0/8", "::1/128"])),
        "multicast" => when(in_any(&alone(v), MULTICAST)),
        "unicast" => when(!in_any(&alone(v), MULTICAST)),
        "net" => match v.size() > 1 && v.is_first() {
            true => say(v.to_string()),
            false => nothing(),
        },
        "network" | "network_id" => say(v.show(v.first())),
        "network_netmask" => say(format!("{} {}", v.show(v.first()), v.show(v.mask()))),
        "network_wildcard" => say(format!("{} {}", v.show(v.first()), v.show(v.hosts()))),
        "prefix" => Ok(Native::from(v.prefix)),
        "private" => when(!is_global(v)),
        "public" => when(is_public(v)),
        "revdns" => say(reverse_name(v)),
        "size" => Ok(number(v.size())),
        "size_usable" => Ok(match v.size() {
            1 => Native::from(0),
            2 => Native::from(2),
            size => number(size - 2),
        }),
        "type" => say(match v.size() == 1 || !v.is_first() {
            true => "address",
            false => "network",
        }
        .to_owned()),
        "version" => Ok(Native::from(v.version)),
        "wrap" if v.version == 4 => whole_text(),
        "wrap" if address => say(format!("[{}]", v.ip())),
        "wrap" => say(format!("[{}]/{}", v.ip(), v.prefix)),
        "6to4" => Ok(six_to_four(v, address, text)),
        other => indexed(asked, other),
    }
}

/// A number as the query: that address of the network. A network as the query: whether it is inside.
fn indexed(asked: &Asked, query: &str) -> Result<Native, Error> {
    let v = &asked.network;
    let Ok(index) = query.parse::<i128>() else {
        check(query)?;
        let inside = Network::parse(query).is_some_and(|network| network.contains(v));
        return Ok(match inside {
            true => Native::from(asked.text.as_str()),
            false => Native::from(()),
        });
    };
    if v.size() == 1 {
        return Ok(match asked.written {
            Written::Address => Native::from(v.ip()),
            Written::Network => Native::from(v.to_string()),
        });
    }
    Ok(match nth(v, index) {
        Some(value) => Native::from(format!("{}/{}", v.show(value), v.prefix)),
        None => Native::from(false),
    })
}

/// The address of an index, from the end when it is negative.
pub(super) fn nth(v: &Network, index: i128) -> Option<u128> {
    let at = match u128::try_from(index) {
        Ok(index) => v.first().checked_add(index)?,
        Err(_) => v.last().checked_sub(index.unsigned_abs() - 1)?,
    };
    (v.first()..=v.last()).contains(&at).then_some(at)
}

fn step(v: &Network, to: Option<u128>, (first, last): (u128, u128)) -> Native {
    match to.filter(|to| (first..=last).contains(to)) {
        Some(to) => Native::from(v.show(to)),
        None => Native::from(()),
    }
}

fn peer(v: &Network, address: bool) -> Result<Native, Error> {
    let other = match v.size() {
        _ if address => return Err(fault("this is an address, not a network")),
        2 => v.value ^ 1,
        4 if v.value.is_multiple_of(4) || v.value % 4 == 3 => {
            return Err(fault("the first and last address of four have no peer"));
        }
        4 => v.value ^ 3,
        _ => return Err(fault("a peer is only in networks of two or four addresses")),
    };
    Ok(Native::from(v.show(other)))
}

/// A number that may be beyond 64 bits.
pub(super) fn number(value: u128) -> Native {
    match i64::try_from(value) {
        Ok(value) => Native::from(value),
        Err(_) => Native::from(value),
    }
}

fn as_ipv4(v: &Network) -> Option<String> {
    let high = v.value >> 32;
    let mapped = high == 0xffff || high == 0;
    (mapped && v.prefix >= 96).then(|| {
        let address = std::net::Ipv4Addr::from(v.value as u32);
        format!("{address}/{}", v.prefix - 96)
    })
}

fn six_to_four(v: &Network, address: bool, text: &str) -> Native {
    if v.version == 6 {
        let inside = in_any(&alone(v), &["2002::/16"]);
        return match inside && (address || !v.is_first()) {
            true => Native::from(text),
            false => Native::from(false),
        };
    }
    if v.size() > 1 && v.is_first() {
        return Native::from(false);
    }
    let [a, b, c, d] = (v.value as u32).to_be_bytes();
    Native::from(format!("2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1/48"))
}

fn reverse_name(v: &Network) -> String {
    if v.version == 4 {
        let [a, b, c, d] = (v.value as u32).to_be_bytes();
        return format!("{d}.{c}.{b}.{a}.in-addr.arpa.");
    }
    let digits = format!("{:032x}", v.value);
    let mut name: String = digits.chars().rev().flat_map(|c| [c, '.']).collect();
    name.push_str("ip6.arpa.");
    name
}

/// IPv6 addresses in brackets, everything else as it is.
fn wrap_any(value: &Native) -> Result<Native, Error> {
    if matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return items_of(value)?.iter().map(wrap_any).collect();
    }
    if !matches!(value.kind(), ValueKind::String | ValueKind::Bool) {
        return Err(expected("text or a list", value));
    }
    let plain = ipaddr(value, "", None)?;
    match plain.is_true() {
        true => ipaddr(&plain, "wrap", None),
        false => Ok(value.clone()),
    }
}
