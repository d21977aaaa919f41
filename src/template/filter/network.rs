//! Networks: subnets, hosts, merging, and hardware addresses.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, Value as Native};

use super::address::{Network, address_of, show, width};
use super::given::{Given, whole};
use super::ipaddr::{nth, number, read};
use super::{expected, items_of, text_of};
use crate::template::convert::fault;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("ipsubnet", ipsubnet);
    environment.add_filter("nthhost", nthhost);
    environment.add_filter("next_nth_usable", |v: &Native, n: &Native| {
        nth_usable(v, n, 1)
    });
    environment.add_filter("previous_nth_usable", |v: &Native, n: &Native| {
        nth_usable(v, n, -1)
    });
    environment.add_filter("ipmath", ipmath);
    environment.add_filter("ip4_hex", ip4_hex);
    environment.add_filter("ipcut", ipcut);
    environment.add_filter("ipv6form", ipv6form);
    environment.add_filter("cidr_merge", cidr_merge);
    environment.add_filter("network_in_network", |value: &Native, test: &Native| {
        Ok::<_, Error>(normal(value)?.contains(&normal(test)?))
    });
    environment.add_filter("network_in_usable", |value: &Native, test: &Native| {
        let (value, test) = (normal(value)?, normal(test)?);
        let (first, last) = value.usable().unwrap_or((value.first(), value.last()));
        Ok::<_, Error>(
            value.version == test.version && first <= test.first() && test.last() <= last,
        )
    });
    environment.add_filter("reduce_on_network", |value: &Native, network: &Native| {
        let network = normal(network)?;
        let mut kept = Vec::new();
        for item in items_of(value)? {
            if network.contains(&normal(&item)?) {
                kept.push(item);
            }
        }
        Ok::<_, Error>(kept)
    });
    environment.add_filter("usable_range", usable_range);
}

/// The network of an address or network, without the bits of hosts; none for what is neither.
fn subnet(value: &Native) -> Result<Option<Network>, Error> {
    Ok(read(value, None)?.map(|asked| asked.network))
}

/// The same, where something else is a fault.
fn normal(value: &Native) -> Result<Network, Error> {
    match subnet(value)? {
        Some(network) => Ok(network.cidr()),
        None => Err(fault("this is neither an address nor a network")),
    }
}

fn ipsubnet(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<Native, Error> {
    let given = Given::read(&["query", "index"], args, &kwargs)?;
    let query = given.text_or("query", "")?;
    let index = given.value("index").map(text_of).transpose()?;
    let Some(found) = subnet(value)? else {
        return Ok(Native::from(false));
    };
    // An address inside a network is taken for itself with its prefix, so its network counts all the same.
    let v = found.cidr();
    if query.is_empty() {
        return Ok(Native::from(v.to_string()));
    }
    let Ok(length) = query.parse::<i64>() else {
        return place_in(&v, &query);
    };
    let bits = i64::from(v.bits());
    if !(0..=bits).contains(&length) {
        return Ok(Native::from(false));
    }
    let prefix = length as u8;
    let index = match index {
        Some(index) => match index.trim().parse::<i128>() {
            Ok(index) => Some(index),
            Err(_) => return Err(fault("`index` is a whole number")),
        },
        None => None,
    };
    if v.size() == 1 {
        return Ok(supernet(&v, prefix, index.unwrap_or(0)));
    }
    let Some(more) = prefix.checked_sub(v.prefix) else {
        return Err(fault(
            "the subnets asked for are larger than the network itself",
        ));
    };
    let count = match more {
        128 => u128::MAX,
        more => 1u128 << more,
    };
    let Some(index) = index else {
        return Ok(Native::from(count.to_string()));
    };
    let index = match u128::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => count.checked_sub(index.unsigned_abs()),
    };
    let Some(index) = index.filter(|index| *index < count) else {
        return Ok(Native::from(false));
    };
    let shift = u32::from(v.bits() - prefix);
    let value = v.first() | index.checked_shl(shift).unwrap_or(0);
    Ok(Native::from(Network { value, prefix, ..v }.to_string()))
}

/// The networks above an address, the largest first.
fn supernet(v: &Network, prefix: u8, index: i128) -> Native {
    let above = i128::from(v.prefix) - i128::from(prefix);
    let at = if index < 0 { above + index } else { index };
    if above == 0 || !(0..above).contains(&at) {
        return Native::from(false);
    }
    let network = Network {
        prefix: prefix + at as u8,
        ..*v
    };
    Native::from(network.cidr().to_string())
}

/// Which of the subnets of its size a network is, counted from one.
fn place_in(v: &Network, query: &str) -> Result<Native, Error> {
    let Some(outer) = Network::parse(query) else {
        return Err(fault(
            "the query is a length of prefix, a network or an address",
        ));
    };
    if !outer.contains(v) {
        return Err(fault("it is not in that network"));
    }
    let shift = u32::from(v.bits() - v.prefix);
    let inside = v.first() - outer.first();
    let at = inside.checked_shr(shift).unwrap_or(0);
    Ok(Native::from((at + 1).to_string()))
}

fn nthhost(value: &Native, query: Option<Native>) -> Result<Native, Error> {
    let (Some(v), Some(query)) = (subnet(value)?, query) else {
        return Ok(Native::from(false));
    };
    let Ok(index) = text_of(&query)?.parse::<i128>() else {
        return Ok(Native::from(false));
    };
    let found = query.is_true().then(|| nth(&v, index)).flatten();
    Ok(found.map_or(Native::from(false), |value| v.show(value).into()))
}

fn nth_usable(value: &Native, offset: &Native, sign: i128) -> Result<Native, Error> {
    let offset = i128::from(whole(offset, "offset")?) * sign;
    let Some(v) = subnet(value)? else {
        return Ok(Native::from(false));
    };
    let Some((first, last)) = v.usable() else {
        return Ok(Native::from(()));
    };
    let to = v.value.checked_add_signed(offset);
    Ok(match to.filter(|to| (first..=last).contains(to)) {
        Some(to) => Native::from(v.show(to)),
        None => Native::from(()),
    })
}

fn ipmath(value: &Native, amount: &Native) -> Result<String, Error> {
    let Some(v) = Network::parse(&text_of(value)?) else {
        return Err(fault("this is no address"));
    };
    let amount = i128::from(whole(amount, "amount")?);
    v.value
        .checked_add_signed(amount)
        .filter(|value| *value <= super::address::all(v.bits()))
        .map(|value| v.show(value))
        .ok_or_else(|| fault("the sum is no address any more"))
}

fn ip4_hex(value: &Native, delimiter: Option<String>, kwargs: Kwargs) -> Result<String, Error> {
    let delimiter = match delimiter {
        Some(delimiter) => delimiter,
        None => kwargs
            .get::<Option<String>>("delimiter")?
            .unwrap_or_default(),
    };
    kwargs.assert_all_used()?;
    match address_of(&text_of(value)?) {
        Some((4, value)) => {
            let bytes = (value as u32).to_be_bytes();
            let parts: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            Ok(parts.join(&delimiter))
        }
        _ => Err(fault("this is no IPv4 address")),
    }
}

/// The first bits of an address, or the last when the amount is negative.
fn ipcut(value: &Native, amount: &Native) -> Result<String, Error> {
    let Some((version, number)) = address_of(&text_of(value)?) else {
        return Err(fault("this is no address"));
    };
    let bits = i64::from(width(version));
    let amount = whole(amount, "amount")?.clamp(-bits, bits);
    let digits = format!("{number:0width$b}", width = bits as usize);
    let part = match amount < 0 {
        true => &digits[(bits + amount) as usize..],
        false => &digits[..amount as usize],
    };
    let step = if version == 6 { 16 } else { 8 };
    let groups = part.as_bytes().chunks(step).map(|group| {
        let value = group
            .iter()
            .fold(0u32, |value, bit| value << 1 | u32::from(bit - b'0'));
        match version {
            6 => format!("{value:x}"),
            _ => value.to_string(),
        }
    });
    let groups: Vec<String> = groups.collect();
    Ok(groups.join(if version == 6 { ":" } else { "." }))
}

fn ipv6form(value: &Native, form: String) -> Result<String, Error> {
    let Some((version, number)) = address_of(&text_of(value)?) else {
        return Err(fault("this is no address"));
    };
    let groups = |show: fn(u16) -> String| {
        let groups: Vec<String> = (0..8)
            .rev()
            .map(|at| show((number >> (16 * at)) as u16))
            .collect();
        groups.join(":")
    };
    match form.as_str() {
        "expand" | "compress" | "x509" if version == 4 => Ok(show(4, number)),
        "expand" => Ok(groups(|group| format!("{group:04x}"))),
        "x509" => Ok(groups(|group| format!("{group:x}"))),
        "compress" => Ok(std::net::Ipv6Addr::from(number).to_string()),
        _ => Err(fault("the form is expand, compress or x509")),
    }
}

/// Whether `cidr_merge` knows an action.
pub(in crate::template) fn is_merge(action: &str) -> Result<(), Error> {
    match action {
        "merge" | "span" => Ok(()),
        _ => Err(fault("`action` is merge or span")),
    }
}

fn cidr_merge(value: &Native, action: Option<String>, kwargs: Kwargs) -> Result<Native, Error> {
    let action = match action {
        Some(action) => action,
        None => kwargs
            .get::<Option<String>>("action")?
            .unwrap_or_else(|| "merge".to_owned()),
    };
    kwargs.assert_all_used()?;
    is_merge(&action)?;
    if value.kind() == ValueKind::String {
        return Err(expected("a list of networks", value));
    }
    let mut networks = Vec::new();
    for item in items_of(value)? {
        match Network::parse(&text_of(&item)?) {
            Some(network) => networks.push(network),
            None => return Err(fault("an item is neither an address nor a network")),
        }
    }
    match action.as_str() {
        "merge" => Ok(merged(networks)
            .into_iter()
            .map(|network| Native::from(network.to_string()))
            .collect()),
        _ => span(&networks),
    }
}

/// As few networks as possible for the same addresses.
fn merged(networks: Vec<Network>) -> Vec<Network> {
    let mut networks: Vec<Network> = networks.iter().map(Network::cidr).collect();
    networks.sort_by_key(|network| (network.version, network.value, network.prefix));
    let mut kept: Vec<Network> = Vec::new();
    for network in networks {
        if kept.last().is_some_and(|last| last.contains(&network)) {
            continue;
        }
        kept.push(network);
        // Two halves are their whole, which may be a half itself.
        while let [.., a, b] = kept.as_slice() {
            let whole = Network {
                prefix: a.prefix.saturating_sub(1),
                ..*a
            };
            let halves = a.version == b.version
                && a.prefix == b.prefix
                && a.prefix > 0
                && whole.is_first()
                && whole.contains(b);
            if !halves {
                break;
            }
            kept.truncate(kept.len() - 2);
            kept.push(whole);
        }
    }
    kept
}

/// The smallest network that holds all.
fn span(networks: &[Network]) -> Result<Native, Error> {
    let [first, rest @ ..] = networks else {
        return Ok(Native::from(()));
    };
    if rest.is_empty() {
        return Ok(Native::from(first.to_string()));
    }
    if rest.iter().any(|other| other.version != first.version) {
        return Err(fault("IPv4 and IPv6 have no network in common"));
    }
    let mut whole = first.cidr();
    while !rest.iter().all(|other| whole.contains(other)) {
        whole.prefix -= 1;
        whole = whole.cidr();
    }
    Ok(Native::from(whole.to_string()))
}

fn usable_range(value: &Native) -> Result<Native, Error> {
    let Some(v) = Network::parse(&text_of(value)?) else {
        return Err(fault("this is no network"));
    };
    if !v.is_first() {
        return Err(fault(
            "this address has bits of hosts set; give the network",
        ));
    }
    if v.size() > 65_536 {
        return Err(fault("the network has more than 65536 addresses"));
    }
    let addresses: Native = (v.first()..=v.last())
        .map(|value| Native::from(v.show(value)))
        .collect();
    Ok(Native::from_pairs([
        (Native::from("usable_ips"), addresses),
        (Native::from("number_of_ips"), number(v.size())),
    ]))
}
