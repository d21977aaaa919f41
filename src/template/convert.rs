//! Our values as the engine's and back.

use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, Value as Native};

use super::python;
use crate::source::Span;
use crate::value::{Entry, Kind, Map, Value};

/// How deep a value may be nested.
const DEEPEST: usize = 100;

/// The text that stands for `omit` in a value: no file can hold it.
const OMIT: &str = "\0omit\0";

/// Whether a rendered value is `omit`: the argument is as if it had not been written.
pub fn is_omit(value: &Value) -> bool {
    matches!(&value.kind, Kind::Str(text) if text.as_ref() == OMIT)
}

/// `omit` inside templates.
#[derive(Debug)]
pub(super) struct Omit;

impl Object for Omit {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

/// A value as the engine's, templates in it left alone.
pub fn to_native(value: &Value) -> Native {
    match &value.kind {
        Kind::Null => Native::from(()),
        Kind::Bool(value) => Native::from(*value),
        Kind::Int(value) => Native::from(*value),
        Kind::Float(value) => Native::from(*value),
        Kind::Str(text) if text.as_ref() == OMIT => Native::from_object(Omit),
        Kind::Str(text) => Native::from(text.clone()),
        Kind::List(items) => items.iter().map(to_native).collect(),
        Kind::Map(map) => Native::from_pairs(
            map.iter()
                .map(|(key, entry)| (Native::from(key.clone()), to_native(&entry.value))),
        ),
    }
}

/// The engine's value as ours; each part gets the one place. Nothing undefined may be in it.
pub fn from_native(native: &Native, span: &Span) -> Result<Value, String> {
    own(native, span).map_err(|error| error.detail().unwrap_or("not a value").to_owned())
}

pub(super) fn own(native: &Native, span: &Span) -> Result<Value, Error> {
    nested(native, span, 0)
}

fn nested(native: &Native, span: &Span, depth: usize) -> Result<Value, Error> {
    if depth > DEEPEST {
        return Err(fault("a value is nested too deep"));
    }
    let kind = match native.kind() {
        ValueKind::Undefined => return Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::None => Kind::Null,
        ValueKind::Bool => Kind::Bool(native.is_true()),
        ValueKind::Number => number(native)?,
        ValueKind::String => Kind::Str(native.to_str().expect("a string is text")),
        ValueKind::Bytes => {
            Kind::Str(String::from_utf8_lossy(native.as_bytes().unwrap_or(&[])).into())
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let mut items = Vec::new();
            for item in native.try_iter()?.checked() {
                let item = nested(&item?, span, depth + 1)?;
                if !is_omit(&item) {
                    items.push(item);
                }
            }
            Kind::List(Arc::new(items))
        }
        ValueKind::Map => mapping(native, span, depth)?,
        ValueKind::Invalid => return Err(python::invalid(native)),
        _ if native.downcast_object_ref::<Omit>().is_some() => Kind::Str(OMIT.into()),
        _ => {
            return Err(fault(
                "the expression gives a function or macro, not a value",
            ));
        }
    };
    Ok(Value::new(kind, span))
}

fn mapping(native: &Native, span: &Span, depth: usize) -> Result<Kind, Error> {
    let mut map = Map::new();
    let pairs = native
        .as_object()
        .and_then(|object| object.try_iter_pairs())
        .ok_or_else(|| fault("a mapping cannot be read"))?;
    for (key, value) in pairs {
        let value = nested(&value, span, depth + 1)?;
        if !is_omit(&value) {
            let name: Arc<str> = match key.to_str() {
                Some(text) => text,
                None => python::text(&key)?.into(),
            };
            let key = span.clone();
            map.insert(name, Entry { key, value });
        }
    }
    Ok(Kind::Map(Arc::new(map)))
}

fn number(native: &Native) -> Result<Kind, Error> {
    if native.is_integer() {
        return native
            .as_i64()
            .map(Kind::Int)
            .ok_or_else(|| fault("a whole number is beyond 64 bits"));
    }
    f64::try_from(native.clone()).map(Kind::Float)
}

/// The boolean, if it is one.
pub(super) fn boolean(native: &Native) -> Option<bool> {
    (native.kind() == ValueKind::Bool).then(|| native.is_true())
}

pub(super) fn fault(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}
