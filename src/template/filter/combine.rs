//! Lists put together: combinations, elements below elements, lists merged by a key.

use indexmap::IndexMap;
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, Value as Native};

use super::data::{Lists, merge};
use super::given::{Given, whole};
use super::{expected, items_of, pairs_of, text_of};
use crate::template::convert::fault;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("combinations", combinations);
    environment.add_filter("permutations", permutations);
    environment.add_filter("zip_longest", zip_longest);
    environment.add_filter("subelements", subelements);
    environment.add_filter("rekey_on_member", rekey_on_member);
    environment.add_filter("groupby_as_dict", groupby_as_dict);
    environment.add_filter("lists_mergeby", lists_mergeby);
    environment.add_filter("counter", counter);
    environment.add_filter("accumulate", accumulate);
    environment.add_filter("dict_kv", |value: Native, key: Native| {
        Native::from_pairs([(key, value)])
    });
    environment.add_filter("dict", |value: &Native| super::data::pairs(value));
}

/// The most rows a filter makes.
const MOST: usize = 1_000_000;

fn rows(count: usize) -> Result<(), Error> {
    match count > MOST {
        true => Err(fault("the result has more than a million rows")),
        false => Ok(()),
    }
}

fn combinations(value: &Native, size: &Native) -> Result<Native, Error> {
    let items = items_of(value)?;
    let size = usize::try_from(whole(size, "r")?).map_err(|_| fault("the size is not negative"))?;
    let mut out = Vec::new();
    let mut chosen = Vec::with_capacity(size.min(items.len()));
    choose(&items, 0, size, &mut chosen, &mut out)?;
    Ok(Native::from(out))
}

fn choose(
    items: &[Native],
    from: usize,
    left: usize,
    chosen: &mut Vec<Native>,
    out: &mut Vec<Native>,
) -> Result<(), Error> {
    if left == 0 {
        rows(out.len())?;
        out.push(Native::from(chosen.clone()));
        return Ok(());
    }
    let end = (items.len() + 1).saturating_sub(left);
    for at in from..end {
        chosen.push(items[at].clone());
        choose(items, at + 1, left - 1, chosen, out)?;
        chosen.pop();
    }
    Ok(())
}

fn permutations(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<Native, Error> {
    let given = Given::read(&["r"], args, &kwargs)?;
    let items = items_of(value)?;
    let size = match given.whole("r")? {
        None => items.len(),
        Some(size) => usize::try_from(size).map_err(|_| fault("the size is not negative"))?,
    };
    let mut out = Vec::new();
    if size <= items.len() {
        let mut used = vec![false; items.len()];
        arrange(&items, size, &mut used, &mut Vec::new(), &mut out)?;
    }
    Ok(Native::from(out))
}

fn arrange(
    items: &[Native],
    size: usize,
    used: &mut [bool],
    chosen: &mut Vec<Native>,
    out: &mut Vec<Native>,
) -> Result<(), Error> {
    if chosen.len() == size {
        rows(out.len())?;
        out.push(Native::from(chosen.clone()));
        return Ok(());
    }
    for at in 0..items.len() {
        if !used[at] {
            used[at] = true;
            chosen.push(items[at].clone());
            arrange(items, size, used, chosen, out)?;
            chosen.pop();
            used[at] = false;
        }
    }
    Ok(())
}

fn zip_longest(value: &Native, others: &[Native], kwargs: Kwargs) -> Result<Native, Error> {
    let given = Given::read(&["fillvalue"], &[], &kwargs)?;
    let fill = given
        .value("fillvalue")
        .cloned()
        .unwrap_or(Native::from(()));
    let mut columns = vec![items_of(value)?];
    for other in others {
        columns.push(items_of(other)?);
    }
    let count = columns.iter().map(Vec::len).max().unwrap_or(0);
    Ok((0..count)
        .map(|row| {
            columns
                .iter()
                .map(|column| column.get(row).unwrap_or(&fill).clone())
                .collect::<Native>()
        })
        .collect())
}

/// Pairs of an element and of what a list in it holds.
pub(in crate::template) fn below(
    elements: Vec<Native>,
    path: &[String],
    skip_missing: bool,
) -> Result<Vec<Native>, Error> {
    let mut out = Vec::new();
    for element in elements {
        let mut at = element.clone();
        let mut missing = false;
        for key in path {
            if at.kind() != ValueKind::Map {
                return Err(expected("a mapping on the way to the list", &at));
            }
            at = at.get_attr(key)?;
            if at.is_undefined() {
                missing = true;
                break;
            }
        }
        if missing && skip_missing {
            continue;
        }
        if missing {
            return Err(fault(format!(
                "an element has no `{}`; skip such with `skip_missing=true`",
                path.join(".")
            )));
        }
        if !matches!(at.kind(), ValueKind::Seq | ValueKind::Iterable) {
            return Err(expected("a list in each element", &at));
        }
        for item in items_of(&at)? {
            out.push(Native::from(vec![element.clone(), item]));
        }
    }
    Ok(out)
}

fn subelements(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<Native, Error> {
    let given = Given::read(&["subelements", "skip_missing"], args, &kwargs)?;
    let elements = match value.kind() {
        ValueKind::Map => pairs_of(value)?.into_iter().map(|(_, item)| item).collect(),
        ValueKind::Seq | ValueKind::Iterable => items_of(value)?,
        _ => return Err(expected("a list or a mapping", value)),
    };
    let path = given.need("subelements")?;
    let path = match path.as_str() {
        Some(path) => path.split('.').map(str::to_owned).collect(),
        None => items_of(path)?
            .iter()
            .map(text_of)
            .collect::<Result<Vec<String>, Error>>()?,
    };
    below(elements, &path, given.flag("skip_missing")).map(Native::from)
}

fn rekey_on_member(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<Native, Error> {
    let given = Given::read(&["key", "duplicates"], args, &kwargs)?;
    let overwrite = match given.text_or("duplicates", "error")?.as_str() {
        "error" => false,
        "overwrite" => true,
        _ => return Err(fault("`duplicates` is error or overwrite")),
    };
    let items = match value.kind() {
        ValueKind::Map => pairs_of(value)?.into_iter().map(|(_, item)| item).collect(),
        ValueKind::String => return Err(expected("a list or a mapping", value)),
        _ => items_of(value)?,
    };
    keyed(items, &text_of(given.need("key")?)?, overwrite)
}

fn keyed(items: Vec<Native>, key: &str, overwrite: bool) -> Result<Native, Error> {
    let mut out: IndexMap<Native, Native> = IndexMap::new();
    for item in items {
        if item.kind() != ValueKind::Map {
            return Err(expected("a list of mappings", &item));
        }
        let found = item.get_attr(key)?;
        if found.is_undefined() {
            return Err(fault(format!("an item has no `{key}`")));
        }
        if out.insert(found, item).is_some() && !overwrite {
            return Err(fault(format!("two items have the same `{key}`")));
        }
    }
    Ok(Native::from_pairs(out))
}

fn groupby_as_dict(value: &Native, attribute: String) -> Result<Native, Error> {
    if value.kind() == ValueKind::Map {
        return Err(expected("a list of mappings", value));
    }
    keyed(items_of(value)?, &attribute, false)
}

/// Items of several lists that have the same value under a key, merged; sorted by it.
fn lists_mergeby(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<Native, Error> {
    let given = Given::read(&["recursive", "list_merge"], &[], &kwargs)?;
    let lists = Lists::read(&given.text_or("list_merge", "replace")?)?;
    let recursive = given.flag("recursive");
    let Some((index, others)) = args.split_last() else {
        return Err(fault("the key to merge by is missing"));
    };
    let Some(index) = index.as_str() else {
        return Err(expected("the key as the last argument", index));
    };
    let mut columns = Vec::new();
    for part in std::iter::once(value).chain(others) {
        let items = items_of(part)?;
        let nested = |item: &Native| matches!(item.kind(), ValueKind::Seq | ValueKind::Iterable);
        match items.is_empty() {
            true => {}
            false if items.iter().all(nested) => columns.extend(items),
            false => columns.push(Native::from(items)),
        }
    }
    if let [only] = columns.as_slice() {
        return Ok(only.clone());
    }
    let mut merged: IndexMap<Native, Vec<(Native, Native)>> = IndexMap::new();
    for column in columns {
        for item in items_of(&column)? {
            if item.kind() != ValueKind::Map {
                return Err(expected("lists of mappings", &item));
            }
            let key = item.get_attr(index)?;
            if key.is_undefined() {
                continue;
            }
            let known = merged.entry(key).or_default();
            let low = std::mem::take(known);
            *known = merge(low, pairs_of(&item)?, recursive, lists)?;
        }
    }
    merged.sort_keys();
    Ok(merged.into_values().map(Native::from_pairs).collect())
}

fn counter(value: &Native) -> Result<Native, Error> {
    if !matches!(
        value.kind(),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::String
    ) {
        return Err(expected("a list or text", value));
    }
    let mut counts: IndexMap<Native, i64> = IndexMap::new();
    for item in items_of(value)? {
        if matches!(item.kind(), ValueKind::Seq | ValueKind::Map) {
            return Err(expected("a list of plain values", &item));
        }
        *counts.entry(item).or_default() += 1;
    }
    Ok(Native::from_pairs(
        counts
            .into_iter()
            .map(|(item, count)| (item, Native::from(count))),
    ))
}

/// Running sums: of numbers, or of texts.
fn accumulate(value: &Native) -> Result<Native, Error> {
    if value.kind() == ValueKind::Map {
        return Err(expected("a list or text", value));
    }
    let mut out: Vec<Native> = Vec::new();
    for item in items_of(value)? {
        let next = match out.last() {
            None => item,
            Some(last) => sum(last, &item)?,
        };
        out.push(next);
    }
    Ok(Native::from(out))
}

fn sum(a: &Native, b: &Native) -> Result<Native, Error> {
    if let (Some(a), Some(b)) = (a.as_str(), b.as_str()) {
        return Ok(Native::from(format!("{a}{b}")));
    }
    let number = |value: &Native| value.kind() == ValueKind::Number;
    if !number(a) || !number(b) {
        return Err(expected("a list of numbers, or of texts", b));
    }
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => a
            .checked_add(b)
            .map(Native::from)
            .ok_or_else(|| fault("the sum is beyond 64 bits")),
        _ => Ok(Native::from(
            f64::try_from(a.clone())? + f64::try_from(b.clone())?,
        )),
    }
}
