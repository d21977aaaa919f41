//! `debug`: says something.

use super::{Args, Bound, Controller, Kind, Param, ParamType, Resource};
use crate::change::Change;
use crate::diagnostic::Diagnostic;
use crate::fact::{Known, Missing};
use crate::value::Value;

/// Says a message or the value of an expression, in a plan too.
///
/// # Returns
/// - `msg`, or the expression's own text: what was said
///
/// # Examples
/// ```yaml
/// - name: where this is
///   debug:
///     msg: "{{ inventory_hostname }} is {{ ansible_hostname }}"
///
/// - name: the groups
///   debug: { var: groups, verbosity: 1 }
/// ```
pub static DEBUG: Kind = Kind {
    name: "debug",
    aliases: &["ansible.builtin.debug"],
    summary: "says a message or the value of a variable",
    params: &[
        Param::new("msg", ParamType::Any, "What to say.").default("Hello world!"),
        Param::new(
            "var",
            ParamType::Expression,
            "An expression whose value is said; a name, without braces.",
        ),
        Param::new(
            "verbosity",
            ParamType::Int,
            "Only said when `-v` is given that often.",
        )
        .default("0"),
    ],
    free_form: None,
    refused: &[],
    check: |args| args.at_most_one_of(&["msg", "var"]),
    bind,
};

/// What is said, under its name.
struct Debug {
    key: String,
    value: serde_json::Value,
    /// The verbosity that is missing; 0 for none.
    too_quiet: i64,
}

fn bind(args: &Args, controller: &dyn Controller) -> Bound {
    let wanted = args.int("verbosity").unwrap_or(0);
    let too_quiet = (wanted - i64::from(controller.verbosity())).max(0);
    let (key, value) = match args.get("var") {
        Some(expression) => {
            let Some(name) = expression.as_str() else {
                return Err(Diagnostic::at(
                    &expression.span,
                    format!(
                        "`var` must be the name of a variable, not {}",
                        expression.type_name()
                    ),
                )
                .help("use `msg` to say a value itself")
                .into());
            };
            // Nothing may be evaluated that nobody will see: it may be undefined at this verbosity.
            let value = match too_quiet {
                0 => controller.eval(expression)?.to_json(),
                _ => serde_json::Value::Null,
            };
            (name.to_owned(), value)
        }
        None => {
            let value = args
                .get("msg")
                .map_or("Hello world!".into(), Value::to_json);
            ("msg".to_owned(), value)
        }
    };
    Ok(Box::new(Debug {
        key,
        value,
        too_quiet,
    }))
}

impl Resource for Debug {
    fn diff(&self, _known: &Known) -> Result<Change, Missing> {
        if self.too_quiet > 0 {
            // No words: it is not told at all.
            return Ok(Change::none(""));
        }
        let text = match &self.value {
            serde_json::Value::String(text) => text.clone(),
            other => serde_json::to_string_pretty(other).unwrap_or_default(),
        };
        let reason = match self.key.as_str() {
            "msg" => text,
            name => format!("{name}: {text}"),
        };
        Ok(Change::none(reason).result(&self.key, self.value.clone()))
    }
}
