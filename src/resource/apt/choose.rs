//! Which version of which package apt is told to install for a wanted name.

use super::diff::{Apt, State};
use super::wanted::{Wanted, fnmatch};
use crate::change::Change;
use crate::diagnostic::{count, list};
use crate::fact::{Known, Missing, PackageInfo};

/// What apt is told to install for a wanted name.
pub(super) struct Choice {
    /// The package.
    pub(super) name: String,
    /// What will be there, if it is known.
    pub(super) version: Option<String>,
    /// What apt is told.
    pub(super) pinned: Option<String>,
}

impl Apt {
    /// What is to be installed for a name; none when it is well as it is.
    pub(super) fn choose(
        &self,
        known: &Known,
        wanted: &Wanted,
        info: &PackageInfo,
        stale: bool,
    ) -> Result<Result<Option<Choice>, Box<Change>>, Missing> {
        let candidate = known.candidate(&self.candidate_key(wanted))?;
        let name = wanted.name.clone();
        if let Some(pattern) = &wanted.version {
            let fits = info.installed && !info.half_way && wanted.fits(info);
            return Ok(if fits {
                Ok(None)
            } else {
                at_version(wanted, pattern, &candidate.versions, stale)
            });
        }
        if info.installed {
            let newer = self.state == State::Latest
                && candidate.version.is_some()
                && candidate.version != info.version
                && info.version.is_some();
            return Ok(match newer {
                _ if info.half_way => Ok(Some(Choice { name, version: info.version.as_deref().map(str::to_owned), pinned: None })),
                true if info.held && !self.change_held => Err(Box::new(
                    Change::failed(format!("package `{name}` is on hold and cannot be upgraded"))
                        .help("set `allow_change_held_packages: true`, or take it off hold with `apt-mark unhold`"),
                )),
                true => Ok(Some(Choice { name, version: candidate.version.as_deref().map(str::to_owned), pinned: None })),
                false if stale && self.state == State::Latest => Ok(Some(Choice { name, version: None, pinned: None })),
                false => Ok(None),
            });
        }
        Ok(match (&candidate.version, candidate.providers.as_slice()) {
            _ if !candidate.provided_by.is_empty() => Ok(None),
            (Some(version), _) => Ok(Some(Choice {
                name,
                version: (!stale).then(|| version.to_string()),
                pinned: None,
            })),
            (None, [provider]) => Ok(Some(Choice {
                name: provider.to_string(),
                version: None,
                pinned: None,
            })),
            (None, [_, ..]) => Err(Box::new(
                Change::failed(format!("`{name}` is a virtual package")).help(format!(
                    "name one of those that provide it: {}",
                    list(candidate.providers.iter().map(|name| &**name))
                )),
            )),
            (None, []) if stale => Ok(Some(Choice {
                name,
                version: None,
                pinned: None,
            })),
            (None, []) => Err(Box::new(self.no_package(known, &name)?)),
        })
    }

    fn no_package(&self, known: &Known, name: &str) -> Result<Change, Missing> {
        let change = Change::blocked(format!("no package `{name}`"));
        let lists = known.apt_lists()?;
        Ok(match (lists.age, self.fetch) {
            (Some(_), None) if lists.outdated => change.help("a source was changed since the node fetched its package lists; set `update_cache: true`"),
            (None, _) => change.help("the node has no package lists yet; set `update_cache: true`"),
            (Some(age), None) => change.help(format!(
                "its package lists were fetched {}; set `update_cache: true` if it is newer, or check the name with `apt-cache search`",
                ago(age)
            )),
            (Some(_), Some(_)) => change.help("check the name with `apt-cache search` on the node, and its sources in /etc/apt"),
        })
    }
}

/// The best of the versions apt knows that fits; with lists about to be fetched, apt itself looks.
fn at_version(
    wanted: &Wanted,
    pattern: &str,
    versions: &[std::sync::Arc<str>],
    stale: bool,
) -> Result<Option<Choice>, Box<Change>> {
    let found = versions.iter().find(|version| fnmatch(pattern, version));
    let choice = |version: Option<&str>| Choice {
        name: wanted.name.clone(),
        version: version.map(str::to_owned),
        pinned: Some(version.unwrap_or(pattern).to_owned()),
    };
    match found {
        Some(version) => Ok(Some(choice(Some(version)))),
        None if stale => Ok(Some(choice(None))),
        None => Err(Box::new(no_version(wanted, versions))),
    }
}

fn no_version(wanted: &Wanted, versions: &[std::sync::Arc<str>]) -> Change {
    let pattern = wanted.version.as_deref().unwrap_or("");
    if versions.is_empty() {
        return Change::blocked(format!("no package `{}`", wanted.name))
            .help("set `update_cache: true` if the node's package lists are old");
    }
    Change::blocked(format!(
        "package `{}` has no version `{pattern}`",
        wanted.name
    ))
    .help(format!(
        "apt knows {}",
        list(versions.iter().map(|version| &**version))
    ))
}

/// `just now`, `5 minutes ago`.
pub(super) fn ago(seconds: u64) -> String {
    match seconds {
        0..60 => "just now".to_owned(),
        60..3600 => format!("{} ago", count((seconds / 60) as usize, "minute")),
        3600..172_800 => format!("{} ago", count((seconds / 3600) as usize, "hour")),
        _ => format!("{} ago", count((seconds / 86_400) as usize, "day")),
    }
}
