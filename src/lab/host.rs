//! Settings of the machine that labs share: raised with the first lab, put back with the last.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::{At, LabError};
use super::lock::Lock;
use super::name::{BRIDGE_PREFIX, ROOT};

/// Nodes reach the package archive through the machine; every node's root shares one inotify budget.
const WANTED: [(&str, u64); 2] = [
    ("net/ipv4/ip_forward", 1),
    ("fs/inotify/max_user_instances", 8192),
];
/// How long to wait for another lab's command that changes these settings: never long, so a limit.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the settings were before the first lab.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Saved {
    /// Values do not outlive a boot, so neither does this note.
    boot: String,
    settings: BTreeMap<String, u64>,
}

/// The right to change what all labs share, held for short moments only.
pub(super) struct Host {
    _lock: Lock,
}

impl Host {
    /// Waits for that right.
    pub fn lock() -> Result<Self, LabError> {
        Ok(Self {
            _lock: Lock::take(&Path::new(ROOT).join(".host.lock"), PATIENCE)?,
        })
    }

    /// Raises the settings, noting what they were.
    pub fn prepare(&self) -> Result<(), LabError> {
        let boot = boot_id();
        let mut saved = load()
            .filter(|saved| saved.boot == boot)
            .unwrap_or_default();
        saved.boot = boot;
        let mut raise = Vec::new();
        for (name, wanted) in WANTED {
            let now = read(name)?;
            if now < wanted {
                saved.settings.entry(name.into()).or_insert(now);
                raise.push((name, wanted));
            }
        }
        // Noted before anything is raised: a crash in between restores a value that never moved.
        write_whole(&note(), &serde_json::to_string(&saved).unwrap_or_default())?;
        raise
            .into_iter()
            .try_for_each(|(name, wanted)| write(name, wanted))
    }

    /// Puts the settings back if no lab is left; a value that someone else changed since stays.
    pub fn release(&self) -> Result<(), LabError> {
        if !bridges().is_empty() {
            return Ok(());
        }
        let Some(saved) = load() else { return Ok(()) };
        if saved.boot == boot_id() {
            for (name, wanted) in WANTED {
                if let Some(before) = saved
                    .settings
                    .get(name)
                    .filter(|_| read(name).ok() == Some(wanted))
                {
                    write(name, *before)?;
                }
            }
        }
        fs::remove_file(note()).at(&note())
    }
}

/// The bridges of all labs that are up on this machine.
pub(super) fn bridges() -> Vec<String> {
    let links = fs::read_dir("/sys/class/net")
        .into_iter()
        .flatten()
        .flatten();
    let names = links.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names
        .filter(|name| name.starts_with(BRIDGE_PREFIX))
        .collect()
}

/// Writes a file beside its place and renames it there: readers see the old or the new one, never a half.
pub(super) fn write_whole(path: &Path, text: &str) -> Result<(), LabError> {
    let beside = path.with_extension("new");
    fs::write(&beside, text).at(&beside)?;
    fs::rename(&beside, path).at(path)
}

fn note() -> PathBuf {
    Path::new(ROOT).join(".host.json")
}

fn load() -> Option<Saved> {
    serde_json::from_str(&fs::read_to_string(note()).ok()?).ok()
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .unwrap_or_default()
        .trim()
        .into()
}

fn read(name: &str) -> Result<u64, LabError> {
    let path = Path::new("/proc/sys").join(name);
    Ok(fs::read_to_string(&path)
        .at(&path)?
        .trim()
        .parse()
        .unwrap_or(u64::MAX))
}

fn write(name: &str, value: u64) -> Result<(), LabError> {
    let path = Path::new("/proc/sys").join(name);
    fs::write(&path, value.to_string()).at(&path)
}
