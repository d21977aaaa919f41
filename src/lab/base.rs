//! The base tree of a release: a bare Debian server, built once and shared read-only by all nodes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Say;
use super::error::{At, LabError};
use super::lock::Lock;
use super::machine::tool;
use super::mount;
use super::name::ROOT;
use super::record;
use super::release::Release;
use super::sources;

/// Raised when the steps below change: older trees are then built anew.
const RECIPE: &str = "5";
/// What a bare server has beyond apt's essential set.
const PACKAGES: &str = "systemd,systemd-sysv,libpam-systemd,dbus,openssh-server,sudo,iproute2,iputils-ping,\
ca-certificates,procps,kmod,netbase,apt-utils,less";
/// Units that only cost time in a node, or would work on it behind a test's back.
const MASKED: [&str; 9] = [
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
    "console-getty.service",
    "getty@tty1.service",
    "systemd-networkd-wait-online.service",
    "systemd-network-generator.service",
];
/// Where the machine's administrator keeps additional certificate authorities.
const AUTHORITIES: &str = "/usr/local/share/ca-certificates";
/// How old a tree may be for a new lab: later its package lists name packages that the archive no longer has.
const FRESH: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long another command's build of the same tree is waited for.
const PATIENCE: Duration = Duration::from_secs(900);

/// Gives a base tree of a release, building it first when there is none by the present recipe, or only an old one.
pub(super) fn ensure(host: &str, release: Release, say: Say) -> Result<PathBuf, LabError> {
    let folder = Path::new(ROOT).join(".base");
    let recipe = Recipe::read(host, release)?;
    let start = format!("{}-{}-", release.codename(), recipe.hash());
    if let Some((age, tree)) = newest(&folder, &start)
        && age < FRESH
    {
        return Ok(tree);
    }
    let lock = folder.join(format!(".{}.lock", release.codename()));
    let _lock = Lock::take(&lock, PATIENCE)?;
    let old = newest(&folder, &start);
    if let Some((age, tree)) = &old
        && *age < FRESH
    {
        return Ok(tree.clone());
    }
    let half = folder.join(format!(".{}-building", release.codename()));
    remove(&half)?;
    say(&format!("building the base tree of Debian {release}, once"));
    if let Err(error) = recipe.build(&half) {
        let Some((_, tree)) = old else {
            return Err(error);
        };
        say(&format!(
            "that failed, the one built before is used: {error}"
        ));
        return Ok(tree);
    }
    let tree = folder.join(format!("{start}{}", now().as_secs()));
    fs::rename(&half, &tree).at(&tree)?;
    remove_old(&folder, release, &tree)?;
    Ok(tree)
}

/// Everything that makes one tree differ from another.
struct Recipe {
    release: Release,
    sources: String,
    apt: String,
    authorities: Vec<(String, Vec<u8>)>,
}

impl Recipe {
    fn read(host: &str, release: Release) -> Result<Self, LabError> {
        let mut authorities = Vec::new();
        for entry in fs::read_dir(AUTHORITIES).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|ending| ending == "crt") {
                authorities.push((
                    entry.file_name().to_string_lossy().into_owned(),
                    fs::read(&path).at(&path)?,
                ));
            }
        }
        authorities.sort();
        let sources = sources::for_release(host, release)?;
        Ok(Self {
            release,
            sources,
            apt: apt_settings()?,
            authorities,
        })
    }

    fn hash(&self) -> String {
        let mut hash = blake3::Hasher::new();
        for text in [
            RECIPE,
            PACKAGES,
            &MASKED.join(" "),
            self.release.codename(),
            &self.sources,
            &self.apt,
        ] {
            hash.update(text.as_bytes()).update(b"\0");
        }
        for (name, bytes) in &self.authorities {
            hash.update(name.as_bytes()).update(bytes);
        }
        hash.finalize().to_hex()[..12].to_string()
    }

    fn build(&self, tree: &Path) -> Result<(), LabError> {
        let beside = |ending: &str| PathBuf::from(format!("{}.{ending}", tree.display()));
        let (sources, apt) = (beside("sources"), beside("conf"));
        fs::write(&sources, &self.sources).at(&sources)?;
        fs::write(&apt, &self.apt).at(&apt)?;
        // In a process namespace that ends with this process: nothing goes on building behind a later command's back.
        let alone = [
            "--pdeathsig",
            "KILL",
            "unshare",
            "--pid",
            "--mount-proc",
            "--fork",
            "--kill-child",
            "mmdebstrap",
        ];
        tool("setpriv")
            .args(alone)
            .args([
                "--quiet",
                "--variant=minbase",
                "--mode=root",
                "--format=directory",
                "--skip=cleanup/apt/lists",
            ])
            .arg(format!("--include={PACKAGES}"))
            .arg(format!("--aptopt={}", apt.display()))
            .arg(self.release.codename())
            .arg(tree)
            .arg(&sources)
            .check()?;
        self.finish(tree)?;
        fs::remove_file(&sources).at(&sources)?;
        fs::remove_file(&apt).at(&apt)
    }

    fn finish(&self, tree: &Path) -> Result<(), LabError> {
        let lists = tree.join("etc/apt/sources.list.d");
        let made = lists.join("0000debian.sources");
        for entry in fs::read_dir(&lists).at(&lists)?.flatten() {
            fs::remove_file(entry.path()).at(&made)?;
        }
        let path = lists.join("debian.sources");
        fs::write(&path, &self.sources).at(&path)?;
        for (name, bytes) in &self.authorities {
            let path = tree.join("usr/local/share/ca-certificates").join(name);
            fs::write(&path, bytes).at(&path)?;
        }
        let inside = |words: &[&str]| tool("chroot").arg(tree).args(words).check();
        if !self.authorities.is_empty() {
            inside(&["update-ca-certificates"])?;
        }
        inside(&[
            "systemctl",
            "--quiet",
            "enable",
            "ssh.service",
            "systemd-networkd.service",
        ])?;
        for unit in MASKED {
            let path = tree.join("etc/systemd/system").join(unit);
            let _ = fs::remove_file(&path);
            symlink("/dev/null", &path).at(&path)?;
        }
        // The first apt command in a node need not read all lists anew.
        inside(&["apt-cache", "gencaches"])?;
        for own in [
            "etc/hostname",
            "etc/resolv.conf",
            "etc/machine-id",
            "var/lib/dbus/machine-id",
        ] {
            let _ = fs::remove_file(tree.join(own));
        }
        let ssh = tree.join("etc/ssh");
        for entry in fs::read_dir(&ssh).at(&ssh)?.flatten() {
            if entry.file_name().to_string_lossy().starts_with("ssh_host_") {
                fs::remove_file(entry.path()).at(&ssh)?;
            }
        }
        Ok(())
    }
}

/// The youngest whole tree whose name starts so, with its age.
fn newest(folder: &Path, start: &str) -> Option<(Duration, PathBuf)> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let built = entries.filter_map(|entry| {
        let seconds: u64 = entry
            .file_name()
            .to_str()?
            .strip_prefix(start)?
            .parse()
            .ok()?;
        Some((
            now().saturating_sub(Duration::from_secs(seconds)),
            entry.path(),
        ))
    });
    built.min()
}

fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// Removes the trees of a release that no lab stands on, except the one just built.
fn remove_old(folder: &Path, release: Release, keep: &Path) -> Result<(), LabError> {
    let needed = record::all();
    for entry in fs::read_dir(folder).at(folder)?.flatten() {
        let (path, name) = (
            entry.path(),
            entry.file_name().to_string_lossy().into_owned(),
        );
        let other = name.starts_with(&format!("{}-", release.codename())) && path != keep;
        let used = needed.iter().any(|record| record.base == path) || mount::is_used(&path)?;
        if other && !used {
            remove(&path)?;
        }
    }
    Ok(())
}

fn remove(tree: &Path) -> Result<(), LabError> {
    mount::clear(tree)?;
    if tree.exists() {
        fs::remove_dir_all(tree).at(tree)?;
    }
    Ok(())
}

/// What nodes take over of the machine's way to the archive (proxies, checks of dates), and what the cache needs.
fn apt_settings() -> Result<String, LabError> {
    let dump = tool("apt-config").arg("dump").check()?;
    let wanted = ["Acquire::http", "Acquire::https", "Acquire::Check-"];
    let kept = dump
        .lines()
        .filter(|line| wanted.iter().any(|start| line.starts_with(start)));
    let kept: String = kept
        .filter(|line| !line.ends_with("\"\";"))
        .map(|line| format!("{line}\n"))
        .collect();
    Ok(format!(
        "{kept}APT::Keep-Downloaded-Packages \"true\";\nBinary::apt::APT::Keep-Downloaded-Packages \"true\";\n"
    ))
}
