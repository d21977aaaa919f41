//! The variables of other hosts.

use std::sync::Arc;

use minijinja::Value as Native;
use minijinja::value::{Enumerator, Object, ObjectRepr};

use super::PlayScope;
use crate::engine::state::Run;
use crate::playbook::Scheduled;
use crate::template::{Scope, to_native};

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
        let vars = host
            .vars
            .iter()
            .map(|(key, entry)| (key.to_string(), to_native(&entry.value)));
        Some(Native::from_pairs(vars))
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
