//! `validate_argument_spec`: checks variables against a specification, as a role with `meta/argument_specs.yml` does at its beginning.

use super::argument_spec::{faults, validate};
use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::Change;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing};
use crate::template::is_omit;
use crate::value::{Entry, Kind as ValueKind, Map, Value};

/// Checks variables, and values given with it, against a specification of their types; all that is wrong is told together. A role with
/// `meta/argument_specs.yml`, or `argument_specs` in its `meta/main.yml`, begins with such a task by itself.
///
/// # Returns
/// - `argument_errors`: what is wrong, where something is
/// - `argument_spec_data`: the specification, where something is wrong
/// - `validate_args_context`: as it was given
/// - `msg`: what was said
///
/// # Examples
/// ```yaml
/// - name: what the deployment is given
///   validate_argument_spec:
///     argument_spec:
///       release: { type: str, required: true }
///       instances: { type: int, default: 2 }
/// ```
pub static VALIDATE_ARGUMENT_SPEC: Kind = Kind {
    name: "validate_argument_spec",
    aliases: &["ansible.builtin.validate_argument_spec"],
    summary: "checks variables against a specification of their types",
    params: &[
        Param::new(
            "argument_spec",
            ParamType::Map,
            "The name of each variable, with its `type`, `required`, `choices`, `elements`, `options` …",
        )
        .required(),
        Param::new(
            "provided_arguments",
            ParamType::Map,
            "Values that count instead of variables; one that is not in the specification is a fault.",
        ),
        Param::new(
            "validate_args_context",
            ParamType::Map,
            "Words of the user's own, which are given back.",
        ),
    ],
    free_form: None,
    refused: &[],
    check,
    bind,
};

fn check(args: &Args) -> Vec<Diagnostic> {
    let spec = args.get("argument_spec").and_then(Value::as_map);
    spec.map(faults).unwrap_or_default()
}

/// The verdict, which needs nothing of the node.
struct Verdict {
    wrong: Vec<String>,
    spec: Value,
    context: serde_json::Value,
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let empty = Map::new();
    let map = |name: &str| args.get(name).and_then(Value::as_map).unwrap_or(&empty);
    let (spec, provided) = (map("argument_spec"), map("provided_arguments"));
    let mut given = Map::new();
    for (name, entry) in spec {
        // What is given counts instead; a variable of that name is not even read.
        if provided.contains_key(name) {
            continue;
        }
        let found = controller.variable(name, &entry.key)?;
        if let Some(value) = found.filter(|value| !is_omit(value)) {
            let key = entry.key.clone();
            given.insert(name.clone(), Entry { key, value });
        }
    }
    given.extend(provided.clone());
    let problems = validate(spec, given).into_iter();
    let context = args.get("validate_args_context").map(Value::to_json);
    Ok(Box::new(Verdict {
        wrong: problems.map(|problem| problem.message).collect(),
        spec: Value::new(ValueKind::Map(spec.clone().into()), &args.span),
        context: context.unwrap_or_else(|| serde_json::json!({})),
    }))
}

impl Resource for Verdict {
    fn diff(&self, _known: &Known) -> Result<Change, Missing> {
        let context = self.context.clone();
        if self.wrong.is_empty() {
            let words = "The arg spec validation passed";
            return Ok(Change::none(words)
                .result("msg", words)
                .result("validate_args_context", context));
        }
        let message = format!("Validation of arguments failed:\n{}", self.wrong.join("\n"));
        Ok(Change::failed(message.clone())
            .result("msg", message)
            .result("argument_errors", self.wrong.clone())
            .result("argument_spec_data", self.spec.to_json())
            .result("validate_args_context", context))
    }
}
