//! Established connections of a node, as the kernel lists them in `/proc/net/tcp` and `tcp6`.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One established connection to a port of the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Connection {
    /// The node's port.
    pub port: u16,
    /// Who is at the other end.
    pub from: IpAddr,
    /// Its port.
    pub from_port: u16,
}

impl Connection {
    /// Reads the two columns of addresses: `0100007F:0050 0200007F:C001`.
    pub(super) fn parse(local: &str, remote: &str) -> Option<Connection> {
        let (_, port) = address(local)?;
        let (from, from_port) = address(remote)?;
        Some(Connection {
            port,
            from,
            from_port,
        })
    }
}

/// How many of the connections count as open. One from an address that probes the node is a probe when the look before did not show it.
pub(super) fn open(
    now: &[Connection],
    before: Option<&[Connection]>,
    probing: &HashSet<IpAddr>,
) -> usize {
    now.iter()
        .filter(|connection| {
            let fresh = before.is_some_and(|before| !before.contains(connection));
            !(fresh && probing.contains(&connection.from))
        })
        .count()
}

/// The kernel writes each word of 32 bits as the machine keeps it: little end first on everything Debian runs hadeploy's nodes on.
fn address(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    if !address.is_ascii() {
        return None;
    }
    let mut bytes = Vec::new();
    for at in (0..address.len()).step_by(8) {
        let word = u32::from_str_radix(address.get(at..at + 8)?, 16).ok()?;
        bytes.extend(word.to_le_bytes());
    }
    let address: IpAddr = match bytes.len() {
        4 => Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).into(),
        16 => Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into(),
        _ => return None,
    };
    Some((address.to_canonical(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_families_are_read() {
        let found = Connection::parse("0100007F:0050", "0B024D0A:C001").unwrap();
        assert_eq!(found.port, 80);
        assert_eq!(found.from, "10.77.2.11".parse::<IpAddr>().unwrap());
        assert_eq!(found.from_port, 49153);
        // From a dual-stack socket, and plain IPv6, as the kernel wrote them.
        let mapped = "0000000000000000FFFF00000B024D0A:01BB";
        assert_eq!(address(mapped), Some(("10.77.2.11".parse().unwrap(), 443)));
        let v6 = "B80D01200000000000000000010000 00:01BB".replace(' ', "");
        assert_eq!(address(&v6), Some(("2001:db8::1".parse().unwrap(), 443)));
        for bad in [
            "",
            ":",
            "0100007F",
            "01:0050",
            "0100007F:zz",
            "é100007F:0050",
        ] {
            assert_eq!(address(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_new_connections_of_probing_addresses_are_probes() {
        let connection = |from: &str, from_port| Connection {
            port: 80,
            from: from.parse().unwrap(),
            from_port,
        };
        let probing = HashSet::from(["10.0.0.1".parse().unwrap()]);
        let (old, probe) = (connection("10.0.0.1", 1000), connection("10.0.0.1", 2000));
        let visitor = connection("10.9.9.9", 1);
        // Nothing is known of ages at the first look.
        assert_eq!(open(&[old, probe], None, &probing), 2);
        assert_eq!(open(&[old, probe, visitor], Some(&[old]), &probing), 2);
        assert_eq!(open(&[probe], Some(&[old]), &probing), 0);
        assert_eq!(open(&[probe], Some(&[probe]), &probing), 1);
    }
}
