//! The names of a task: its own over those of its play.

use std::sync::Arc;

use minijinja::Value as Native;

use super::{PlayScope, absolute, written};
use crate::engine::around::Around;
use crate::engine::native;
use crate::playbook::{Layer, Own, Role, STRONGEST_FIRST};
use crate::template::{Lookup, Scope, Surroundings};
use crate::value::Map;

/// The names of one task, or of one item of its loop.
pub struct TaskScope {
    /// The play for the host.
    pub play: Arc<PlayScope>,
    /// `vars` of imports and of the task, outer first.
    pub vars: Vec<Arc<Map>>,
    /// What is stronger than what tasks set, outer first.
    pub params: Vec<Arc<Map>>,
    /// The role of the task.
    pub role: Option<Arc<Role>>,
    /// The loop's variables, or the result a `changed_when` looks at.
    pub own: Vec<(Arc<str>, Native)>,
    /// The controller, for its lookups.
    pub around: Arc<Around>,
}

impl Scope for TaskScope {
    fn lookup(&self, name: &str) -> Lookup {
        if let Some((_, value)) = self.own.iter().rev().find(|(own, _)| **own == *name) {
            return Lookup::Ready(value.clone());
        }
        if let Some(found) = self.role.as_ref().and_then(|role| about(role, name)) {
            return found;
        }
        let inner = |maps: &[Arc<Map>]| maps.iter().rev().find_map(|map| written(map, name));
        let of = |layer| match layer {
            Layer::Params => inner(&self.params),
            Layer::TaskVars => inner(&self.vars),
            Layer::Defaults => {
                let own = self.role.as_ref().and_then(|role| inner(&role.defaults));
                own.or_else(|| self.play.of(layer, name))
            }
            _ => self.play.of(layer, name),
        };
        let found = STRONGEST_FIRST.into_iter().find_map(of);
        found.unwrap_or_else(|| self.play.nowhere())
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.play.all_names();
        names.extend(self.own.iter().map(|(name, _)| name.to_string()));
        let role = self.role.iter().flat_map(|role| role.layers());
        for map in self.vars.iter().chain(&self.params).chain(role) {
            names.extend(map.keys().map(|name| name.to_string()));
        }
        names
    }

    fn surroundings(&self) -> Option<&dyn Surroundings> {
        Some(&*self.around)
    }
}

/// What the tasks of a role know of it.
fn about(role: &Role, name: &str) -> Option<Lookup> {
    let parents = |of: fn(&Own) -> String| match role.parents.is_empty() {
        true => None,
        false => {
            let found = role.parents.iter().map(|own| of(own));
            Some(native(found.collect::<Vec<_>>()))
        }
    };
    let value = match name {
        "role_name" => Native::from(role.own.short.as_ref()),
        "ansible_role_name" => Native::from(role.own.name.as_ref()),
        "ansible_collection_name" => match &role.own.collection {
            Some(collection) => Native::from(collection.as_ref()),
            None => Native::from(()),
        },
        "role_path" => Native::from(absolute(&role.own.path)),
        "ansible_parent_role_names" => parents(|own| own.name.to_string())?,
        "ansible_parent_role_paths" => parents(|own| absolute(&own.path))?,
        _ => return None,
    };
    Some(Lookup::Ready(value))
}
