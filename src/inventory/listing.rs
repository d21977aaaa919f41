//! What `hadeploy hosts` shows: hosts, their groups, and who set which variable.

use std::sync::Arc;

use super::{Host, HostPattern, Inventory};
use crate::diagnostic::Diagnostic;

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
    /// What it was laid over, the strongest first.
    pub over: Vec<Setting>,
}

/// Where a variable is set, and to what.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// `group web`, `group_vars/web`, `host web1` …
    pub origin: Arc<str>,
    /// `file:line`.
    pub at: String,
    /// The value as written.
    pub value: serde_json::Value,
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
        Ok(hosts.map(Host::list).collect())
    }
}

impl Host {
    /// It and its variables, each with who set it; passwords of connections are masked.
    pub fn list(&self) -> ListedHost {
        let mut vars: Vec<ListedVar> = self
            .vars
            .keys()
            .filter_map(|name| variable(self, name))
            .collect();
        vars.sort_by(|one, other| one.name.cmp(&other.name));
        ListedHost {
            name: self.name.shared(),
            groups: self.groups.iter().map(ToString::to_string).collect(),
            vars,
        }
    }
}

fn variable(host: &Host, name: &Arc<str>) -> Option<ListedVar> {
    let mut settings = host.layers.iter().rev().filter_map(|layer| {
        let entry = layer.vars.get(name)?;
        Some(Setting {
            origin: layer.origin.clone(),
            at: entry.key.at(),
            value: match SECRET.contains(&name.as_ref()) {
                true => "(masked)".into(),
                false => entry.value.to_json(),
            },
        })
    });
    let strongest = settings.next()?;
    Some(ListedVar {
        name: name.clone(),
        value: strongest.value,
        origin: strongest.origin,
        at: strongest.at,
        over: settings.collect(),
    })
}
