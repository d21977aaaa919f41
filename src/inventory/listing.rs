//! What `hadeploy hosts` shows: hosts, their groups, and who set which variable.

use std::sync::Arc;

use super::{Host, HostPattern, Inventory};
use crate::diagnostic::Diagnostic;
use crate::value::Entry;

/// Variables whose values are never shown.
const SECRET: &[&str] = &["ansible_become_password", "ansible_become_pass"];

/// A host as it is listed.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedHost {
    /// Its name.
    pub name: Arc<str>,
    /// Its groups, sorted.
    pub groups: Vec<String>,
    /// Its variables, sorted by name.
    pub vars: Vec<ListedVar>,
}

/// A variable and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedVar {
    /// Its name.
    pub name: Arc<str>,
    /// Its value as written; templates are not rendered.
    pub value: serde_json::Value,
    /// `group web`, `group_vars/web`, `host web1` …
    pub origin: Arc<str>,
    /// `file:line`.
    pub at: String,
    /// The weaker origins it was laid over, strongest first.
    pub over: Vec<Arc<str>>,
}

impl Inventory {
    /// The hosts of a pattern, in inventory order. Unknown names and an empty result are errors.
    pub fn list(&self, pattern: &str) -> Result<Vec<ListedHost>, Vec<Diagnostic>> {
        let matched = HostPattern::from_option("PATTERN", pattern)?.select(self)?;
        if matched.hosts.is_empty() {
            return Err(vec![
                Diagnostic::error(format!("no host matches `{pattern}`"))
                    .help("`hadeploy hosts -i INVENTORY` lists what there is"),
            ]);
        }
        let hosts = matched.hosts.iter().filter_map(|name| self.hosts.get(name));
        Ok(hosts.map(listed).collect())
    }
}

fn listed(host: &Host) -> ListedHost {
    let mut vars: Vec<ListedVar> = host
        .vars
        .iter()
        .map(|(name, entry)| variable(host, name, entry))
        .collect();
    vars.sort_by(|one, other| one.name.cmp(&other.name));
    ListedHost {
        name: host.name.shared(),
        groups: host.groups.iter().map(ToString::to_string).collect(),
        vars,
    }
}

fn variable(host: &Host, name: &Arc<str>, entry: &Entry) -> ListedVar {
    let mut origins = host
        .layers
        .iter()
        .rev()
        .filter(|layer| layer.vars.contains_key(name))
        .map(|layer| layer.origin.clone());
    ListedVar {
        name: name.clone(),
        value: if SECRET.contains(&name.as_ref()) {
            "(masked)".into()
        } else {
            entry.value.to_json()
        },
        origin: origins.next().unwrap_or_default(),
        at: entry.key.at(),
        over: origins.collect(),
    }
}
