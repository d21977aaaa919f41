//! `first_found`: the first of many files that is there.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, Value as Native};

use super::Asked;
use crate::template::convert::fault;
use crate::template::filter::{Given, items_of, pairs_of};
use crate::template::python;

const OPTIONS: &[&str] = &["files", "paths", "skip"];

/// The folders beside a task or playbook that are looked at, besides the folder itself.
const FOLDERS: &[&str] = &["", "files", "templates", "vars"];

pub(super) fn first_found(
    asked: &Asked,
    terms: &[Native],
    kwargs: &Kwargs,
) -> Result<Vec<Native>, Error> {
    let mut options = Options::default();
    options.set(&Given::read(OPTIONS, &[], kwargs)?)?;
    let mut names = Vec::new();
    match terms {
        [] => names.extend(options.names(&options.files)),
        terms => options.terms(terms, &mut names, 0)?,
    }
    let around = asked.around()?;
    let mut looked = Vec::new();
    for name in &names {
        for folder in FOLDERS {
            for place in around.places(name, folder) {
                if place.exists() {
                    let path = std::path::absolute(&place).unwrap_or(place);
                    return Ok(vec![Native::from(path.display().to_string())]);
                }
                looked.push(format!("`{}`", place.display()));
            }
        }
    }
    if options.skip && around.awaited().is_none() {
        return Ok(Vec::new());
    }
    looked.dedup();
    asked.missing("file of the list", &looked)
}

#[derive(Default)]
struct Options {
    files: Vec<String>,
    paths: Vec<String>,
    skip: bool,
}

impl Options {
    /// Takes what is given; the rest stays.
    fn set(&mut self, given: &Given) -> Result<(), Error> {
        if let Some(files) = given.value("files") {
            self.files = split(files, &[',', ';'])?;
        }
        if let Some(paths) = given.value("paths") {
            self.paths = split(paths, &[',', ':', ';'])?;
        }
        if given.value("skip").is_some() {
            self.skip = given.flag("skip");
        }
        Ok(())
    }

    /// Names in each of the paths.
    fn names(&self, files: &[String]) -> Vec<String> {
        let below = |path: &String| {
            let path = path.trim_end_matches('/').to_owned();
            files.iter().map(move |file| format!("{path}/{file}"))
        };
        match self.paths.is_empty() {
            true => files.to_vec(),
            false => self.paths.iter().flat_map(below).collect(),
        }
    }

    fn terms(
        &mut self,
        terms: &[Native],
        names: &mut Vec<String>,
        depth: usize,
    ) -> Result<(), Error> {
        if depth > 20 {
            return Err(fault("the lists are nested too deep"));
        }
        for term in terms {
            match term.kind() {
                ValueKind::Map => {
                    let pairs = pairs_of(term)?.into_iter();
                    let pairs = pairs.map(|(key, value)| Ok((python::text(&key)?, value)));
                    let pairs = pairs.collect::<Result<Vec<_>, Error>>()?;
                    self.set(&Given::read(OPTIONS, &[], &Kwargs::from_iter(pairs))?)?;
                    names.extend(self.names(&self.files));
                }
                ValueKind::String => {
                    let files = split(term, &[',', ';'])?;
                    names.extend(self.names(&files));
                }
                ValueKind::Seq | ValueKind::Iterable => {
                    self.terms(&items_of(term)?, names, depth + 1)?;
                }
                _ => return Err(fault("a file is given as text, a list or a mapping")),
            }
        }
        Ok(())
    }
}

/// Texts with signs between them, or a list of such.
fn split(value: &Native, signs: &[char]) -> Result<Vec<String>, Error> {
    if let Some(text) = value.as_str() {
        let parts = text
            .split(signs)
            .map(str::trim)
            .filter(|part| !part.is_empty());
        return Ok(parts.map(str::to_owned).collect());
    }
    let mut all = Vec::new();
    for item in items_of(value)? {
        match item.as_str() {
            Some(_) => all.extend(split(&item, signs)?),
            None => return Err(fault("files and paths are given as text")),
        }
    }
    Ok(all)
}
