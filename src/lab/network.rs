//! A lab's network: a bridge of its own, a way out for downloads, and names that resolve.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use super::cuts;
use super::error::{At, LabError};
use super::machine::{self, tool};
use super::name::LabName;
use super::record::Record;

/// Where the machine's resolver lists its real servers when it hides behind a loopback address.
const RESOLVERS: [&str; 2] = ["/run/systemd/resolve/resolv.conf", "/etc/resolv.conf"];

/// A lab's subnet 10.77.K.0/24, on its bridge.
#[derive(Debug, Clone)]
pub(super) struct Network {
    lab: LabName,
    subnet: u8,
}

impl Network {
    /// The network of a lab that has its subnet.
    pub fn new(lab: &LabName, subnet: u8) -> Self {
        Self {
            lab: lab.clone(),
            subnet,
        }
    }

    /// Finds a subnet that neither the machine nor one of the labs uses.
    pub fn choose(labs: &[Record]) -> Result<u8, LabError> {
        let addresses = tool("ip").args(["-o", "-4", "address"]).check()?;
        let routes = tool("ip")
            .args(["-4", "route", "show", "table", "all"])
            .check()?;
        let seen = format!("{addresses}{routes}");
        let free = |subnet: &u8| {
            !labs.iter().any(|lab| lab.subnet == Some(*subnet))
                && !seen.contains(&format!("10.77.{subnet}."))
        };
        (1..=250).find(free).ok_or(LabError::NoSubnet)
    }

    /// The address at a place of the subnet; 1 is the machine's own.
    pub fn address(&self, place: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, self.subnet, place)
    }

    /// The subnet's third number: short, and no other lab of this machine has it.
    pub fn subnet(&self) -> u8 {
        self.subnet
    }

    /// Makes bridge and rules; what is there already is made anew or kept.
    pub fn raise(&self) -> Result<(), LabError> {
        let bridge = self.lab.bridge();
        if !link(&bridge).exists() {
            tool("ip")
                .args(["link", "add", &bridge, "type", "bridge"])
                .check()?;
        }
        let own = format!("{}/24", self.address(1));
        tool("ip")
            .args(["address", "replace", &own, "dev", &bridge])
            .check()?;
        tool("ip").args(["link", "set", &bridge, "up"]).check()?;
        // A node is asked for while it boots: ask again soon, not after a second.
        let retry = format!("/proc/sys/net/ipv4/neigh/{bridge}/retrans_time_ms");
        fs::write(&retry, "100").at(Path::new(&retry))?;
        if let Some(server) = loopback_resolver(&resolv_conf()) {
            // Only for what comes in over this bridge; the setting goes with the bridge.
            let local = format!("/proc/sys/net/ipv4/conf/{bridge}/route_localnet");
            fs::write(&local, "1").at(Path::new(&local))?;
            self.load_rules(Some(server))?;
        } else {
            self.load_rules(None)?;
        }
        self.accept_forwarding()
    }

    /// The resolv.conf of a node.
    pub fn resolv_conf(&self) -> String {
        let text = resolv_conf();
        match loopback_resolver(&text) {
            Some(_) => format!("nameserver {}\n", self.address(1)),
            None => text
                .lines()
                .filter(|line| !line.starts_with('#'))
                .map(|line| format!("{line}\n"))
                .collect(),
        }
    }

    fn load_rules(&self, resolver: Option<Ipv4Addr>) -> Result<(), LabError> {
        let (table, bridge) = (self.lab.table(), self.lab.bridge());
        let net = format!("10.77.{}.0/24", self.subnet);
        let own = self.address(1);
        let names = resolver.map_or(String::new(), |server| {
            format!(
                "chain names {{ type nat hook prerouting priority dstnat; iifname \"{bridge}\" ip daddr {own} meta l4proto {{ tcp, udp }} th dport 53 dnat to {server}; }}\n"
            )
        });
        // Naming the table before deleting it makes the deletion succeed also when there is none.
        let rules = format!(
            "table ip {table} {{}}\ndelete table ip {table}\ntable ip {table} {{\n\
             chain out {{ type nat hook postrouting priority srcnat; ip saddr {net} ip daddr != {net} masquerade; }}\n\
             {names}}}\n"
        );
        tool("nft").args(["-f", "-"]).stdin(rules).check()?;
        Ok(())
    }

    /// Where the machine drops forwarded traffic, an accept elsewhere does not help: it must stand in that chain.
    fn accept_forwarding(&self) -> Result<(), LabError> {
        let Some(rules) = forward_chain() else {
            return Ok(());
        };
        if rules.trim() == "-P FORWARD ACCEPT" || rules.lines().any(|rule| is_of(rule, &self.lab)) {
            return Ok(());
        }
        let (bridge, comment) = (self.lab.bridge(), self.lab.comment());
        for direction in ["-i", "-o"] {
            let rule = [
                "-w",
                "-I",
                "FORWARD",
                direction,
                &bridge,
                "-m",
                "comment",
                "--comment",
                &comment,
            ];
            tool("iptables").args(rule).args(["-j", "ACCEPT"]).check()?;
        }
        Ok(())
    }
}

/// Takes away everything that a lab of that name could have left in the machine's network.
pub(super) fn clear(lab: &LabName) -> Result<(), LabError> {
    cuts::clear(lab)?;
    let bridge = lab.bridge();
    if link(&bridge).exists() {
        for port in fs::read_dir(link(&bridge).join("brif"))
            .into_iter()
            .flatten()
            .flatten()
        {
            // It may vanish by itself at this moment, with the node's last process.
            tool("ip")
                .args(["link", "delete"])
                .arg(port.file_name())
                .run()?;
        }
        let ran = tool("ip").args(["link", "delete", &bridge]).check();
        if link(&bridge).exists() {
            ran?;
        }
    }
    // Without the program there were no rules either: every lab installs it first.
    if machine::has("nft") {
        let rules = format!("table ip {0} {{}}\ndelete table ip {0}\n", lab.table());
        tool("nft").args(["-f", "-"]).stdin(rules).check()?;
    }
    for rule in forward_chain().unwrap_or_default().lines() {
        if is_of(rule, lab) {
            let words = rule
                .split_whitespace()
                .skip(1)
                .map(|word| word.trim_matches('"'));
            tool("iptables").args(["-w", "-D"]).args(words).check()?;
        }
    }
    Ok(())
}

/// Whether a rule, as `iptables -S` prints it, was made for that lab.
fn is_of(rule: &str, lab: &LabName) -> bool {
    let comment = lab.comment();
    rule.split_whitespace()
        .any(|word| word.trim_matches('"') == comment)
}

/// Whether a network link of that name is there.
pub(super) fn link_exists(name: &str) -> bool {
    link(name).exists()
}

fn link(name: &str) -> std::path::PathBuf {
    Path::new("/sys/class/net").join(name)
}

fn forward_chain() -> Option<String> {
    let ran = tool("iptables").args(["-w", "-S", "FORWARD"]).run().ok()?;
    (ran.status == 0).then(|| String::from_utf8_lossy(&ran.stdout).into_owned())
}

fn resolv_conf() -> String {
    let texts = RESOLVERS
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok());
    texts
        .into_iter()
        .find(|text| text.lines().any(|line| line.starts_with("nameserver")))
        .unwrap_or_default()
}

/// The first name server, if all of them are addresses that only the machine itself can reach.
fn loopback_resolver(text: &str) -> Option<Ipv4Addr> {
    let servers = text
        .lines()
        .filter_map(|line| line.strip_prefix("nameserver"))
        .map(str::trim);
    let addresses: Vec<Ipv4Addr> = servers.filter_map(|server| server.parse().ok()).collect();
    addresses
        .iter()
        .all(Ipv4Addr::is_loopback)
        .then(|| addresses.first().copied())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_resolver_on_loopback_alone_needs_help() {
        assert_eq!(
            loopback_resolver("nameserver 127.0.0.53\noptions edns0\n"),
            Some(Ipv4Addr::new(127, 0, 0, 53))
        );
        assert_eq!(
            loopback_resolver("nameserver 127.0.0.1\nnameserver 192.0.2.1\n"),
            None
        );
        assert_eq!(loopback_resolver("search example\n"), None);
    }

    #[test]
    fn a_rule_belongs_to_one_lab() {
        let rule = "-A FORWARD -i hl-lab -m comment --comment \"hadeploy-lab:lab\" -j ACCEPT";
        assert!(is_of(rule, &"lab".parse().unwrap()));
        assert!(!is_of(rule, &"la".parse().unwrap()));
        assert!(!is_of(
            &rule.replace(":lab", ":lab-2"),
            &"lab".parse().unwrap()
        ));
    }
}
