//! Keys of mappings kept, removed and renamed; lists as sets of many.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, Value as Native};

use super::given::Given;
use super::python_regex::{Pattern, pattern};
use super::{expected, items_of, pairs_of, text_of};
use crate::template::convert::fault;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter(
        "keep_keys",
        |v: &Native, args: &[Native], kwargs: Kwargs| {
            let (wanted, _) = Wanted::read(args, &kwargs)?;
            each(v, |pairs| {
                let mut kept = Vec::new();
                for (key, item) in pairs {
                    if wanted.takes(&key)?.is_some() {
                        kept.push((key, item));
                    }
                }
                Ok(kept)
            })
        },
    );
    environment.add_filter(
        "remove_keys",
        |v: &Native, args: &[Native], kwargs: Kwargs| {
            let (wanted, _) = Wanted::read(args, &kwargs)?;
            each(v, |pairs| {
                let mut kept = Vec::new();
                for (key, item) in pairs {
                    if wanted.takes(&key)?.is_none() {
                        kept.push((key, item));
                    }
                }
                Ok(kept)
            })
        },
    );
    environment.add_filter(
        "replace_keys",
        |v: &Native, args: &[Native], kwargs: Kwargs| {
            let (wanted, after) = Wanted::read(args, &kwargs)?;
            if after.is_empty() {
                return Err(fault(
                    "the keys are given as a list of `before` and `after`",
                ));
            }
            each(v, |pairs| {
                let mut renamed: Vec<(Native, Native)> = Vec::new();
                for (key, item) in pairs {
                    let key = match wanted.takes(&key)? {
                        Some(index) => Native::from(after[index].as_str()),
                        None => key,
                    };
                    renamed.retain(|(other, _)| *other != key);
                    renamed.push((key, item));
                }
                Ok(renamed)
            })
        },
    );
    for (name, how) in [
        ("lists_union", Set::Union),
        ("lists_intersect", Set::Intersect),
        ("lists_difference", Set::Difference),
        ("lists_symmetric_difference", Set::SymmetricDifference),
    ] {
        environment.add_filter(name, move |v: &Native, args: &[Native], kwargs: Kwargs| {
            lists(v, args, &kwargs, how)
        });
    }
}

/// Which keys are meant.
enum Wanted {
    Equal(Vec<String>),
    Begins(Vec<String>),
    Ends(Vec<String>),
    Regex(Vec<Pattern>),
}

impl Wanted {
    /// The keys, and what they are to be called.
    fn read(args: &[Native], kwargs: &Kwargs) -> Result<(Wanted, Vec<String>), Error> {
        let given = Given::read(&["target", "matching_parameter"], args, kwargs)?;
        let target = given.need("target")?;
        let items = match target.as_str() {
            Some(_) => vec![target.clone()],
            None => items_of(target)?,
        };
        if items.is_empty() || target.as_str() == Some("") {
            return Err(fault("no keys are given"));
        }
        let mut before = Vec::new();
        let mut after = Vec::new();
        for item in &items {
            let Some(text) = item.as_str() else {
                if item.kind() != ValueKind::Map {
                    return Err(expected("keys as text", item));
                }
                let part = |name: &str| match item.get_attr(name)? {
                    part if part.as_str().is_some() => text_of(&part),
                    _ => Err(fault("each item needs `before` and `after`, as text")),
                };
                before.push(part("before")?);
                after.push(part("after")?);
                continue;
            };
            before.push(text.to_owned());
        }
        let wanted = match given.text_or("matching_parameter", "equal")?.as_str() {
            "equal" | "equality" => Wanted::Equal(before),
            "starts_with" => Wanted::Begins(before),
            "ends_with" => Wanted::Ends(before),
            "regex" => Wanted::Regex(
                before
                    .iter()
                    .map(|text| pattern(text, (false, false)))
                    .collect::<Result<_, _>>()?,
            ),
            _ => {
                return Err(fault(
                    "`matching_parameter` is equal, starts_with, ends_with or regex",
                ));
            }
        };
        Ok((wanted, after))
    }

    /// The index of the first that means this key.
    fn takes(&self, key: &Native) -> Result<Option<usize>, Error> {
        let Some(key) = key.as_str() else {
            return Err(expected("keys as text", key));
        };
        Ok(match self {
            Wanted::Equal(words) => words.iter().position(|word| word == key),
            Wanted::Begins(words) => words.iter().position(|word| key.starts_with(word)),
            Wanted::Ends(words) => words.iter().position(|word| key.ends_with(word)),
            Wanted::Regex(patterns) => {
                for (index, pattern) in patterns.iter().enumerate() {
                    if pattern.begins(key)? {
                        return Ok(Some(index));
                    }
                }
                None
            }
        })
    }
}

/// Does something with each mapping of a list.
fn each(
    value: &Native,
    change: impl Fn(Vec<(Native, Native)>) -> Result<Vec<(Native, Native)>, Error>,
) -> Result<Native, Error> {
    if !matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return Err(expected("a list of mappings", value));
    }
    let mut out = Vec::new();
    for item in items_of(value)? {
        out.push(Native::from_pairs(change(pairs_of(&item)?)?));
    }
    Ok(Native::from(out))
}

#[derive(Clone, Copy)]
enum Set {
    Union,
    Intersect,
    Difference,
    SymmetricDifference,
}

fn lists(value: &Native, args: &[Native], kwargs: &Kwargs, how: Set) -> Result<Native, Error> {
    let given = Given::read(&["flatten"], &[], kwargs)?;
    let mut columns = Vec::new();
    for part in std::iter::once(value).chain(args) {
        let items = items_of(part)?;
        let nested = |item: &Native| matches!(item.kind(), ValueKind::Seq | ValueKind::Iterable);
        // Flattened, a list of lists counts as so many lists.
        match given.flag("flatten") && !items.is_empty() && items.iter().all(nested) {
            true => {
                for item in &items {
                    columns.push(items_of(item)?);
                }
            }
            false => columns.push(items),
        }
    }
    if let [only] = columns.as_slice() {
        return Ok(Native::from(only.clone()));
    }
    let mut columns = columns.into_iter();
    let mut all = columns.next().unwrap_or_default();
    for other in columns {
        all = match how {
            Set::Union => all.into_iter().chain(other).collect(),
            Set::Intersect => all
                .into_iter()
                .filter(|item| other.contains(item))
                .collect(),
            Set::Difference => all
                .into_iter()
                .filter(|item| !other.contains(item))
                .collect(),
            Set::SymmetricDifference => {
                let both = all.clone().into_iter().chain(other.clone());
                distinct(both.collect())
                    .into_iter()
                    .filter(|item| all.contains(item) != other.contains(item))
                    .collect()
            }
        };
    }
    Ok(Native::from(distinct(all)))
}

fn distinct(items: Vec<Native>) -> Vec<Native> {
    let mut out: Vec<Native> = Vec::new();
    for item in items {
        if !out.contains(&item) {
            out.push(item);
        }
    }
    out
}
