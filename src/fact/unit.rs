//! Questions about systemd units.

use std::sync::Arc;

use super::{Answer, FactError, Question};

/// A systemd unit, from `systemctl show`.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitInfo {
    /// `loaded`, `not-found`, `masked`, `bad-setting` …
    pub load: Arc<str>,
    /// `active`, `inactive`, `failed`, `activating` …
    pub active: Arc<str>,
    /// `running`, `exited`, `dead` …
    pub sub: Arc<str>,
    /// `enabled`, `disabled`, `static`, `masked` … empty for a unit without a file.
    pub enabled: Arc<str>,
    /// Whether its files changed since systemd read them.
    pub needs_reload: bool,
    /// `simple`, `oneshot` …
    pub service_type: Arc<str>,
    /// Whether a oneshot counts as active after its end.
    pub remain_after_exit: bool,
    /// `success`, `exit-code` … of the last run.
    pub result: Arc<str>,
}

type Answers = Result<Vec<(Question, Answer)>, FactError>;

pub(super) fn units_script(_keys: &[&str]) -> String {
    todo!()
}
pub(super) fn parse_units(_keys: &[&str], _body: &[u8]) -> Answers {
    todo!()
}
