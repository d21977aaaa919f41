//! Values with spans: what the user wrote, and what templates made of it.

mod closed;
mod duration;
mod extra;
mod hide;
mod place;
mod yaml;

use std::sync::Arc;

use indexmap::IndexMap;

use crate::source::Span;

pub use closed::{
    closed_file, has_closed, is_closed, is_closed_file, opened, opened_value, variables,
};
pub use duration::parse_duration;
pub use extra::parse_extra;
pub use hide::{hide, hide_vars};
pub use place::place;
pub use yaml::meant as as_written;
pub use yaml::{is_plain_text, parse_closed_yaml, parse_vaulted_yaml, parse_yaml, parse_yaml_one};

/// A value and its place. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Value {
    /// What it is.
    pub kind: Kind,
    /// Where it stands; for the result of a template, where the template stands.
    pub span: Span,
}

/// What a value is. Plain scalars resolve as in PyYAML.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `null`, `~` or nothing.
    Null,
    /// `true`, `yes`, `on` …
    Bool(bool),
    /// Whole numbers; `0644` is octal.
    Int(i64),
    /// Other numbers.
    Float(f64),
    /// Text; from the user's files it may be a template.
    Str(Arc<str>),
    /// A sequence.
    List(Arc<Vec<Value>>),
    /// A mapping with text keys, in the order written.
    Map(Arc<Map>),
}

/// A mapping that knows the place of each key.
pub type Map = IndexMap<Arc<str>, Entry>;

/// One entry of a mapping.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where the key stands.
    pub key: Span,
    /// The value.
    pub value: Value,
}

/// Values are equal when they mean the same; places do not count.
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        self.kind == other.kind
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.value == other.value
    }
}

impl Value {
    /// A value at a place.
    pub fn new(kind: Kind, span: &Span) -> Value {
        Value {
            kind,
            span: span.clone(),
        }
    }

    /// Text at a place.
    pub fn str(text: &str, span: &Span) -> Value {
        Value::new(Kind::Str(text.into()), span)
    }

    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The entries, if it is a mapping.
    pub fn as_map(&self) -> Option<&Map> {
        match &self.kind {
            Kind::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The items, if it is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match &self.kind {
            Kind::List(list) => Some(list),
            _ => None,
        }
    }

    /// Whether it is nothing.
    pub fn is_null(&self) -> bool {
        self.kind == Kind::Null
    }

    /// What it is called in messages: `text`, `a list` …
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "a boolean",
            Kind::Int(_) => "a whole number",
            Kind::Float(_) => "a number",
            Kind::Str(_) => "text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }

    /// The value as JSON, for events and registered results. NaN and infinities become null.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.kind {
            Kind::Null => serde_json::Value::Null,
            Kind::Bool(value) => (*value).into(),
            Kind::Int(value) => (*value).into(),
            Kind::Float(value) => (*value).into(),
            Kind::Str(text) => text.as_ref().into(),
            Kind::List(items) => items.iter().map(Value::to_json).collect(),
            Kind::Map(map) => map
                .iter()
                .map(|(key, entry)| (key.to_string(), entry.value.to_json()))
                .collect(),
        }
    }

    /// JSON as a value; every part of it gets the one `span`.
    pub fn from_json(json: &serde_json::Value, span: &Span) -> Value {
        let kind = match json {
            serde_json::Value::Null => Kind::Null,
            serde_json::Value::Bool(value) => Kind::Bool(*value),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(whole) => Kind::Int(whole),
                None => Kind::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Kind::Str(text.as_str().into()),
            serde_json::Value::Array(items) => Kind::List(Arc::new(
                items
                    .iter()
                    .map(|item| Value::from_json(item, span))
                    .collect(),
            )),
            serde_json::Value::Object(map) => Kind::Map(Arc::new(
                map.iter()
                    .map(|(key, item)| {
                        let entry = Entry {
                            key: span.clone(),
                            value: Value::from_json(item, span),
                        };
                        (Arc::from(key.as_str()), entry)
                    })
                    .collect(),
            )),
        };
        Value::new(kind, span)
    }
}
