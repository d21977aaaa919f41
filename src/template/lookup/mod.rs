//! Ansible's lookups: `lookup`, `query` and `q`.

mod command;
mod files;
mod found;
mod ini;
mod list;
mod names;
mod password;
mod real;
mod sequence;
mod words;

use std::path::PathBuf;
use std::sync::Arc;

use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, State, Value as Native};

use super::convert::fault;
use super::evaluation::{Carried, Evaluation, Halt, carry};
use super::filter::{Given, csv_delimiter, is_password_hash};
use super::surroundings::Surroundings;
use super::{check, current, python};
use crate::diagnostic::nearest;

/// Every lookup, by its short name.
pub(super) const NAMES: &[&str] = &[
    "cartesian",
    "csvfile",
    "dict",
    "env",
    "file",
    "fileglob",
    "first_found",
    "flattened",
    "indexed_items",
    "ini",
    "inventory_hostnames",
    "items",
    "lines",
    "list",
    "nested",
    "password",
    "pipe",
    "sequence",
    "subelements",
    "template",
    "together",
    "unvault",
    "varnames",
    "vars",
];

/// Those of collections, which also have a full name there.
pub(super) const COLLECTIONS: &[(&str, &[&str])] =
    &[("community.general", &["cartesian", "flattened"])];

/// Enters the functions.
pub(super) fn register(environment: &mut Environment<'static>) {
    for (name, wantlist) in [("lookup", false), ("query", true), ("q", true)] {
        environment.add_function(
            name,
            move |state: &mut State, args: &[Native], kwargs: Kwargs| {
                call(state, args, &kwargs, wantlist)
            },
        );
    }
    environment.add_function("undef", |args: &[Native], kwargs: Kwargs| {
        let given = Given::read(&["hint"], args, &kwargs)?;
        if let (Some(hint), Some(evaluation)) = (given.text("hint")?, current::evaluation()) {
            evaluation.hint(hint);
        }
        Ok::<_, Error>(Native::UNDEFINED)
    });
    environment.add_filter("fileglob", |value: &Native| {
        let text = python::text(value)?;
        files::glob(&Asked::now()?, &[Native::from(text)])
    });
    environment.add_filter("realpath", |value: &Native| {
        let text = python::text(value)?;
        // As in Python, a number is no path.
        match value.as_str() {
            Some(_) => real::path(&Asked::now()?, &text),
            None => Err(fault(format!("a path is text, not `{text}`"))),
        }
    });
}

/// Why something is not defined.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Hint(pub String);

/// Who asks: the evaluation under way and the controller around it.
struct Asked {
    /// None where options are only judged.
    evaluation: Option<Arc<Evaluation>>,
}

const OUTSIDE: &str = "lookups work in templates only";

impl Asked {
    fn now() -> Result<Asked, Error> {
        let evaluation = current::evaluation();
        Ok(Asked {
            evaluation: Some(evaluation.ok_or_else(|| fault(OUTSIDE))?),
        })
    }

    fn evaluation(&self) -> Result<&Arc<Evaluation>, Error> {
        self.evaluation.as_ref().ok_or_else(|| fault(OUTSIDE))
    }

    /// The controller's files; only tasks have them.
    fn around(&self) -> Result<&dyn Surroundings, Error> {
        self.evaluation()?.surroundings().ok_or_else(|| {
            fault("files of the controller are looked up by tasks only, not where a play says its hosts or how they are reached")
        })
    }

    /// The first of the places where a file is. One that an earlier task may still write is known after it.
    fn find(&self, name: &str, folders: &[&str]) -> Result<PathBuf, Error> {
        let around = self.around()?;
        let mut looked = Vec::new();
        for folder in folders {
            for place in around.places(name, folder) {
                if place.exists() {
                    return Ok(place);
                }
                looked.push(format!("`{}`", place.display()));
            }
        }
        self.missing(name, &looked)
    }

    fn missing<T>(&self, name: &str, looked: &[String]) -> Result<T, Error> {
        match self.around()?.awaited() {
            Some(task) => Err(carry(Halt::After(task))),
            None => Err(fault(format!(
                "there is no `{name}`; looked for {}",
                looked.join(", then ")
            ))),
        }
    }

    /// A text file.
    fn read(&self, path: &std::path::Path) -> Result<String, Error> {
        let source = self.around()?.read(path);
        source
            .map(|source| source.text().to_owned())
            .map_err(|why| fault(format!("`{}` cannot be read: {why}", path.display())))
    }
}

/// What a plan does not do is known in the apply.
fn in_the_apply(lookup: &str) -> Error {
    carry(Halt::After(format!("the lookup '{lookup}' in an apply")))
}

/// Reads the options of a lookup as it does itself, while they are judged: there it ends.
pub(super) fn judge(state: &mut State, name: &str, options: &Kwargs) -> Result<(), Error> {
    run(state, &Asked { evaluation: None }, name, &[], options).map(drop)
}

/// Whether a lookup takes that text as an option; what is not told of here depends on more than the text.
pub(super) fn literal(lookup: &str, option: &str, text: &str) -> Result<(), Error> {
    match (lookup, option) {
        ("password", "encrypt") if !text.is_empty() => is_password_hash(text),
        ("password", "length") => password::length(text).map(drop),
        ("csvfile", "col" | "keycol") => files::column(option, text).map(drop),
        ("csvfile", "delimiter") => csv_delimiter(text).map(drop),
        ("ini", "type") => ini::is_type(text),
        _ => Ok(()),
    }
}

/// Whether a lookup takes the options that a term sets in the older spelling, `key=value` behind words.
pub(super) fn term(lookup: &str, term: &str) -> Result<(), Error> {
    let options = match lookup {
        "csvfile" => files::CSV,
        "ini" => ini::OPTIONS,
        "password" => password::OPTIONS,
        _ => return Ok(()),
    };
    let set = words::read(term, options)?.set;
    for (number, (option, text)) in set.iter().enumerate() {
        // The last one counts.
        if set[number + 1..].iter().all(|(later, _)| later != option) {
            literal(lookup, option, text)?;
        }
    }
    Ok(())
}

/// Whether `errors` is one of its three words.
pub(super) fn is_lenient(errors: Option<&str>) -> Result<bool, Error> {
    match errors {
        None | Some("strict") => Ok(false),
        Some("ignore" | "warn") => Ok(true),
        Some(_) => Err(fault("`errors` is strict, warn or ignore")),
    }
}

fn call(
    state: &mut State,
    args: &[Native],
    kwargs: &Kwargs,
    wantlist: bool,
) -> Result<Native, Error> {
    let Some((name, terms)) = args.split_first() else {
        return Err(fault("the name of a lookup is missing"));
    };
    let name = python::text(name)?;
    let Some(short) = check::known(&name, NAMES, COLLECTIONS) else {
        let instead = super::refused::instead(super::refused::LOOKUPS, &name);
        return Err(fault(
            match (instead, nearest(&name, NAMES.iter().copied())) {
                (Some(instead), _) => format!("the lookup `{name}` is not supported: {instead}"),
                (None, Some(near)) => {
                    format!("the lookup `{name}` is not supported; did you mean `{near}`?")
                }
                (None, None) => format!("the lookup `{name}` is not supported"),
            },
        ));
    };
    let wantlist = kwargs.get::<Option<bool>>("wantlist")?.unwrap_or(wantlist);
    let errors = kwargs.get::<Option<String>>("errors")?;
    let lenient = is_lenient(errors.as_deref())?;
    // The lookup's own options are those that are left.
    let mut own = Vec::new();
    for key in kwargs.args() {
        if !matches!(key, "wantlist" | "errors") {
            own.push((key.to_owned(), kwargs.get::<Native>(key)?));
        }
    }
    let own = Kwargs::from_iter(own);
    for term in terms {
        match term.kind() {
            minijinja::value::ValueKind::Undefined => {
                return Err(Error::from(ErrorKind::UndefinedError));
            }
            minijinja::value::ValueKind::Invalid => return Err(python::invalid(term)),
            _ => {}
        }
    }
    let found = match run(state, &Asked::now()?, short, terms, &own) {
        Ok(found) => found,
        Err(error) if lenient && !stops(&error) => {
            return Ok(match wantlist {
                true => Native::from(Vec::<Native>::new()),
                false => Native::from(()),
            });
        }
        Err(error) => return Err(error),
    };
    Ok(match found.as_slice() {
        _ if wantlist => Native::from(found),
        [one] => one.clone(),
        many if !many.is_empty() && many.iter().all(|item| item.as_str().is_some()) => {
            let texts: Vec<&str> = many.iter().filter_map(Native::as_str).collect();
            Native::from(texts.join(","))
        }
        _ => Native::from(found),
    })
}

/// Whether an error is none of the lookup's own, so that nothing makes light of it.
fn stops(error: &Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<Carried>().is_some() {
            return true;
        }
        next = error.source();
    }
    error.kind() == ErrorKind::UndefinedError
}

fn run(
    state: &mut State,
    asked: &Asked,
    name: &str,
    terms: &[Native],
    kwargs: &Kwargs,
) -> Result<Vec<Native>, Error> {
    match name {
        "cartesian" | "nested" => list::nested(terms, kwargs),
        "csvfile" => files::csvfile(asked, terms, kwargs),
        "dict" => list::dict(terms, kwargs),
        "env" => names::env(asked, terms, kwargs),
        "file" => files::file(asked, terms, kwargs),
        "fileglob" => {
            Given::read(&[], &[], kwargs)?;
            files::glob(asked, terms)
        }
        "first_found" => found::first_found(asked, terms, kwargs),
        "flattened" => list::flattened(terms, kwargs),
        "indexed_items" => list::indexed_items(terms, kwargs),
        "ini" => ini::ini(asked, terms, kwargs),
        "inventory_hostnames" => names::inventory_hostnames(asked, terms, kwargs),
        "items" => list::items(terms, kwargs),
        "lines" => command::lines(asked, terms, kwargs),
        "list" => list::list(terms, kwargs),
        "password" => password::password(asked, terms, kwargs),
        "pipe" => command::pipe(asked, terms, kwargs),
        "sequence" => sequence::sequence(state, terms, kwargs),
        "subelements" => list::subelements(terms, kwargs),
        "template" => files::template(asked, terms, kwargs),
        "together" => list::together(terms, kwargs),
        "unvault" => files::unvault(asked, terms, kwargs),
        "varnames" => names::varnames(asked, terms, kwargs),
        "vars" => names::vars(asked, terms, kwargs),
        other => unreachable!("`{other}` is in the table of lookups"),
    }
}
