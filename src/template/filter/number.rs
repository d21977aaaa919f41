//! Numbers and booleans.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value as Native};

use super::expected;
use crate::template::convert::fault;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("bool", boolean);
    environment.add_filter("int", int);
    environment.add_filter("float", float);
    environment.add_filter("abs", abs);
    environment.add_filter("round", round);
}

/// Ansible's: yes, on, true and 1 are true; no, off, false, 0 and nothing are false; the rest is refused.
fn boolean(value: &Native) -> Result<bool, Error> {
    match value.kind() {
        ValueKind::Bool => Ok(value.is_true()),
        ValueKind::None => Ok(false),
        ValueKind::Number if *value == Native::from(1) => Ok(true),
        ValueKind::Number if *value == Native::from(0) => Ok(false),
        ValueKind::String => match value.as_str().unwrap_or("").to_lowercase().as_str() {
            "yes" | "on" | "true" | "1" | "y" | "t" => Ok(true),
            "no" | "off" | "false" | "0" | "n" | "f" | "" => Ok(false),
            _ => Err(fault(
                "this text is no boolean; `bool` takes yes, no, on, off, true, false, 1 and 0",
            )),
        },
        _ => Err(expected("a boolean, text or a number", value)),
    }
}

fn int(
    value: &Native,
    default: Option<Native>,
    base: Option<u32>,
    kwargs: Kwargs,
) -> Result<Native, Error> {
    let default = match default {
        Some(default) => Some(default),
        None => kwargs.get::<Option<Native>>("default")?,
    };
    let base = match base {
        Some(base) => base,
        None => kwargs.get::<Option<u32>>("base")?.unwrap_or(10),
    };
    kwargs.assert_all_used()?;
    let default = default.unwrap_or_else(|| Native::from(0));
    let read = match value.kind() {
        ValueKind::Undefined => return Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::Bool => Some(i64::from(value.is_true())),
        ValueKind::Number if value.is_integer() => return Ok(value.clone()),
        ValueKind::Number => truncated(f64::try_from(value.clone())?),
        ValueKind::String => {
            let text = value.as_str().unwrap_or("").trim().replace('_', "");
            let digits = match base {
                16 => text.trim_start_matches("0x"),
                8 => text.trim_start_matches("0o"),
                2 => text.trim_start_matches("0b"),
                _ => &text,
            };
            if !(2..=36).contains(&base) {
                return Err(fault("`base` is 2 to 36"));
            }
            i64::from_str_radix(digits, base)
                .ok()
                .or_else(|| truncated(text.parse::<f64>().ok()?))
        }
        _ => None,
    };
    Ok(read.map_or(default, Native::from))
}

fn truncated(number: f64) -> Option<i64> {
    (number.is_finite() && number.abs() < 9e18).then_some(number as i64)
}

fn float(value: &Native, default: Option<Native>, kwargs: Kwargs) -> Result<Native, Error> {
    let default = match default {
        Some(default) => Some(default),
        None => kwargs.get::<Option<Native>>("default")?,
    };
    kwargs.assert_all_used()?;
    let read = match value.kind() {
        ValueKind::Undefined => return Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::Bool => Some(f64::from(u8::from(value.is_true()))),
        ValueKind::Number => Some(f64::try_from(value.clone())?),
        ValueKind::String => value.as_str().and_then(|text| text.trim().parse().ok()),
        _ => None,
    };
    Ok(read.map_or_else(
        || default.unwrap_or_else(|| Native::from(0.0)),
        Native::from,
    ))
}

fn abs(value: &Native) -> Result<Native, Error> {
    match value.as_i64().filter(|_| value.is_integer()) {
        Some(whole) => Ok(Native::from(whole.saturating_abs())),
        None if value.kind() == ValueKind::Number => {
            Ok(Native::from(f64::try_from(value.clone())?.abs()))
        }
        None => Err(expected("a number", value)),
    }
}

fn round(
    value: &Native,
    precision: Option<i32>,
    method: Option<String>,
    kwargs: Kwargs,
) -> Result<Native, Error> {
    let precision = match precision {
        Some(precision) => precision,
        None => kwargs.get::<Option<i32>>("precision")?.unwrap_or(0),
    };
    let method = match method {
        Some(method) => method,
        None => kwargs
            .get::<Option<String>>("method")?
            .unwrap_or_else(|| "common".to_owned()),
    };
    kwargs.assert_all_used()?;
    if value.kind() != ValueKind::Number {
        return Err(expected("a number", value));
    }
    if value.is_integer() && precision >= 0 {
        return Ok(value.clone());
    }
    let whole = value.is_integer();
    let number = f64::try_from(value.clone())?;
    let scale = 10f64.powi(precision.clamp(-300, 300));
    let scaled = number * scale;
    let rounded = match method.as_str() {
        "ceil" => scaled.ceil() / scale,
        "floor" => scaled.floor() / scale,
        // The shortest decimal that rounds as Python does: half to even on the exact value.
        "common" if precision >= 0 => format!("{number:.*}", precision.min(300) as usize)
            .parse()
            .unwrap_or(number),
        "common" => scaled.round_ties_even() / scale,
        _ => return Err(fault("`method` is common, ceil or floor")),
    };
    Ok(match truncated(rounded).filter(|_| whole) {
        Some(rounded) => Native::from(rounded),
        None => Native::from(rounded),
    })
}
