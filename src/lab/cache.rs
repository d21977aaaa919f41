//! Downloaded packages, kept between nodes and labs: a read-only layer under every node.
//!
//! A layer in use must not change, so the cache is a row of generations: a new one links the files of the last and
//! adds what nodes have downloaded since. Each node looks at the newest of the day it was mounted.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{At, LabError};
use super::lock::Lock;
use super::mount;
use super::name::ROOT;
use super::release::Release;

/// Where apt keeps packages, in a node and in a generation.
const ARCHIVES: &str = "var/cache/apt/archives";
const PATIENCE: Duration = Duration::from_secs(60);

/// The newest generation of a release, an empty one if nothing was kept yet.
pub(super) fn newest(release: Release) -> Result<PathBuf, LabError> {
    let folder = folder(release);
    if let Some(last) = generations(&folder).pop() {
        return Ok(folder.join(last.to_string()));
    }
    let first = folder.join("1");
    let archives = first.join(ARCHIVES);
    fs::create_dir_all(&archives).at(&archives)?;
    Ok(first)
}

/// Keeps the packages that nodes, given by their writable layers, have downloaded.
pub(super) fn harvest(release: Release, uppers: &[PathBuf]) -> Result<(), LabError> {
    let last = newest(release)?;
    let folder = folder(release);
    let _lock = Lock::take(&folder.join(".lock"), PATIENCE)?;
    let known = packages(&last.join(ARCHIVES));
    let name = |path: &Path| path.file_name().map(|name| name.to_os_string());
    let mut fresh: Vec<PathBuf> = uppers
        .iter()
        .flat_map(|upper| packages(&upper.join(ARCHIVES)))
        .collect();
    fresh.retain(|path| !known.iter().any(|old| name(old) == name(path)));
    if !fresh.is_empty() {
        let half = folder.join(".building");
        let _ = fs::remove_dir_all(&half);
        let archives = half.join(ARCHIVES);
        fs::create_dir_all(&archives).at(&archives)?;
        for old in &known {
            let target = archives.join(old.file_name().unwrap_or_default());
            fs::hard_link(old, &target).at(&target)?;
        }
        for package in &fresh {
            let target = archives.join(package.file_name().unwrap_or_default());
            match fs::copy(package, &target) {
                Ok(_) => {}
                // A node that runs may have cleaned up meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(source).at(&target),
            }
        }
        let next = generations(&folder).pop().unwrap_or(0) + 1;
        let target = folder.join(next.to_string());
        fs::rename(&half, &target).at(&target)?;
    }
    remove_old(&folder)
}

fn remove_old(folder: &Path) -> Result<(), LabError> {
    let mut all = generations(folder);
    // The last but one stays too: another lab may be about to mount it.
    all.truncate(all.len().saturating_sub(2));
    for old in all {
        let path = folder.join(old.to_string());
        if !mount::is_used(&path)? {
            fs::remove_dir_all(&path).at(&path)?;
        }
    }
    Ok(())
}

fn folder(release: Release) -> PathBuf {
    Path::new(ROOT).join(".packages").join(release.codename())
}

fn generations(folder: &Path) -> Vec<u32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut all: Vec<u32> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    all.sort_unstable();
    all
}

/// Whole packages only: apt downloads into `partial` and renames a file when it has checked it.
fn packages(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter(|entry| {
        entry
            .metadata()
            .is_ok_and(|meta| meta.is_file() && meta.len() > 0)
    });
    files
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "deb"))
        .collect()
}
