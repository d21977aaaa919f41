//! The names that are known before any host is.

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
