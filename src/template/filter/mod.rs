//! Ansible's filters, by theme. What minijinja brings with the same meaning is left to it.

mod address;
mod combine;
mod data;
mod encode;
mod format;
mod given;
mod hash;
mod ipaddr;
mod json;
mod keys;
mod list;
mod mac;
mod math;
mod network;
mod number;
mod password;
mod path;
mod python_regex;
mod random;
mod reach;
mod regexp;
mod set;
mod tables;
mod text;
mod time;
mod url;
mod words;
mod wrap;
mod yaml;

pub(super) use address::{Network, in_any};
pub(super) use combine::below;
pub(super) use given::Given;
pub(super) use hash::is_hash;
pub(super) use ipaddr::check as is_query;
pub(super) use list::crossed;
pub(super) use mac::check as is_hardware_query;
pub(super) use mac::parse as hardware_address;
pub use math::size;
pub(super) use network::is_merge;
pub(super) use password::{SALT, hash_password, is_password_hash};
pub(super) use python_regex::pattern;
pub(super) use random::Chance;
pub(super) use reach::GLOBAL_ALL_THE_SAME;
pub(super) use tables::{
    Sections, delimiter as csv_delimiter, ini as ini_sections, rows as csv_rows,
};
pub(super) use url::Url;

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value as Native};

use super::convert::{Omit, fault};
use super::known::kind_word;
use super::{python, slice};

/// Every filter, by its short name; each also has a full name in `ansible.builtin`, as Ansible's redirections give it.
pub(super) const NAMES: &[&str] = &[
    "abs",
    "accumulate",
    "attr",
    "b64decode",
    "b64encode",
    "basename",
    "batch",
    "bool",
    "capitalize",
    "center",
    "checksum",
    "cidr_merge",
    "combinations",
    "combine",
    "comment",
    "commonpath",
    "count",
    "counter",
    "crc32",
    "d",
    "default",
    "dict",
    "dict2items",
    "dict_kv",
    "dictsort",
    "difference",
    "dirname",
    "e",
    "escape",
    "extract",
    "fileglob",
    "filesizeformat",
    "first",
    "flatten",
    "float",
    "forceescape",
    "format",
    "from_csv",
    "from_ini",
    "from_json",
    "from_yaml",
    "from_yaml_all",
    "groupby",
    "groupby_as_dict",
    "hash",
    "human_readable",
    "human_to_bytes",
    "hwaddr",
    "indent",
    "int",
    "intersect",
    "ip4_hex",
    "ipaddr",
    "ipcut",
    "ipmath",
    "ipsubnet",
    "ipv4",
    "ipv6",
    "ipv6form",
    "ipwrap",
    "items",
    "items2dict",
    "join",
    "json_query",
    "keep_keys",
    "last",
    "length",
    "list",
    "lists_difference",
    "lists_intersect",
    "lists_mergeby",
    "lists_symmetric_difference",
    "lists_union",
    "log",
    "lower",
    "macaddr",
    "mandatory",
    "map",
    "max",
    "md5",
    "min",
    "network_in_network",
    "network_in_usable",
    "next_nth_usable",
    "normpath",
    "nthhost",
    "password_hash",
    "path_join",
    "permutations",
    "pow",
    "pprint",
    "previous_nth_usable",
    "product",
    "quote",
    "random",
    "random_mac",
    "reduce_on_network",
    "realpath",
    "regex_escape",
    "regex_findall",
    "regex_replace",
    "regex_search",
    "reject",
    "rejectattr",
    "rekey_on_member",
    "relpath",
    "remove_keys",
    "replace",
    "replace_keys",
    "reverse",
    "root",
    "round",
    "safe",
    "select",
    "selectattr",
    "sha1",
    "shuffle",
    "slaac",
    "slice",
    "sort",
    "split",
    "splitext",
    "strftime",
    "string",
    "striptags",
    "subelements",
    "sum",
    "symmetric_difference",
    "ternary",
    "title",
    "to_days",
    "to_hours",
    "to_ini",
    "to_json",
    "to_milliseconds",
    "to_minutes",
    "to_months",
    "to_nice_json",
    "to_nice_yaml",
    "to_seconds",
    "to_time_unit",
    "to_uuid",
    "to_weeks",
    "to_yaml",
    "to_years",
    "tojson",
    "trim",
    "truncate",
    "type_debug",
    "union",
    "unique",
    "upper",
    "urldecode",
    "urlencode",
    "urlsplit",
    "usable_range",
    "version_sort",
    "win_basename",
    "win_dirname",
    "win_splitdrive",
    "wordcount",
    "wordwrap",
    "xmlattr",
    "zip",
    "zip_longest",
];

/// Those of collections, which also have a full name there.
pub(super) const COLLECTIONS: &[(&str, &[&str])] = &[
    (
        "ansible.utils",
        &[
            "cidr_merge",
            "hwaddr",
            "ip4_hex",
            "ipaddr",
            "ipcut",
            "ipmath",
            "ipsubnet",
            "ipv4",
            "ipv6",
            "ipv6form",
            "ipwrap",
            "macaddr",
            "network_in_network",
            "network_in_usable",
            "next_nth_usable",
            "nthhost",
            "previous_nth_usable",
            "reduce_on_network",
            "slaac",
            "usable_range",
        ],
    ),
    (
        "community.general",
        &[
            "accumulate",
            "counter",
            "crc32",
            "dict",
            "dict_kv",
            "from_csv",
            "from_ini",
            "groupby_as_dict",
            "json_query",
            "keep_keys",
            "lists_difference",
            "lists_intersect",
            "lists_mergeby",
            "lists_symmetric_difference",
            "lists_union",
            "random_mac",
            "remove_keys",
            "replace_keys",
            "to_days",
            "to_hours",
            "to_ini",
            "to_milliseconds",
            "to_minutes",
            "to_months",
            "to_nice_yaml",
            "to_seconds",
            "to_time_unit",
            "to_weeks",
            "to_yaml",
            "to_years",
            "version_sort",
        ],
    ),
];

/// Enters all filters.
pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("__link", data::link);
    environment.add_filter("__slice", |value: &Native, bounds: &[Native]| {
        slice::link(value, bounds)
    });
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
    format::register(environment);
    hash::register(environment);
    path::register(environment);
    combine::register(environment);
    ipaddr::register(environment);
    keys::register(environment);
    mac::register(environment);
    math::register(environment);
    network::register(environment);
    password::register(environment);
    random::register(environment);
    tables::register(environment);
    time::register(environment);
    url::register(environment);
    words::register(environment);
    let of_core = NAMES.iter().map(|name| ("ansible.builtin", *name));
    let of_others = COLLECTIONS
        .iter()
        .flat_map(|(collection, names)| names.iter().map(move |name| (*collection, *name)));
    // Where the filters of addresses were before.
    let of_old = COLLECTIONS[0]
        .1
        .iter()
        .map(|name| ("ansible.netcommon", *name));
    for (collection, short) in of_core.chain(of_others).chain(of_old) {
        environment.add_filter(
            format!("{collection}.{short}"),
            move |state: &mut State, args: &[Native], kwargs: Kwargs| {
                state.apply_filter(short, &all_args(args, &kwargs)?)
            },
        );
    }
}

/// The arguments as another filter takes them, those with names last.
fn all_args(args: &[Native], kwargs: &Kwargs) -> Result<Vec<Native>, Error> {
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
    Ok(all)
}

/// Python's methods of strings, lists and dictionaries.
pub(super) fn method(
    state: &mut State<'_, '_>,
    value: &Native,
    method: &str,
    args: &[Native],
) -> Result<Native, Error> {
    if method == "__slice" {
        return slice::slice(value, args);
    }
    if let ("index", ValueKind::Seq, [wanted]) = (method, value.kind(), args) {
        let at = items_of(value)?.iter().position(|item| item == wanted);
        return at
            .map(Native::from)
            .ok_or_else(|| fault("the list does not hold that value"));
    }
    if let ("format", Some(pattern)) = (method, value.as_str()) {
        format::check_braces(pattern)?;
    }
    minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args)
}

/// Text as Python's `str` gives it; an error for something undefined.
fn text_of(value: &Native) -> Result<String, Error> {
    python::text(value)
}

/// The items of a list, the keys of a mapping, the characters of a text.
pub(super) fn items_of(value: &Native) -> Result<Vec<Native>, Error> {
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
pub(super) fn pairs_of(value: &Native) -> Result<Vec<(Native, Native)>, Error> {
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
