//! Tests of addresses: those of ansible.utils, as Python's `ipaddress` sees them; and of names of hosts.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, Value as Native};

use super::{add, defined, items};
use crate::template::convert::fault;
use crate::template::filter::{GLOBAL_ALL_THE_SAME, Given, Network, hardware_address, in_any};
use crate::template::python;

/// A name, and whether an address or a network is that.
type Named = (&'static str, fn(&Network) -> bool);

pub(super) fn register(environment: &mut Environment<'static>) {
    let networks: &[Named] = &[
        ("ip", |_| true),
        ("ipv4", |network| network.version == 4),
        ("ipv6", |network| network.version == 6),
    ];
    for (name, holds) in networks {
        let holds = *holds;
        add(environment, name, move |value: &Native| {
            Ok::<_, Error>(network(value)?.is_some_and(|network| holds(&network)))
        });
    }
    let addresses: &[Named] = &[
        ("ip_address", |_| true),
        ("ipv4_address", |ip| ip.version == 4),
        ("ipv6_address", |ip| ip.version == 6),
        ("ipv6_ipv4_mapped", |ip| in_any(ip, &["::ffff:0:0/96"])),
        ("ipv6_sixtofour", |ip| in_any(ip, &["2002::/16"])),
        ("ipv6_teredo", |ip| in_any(ip, &["2001::/32"])),
        ("loopback", |ip| in_any(ip, &["127.0.0.0/8", "::1/128"])),
        ("multicast", |ip| in_any(ip, &["224.0.0.0/4", "ff00::/8"])),
        ("private", is_private),
        ("public", |ip| {
            !is_private(ip) && !in_any(ip, &["100.64.0.0/10"])
        }),
        ("reserved", |ip| in_any(ip, RESERVED)),
        ("unspecified", |ip| ip.value == 0),
    ];
    for (name, holds) in addresses {
        let holds = *holds;
        add(environment, name, move |value: &Native| {
            Ok::<_, Error>(address(value)?.is_some_and(|address| holds(&address)))
        });
    }
    add(environment, "in_network", |a: &Native, b: &Native| {
        inside(a, b)
    });
    add(environment, "subnet_of", |a: &Native, b: &Native| {
        inside(a, b)
    });
    add(environment, "supernet_of", |a: &Native, b: &Native| {
        inside(b, a)
    });
    add(
        environment,
        "in_any_network",
        |a: &Native, list: &Native| Ok::<_, Error>(count(a, list)? > 0),
    );
    add(
        environment,
        "in_one_network",
        |a: &Native, list: &Native| Ok::<_, Error>(count(a, list)? == 1),
    );
    add(environment, "ipv4_netmask", |value: &Native| {
        let text = text(value)?;
        let found = Network::parse(&format!("10.0.0.0/{text}"));
        Ok::<_, Error>(found.is_some_and(|v| v.show(v.mask()) == text))
    });
    add(environment, "ipv4_hostmask", |value: &Native| {
        let text = text(value)?;
        let found = Network::parse(&format!("10.0.0.0/{text}"));
        Ok::<_, Error>(found.is_some_and(|v| v.show(v.hosts()) == text))
    });
    add(environment, "mac", |value: &Native| {
        let text = text(value)?;
        let full = text.bytes().filter(u8::is_ascii_hexdigit).count() == 12;
        let six = text.split([':', '-']).count() == 6;
        let plain = six || text.split('.').count() == 3 || text.len() == 12;
        Ok::<_, Error>(full && plain && hardware_address(&text).is_some())
    });
    add(environment, "fqdn_valid", fqdn_valid);
}

/// What Python's `ipaddress` calls private; a little less than what is not reached from everywhere.
const PRIVATE: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.0.170/31",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "::1/128",
    "::/128",
    "::ffff:0:0/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "fc00::/7",
    "fe80::/10",
];

const RESERVED: &[&str] = &[
    "240.0.0.0/4",
    "::/8",
    "100::/8",
    "200::/7",
    "400::/6",
    "800::/5",
    "1000::/4",
    "4000::/3",
    "6000::/3",
    "8000::/3",
    "a000::/3",
    "c000::/3",
    "e000::/4",
    "f000::/5",
    "f800::/6",
    "fe00::/9",
];

fn is_private(ip: &Network) -> bool {
    // A mapped address is what it is in IPv4.
    if in_any(ip, &["::ffff:0:0/96"]) {
        let inner = Network::number(ip.value & 0xffff_ffff, 4);
        return inner.is_some_and(|inner| is_private(&inner));
    }
    in_any(ip, PRIVATE) && !in_any(ip, GLOBAL_ALL_THE_SAME)
}

fn text(value: &Native) -> Result<String, Error> {
    defined(value)?;
    if matches!(value.kind(), ValueKind::Seq | ValueKind::Map) {
        return Err(fault("this test needs text"));
    }
    python::text(value)
}

/// A network without bits of hosts.
fn network(value: &Native) -> Result<Option<Network>, Error> {
    Ok(Network::parse(&text(value)?).filter(Network::is_first))
}

fn address(value: &Native) -> Result<Option<Network>, Error> {
    let text = text(value)?;
    Ok(Network::parse(&text).filter(|_| !text.contains('/')))
}

fn inside(part: &Native, whole: &Native) -> Result<bool, Error> {
    Ok(match (network(part)?, network(whole)?) {
        (Some(part), Some(whole)) => whole.contains(&part),
        _ => false,
    })
}

fn count(part: &Native, wholes: &Native) -> Result<usize, Error> {
    let mut count = 0;
    for whole in items(wholes)? {
        count += usize::from(inside(part, &whole)?);
    }
    Ok(count)
}

/// Labels of 1 to 63 letters, digits and hyphens that do not begin or end with a hyphen.
fn fqdn_valid(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<bool, Error> {
    let given = Given::read(&["min_labels", "allow_underscores"], args, &kwargs)?;
    let least = given.whole("min_labels")?.unwrap_or(1);
    let underscores = given.flag("allow_underscores");
    let text = text(value)?;
    let name = text.strip_suffix('.').unwrap_or(&text);
    let labels: Vec<&str> = name.split('.').collect();
    let good = |label: &&str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' && underscores
            })
    };
    let enough = i64::try_from(labels.len()).unwrap_or(i64::MAX) >= least;
    Ok(name.len() <= 253 && enough && labels.iter().all(good))
}
