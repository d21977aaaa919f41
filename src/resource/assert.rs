//! `assert`: fails unless all expressions hold.

use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::Change;
use crate::fact::{Known, Missing};
use crate::value::{Kind as ValueKind, Value};

/// Fails unless all expressions hold. It is seen in a plan too.
///
/// # Returns
/// - `msg`: what was said
/// - `assertion`, `evaluated_to`: the expression that did not hold
///
/// # Examples
/// ```yaml
/// - name: the nodes are large enough
///   assert:
///     that:
///       - ansible_memtotal_mb >= 900
///       - ansible_processor_vcpus >= 1
///     fail_msg: take a larger machine
/// ```
pub static ASSERT: Kind = Kind {
    name: "assert",
    aliases: &["ansible.builtin.assert"],
    summary: "fails unless all expressions hold",
    params: &[
        Param::new(
            "that",
            ParamType::Expression,
            "An expression or a list of them, as in `when`.",
        )
        .required(),
        Param::new(
            "fail_msg",
            ParamType::Any,
            "What to say when one does not hold.",
        )
        .aliases(&["msg"])
        .default("Assertion failed"),
        Param::new("success_msg", ParamType::Any, "What to say when all hold.")
            .default("All assertions passed"),
        Param::new(
            "quiet",
            ParamType::Bool,
            "Accepted; only failures are told at length.",
        )
        .default("false"),
    ],
    free_form: None,
    refused: &[],
    check: |_| Vec::new(),
    bind,
};

/// The verdict, which needs nothing of the node.
struct Assert {
    /// The first expression that does not hold.
    broken: Option<String>,
    fail_msg: Option<String>,
    success_msg: String,
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let mut broken = None;
    for expression in expressions(args.get("that")) {
        if !controller.test(&expression)? {
            broken = Some(words(&expression));
            break;
        }
    }
    Ok(Box::new(Assert {
        broken,
        fail_msg: args.get("fail_msg").map(words),
        success_msg: args
            .get("success_msg")
            .map_or("All assertions passed".to_owned(), words),
    }))
}

fn expressions(that: Option<&Value>) -> Vec<Value> {
    match that.map(|value| (&value.kind, value)) {
        Some((ValueKind::List(items), _)) => items.to_vec(),
        Some((_, value)) => vec![value.clone()],
        None => Vec::new(),
    }
}

/// Text as it is, a list as lines, other values as JSON.
fn words(value: &Value) -> String {
    match &value.kind {
        ValueKind::Str(text) => text.to_string(),
        ValueKind::List(items) => items.iter().map(words).collect::<Vec<_>>().join("\n"),
        _ => value.to_json().to_string(),
    }
}

impl Resource for Assert {
    fn diff(&self, _known: &Known) -> Result<Change, Missing> {
        let Some(broken) = &self.broken else {
            return Ok(
                Change::none(self.success_msg.clone()).result("msg", self.success_msg.clone())
            );
        };
        let change = match &self.fail_msg {
            Some(words) => Change::failed(words.clone()).help(format!("`{broken}` does not hold")),
            None => Change::failed(format!("`{broken}` does not hold")),
        };
        let msg = self.fail_msg.as_deref().unwrap_or("Assertion failed");
        Ok(change
            .result("assertion", broken.as_str())
            .result("evaluated_to", false)
            .result("msg", msg))
    }
}
