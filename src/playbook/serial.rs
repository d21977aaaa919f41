//! `serial`: in which batches the hosts of a play do it.

use std::sync::Arc;

use super::Play;
use super::fields::is_literal;
use super::parse::Reader;
use super::scope::Outside;
use crate::diagnostic::Diagnostic;
use crate::template::{Scope, Stop, Templates};
use crate::value::{Kind, Map, Value};

/// How many hosts a batch has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BatchSize {
    /// So many; 0 for all.
    Hosts(usize),
    /// So many of a hundred hosts of the play, at least one.
    Percent(f64),
}

impl BatchSize {
    /// The number of hosts, of `all` in the play.
    pub fn of(self, all: usize) -> usize {
        match self {
            BatchSize::Hosts(0) => all,
            BatchSize::Hosts(number) => number,
            BatchSize::Percent(percent) => (all as f64 * percent / 100.0) as usize,
        }
        .max(1)
    }

    fn parse(value: &Value) -> Option<BatchSize> {
        match &value.kind {
            Kind::Int(number) => usize::try_from(*number).ok().map(BatchSize::Hosts),
            Kind::Str(text) => match text.trim().strip_suffix('%') {
                Some(percent) => percent
                    .trim()
                    .parse()
                    .ok()
                    .filter(|percent| (0.0..=100.0).contains(percent))
                    .map(BatchSize::Percent),
                None => text.trim().parse().ok().map(BatchSize::Hosts),
            },
            _ => None,
        }
    }
}

fn wrong(value: &Value) -> Diagnostic {
    Diagnostic::at(
        &value.span,
        "`serial` is a number of hosts or a percentage, or a list of them",
    )
    .help("write `serial: 2`, `serial: \"30%\"` or `serial: [1, \"50%\"]`")
}

impl Reader {
    pub(super) fn serial(&mut self, value: &Value) -> Vec<Value> {
        let items = match &value.kind {
            Kind::Null => Vec::new(),
            Kind::List(items) => items.to_vec(),
            _ => vec![value.clone()],
        };
        for item in &items {
            if is_literal(item) && BatchSize::parse(item).is_none() {
                self.fault(wrong(item));
            }
        }
        items
    }

    pub(super) fn percentage(&mut self, value: &Value) -> Option<f64> {
        if value.is_null() {
            return None;
        }
        let number = percentage(value);
        if number.is_none() {
            let fault = "`max_fail_percentage` is a number from 0 to 100";
            self.fault(Diagnostic::at(&value.span, fault));
        }
        number
    }
}

/// A share of the hosts, from 0 to 100.
pub(super) fn percentage(value: &Value) -> Option<f64> {
    let number = match &value.kind {
        Kind::Int(number) => Some(*number as f64),
        Kind::Float(number) => Some(*number),
        Kind::Str(text) => text.trim().trim_end_matches('%').parse().ok(),
        _ => None,
    };
    number.filter(|number| (0.0..=100.0).contains(number))
}

/// The sizes of a play's batches. Templates can use what is known before any host is.
pub(super) fn sizes(
    play: &Play,
    extra: &Map,
    templates: &Templates,
) -> Result<Vec<BatchSize>, Diagnostic> {
    let scope: Arc<dyn Scope> = Arc::new(Outside::of(play, extra));
    let mut sizes = Vec::new();
    for value in &play.serial {
        let rendered = templates
            .render(value, &scope)
            .map_err(|stop| match stop {
                Stop::Fault(fault) => (*fault).help(
                    "`serial` is read before any host is known: it can use `-e`, and `vars` of the play",
                ),
                Stop::After(task) => {
                    Diagnostic::at(&value.span, format!("`serial` cannot wait for `{task}`"))
                }
            })?;
        match &rendered.kind {
            Kind::List(items) => {
                for item in items.iter() {
                    sizes.push(BatchSize::parse(item).ok_or_else(|| wrong(value))?);
                }
            }
            _ => sizes.push(BatchSize::parse(&rendered).ok_or_else(|| wrong(value))?),
        }
    }
    Ok(sizes)
}
