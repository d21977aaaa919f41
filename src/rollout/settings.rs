//! The play's `rolling:` mapping.

mod read;

use std::sync::Arc;
use std::time::Duration;

use super::health::Gate;
use super::{OnFailure, Policy};
use crate::diagnostic::Diagnostic;
use crate::value::Value;

use read::Reader;

/// Keys of `rolling`.
pub const KEYS: &[&str] = &[
    "balancer",
    "batch",
    "canary",
    "canary_hold",
    "health",
    "max_unavailable",
    "on_failure",
    "release",
    "soak",
];
/// Keys of `health`.
pub const HEALTH: &[&str] = &[
    "checks", "command", "http", "interval", "ports", "timeout", "units",
];
/// Keys of a check by HTTP.
pub const HTTP: &[&str] = &["contains", "host", "status", "timeout", "url"];
/// Keys of `release`.
pub const RELEASE: &[&str] = &["path", "variable"];

/// The variable that names the release, unless `rolling:` names another one; `deploy` and `rollback` give it.
pub const RELEASE_VARIABLE: &str = "app_release";

/// How a play is rolled over its hosts.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Nodes worked on at once: a number, or a share of all.
    pub batch: Share,
    /// Nodes that may be out at once, those included that were out before.
    pub max_unavailable: Share,
    /// The node that goes first; the first in order unless named.
    pub canary: Option<Arc<str>>,
    /// How long the first node must stay healthy before it gets traffic again.
    pub canary_hold: Duration,
    /// What to do when a node turns out bad.
    pub on_failure: OnFailure,
    /// How long each node is watched under traffic before the next one is taken.
    pub soak: Duration,
    /// What must hold before a node gets traffic again.
    pub gate: Gate,
    /// The balancer, as written; `balancer::Spec` reads it.
    pub balancer: Option<Value>,
    /// The variable that names the release.
    pub release_variable: Arc<str>,
    /// The folder of releases on the nodes.
    pub release_path: String,
}

/// A number of nodes, or percent of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// So many.
    Count(usize),
    /// So many of a hundred.
    Percent(u8),
}

impl Share {
    /// As a number of `all`; at least 1.
    pub fn of(self, all: usize) -> usize {
        match self {
            Share::Count(count) => count,
            Share::Percent(percent) => all * usize::from(percent) / 100,
        }
        .max(1)
    }

    /// `2` or `30%`.
    ///
    /// # Errors
    /// A sentence that says what it must be.
    pub fn parse(text: &str) -> Result<Share, String> {
        let text = text.trim();
        let share = match text.strip_suffix('%') {
            Some(percent) => percent
                .trim()
                .parse()
                .ok()
                .filter(|percent| (1..=100).contains(percent))
                .map(Share::Percent),
            None => text
                .parse()
                .ok()
                .filter(|count| *count > 0)
                .map(Share::Count),
        };
        share.ok_or_else(|| "a number of nodes from 1, or a share such as `30%`".to_owned())
    }
}

impl Settings {
    /// Reads the mapping. Texts that are still templates are passed over when `lenient`: before anything is rendered.
    ///
    /// # Errors
    /// Everything that is wrong in it.
    pub fn read(value: &Value, lenient: bool) -> Result<Settings, Vec<Diagnostic>> {
        let mut reader = Reader {
            lenient,
            faults: Vec::new(),
        };
        let settings = reader.settings(value);
        match reader.faults.is_empty() {
            true => Ok(settings),
            false => Err(reader.faults),
        }
    }

    /// For so many nodes.
    pub fn policy(&self, nodes: usize) -> Policy {
        Policy {
            batch: self.batch.of(nodes),
            max_unavailable: self.max_unavailable.of(nodes),
            on_failure: self.on_failure,
            soak: !self.soak.is_zero(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;
    use crate::value::parse_yaml_one;

    fn read(text: &str) -> Result<Settings, Vec<String>> {
        let value =
            parse_yaml_one(&Source::new("play.yml".to_owned(), text.to_owned())).expect("YAML");
        Settings::read(&value, true)
            .map_err(|faults| faults.iter().map(Diagnostic::one_line).collect())
    }

    #[test]
    fn everything_is_read() {
        let settings = read(
            "batch: 2\nmax_unavailable: 40%\ncanary: n2\ncanary_hold: 10s\non_failure: rollback\nsoak: 1m\nhealth:\n  units: [nginx, app@1]\n  http: [\"http://127.0.0.1:3001/readyz\", {url: \"http://127.0.0.1/x\", status: [200, 204], contains: ok}]\n  checks: 5\n",
        )
        .expect("right");
        assert_eq!(settings.policy(5).max_unavailable, 2);
        assert_eq!(settings.policy(5).batch, 2);
        assert_eq!(settings.canary.as_deref(), Some("n2"));
        assert_eq!(settings.soak, Duration::from_secs(60));
        assert_eq!(settings.gate.units, ["nginx", "app@1"]);
        assert_eq!(settings.gate.http[1].status, [200, 204]);
        assert_eq!(settings.gate.checks, 5);
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_meant() {
        for (text, words) in [
            ("batch: 0\nhealth: {units: [a]}", "a number of nodes from 1"),
            (
                "healt: {units: [a]}\nhealth: {units: [a]}",
                "unknown key `healt`",
            ),
            ("batch: 1", "no `health`"),
            ("health: {checks: 3}", "asks nothing"),
            ("health: {units: []}", "asks nothing"),
            (
                "health: {ports: [443, 70000]}",
                "from 1 to 65535, not 70000",
            ),
            ("health: {units: [a], checks: 0}", "from 1 to 10000, not 0"),
            (
                "health: {http: {url: \"http://a/\", status: 99}}",
                "from 100 to 599, not 99",
            ),
            (
                "health: {units: [a], checks: 10, interval: 10s, timeout: 30s}",
                "no node can pass",
            ),
            ("health: {http: \"https://127.0.0.1/\"}", "https"),
            ("health: {units: [a]}\nsoak: soon", "a duration"),
            (
                "health: {units: [a]}\non_failure: rolback",
                "cannot be `rolback`",
            ),
            ("- a", "must be a mapping"),
        ] {
            let faults = read(text).expect_err(text);
            assert!(
                faults.iter().any(|fault| fault.contains(words)),
                "{text}: {faults:?}"
            );
        }
    }

    #[test]
    fn templates_wait_until_they_are_rendered() {
        let settings = read("batch: \"{{ n }}\"\nhealth: {http: \"http://127.0.0.1:{{ p }}/\"}");
        assert!(settings.is_ok(), "{settings:?}");
        let settings = read("\"{{ rolling_update }}\"");
        assert!(settings.is_ok(), "{settings:?}");
    }
}
