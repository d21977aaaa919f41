//! JSON, as Python writes it.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, Value as Native};

use crate::source::Span;
use crate::template::convert::{fault, own, to_native};
use crate::value::Value;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("to_json", |value: &Native, kwargs: Kwargs| {
        write(value, &kwargs, None, false)
    });
    environment.add_filter("to_nice_json", |value: &Native, kwargs: Kwargs| {
        write(value, &kwargs, Some(4), true)
    });
    environment.add_filter("from_json", read);
}

/// The value as JSON, places dropped.
pub(super) fn plain(value: &Native) -> Result<serde_json::Value, Error> {
    if value.kind() == ValueKind::Undefined {
        return Err(super::expected("a value", value));
    }
    Ok(own(value, &Span::synthetic("json"))?.to_json())
}

/// As Python's `json.dumps` gives it.
pub(super) fn text(value: &Native, indent: Option<usize>, sort: bool) -> Result<String, Error> {
    let mut style = Style {
        indent: indent.map(|width| width.min(100)),
        sort,
        ascii: true,
        out: String::new(),
    };
    style.value(&plain(value)?, 0);
    Ok(style.out)
}

fn write(
    value: &Native,
    kwargs: &Kwargs,
    indent: Option<usize>,
    sort: bool,
) -> Result<String, Error> {
    let indent = kwargs.get::<Option<usize>>("indent")?.or(indent);
    let sort = kwargs.get::<Option<bool>>("sort_keys")?.unwrap_or(sort);
    let ascii = kwargs.get::<Option<bool>>("ensure_ascii")?.unwrap_or(true);
    kwargs.assert_all_used()?;
    let mut style = Style {
        indent: indent.map(|width| width.min(100)),
        sort,
        ascii,
        out: String::new(),
    };
    style.value(&plain(value)?, 0);
    Ok(style.out)
}

struct Style {
    indent: Option<usize>,
    sort: bool,
    ascii: bool,
    out: String,
}

impl Style {
    fn value(&mut self, value: &serde_json::Value, depth: usize) {
        match value {
            serde_json::Value::Number(number) if number.is_f64() => {
                let number = number.as_f64().unwrap_or(f64::NAN);
                self.out.push_str(&crate::template::python::float(number));
            }
            serde_json::Value::String(text) => self.string(text),
            serde_json::Value::Array(items) if items.is_empty() => self.out.push_str("[]"),
            serde_json::Value::Array(items) => {
                self.out.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.separate(index, depth + 1);
                    self.value(item, depth + 1);
                }
                self.line(depth);
                self.out.push(']');
            }
            serde_json::Value::Object(map) if map.is_empty() => self.out.push_str("{}"),
            serde_json::Value::Object(map) => {
                let mut entries: Vec<_> = map.iter().collect();
                if self.sort {
                    entries.sort_by(|a, b| a.0.cmp(b.0));
                }
                self.out.push('{');
                for (index, (key, item)) in entries.into_iter().enumerate() {
                    self.separate(index, depth + 1);
                    self.string(key);
                    self.out.push_str(": ");
                    self.value(item, depth + 1);
                }
                self.line(depth);
                self.out.push('}');
            }
            other => self.out.push_str(&other.to_string()),
        }
    }

    fn separate(&mut self, index: usize, depth: usize) {
        if index > 0 {
            self.out
                .push_str(if self.indent.is_some() { "," } else { ", " });
        }
        self.line(depth);
    }

    fn line(&mut self, depth: usize) {
        if let Some(width) = self.indent {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(' ', width * depth));
        }
    }

    fn string(&mut self, text: &str) {
        let quoted = serde_json::Value::from(text).to_string();
        if !self.ascii {
            return self.out.push_str(&quoted);
        }
        let mut units = [0u16; 2];
        for c in quoted.chars() {
            if c.is_ascii() {
                self.out.push(c);
            } else {
                for unit in c.encode_utf16(&mut units) {
                    self.out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
}

fn read(value: &Native) -> Result<Native, Error> {
    let Some(text) = value.as_str() else {
        return Err(super::expected("text", value));
    };
    let json: serde_json::Value = serde_json::from_str(text).map_err(|error| {
        fault(format!(
            "not JSON: wrong at line {} column {}",
            error.line(),
            error.column()
        ))
    })?;
    Ok(to_native(&Value::from_json(
        &json,
        &Span::synthetic("json"),
    )))
}
