//! YAML, as PyYAML writes and reads it.

use minijinja::value::Kwargs;
use minijinja::{Environment, Error, Value as Native};
use serde_json::Value as Json;

use super::json::plain;
use crate::source::Source;
use crate::template::convert::{fault, to_native};
use crate::template::python;
use crate::value::{Kind, is_plain_text, parse_yaml, parse_yaml_one};

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("to_yaml", |value: &Native, kwargs: Kwargs| {
        write(value, &kwargs, 2, true)
    });
    environment.add_filter("to_nice_yaml", |value: &Native, kwargs: Kwargs| {
        write(value, &kwargs, 4, false)
    });
    environment.add_filter("from_yaml", |value: &Native| read(value, false));
    environment.add_filter("from_yaml_all", |value: &Native| read(value, true));
}

fn write(value: &Native, kwargs: &Kwargs, indent: usize, flow: bool) -> Result<String, Error> {
    let indent = kwargs.get::<Option<usize>>("indent")?.unwrap_or(indent);
    let width = kwargs.get::<Option<usize>>("width")?;
    let sort = kwargs.get::<Option<bool>>("sort_keys")?.unwrap_or(true);
    let flow = match kwargs.get::<Option<bool>>("default_flow_style")? {
        Some(true) => {
            return Err(fault(
                "`default_flow_style=true` is not supported; use `to_json`",
            ));
        }
        Some(false) => false,
        None => flow,
    };
    kwargs.assert_all_used()?;
    // Long lines are left whole: PyYAML would fold them at `width`, which changes nothing in the value.
    let _ = width;
    let mut style = Style {
        indent: indent.clamp(2, 9),
        flow,
        sort,
        out: String::new(),
    };
    style.top(&plain(value)?);
    Ok(style.out)
}

struct Style {
    indent: usize,
    /// Collections of scalars only stand on one line.
    flow: bool,
    sort: bool,
    out: String,
}

impl Style {
    fn top(&mut self, value: &Json) {
        if is_leaf(value) {
            self.out.push_str(&scalar(value, Some(0)));
        } else if self.flow && is_simple(value) {
            self.inline(value);
        } else {
            self.block(value, 0, false);
            return;
        }
        self.out.push('\n');
    }

    /// Writes a collection in block style; `open` when the cursor stands behind a `- ` already.
    fn block(&mut self, value: &Json, column: usize, open: bool) {
        let mut first = open;
        match value {
            Json::Array(items) => {
                for item in items {
                    self.pad(&mut first, column);
                    self.out.push_str("- ");
                    self.entry(item, column + 2, column, true);
                }
            }
            Json::Object(map) => {
                for (key, item) in self.entries(map) {
                    self.pad(&mut first, column);
                    self.out.push_str(&scalar(&Json::from(key), Some(column)));
                    self.out.push(':');
                    self.entry(item, column + self.indent, column, false);
                }
            }
            _ => {}
        }
    }

    fn entry(&mut self, item: &Json, column: usize, parent: usize, in_list: bool) {
        let leaf = is_leaf(item);
        if leaf || self.flow && is_simple(item) {
            if !in_list {
                self.out.push(' ');
            }
            if leaf {
                self.out.push_str(&scalar(item, Some(column)));
            } else {
                self.inline(item);
            }
            self.out.push('\n');
        } else if in_list {
            // PyYAML lines the content up with the indent, not with the dash.
            self.out
                .push_str(&" ".repeat(self.indent.saturating_sub(2)));
            self.block(item, parent + self.indent, true);
        } else {
            self.out.push('\n');
            let column = if item.is_array() { parent } else { column };
            self.block(item, column, false);
        }
    }

    fn pad(&mut self, first: &mut bool, column: usize) {
        if !std::mem::take(first) {
            self.out.push_str(&" ".repeat(column));
        }
    }

    fn inline(&mut self, value: &Json) {
        match value {
            Json::Array(items) => {
                self.out.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.out.push_str(if index > 0 { ", " } else { "" });
                    self.out.push_str(&scalar(item, None));
                }
                self.out.push(']');
            }
            Json::Object(map) => {
                self.out.push('{');
                for (index, (key, item)) in self.entries(map).into_iter().enumerate() {
                    self.out.push_str(if index > 0 { ", " } else { "" });
                    self.out.push_str(&scalar(&Json::from(key), None));
                    self.out.push_str(": ");
                    self.out.push_str(&scalar(item, None));
                }
                self.out.push('}');
            }
            _ => {}
        }
    }

    fn entries<'j>(&self, map: &'j serde_json::Map<String, Json>) -> Vec<(&'j str, &'j Json)> {
        let mut entries: Vec<_> = map.iter().map(|(key, item)| (key.as_str(), item)).collect();
        if self.sort {
            entries.sort_by(|a, b| a.0.cmp(b.0));
        }
        entries
    }
}

/// What stands on the line of its key.
fn is_leaf(value: &Json) -> bool {
    match value {
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.is_empty(),
        _ => true,
    }
}

fn is_simple(value: &Json) -> bool {
    match value {
        Json::Array(items) => items
            .iter()
            .all(|item| !item.is_array() && !item.is_object()),
        Json::Object(map) => map
            .values()
            .all(|item| !item.is_array() && !item.is_object()),
        _ => true,
    }
}

/// A leaf; `column` is where its lines go on, none inside brackets.
fn scalar(value: &Json, column: Option<usize>) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(value) => value.to_string(),
        Json::Number(number) if number.is_f64() => float(number.as_f64().unwrap_or(f64::NAN)),
        Json::Number(number) => number.to_string(),
        Json::String(text) => string(text, column),
        Json::Array(_) => "[]".to_owned(),
        Json::Object(_) => "{}".to_owned(),
    }
}

/// A YAML 1.1 reader wants a dot before the exponent.
fn float(number: f64) -> String {
    let text = python::float(number);
    match text.split_once('e') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0e{exponent}"),
        _ => text,
    }
}

/// Plain where a YAML 1.1 reader takes it for text, else in single quotes, else with escapes.
fn string(text: &str, column: Option<usize>) -> String {
    let escapes = text
        .chars()
        .any(|c| c != '\n' && c.is_control() || c == '\u{feff}');
    if escapes
        || text.contains('\n')
            && text
                .split('\n')
                .any(|line| line.starts_with(' ') || line.ends_with(' '))
    {
        return serde_json::Value::from(text).to_string();
    }
    if is_plain_text(text, column.is_none()) {
        return text.to_owned();
    }
    let quoted = text.replace('\'', "''");
    // In quotes a run of line breaks has one more, and what follows is indented.
    let indent = " ".repeat(column.unwrap_or(0));
    let mut broken = String::with_capacity(quoted.len());
    let mut rest = quoted.as_str();
    while let Some(at) = rest.find('\n') {
        let behind = rest[at..].trim_start_matches('\n');
        let breaks = rest.len() - at - behind.len();
        broken.push_str(&rest[..at]);
        broken.push_str(&"\n".repeat(breaks + 1));
        broken.push_str(&indent);
        rest = behind;
    }
    broken.push_str(rest);
    format!("'{broken}'")
}

fn read(value: &Native, all: bool) -> Result<Native, Error> {
    let Some(text) = value.as_str() else {
        return if all && value.is_none() {
            Ok(Native::from(Vec::<Native>::new()))
        } else if all {
            Err(super::expected("text", value))
        } else {
            Ok(value.clone())
        };
    };
    let source = Source::new("from_yaml", text);
    let wrong = |faults: Vec<crate::diagnostic::Diagnostic>| {
        // The text may be secret: its lines are not shown, only where it is wrong.
        let line = faults
            .first()
            .and_then(|fault| fault.span.as_ref())
            .map_or(1, |span| span.line());
        fault(format!("not YAML: wrong at line {line}"))
    };
    if all {
        let documents = parse_yaml(&source).map_err(wrong)?;
        return Ok(documents.iter().map(to_native).collect());
    }
    let value = parse_yaml_one(&source).map_err(wrong)?;
    Ok(match value.kind {
        Kind::Null => Native::from(()),
        _ => to_native(&value),
    })
}
