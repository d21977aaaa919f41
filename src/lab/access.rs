//! The way in: the lab's key pair, its known hosts, and the inventory for `-i`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{At, LabError};
use super::host::write_whole;
use super::machine::tool;
use super::name::LabName;
use super::node::Node;
use crate::process::{ProcessError, Ran};

/// How long a login may take before it counts as none.
const LOGIN: Duration = Duration::from_secs(10);

/// The platform that the lab is.
pub const DOMAIN: &str = "www.example.com";
/// Its administrator, who has the lab's key.
pub const ADMINISTRATOR: &str = "ada";

/// The files with which a lab's nodes are reached.
#[derive(Debug, Clone)]
pub(super) struct Access {
    folder: PathBuf,
}

impl Access {
    /// Of the lab of that name.
    pub fn of(lab: &LabName) -> Self {
        Self {
            folder: lab.folder(),
        }
    }

    /// The private key that root of every node accepts.
    pub fn key(&self) -> PathBuf {
        self.folder.join("id_ed25519")
    }

    /// The nodes' host keys.
    pub fn known_hosts(&self) -> PathBuf {
        self.folder.join("known_hosts")
    }

    /// The inventory.
    pub fn inventory(&self) -> PathBuf {
        self.folder.join("inventory.yml")
    }

    /// Makes the key pair where there is none.
    pub fn make_key(&self) -> Result<(), LabError> {
        if self.key().exists() && self.key().with_extension("pub").exists() {
            return Ok(());
        }
        make_key(&self.key(), "ed25519", "hadeploy-lab")
    }

    /// Writes known_hosts and inventory for these nodes.
    pub fn write(&self, nodes: &[Node]) -> Result<(), LabError> {
        let mut known = String::new();
        for node in nodes {
            for key in node.host_keys()? {
                known.push_str(&format!("{} {key}\n", node.address));
            }
        }
        write_whole(&self.known_hosts(), &known)?;
        write_whole(&self.inventory(), &self.render(nodes)?)
    }

    /// Runs `true` on a node by the system's own ssh, host key checked.
    pub fn log_in(&self, node: &Node) -> Result<Ran, ProcessError> {
        let known = format!("UserKnownHostsFile={}", self.known_hosts().display());
        // No configuration file: the user's own could send the connection anywhere.
        tool("ssh")
            .args(["-F", "none", "-i"])
            .arg(self.key())
            .args([
                "-o",
                "BatchMode=yes",
                "-o",
                "IdentitiesOnly=yes",
                "-o",
                "ConnectTimeout=1",
            ])
            .args([
                "-o",
                "StrictHostKeyChecking=yes",
                "-o",
                "GlobalKnownHostsFile=none",
                "-o",
                &known,
            ])
            .args([format!("root@{}", node.address), "true".into()])
            .deadline(LOGIN)
            .run()
    }

    /// The nodes, and what the site's playbook wants to know of a platform.
    fn render(&self, nodes: &[Node]) -> Result<String, LabError> {
        let public = self.key().with_extension("pub");
        let mut text = format!(
            "all:\n  vars:\n    ansible_user: root\n    ansible_ssh_private_key_file: {}\n    \
             ansible_ssh_common_args: \"-F none -o UserKnownHostsFile={} -o StrictHostKeyChecking=yes\"\n    \
             public_domain: {DOMAIN}\n    admin_users:\n      - name: {ADMINISTRATOR}\n        \
             public_keys:\n          - {}\n    db_app_password: {}\n    pgbouncer_password: {}\n    \
             pgroute_password: {}\n    repmgr_password: {}\n    redis_password: {}\n  \
             children:\n    nodes:\n      hosts:\n",
            self.key().display(),
            self.known_hosts().display(),
            fs::read_to_string(&public).at(&public)?.trim(),
            self.password("db")?,
            self.password("pgbouncer")?,
            self.password("pgroute")?,
            self.password("repmgr")?,
            self.password("redis")?,
        );
        let row = |node: &Node| {
            format!(
                "        {}:\n          ansible_host: {address}\n          private_address: {address}\n",
                node.name,
                address = node.address
            )
        };
        let (balancers, nodes): (Vec<&Node>, Vec<&Node>) =
            nodes.iter().partition(|node| node.is_balancer());
        text.extend(nodes.iter().copied().map(row));
        // Three hold a majority when one is lost; fewer would only hold copies.
        text.push_str("    db:\n      hosts:\n");
        let data = if nodes.len() < 3 { 1 } else { 3 };
        let hosts = nodes.iter().take(data);
        text.extend(hosts.map(|node| format!("        {}:\n", node.name)));
        text.push_str("    lb:\n      hosts:\n");
        text.extend(balancers.iter().copied().map(row));
        Ok(text)
    }

    /// A password of this lab alone, which stays while the lab stays.
    fn password(&self, what: &str) -> Result<String, LabError> {
        let key = fs::read(self.key()).at(&self.key())?;
        let context = format!("hadeploy lab password {what}");
        Ok(blake3::Hash::from(blake3::derive_key(&context, &key)).to_hex()[..32].into())
    }
}

/// Makes a key pair without passphrase; one half made before is replaced.
pub(super) fn make_key(path: &Path, kind: &str, comment: &str) -> Result<(), LabError> {
    for old in [
        path.to_path_buf(),
        PathBuf::from(format!("{}.pub", path.display())),
    ] {
        if old.exists() {
            fs::remove_file(&old).at(&old)?;
        }
    }
    tool("ssh-keygen")
        .args(["-q", "-N", "", "-t", kind, "-C", comment, "-f"])
        .arg(path)
        .check()?;
    Ok(())
}
