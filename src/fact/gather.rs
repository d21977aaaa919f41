//! The gathered facts of a node: `ansible_facts`.

use std::sync::Arc;

use super::FactError;

pub(super) fn script() -> String {
    todo!()
}
pub(super) fn parse(
    _body: &[u8],
) -> Result<Arc<serde_json::Map<String, serde_json::Value>>, FactError> {
    todo!()
}
