//! Why a lab could not do what was asked, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::process::ProcessError;

/// A lab command that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The lab needs root: it mounts, bridges and starts machines.
    #[error("the lab needs root")]
    NotRoot,
    /// The lab is made of Debian's own packages.
    #[error("the lab needs Debian, and this machine is `{0}`")]
    NotDebian(String),
    /// Nodes need the cgroup v2 hierarchy for their own systemd.
    #[error("no cgroup2 hierarchy is mounted on this machine")]
    NoCgroup,
    /// Nodes take their packages from where this machine takes its own.
    #[error("this machine's apt sources name no Debian archive of its release `{0}`")]
    NoSources(String),
    /// A lab's name becomes part of paths and of the bridge's name.
    #[error("`{0}` is no name for a lab")]
    BadName(String),
    /// A size that cannot be read.
    #[error("`{0}` is no size")]
    BadSize(String),
    /// There is no lab of that name.
    #[error("there is no lab `{0}`")]
    NoLab(String),
    /// The lab has no node of that name.
    #[error("lab `{lab}` has no node `{node}`")]
    NoNode {
        /// The lab.
        lab: String,
        /// The name that was asked for.
        node: String,
    },
    /// More nodes than a lab's network has room for, or none.
    #[error("a lab has 1 to {limit} nodes, not {asked}")]
    BadCount {
        /// What was asked for.
        asked: u16,
        /// The most that is possible.
        limit: u16,
    },
    /// A lab grows but never shrinks.
    #[error("lab `{lab}` has {has} nodes, and `up` does not take nodes away")]
    Shrink {
        /// The lab.
        lab: String,
        /// How many nodes it has.
        has: u16,
    },
    /// A lab's release, disk and memory are fixed when it is made.
    #[error("lab `{lab}` was made with {setting} {has}, not {asked}")]
    OtherSetting {
        /// The lab.
        lab: String,
        /// Which setting differs.
        setting: &'static str,
        /// What the lab has.
        has: String,
        /// What was asked for.
        asked: String,
    },
    /// Another command works on the same lab.
    #[error("another command holds `{}`{holder}", path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// The process that holds it, as far as known.
        holder: String,
    },
    /// All subnets that a lab may take are in use.
    #[error("no free subnet in 10.77.0.0/16")]
    NoSubnet,
    /// The tree that all nodes of the lab stand on is gone.
    #[error("the base tree `{}` of lab `{lab}` is gone", base.display())]
    NoBase {
        /// The lab.
        lab: String,
        /// The tree.
        base: PathBuf,
    },
    /// The node is not running.
    #[error("node `{0}` is not running")]
    Down(String),
    /// A node always reaches itself.
    #[error("node `{0}` cannot be cut off from itself")]
    Itself(String),
    /// What is cut could not be understood.
    #[error("nft did not say what is cut: {0}")]
    NoCuts(String),
    /// The node ended or did not answer while it started.
    #[error("node `{node}` does not answer SSH: {why}")]
    NoSsh {
        /// The node.
        node: String,
        /// What was seen last.
        why: String,
    },
    /// Processes or mounts of a lab that would not go.
    #[error("{0} would not go away")]
    Stuck(String),
    /// The program that makes visitors did not say what they saw.
    #[error("wrk did not say what it saw: {0}")]
    NoLoad(String),
    /// A file of the lab could not be read or written.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A program failed.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

impl LabError {
    /// What the user can do, where something is known.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotRoot => "run it as root, for example with `sudo`".into(),
            Self::NotDebian(_) => "run the lab on Debian 12 or newer".into(),
            Self::NoCgroup => {
                "mount it with `mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified`".into()
            }
            Self::NoSources(release) => {
                format!("add one to /etc/apt/sources.list: `deb ARCHIVE {release} main`")
            }
            Self::BadName(_) => {
                "use small letters, digits and `-`, at most 30, a letter first".into()
            }
            Self::BadSize(_) => "write it like `2G` or `512M`".into(),
            Self::NoLab(name) => format!("make it with `hadeploy lab up --nodes 3 --name {name}`"),
            Self::NoNode { lab, .. } => {
                format!("`hadeploy lab status --name {lab}` lists the nodes")
            }
            Self::Shrink { lab, .. }
            | Self::OtherSetting { lab, .. }
            | Self::NoBase { lab, .. } => {
                format!("remove it with `hadeploy lab down --name {lab}`, or use another `--name`")
            }
            Self::Busy { .. } => "wait for it to end".into(),
            Self::NoSubnet => "remove a lab with `hadeploy lab down --name NAME`".into(),
            Self::Down(node) => format!("start it with `hadeploy lab start {node}`"),
            Self::Itself(_) => "name another node behind `--from`".into(),
            Self::NoSsh { .. } => "its console.log in the lab's folder says how far it came".into(),
            _ => return None,
        })
    }
}

/// Names the file in an error of the file system.
pub(super) trait At<T> {
    fn at(self, path: &Path) -> Result<T, LabError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, LabError> {
        self.map_err(|source| LabError::Io {
            path: path.into(),
            source,
        })
    }
}
