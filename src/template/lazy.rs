//! Scopes, lists and mappings as the engine sees them: each part is rendered when it is read.

use std::sync::Arc;

use minijinja::Value as Native;
use minijinja::value::{Enumerator, Object, ObjectRepr};

use super::evaluation::Evaluation;
use crate::value::{Map, Value};

/// All names of a scope.
pub(super) struct Root(pub Arc<Evaluation>);

impl std::fmt::Debug for Root {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("variables")
    }
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Native) -> Option<Native> {
        self.0.lookup(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Native> {
        self.0.lookup(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.names().into_iter().map(Native::from).collect())
    }
}

/// A written mapping.
pub(super) struct Mapping {
    pub evaluation: Arc<Evaluation>,
    pub map: Arc<Map>,
}

impl std::fmt::Debug for Mapping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a mapping")
    }
}

impl Object for Mapping {
    fn get_value(self: &Arc<Self>, key: &Native) -> Option<Native> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Native> {
        let entry = self.map.get(key)?;
        self.evaluation.part(&entry.value, key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let this = self.clone();
        Enumerator::KeyValueIter(Box::new((0..self.map.len()).filter_map(move |index| {
            let (key, entry) = this.map.get_index(index)?;
            let value = this.evaluation.parts(&entry.value, key);
            Some((Native::from(key.clone()), value))
        })))
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.map.len())
    }
}

/// A written list.
pub(super) struct List {
    pub evaluation: Arc<Evaluation>,
    pub items: Arc<Vec<Value>>,
    /// The name it was found under.
    pub name: String,
}

impl std::fmt::Debug for List {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list")
    }
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Native) -> Option<Native> {
        let item = self.items.get(key.as_usize()?)?;
        Some(self.evaluation.parts(item, &self.name))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.items.len())
    }
}
