//! What is put on a node, and the steps of each act.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::act::Act;
use super::site::Site;
use crate::change::Step;

/// A file that we own on a member.
#[derive(Clone)]
pub struct ManagedFile {
    /// Where.
    pub path: String,
    /// What.
    pub content: Arc<[u8]>,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub owner: &'static str,
    /// Group.
    pub group: &'static str,
    /// Whether the running server must read its files again when this one changes.
    pub reload: bool,
}

/// Every file of ours on a member, whatever its state, for [`Act::Prepare`] and [`Act::WriteFiles`]. Those below the server's folder are
/// written only where that is there.
pub fn files(_site: &Site, _member: usize) -> Vec<ManagedFile> {
    Vec::new()
}

/// Packages that a member needs.
pub fn packages(release: u32) -> Vec<String> {
    vec![
        format!("postgresql-{release}"),
        format!("postgresql-{release}-repmgr"),
    ]
}

/// What does an act.
pub fn step(site: &Site, _member: usize, act: &Act) -> Step {
    Step::new(act.title(site.spec), "exit 1")
}

/// The settings that the files give a member: ours and the user's, without quotes.
pub fn settings(site: &Site, _member: usize) -> BTreeMap<String, String> {
    site.spec.settings.clone()
}
