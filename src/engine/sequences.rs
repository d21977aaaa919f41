//! What the forms of `with_` go over: the lists that Ansible's lookups of these names make.

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::playbook::LoopKind;
use crate::source::Span;
use crate::value::{Entry, Kind, Map, Value};

/// The most numbers a sequence may have.
const LONGEST: u64 = 1_000_000;

/// The items of a rendered value.
pub(super) fn of(kind: LoopKind, value: &Value) -> Result<Vec<Value>, Diagnostic> {
    let wrong = |wanted: &str| {
        Diagnostic::at(
            &value.span,
            format!("a loop goes over {wanted}, not over {}", value.type_name()),
        )
        .help("make it a list, as with `| list`, or `| dict2items` for a mapping")
    };
    if kind == LoopKind::Dict {
        let map = value.as_map().ok_or_else(|| wrong("a mapping"))?;
        return Ok(map.iter().map(|(key, entry)| pair(key, entry)).collect());
    }
    if kind == LoopKind::Sequence {
        let items = value
            .as_list()
            .map_or_else(|| vec![value.clone()], <[_]>::to_vec);
        let mut numbers = Vec::new();
        for item in &items {
            numbers.extend(sequence(item)?);
        }
        return Ok(numbers);
    }
    let Some(items) = value.as_list() else {
        return match kind {
            LoopKind::Items | LoopKind::Flattened | LoopKind::Indexed => Ok(vec![value.clone()]),
            _ => Err(wrong("a list")),
        };
    };
    let list = |items: Vec<Value>| Value::new(Kind::List(Arc::new(items)), &value.span);
    Ok(match kind {
        LoopKind::Items => flat(items, 1),
        LoopKind::Flattened => flat(items, usize::MAX),
        LoopKind::Indexed => flat(items, 1)
            .into_iter()
            .enumerate()
            .map(|(index, item)| {
                let number = Value::new(Kind::Int(index as i64), &item.span);
                list(vec![number, item])
            })
            .collect(),
        LoopKind::Together => {
            let lists: Vec<&[Value]> = lists_of(items)?;
            let longest = lists.iter().map(|list| list.len()).max().unwrap_or(0);
            let none = Value::new(Kind::Null, &value.span);
            let row = |at: usize| {
                let cells = lists
                    .iter()
                    .map(|list| list.get(at).unwrap_or(&none).clone());
                list(cells.collect())
            };
            (0..longest).map(row).collect()
        }
        LoopKind::Nested => {
            let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
            for choices in lists_of(items)? {
                rows = rows
                    .iter()
                    .flat_map(|row| {
                        let longer = |choice: &Value| {
                            let more = [choice.clone()];
                            row.iter().cloned().chain(more).collect()
                        };
                        choices.iter().map(longer).collect::<Vec<Vec<Value>>>()
                    })
                    .collect();
            }
            rows.into_iter().map(|row| list(flat(&row, 1))).collect()
        }
        LoopKind::Subelements => subelements(items, &value.span)?,
        _ => items.to_vec(),
    })
}

fn lists_of(items: &[Value]) -> Result<Vec<&[Value]>, Diagnostic> {
    items
        .iter()
        .map(|item| {
            item.as_list().ok_or_else(|| {
                let message = format!("this must be a list, not {}", item.type_name());
                Diagnostic::at(&item.span, message).help("the loop goes over a list of lists")
            })
        })
        .collect()
}

fn flat(items: &[Value], depth: usize) -> Vec<Value> {
    items
        .iter()
        .flat_map(|item| match item.as_list() {
            Some(inner) if depth > 0 => flat(inner, depth - 1),
            _ => vec![item.clone()],
        })
        .collect()
}

/// `[ITEMS, 'path.of.a.list', {skip_missing: true}]`: each item with each of its list.
fn subelements(terms: &[Value], span: &Span) -> Result<Vec<Value>, Diagnostic> {
    let wrong = || {
        Diagnostic::at(
            span,
            "`with_subelements` takes a list, the name of a list in its items, and perhaps `{skip_missing: true}`",
        )
    };
    let [items, path, flags @ ..] = terms else {
        return Err(wrong());
    };
    let path = path.as_str().ok_or_else(wrong)?;
    let skips = flags
        .first()
        .and_then(Value::as_map)
        .and_then(|map| map.get("skip_missing"))
        .is_some_and(|entry| entry.value.kind == Kind::Bool(true));
    let elements: Vec<Value> = match &items.kind {
        Kind::List(items) => items.to_vec(),
        Kind::Map(map) => map.values().map(|entry| entry.value.clone()).collect(),
        _ => return Err(wrong()),
    };
    let mut found = Vec::new();
    for element in &elements {
        let mut inner = Some(element);
        for word in path.split('.') {
            let map = inner.and_then(Value::as_map);
            inner = map.and_then(|map| map.get(word)).map(|entry| &entry.value);
        }
        let Some(list) = inner.and_then(Value::as_list) else {
            if skips {
                continue;
            }
            return Err(
                Diagnostic::at(&element.span, format!("an item has no list `{path}`"))
                    .help("add `{skip_missing: true}` to pass it over"),
            );
        };
        for sub in list {
            let row = vec![element.clone(), sub.clone()];
            found.push(Value::new(Kind::List(Arc::new(row)), span));
        }
    }
    Ok(found)
}

/// `start=1 end=9 stride=2 format=x%02d`, `count=3`, or the short forms `5`, `2-8`, `2-8/2` and `4:x%02d`.
fn sequence(value: &Value) -> Result<Vec<Value>, Diagnostic> {
    let text = match &value.kind {
        Kind::Int(number) => number.to_string(),
        _ => value.as_str().unwrap_or_default().to_owned(),
    };
    let wrong = |why: &str| {
        Diagnostic::at(&value.span, format!("`{text}` is no sequence: {why}"))
            .help("write `start=1 end=5 stride=1 format=x%02d`, or `count=5`")
    };
    let number = |word: &str| -> Result<i64, Diagnostic> {
        let (digits, radix) = match word.strip_prefix("0x") {
            Some(digits) => (digits, 16),
            None => (word, 10),
        };
        i64::from_str_radix(digits, radix).map_err(|_| wrong(&format!("`{word}` is no number")))
    };
    let (mut start, mut end, mut count, mut stride) = (1, None, None, None);
    let mut format = "%d";
    if text.contains('=') {
        for word in text.split_whitespace() {
            match word.split_once('=') {
                Some(("start", it)) => start = number(it)?,
                Some(("end", it)) => end = Some(number(it)?),
                Some(("count", it)) => count = Some(number(it)?),
                Some(("stride", it)) => stride = Some(number(it)?),
                Some(("format", it)) => format = it,
                _ => return Err(wrong(&format!("`{word}` is unknown"))),
            }
        }
    } else {
        let mut rest = text.trim();
        if let Some((range, given)) = rest.split_once(':') {
            (rest, format) = (range, given);
        }
        if let Some((range, given)) = rest.split_once('/') {
            rest = range;
            stride = Some(number(given)?);
        }
        match rest.split_once('-') {
            Some((first, last)) => {
                start = number(first)?;
                end = Some(number(last)?);
            }
            None => end = Some(number(rest)?),
        }
    }
    let stride = stride.unwrap_or(1);
    let end = match (end, count) {
        (Some(end), None) => end,
        // Ansible: nothing, whatever the stride.
        (None, Some(0)) => return Ok(Vec::new()),
        (None, Some(count)) => start + count * stride - stride.signum(),
        _ => return Err(wrong("it needs `end` or `count`")),
    };
    if stride == 0 || (stride > 0 && end < start) || (stride < 0 && end > start) {
        return match stride {
            0 => Ok(Vec::new()),
            1.. => Err(wrong("to count backwards, make `stride` negative")),
            _ => Err(wrong("to count forwards, make `stride` positive")),
        };
    }
    if start.abs_diff(end) / stride.unsigned_abs() > LONGEST {
        return Err(wrong("it is too long"));
    }
    let mut numbers = Vec::new();
    let mut at = start;
    while (stride > 0 && at <= end) || (stride < 0 && at >= end) {
        let shown =
            written(format, at).ok_or_else(|| wrong("its `format` has no place for the number"))?;
        numbers.push(Value::str(&shown, &value.span));
        at += stride;
    }
    Ok(numbers)
}

/// A number in a format such as `x%02d`; of the conversions d, x, X and o.
fn written(format: &str, number: i64) -> Option<String> {
    let (before, rest) = format.split_once('%')?;
    let at = rest.find(|letter: char| letter.is_ascii_alphabetic())?;
    let (flags, behind) = rest.split_at(at);
    let width: usize = match flags.trim_start_matches('0') {
        "" => 0,
        digits => digits.parse().ok().filter(|width| *width < 100)?,
    };
    let zeros = flags.starts_with('0');
    let shown = match behind.chars().next()? {
        'd' | 'i' | 'u' => match zeros {
            true => format!("{number:0width$}"),
            false => format!("{number:width$}"),
        },
        'x' => match zeros {
            true => format!("{number:0width$x}"),
            false => format!("{number:width$x}"),
        },
        'X' => match zeros {
            true => format!("{number:0width$X}"),
            false => format!("{number:width$X}"),
        },
        'o' => match zeros {
            true => format!("{number:0width$o}"),
            false => format!("{number:width$o}"),
        },
        _ => return None,
    };
    Some(format!("{before}{shown}{}", &behind[1..]))
}

fn pair(key: &str, entry: &Entry) -> Value {
    let span = &entry.value.span;
    let map: Map = [
        ("key", Value::str(key, &entry.key)),
        ("value", entry.value.clone()),
    ]
    .into_iter()
    .map(|(name, value)| {
        let key = entry.key.clone();
        (Arc::from(name), Entry { key, value })
    })
    .collect();
    Value::new(Kind::Map(Arc::new(map)), span)
}
