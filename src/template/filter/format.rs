//! `format`, the filter and the method of texts: values put into a pattern.
//!
//! minijinja reads the names in a pattern byte by byte, and cannot stop inside a wide character: such names are refused before. So are
//! widths that no memory holds.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, State, Value as Native};

use crate::template::convert::fault;

/// minijinja's own.
const INNER: &str = "__format";

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter(INNER, minijinja::filters::format);
    environment.add_filter(
        "format",
        |state: &mut State, args: &[Native], kwargs: Kwargs| {
            let mut values = super::all_args(args, &kwargs)?;
            if let Some(pattern) = args.first().and_then(Native::as_str) {
                check_percents(pattern)?;
                if kwargs.args().next().is_none() {
                    values[1..].iter_mut().try_for_each(printed)?;
                }
            }
            state.apply_filter(INNER, &values)
        },
    );
    environment.add_filter("__percent", percent);
}

/// `%` of a value that may be a number.
fn percent(state: &mut State, pattern: &Native, value: &Native) -> Result<Native, Error> {
    if let Some(pattern) = pattern.as_str() {
        return filled(state, pattern, value);
    }
    let environment = state.env();
    let names = minijinja::context! { left => pattern, right => value };
    environment.compile_expression("left % right")?.eval(names)
}

/// Python's `%` of a text: a tuple holds as many values as the pattern takes, a mapping those that it names, all else is one value.
fn filled(state: &mut State, pattern: &str, value: &Native) -> Result<Native, Error> {
    let (taken, named) = check_percents(pattern)?;
    let mut args = vec![Native::from(pattern)];
    if named && value.kind() == ValueKind::Map {
        args.push(value.clone());
        return state.apply_filter(INNER, &args);
    }
    if value.is_tuple() {
        args.extend(super::items_of(value)?);
    } else {
        args.push(value.clone());
    }
    if args.len() - 1 > taken {
        return Err(fault(format!(
            "the pattern takes {taken} values, there are {}",
            args.len() - 1
        )));
    }
    args[1..].iter_mut().try_for_each(printed)?;
    state.apply_filter(INNER, &args)
}

/// What is neither text nor a number, as Python prints it.
fn printed(value: &mut Native) -> Result<(), Error> {
    if !matches!(value.kind(), ValueKind::String | ValueKind::Number) {
        *value = super::text_of(value)?.into();
    }
    Ok(())
}

/// Names between `%(` and `)`, and the numbers behind them. How many values a pattern takes, and whether it names some.
fn check_percents(pattern: &str) -> Result<(usize, bool), Error> {
    let mut rest = pattern;
    let (mut taken, mut named) = (0, false);
    while let Some((_, behind)) = rest.split_once('%') {
        if let Some(behind) = behind.strip_prefix('%') {
            rest = behind;
            continue;
        }
        taken += 1;
        rest = match behind.strip_prefix('(') {
            Some(name) => {
                named = true;
                name_until(name, ')')?
            }
            None => behind,
        };
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | '.' | '#' | '-' | '+' | ' '));
        check_widths(&rest[..end.unwrap_or(rest.len())])?;
    }
    Ok((taken, named))
}

/// Names between `[` and `]`, where they stand in a field between braces, and the numbers behind its colon.
pub(super) fn check_braces(pattern: &str) -> Result<(), Error> {
    let mut rest = pattern;
    while let Some((_, behind)) = rest.split_once('{') {
        rest = match behind.strip_prefix('{') {
            Some(behind) => behind,
            None => behind_field(behind)?,
        };
    }
    Ok(())
}

/// What stands behind a field. A name goes to its bracket, whatever braces are in it.
fn behind_field(mut text: &str) -> Result<&str, Error> {
    while let Some(at) = text.find(['[', ':', '}']) {
        let (_, behind) = text.split_at(at);
        match behind.strip_prefix('[') {
            Some(name) => text = name_until(name, ']')?,
            None => {
                let (form, behind) = behind.split_once('}').unwrap_or((behind, ""));
                check_widths(form)?;
                return Ok(behind);
            }
        }
    }
    Ok("")
}

/// Widths and precisions have five digits at most.
fn check_widths(form: &str) -> Result<(), Error> {
    let mut numbers = form.split(|c: char| !c.is_ascii_digit());
    match numbers.any(|number| number.trim_start_matches('0').len() > 5) {
        true => Err(fault("a width or precision of `format` is at most 99999")),
        false => Ok(()),
    }
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
    fn names_are_ascii_and_widths_are_bounded() {
        for right in [
            "é %s",
            "%%(é)",
            "%(a)s é",
            "%(a",
            "100 %",
            "%099999d 1234567",
        ] {
            assert!(check_percents(right).is_ok(), "{right}");
        }
        for wrong in [
            "%(é)s",
            "%%%(é)s",
            "%(é",
            "%100000s",
            "%(a)-.999999999999f",
            "% +0372036854775808910d",
        ] {
            assert!(check_percents(wrong).is_err(), "{wrong}");
        }
        for right in [
            "é {}",
            "{{[é]}}",
            "[é] {x} [é]",
            "{x[a]:é>5}",
            "{x",
            "{:>010.5f} 1234567",
            "{x:[>5} é",
            "{x} 1234567",
        ] {
            assert!(check_braces(right).is_ok(), "{right}");
        }
        for wrong in [
            "{x[é]}",
            "{0[a][é]}",
            "{{{x[é]}",
            "{x[é",
            "{:>100000}",
            "{x:.3720368547f}",
            "{x[!a!:}} é",
            "{x[a}][b:é",
        ] {
            assert!(check_braces(wrong).is_err(), "{wrong}");
        }
    }
}
