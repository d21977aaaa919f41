//! `ini`: values of INI files and of properties.

use minijinja::value::Kwargs;
use minijinja::{Error, Value as Native};

use super::{Asked, words};
use crate::template::convert::fault;
use crate::template::filter::{Given, Sections, ini_sections, pattern};
use crate::template::python;

pub(super) const OPTIONS: &[&str] = &[
    "file",
    "section",
    "type",
    "re",
    "default",
    "case_sensitive",
    "encoding",
    "interpolation",
    "allow_no_value",
];

/// The section that properties are read as.
const PROPERTIES: &str = "java_properties";

/// Whether a kind of files is known.
pub(super) fn is_type(text: &str) -> Result<(), Error> {
    match text {
        "ini" | "properties" => Ok(()),
        _ => Err(fault("`type` is ini or properties")),
    }
}

pub(super) fn ini(asked: &Asked, terms: &[Native], kwargs: &Kwargs) -> Result<Vec<Native>, Error> {
    let given = Given::read(OPTIONS, &[], kwargs)?;
    let mut found = Vec::new();
    for term in terms {
        let term = words::read(&python::text(term)?, OPTIONS)?;
        let set = |name: &str| term.set.iter().rev().find(|(key, _)| key == name);
        let option = |name: &str, other: &str| match set(name) {
            Some((_, value)) => Ok(value.clone()),
            None => given.text_or(name, other),
        };
        let flag = |name: &str, other: bool| match set(name) {
            Some((_, value)) => {
                matches!(value.to_lowercase().as_str(), "true" | "yes" | "on" | "1")
            }
            None => given.value(name).map_or(other, Native::is_true),
        };
        let path = asked.find(&option("file", "ansible.ini")?, &["files"])?;
        let text = asked.read(&path)?;
        let cased = flag("case_sensitive", false);
        let kind = option("type", "ini")?;
        is_type(&kind)?;
        let (text, section) = match kind.as_str() {
            "ini" => (text, option("section", "global")?),
            _ => (format!("[{PROPERTIES}]\n{text}"), PROPERTIES.to_owned()),
        };
        let sections = ini_sections(&text, cased)?;
        let name = match cased {
            true => term.plain.clone(),
            false => term.plain.to_lowercase(),
        };
        if !sections.contains_key(&section) {
            return Err(fault(format!("there is no section `{section}`")));
        }
        let value = |key: &str| match flag("interpolation", true) {
            true => filled(&sections, &section, key, 0),
            false => Ok(raw(&sections, &section, key).map(str::to_owned)),
        };
        if flag("re", false) {
            let wanted = pattern(&name, (false, false))?;
            for key in sections[&section].keys() {
                if wanted.begins(key)? {
                    found.push(Native::from(value(key)?));
                }
            }
            continue;
        }
        match value(&name)? {
            Some(value) => found.push(Native::from(value)),
            None => match set("default") {
                Some((_, default)) => found.push(Native::from(default.as_str())),
                None => found.push(given.value("default").cloned().unwrap_or(Native::from(""))),
            },
        }
    }
    Ok(found)
}

/// So deep Python's configparser follows names.
const DEEPEST: usize = 10;
/// A value is no longer than this with all names filled in, in bytes.
const LONGEST: usize = 1 << 20;

fn too_long(value: &str) -> Result<(), Error> {
    match value.len() > LONGEST {
        true => Err(fault(
            "a value of this INI file is longer than 1 MiB with its names filled in",
        )),
        false => Ok(()),
    }
}

/// As it is written, in the section or in `DEFAULT`.
fn raw<'s>(sections: &'s Sections, section: &str, key: &str) -> Option<&'s str> {
    let own = sections.get(section)?;
    let found = own.get(key).or_else(|| sections.get("DEFAULT")?.get(key));
    found.map(String::as_str)
}

/// With `%(name)s` filled in.
fn filled(
    sections: &Sections,
    section: &str,
    key: &str,
    depth: usize,
) -> Result<Option<String>, Error> {
    if depth > DEEPEST {
        return Err(fault("names of this INI file need each other"));
    }
    let Some(text) = raw(sections, section, key) else {
        return Ok(None);
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        if let Some(tail) = behind.strip_prefix('%') {
            out.push('%');
            rest = tail;
            continue;
        }
        let inside = behind
            .strip_prefix('(')
            .and_then(|text| text.split_once(")s"));
        let Some((name, tail)) = inside else {
            return Err(fault(
                "a `%` of this INI file is neither `%%` nor `%(name)s`",
            ));
        };
        match filled(sections, section, &name.to_lowercase(), depth + 1)? {
            Some(value) => {
                out.push_str(&value);
                // Each name may stand several times in the value of the next: ten of them would fill any memory.
                too_long(&out)?;
            }
            None => return Err(fault("a `%(name)s` of this INI file names nothing")),
        }
        rest = tail;
    }
    out.push_str(rest);
    too_long(&out)?;
    Ok(Some(out))
}
