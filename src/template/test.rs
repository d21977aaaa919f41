//! Ansible's tests: what stands behind `is`.

use std::cmp::Ordering;

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value as Native};

use super::convert::fault;
use super::filter::pattern;
use super::python;

/// Every test, by its short name.
pub(super) const NAMES: &[&str] = &[
    "boolean",
    "change",
    "changed",
    "contains",
    "defined",
    "divisibleby",
    "eq",
    "equalto",
    "even",
    "failed",
    "failure",
    "falsy",
    "false",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "match",
    "ne",
    "none",
    "number",
    "odd",
    "reachable",
    "regex",
    "sameas",
    "search",
    "sequence",
    "skip",
    "skipped",
    "string",
    "subset",
    "succeeded",
    "success",
    "successful",
    "superset",
    "true",
    "truthy",
    "undefined",
    "unreachable",
    "upper",
    "version",
    "version_compare",
];

/// Enters all tests that minijinja does not bring.
pub(super) fn register(environment: &mut Environment<'static>) {
    for (names, key, wanted) in [
        (&["changed", "change"][..], "changed", true),
        (&["failed", "failure"], "failed", true),
        (&["succeeded", "success", "successful"], "failed", false),
        (&["skipped", "skip"], "skipped", true),
        (&["unreachable"], "unreachable", true),
        (&["reachable"], "unreachable", false),
    ] {
        for name in names {
            add(environment, name, move |value: &Native| {
                result(value, key).map(|found| found == wanted)
            });
        }
    }
    add(environment, "contains", |list: &Native, item: &Native| {
        within(item, list)
    });
    add(environment, "subset", |a: &Native, b: &Native| all_in(a, b));
    add(environment, "superset", |a: &Native, b: &Native| {
        all_in(b, a)
    });
    add(environment, "truthy", |value: &Native, kwargs: Kwargs| {
        truthy(value, &kwargs)
    });
    add(environment, "falsy", |value: &Native, kwargs: Kwargs| {
        truthy(value, &kwargs).map(|truth| !truth)
    });
    add(
        environment,
        "match",
        |text: &Native, pattern: String, kwargs: Kwargs| found(text, &pattern, &kwargs, How::Match),
    );
    add(
        environment,
        "search",
        |text: &Native, pattern: String, kwargs: Kwargs| {
            found(text, &pattern, &kwargs, How::Search)
        },
    );
    add(
        environment,
        "regex",
        |text: &Native, pattern: String, kwargs: Kwargs| {
            found(text, &pattern, &kwargs, How::Search)
        },
    );
    add(environment, "version", version);
    add(environment, "version_compare", version);
    // Text and mappings are sequences in Jinja, and Python's booleans are numbers.
    add(environment, "sequence", |value: &Native| {
        defined(value).map(|()| {
            matches!(
                value.kind(),
                ValueKind::Seq | ValueKind::Iterable | ValueKind::Map | ValueKind::String
            )
        })
    });
    add(environment, "number", |value: &Native| {
        defined(value).map(|()| matches!(value.kind(), ValueKind::Number | ValueKind::Bool))
    });
}

fn add<F, Rv, Args>(environment: &mut Environment<'static>, name: &'static str, test: F)
where
    F: minijinja::functions::Function<Rv, Args> + Clone,
    Rv: minijinja::value::FunctionResult,
    Args: for<'a> minijinja::value::FunctionArgs<'a>,
{
    environment.add_test(format!("ansible.builtin.{name}"), test.clone());
    environment.add_test(name, test);
}

fn defined(value: &Native) -> Result<(), Error> {
    match value.kind() {
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::Invalid => Err(python::invalid(value)),
        _ => Ok(()),
    }
}

/// The verdict of a registered result; a key that is not there counts as false.
fn result(value: &Native, key: &str) -> Result<bool, Error> {
    defined(value)?;
    if value.kind() != ValueKind::Map {
        return Err(fault("this test needs a registered result"));
    }
    let found = value.get_attr(key)?;
    if found.kind() == ValueKind::Invalid {
        return Err(python::invalid(&found));
    }
    Ok(found.is_true())
}

fn within(item: &Native, list: &Native) -> Result<bool, Error> {
    defined(item)?;
    defined(list)?;
    if let (Some(text), Some(part)) = (list.as_str(), item.as_str()) {
        return Ok(text.contains(part));
    }
    for other in list.try_iter()?.checked() {
        if other? == *item {
            return Ok(true);
        }
    }
    Ok(false)
}

fn all_in(part: &Native, whole: &Native) -> Result<bool, Error> {
    defined(part)?;
    for item in part.try_iter()?.checked() {
        if !within(&item?, whole)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn truthy(value: &Native, kwargs: &Kwargs) -> Result<bool, Error> {
    defined(value)?;
    let convert = kwargs.get::<Option<bool>>("convert_bool")?.unwrap_or(false);
    kwargs.assert_all_used()?;
    if convert && let Some(text) = value.as_str() {
        match text.to_lowercase().as_str() {
            "yes" | "on" | "true" | "1" | "y" | "t" => return Ok(true),
            "no" | "off" | "false" | "0" | "n" | "f" => return Ok(false),
            _ => {}
        }
    }
    Ok(value.is_true())
}

enum How {
    Match,
    Search,
}

fn found(text: &Native, spelled: &str, kwargs: &Kwargs, how: How) -> Result<bool, Error> {
    defined(text)?;
    let ignorecase = kwargs.get::<Option<bool>>("ignorecase")?.unwrap_or(false);
    let multiline = kwargs.get::<Option<bool>>("multiline")?.unwrap_or(false);
    kwargs.assert_all_used()?;
    let text = python::text(text)?;
    let regex = pattern(spelled, (ignorecase, multiline))?;
    Ok(match how {
        How::Search => regex.is_match(&text),
        How::Match => {
            pattern(&format!("\\A(?:{spelled})"), (ignorecase, multiline))?.is_match(&text)
        }
    })
}

fn version(
    value: &Native,
    other: &Native,
    operator: Option<String>,
    kwargs: Kwargs,
) -> Result<bool, Error> {
    let operator = match operator {
        Some(operator) => operator,
        None => kwargs
            .get::<Option<String>>("operator")?
            .unwrap_or_else(|| "==".to_owned()),
    };
    let strict = kwargs.get::<Option<bool>>("strict")?.unwrap_or(false);
    let kind = kwargs.get::<Option<String>>("version_type")?;
    kwargs.assert_all_used()?;
    let (a, b) = (python::text(value)?, python::text(other)?);
    let order = match kind.as_deref() {
        None | Some("loose") if !strict => loose(&a, &b),
        None | Some("strict") => loose(&release(&a)?, &release(&b)?),
        Some("semver" | "semantic") => semantic(&a, &b)?,
        Some("pep440") => loose(&a, &b),
        Some(_) => return Err(fault("`version_type` is loose, strict, semver or pep440")),
    };
    Ok(match operator.as_str() {
        "==" | "=" | "eq" => order == Ordering::Equal,
        "!=" | "<>" | "ne" => order != Ordering::Equal,
        "<" | "lt" => order == Ordering::Less,
        "<=" | "le" => order != Ordering::Greater,
        ">" | "gt" => order == Ordering::Greater,
        ">=" | "ge" => order != Ordering::Less,
        _ => return Err(fault("a version is compared with ==, !=, <, <=, > or >=")),
    })
}

/// Numbers and letters apart, compared in turn: Python's `LooseVersion`.
fn loose(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| {
        let mut parts: Vec<Result<u64, String>> = Vec::new();
        for chunk in text.split('.') {
            let mut rest = chunk;
            while !rest.is_empty() {
                let digit = rest.starts_with(|c: char| c.is_ascii_digit());
                let end = rest
                    .find(|c: char| c.is_ascii_digit() != digit)
                    .unwrap_or(rest.len());
                parts.push(match rest[..end].parse() {
                    Ok(number) if digit => Ok(number),
                    _ => Err(rest[..end].to_owned()),
                });
                rest = &rest[end..];
            }
        }
        parts
    };
    let (a, b) = (parts(a), parts(b));
    for (one, two) in a.iter().zip(&b) {
        let order = match (one, two) {
            (Ok(one), Ok(two)) => one.cmp(two),
            (Err(one), Err(two)) => one.cmp(two),
            (Ok(_), Err(_)) => Ordering::Greater,
            (Err(_), Ok(_)) => Ordering::Less,
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

/// `1.2` as `1.2.0`, for versions of exactly two or three numbers.
fn release(text: &str) -> Result<String, Error> {
    let numbers: Vec<&str> = text.split('.').collect();
    match numbers.as_slice() {
        [_, _] => Ok(format!("{text}.0")),
        [_, _, _] => Ok(text.to_owned()),
        _ => Err(fault("a strict version has two or three numbers")),
    }
}

fn semantic(a: &str, b: &str) -> Result<Ordering, Error> {
    let split = |text: &str| {
        let text = text.split('+').next().unwrap_or("").to_owned();
        let (core, pre) = match text.split_once('-') {
            Some((core, pre)) => (core.to_owned(), Some(pre.to_owned())),
            None => (text, None),
        };
        let numbers: Result<Vec<u64>, _> = core.split('.').map(str::parse).collect();
        match numbers {
            Ok(numbers) if numbers.len() == 3 => Ok((numbers, pre)),
            _ => Err(fault("a semantic version is MAJOR.MINOR.PATCH")),
        }
    };
    let ((a, pre_a), (b, pre_b)) = (split(a)?, split(b)?);
    Ok(a.cmp(&b).then_with(|| match (pre_a, pre_b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => loose(&a, &b),
    }))
}
