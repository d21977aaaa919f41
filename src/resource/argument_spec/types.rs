//! The types of arguments, and how Ansible converts values to them (`module_utils/common/validation.py` of ansible-core 2.19).

use std::sync::Arc;

use crate::source::{Source, Span};
use crate::template::{python, size};
use crate::value::{Entry, Kind, Map, Value, parse_yaml_one};

/// The names of all types.
pub const TYPES: &[&str] = &[
    "str", "int", "bool", "float", "list", "dict", "path", "raw", "json", "jsonarg", "bytes",
    "bits",
];

/// Words that mean true or false.
const TRUE: &[&str] = &["y", "yes", "on", "1", "true", "t"];
const FALSE: &[&str] = &["n", "no", "off", "0", "false", "f"];

/// The name of a value's type in Python.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value.kind {
        Kind::Null => "NoneType",
        Kind::Bool(_) => "bool",
        Kind::Int(_) => "int",
        Kind::Float(_) => "float",
        Kind::Str(_) => "str",
        Kind::List(_) => "list",
        Kind::Map(_) => "dict",
    }
}

/// The value as the type wants it, or why it cannot be.
pub(super) fn convert(ty: &str, value: &Value) -> Result<Value, String> {
    let no = |what: &str| {
        Err(format!(
            "<class '{}'> cannot be converted to {what}",
            type_of(value)
        ))
    };
    let of = |kind: Kind| Ok(Value::new(kind, &value.span));
    match (ty, &value.kind) {
        ("raw", _) | ("str" | "path", Kind::Str(_)) | ("list", Kind::List(_)) => Ok(value.clone()),
        ("dict", Kind::Map(_)) | ("int", Kind::Int(_) | Kind::Bool(_)) => Ok(value.clone()),
        ("float", Kind::Float(_)) | ("bool", Kind::Bool(_)) => Ok(value.clone()),
        ("str" | "path", Kind::Null) => of(Kind::Str("".into())),
        ("str" | "path", _) => of(Kind::Str(python(value, false).into())),
        ("int", _) => match whole(value) {
            Some(number) => of(Kind::Int(number)),
            None => Err(format!(
                "\"{}\" cannot be converted to an int",
                python(value, true)
            )),
        },
        ("float", _) => match float(value) {
            Some(number) => of(Kind::Float(number)),
            None => no("a float"),
        },
        ("bool", Kind::Str(_) | Kind::Int(_) | Kind::Float(_)) => match boolean(value) {
            Some(flag) => of(Kind::Bool(flag)),
            None => Err(format!(
                "The value '{}' is not a valid boolean. Valid booleans include: 1, {}, 0, {}",
                python(value, false),
                quoted(TRUE),
                quoted(FALSE),
            )),
        },
        ("bool", _) => no("a bool"),
        ("list", Kind::Str(text)) => {
            let items = text.split(',').map(|item| Value::str(item, &value.span));
            of(Kind::List(Arc::new(items.collect())))
        }
        ("list", Kind::Int(_) | Kind::Float(_) | Kind::Bool(_)) => {
            let item = Value::str(&python(value, false), &value.span);
            of(Kind::List(Arc::new(vec![item])))
        }
        ("list", _) => no("a list"),
        ("dict", Kind::Str(text)) => of(Kind::Map(Arc::new(mapping(text, &value.span)?))),
        ("dict", _) => no("a dict"),
        ("json" | "jsonarg", Kind::Str(text)) => of(Kind::Str(text.trim().into())),
        ("json" | "jsonarg", Kind::List(_) | Kind::Map(_)) => {
            of(Kind::Str(value.to_json().to_string().into()))
        }
        ("json" | "jsonarg", _) => no("a json string"),
        ("bytes" | "bits", _) => match size(&python(value, false), "", ty == "bits") {
            Ok(number) => of(Kind::Int(number)),
            Err(_) if ty == "bits" => no("a Bit value"),
            Err(_) => no("a Byte value"),
        },
        // What is no type is said of the specification.
        _ => Ok(value.clone()),
    }
}

fn quoted(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    words.join(", ")
}

fn boolean(value: &Value) -> Option<bool> {
    match &value.kind {
        Kind::Str(text) => {
            let word = text.trim().to_lowercase();
            let is = |words: &[&str]| words.contains(&word.as_str());
            is(TRUE).then_some(true).or(is(FALSE).then_some(false))
        }
        Kind::Int(number) => (0..=1).contains(number).then_some(*number == 1),
        Kind::Float(number) => [0.0, 1.0].contains(number).then_some(*number == 1.0),
        _ => None,
    }
}

/// A number without a fraction, also as text: `8e1` and `80.0` are 80.
fn whole(value: &Value) -> Option<i64> {
    if let Kind::Str(text) = &value.kind
        && let Ok(number) = text.trim().replace('_', "").parse()
    {
        return Some(number);
    }
    let number = match &value.kind {
        Kind::Str(_) | Kind::Float(_) => float(value)?,
        _ => return None,
    };
    let fits = number.fract() == 0.0 && number.abs() < 9.2e18;
    fits.then_some(number as i64)
}

fn float(value: &Value) -> Option<f64> {
    match &value.kind {
        Kind::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Kind::Int(number) => Some(*number as f64),
        Kind::Float(number) => Some(*number),
        Kind::Str(text) => text.trim().replace('_', "").parse().ok(),
        _ => None,
    }
}

/// A mapping that is written as text: JSON, as Python prints it, or `key=value` words.
pub(super) fn mapping(text: &str, span: &Span) -> Result<Map, String> {
    if text.starts_with('{') {
        let json = serde_json::from_str(text).ok();
        let read = json.map(|json: serde_json::Value| Value::from_json(&json, span));
        // What Python prints of a mapping is YAML too.
        let read = read.or_else(|| parse_yaml_one(&Source::new("<text>", text)).ok());
        return match read.map(|value| value.kind) {
            Some(Kind::Map(map)) => Ok(map.as_ref().clone()),
            _ => Err("unable to evaluate string as dictionary".to_owned()),
        };
    }
    if !text.contains('=') {
        return Err("dictionary requested, could not parse JSON or key=value".to_owned());
    }
    let pairs = words(text).into_iter().map(|word| {
        let (key, value) = word.split_once('=').ok_or_else(|| {
            "unable to evaluate string in the \"key=value\" format as dictionary".to_owned()
        })?;
        let value = Value::str(value, span);
        let key = Arc::from(key);
        Ok((
            key,
            Entry {
                key: span.clone(),
                value,
            },
        ))
    });
    pairs.collect()
}

/// Words between commas and spaces that no quotes hold together.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    let mut escaped = false;
    for c in text.trim().chars() {
        let word = words.last_mut().expect("there is always a word");
        if escaped {
            word.push(c);
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if quote == Some(c) {
            quote = None;
        } else if quote.is_none() && matches!(c, '\'' | '"') {
            quote = Some(c);
        } else if quote.is_none() && matches!(c, ',' | ' ') {
            words.push(String::new());
        } else {
            word.push(c);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether two values are equal in Python, where `1`, `1.0` and `True` are one.
pub(super) fn equal(one: &Value, other: &Value) -> bool {
    match (&one.kind, &other.kind) {
        (Kind::List(one), Kind::List(other)) => {
            one.len() == other.len() && one.iter().zip(other.iter()).all(|(a, b)| equal(a, b))
        }
        (Kind::Str(_), _) | (_, Kind::Str(_)) => one == other,
        _ => one == other || (float(one).is_some() && float(one) == float(other)),
    }
}
