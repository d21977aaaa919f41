//! The variables of other hosts.

use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Error, ErrorKind, Value as Native};

use super::PlayScope;
use crate::diagnostic::Diagnostic;
use crate::engine::state::Run;
use crate::inventory::Host;
use crate::playbook::Scheduled;
use crate::template::{Scope, to_native};
use crate::value::{is_closed_file, opened, opened_value};
use crate::vault::Keyring;

/// `hostvars`: every host of the inventory, with its variables as they are now.
#[derive(Clone)]
pub(super) struct HostVars {
    pub run: Arc<Run>,
    pub play: Arc<Scheduled>,
    pub batch: Arc<[Arc<str>]>,
}

impl std::fmt::Debug for HostVars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hostvars")
    }
}

impl Object for HostVars {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Native) -> Option<Native> {
        let name = key.as_str()?;
        if let Some(host) = self.run.hosts.get(name) {
            let scope = PlayScope::new(
                self.run.clone(),
                self.play.clone(),
                host.clone(),
                self.batch.clone(),
            );
            // Another host's own `vars_files` are the play's; templated names need facts and are passed over.
            let _ = scope.read_vars_files();
            let scope: Arc<dyn Scope> = scope;
            return Some(self.run.templates.bound(&scope));
        }
        // Outside the run: what the inventory says, and no facts.
        let host = self.run.project.inventory.hosts.get(name)?;
        Some(Native::from_object(Outside {
            host: host.clone(),
            keyring: self.run.project.keyring.clone(),
        }))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(
            self.run
                .project
                .inventory
                .hosts
                .keys()
                .map(|name| Native::from(name.as_str()))
                .collect(),
        )
    }
}

/// The variables of a host outside the run. What is encrypted among them is opened when it is read.
#[derive(Clone)]
struct Outside {
    host: Host,
    keyring: Keyring,
}

impl std::fmt::Debug for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "hostvars of {}", self.host.name)
    }
}

impl Outside {
    /// The strongest value of a name, opened. A file that is encrypted as a whole may have it.
    fn find(&self, name: &str) -> Result<Option<Native>, Vec<Diagnostic>> {
        for layer in self.host.layers.iter().rev() {
            if layer.vars.keys().any(|key| is_closed_file(key)) {
                let vars = opened(&layer.vars, &self.keyring)?;
                if let Some(entry) = vars.get(name) {
                    return Ok(Some(to_native(&entry.value)));
                }
            } else if let Some(entry) = layer.vars.get(name) {
                let value = opened_value(&entry.value, &self.keyring)?;
                return Ok(Some(to_native(&value)));
            }
        }
        Ok(None)
    }
}

impl Object for Outside {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Native) -> Option<Native> {
        self.find(key.as_str()?).unwrap_or_else(|faults| {
            let fault = faults.into_iter().find(Diagnostic::is_error);
            let why = fault.map_or(String::new(), |fault| fault.one_line());
            let words = format!("a variable of `{}` is not to be had: {why}", self.host.name);
            Some(Error::new(ErrorKind::InvalidOperation, words).into())
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names: Vec<Arc<str>> = match self.host.opened(&self.keyring) {
            Ok(host) => host.vars.keys().cloned().collect(),
            Err(_) => {
                let names = self.host.vars.keys();
                names
                    .filter(|name| !is_closed_file(name))
                    .cloned()
                    .collect()
            }
        };
        Enumerator::Values(
            names
                .iter()
                .map(|name| Native::from(name.as_ref()))
                .collect(),
        )
    }
}
