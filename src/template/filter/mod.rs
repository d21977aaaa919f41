//! Ansible's filters, by theme. What minijinja brings with the same meaning is left to it.

mod data;
mod encode;
mod hash;
mod json;
mod list;
mod number;
mod path;
mod regexp;
mod set;
mod text;
mod yaml;

pub(super) use regexp::pattern;

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value as Native};

use super::convert::{Omit, fault};
use super::known::kind_word;
use super::python;

/// Every filter, by its short name; each also has Ansible's full one.
pub(super) const NAMES: &[&str] = &[
    "abs",
    "attr",
    "b64decode",
    "b64encode",
    "basename",
    "batch",
    "bool",
    "capitalize",
    "checksum",
    "combine",
    "comment",
    "count",
    "d",
    "default",
    "dict2items",
    "dictsort",
    "difference",
    "dirname",
    "extract",
    "first",
    "flatten",
    "float",
    "format",
    "from_json",
    "from_yaml",
    "from_yaml_all",
    "groupby",
    "hash",
    "indent",
    "int",
    "intersect",
    "items",
    "items2dict",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "mandatory",
    "map",
    "max",
    "md5",
    "min",
    "product",
    "quote",
    "regex_escape",
    "regex_findall",
    "regex_replace",
    "regex_search",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "sha1",
    "slice",
    "sort",
    "split",
    "splitext",
    "string",
    "sum",
    "symmetric_difference",
    "ternary",
    "title",
    "to_json",
    "to_nice_json",
    "to_nice_yaml",
    "to_yaml",
    "trim",
    "type_debug",
    "union",
    "unique",
    "upper",
    "urlencode",
    "wordwrap",
    "zip",
];

/// Enters all filters.
pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("__link", data::link);
    environment.add_global("omit", Native::from_object(Omit));
    environment.remove_global("debug");
    text::register(environment);
    regexp::register(environment);
    list::register(environment);
    set::register(environment);
    data::register(environment);
    number::register(environment);
    json::register(environment);
    yaml::register(environment);
    encode::register(environment);
    hash::register(environment);
    path::register(environment);
    for name in NAMES {
        let short = *name;
        environment.add_filter(
            format!("ansible.builtin.{short}"),
            move |state: &mut State, args: &[Native], kwargs: Kwargs| {
                let mut all = args.to_vec();
                let named: Vec<(String, Native)> = kwargs
                    .args()
                    .map(|key| {
                        kwargs
                            .get::<Native>(key)
                            .map(|value| (key.to_owned(), value))
                    })
                    .collect::<Result<_, _>>()?;
                if !named.is_empty() {
                    all.push(Kwargs::from_iter(named).into());
                }
                state.apply_filter(short, &all)
            },
        );
    }
}

/// Python's methods of strings, lists and dictionaries.
pub(super) fn method(
    state: &mut State<'_, '_>,
    value: &Native,
    method: &str,
    args: &[Native],
) -> Result<Native, Error> {
    if let ("index", ValueKind::Seq, [wanted]) = (method, value.kind(), args) {
        let at = items_of(value)?.iter().position(|item| item == wanted);
        return at
            .map(Native::from)
            .ok_or_else(|| fault("the list does not hold that value"));
    }
    minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args)
}

/// Text as Python's `str` gives it; an error for something undefined.
fn text_of(value: &Native) -> Result<String, Error> {
    python::text(value)
}

/// The items of a list, the keys of a mapping, the characters of a text.
fn items_of(value: &Native) -> Result<Vec<Native>, Error> {
    match value.kind() {
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::Invalid => Err(python::invalid(value)),
        ValueKind::None => Err(expected("a list", value)),
        _ => value
            .try_iter()
            .map_err(|_| expected("a list", value))?
            .checked()
            .collect(),
    }
}

/// The entries of a mapping.
fn pairs_of(value: &Native) -> Result<Vec<(Native, Native)>, Error> {
    match value.kind() {
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::Map => {
            let pairs: Vec<(Native, Native)> = value
                .as_object()
                .and_then(|object| object.try_iter_pairs())
                .into_iter()
                .flatten()
                .collect();
            match pairs
                .iter()
                .find(|(_, item)| item.kind() == ValueKind::Invalid)
            {
                Some((_, item)) => Err(python::invalid(item)),
                None => Ok(pairs),
            }
        }
        _ => Err(expected("a mapping", value)),
    }
}

/// A value of another type than the filter takes.
fn expected(wanted: &str, value: &Native) -> Error {
    match value.kind() {
        ValueKind::Undefined => Error::from(ErrorKind::UndefinedError),
        ValueKind::Invalid => python::invalid(value),
        _ => fault(format!("expected {wanted}, found {}", kind_word(value))),
    }
}

/// A part by a dotted path (`a.b.0`); undefined where there is none.
fn dotted(value: &Native, path: &str) -> Result<Native, Error> {
    let mut at = value.clone();
    for part in path.split('.') {
        if at.is_undefined() {
            return Ok(at);
        }
        at = match part.parse::<usize>() {
            Ok(index) if at.kind() != ValueKind::Map => at.get_item_by_index(index)?,
            _ => at.get_attr(part)?,
        };
        if at.kind() == ValueKind::Invalid {
            return Err(python::invalid(&at));
        }
    }
    Ok(at)
}
