//! What a request sends: text, JSON or a form.

use super::super::http::Request;
use super::super::{Args, copy};
use crate::diagnostic::Diagnostic;
use crate::value::{Kind, Value};

/// Enters body and its type.
pub fn bind(args: &Args, request: &mut Request) -> Result<(), Diagnostic> {
    let Some(body) = args.get("body") else {
        return Ok(());
    };
    let text = match (args.str("body_format").unwrap_or("raw"), &body.kind) {
        ("json", kind) => {
            request.header("Content-Type", "application/json");
            match kind {
                Kind::Str(text) => text.to_string(),
                _ => copy::python_json(&body.to_json()),
            }
        }
        ("form-urlencoded", kind) => {
            request.header("Content-Type", "application/x-www-form-urlencoded");
            match kind {
                Kind::Str(text) => text.to_string(),
                _ => form(body).ok_or_else(|| {
                    Diagnostic::at(&body.span, "this is no form")
                        .help("a form is a mapping, or a list of pairs")
                })?,
            }
        }
        (_, Kind::Str(text)) => text.to_string(),
        (_, Kind::Map(_) | Kind::List(_)) => {
            return Err(
                Diagnostic::at(&body.span, "the body is a mapping or a list")
                    .help("say how to write it: `body_format: json`"),
            );
        }
        (_, _) => body.to_json().to_string(),
    };
    if text.contains('\0') {
        return Err(Diagnostic::at(&body.span, "the body holds a NUL byte"));
    }
    request.body = Some(text);
    Ok(())
}

/// A form as browsers send it; a name whose value is a list stands once for each of its items.
fn form(body: &Value) -> Option<String> {
    let mut pairs = Vec::new();
    match &body.kind {
        Kind::Map(map) => {
            for (name, entry) in map.iter() {
                enter(&mut pairs, name, &entry.value);
            }
        }
        Kind::List(items) => {
            for item in items.iter() {
                let [name, value] = item.as_list()? else {
                    return None;
                };
                enter(&mut pairs, &scalar(name), value);
            }
        }
        _ => return None,
    }
    Some(pairs.join("&"))
}

fn enter(pairs: &mut Vec<String>, name: &str, value: &Value) {
    let one = std::slice::from_ref(value);
    for value in value.as_list().unwrap_or(one) {
        pairs.push(format!("{}={}", encoded(name), encoded(&scalar(value))));
    }
}

fn scalar(value: &Value) -> String {
    match &value.kind {
        Kind::Str(text) => text.to_string(),
        Kind::Bool(true) => "True".to_owned(),
        Kind::Bool(false) => "False".to_owned(),
        Kind::Null => "None".to_owned(),
        _ => value.to_json().to_string(),
    }
}

/// As Python's `quote_plus`.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b' ' => "+".to_owned(),
            b if b.is_ascii_alphanumeric() || b"_.-~".contains(&b) => (b as char).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect()
}
