//! Questions about accounts and groups.

use std::sync::Arc;

use super::{Answer, FactError, Question};

/// A user account. In a prediction numbers may be unknown.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountInfo {
    /// Its number; none in a prediction.
    pub uid: Option<u32>,
    /// Primary group's number; none in a prediction.
    pub gid: Option<u32>,
    /// Primary group's name.
    pub group: Arc<str>,
    /// The comment field.
    pub comment: Arc<str>,
    /// Home folder.
    pub home: Arc<str>,
    /// Login shell.
    pub shell: Arc<str>,
    /// Supplementary groups, sorted.
    pub groups: Vec<Arc<str>>,
    /// The hash in shadow; none when shadow could not be read. Never shown.
    pub password: Option<Arc<str>>,
    /// Days since 1970 after which the account is disabled.
    pub expires: Option<i64>,
}

/// A group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupInfo {
    /// Its number; none in a prediction.
    pub gid: Option<u32>,
    /// Members named in the group file.
    pub members: Vec<Arc<str>>,
}

type Answers = Result<Vec<(Question, Answer)>, FactError>;

pub(super) fn accounts_script(_keys: &[&str]) -> String {
    todo!()
}
pub(super) fn parse_accounts(_keys: &[&str], _body: &[u8]) -> Answers {
    todo!()
}
pub(super) fn groups_script(_keys: &[&str]) -> String {
    todo!()
}
pub(super) fn parse_groups(_keys: &[&str], _body: &[u8]) -> Answers {
    todo!()
}
