//! What a lab was made with: the one note that is kept of it.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::error::{At, LabError};
use super::host::write_whole;
use super::name::{LabName, ROOT};
use super::node::Node;
use super::release::Release;

/// The most that a balancer gets: it keeps nothing.
const BALANCER_MEMORY: u64 = 512 << 20;

/// The settings of a lab, fixed when it is made; only `nodes` grows, and a balancer may come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The Debian release of all nodes.
    pub release: Release,
    /// The base tree below all nodes: what a node changed fits on no other.
    pub base: PathBuf,
    /// K of the lab's subnet 10.77.K.0/24, chosen before the note is first written.
    pub subnet: Option<u8>,
    /// How many nodes: n1 to nN.
    pub nodes: u16,
    /// Whether there is a balancer, lb1, before them.
    #[serde(default)]
    pub balancer: bool,
    /// The size of each node's own disk in bytes; none: what is free on the machine.
    pub disk: Option<u64>,
    /// The memory limit of each node in bytes, see [`Record::memory_of`].
    pub memory: u64,
}

impl Record {
    /// Reads a lab's note; nothing when there is none, or when it is no longer readable.
    pub fn load(lab: &LabName) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(path(lab)).ok()?).ok()
    }

    /// The memory limit of one node in bytes.
    pub fn memory_of(&self, node: &Node) -> u64 {
        match node.is_balancer() {
            true => self.memory.min(BALANCER_MEMORY),
            false => self.memory,
        }
    }

    /// Writes the note.
    pub fn save(&self, lab: &LabName) -> Result<(), LabError> {
        let folder = lab.folder();
        fs::create_dir_all(&folder).at(&folder)?;
        write_whole(
            &path(lab),
            &serde_json::to_string_pretty(self).unwrap_or_default(),
        )
    }
}

/// The notes of all labs on this machine.
pub(super) fn all() -> Vec<Record> {
    let entries = fs::read_dir(ROOT).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<LabName>().ok());
    names.filter_map(|name| Record::load(&name)).collect()
}

fn path(lab: &LabName) -> PathBuf {
    lab.folder().join("lab.json")
}
