//! Defaults, choices, and mappings.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value as Native};

use super::given::Given;
use super::{dotted, expected, items_of, pairs_of, text_of};
use crate::template::convert::fault;
use crate::template::python;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("default", default);
    environment.add_filter("d", default);
    environment.add_filter("mandatory", mandatory);
    environment.add_filter("ternary", ternary);
    environment.add_filter("type_debug", type_debug);
    environment.add_filter("dict2items", dict2items);
    environment.add_filter("items2dict", items2dict);
    environment.add_filter("items", items);
    environment.add_filter("combine", combine);
    environment.add_filter("extract", extract);
    environment.add_filter("dictsort", dictsort);
    environment.add_function("dict", dict);
}

/// A link of a guarded chain: the part, or undefined, whatever it is looked up in.
pub(super) fn link(value: &Native, key: &Native) -> Result<Native, Error> {
    let found = match value.kind() {
        ValueKind::Undefined | ValueKind::None => return Ok(Native::UNDEFINED),
        ValueKind::Invalid => return Err(python::invalid(value)),
        _ => value.get_item(key)?,
    };
    if found.kind() == ValueKind::Invalid {
        return Err(python::invalid(&found));
    }
    Ok(found)
}

fn default(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<Native, Error> {
    let other = match args.first() {
        Some(other) => other.clone(),
        None => kwargs
            .get::<Option<Native>>("default_value")?
            .unwrap_or_else(|| Native::from("")),
    };
    let falsy = match args.get(1) {
        Some(falsy) => falsy.is_true(),
        None => kwargs.get::<Option<bool>>("boolean")?.unwrap_or(false),
    };
    kwargs.assert_all_used()?;
    if value.is_undefined() || falsy && !value.is_true() {
        Ok(other)
    } else {
        Ok(value.clone())
    }
}

fn mandatory(value: &Native, message: Option<Native>, kwargs: Kwargs) -> Result<Native, Error> {
    let message = match message {
        Some(message) => Some(message),
        None => kwargs.get::<Option<Native>>("msg")?,
    };
    kwargs.assert_all_used()?;
    if !value.is_undefined() {
        return Ok(value.clone());
    }
    Err(match message {
        Some(message) => fault(text_of(&message)?),
        None => Error::from(ErrorKind::UndefinedError),
    })
}

fn ternary(
    value: &Native,
    yes: Native,
    no: Native,
    none: Option<Native>,
    kwargs: Kwargs,
) -> Result<Native, Error> {
    let none = match none {
        Some(none) => Some(none),
        None => kwargs.get::<Option<Native>>("none_val")?,
    };
    kwargs.assert_all_used()?;
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    Ok(match none {
        Some(none) if value.is_none() => none,
        _ if value.is_true() => yes,
        _ => no,
    })
}

fn type_debug(value: &Native) -> Result<&'static str, Error> {
    Ok(match value.kind() {
        ValueKind::Undefined => return Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::Invalid => return Err(python::invalid(value)),
        ValueKind::None => "NoneType",
        ValueKind::Bool => "bool",
        ValueKind::Number if value.is_integer() => "int",
        ValueKind::Number => "float",
        ValueKind::String => "str",
        ValueKind::Bytes => "bytes",
        ValueKind::Map => "dict",
        _ => "list",
    })
}

fn names(kwargs: &Kwargs) -> Result<(String, String), Error> {
    let key = kwargs.get::<Option<String>>("key_name")?;
    let value = kwargs.get::<Option<String>>("value_name")?;
    kwargs.assert_all_used()?;
    Ok((
        key.unwrap_or_else(|| "key".to_owned()),
        value.unwrap_or_else(|| "value".to_owned()),
    ))
}

fn dict2items(value: &Native, kwargs: Kwargs) -> Result<Native, Error> {
    let (key_name, value_name) = names(&kwargs)?;
    Ok(pairs_of(value)?
        .into_iter()
        .map(|(key, item)| {
            Native::from_pairs([
                (Native::from(key_name.as_str()), key),
                (Native::from(value_name.as_str()), item),
            ])
        })
        .collect())
}

fn items2dict(value: &Native, kwargs: Kwargs) -> Result<Native, Error> {
    let (key_name, value_name) = names(&kwargs)?;
    let mut pairs = Vec::new();
    for item in items_of(value)? {
        if item.kind() != ValueKind::Map {
            return Err(expected("a list of mappings", &item));
        }
        let (key, value) = (dotted(&item, &key_name)?, dotted(&item, &value_name)?);
        if key.is_undefined() || value.is_undefined() {
            return Err(fault(format!(
                "each item needs `{key_name}` and `{value_name}`"
            )));
        }
        pairs.push((key, value));
    }
    Ok(Native::from_pairs(pairs))
}

fn items(value: &Native) -> Result<Native, Error> {
    if value.is_undefined() {
        return Ok(Native::from(Vec::<Native>::new()));
    }
    Ok(pairs_of(value)?
        .into_iter()
        .map(|(key, item)| Native::from(vec![key, item]))
        .collect())
}

/// Pairs as lists, sorted by key or value.
fn dictsort(value: &Native, kwargs: Kwargs) -> Result<Native, Error> {
    let pairs = minijinja::filters::dictsort(value, kwargs)?;
    items_of(&pairs)?
        .iter()
        .map(|pair| items_of(pair).map(Native::from))
        .collect::<Result<Vec<Native>, Error>>()
        .map(Native::from)
}

/// A mapping of a list of pairs, or one that is one already.
pub(super) fn pairs(value: &Native) -> Result<Native, Error> {
    Ok(Native::from_pairs(pairs_in(value)?))
}

fn pairs_in(value: &Native) -> Result<Vec<(Native, Native)>, Error> {
    if value.kind() == ValueKind::Map {
        return pairs_of(value);
    }
    let mut pairs = Vec::new();
    for pair in items_of(value)? {
        match items_of(&pair)?.as_slice() {
            [key, value] => pairs.push((key.clone(), value.clone())),
            _ => return Err(expected("a list of pairs", &pair)),
        }
    }
    Ok(pairs)
}

/// Python's `dict`: a mapping or pairs, then what is named.
fn dict(start: Option<Native>, kwargs: Kwargs) -> Result<Native, Error> {
    let mut pairs = match &start {
        None => Vec::new(),
        Some(start) => pairs_in(start)?,
    };
    for name in kwargs.args() {
        pairs.push((Native::from(name), kwargs.get::<Native>(name)?));
    }
    Ok(Native::from_pairs(pairs))
}

/// How lists are put together when mappings are.
#[derive(Clone, Copy)]
pub(super) enum Lists {
    Replace,
    Keep,
    Append,
    Prepend,
    AppendUnique,
    PrependUnique,
}

impl Lists {
    pub(super) fn read(word: &str) -> Result<Lists, Error> {
        Ok(match word {
            "replace" => Lists::Replace,
            "keep" => Lists::Keep,
            "append" => Lists::Append,
            "prepend" => Lists::Prepend,
            "append_rp" => Lists::AppendUnique,
            "prepend_rp" => Lists::PrependUnique,
            _ => {
                return Err(fault(
                    "`list_merge` is replace, keep, append, prepend, append_rp or prepend_rp",
                ));
            }
        })
    }
}

fn combine(value: &Native, others: &[Native], kwargs: Kwargs) -> Result<Native, Error> {
    let given = Given::read(&["recursive", "list_merge"], &[], &kwargs)?;
    let recursive = given.flag("recursive");
    let lists = Lists::read(&given.text_or("list_merge", "replace")?)?;
    let mut maps = Vec::new();
    for part in std::iter::once(value).chain(others) {
        match part.kind() {
            ValueKind::Seq | ValueKind::Iterable => maps.extend(items_of(part)?),
            _ => maps.push(part.clone()),
        }
    }
    let mut maps = maps.into_iter();
    let Some(first) = maps.next() else {
        return Ok(Native::from_pairs(Vec::<(Native, Native)>::new()));
    };
    let mut merged = pairs_of(&first)?;
    for map in maps {
        merged = merge(merged, pairs_of(&map)?, recursive, lists)?;
    }
    Ok(Native::from_pairs(merged))
}

pub(super) fn merge(
    mut low: Vec<(Native, Native)>,
    high: Vec<(Native, Native)>,
    recursive: bool,
    lists: Lists,
) -> Result<Vec<(Native, Native)>, Error> {
    for (key, value) in high {
        let Some((_, old)) = low.iter_mut().find(|(other, _)| *other == key) else {
            low.push((key, value));
            continue;
        };
        let list = |value: &Native| matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
        if recursive && old.kind() == ValueKind::Map && value.kind() == ValueKind::Map {
            *old = Native::from_pairs(merge(pairs_of(old)?, pairs_of(&value)?, true, lists)?);
        } else if list(old) && list(&value) {
            *old = join(old, &value, lists)?;
        } else {
            *old = value;
        }
    }
    Ok(low)
}

fn join(old: &Native, new: &Native, lists: Lists) -> Result<Native, Error> {
    let (mut old_items, mut new_items) = (items_of(old)?, items_of(new)?);
    Ok(match lists {
        Lists::Replace => new.clone(),
        Lists::Keep => old.clone(),
        Lists::Append => {
            old_items.extend(new_items);
            Native::from(old_items)
        }
        Lists::Prepend => {
            new_items.extend(old_items);
            Native::from(new_items)
        }
        Lists::AppendUnique => {
            old_items.retain(|item| !new_items.contains(item));
            old_items.extend(new_items);
            Native::from(old_items)
        }
        Lists::PrependUnique => {
            old_items.retain(|item| !new_items.contains(item));
            new_items.extend(old_items);
            Native::from(new_items)
        }
    })
}

fn extract(
    _: &State,
    key: &Native,
    container: &Native,
    more: Option<Native>,
) -> Result<Native, Error> {
    let mut found = link(container, key)?;
    match more {
        Some(keys) if matches!(keys.kind(), ValueKind::Seq | ValueKind::Iterable) => {
            for key in items_of(&keys)? {
                found = link(&found, &key)?;
            }
        }
        Some(key) => found = link(&found, &key)?,
        None => {}
    }
    Ok(found)
}
