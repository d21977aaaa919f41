//! Interfaces and addresses among the gathered facts: from `ip address`, or from the kernel's tables where there is no `ip`.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value, json};

use super::Raw;

type Facts = Map<String, Value>;

/// One network interface.
#[derive(Debug, Default)]
struct Interface {
    name: String,
    mac: String,
    mtu: u32,
    up: bool,
    promiscuous: bool,
    loopback: bool,
    ipv4: Vec<Address4>,
    ipv6: Vec<Address6>,
}

#[derive(Debug)]
struct Address4 {
    address: Ipv4Addr,
    prefix: u8,
    broadcast: Option<Ipv4Addr>,
}

#[derive(Debug)]
struct Address6 {
    address: Ipv6Addr,
    prefix: u8,
    scope: &'static str,
}

pub(super) fn facts(raw: &Raw, facts: &mut Facts) {
    let interfaces = if raw.ip.is_empty() {
        from_tables(raw)
    } else {
        from_ip(&raw.ip)
    };
    let names: Vec<&str> = interfaces
        .iter()
        .map(|interface| interface.name.as_str())
        .collect();
    facts.insert("interfaces".into(), names.into());
    let ipv4: Vec<String> = interfaces
        .iter()
        .flat_map(|interface| &interface.ipv4)
        .filter(|entry| !entry.address.is_loopback())
        .map(|entry| entry.address.to_string())
        .collect();
    let ipv6: Vec<String> = interfaces
        .iter()
        .flat_map(|interface| &interface.ipv6)
        .filter(|entry| !entry.address.is_loopback())
        .map(|entry| entry.address.to_string())
        .collect();
    facts.insert("all_ipv4_addresses".into(), ipv4.into());
    facts.insert("all_ipv6_addresses".into(), ipv6.into());
    facts.insert("default_ipv4".into(), default4(raw, &interfaces));
    facts.insert("default_ipv6".into(), default6(raw, &interfaces));
    for interface in &interfaces {
        // As in Ansible; a name that is a fact's already keeps the fact.
        let key = interface.name.replace(['-', ':'], "_");
        facts.entry(key).or_insert_with(|| interface.fact());
    }
}

impl Interface {
    fn fact(&self) -> Value {
        let mut fact = json!({
            "device": self.name, "mtu": self.mtu, "active": self.up, "promisc": self.promiscuous,
            "type": if self.loopback { "loopback" } else { "ether" },
        });
        let Some(map) = fact.as_object_mut() else {
            return fact;
        };
        if !self.loopback && !self.mac.is_empty() {
            map.insert("macaddress".into(), self.mac.as_str().into());
        }
        let mut ipv4 = self.ipv4.iter().map(Address4::fact);
        if let Some(first) = ipv4.next() {
            map.insert("ipv4".into(), first);
        }
        let others: Vec<Value> = ipv4.collect();
        if !others.is_empty() {
            map.insert("ipv4_secondaries".into(), others.into());
        }
        if !self.ipv6.is_empty() {
            let ipv6: Vec<Value> = self.ipv6.iter().map(Address6::fact).collect();
            map.insert("ipv6".into(), ipv6.into());
        }
        fact
    }
}

impl Address4 {
    fn mask(&self) -> u32 {
        u32::MAX
            .checked_shl(32 - u32::from(self.prefix.min(32)))
            .unwrap_or(0)
    }

    fn network(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.address) & self.mask())
    }

    fn fact(&self) -> Value {
        json!({
            "address": self.address.to_string(),
            "broadcast": self.broadcast.map_or(String::new(), |address| address.to_string()),
            "netmask": Ipv4Addr::from(self.mask()).to_string(),
            "network": self.network().to_string(),
            "prefix": self.prefix.to_string(),
        })
    }
}

impl Address6 {
    fn fact(&self) -> Value {
        json!({"address": self.address.to_string(), "prefix": self.prefix.to_string(), "scope": self.scope})
    }
}

/// The route with the smallest metric; its address is the interface's first in the gateway's network, else its first.
fn default4(raw: &Raw, interfaces: &[Interface]) -> Value {
    let route = raw
        .lines("/proc/net/route")
        .iter()
        .filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let up = u32::from_str_radix(columns.get(3)?, 16).ok()? & 1 == 1;
            let default =
                columns.get(1) == Some(&"00000000") && columns.get(7) == Some(&"00000000");
            let gateway = u32::from_str_radix(columns.get(2)?, 16).ok()?.swap_bytes();
            let metric: u32 = columns.get(6)?.parse().ok()?;
            (up && default).then(|| (metric, columns[0].to_owned(), Ipv4Addr::from(gateway)))
        })
        .min_by_key(|(metric, _, _)| *metric);
    let Some((_, name, gateway)) = route else {
        return json!({});
    };
    let Some(interface) = interfaces.iter().find(|interface| interface.name == name) else {
        return json!({});
    };
    let near = |entry: &&Address4| u32::from(gateway) & entry.mask() == u32::from(entry.network());
    let address = interface.ipv4.iter().find(near).or(interface.ipv4.first());
    let mut fact = address.map_or(json!({}), Address4::fact);
    if let Some(map) = fact.as_object_mut() {
        map.insert("gateway".into(), gateway.to_string().into());
        map.insert("interface".into(), name.as_str().into());
        map.insert("alias".into(), name.as_str().into());
        map.insert("macaddress".into(), interface.mac.as_str().into());
        map.insert("mtu".into(), interface.mtu.into());
        map.insert("type".into(), "ether".into());
    }
    fact
}

fn default6(raw: &Raw, interfaces: &[Interface]) -> Value {
    let route = raw
        .lines("/proc/net/ipv6_route")
        .iter()
        .filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let zero = "00000000000000000000000000000000";
            let default = columns.first() == Some(&zero) && columns.get(1) == Some(&"00");
            let metric = u32::from_str_radix(columns.get(5)?, 16).ok()?;
            let gateway = Ipv6Addr::from(u128::from_str_radix(columns.get(4)?, 16).ok()?);
            let name = (*columns.get(9)?).to_owned();
            (default && name != "lo").then_some((metric, name, gateway))
        })
        .min_by_key(|(metric, _, _)| *metric);
    let Some((_, name, gateway)) = route else {
        return json!({});
    };
    let Some(interface) = interfaces.iter().find(|interface| interface.name == name) else {
        return json!({});
    };
    let global = interface.ipv6.iter().find(|entry| entry.scope == "global");
    let Some(address) = global else {
        return json!({});
    };
    let mut fact = address.fact();
    if let Some(map) = fact.as_object_mut() {
        map.insert("gateway".into(), gateway.to_string().into());
        map.insert("interface".into(), name.as_str().into());
        map.insert("macaddress".into(), interface.mac.as_str().into());
        map.insert("mtu".into(), interface.mtu.into());
        map.insert("type".into(), "ether".into());
    }
    fact
}

fn from_ip(lines: &[&str]) -> Vec<Interface> {
    let mut interfaces: Vec<Interface> = Vec::new();
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        let behind = |word: &str| {
            let at = words.iter().position(|found| *found == word)?;
            words.get(at + 1).copied()
        };
        if !line.starts_with(' ') {
            let (Some(name), Some(flags)) = (words.get(1), words.get(2)) else {
                continue;
            };
            let has = |flag: &str| {
                flags
                    .trim_matches(['<', '>'])
                    .split(',')
                    .any(|found| found == flag)
            };
            let name = name.trim_end_matches(':');
            interfaces.push(Interface {
                name: name.split('@').next().unwrap_or(name).to_owned(),
                mtu: behind("mtu").and_then(|mtu| mtu.parse().ok()).unwrap_or(0),
                up: has("UP"),
                promiscuous: has("PROMISC"),
                loopback: has("LOOPBACK"),
                ..Interface::default()
            });
            continue;
        }
        let Some(interface) = interfaces.last_mut() else {
            continue;
        };
        match words.as_slice() {
            [link, mac, ..] if link.starts_with("link/") => interface.mac = (*mac).to_owned(),
            ["inet", address, ..] => {
                let (address, prefix) = address.split_once('/').unwrap_or((address, "32"));
                if let (Ok(address), Ok(prefix)) = (address.parse(), prefix.parse()) {
                    let broadcast = behind("brd").and_then(|brd| brd.parse().ok());
                    interface.ipv4.push(Address4 {
                        address,
                        prefix,
                        broadcast,
                    });
                }
            }
            ["inet6", address, ..] => {
                let (address, prefix) = address.split_once('/').unwrap_or((address, "128"));
                if let (Ok(address), Ok(prefix)) = (address.parse(), prefix.parse()) {
                    let scope = match behind("scope") {
                        Some("link") => "link",
                        Some("host") => "host",
                        Some("site") => "site",
                        _ => "global",
                    };
                    interface.ipv6.push(Address6 {
                        address,
                        prefix,
                        scope,
                    });
                }
            }
            _ => {}
        }
    }
    interfaces
}

/// Without `ip`: the folders of /sys for the interfaces, and for addresses the kernel's list of its own IPv4 addresses, each given to the
/// interface whose connected route holds it. Point-to-point addresses stay unknown.
fn from_tables(raw: &Raw) -> Vec<Interface> {
    let mut interfaces: Vec<Interface> = Vec::new();
    for file in raw.files.keys() {
        let Some(name) = file
            .strip_prefix("/sys/class/net/")
            .and_then(|rest| rest.strip_suffix("/flags"))
        else {
            continue;
        };
        let flags = u32::from_str_radix(raw.line(file).trim_start_matches("0x"), 16).unwrap_or(0);
        interfaces.push(Interface {
            name: name.to_owned(),
            mac: raw
                .line(&format!("/sys/class/net/{name}/address"))
                .to_owned(),
            mtu: raw
                .line(&format!("/sys/class/net/{name}/mtu"))
                .parse()
                .unwrap_or(0),
            up: flags & 0x1 != 0,
            loopback: flags & 0x8 != 0,
            promiscuous: flags & 0x100 != 0,
            ..Interface::default()
        });
    }
    interfaces.sort_by_key(|interface| (!interface.loopback, interface.name.clone()));
    add_ipv4(raw, &mut interfaces);
    add_ipv6(raw, &mut interfaces);
    interfaces
}

/// Each of the kernel's own addresses goes to the interface whose connected route holds it.
fn add_ipv4(raw: &Raw, interfaces: &mut [Interface]) {
    let connected: Vec<(&str, u32, u32)> = raw
        .lines("/proc/net/route")
        .iter()
        .filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let number =
                |at: usize| Some(u32::from_str_radix(columns.get(at)?, 16).ok()?.swap_bytes());
            let (network, gateway, mask) = (number(1)?, number(2)?, number(7)?);
            (gateway == 0 && mask != 0).then(|| (columns[0], network, mask))
        })
        .collect();
    for address in own_addresses(raw.lines("/proc/net/fib_trie")) {
        let number = u32::from(address);
        let found = if address.is_loopback() {
            Some(("lo", 0xff00_0000))
        } else {
            connected
                .iter()
                .filter(|(_, network, mask)| number & mask == *network)
                .max_by_key(|(_, _, mask)| *mask)
                .map(|(name, _, mask)| (*name, *mask))
        };
        if let Some((name, mask)) = found
            && let Some(interface) = interfaces
                .iter_mut()
                .find(|interface| interface.name == name)
        {
            interface.ipv4.push(Address4 {
                address,
                prefix: u8::try_from(mask.count_ones()).unwrap_or(32),
                broadcast: (!interface.loopback).then(|| Ipv4Addr::from(number | !mask)),
            });
        }
    }
}

fn add_ipv6(raw: &Raw, interfaces: &mut [Interface]) {
    for line in raw.lines("/proc/net/if_inet6") {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let [address, _, prefix, scope, _, name] = columns.as_slice() else {
            continue;
        };
        let (Ok(address), Ok(prefix)) = (
            u128::from_str_radix(address, 16),
            u8::from_str_radix(prefix, 16),
        ) else {
            continue;
        };
        if let Some(interface) = interfaces
            .iter_mut()
            .find(|interface| interface.name == *name)
        {
            interface.ipv6.push(Address6 {
                address: Ipv6Addr::from(address),
                prefix,
                scope: match *scope {
                    "10" => "host",
                    "20" => "link",
                    "40" => "site",
                    _ => "global",
                },
            });
        }
    }
}

/// Addresses whose next line in the trie is `/32 host LOCAL`, each once.
fn own_addresses(trie: &[&str]) -> Vec<Ipv4Addr> {
    let mut found = Vec::new();
    let mut last = None;
    for line in trie {
        if let Some(address) = line.trim().strip_prefix("|-- ") {
            last = address.parse().ok();
        } else if line.contains("/32 host LOCAL")
            && let Some(address) = last
            && !found.contains(&address)
        {
            found.push(address);
        }
    }
    found
}
