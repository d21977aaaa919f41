//! Ansible's tests: what stands behind `is`.

mod address;
mod files;
mod version;

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value as Native};

use super::convert::fault;
use super::filter::{Given, pattern};
use super::python;

pub(super) use version::loose;

/// Every test, by its short name.
pub(super) const NAMES: &[&str] = &[
    "abs",
    "all",
    "any",
    "boolean",
    "change",
    "changed",
    "contains",
    "defined",
    "directory",
    "divisibleby",
    "eq",
    "equalto",
    "even",
    "exists",
    "failed",
    "failure",
    "false",
    "falsy",
    "file",
    "filter",
    "float",
    "fqdn_valid",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "in_any_network",
    "in_network",
    "in_one_network",
    "integer",
    "ip",
    "ip_address",
    "ipv4",
    "ipv4_address",
    "ipv4_hostmask",
    "ipv4_netmask",
    "ipv6",
    "ipv6_address",
    "ipv6_ipv4_mapped",
    "ipv6_sixtofour",
    "ipv6_teredo",
    "is_abs",
    "is_dir",
    "is_file",
    "is_link",
    "is_mount",
    "is_same_file",
    "isnan",
    "issubset",
    "issuperset",
    "iterable",
    "le",
    "lessthan",
    "link",
    "link_exists",
    "loopback",
    "lower",
    "lt",
    "mac",
    "mapping",
    "match",
    "mount",
    "multicast",
    "nan",
    "ne",
    "none",
    "number",
    "odd",
    "private",
    "public",
    "reachable",
    "regex",
    "reserved",
    "same_file",
    "sameas",
    "search",
    "sequence",
    "skip",
    "skipped",
    "string",
    "subnet_of",
    "subset",
    "succeeded",
    "success",
    "successful",
    "supernet_of",
    "superset",
    "test",
    "timedout",
    "true",
    "truthy",
    "undefined",
    "unreachable",
    "unspecified",
    "upper",
    "uri",
    "url",
    "urn",
    "vaulted_file",
    "version",
    "version_compare",
];

/// Those of collections, which also have a full name there.
pub(super) const COLLECTIONS: &[(&str, &[&str])] = &[
    (
        "ansible.utils",
        &[
            "in_any_network",
            "in_network",
            "in_one_network",
            "ip",
            "ip_address",
            "ipv4",
            "ipv4_address",
            "ipv4_hostmask",
            "ipv4_netmask",
            "ipv6",
            "ipv6_address",
            "ipv6_ipv4_mapped",
            "ipv6_sixtofour",
            "ipv6_teredo",
            "loopback",
            "mac",
            "multicast",
            "private",
            "public",
            "reserved",
            "subnet_of",
            "supernet_of",
            "unspecified",
        ],
    ),
    ("community.general", &["fqdn_valid"]),
];

/// Enters all tests that minijinja does not bring.
pub(super) fn register(environment: &mut Environment<'static>) {
    for (names, key, wanted) in [
        (&["failed", "failure"][..], "failed", true),
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
    for name in ["changed", "change"] {
        add(environment, name, changed);
    }
    add(environment, "timedout", |value: &Native| {
        result(value, "timedout")?;
        let period = value.get_attr("timedout")?.get_attr("period");
        Ok::<_, Error>(period.is_ok_and(|period| period.is_true()))
    });
    add(environment, "contains", |list: &Native, item: &Native| {
        within(item, list)
    });
    for name in ["subset", "issubset"] {
        add(environment, name, |a: &Native, b: &Native| all_in(a, b));
    }
    for name in ["superset", "issuperset"] {
        add(environment, name, |a: &Native, b: &Native| all_in(b, a));
    }
    add(environment, "all", |value: &Native| {
        Ok::<_, Error>(items(value)?.iter().all(Native::is_true))
    });
    add(environment, "any", |value: &Native| {
        Ok::<_, Error>(items(value)?.iter().any(Native::is_true))
    });
    for name in ["nan", "isnan"] {
        add(environment, name, |value: &Native| {
            defined(value)?;
            let number = value.kind() == ValueKind::Number && !value.is_integer();
            Ok::<_, Error>(number && f64::try_from(value.clone()).is_ok_and(f64::is_nan))
        });
    }
    add(
        environment,
        "truthy",
        |v: &Native, args: &[Native], kwargs: Kwargs| truthy(v, args, &kwargs),
    );
    add(
        environment,
        "falsy",
        |v: &Native, args: &[Native], kwargs: Kwargs| truthy(v, args, &kwargs).map(|truth| !truth),
    );
    for (name, how) in [
        ("match", How::Match),
        ("search", How::Search),
        ("regex", How::Search),
    ] {
        add(
            environment,
            name,
            move |v: &Native, args: &[Native], kwargs: Kwargs| found(v, args, &kwargs, how),
        );
    }
    add(environment, "version", version::version);
    add(environment, "version_compare", version::version);
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
    // The engine's own divides by nothing.
    add(
        environment,
        "divisibleby",
        |value: &Native, other: &Native| {
            defined(value)?;
            let whole = |value: &Native| {
                let whole = value.as_i64().filter(|_| value.is_integer());
                whole.ok_or_else(|| fault("this test needs whole numbers"))
            };
            whole(value)?
                .checked_rem(whole(other)?)
                .map(|rest| rest == 0)
                .ok_or_else(|| fault("nothing is divisible by zero"))
        },
    );
    add(environment, "filter", |value: &Native| {
        Ok::<_, Error>(super::filter::NAMES.contains(&python::text(value)?.as_str()))
    });
    add(environment, "test", |value: &Native| {
        Ok::<_, Error>(NAMES.contains(&python::text(value)?.as_str()))
    });
    address::register(environment);
    files::register(environment);
}

fn add<F, Rv, Args>(environment: &mut Environment<'static>, name: &'static str, test: F)
where
    F: minijinja::functions::Function<Rv, Args> + Clone,
    Rv: minijinja::value::FunctionResult,
    Args: for<'a> minijinja::value::FunctionArgs<'a>,
{
    environment.add_test(format!("ansible.builtin.{name}"), test.clone());
    for (collection, names) in COLLECTIONS {
        if names.contains(&name) {
            environment.add_test(format!("{collection}.{name}"), test.clone());
        }
    }
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

/// Also of a loop's results, when none of its own is there.
fn changed(value: &Native) -> Result<bool, Error> {
    if result(value, "changed")? {
        return Ok(true);
    }
    if !value.get_attr("changed")?.is_undefined() {
        return Ok(false);
    }
    let results = value.get_attr("results")?;
    if results.kind() != ValueKind::Seq {
        return Ok(false);
    }
    for one in items(&results)? {
        if one.kind() == ValueKind::Map && one.get_attr("changed")?.is_true() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The items of a list, the keys of a mapping.
fn items(value: &Native) -> Result<Vec<Native>, Error> {
    defined(value)?;
    if !matches!(
        value.kind(),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map | ValueKind::String
    ) {
        return Err(fault("this test needs a list"));
    }
    value.try_iter()?.checked().collect()
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

fn truthy(value: &Native, args: &[Native], kwargs: &Kwargs) -> Result<bool, Error> {
    defined(value)?;
    let given = Given::read(&["convert_bool"], args, kwargs)?;
    if given.flag("convert_bool")
        && let Some(text) = value.as_str()
    {
        match text.trim().to_lowercase().as_str() {
            "yes" | "on" | "true" | "1" | "y" | "t" | "1.0" => return Ok(true),
            "no" | "off" | "false" | "0" | "n" | "f" | "0.0" => return Ok(false),
            _ => {}
        }
    }
    Ok(value.is_true())
}

#[derive(Clone, Copy)]
enum How {
    Match,
    Search,
}

fn found(value: &Native, args: &[Native], kwargs: &Kwargs, how: How) -> Result<bool, Error> {
    defined(value)?;
    let names = &["pattern", "ignorecase", "multiline", "match_type"];
    let given = Given::read(names, args, kwargs)?;
    let flags = (given.flag("ignorecase"), given.flag("multiline"));
    let text = python::text(value)?;
    let spelled = given.text_or("pattern", "")?;
    match (how, given.text_or("match_type", "search")?.as_str()) {
        (How::Match, _) | (_, "match") => {
            pattern(&format!("\\A(?:{spelled})"), flags)?.found(&text)
        }
        (_, "search") => pattern(&spelled, flags)?.found(&text),
        (_, "fullmatch") => pattern(&format!("\\A(?:{spelled})\\z"), flags)?.found(&text),
        _ => Err(fault("`match_type` is search, match or fullmatch")),
    }
}
