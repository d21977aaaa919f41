//! Lists.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, Value as Native};

use super::given::Given;
use super::{dotted, expected, items_of};
use crate::template::convert::fault;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("list", |value: &Native| items_of(value).map(Native::from));
    environment.add_filter("length", length);
    environment.add_filter("count", length);
    environment.add_filter("first", first);
    environment.add_filter("last", last);
    environment.add_filter("sum", sum);
    environment.add_filter("reverse", reverse);
    environment.add_filter("flatten", flatten);
    environment.add_filter("zip", zip);
    environment.add_filter("product", product);
    environment.add_filter("min", |value: &Native, kwargs: Kwargs| {
        extreme(value, &kwargs, std::cmp::Ordering::Less)
    });
    environment.add_filter("max", |value: &Native, kwargs: Kwargs| {
        extreme(value, &kwargs, std::cmp::Ordering::Greater)
    });
}

fn length(value: &Native) -> Result<usize, Error> {
    if value.kind() == ValueKind::Number || value.kind() == ValueKind::Bool {
        return Err(expected("text, a list or a mapping", value));
    }
    match value.len() {
        Some(length) => Ok(length),
        None => Ok(items_of(value)?.len()),
    }
}

fn first(value: &Native) -> Result<Native, Error> {
    Ok(items_of(value)?
        .into_iter()
        .next()
        .unwrap_or(Native::UNDEFINED))
}

fn last(value: &Native) -> Result<Native, Error> {
    Ok(items_of(value)?.pop().unwrap_or(Native::UNDEFINED))
}

fn sum(value: &Native, kwargs: Kwargs) -> Result<Native, Error> {
    let attribute = kwargs.get::<Option<String>>("attribute")?;
    let start = kwargs.get::<Option<Native>>("start")?;
    kwargs.assert_all_used()?;
    let mut whole: i64 = 0;
    let mut broken = 0.0;
    let mut exact = true;
    for item in start.into_iter().chain(items_of(value)?) {
        let item = match &attribute {
            Some(path) if item.kind() == ValueKind::Map => dotted(&item, path)?,
            _ => item,
        };
        match item.as_i64().filter(|_| item.is_integer()) {
            Some(number) => {
                whole = whole
                    .checked_add(number)
                    .ok_or_else(|| fault("the sum is beyond 64 bits"))?;
            }
            None if item.kind() == ValueKind::Number => {
                exact = false;
                broken += f64::try_from(item)?;
            }
            None => return Err(expected("a list of numbers", &item)),
        }
    }
    Ok(if exact {
        Native::from(whole)
    } else {
        Native::from(whole as f64 + broken)
    })
}

fn reverse(value: &Native) -> Result<Native, Error> {
    if let Some(text) = value.as_str() {
        return Ok(Native::from(text.chars().rev().collect::<String>()));
    }
    let mut items = items_of(value)?;
    items.reverse();
    Ok(Native::from(items))
}

fn flatten(value: &Native, levels: Option<usize>, kwargs: Kwargs) -> Result<Native, Error> {
    let levels = match levels {
        Some(levels) => Some(levels),
        None => kwargs.get::<Option<usize>>("levels")?,
    };
    let skip_nulls = kwargs.get::<Option<bool>>("skip_nulls")?.unwrap_or(true);
    kwargs.assert_all_used()?;
    let mut out = Vec::new();
    flat(value, levels.unwrap_or(100), skip_nulls, &mut out)?;
    Ok(Native::from(out))
}

fn flat(value: &Native, levels: usize, skip: bool, out: &mut Vec<Native>) -> Result<(), Error> {
    for item in items_of(value)? {
        match item.kind() {
            ValueKind::Seq | ValueKind::Iterable if levels > 0 => {
                flat(&item, levels - 1, skip, out)?;
            }
            ValueKind::None if skip => {}
            // Ansible takes these words for nothing, too.
            ValueKind::String if skip && matches!(item.as_str(), Some("None" | "null")) => {}
            _ => out.push(item),
        }
    }
    Ok(())
}

fn zip(value: &Native, others: &[Native]) -> Result<Native, Error> {
    let mut columns = vec![items_of(value)?];
    for other in others {
        columns.push(items_of(other)?);
    }
    let rows = columns.iter().map(Vec::len).min().unwrap_or(0);
    Ok((0..rows)
        .map(|row| {
            columns
                .iter()
                .map(|column| column[row].clone())
                .collect::<Native>()
        })
        .collect())
}

fn product(value: &Native, others: &[Native], kwargs: Kwargs) -> Result<Native, Error> {
    let given = Given::read(&["repeat"], &[], &kwargs)?;
    let repeat = given.whole("repeat")?.unwrap_or(1);
    let repeat = usize::try_from(repeat).map_err(|_| fault("`repeat` is not negative"))?;
    let mut columns = Vec::new();
    for column in std::iter::once(value).chain(others) {
        columns.push(items_of(column)?);
    }
    let wanted = columns.len().saturating_mul(repeat.min(100));
    let rows = crossed(columns.iter().cycle().take(wanted))?;
    Ok(rows.into_iter().map(Native::from).collect())
}

/// Every item of the first column with every one of the second, and so on.
pub(in crate::template) fn crossed<'a>(
    columns: impl Iterator<Item = &'a Vec<Native>>,
) -> Result<Vec<Vec<Native>>, Error> {
    let mut rows: Vec<Vec<Native>> = vec![Vec::new()];
    for column in columns {
        if rows.len().saturating_mul(column.len()) > 1_000_000 {
            return Err(fault("the product has more than a million rows"));
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                column.iter().map(|item| {
                    let mut row = row.clone();
                    row.push(item.clone());
                    row
                })
            })
            .collect();
    }
    Ok(rows)
}

fn extreme(value: &Native, kwargs: &Kwargs, wanted: std::cmp::Ordering) -> Result<Native, Error> {
    let attribute = kwargs.get::<Option<String>>("attribute")?;
    let case_sensitive = kwargs
        .get::<Option<bool>>("case_sensitive")?
        .unwrap_or(false);
    kwargs.assert_all_used()?;
    let key = |item: &Native| -> Result<Native, Error> {
        let part = match &attribute {
            Some(path) => dotted(item, path)?,
            None => item.clone(),
        };
        Ok(match part.as_str() {
            Some(text) if !case_sensitive => Native::from(text.to_lowercase()),
            _ => part,
        })
    };
    let mut best: Option<(Native, Native)> = None;
    for item in items_of(value)? {
        let found = key(&item)?;
        if found.is_undefined() {
            return Err(expected("a value", &found));
        }
        let better = best
            .as_ref()
            .is_none_or(|(_, known)| found.cmp(known) == wanted);
        if better {
            best = Some((item, found));
        }
    }
    Ok(best.map_or(Native::UNDEFINED, |(item, _)| item))
}
