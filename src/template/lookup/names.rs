//! Lookups of names: variables, the environment, hosts.

use minijinja::value::Kwargs;
use minijinja::{Error, ErrorKind, Value as Native};

use super::{Asked, Hint};
use crate::diagnostic::nearest;
use crate::template::convert::fault;
use crate::template::filter::{Given, pattern};
use crate::template::python;

/// The controller's environment.
pub(super) fn env(asked: &Asked, terms: &[Native], kwargs: &Kwargs) -> Result<Vec<Native>, Error> {
    let given = Given::read(&["default"], &[], kwargs)?;
    let variables = &asked.evaluation()?.engine().outside().variables;
    let mut found = Vec::new();
    for term in terms {
        let text = python::text(term)?;
        let Some(name) = text.split_whitespace().next() else {
            return Err(fault(
                "the name of a variable of the environment is missing",
            ));
        };
        found.push(match (variables.get(name), given.value("default")) {
            (Some(value), _) => Native::from(value.as_str()),
            (None, Some(default)) => default.clone(),
            (None, None) => Native::from(""),
        });
    }
    Ok(found)
}

/// Variables by names that are made up on the way.
pub(super) fn vars(asked: &Asked, terms: &[Native], kwargs: &Kwargs) -> Result<Vec<Native>, Error> {
    let given = Given::read(&["default"], &[], kwargs)?;
    let default = kwargs.has("default");
    let mut found = Vec::new();
    for term in terms {
        let Some(name) = term.as_str() else {
            return Err(fault("the name of a variable is text"));
        };
        match asked.evaluation()?.lookup(name) {
            Some(value) => found.push(value),
            None if default => {
                found.push(given.value("default").cloned().unwrap_or(Native::from(())));
            }
            None => {
                let names = asked.evaluation()?.names();
                let near = nearest(name, names.iter().map(String::as_str));
                let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                let hint = Hint(format!("no variable `{name}`{near}"));
                return Err(Error::from(ErrorKind::UndefinedError).with_source(hint));
            }
        }
    }
    Ok(found)
}

/// The names of variables that patterns are found in, in alphabetical order.
pub(super) fn varnames(
    asked: &Asked,
    terms: &[Native],
    kwargs: &Kwargs,
) -> Result<Vec<Native>, Error> {
    Given::read(&[], &[], kwargs)?;
    let mut names = asked.evaluation()?.names();
    names.sort();
    names.dedup();
    let mut found = Vec::new();
    for term in terms {
        let Some(text) = term.as_str() else {
            return Err(fault("a pattern of names is text"));
        };
        let wanted = pattern(text, (false, false))?;
        for name in &names {
            if wanted.found(name)? {
                found.push(Native::from(name.as_str()));
            }
        }
    }
    Ok(found)
}

/// The hosts of a pattern, as in `hosts` of a play.
pub(super) fn inventory_hostnames(
    asked: &Asked,
    terms: &[Native],
    kwargs: &Kwargs,
) -> Result<Vec<Native>, Error> {
    Given::read(&[], &[], kwargs)?;
    let patterns = terms
        .iter()
        .map(python::text)
        .collect::<Result<Vec<_>, _>>()?;
    let hosts = asked.around()?.hosts(&patterns.join(":"));
    Ok(hosts
        .map_err(fault)?
        .into_iter()
        .map(Native::from)
        .collect())
}
