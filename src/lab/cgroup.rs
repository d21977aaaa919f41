//! Control groups: what keeps a node's processes together, within their memory, and kills them all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::error::{At, LabError};
use super::machine::tool;
use super::name::LabName;

/// The folder of all labs in each hierarchy.
const TOP: &str = "hadeploy-lab";
/// How long killed processes may take to be gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a node has of the machine's memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// What its processes and files in use take, without what the kernel keeps of files only while there is room.
    pub used: u64,
    /// Beyond this, the kernel ends the node's largest process.
    pub limit: u64,
}

/// The control groups of one lab, in every hierarchy that the lab uses.
#[derive(Debug, Clone)]
pub(super) struct Cgroups {
    /// The lab's folder in the cgroup2 hierarchy: who belongs to a node is asked and killed here.
    unified: PathBuf,
    /// The lab's folder under the old memory controller, where the machine has that one.
    memory: Option<PathBuf>,
    /// The lab's folder in every old hierarchy: nspawn mirrors its groups into the one that is called systemd.
    old: Vec<PathBuf>,
}

impl Cgroups {
    /// Finds the hierarchies of this machine.
    pub fn find(lab: &LabName) -> Result<Self, LabError> {
        let path = Path::new("/proc/self/mounts");
        let mounts = fs::read_to_string(path).at(path)?;
        let found = Hierarchies::read(&mounts);
        let below = |mount: PathBuf| mount.join(TOP).join(lab.as_str());
        Ok(Self {
            unified: found.unified.map(below).ok_or(LabError::NoCgroup)?,
            memory: found.memory.map(below),
            old: found.old.into_iter().map(below).collect(),
        })
    }

    /// The group of a node in the cgroup2 hierarchy.
    pub fn node(&self, node: &str) -> PathBuf {
        self.unified.join(node)
    }

    /// The group of the node's supervisor: apart, because only leaves may hold processes.
    pub fn supervisor(&self, node: &str) -> PathBuf {
        self.unified.join(format!("{node}-supervisor"))
    }

    /// Makes a node's groups with a limit in bytes; gives those that the node's processes must join.
    pub fn make(&self, node: &str, memory: u64) -> Result<Vec<PathBuf>, LabError> {
        let group = self.node(node);
        for folder in [&group, &self.supervisor(node)] {
            fs::create_dir_all(folder).at(folder)?;
        }
        let lab = &self.unified;
        for folder in [lab.parent().and_then(Path::parent), lab.parent(), Some(lab)]
            .into_iter()
            .flatten()
        {
            let offered = fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default();
            for controller in offered.split_whitespace() {
                // What cannot be had here is left out: only the memory limit below must hold.
                let _ = fs::write(
                    folder.join("cgroup.subtree_control"),
                    format!("+{controller}"),
                );
            }
        }
        let mut groups = vec![group.clone()];
        if let Some(top) = &self.memory {
            let old = top.join(node);
            fs::create_dir_all(&old).at(&old)?;
            let limit = old.join("memory.limit_in_bytes");
            fs::write(&limit, memory.to_string()).at(&limit)?;
            // What does not fit is not swapped out instead; counts memory and swap together.
            write_where(&old.join("memory.memsw.limit_in_bytes"), memory)?;
            groups.push(old);
        } else {
            write_where(&group.join("memory.max"), memory)?;
            write_where(&group.join("memory.swap.max"), 0)?;
        }
        Ok(groups)
    }

    /// Kills everything in the node's groups, its supervisor first so that nothing is started again.
    pub fn kill_node(&self, node: &str) -> Result<(), LabError> {
        kill(&self.supervisor(node))?;
        kill(&self.node(node))?;
        for folder in [self.node(node), self.supervisor(node)] {
            remove(&folder)?;
        }
        self.old.iter().try_for_each(|top| remove(&top.join(node)))
    }

    /// Kills everything of the lab and removes its groups.
    pub fn clear(&self) -> Result<(), LabError> {
        // Supervisors first: one whose node dies with 133 at this moment would start it again.
        for entry in fs::read_dir(&self.unified).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().ends_with("-supervisor") {
                kill(&entry.path())?;
            }
        }
        kill(&self.unified)?;
        for folder in std::iter::once(&self.unified).chain(&self.old) {
            remove(folder)?;
            if let Some(top) = folder.parent() {
                // Goes only with the last lab.
                let _ = fs::remove_dir(top);
            }
        }
        Ok(())
    }

    /// The node's init as the machine counts processes, while it runs.
    pub fn init(&self, node: &str) -> Option<u32> {
        let scope = self.node(node).join("payload/init.scope/cgroup.procs");
        let pids = fs::read_to_string(scope).ok()?;
        pids.lines().find_map(|pid| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            let inside = status
                .lines()
                .find_map(|line| line.strip_prefix("NSpid:"))?;
            (inside.split_whitespace().count() > 1 && inside.split_whitespace().last() == Some("1"))
                .then(|| pid.parse().ok())?
        })
    }

    /// The groups that a program must join to be counted and ended with the node.
    pub fn inside(&self, node: &str) -> Vec<PathBuf> {
        // The init's own group: only leaves may hold processes.
        let scope = self.node(node).join("payload/init.scope");
        std::iter::once(scope)
            .chain(self.memory.as_ref().map(|top| top.join(node)))
            .collect()
    }

    /// A node's memory, where it has a limit.
    pub fn memory(&self, node: &str) -> Option<Memory> {
        let (group, used, limit, spare) = match &self.memory {
            Some(top) => (
                top.join(node),
                "memory.usage_in_bytes",
                "memory.limit_in_bytes",
                "total_inactive_file",
            ),
            None => (
                self.node(node),
                "memory.current",
                "memory.max",
                "inactive_file",
            ),
        };
        let number = |file| -> Option<u64> {
            let text = fs::read_to_string(group.join(file)).ok()?;
            text.trim().parse().ok()
        };
        let spare = spare_bytes(&fs::read_to_string(group.join("memory.stat")).ok()?, spare);
        Some(Memory {
            used: number(used)?.saturating_sub(spare),
            limit: number(limit)?,
        })
    }

    /// Whether a process still lives in the folder or below it.
    pub fn is_alive(folder: &Path) -> bool {
        let events = fs::read_to_string(folder.join("cgroup.events")).unwrap_or_default();
        events.lines().any(|line| line == "populated 1")
    }
}

/// The mount points of the machine's hierarchies.
#[derive(Debug, Default, PartialEq, Eq)]
struct Hierarchies {
    unified: Option<PathBuf>,
    memory: Option<PathBuf>,
    old: Vec<PathBuf>,
}

impl Hierarchies {
    fn read(mounts: &str) -> Self {
        let mut found = Self::default();
        for line in mounts.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                [_, point, "cgroup2", ..] => found.unified = found.unified.or(Some(point.into())),
                [_, point, "cgroup", options, ..] => {
                    if options.split(',').any(|option| option == "memory") {
                        found.memory = Some(point.into());
                    }
                    found.old.push(point.into());
                }
                _ => {}
            }
        }
        found
    }
}

/// Writes a limit where this kernel counts what it limits.
fn write_where(limit: &Path, bytes: u64) -> Result<(), LabError> {
    match limit.exists() {
        true => fs::write(limit, bytes.to_string()).at(limit),
        false => Ok(()),
    }
}

/// One number of memory.stat, 0 where it is not counted.
fn spare_bytes(stat: &str, name: &str) -> u64 {
    let value = stat
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}

fn kill(folder: &Path) -> Result<(), LabError> {
    let start = Instant::now();
    while Cgroups::is_alive(folder) {
        if start.elapsed() > PATIENCE {
            return Err(LabError::Stuck(format!(
                "processes in `{}`",
                folder.display()
            )));
        }
        if fs::write(folder.join("cgroup.kill"), "1").is_err() {
            // Kernels before 5.14 have no cgroup.kill.
            kill_each(folder)?;
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn kill_each(folder: &Path) -> Result<(), LabError> {
    for group in groups(folder) {
        let pids = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
        if !pids.trim().is_empty() {
            tool("sh")
                .args(["-c", "kill -9 \"$@\"", "kill"])
                .args(pids.split_whitespace())
                .run()?;
        }
    }
    Ok(())
}

/// Removes the groups of a tree, leaves first; dead ones may take a moment.
fn remove(folder: &Path) -> Result<(), LabError> {
    let start = Instant::now();
    loop {
        let gone = groups(folder).iter().try_for_each(fs::remove_dir);
        match gone {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) if start.elapsed() > PATIENCE => return Err(source).at(folder),
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// The folder and all below it, leaves first.
fn groups(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            all.extend(groups(&entry.path()));
        }
    }
    if folder.is_dir() {
        all.push(folder.into());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_could_be_freed() {
        let stat = "inactive_file 4096\ntotal_inactive_file 8192\n";
        assert_eq!(spare_bytes(stat, "inactive_file"), 4096);
        assert_eq!(spare_bytes(stat, "total_inactive_file"), 8192);
        assert_eq!(spare_bytes(stat, "inactive"), 0);
    }

    #[test]
    fn finds_both_kinds_of_hierarchy() {
        let hybrid = "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\ncgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0\n";
        let found = Hierarchies::read(hybrid);
        assert_eq!(found.unified.unwrap(), Path::new("/sys/fs/cgroup/unified"));
        assert_eq!(found.memory.unwrap(), Path::new("/sys/fs/cgroup/memory"));
        assert_eq!(found.old.len(), 2);
        let found = Hierarchies::read("cgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate 0 0\n");
        let unified = Some("/sys/fs/cgroup".into());
        assert_eq!(
            found,
            Hierarchies {
                unified,
                ..Hierarchies::default()
            }
        );
    }
}
