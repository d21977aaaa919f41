//! Values as text, the way Python prints them.

use std::fmt::{self, Write};

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value as Native};

use super::convert::{fault, to_native};
use crate::value::Value;

/// Python's `str`.
pub(super) fn text(value: &Native) -> Result<String, Error> {
    let mut out = String::new();
    write(&mut out, value, false, 0)?;
    Ok(out)
}

/// Python's `str` of a value, or its `repr` when `quoted`.
pub fn python(value: &Value, quoted: bool) -> String {
    let mut out = String::new();
    // A value of the user's files is neither undefined nor an error.
    let _ = write(&mut out, &to_native(value), quoted, 0);
    out
}

/// The error inside an invalid value.
pub(super) fn invalid(value: &Native) -> Error {
    // Iteration is where the engine hands the error out.
    match Native::from(vec![value.clone()])
        .try_iter()
        .ok()
        .and_then(|items| items.checked().next())
    {
        Some(Err(error)) => error,
        _ => fault("a value could not be made"),
    }
}

/// Writes Python's `str`, or its `repr` when `quoted`.
pub(super) fn write(
    out: &mut dyn Write,
    value: &Native,
    quoted: bool,
    depth: usize,
) -> Result<(), Error> {
    if depth > 100 {
        return Err(fault("a value is nested too deep"));
    }
    match value.kind() {
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::Invalid => Err(invalid(value)),
        ValueKind::None => put(out, "None"),
        ValueKind::Bool => put(out, if value.is_true() { "True" } else { "False" }),
        ValueKind::Number if value.is_integer() => Ok(write!(out, "{value}")?),
        ValueKind::Number => put(out, &float(f64::try_from(value.clone())?)),
        ValueKind::String => {
            let text = value.as_str().unwrap_or("");
            if quoted {
                quote(out, text).map_err(Error::from)
            } else {
                put(out, text)
            }
        }
        ValueKind::Seq | ValueKind::Iterable => {
            // Pairs and other tuples are lists, as in ansible-core 2.19.
            out.write_char('[')?;
            for (index, item) in value.try_iter()?.checked().enumerate() {
                if index > 0 {
                    put(out, ", ")?;
                }
                write(out, &item?, true, depth + 1)?;
            }
            Ok(out.write_char(']')?)
        }
        ValueKind::Map => {
            let pairs = value.as_object().and_then(|object| object.try_iter_pairs());
            put(out, "{")?;
            for (index, (key, item)) in pairs.into_iter().flatten().enumerate() {
                if index > 0 {
                    put(out, ", ")?;
                }
                write(out, &key, true, depth + 1)?;
                put(out, ": ")?;
                write(out, &item, true, depth + 1)?;
            }
            put(out, "}")
        }
        _ => Ok(write!(out, "{value}")?),
    }
}

fn put(out: &mut dyn Write, text: &str) -> Result<(), Error> {
    Ok(out.write_str(text)?)
}

/// Python's `repr` of a float: the shortest digits, an exponent when it is far from one.
pub(super) fn float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let size = number.abs();
    if size != 0.0 && !(1e-4..1e16).contains(&size) {
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = match exponent.strip_prefix('-') {
            Some(rest) => ('-', rest),
            None => ('+', exponent),
        };
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    format!("{number:?}")
}

/// Python's `repr` of a string.
fn quote(out: &mut dyn Write, text: &str) -> fmt::Result {
    let mark = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.write_char(mark)?;
    for c in text.chars() {
        match c {
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '\\' => out.write_str("\\\\")?,
            c if c == mark => write!(out, "\\{c}")?,
            c if (c as u32) < 0x20 || (0x7f..0xa0).contains(&(c as u32)) => {
                write!(out, "\\x{:02x}", c as u32)?;
            }
            c => out.write_char(c)?,
        }
    }
    out.write_char(mark)
}
