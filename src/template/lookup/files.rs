//! Lookups of the controller's files: `file`, `unvault`, `template`, `fileglob`, `csvfile`.

use std::path::PathBuf;
use std::sync::Arc;

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, Value as Native};

use super::{Asked, words};
use crate::resource::RenderOptions;
use crate::template::convert::fault;
use crate::template::evaluation::carry;
use crate::template::filter::{Given, csv_delimiter, csv_rows, pairs_of};
use crate::template::surroundings::Surroundings;
use crate::template::{Lookup, Scope, python};

pub(super) fn file(asked: &Asked, terms: &[Native], kwargs: &Kwargs) -> Result<Vec<Native>, Error> {
    let given = Given::read(&["lstrip", "rstrip"], &[], kwargs)?;
    let mut found = Vec::new();
    for term in terms {
        let path = asked.find(&python::text(term)?, &["files"])?;
        let text = asked.read(&path)?;
        let mut text = text.as_str();
        if given.flag("lstrip") {
            text = text.trim_start();
        }
        if given.flag_or_true("rstrip") {
            text = text.trim_end();
        }
        found.push(Native::from(text));
    }
    Ok(found)
}

pub(super) fn unvault(
    asked: &Asked,
    terms: &[Native],
    kwargs: &Kwargs,
) -> Result<Vec<Native>, Error> {
    Given::read(&[], &[], kwargs)?;
    let read = |term: &Native| {
        let path = asked.find(&python::text(term)?, &["files"])?;
        asked.read(&path).map(Native::from)
    };
    terms.iter().map(read).collect()
}

/// Regular files that a pattern matches: below a folder that is searched for, or in the first that holds any.
pub(super) fn glob(asked: &Asked, terms: &[Native]) -> Result<Vec<Native>, Error> {
    let around = asked.around()?;
    let mut found = Vec::new();
    for term in terms {
        let term = python::text(term)?;
        let (folder, pattern) = term.rsplit_once('/').unwrap_or(("", &term));
        let folder = if term.starts_with('/') && folder.is_empty() {
            "/"
        } else {
            folder
        };
        let places: Vec<PathBuf> = match folder {
            "" => around.places(".", "files"),
            folder => around.places(folder, "files"),
        };
        let mut any = false;
        for place in places {
            let matches = matching(&place, pattern)?;
            if !matches.is_empty() {
                any = true;
                found.extend(matches.into_iter().map(Native::from));
                break;
            }
        }
        if let (false, Some(task)) = (any, around.awaited()) {
            return Err(carry(super::Halt::After(task)));
        }
    }
    Ok(found)
}

/// The files of a folder that a pattern of names matches, in order, with their full paths.
fn matching(folder: &std::path::Path, pattern: &str) -> Result<Vec<String>, Error> {
    // A task that is given one of them looks for it nowhere else.
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let Some(folder) = folder.to_str() else {
        return Err(fault("the name of a folder is not UTF-8 text"));
    };
    let folder = glob::Pattern::escape(folder.trim_end_matches('/'));
    let options = glob::MatchOptions {
        require_literal_leading_dot: true,
        require_literal_separator: true,
        ..glob::MatchOptions::new()
    };
    let paths = glob::glob_with(&format!("{folder}/{pattern}"), options)
        .map_err(|error| fault(format!("not a pattern of files: {}", error.msg)))?;
    let files = paths.flatten().filter(|path| path.is_file());
    Ok(files.map(|path| path.display().to_string()).collect())
}

pub(super) const CSV: &[&str] = &["col", "default", "delimiter", "file", "encoding", "keycol"];

/// The number of a column, given as an option of that name.
pub(super) fn column(name: &str, text: &str) -> Result<usize, Error> {
    text.parse::<usize>().map_err(|_| {
        fault(format!(
            "`{name}` is the number of a column, the first is 0"
        ))
    })
}

pub(super) fn csvfile(
    asked: &Asked,
    terms: &[Native],
    kwargs: &Kwargs,
) -> Result<Vec<Native>, Error> {
    let given = Given::read(CSV, &[], kwargs)?;
    if terms.is_empty() {
        return Err(fault("the key to search for is missing"));
    }
    let mut found = Vec::new();
    for term in terms {
        let term = words::read(&python::text(term)?, CSV)?;
        if term.plain.is_empty() {
            return Err(fault("the key to search for is missing"));
        }
        let set = |name: &str| term.set.iter().rev().find(|(key, _)| key == name);
        let option = |name: &str, other: &str| match set(name) {
            Some((_, value)) => Ok(value.clone()),
            None => given.text_or(name, other),
        };
        let column = |name: &str, other: &str| column(name, &option(name, other)?);
        let (key_column, column) = (column("keycol", "0")?, column("col", "1")?);
        let delimiter = csv_delimiter(&option("delimiter", "TAB")?)?;
        let path = asked.find(&option("file", "ansible.csv")?, &["files"])?;
        let rows = csv_rows(&asked.read(&path)?, delimiter, false)?;
        let row = rows
            .iter()
            .find(|row| row.get(key_column).is_some_and(|key| *key == term.plain));
        match row {
            Some(row) => match row.get(column) {
                Some(field) => found.push(Native::from(field.as_str())),
                None => return Err(fault("the row found has no column of that number")),
            },
            None => match (set("default"), given.value("default")) {
                (Some((_, value)), _) => found.push(Native::from(value.as_str())),
                (None, Some(value)) if value.kind() == ValueKind::Seq => {
                    found.extend(value.try_iter()?);
                }
                (None, Some(value)) => found.push(value.clone()),
                (None, None) => {}
            },
        }
    }
    Ok(found)
}

pub(super) fn template(
    asked: &Asked,
    terms: &[Native],
    kwargs: &Kwargs,
) -> Result<Vec<Native>, Error> {
    let names = &[
        "template_vars",
        "trim_blocks",
        "variable_start_string",
        "variable_end_string",
        "comment_start_string",
        "comment_end_string",
        "convert_data",
        "jinja2_native",
    ];
    let given = Given::read(names, &[], kwargs)?;
    let mut vars = Vec::new();
    if let Some(map) = given.value("template_vars") {
        for (key, value) in pairs_of(map)? {
            vars.push((python::text(&key)?, value));
        }
    }
    let markers = [
        given.text_or("variable_start_string", "{{")?,
        given.text_or("variable_end_string", "}}")?,
        "{%".to_owned(),
        "%}".to_owned(),
        given.text_or("comment_start_string", "{#")?,
        given.text_or("comment_end_string", "#}")?,
    ];
    let usual = markers
        .iter()
        .map(String::as_str)
        .eq(crate::template::scan::MARKERS);
    let options = RenderOptions {
        trim_blocks: given.flag_or_true("trim_blocks"),
        markers: (!usual).then(|| Arc::new(markers)),
        ..RenderOptions::default()
    };
    let mut found = Vec::new();
    for term in terms {
        let path = asked.find(&python::text(term)?, &["templates"])?;
        let source = asked.around()?.read(&path);
        let source =
            source.map_err(|why| fault(format!("`{}` cannot be read: {why}", path.display())))?;
        let scope: Arc<dyn Scope> = Arc::new(With {
            below: asked.evaluation()?.scope().clone(),
            vars: vars.clone(),
        });
        let text = asked
            .evaluation()?
            .within(&scope, |running| running.file(&source, &options))
            .map_err(carry)?;
        if source.is_sealed() {
            asked.around()?.hide(&text);
        }
        found.push(Native::from(text));
    }
    Ok(found)
}

/// A scope with some names over it.
struct With {
    below: Arc<dyn Scope>,
    vars: Vec<(String, Native)>,
}

impl Scope for With {
    fn lookup(&self, name: &str) -> Lookup {
        match self.vars.iter().find(|(known, _)| known == name) {
            Some((_, value)) => Lookup::Ready(value.clone()),
            None => self.below.lookup(name),
        }
    }

    fn names(&self) -> Vec<String> {
        let own = self.vars.iter().map(|(name, _)| name.clone());
        own.chain(self.below.names()).collect()
    }

    fn surroundings(&self) -> Option<&dyn Surroundings> {
        self.below.surroundings()
    }
}
