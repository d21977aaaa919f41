//! Options of lookups: their names, and those that are written out.

use minijinja::value::ValueKind;

use super::{Argument, Called, signature, wrong};
use crate::template::check::Problem;
use crate::template::lookup;

/// What is wrong with the options of a lookup, whose name is the first of its arguments.
pub(super) fn problem(name: &str, arguments: &[Argument]) -> Option<Problem> {
    let (_, arguments) = arguments.split_first()?;
    let named = |name: &str| {
        let mut arguments = arguments.iter();
        arguments.find(|argument| argument.name.as_deref() == Some(name))
    };
    if let Some(errors) = named("errors") {
        let word = text(errors)?;
        let lenient = lookup::is_lenient(Some(&word));
        // With `ignore` and `warn` it does without, whatever is wrong.
        if !matches!(lenient, Ok(false)) {
            return wrong(name, errors, lenient.map(drop));
        }
    }
    let mut options = Vec::new();
    for argument in arguments {
        let judged = match argument.name.as_deref() {
            Some("errors" | "wantlist") => continue,
            Some(option) => {
                options.push(argument.clone());
                text(argument).map(|text| lookup::literal(name, option, &text))
            }
            None => text(argument).map(|text| lookup::term(name, &text)),
        };
        let problem = judged.and_then(|judged| wrong(name, argument, judged));
        if problem.is_some() {
            return problem;
        }
    }
    signature(Called::Lookup, name, &options)
}

/// A text or a number that is written out, as lookups read both.
fn text(argument: &Argument) -> Option<String> {
    let value = argument.value.as_ref()?;
    match value.kind() {
        ValueKind::String | ValueKind::Number => Some(value.to_string()),
        _ => None,
    }
}
