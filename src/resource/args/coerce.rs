//! Values in the types of their parameters, by Ansible's coercions.

use crate::diagnostic::{Diagnostic, list};
use crate::resource::{Param, ParamType};
use crate::value::{Kind as ValueKind, Value};

/// The value in the type of its parameter, or what is wrong with it.
pub(super) fn coerce(param: &Param, value: &Value) -> Result<Value, Box<Diagnostic>> {
    if value.is_null() {
        return Ok(value.clone());
    }
    let wrong = |wanted: &str| {
        Box::new(Diagnostic::at(
            &value.span,
            format!(
                "`{}` must be {wanted}, not {}{}",
                param.name,
                value.type_name(),
                value
                    .as_str()
                    .map(|text| format!(" `{text}`"))
                    .unwrap_or_default()
            ),
        ))
    };
    let kind = match param.ty {
        ParamType::Any | ParamType::Expression => return Ok(value.clone()),
        ParamType::Str | ParamType::Source => {
            ValueKind::Str(text(value).ok_or_else(|| wrong("text"))?.into())
        }
        ParamType::Path => ValueKind::Str(path(param, value, &wrong)?.into()),
        ParamType::Bool => ValueKind::Bool(boolean(value).ok_or_else(|| wrong("true or false"))?),
        ParamType::Int => ValueKind::Int(integer(value).ok_or_else(|| wrong("a whole number"))?),
        ParamType::Float => ValueKind::Float(float(value).ok_or_else(|| wrong("a number"))?),
        ParamType::Mode => ValueKind::Str(mode(value)?.into()),
        ParamType::List => ValueKind::List(std::sync::Arc::new(
            items(value).ok_or_else(|| wrong("a list"))?,
        )),
        ParamType::Choice(words) => {
            let word = text(value).ok_or_else(|| wrong("a word"))?;
            if !words.contains(&word.as_str()) {
                return Err(Box::new(
                    Diagnostic::at(&value.span, format!("`{}` cannot be `{word}`", param.name))
                        .nearest(&word, words.iter().copied())
                        .help(format!("it is one of {}", list(words.iter().copied()))),
                ));
            }
            ValueKind::Str(word.into())
        }
        ParamType::Map => match &value.kind {
            ValueKind::Map(_) => return Ok(value.clone()),
            _ => return Err(wrong("a mapping")),
        },
    };
    Ok(Value::new(kind, &value.span))
}

fn text(value: &Value) -> Option<String> {
    match &value.kind {
        ValueKind::Str(text) => Some(text.to_string()),
        ValueKind::Int(number) => Some(number.to_string()),
        ValueKind::Float(number) => Some(number.to_string()),
        ValueKind::Bool(true) => Some("True".to_owned()),
        ValueKind::Bool(false) => Some("False".to_owned()),
        _ => None,
    }
}

fn path(
    param: &Param,
    value: &Value,
    wrong: &dyn Fn(&str) -> Box<Diagnostic>,
) -> Result<String, Box<Diagnostic>> {
    let text = value.as_str().ok_or_else(|| wrong("a path"))?;
    if text.contains('\0') || text.is_empty() {
        return Err(wrong("a path"));
    }
    if !param.relative && !text.starts_with('/') && !text.starts_with('~') {
        return Err(Box::new(
            Diagnostic::at(&value.span, format!("the path `{text}` is relative"))
                .help("write an absolute path of the node, or one that begins with `~`"),
        ));
    }
    Ok(text.to_owned())
}

fn boolean(value: &Value) -> Option<bool> {
    match &value.kind {
        ValueKind::Bool(value) => Some(*value),
        ValueKind::Int(0) => Some(false),
        ValueKind::Int(1) => Some(true),
        ValueKind::Str(text) => match text.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Some(true),
            "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn integer(value: &Value) -> Option<i64> {
    match &value.kind {
        ValueKind::Int(number) => Some(*number),
        ValueKind::Float(number) if number.fract() == 0.0 => Some(*number as i64),
        ValueKind::Str(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn float(value: &Value) -> Option<f64> {
    match &value.kind {
        ValueKind::Int(number) => Some(*number as f64),
        ValueKind::Float(number) => Some(*number),
        ValueKind::Str(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn items(value: &Value) -> Option<Vec<Value>> {
    match &value.kind {
        ValueKind::List(list) => list
            .iter()
            .map(|item| text(item).map(|text| Value::str(&text, &item.span)))
            .collect(),
        ValueKind::Str(words) => Some(
            words
                .split(',')
                .map(str::trim)
                .filter(|word| !word.is_empty())
                .map(|word| Value::str(word, &value.span))
                .collect(),
        ),
        ValueKind::Int(_) | ValueKind::Float(_) => {
            Some(vec![Value::str(&text(value)?, &value.span)])
        }
        _ => None,
    }
}

/// Octal digits or symbolic text. A number must have been written in octal: `mode: 644` is the slip that
/// sets `-w----r-T` in Ansible, so it is refused with the spelling that was meant.
fn mode(value: &Value) -> Result<String, Box<Diagnostic>> {
    let bad = |help: String| {
        Box::new(Diagnostic::at(&value.span, "this is not a file mode".to_owned()).help(help))
    };
    let quoted =
        || bad("write it quoted, such as `'0644'`, or symbolic, such as `u=rw,go=r`".to_owned());
    match &value.kind {
        ValueKind::Int(number) => {
            let raw = value.span.text();
            let octal = raw.starts_with('0') || raw.parse::<i64>() != Ok(*number);
            if !octal {
                return Err(bad(format!(
                    "`{raw}` is a decimal number here, the mode {number:04o}; write `'0{raw}'` or `'{number:04o}'`"
                )));
            }
            match u32::try_from(*number) {
                Ok(bits) if bits <= 0o7777 => Ok(format!("{bits:04o}")),
                _ => Err(quoted()),
            }
        }
        ValueKind::Str(text) => {
            let digits = text.strip_prefix("0o").unwrap_or(text);
            if !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()) {
                return match u32::from_str_radix(digits, 8) {
                    Ok(bits) if bits <= 0o7777 => Ok(format!("{bits:04o}")),
                    _ => Err(quoted()),
                };
            }
            let clause = |clause: &str| {
                let at = clause.find(['+', '-', '=']);
                at.is_some_and(|at| {
                    clause[..at].chars().all(|c| "ugoa".contains(c))
                        && clause[at + 1..].chars().all(|c| "rwxXstugo".contains(c))
                })
            };
            // Kinds that copy nothing refuse `preserve` themselves.
            if &**text == "preserve" || (!text.is_empty() && text.split(',').all(clause)) {
                Ok(text.to_string())
            } else {
                Err(quoted())
            }
        }
        _ => Err(quoted()),
    }
}
