//! Real Debian nodes on this machine: systemd containers with their own network, for trying and testing.
//!
//! Everything a lab leaves on the machine (bridge, firewall table, control groups, mounts) is called by the lab's name, so
//! a lab that broke half-way is removed by its name alone. Nodes start with the package lists of the day their base tree
//! was built, as a cloud image does after its first `apt-get update`.

mod access;
mod base;
mod cache;
mod cgroup;
mod cut;
mod cuts;
mod error;
mod host;
mod load;
mod lock;
mod machine;
mod mount;
mod name;
mod network;
mod node;
mod record;
mod release;
mod sources;
mod status;
mod visit;
mod wanted;

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::process::{Program, Ran, code};

pub use access::{ADMINISTRATOR, DOMAIN};
pub use cgroup::Memory;
pub use cut::Cut;
pub use error::LabError;
pub use load::{Load, Manner, Visit, Visitors};
pub use machine::install_builder;
pub use name::LabName;
pub use node::BALANCER;
pub use release::Release;
pub use status::{CutFrom, NodeState, NodeStatus, Way};
pub use visit::{Page, visit};
pub use wanted::Wanted;

use access::Access;
use cgroup::Cgroups;
use cuts::Cuts;
use error::At;
use host::Host;
use lock::Lock;
use network::Network;
use node::{Layers, Node};
use record::Record;

/// Told what takes time, one line each.
pub type Say<'a> = &'a (dyn Fn(&str) + Sync);

/// The most nodes of one lab.
const MOST_NODES: u16 = 200;
/// A platform node's memory, unless asked otherwise: 1 GiB.
const MEMORY: u64 = 1 << 30;
/// How long another command on the same lab is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// A lab by its name; whether it exists shows when it is used.
///
/// All methods block; those that change the lab wait for each other by a lock file.
#[derive(Debug, Clone)]
pub struct Lab {
    name: LabName,
}

impl Lab {
    /// Names a lab.
    ///
    /// # Errors
    /// The name is none for a lab.
    pub fn open(name: &str) -> Result<Self, LabError> {
        Ok(Self {
            name: name.parse()?,
        })
    }

    /// Makes the lab, lets it grow, or brings nodes that are down up again; returns when all answer SSH.
    ///
    /// # Errors
    /// Not root on Debian, fewer nodes or other settings than the lab has, or something on the way failed.
    pub fn up(&self, wanted: &Wanted, say: Say) -> Result<Vec<NodeStatus>, LabError> {
        let debian = machine::check()?;
        let _lock = Lock::take(&self.name.lock(), PATIENCE)?;
        let old = Record::load(&self.name);
        self.refuse_other(old.as_ref(), wanted)?;
        machine::install_missing(say)?;
        let record = match old {
            Some(old) => Record {
                nodes: wanted.nodes,
                balancer: old.balancer || wanted.balancer,
                ..old
            },
            None => {
                // What an earlier lab of that name left when its note was lost.
                self.clear()?;
                let release = wanted.release.unwrap_or(Release::Bookworm);
                Record {
                    base: base::ensure(&debian, release, say)?,
                    release,
                    subnet: None,
                    nodes: wanted.nodes,
                    balancer: wanted.balancer,
                    disk: wanted.disk,
                    memory: wanted.memory.unwrap_or(MEMORY),
                }
            }
        };
        let record = self.raise_network(record)?;
        self.start_nodes(&record, None, say)?;
        self.status()
    }

    /// All nodes, in their order.
    ///
    /// # Errors
    /// There is no such lab, or not root: what is cut is told to root only.
    pub fn status(&self) -> Result<Vec<NodeStatus>, LabError> {
        machine::need_root()?;
        let record = self.record()?;
        let nodes = self.nodes(&record)?;
        let cuts = Cuts::read(&self.name)?;
        let status = |node| NodeStatus::of(node, &nodes, record.release, &cuts);
        Ok(nodes.iter().map(status).collect())
    }

    /// Power off at once; the node's disk stays.
    ///
    /// # Errors
    /// There is no such lab or node, or its processes would not go.
    pub fn kill(&self, node: &str) -> Result<(), LabError> {
        machine::need_root()?;
        let _lock = Lock::take(&self.name.lock(), PATIENCE)?;
        self.node(node)?.kill()
    }

    /// Boots a node that is down and waits until it answers SSH.
    ///
    /// # Errors
    /// There is no such lab or node, or it does not come up.
    pub fn start(&self, node: &str, say: Say) -> Result<(), LabError> {
        machine::check()?;
        let _lock = Lock::take(&self.name.lock(), PATIENCE)?;
        let node = self.node(node)?;
        let record = self.raise_network(self.record()?)?;
        self.start_nodes(&record, Some(&node.name), say)
    }

    /// Puts a bare node in the place of another: the name and the address are the same, the disk is empty and the host keys are new. What ran
    /// there is powered off at once. Returns when the new one answers SSH.
    ///
    /// # Errors
    /// There is no such lab or node, or it does not come up.
    pub fn renew(&self, node: &str, say: Say) -> Result<(), LabError> {
        machine::check()?;
        let _lock = Lock::take(&self.name.lock(), PATIENCE)?;
        let node = self.node(node)?;
        let record = self.raise_network(self.record()?)?;
        node.kill()?;
        node.discard()?;
        self.start_nodes(&record, Some(&node.name), say)
    }

    /// Removes the lab and everything it left on the machine; downloaded packages are kept. Gives whether there was one.
    ///
    /// # Errors
    /// Something would not go away.
    pub fn down(&self) -> Result<bool, LabError> {
        machine::need_root()?;
        let _lock = Lock::take(&self.name.lock(), PATIENCE)?;
        let was = self.name.folder().exists() || network::link_exists(&self.name.bridge());
        self.clear()?;
        Ok(was)
    }

    /// Runs a program in a node by its console, not by SSH, and captures its output.
    ///
    /// # Errors
    /// There is no such lab or node, or it is down.
    pub fn exec(&self, node: &str, command: &[&str]) -> Result<Ran, LabError> {
        let (program, args) = self.enter(node)?;
        Ok(Program::new(program).args(args).args(command).run()?)
    }

    /// Runs a program in a node with this process's input and output; gives its status.
    ///
    /// # Errors
    /// There is no such lab or node, or it is down.
    pub fn console(&self, node: &str, command: &[String]) -> Result<i32, LabError> {
        let (program, args) = self.enter(node)?;
        let mut child = Command::new(&program);
        child
            .args(args)
            .args(command)
            .stdin(Stdio::inherit())
            .stdout(Stdio::inherit())
            .stderr(Stdio::inherit());
        Ok(code(child.status().at(std::path::Path::new(&program))?))
    }

    /// The inventory for `-i`, by its absolute path.
    ///
    /// # Errors
    /// There is no such lab.
    pub fn inventory(&self) -> Result<PathBuf, LabError> {
        self.record()?;
        Ok(Access::of(&self.name).inventory())
    }

    /// The private key that root of every node accepts.
    pub fn key(&self) -> PathBuf {
        Access::of(&self.name).key()
    }

    /// The nodes' host keys, in OpenSSH's form.
    pub fn known_hosts(&self) -> PathBuf {
        Access::of(&self.name).known_hosts()
    }

    /// A node's address on the lab's network.
    ///
    /// # Errors
    /// There is no such lab or node.
    pub fn address(&self, node: &str) -> Result<Ipv4Addr, LabError> {
        Ok(self.node(node)?.address)
    }

    fn record(&self) -> Result<Record, LabError> {
        Record::load(&self.name).ok_or_else(|| LabError::NoLab(self.name.to_string()))
    }

    fn network(&self, record: &Record) -> Network {
        // A noted lab has its subnet; 0 is never given out.
        Network::new(&self.name, record.subnet.unwrap_or(0))
    }

    fn nodes(&self, record: &Record) -> Result<Vec<Node>, LabError> {
        let network = self.network(record);
        let cgroups = Cgroups::find(&self.name)?;
        let folder = self.name.folder();
        let numbered = (1..=record.nodes).map(|n| Node::new(&folder, n, &network, &cgroups));
        let balancer = record
            .balancer
            .then(|| Node::balancer(&folder, &network, &cgroups));
        Ok(numbered.chain(balancer).collect())
    }

    fn node(&self, name: &str) -> Result<Node, LabError> {
        let nodes = self.nodes(&self.record()?)?;
        let found = nodes.into_iter().find(|node| node.name == name);
        found.ok_or_else(|| LabError::NoNode {
            lab: self.name.to_string(),
            node: name.into(),
        })
    }

    fn refuse_other(&self, old: Option<&Record>, wanted: &Wanted) -> Result<(), LabError> {
        if wanted.nodes == 0 || wanted.nodes > MOST_NODES {
            return Err(LabError::BadCount {
                asked: wanted.nodes,
                limit: MOST_NODES,
            });
        }
        let Some(old) = old else { return Ok(()) };
        let lab = self.name.to_string();
        if wanted.nodes < old.nodes {
            return Err(LabError::Shrink {
                lab,
                has: old.nodes,
            });
        }
        let other = |setting, has: String, asked: String| {
            Err(LabError::OtherSetting {
                lab: lab.clone(),
                setting,
                has,
                asked,
            })
        };
        match (wanted.release, wanted.disk, wanted.memory) {
            (Some(asked), _, _) if asked != old.release => {
                other("release", old.release.to_string(), asked.to_string())
            }
            (_, Some(asked), _) if Some(asked) != old.disk => other(
                "disk",
                old.disk.map_or("none".into(), |size| size.to_string()),
                asked.to_string(),
            ),
            (_, _, Some(asked)) if asked != old.memory => {
                other("memory", old.memory.to_string(), asked.to_string())
            }
            _ => Ok(()),
        }
    }

    /// Makes bridge, rules and settings under the lock that all labs share, and notes the lab.
    fn raise_network(&self, record: Record) -> Result<Record, LabError> {
        if !record.base.is_dir() {
            return Err(LabError::NoBase {
                lab: self.name.to_string(),
                base: record.base,
            });
        }
        let host = Host::lock()?;
        let subnet = match record.subnet {
            Some(subnet) => subnet,
            None => Network::choose(&record::all())?,
        };
        let record = Record {
            subnet: Some(subnet),
            ..record
        };
        record.save(&self.name)?;
        host.prepare()?;
        Network::new(&self.name, subnet).raise()?;
        Ok(record)
    }

    /// Boots all nodes that do not run (or the one named) at the same time, and waits for SSH.
    fn start_nodes(&self, record: &Record, only: Option<&str>, say: Say) -> Result<(), LabError> {
        let network = self.network(record);
        let access = Access::of(&self.name);
        access.make_key()?;
        let nodes = self.nodes(record)?;
        // One without its supervisor would not survive a reboot: it is started anew.
        let runs = |node: &Node| node.pid().is_some() && node.supervisor().is_some();
        let mut starting: Vec<&Node> = nodes.iter().filter(|node| !runs(node)).collect();
        starting.retain(|node| only.is_none_or(|name| node.name == name));
        if !starting.is_empty() {
            let names: Vec<&str> = starting.iter().map(|node| node.name.as_str()).collect();
            say(&format!("starting {}", names.join(" ")));
        }
        let uppers: Vec<PathBuf> = nodes.iter().map(Node::upper).collect();
        cache::harvest(record.release, &uppers)?;
        let layers = Layers {
            base: record.base.clone(),
            packages: cache::newest(record.release)?,
        };
        at_once(&starting, |node| {
            node.kill()?;
            node.prepare(&layers, record, &network, &access)?;
            node.boot(&self.name.bridge(), record.memory_of(node))
        })?;
        access.write(&nodes)?;
        let waiting: Vec<&Node> = nodes
            .iter()
            .filter(|node| only.is_none_or(|name| node.name == name))
            .collect();
        let cuts = Cuts::read(&self.name)?;
        at_once(&waiting, |node| {
            node.wait_for_ssh(&access, !cuts.shut.contains(&node.port()))
        })
    }

    fn enter(&self, node: &str) -> Result<(String, Vec<String>), LabError> {
        machine::need_root()?;
        self.node(node)?.enter()
    }

    /// Takes away everything that a lab of this name has or could have left.
    fn clear(&self) -> Result<(), LabError> {
        let folder = self.name.folder();
        Cgroups::find(&self.name)?.clear()?;
        if let Some(record) = Record::load(&self.name) {
            let uppers: Vec<PathBuf> = self.nodes(&record)?.iter().map(Node::upper).collect();
            // A machine without room must still get rid of the lab.
            let _ = cache::harvest(record.release, &uppers);
        }
        mount::clear(&folder)?;
        let host = Host::lock()?;
        network::clear(&self.name)?;
        if folder.exists() {
            fs::remove_dir_all(&folder).at(&folder)?;
        }
        host.release()
    }
}

/// Does the same with all nodes at the same time; the first error in their order counts.
fn at_once(
    nodes: &[&Node],
    work: impl Fn(&Node) -> Result<(), LabError> + Sync,
) -> Result<(), LabError> {
    thread::scope(|scope| {
        let running: Vec<_> = nodes
            .iter()
            .map(|node| scope.spawn(|| work(node)))
            .collect();
        running
            .into_iter()
            .try_for_each(|one| one.join().expect("a node's thread does not panic"))
    })
}
