//! IP addresses with a prefix, as netaddr's `IPNetwork` reads and prints them.

use std::net::{Ipv4Addr, Ipv6Addr};

/// An address and the length of its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::template) struct Network {
    /// 4 or 6.
    pub version: u8,
    /// The address, as a number.
    pub value: u128,
    /// Bits of the network.
    pub prefix: u8,
}

impl Network {
    /// `10.0.0.1`, `10.0.0.1/8`, `10.0.0.1/255.0.0.0`, `::1/64`.
    pub(in crate::template) fn parse(text: &str) -> Option<Network> {
        let (address, mask) = match text.split_once('/') {
            Some((address, mask)) => (address, Some(mask)),
            None => (text, None),
        };
        let (version, value) = address_of(address)?;
        let bits = width(version);
        let prefix = match mask {
            None => bits,
            Some(mask) if !mask.is_empty() && mask.bytes().all(|byte| byte.is_ascii_digit()) => {
                mask.parse().ok().filter(|prefix| *prefix <= bits)?
            }
            Some(mask) => {
                let (of, mask) = address_of(mask)?;
                (of == version).then_some(())?;
                prefix_of_mask(mask, bits)?
            }
        };
        Some(Network {
            version,
            value,
            prefix,
        })
    }

    /// A whole number as an address.
    pub(in crate::template) fn number(value: u128, version: u8) -> Option<Network> {
        let prefix = width(version);
        (value <= all(prefix)).then_some(Network {
            version,
            value,
            prefix,
        })
    }

    /// The bits of an address of this version.
    pub(in crate::template) fn bits(&self) -> u8 {
        width(self.version)
    }

    /// The bits that a host may choose.
    pub(in crate::template) fn hosts(&self) -> u128 {
        all(self.bits() - self.prefix)
    }

    /// The bits of the network.
    pub(in crate::template) fn mask(&self) -> u128 {
        all(self.bits()) & !self.hosts()
    }

    /// The lowest address.
    pub(in crate::template) fn first(&self) -> u128 {
        self.value & self.mask()
    }

    /// The highest address.
    pub(in crate::template) fn last(&self) -> u128 {
        self.first() | self.hosts()
    }

    /// How many addresses it has; none when it has more than 128 bits can count.
    pub(in crate::template) fn size(&self) -> u128 {
        self.hosts().saturating_add(1)
    }

    /// The network itself, its address without the bits of hosts.
    pub(in crate::template) fn cidr(&self) -> Network {
        Network {
            value: self.first(),
            ..*self
        }
    }

    /// Whether the address has no bits of hosts.
    pub(in crate::template) fn is_first(&self) -> bool {
        self.value == self.first()
    }

    /// The highest address, but for IPv4 networks of two addresses or one, which have no broadcast address.
    pub(in crate::template) fn broadcast(&self) -> Option<u128> {
        (self.version == 6 || self.bits() - self.prefix >= 2).then(|| self.last())
    }

    /// The lowest and highest address of hosts; none for a single address.
    pub(in crate::template) fn usable(&self) -> Option<(u128, u128)> {
        match self.size() {
            0 | 1 => None,
            2 => Some((self.first(), self.last())),
            _ => Some((self.first() + 1, self.last() - 1)),
        }
    }

    /// Whether all addresses of the other are in this.
    pub(in crate::template) fn contains(&self, other: &Network) -> bool {
        self.version == other.version
            && self.first() <= other.first()
            && other.last() <= self.last()
    }

    /// An address of the same version, as text.
    pub(in crate::template) fn show(&self, value: u128) -> String {
        show(self.version, value)
    }

    /// The address alone.
    pub(in crate::template) fn ip(&self) -> String {
        self.show(self.value)
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.ip(), self.prefix)
    }
}

/// The version and number of an address.
pub(super) fn address_of(text: &str) -> Option<(u8, u128)> {
    if text.contains(':') {
        let address: Ipv6Addr = text.parse().ok()?;
        return Some((6, u128::from(address)));
    }
    let address: Ipv4Addr = text.parse().ok()?;
    Some((4, u128::from(u32::from(address))))
}

/// An address as text.
pub(super) fn show(version: u8, value: u128) -> String {
    match u32::try_from(value) {
        Ok(value) if version == 4 => Ipv4Addr::from(value).to_string(),
        _ => short_ipv6(value),
    }
}

/// The short form, in which only mapped addresses end like those of IPv4.
fn short_ipv6(value: u128) -> String {
    let address = Ipv6Addr::from(value);
    let high = value >> 32;
    // netaddr prints the deprecated compatible ones dotted as well.
    if high == 0 && value > 0xffff {
        return format!("::{}", Ipv4Addr::from(value as u32));
    }
    address.to_string()
}

/// 32 or 128.
pub(super) fn width(version: u8) -> u8 {
    if version == 4 { 32 } else { 128 }
}

/// So many bits, all set.
pub(super) fn all(bits: u8) -> u128 {
    match bits {
        0 => 0,
        bits => u128::MAX >> (128 - u32::from(bits)),
    }
}

/// The prefix of `255.255.0.0`, or of the hostmask `0.0.255.255`.
fn prefix_of_mask(mask: u128, bits: u8) -> Option<u8> {
    (0..=bits).rev().find(|prefix| {
        let hosts = all(bits - prefix);
        let net = all(bits) & !hosts;
        mask == net || mask == hosts && hosts != 0
    })
}

/// Ranges of addresses, as `FIRST/PREFIX`.
pub(in crate::template) fn in_any(network: &Network, ranges: &[&str]) -> bool {
    ranges
        .iter()
        .filter_map(|range| Network::parse(range))
        .any(|range| range.contains(network))
}
