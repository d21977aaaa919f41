//! The machine that the lab runs on: is it Debian, and does it have the programs that are needed.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use super::Say;
use super::error::{At, LabError};
use super::lock::Lock;
use super::name::ROOT;
use crate::process::{ProcessError, Program};

/// Which package brings what the lab runs or reads.
const NEEDED: [(&str, &str); 10] = [
    ("mmdebstrap", "mmdebstrap"),
    ("systemd-nspawn", "systemd-container"),
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("ssh", "openssh-client"),
    ("ssh-keygen", "openssh-client"),
    ("mkfs.ext4", "e2fsprogs"),
    ("nsenter", "util-linux"),
    ("mount", "mount"),
    (
        "/usr/share/keyrings/debian-archive-keyring.gpg",
        "debian-archive-keyring",
    ),
];
/// How long another lab's installation is waited for.
const PATIENCE: Duration = Duration::from_secs(600);
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program of the machine, found although the user's PATH may lack the folders for root's programs.
pub(super) fn tool(name: &str) -> Program {
    Program::new(find(name).unwrap_or_else(|| name.into()))
        .env("PATH", PATH)
        .env("LC_ALL", "C")
}

/// Whether a program is there.
pub(super) fn has(name: &str) -> bool {
    find(name).is_some()
}

/// Refuses anything but root.
pub(super) fn need_root() -> Result<(), LabError> {
    let own = Path::new("/proc/self");
    if fs::metadata(own).at(own)?.uid() == 0 {
        Ok(())
    } else {
        Err(LabError::NotRoot)
    }
}

/// Refuses anything but root on Debian; gives the release's code name.
pub(super) fn check() -> Result<String, LabError> {
    need_root()?;
    let path = Path::new("/etc/os-release");
    let text = fs::read_to_string(path).unwrap_or_default();
    let field = |name: &str| {
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_default().trim_matches('"').to_string()
    };
    match field("ID").as_str() {
        "debian" => Ok(field("VERSION_CODENAME")),
        "" => Err(LabError::NotDebian("unknown".into())),
        other => Err(LabError::NotDebian(other.into())),
    }
}

/// Installs what every lab needs and is missing, after saying what.
pub(super) fn install_missing(say: Say) -> Result<(), LabError> {
    install(&NEEDED, say)
}

/// Installs what a release of the sample application is built with, where nothing of it is there: yarn 1, or npm's way to it.
///
/// # Errors
/// The package cannot be installed.
pub fn install_builder(say: Say) -> Result<(), LabError> {
    match has("node") && (has("npx") || has("yarn")) {
        true => Ok(()),
        false => install(&[("npx", "npm")], say),
    }
}

/// Installs the packages of programs that are missing, after saying which.
pub(super) fn install(needed: &[(&str, &'static str)], say: Say) -> Result<(), LabError> {
    if missing(needed).is_empty() {
        return Ok(());
    }
    // apt's own locks are not all waited for, and the command that held this one may have installed everything.
    let _lock = Lock::take(&Path::new(ROOT).join(".install.lock"), PATIENCE)?;
    let missing = missing(needed);
    if missing.is_empty() {
        return Ok(());
    }
    say(&format!(
        "installing {} from Debian's packages",
        missing.join(" ")
    ));
    if install_packages(&missing).is_err() {
        // No lists yet, or lists so old that the packages they name are gone.
        say("updating the package lists");
        apt(&["update"])?;
        install_packages(&missing)?;
    }
    Ok(())
}

fn missing(needed: &[(&str, &'static str)]) -> Vec<&'static str> {
    let absent = needed.iter().filter(|(file, _)| find(file).is_none());
    let mut packages: Vec<&str> = absent.map(|(_, package)| *package).collect();
    packages.dedup();
    packages
}

fn install_packages(packages: &[&str]) -> Result<(), ProcessError> {
    let mut words = vec!["install", "--yes", "--no-install-recommends"];
    words.extend_from_slice(packages);
    apt(&words)
}

fn apt(words: &[&str]) -> Result<(), ProcessError> {
    let apt = tool("apt-get").env("DEBIAN_FRONTEND", "noninteractive");
    apt.args(["-q", "-o", "DPkg::Lock::Timeout=300"])
        .args(words)
        .check()
        .map(drop)
}

fn find(name: &str) -> Option<String> {
    if name.starts_with('/') {
        return Path::new(name).exists().then(|| name.into());
    }
    PATH.split(':')
        .map(|folder| format!("{folder}/{name}"))
        .find(|path| Path::new(path).is_file())
}
