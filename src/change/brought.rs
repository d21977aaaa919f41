//! Facts that a task brings, beside those that are gathered.

use serde_json::Value;

use super::Change;

/// Begins the name of such a fact among the variables that a task sets: no variable of a user's can be called so.
pub const FACT: &str = "ansible_facts.";

impl Change {
    /// Brings a fact: `ansible_facts.NAME`, also read as `NAME`, for all that comes behind.
    pub fn brings(mut self, name: &str, value: Value) -> Change {
        self.facts.insert(format!("{FACT}{name}"), value.clone());
        let facts = self
            .result
            .entry("ansible_facts")
            .or_insert_with(|| Value::Object(serde_json::Map::new()));
        if let Value::Object(facts) = facts {
            facts.insert(name.to_owned(), value);
        }
        self
    }
}
