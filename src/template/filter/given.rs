//! The arguments of a filter, test or lookup: by position or by name, as Python takes them.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, ErrorKind, Value as Native};

use super::{expected, text_of};
use crate::diagnostic::nearest;
use crate::template::arguments::{Misuse, judged};
use crate::template::convert::fault;
use crate::template::python;

/// Arguments by their names. One that was given as `none` counts as left out.
pub(in crate::template) struct Given {
    names: &'static [&'static str],
    values: Vec<Option<Native>>,
}

impl Given {
    /// Reads arguments that may stand at the positions of `names`.
    ///
    /// # Errors
    /// Too many, one that is not known, or one given twice.
    pub(in crate::template) fn read(
        names: &'static [&'static str],
        args: &[Native],
        kwargs: &Kwargs,
    ) -> Result<Given, Error> {
        let misuse = misuse(names, args, kwargs);
        if let Some(end) = judged(misuse.as_ref()) {
            return Err(end);
        }
        if let Some(misuse) = misuse {
            return Err(fault(misuse.message));
        }
        let mut given = Given {
            names,
            values: args.iter().cloned().map(Some).collect(),
        };
        given.values.resize(names.len(), None);
        for name in kwargs.args() {
            if let Some(index) = names.iter().position(|known| *known == name) {
                given.values[index] = Some(kwargs.get::<Native>(name)?);
            }
        }
        for value in given.values.iter().flatten() {
            match value.kind() {
                ValueKind::Undefined => return Err(Error::from(ErrorKind::UndefinedError)),
                ValueKind::Invalid => return Err(python::invalid(value)),
                _ => {}
            }
        }
        Ok(given)
    }

    /// An argument, unless it is left out or `none`.
    pub(in crate::template) fn value(&self, name: &str) -> Option<&Native> {
        let index = self.names.iter().position(|known| *known == name);
        let index = index.expect("arguments are asked for by the names they were read with");
        self.values[index].as_ref().filter(|value| !value.is_none())
    }

    /// An argument that must be there.
    pub(in crate::template) fn need(&self, name: &str) -> Result<&Native, Error> {
        self.value(name)
            .ok_or_else(|| fault(format!("the argument `{name}` is missing")))
    }

    /// Text; numbers are taken as they are printed.
    pub(in crate::template) fn text(&self, name: &str) -> Result<Option<String>, Error> {
        self.value(name).map(text_of).transpose()
    }

    /// Text, or what stands for it.
    pub(in crate::template) fn text_or(&self, name: &str, other: &str) -> Result<String, Error> {
        Ok(self.text(name)?.unwrap_or_else(|| other.to_owned()))
    }

    /// Whether it is true, as Python sees it.
    pub(in crate::template) fn flag(&self, name: &str) -> bool {
        self.value(name).is_some_and(Native::is_true)
    }

    /// The same, true where it is left out.
    pub(in crate::template) fn flag_or_true(&self, name: &str) -> bool {
        self.value(name).is_none_or(Native::is_true)
    }

    /// A whole number.
    pub(in crate::template) fn whole(&self, name: &str) -> Result<Option<i64>, Error> {
        self.value(name).map(|value| whole(value, name)).transpose()
    }
}

/// What is wrong with the number of arguments, or with the names of some.
fn misuse(names: &[&str], args: &[Native], kwargs: &Kwargs) -> Option<Misuse> {
    if args.len() > names.len() {
        let message = match names {
            [] => "it takes no arguments".to_owned(),
            names => format!("too many arguments; it takes {}", listed(names)),
        };
        return Some(Misuse {
            message,
            argument: None,
        });
    }
    kwargs.args().find_map(|name| {
        let message = match names.iter().position(|known| *known == name) {
            Some(index) if index < args.len() => format!("`{name}` is given twice"),
            Some(_) => return None,
            None => match (nearest(name, names.iter().copied()), names) {
                (Some(near), _) => format!("no argument `{name}`; did you mean `{near}`?"),
                (None, []) => format!("no argument `{name}`; it takes none"),
                (None, names) => format!("no argument `{name}`; it takes {}", listed(names)),
            },
        };
        let argument = Some(name.to_owned());
        Some(Misuse { message, argument })
    })
}

/// A whole number, given as one.
pub(in crate::template) fn whole(value: &Native, name: &str) -> Result<i64, Error> {
    if value.kind() == ValueKind::Bool {
        return Ok(i64::from(value.is_true()));
    }
    value
        .as_i64()
        .filter(|_| value.is_integer())
        .ok_or_else(|| match expected("a whole number", value) {
            error if error.kind() == ErrorKind::InvalidOperation => fault(format!(
                "`{name}`: {}",
                error.detail().unwrap_or("expected a whole number")
            )),
            error => error,
        })
}

fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
