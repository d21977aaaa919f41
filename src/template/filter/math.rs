//! Logarithms, powers, and sizes that people read.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, Value as Native};

use super::given::Given;
use super::{expected, text_of};
use crate::template::convert::fault;
use crate::template::python;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("log", log);
    environment.add_filter("pow", |value: &Native, power: &Native| {
        number(value)?.powf(number(power)?).checked()
    });
    environment.add_filter("root", root);
    environment.add_filter("human_readable", human_readable);
    environment.add_filter("human_to_bytes", human_to_bytes);
    environment.add_filter("filesizeformat", filesizeformat);
}

/// A result that is a number.
trait Checked {
    fn checked(self) -> Result<Native, Error>;
}

impl Checked for f64 {
    fn checked(self) -> Result<Native, Error> {
        match self.is_finite() {
            true => Ok(Native::from(self)),
            false => Err(fault("the result is no number")),
        }
    }
}

fn number(value: &Native) -> Result<f64, Error> {
    match value.kind() {
        ValueKind::Number => Ok(f64::try_from(value.clone())?),
        ValueKind::Bool => Ok(f64::from(u8::from(value.is_true()))),
        _ => Err(expected("a number", value)),
    }
}

fn log(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<Native, Error> {
    let given = Given::read(&["base"], args, &kwargs)?;
    let value = number(value)?;
    if value <= 0.0 {
        return Err(fault("a logarithm is of a number above zero"));
    }
    match given.value("base").map(number).transpose()? {
        None => value.ln(),
        Some(10.0) => value.log10(),
        Some(base) => value.ln() / base.ln(),
    }
    .checked()
}

fn root(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<Native, Error> {
    let given = Given::read(&["base"], args, &kwargs)?;
    let value = number(value)?;
    match given.value("base").map(number).transpose()? {
        None | Some(2.0) => value.sqrt(),
        Some(base) => value.powf(1.0 / base),
    }
    .checked()
}

/// Units of 1024, the largest first.
const UNITS: &[(char, i32)] = &[
    ('Y', 80),
    ('Z', 70),
    ('E', 60),
    ('P', 50),
    ('T', 40),
    ('G', 30),
    ('M', 20),
    ('K', 10),
    ('B', 0),
];

fn human_readable(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<String, Error> {
    let given = Given::read(&["isbits", "unit"], args, &kwargs)?;
    let base = if given.flag("isbits") {
        "bits"
    } else {
        "Bytes"
    };
    let size = number(value)?;
    let wanted = given.text("unit")?.map(|unit| unit.to_uppercase());
    let (letter, power) = UNITS
        .iter()
        .find(|(letter, power)| match &wanted {
            Some(unit) => unit.starts_with(*letter) && unit.len() == 1,
            None => size >= 2f64.powi(*power),
        })
        .unwrap_or(&('B', 0));
    let unit = match power {
        0 => base.to_owned(),
        _ => format!("{letter}{}", &base[..1]),
    };
    Ok(format!("{:.2} {unit}", size / 2f64.powi(*power)))
}

fn human_to_bytes(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<Native, Error> {
    let given = Given::read(&["default_unit", "isbits"], args, &kwargs)?;
    let unit = given.text("default_unit")?.unwrap_or_default();
    let size = size(&text_of(value)?, &unit, given.flag("isbits")).map_err(fault)?;
    Ok(Native::from(size))
}

/// The bytes of a size such as `10M` or `1.5 GB`, or its bits; as ansible-core's `human_to_bytes`.
///
/// # Errors
/// What is wrong with the text.
pub fn size(text: &str, default_unit: &str, bits: bool) -> Result<i64, String> {
    let wrong = || "this is no size such as `10M` or `1.5 GB`".to_owned();
    let text = text.trim_end();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let digits = &text[..end];
    if digits.is_empty() || digits.ends_with('.') || digits.matches('.').count() > 1 {
        return Err(wrong());
    }
    let size: f64 = digits.parse().map_err(|_| wrong())?;
    let unit = text[end..].trim_start();
    if !unit.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(wrong());
    }
    let unit = match unit {
        "" => default_unit,
        unit => unit,
    };
    if unit.is_empty() {
        return Ok(size.round_ties_even() as i64);
    }
    let letter = unit.to_uppercase().chars().next().unwrap_or(' ');
    let power = UNITS.iter().find(|(known, _)| *known == letter);
    let Some((_, power)) = power else {
        return Err("the unit is one of B, K, M, G, T, P, E, Z and Y".to_owned());
    };
    if unit.len() > 1 && !is_unit(unit, letter, bits) {
        let mark = if bits { 'b' } else { 'B' };
        return Err(match letter {
            'B' => format!("this is no unit; write `{mark}`"),
            _ => format!("this is no unit; write `{letter}{mark}` or `{letter}`"),
        });
    }
    let bytes = (size * 2f64.powi(*power)).round_ties_even();
    match bytes < 9.2e18 {
        true => Ok(bytes as i64),
        false => Err("the size is beyond 64 bits".to_owned()),
    }
}

fn is_unit(unit: &str, letter: char, bits: bool) -> bool {
    let names = [
        ('B', ""),
        ('K', "kilo"),
        ('M', "mega"),
        ('G', "giga"),
        ('T', "tera"),
        ('P', "peta"),
        ('E', "exa"),
        ('Z', "zeta"),
        ('Y', "yotta"),
    ];
    let prefix = names
        .iter()
        .find(|(known, _)| *known == letter)
        .map_or("", |(_, name)| name);
    let (word, mark) = if bits { ("bit", 'b') } else { ("byte", 'B') };
    let short = match letter {
        'B' => mark.to_string(),
        _ => format!("{letter}{mark}"),
    };
    unit.to_lowercase() == format!("{prefix}{word}") || unit == short
}

/// Jinja's: `1.5 kB`, or `1.5 KiB` when `binary`.
fn filesizeformat(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<String, Error> {
    let given = Given::read(&["binary"], args, &kwargs)?;
    let size = match value.as_str() {
        Some(text) => text
            .trim()
            .parse()
            .map_err(|_| expected("a number", value))?,
        None => number(value)?,
    };
    let binary = given.flag("binary");
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    if size == 1.0 {
        return Ok("1 Byte".to_owned());
    }
    if size < base {
        return Ok(format!(
            "{} Bytes",
            python::float(size.trunc()).trim_end_matches(".0")
        ));
    }
    let letters = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
    for (index, letter) in letters.iter().enumerate() {
        let unit = base.powi(index as i32 + 2);
        if size < unit || index == letters.len() - 1 {
            let shown = base * size / unit;
            return Ok(match binary {
                true => format!("{shown:.1} {}iB", letter.to_uppercase()),
                false => format!("{shown:.1} {letter}B"),
            });
        }
    }
    unreachable!("the last letter takes the rest")
}
