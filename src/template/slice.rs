//! Slices with Python's meaning: the engine's own count otherwise when they go backwards, and break on what is empty.

use std::ops::Range;

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value as Native};

use super::chain::{Chain, matching};
use super::convert::fault;
use super::python;
use super::scan::{Token, Word};

/// What turns `x[a:b:c]` into the call `x.__slice(a, b, c)`, and into a filter among the links of guarded chains.
pub(super) fn calls(
    text: &str,
    tokens: &[Token],
    guarded: &[Chain],
) -> Vec<(Range<usize>, &'static str)> {
    let mut edits = Vec::new();
    for open in 1..tokens.len() {
        let Some(parts) = parts(text, tokens, open) else {
            continue;
        };
        let linked = guarded
            .iter()
            .any(|chain| chain.links.iter().any(|link| link.start == open));
        let begin = if linked { "|__slice(" } else { ".__slice(" };
        edits.push((tokens[open].range.clone(), begin));
        for (index, part) in parts.windows(2).enumerate() {
            if index > 0 {
                edits.push((tokens[part[0]].range.clone(), ","));
            }
            if part[0] + 1 == part[1] {
                let at = tokens[part[0]].range.end;
                edits.push((at..at, "none"));
            }
        }
        let close = parts[parts.len() - 1];
        edits.push((tokens[close].range.clone(), ")"));
    }
    edits
}

/// Where a slice opens, its one or two colons, and where it closes; nothing when there is none at `open`.
pub(super) fn parts(text: &str, tokens: &[Token], open: usize) -> Option<Vec<usize>> {
    let before = tokens.get(open.checked_sub(1)?)?;
    let sliced = match before.word {
        Word::Name | Word::Text => true,
        Word::Sign => matches!(before.of(text), ")" | "]" | "}"),
        Word::Number => false,
    };
    if !sliced || tokens[open].of(text) != "[" {
        return None;
    }
    let close = matching(text, tokens, open)?;
    let mut parts = vec![open];
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().take(close).skip(open + 1) {
        match token.of(text) {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.checked_sub(1)?,
            ":" if depth == 0 => parts.push(index),
            _ => {}
        }
    }
    parts.push(close);
    matches!(parts.len(), 3 | 4).then_some(parts)
}

/// The slice of a text, a list or bytes: an error for all else, something undefined among it.
pub(super) fn slice(value: &Native, bounds: &[Native]) -> Result<Native, Error> {
    let bound = |index: usize| bounds.get(index).map_or(Ok(None), number);
    let (start, stop) = (bound(0)?, bound(1)?);
    let step = bound(2)?.unwrap_or(1);
    if step == 0 {
        return Err(fault("a slice has steps of 0"));
    }
    let at = |len| indices(start, stop, step, len);
    match value.kind() {
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::Invalid => Err(python::invalid(value)),
        ValueKind::String => {
            let chars: Vec<char> = value.as_str().unwrap_or_default().chars().collect();
            Ok(at(chars.len())
                .map(|at| chars[at])
                .collect::<String>()
                .into())
        }
        ValueKind::Bytes => {
            let bytes = value.as_bytes().unwrap_or_default();
            Ok(Native::from_bytes(
                at(bytes.len()).map(|at| bytes[at]).collect(),
            ))
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Vec<Native> = value.try_iter()?.checked().collect::<Result<_, _>>()?;
            Ok(at(items.len()).map(|at| items[at].clone()).collect())
        }
        kind => Err(fault(format!(
            "only texts and lists have slices, this is a {kind}"
        ))),
    }
}

/// The same for a link of a guarded chain, where nothing has no part.
pub(super) fn link(value: &Native, bounds: &[Native]) -> Result<Native, Error> {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Ok(Native::UNDEFINED),
        _ => slice(value, bounds),
    }
}

fn number(value: &Native) -> Result<Option<i128>, Error> {
    match value.kind() {
        ValueKind::None => Ok(None),
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::Bool => Ok(Some(i128::from(value.is_true()))),
        ValueKind::Number if value.is_integer() => Ok(Some(i128::try_from(value.clone())?)),
        kind => Err(fault(format!(
            "the bounds of a slice are whole numbers, this is a {kind}"
        ))),
    }
}

/// The places that a slice takes of so many, as Python's `slice.indices` counts them.
fn indices(
    start: Option<i128>,
    stop: Option<i128>,
    step: i128,
    len: usize,
) -> impl Iterator<Item = usize> {
    let len = len as i128;
    let (lower, upper) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let place = |bound: i128| {
        let from_start = if bound < 0 {
            bound.saturating_add(len)
        } else {
            bound
        };
        from_start.clamp(lower, upper)
    };
    let (first, last) = if step > 0 {
        (lower, upper)
    } else {
        (upper, lower)
    };
    let (start, stop) = (start.map_or(first, place), stop.map_or(last, place));
    std::iter::successors(Some(start), move |at| at.checked_add(step))
        .take_while(move |at| if step > 0 { *at < stop } else { *at > stop })
        .map(|at| at as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(start: Option<i128>, stop: Option<i128>, step: i128, len: usize) -> Vec<usize> {
        indices(start, stop, step, len).collect()
    }

    #[test]
    fn places_are_those_of_python() {
        // As `range(*slice(…).indices(len))` of CPython 3.13 gives them.
        assert_eq!(taken(None, None, -1, 0), [0; 0]);
        assert_eq!(taken(None, None, -1, 3), [2, 1, 0]);
        assert_eq!(taken(Some(2), Some(0), -1, 3), [2, 1]);
        assert_eq!(taken(Some(0), Some(1), -1, 2), [0; 0]);
        assert_eq!(taken(Some(-1), Some(-3), -1, 3), [2, 1]);
        assert_eq!(taken(Some(-9), Some(2), 1, 3), [0, 1]);
        assert_eq!(taken(Some(i128::MIN), Some(i128::MAX), i128::MAX, 3), [0]);
        assert_eq!(taken(Some(i128::MAX), Some(i128::MIN), i128::MIN, 3), [2]);
    }
}
