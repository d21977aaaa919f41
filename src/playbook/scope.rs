//! The names that are known before any host is.

use std::sync::Arc;

use super::{Play, VarsFile};
use crate::template::{Lookup, Scope};
use crate::value::Map;

/// Extra variables, the play's files and its variables; for a play's `hosts`.
pub(super) struct Outside {
    /// Strongest first.
    layers: Vec<Map>,
}

impl Outside {
    pub(super) fn of(play: &Play, extra: &Map) -> Outside {
        let mut layers = vec![extra.clone()];
        for file in play.vars_files.iter().rev() {
            if let VarsFile::Read { vars, .. } = file {
                layers.push(vars.as_ref().clone());
            }
        }
        layers.push(play.vars.clone());
        Outside { layers }
    }

    /// The same with what is a task's own, stronger than that of the play, and with defaults.
    pub(super) fn of_task<'a>(
        play: &Play,
        extra: &Map,
        own: impl Iterator<Item = &'a Arc<Map>>,
        defaults: impl Iterator<Item = &'a Arc<Map>>,
    ) -> Outside {
        let mut outside = Outside::of(play, extra);
        let own: Vec<Map> = own.map(|map| map.as_ref().clone()).collect();
        outside.layers.splice(1..1, own);
        outside
            .layers
            .extend(defaults.map(|map| map.as_ref().clone()));
        outside
    }
}

impl Scope for Outside {
    fn lookup(&self, name: &str) -> Lookup {
        self.layers
            .iter()
            .find_map(|layer| layer.get(name))
            .map_or(Lookup::Undefined, |entry| {
                Lookup::Written(entry.value.clone())
            })
    }

    fn names(&self) -> Vec<String> {
        self.layers
            .iter()
            .flat_map(|layer| layer.keys().map(|name| name.to_string()))
            .collect()
    }
}
