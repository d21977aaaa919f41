//! What is encrypted and not opened yet: variables of the inventory, which nobody may need.

use std::path::Path;
use std::sync::Arc;

use super::{Entry, Kind, Map, Value, hide, parse_vaulted_yaml};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::vault::{FileError, Keyring, read_source};

/// Stands before the text of a value that is still encrypted, and before the path of a whole file that is. No text of a user begins so.
const CLOSED: &str = "\u{f8ff}closed\u{f8ff}";

/// A value that is encrypted where it stands.
pub(super) fn value(text: &str) -> Kind {
    Kind::Str(format!("{CLOSED}{text}").into())
}

/// The variables of a whole file that is encrypted: nothing is known of them.
pub fn closed_file(path: &Path) -> Map {
    let span = Span::synthetic(&path.display().to_string());
    let name = format!("{CLOSED}{}", path.display());
    let value = Value::new(Kind::Null, &span);
    Map::from_iter([(name.into(), Entry { key: span, value })])
}

/// Whether a name stands for a file that is encrypted as a whole.
pub fn is_closed_file(name: &str) -> bool {
    name.starts_with(CLOSED)
}

/// Whether a part of a value is still encrypted.
pub fn is_closed(value: &Value) -> bool {
    match &value.kind {
        Kind::Str(text) => text.starts_with(CLOSED),
        Kind::List(items) => items.iter().any(is_closed),
        Kind::Map(map) => map.values().any(|entry| is_closed(&entry.value)),
        _ => false,
    }
}

/// Whether a part of some variables is still encrypted.
pub fn has_closed(vars: &Map) -> bool {
    vars.iter()
        .any(|(name, entry)| is_closed_file(name) || is_closed(&entry.value))
}

/// The variables with everything in them opened, and hidden from now on.
///
/// # Errors
/// What stays closed, at its place or with its file.
pub fn opened(vars: &Map, keyring: &Keyring) -> Result<Map, Vec<Diagnostic>> {
    let mut faults = Vec::new();
    let mut map = Map::new();
    for (name, entry) in vars {
        match name.strip_prefix(CLOSED) {
            Some(path) => match file(Path::new(path), keyring) {
                Ok(vars) => map.extend(vars.as_ref().clone()),
                Err(mut found) => faults.append(&mut found),
            },
            None => {
                let key = entry.key.clone();
                let value = open(&entry.value, keyring, &mut faults);
                map.insert(name.clone(), Entry { key, value });
            }
        }
    }
    match faults.is_empty() {
        true => Ok(map),
        false => Err(faults),
    }
}

/// A value with everything in it opened.
///
/// # Errors
/// What stays closed, at its place.
pub fn opened_value(value: &Value, keyring: &Keyring) -> Result<Value, Vec<Diagnostic>> {
    let mut faults = Vec::new();
    let opened = open(value, keyring, &mut faults);
    match faults.is_empty() {
        true => Ok(opened),
        false => Err(faults),
    }
}

fn open(value: &Value, keyring: &Keyring, faults: &mut Vec<Diagnostic>) -> Value {
    let kind = match &value.kind {
        Kind::Str(text) => match text.strip_prefix(CLOSED) {
            None => return value.clone(),
            Some(text) => match keyring.open_text(text) {
                Ok(secret) => Kind::Str(secret.reveal().into()),
                Err(why) => {
                    let fault = why.at(&first_line(&value.span));
                    // A password that is missing is missing for all values of the file.
                    if faults.iter().all(|said| said.message != fault.message) {
                        faults.push(fault);
                    }
                    Kind::Str("".into())
                }
            },
        },
        Kind::List(items) => {
            let items = items.iter().map(|item| open(item, keyring, faults));
            Kind::List(Arc::new(items.collect()))
        }
        Kind::Map(map) => {
            let entries = map.iter().map(|(name, entry)| {
                let key = entry.key.clone();
                let value = open(&entry.value, keyring, faults);
                (name.clone(), Entry { key, value })
            });
            Kind::Map(Arc::new(entries.collect()))
        }
        _ => return value.clone(),
    };
    Value::new(kind, &value.span)
}

/// Of the digits of a vault, the first line is enough to find it.
pub(super) fn first_line(span: &Span) -> Span {
    let first = span.text().split('\n').next().unwrap_or_default();
    Span::new(
        span.source(),
        span.start(),
        span.start() + first.len() as u32,
    )
}

/// A file of variables that is a vault.
fn file(path: &Path, keyring: &Keyring) -> Result<Arc<Map>, Vec<Diagnostic>> {
    let shown = path.display().to_string();
    let source = read_source(path, keyring).map_err(|error| {
        vec![match error {
            FileError::Closed(why) => why.of_file(&shown),
            other => Diagnostic::error(format!("cannot read `{shown}`: {other}")),
        }]
    })?;
    let value = parse_vaulted_yaml(&source, keyring)?;
    hide(&value, keyring);
    variables(value)
}

/// What a file of variables holds: a mapping, or nothing.
///
/// # Errors
/// It is something else.
pub fn variables(value: Value) -> Result<Arc<Map>, Vec<Diagnostic>> {
    match value.kind {
        Kind::Map(map) => Ok(map),
        Kind::Null => Ok(Arc::new(Map::new())),
        _ => Err(vec![
            Diagnostic::at(
                &value.span,
                format!(
                    "a file of variables is a mapping, not {}",
                    value.type_name()
                ),
            )
            .help("write `name: value`, one variable a line"),
        ]),
    }
}
