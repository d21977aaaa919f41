//! Lookups of lists that are given, made for `with_*`.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, Value as Native};

use crate::template::convert::fault;
use crate::template::filter::{Given, below, crossed, items_of, pairs_of};
use crate::template::python;

fn is_list(value: &Native) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

/// Lists among the terms opened, one level.
fn opened(terms: &[Native]) -> Result<Vec<Native>, Error> {
    let mut out = Vec::new();
    for term in terms {
        match is_list(term) {
            true => out.extend(items_of(term)?),
            false => out.push(term.clone()),
        }
    }
    Ok(out)
}

pub(super) fn items(terms: &[Native], kwargs: &Kwargs) -> Result<Vec<Native>, Error> {
    Given::read(&[], &[], kwargs)?;
    opened(terms)
}

pub(super) fn list(terms: &[Native], kwargs: &Kwargs) -> Result<Vec<Native>, Error> {
    Given::read(&[], &[], kwargs)?;
    Ok(terms.to_vec())
}

pub(super) fn flattened(terms: &[Native], kwargs: &Kwargs) -> Result<Vec<Native>, Error> {
    Given::read(&[], &[], kwargs)?;
    let mut out = Vec::new();
    for term in terms {
        flat(term, &mut out, 0)?;
    }
    Ok(out)
}

fn flat(value: &Native, out: &mut Vec<Native>, depth: usize) -> Result<(), Error> {
    if depth > 100 {
        return Err(fault("the list is nested too deep"));
    }
    if is_list(value) {
        for item in items_of(value)? {
            flat(&item, out, depth + 1)?;
        }
    } else if !matches!(value.as_str(), Some("None" | "null")) {
        out.push(value.clone());
    }
    Ok(())
}

pub(super) fn indexed_items(terms: &[Native], kwargs: &Kwargs) -> Result<Vec<Native>, Error> {
    Given::read(&[], &[], kwargs)?;
    let items = opened(terms)?.into_iter().enumerate();
    Ok(items
        .map(|(index, item)| Native::from(vec![Native::from(index), item]))
        .collect())
}

pub(super) fn dict(terms: &[Native], kwargs: &Kwargs) -> Result<Vec<Native>, Error> {
    Given::read(&[], &[], kwargs)?;
    let mut out = Vec::new();
    for term in terms {
        for (key, value) in pairs_of(term)? {
            let (name, of) = (Native::from("key"), Native::from("value"));
            out.push(Native::from_pairs([(name, key), (of, value)]));
        }
    }
    Ok(out)
}

/// Every item of the first list with every one of the second, and so on.
pub(super) fn nested(terms: &[Native], kwargs: &Kwargs) -> Result<Vec<Native>, Error> {
    Given::read(&[], &[], kwargs)?;
    if terms.is_empty() {
        return Err(fault("there is no list"));
    }
    let columns: Vec<Vec<Native>> = terms.iter().map(items_of).collect::<Result<_, _>>()?;
    let rows = crossed(columns.iter())?;
    rows.iter()
        .map(|row| opened(row).map(Native::from))
        .collect()
}

/// The first items of all lists, then the second ones; nothing where a list is shorter.
pub(super) fn together(terms: &[Native], kwargs: &Kwargs) -> Result<Vec<Native>, Error> {
    Given::read(&[], &[], kwargs)?;
    if terms.is_empty() {
        return Err(fault("there is no list"));
    }
    let columns = terms
        .iter()
        .map(items_of)
        .collect::<Result<Vec<_>, Error>>()?;
    let count = columns.iter().map(Vec::len).max().unwrap_or(0);
    (0..count)
        .map(|row| {
            let row: Vec<Native> = columns
                .iter()
                .map(|column| column.get(row).cloned().unwrap_or(Native::from(())))
                .collect();
            opened(&row).map(Native::from)
        })
        .collect()
}

pub(super) fn subelements(terms: &[Native], kwargs: &Kwargs) -> Result<Vec<Native>, Error> {
    Given::read(&[], &[], kwargs)?;
    let (elements, path, flags) = match terms {
        [elements, path] => (elements, path, None),
        [elements, path, flags] => (elements, path, Some(flags)),
        _ => {
            return Err(fault(
                "it takes a list, the name of a list in each item, and flags",
            ));
        }
    };
    let is_skipped = |item: &Native| -> Result<bool, Error> {
        if item.kind() != ValueKind::Map {
            return Ok(false);
        }
        let skipped = item.get_attr("skipped")?;
        Ok(!skipped.is_undefined() && (skipped.kind() != ValueKind::Bool || skipped.is_true()))
    };
    let elements = match elements.kind() {
        ValueKind::Map if is_skipped(elements)? => Vec::new(),
        ValueKind::Map => pairs_of(elements)?
            .into_iter()
            .map(|(_, item)| item)
            .collect(),
        _ => items_of(elements)?,
    };
    let mut kept = Vec::new();
    for element in elements {
        if !is_skipped(&element)? {
            kept.push(element);
        }
    }
    let skip_missing = match flags {
        Some(flags) if flags.kind() == ValueKind::Map => {
            for (key, _) in pairs_of(flags)? {
                if key.as_str() != Some("skip_missing") {
                    return Err(fault("the only flag is `skip_missing`"));
                }
            }
            let flag = flags.get_attr("skip_missing")?;
            flag.is_true() && !matches!(flag.as_str(), Some("false" | "no" | "False"))
        }
        Some(_) => return Err(fault("flags are a mapping, as `{'skip_missing': true}`")),
        None => false,
    };
    let path: Vec<String> = python::text(path)?.split('.').map(str::to_owned).collect();
    below(kept, &path, skip_missing)
}
