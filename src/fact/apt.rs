//! Questions about Debian packages: what is installed, what apt would install, how old its lists are.

use std::sync::Arc;

use super::{Answer, FactError, Question};

/// Installed state of a package.
#[derive(Debug, Clone, PartialEq)]
pub struct PackageInfo {
    /// Whether dpkg says `install ok installed`.
    pub installed: bool,
    /// The installed version; none when it is not installed, or in a prediction.
    pub version: Option<Arc<str>>,
    /// Whether it is on hold.
    pub held: bool,
    /// Whether only its configuration files are left (`deinstall ok config-files`).
    pub config_files: bool,
    /// Whether dpkg left it half way.
    pub half_way: bool,
}

/// What apt would install for a name.
#[derive(Debug, Clone, PartialEq)]
pub struct CandidateInfo {
    /// The version, none when apt knows no such package.
    pub version: Option<Arc<str>>,
    /// Real packages that provide it, when it is virtual.
    pub providers: Vec<Arc<str>>,
}

/// The state of apt's package lists.
#[derive(Debug, Clone, PartialEq)]
pub struct AptLists {
    /// Age in seconds of the newest list by the node's clock; none when there are no lists.
    pub age: Option<u64>,
    /// Number of packages `upgrade` would install; none when not asked.
    pub upgradable: Option<u32>,
}

type Answers = Result<Vec<(Question, Answer)>, FactError>;

pub(super) fn packages_script(_keys: &[&str]) -> String {
    todo!()
}
pub(super) fn parse_packages(_keys: &[&str], _body: &[u8]) -> Answers {
    todo!()
}
pub(super) fn candidates_script(_keys: &[&str]) -> String {
    todo!()
}
pub(super) fn parse_candidates(_keys: &[&str], _body: &[u8]) -> Answers {
    todo!()
}
pub(super) fn lists_script() -> String {
    todo!()
}
pub(super) fn parse_lists(_body: &[u8]) -> Result<AptLists, FactError> {
    todo!()
}
