//! `format`, the filter and the method of texts: values put into a pattern.
//!
//! minijinja reads the names in a pattern byte by byte, and cannot stop inside a wide character: such names are refused before.

use minijinja::value::Kwargs;
use minijinja::{Environment, Error, State, Value as Native};

use crate::template::convert::fault;

/// minijinja's own.
const INNER: &str = "__format";

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter(INNER, minijinja::filters::format);
    environment.add_filter(
        "format",
        |state: &mut State, args: &[Native], kwargs: Kwargs| {
            if let Some(pattern) = args.first().and_then(Native::as_str) {
                check_percents(pattern)?;
            }
            state.apply_filter(INNER, &super::all_args(args, &kwargs)?)
        },
    );
}

/// Names between `%(` and `)`.
fn check_percents(pattern: &str) -> Result<(), Error> {
    let mut rest = pattern;
    while let Some((_, behind)) = rest.split_once('%') {
        rest = match behind.strip_prefix('(') {
            Some(name) => name_until(name, ')')?,
            None => behind.strip_prefix('%').unwrap_or(behind),
        };
    }
    Ok(())
}

/// Names between `[` and `]`, where they stand between braces.
pub(super) fn check_braces(pattern: &str) -> Result<(), Error> {
    let mut rest = pattern;
    while let Some((_, behind)) = rest.split_once('{') {
        rest = match behind.strip_prefix('{') {
            Some(behind) => behind,
            None => {
                let end = behind.find('}').unwrap_or(behind.len());
                let mut field = &behind[..end];
                while let Some((_, name)) = field.split_once('[') {
                    field = name_until(name, ']')?;
                }
                &behind[end..]
            }
        };
    }
    Ok(())
}

/// What stands behind a name.
fn name_until(text: &str, end: char) -> Result<&str, Error> {
    let (name, rest) = text.split_once(end).unwrap_or((text, ""));
    match name.is_ascii() {
        true => Ok(rest),
        false => Err(fault(format!(
            "a pattern of `format` names values in ASCII only, not `{name}`"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_held_to_ascii() {
        for right in ["é %s", "%%(é)", "%(a)s é", "%(a", "100 %"] {
            assert!(check_percents(right).is_ok(), "{right}");
        }
        for wrong in ["%(é)s", "%%%(é)s", "%(é"] {
            assert!(check_percents(wrong).is_err(), "{wrong}");
        }
        for right in ["é {}", "{{[é]}}", "[é] {x} [é]", "{x[a]:é>5}", "{x"] {
            assert!(check_braces(right).is_ok(), "{right}");
        }
        for wrong in ["{x[é]}", "{0[a][é]}", "{{{x[é]}", "{x[é"] {
            assert!(check_braces(wrong).is_err(), "{wrong}");
        }
    }
}
