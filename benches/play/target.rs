//! The nodes as a contender reaches them: directly, over a long line, or under many names.

use std::fmt::Write;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use crate::nodes::Nodes;
use crate::relay;

/// A host of an inventory.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its name in the inventory.
    pub name: String,
    /// Where it answers.
    pub address: Ipv4Addr,
    /// The port of its sshd or of the relay before it.
    pub port: u16,
}

/// What is needed to log in.
#[derive(Debug)]
pub struct Reach {
    /// The private key of root.
    pub key: PathBuf,
    /// The host keys of all targets.
    pub known_hosts: PathBuf,
}

/// The nodes themselves.
pub fn near(nodes: &Nodes) -> Vec<Target> {
    let near = nodes.nodes.iter().map(|(name, address)| Target {
        name: name.clone(),
        address: *address,
        port: 22,
    });
    near.collect()
}

/// The nodes, each behind a relay of that round-trip time.
///
/// # Errors
/// No port is free.
pub fn far(nodes: &Nodes, round_trip: Duration) -> Result<Vec<Target>> {
    let far = nodes.nodes.iter().map(|(name, address)| {
        Ok(Target {
            name: name.clone(),
            address: Ipv4Addr::LOCALHOST,
            port: relay::start((*address, 22).into(), round_trip)?,
        })
    });
    far.collect()
}

/// Many names for the same few nodes.
pub fn fleet(near: &[Target], names: usize) -> Vec<Target> {
    let fleet = near.iter().cycle().take(names).enumerate();
    let fleet = fleet.map(|(number, node)| Target {
        name: format!("h{:03}", number + 1),
        ..node.clone()
    });
    fleet.collect()
}

/// Writes known_hosts for all targets: by address where sshd has its own port, else by address and port.
///
/// # Errors
/// The file cannot be written.
pub fn write_known_hosts(nodes: &Nodes, far: &[Target], path: &Path) -> Result<()> {
    let mut text = String::new();
    let pairs = nodes.nodes.iter().zip(far);
    for ((_, address), far) in pairs {
        for key in nodes.host_keys.get(address).into_iter().flatten() {
            let _ = writeln!(
                text,
                "{address} {key}\n[{}]:{} {key}",
                far.address, far.port
            );
        }
    }
    fs::write(path, text)?;
    Ok(())
}

/// An inventory as hadeploy and Ansible read it.
pub fn inventory(targets: &[Target], reach: &Reach) -> String {
    let mut text = format!(
        "all:\n  vars:\n    ansible_user: root\n    ansible_ssh_private_key_file: {}\n    \
         ansible_ssh_common_args: \"-o UserKnownHostsFile={} -o StrictHostKeyChecking=yes\"\n  hosts:\n",
        reach.key.display(),
        reach.known_hosts.display()
    );
    for target in targets {
        let _ = writeln!(
            text,
            "    {}:\n      ansible_host: {}\n      ansible_port: {}",
            target.name, target.address, target.port
        );
    }
    text
}

/// The words with which the ssh program logs in to a target.
pub fn ssh(target: &Target, reach: &Reach) -> Vec<String> {
    let known_hosts = format!("UserKnownHostsFile={}", reach.known_hosts.display());
    let key = reach.key.display().to_string();
    let port = target.port.to_string();
    let user = format!("root@{}", target.address);
    let words = [
        "ssh",
        // The user's own configuration could send the connection anywhere.
        "-F",
        "none",
        "-i",
        &key,
        "-p",
        &port,
        "-o",
        "BatchMode=yes",
        "-o",
        "IdentitiesOnly=yes",
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        &known_hosts,
        "-o",
        "GlobalKnownHostsFile=none",
        &user,
    ];
    words.map(String::from).to_vec()
}
