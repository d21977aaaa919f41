//! Mounts below a lab's folder: made once, found again without any note, taken away deepest first.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::error::{At, LabError};
use super::machine::tool;

/// How long a busy mount may take to be free.
const PATIENCE: Duration = Duration::from_secs(5);

/// Mounts layers, the topmost first, under a writable one. Lower layers must never change while mounted.
pub(super) fn overlay(lower: &[&Path], writable: &Path, target: &Path) -> Result<(), LabError> {
    if is_mounted(target)? {
        return Ok(());
    }
    let (upper, work) = (writable.join("upper"), writable.join("work"));
    for folder in [&upper, &work, &target.to_path_buf()] {
        fs::create_dir_all(folder).at(folder)?;
    }
    let lower: Vec<String> = lower
        .iter()
        .map(|layer| layer.display().to_string())
        .collect();
    let layers = format!(
        "lowerdir={},upperdir={},workdir={}",
        lower.join(":"),
        upper.display(),
        work.display()
    );
    // As on a server: with redirect_dir a folder of a lower layer can be renamed, with xino all files are on one device (`du -x`, `find -xdev`).
    // Some kernels refuse it.
    let mount = |options: String| {
        tool("mount")
            .args(["-t", "overlay", "overlay", "-o", &options])
            .arg(target)
            .check()
    };
    if mount(format!("{layers},redirect_dir=on,xino=auto")).is_err() {
        mount(layers)?;
    }
    Ok(())
}

/// Mounts a file with a file system; the loop device goes with the mount.
pub(super) fn image(file: &Path, target: &Path) -> Result<(), LabError> {
    if is_mounted(target)? {
        return Ok(());
    }
    fs::create_dir_all(target).at(target)?;
    tool("mount")
        .args(["-o", "loop,noatime"])
        .arg(file)
        .arg(target)
        .check()?;
    Ok(())
}

/// Unmounts everything below a folder, and frees loop devices on files there.
pub(super) fn clear(folder: &Path) -> Result<(), LabError> {
    for point in below(folder)?.into_iter().rev() {
        unmount(&point)?;
    }
    let devices = tool("losetup")
        .args(["--list", "--noheadings", "--output", "NAME,BACK-FILE"])
        .check()?;
    for line in devices.lines() {
        if let Some((device, file)) = line.trim().split_once(char::is_whitespace)
            && Path::new(file.trim()).starts_with(folder)
        {
            // A device still in use detaches itself with its last user.
            tool("losetup").args(["--detach", device]).run()?;
        }
    }
    Ok(())
}

fn unmount(point: &Path) -> Result<(), LabError> {
    let start = Instant::now();
    while let Err(error) = tool("umount").arg(point).check() {
        // The kernel may still be ending the last process that had it open.
        if start.elapsed() > PATIENCE {
            return Err(error.into());
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Whether any mount uses a folder as a layer or as its place.
pub(super) fn is_used(folder: &Path) -> Result<bool, LabError> {
    let path = folder.display().to_string();
    Ok(mountinfo()?
        .lines()
        .any(|line| line.split([' ', ',', ':', '=']).any(|word| word == path)))
}

fn is_mounted(target: &Path) -> Result<bool, LabError> {
    Ok(points(&mountinfo()?).iter().any(|point| point == target))
}

fn below(folder: &Path) -> Result<Vec<PathBuf>, LabError> {
    let all = points(&mountinfo()?);
    Ok(all
        .into_iter()
        .filter(|point| point.starts_with(folder))
        .collect())
}

fn mountinfo() -> Result<String, LabError> {
    let path = Path::new("/proc/self/mountinfo");
    fs::read_to_string(path).at(path)
}

/// Mount points in the order they were made. A lab's paths have no letters that the kernel escapes.
fn points(mountinfo: &str) -> Vec<PathBuf> {
    mountinfo
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(PathBuf::from)
        .collect()
}
