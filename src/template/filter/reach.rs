//! From where addresses are reached, as IANA and netaddr say it.

use super::address::{Network, all, in_any};

/// The address without the others of its network.
pub(super) fn alone(v: &Network) -> Network {
    Network {
        prefix: v.bits(),
        ..*v
    }
}

pub(super) const MULTICAST: &[&str] = &["224.0.0.0/4", "ff00::/8"];

/// IANA's special addresses that are not reached from everywhere, as netaddr lists them.
const NOT_GLOBAL: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
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
    "255.255.255.255/32",
    "::1/128",
    "::/128",
    "::ffff:0:0/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "fc00::/7",
    "fe80::/10",
];

/// Those of them that are.
pub(in crate::template) const GLOBAL_ALL_THE_SAME: &[&str] = &[
    "192.0.0.9/32",
    "192.0.0.10/32",
    "2001:1::1/128",
    "2001:1::2/128",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:20::/28",
    "2001:30::/28",
];

pub(super) fn is_global(v: &Network) -> bool {
    let v = alone(v);
    !in_any(&v, NOT_GLOBAL) || in_any(&v, GLOBAL_ALL_THE_SAME)
}

pub(super) fn is_public(v: &Network) -> bool {
    let v = alone(v);
    let bits = v.bits();
    let inverse = all(bits) & !v.value;
    let is_hostmask = v.value & v.value.wrapping_add(1) == 0;
    let is_netmask = inverse & inverse.wrapping_add(1) == 0;
    is_global(&v) && !in_any(&v, MULTICAST) && !is_hostmask && !is_netmask
}
