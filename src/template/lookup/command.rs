//! `pipe` and `lines`: what a line of shell prints on the controller. A plan runs none.

use minijinja::value::Kwargs;
use minijinja::{Error, Value as Native};

use super::{Asked, in_the_apply};
use crate::template::convert::fault;
use crate::template::filter::Given;
use crate::template::python;

pub(super) fn pipe(asked: &Asked, terms: &[Native], kwargs: &Kwargs) -> Result<Vec<Native>, Error> {
    Given::read(&[], &[], kwargs)?;
    let said = |term| output(asked, "pipe", term).map(|text| Native::from(text.trim_end()));
    terms.iter().map(said).collect()
}

pub(super) fn lines(
    asked: &Asked,
    terms: &[Native],
    kwargs: &Kwargs,
) -> Result<Vec<Native>, Error> {
    Given::read(&[], &[], kwargs)?;
    let mut lines = Vec::new();
    for term in terms {
        let text = output(asked, "lines", term)?;
        lines.extend(text.lines().map(Native::from));
    }
    Ok(lines)
}

fn output(asked: &Asked, lookup: &str, term: &Native) -> Result<String, Error> {
    let around = asked.around()?;
    let command = python::text(term)?;
    if !around.acts() {
        return Err(in_the_apply(lookup));
    }
    let outside = asked.evaluation()?.engine().outside();
    let bytes = (outside.shell)(&command, &around.playbook())
        .map_err(|why| fault(format!("the lookup `{lookup}` failed: {why}")))?;
    String::from_utf8(bytes).map_err(|_| {
        fault(format!(
            "what the lookup `{lookup}` printed is not UTF-8 text"
        ))
    })
}
