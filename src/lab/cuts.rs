//! What is cut in a lab's network: a firewall table on its bridge, which is also the only note of it.
//!
//! A node is told by its port on the bridge. The port's name follows from lab and node, so it is the same after a new
//! start, and it covers whatever the node sends from any address, and what is sent to all nodes at once.

use std::collections::BTreeSet;

use serde_json::Value;

use super::error::LabError;
use super::machine::{self, tool};
use super::name::LabName;
use super::node::{BALANCER_PLACE, place};
use super::{MOST_NODES, Network};

const ISOLATED: &str = "isolated";
const SHUT: &str = "shut";
const BETWEEN: &str = "between";

/// What is cut now; nodes by their ports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cuts {
    /// Those that no other node reaches, also none that joins later.
    pub isolated: BTreeSet<String>,
    /// Those that this machine does not reach.
    pub shut: BTreeSet<String>,
    /// From whom to whom nothing passes.
    pub between: BTreeSet<(String, String)>,
}

impl Cuts {
    /// Asks the kernel.
    pub fn read(lab: &LabName) -> Result<Self, LabError> {
        // Without the program there are no cuts either: every lab installs it first.
        if !machine::has("nft") {
            return Ok(Self::default());
        }
        // Of the whole family, because to list a table that is not there is an error.
        let text = tool("nft").args(["-j", "list", "ruleset", "bridge"]);
        Self::parse(&lab.table(), &text.check()?)
    }

    /// Puts these cuts, and no others, in the place of the lab's; all at once.
    pub fn load(&self, lab: &LabName, network: &Network) -> Result<(), LabError> {
        let rules = self.render(&lab.table(), network);
        tool("nft").args(["-f", "-"]).stdin(rules).check()?;
        Ok(())
    }

    /// Ends every cut that was made for the node or between it and another.
    pub fn heal(&mut self, port: &str) {
        self.isolated.remove(port);
        self.shut.remove(port);
        self.between.retain(|(from, to)| from != port && to != port);
    }

    /// Whether a cut was made for the node or between it and another.
    pub fn name(&self, port: &str) -> bool {
        self.isolated.contains(port)
            || self.shut.contains(port)
            || self
                .between
                .iter()
                .any(|(from, to)| from == port || to == port)
    }

    /// Whether packets of one node do not reach the other.
    pub fn drop_between(&self, from: &str, to: &str) -> bool {
        self.isolated.contains(from)
            || self.isolated.contains(to)
            || self.between.contains(&(from.into(), to.into()))
    }

    /// Reads the table from nft's list of all bridges' tables.
    fn parse(table: &str, text: &str) -> Result<Self, LabError> {
        let list: Value =
            serde_json::from_str(text).map_err(|error| LabError::NoCuts(error.to_string()))?;
        let mut found = Self::default();
        for entry in list["nftables"].as_array().into_iter().flatten() {
            let set = &entry["set"];
            if set["table"] != *table {
                continue;
            }
            let elements = || set["elem"].as_array().into_iter().flatten();
            let ports = || elements().filter_map(|port| Some(port.as_str()?.to_string()));
            match set["name"].as_str() {
                Some(ISOLATED) => found.isolated = ports().collect(),
                Some(SHUT) => found.shut = ports().collect(),
                Some(BETWEEN) => {
                    let pair = |element: &Value| {
                        let port = |side: usize| Some(element["concat"][side].as_str()?.into());
                        Some((port(0)?, port(1)?))
                    };
                    found.between = elements().filter_map(pair).collect();
                }
                _ => {}
            }
        }
        Ok(found)
    }

    /// One transaction of nft: the old table goes, the new one comes, unless nothing is cut.
    fn render(&self, table: &str, network: &Network) -> String {
        let gone = gone(table);
        if *self == Self::default() {
            return gone;
        }
        let set = |name: &str, kind: &str, elements: Vec<String>| {
            let elements = match elements.is_empty() {
                true => String::new(),
                false => format!(" elements = {{ {} }};", elements.join(", ")),
            };
            format!("set {name} {{ type {kind};{elements} }}\n")
        };
        let ports = |ports: &BTreeSet<String>| ports.iter().map(|p| format!("\"{p}\"")).collect();
        let pairs = self.between.iter();
        let sets = [
            set(ISOLATED, "ifname", ports(&self.isolated)),
            set(SHUT, "ifname", ports(&self.shut)),
            set(
                BETWEEN,
                "ifname . ifname",
                pairs.map(|(a, b)| format!("\"{a}\" . \"{b}\"")).collect(),
            ),
        ]
        .concat();
        // Who has an address is still told, so that the packets themselves vanish without an error, as between
        // two networks, and the open way of a one-way cut stays open. But a cut node takes over no other address.
        let nodes = format!(
            "{{ {}, {}-{} }}",
            network.address(BALANCER_PLACE),
            network.address(place(1)),
            network.address(place(MOST_NODES))
        );
        format!(
            "{gone}table bridge {table} {{\n{sets}\
             chain nodes {{ type filter hook forward priority filter;\n\
             arp saddr ip {nodes} accept\niifname @{ISOLATED} drop\noifname @{ISOLATED} drop\n\
             iifname . oifname @{BETWEEN} drop\n}}\n\
             chain received {{ type filter hook input priority filter;\n\
             ether type != arp iifname @{SHUT} drop\n}}\n\
             chain sent {{ type filter hook output priority filter;\n\
             ether type != arp oifname @{SHUT} drop\n}}\n}}\n"
        )
    }
}

/// Ends all cuts of a lab of that name.
pub(super) fn clear(lab: &LabName) -> Result<(), LabError> {
    // A kernel that knows no such tables is not asked to remove one.
    if Cuts::read(lab)? != Cuts::default() {
        tool("nft")
            .args(["-f", "-"])
            .stdin(gone(&lab.table()))
            .check()?;
    }
    Ok(())
}

/// Removes a table. Naming it before deleting it makes the deletion succeed also when there is none.
fn gone(table: &str) -> String {
    format!("table bridge {table} {{}}\ndelete table bridge {table}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = r#"{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}, {"table": {"family": "bridge", "name": "hadeploy_lab_a", "handle": 680}}, {"set": {"family": "bridge", "name": "isolated", "table": "hadeploy_lab_a", "type": "ifname", "handle": 4, "elem": ["vb-hl1-n1"]}}, {"set": {"family": "bridge", "name": "between", "table": "hadeploy_lab_a", "type": ["ifname", "ifname"], "handle": 5, "elem": [{"concat": ["vb-hl1-n3", "vb-hl1-n2"]}, {"concat": ["vb-hl1-n1", "vb-hl1-n2"]}]}}, {"set": {"family": "bridge", "name": "shut", "table": "hadeploy_lab_a", "type": "ifname", "handle": 6}}, {"set": {"family": "bridge", "name": "shut", "table": "hadeploy_lab_b", "type": "ifname", "handle": 6, "elem": ["vb-hl2-n1"]}}, {"chain": {"family": "bridge", "table": "hadeploy_lab_a", "name": "sent", "handle": 3, "type": "filter", "hook": "output", "prio": -200, "policy": "accept"}}]}"#;

    fn pair(from: &str, to: &str) -> (String, String) {
        (from.into(), to.into())
    }

    #[test]
    fn reads_the_cuts_of_one_lab() {
        let found = Cuts::parse("hadeploy_lab_a", LISTED).unwrap();
        assert_eq!(
            found,
            Cuts {
                isolated: ["vb-hl1-n1".into()].into(),
                shut: BTreeSet::new(),
                between: [
                    pair("vb-hl1-n1", "vb-hl1-n2"),
                    pair("vb-hl1-n3", "vb-hl1-n2")
                ]
                .into(),
            }
        );
        assert_eq!(
            Cuts::parse("hadeploy_lab_c", LISTED).unwrap(),
            Cuts::default()
        );
        assert!(Cuts::parse("hadeploy_lab_a", "Error: …").is_err());
    }

    #[test]
    fn a_cut_has_a_direction_and_an_end() {
        let mut cuts = Cuts {
            between: [pair("a", "b"), pair("c", "d")].into(),
            ..Cuts::default()
        };
        assert!(cuts.drop_between("a", "b") && !cuts.drop_between("b", "a"));
        assert!(cuts.name("a") && cuts.name("b") && !cuts.name("e"));
        cuts.isolated.insert("e".into());
        assert!(cuts.drop_between("e", "a") && cuts.drop_between("a", "e"));
        cuts.heal("b");
        cuts.heal("a");
        assert!(!cuts.name("a") && cuts.name("c") && cuts.name("e"));
        // What was cut for another node is that node's to heal.
        assert!(cuts.drop_between("e", "a"));
    }
}
