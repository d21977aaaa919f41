//! `sequence`: numbers as text, by `1-5/2:host%02d` or by names.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, State, Value as Native};

use super::words;
use crate::template::convert::fault;
use crate::template::filter::Given;
use crate::template::python;

const OPTIONS: &[&str] = &["start", "end", "count", "stride", "format"];

/// The most numbers it makes.
const MOST: i64 = 1_000_000;

#[derive(Clone)]
struct Sequence {
    start: i64,
    end: Option<i64>,
    count: Option<i64>,
    stride: i64,
    format: String,
}

pub(super) fn sequence(
    state: &mut State,
    terms: &[Native],
    kwargs: &Kwargs,
) -> Result<Vec<Native>, Error> {
    let given = Given::read(OPTIONS, &[], kwargs)?;
    let mut base = Sequence {
        start: 1,
        end: None,
        count: None,
        stride: 1,
        format: "%d".to_owned(),
    };
    for name in OPTIONS {
        if let Some(value) = given.value(name) {
            base.set(name, &python::text(value)?)?;
        }
    }
    let by_name = [Native::from("")];
    let terms = if terms.is_empty() { &by_name } else { terms };
    let mut out = Vec::new();
    for term in terms {
        let mut sequence = base.clone();
        match term.kind() {
            ValueKind::String | ValueKind::Number => sequence.read(&python::text(term)?)?,
            _ => return Err(fault("a sequence is given as text, such as `1-5`")),
        }
        sequence.write(state, &mut out)?;
    }
    Ok(out)
}

impl Sequence {
    fn set(&mut self, name: &str, text: &str) -> Result<(), Error> {
        let number = || {
            number(text).ok_or_else(|| fault(format!("`{name}` of a sequence is a whole number")))
        };
        match name {
            "start" => self.start = number()?,
            "end" => self.end = Some(number()?),
            "count" => self.count = Some(number()?),
            "stride" => self.stride = number()?,
            _ => self.format = text.to_owned(),
        }
        Ok(())
    }

    /// `[start-]end[/stride][:format]`, or `start=… end=…`.
    fn read(&mut self, text: &str) -> Result<(), Error> {
        if self.read_short(text).is_some() {
            return Ok(());
        }
        let words = words::read(text, OPTIONS)?;
        if !words.plain.is_empty() {
            return Err(fault(
                "a sequence is written as `start-end/stride:format`, or as `start=1 end=5`",
            ));
        }
        for (name, value) in &words.set {
            self.set(name, value)?;
        }
        Ok(())
    }

    fn read_short(&mut self, text: &str) -> Option<()> {
        let (numbers, format) = match text.split_once(':') {
            Some((_, "")) => return None,
            Some((numbers, format)) => (numbers, Some(format)),
            None => (text, None),
        };
        let (range, stride) = match numbers.split_once('/') {
            Some((range, stride)) => (range, Some(number(stride)?)),
            None => (numbers, None),
        };
        let (start, end) = match range.split_once('-') {
            Some((start, end)) => (Some(number(start)?), end),
            None => (None, range),
        };
        self.end = Some(number(end)?);
        self.start = start.unwrap_or(self.start);
        self.stride = stride.unwrap_or(self.stride);
        if let Some(format) = format {
            self.format = format.to_owned();
        }
        Some(())
    }

    fn write(&self, state: &mut State, out: &mut Vec<Native>) -> Result<(), Error> {
        let end = match (self.count, self.end) {
            (None, None) => return Err(fault("a sequence needs `end` or `count`")),
            (Some(_), Some(_)) => return Err(fault("`end` and `count` say the same; give one")),
            (Some(0), None) => return Ok(()),
            (Some(count), None) => count
                .checked_mul(self.stride)
                .and_then(|width| self.start.checked_add(width)?.checked_sub(1)),
            (None, end) => end,
        };
        let end = end.ok_or_else(|| fault("the sequence is beyond 64 bits"))?;
        if self.stride > 0 && end < self.start {
            return Err(fault("to count backwards, make `stride` negative"));
        }
        if self.stride < 0 && end > self.start {
            return Err(fault("to count forward, make `stride` positive"));
        }
        if self.stride == 0 {
            return Ok(());
        }
        if self.format.matches('%').count() != 1 {
            return Err(fault("the format of a sequence has exactly one `%`"));
        }
        let mut at = self.start;
        let mut made = 0;
        while if self.stride > 0 {
            at <= end
        } else {
            at >= end
        } {
            made += 1;
            if made > MOST {
                return Err(fault("the sequence has more than a million numbers"));
            }
            let parts = [Native::from(self.format.as_str()), Native::from(at)];
            out.push(state.apply_filter("format", &parts)?);
            match at.checked_add(self.stride) {
                Some(next) => at = next,
                None => break,
            }
        }
        Ok(())
    }
}

/// Decimal, hexadecimal with `0x`, octal with `0o`.
fn number(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (base, digits) = match (digits.strip_prefix("0x"), digits.strip_prefix("0o")) {
        (Some(digits), _) => (16, digits),
        (_, Some(digits)) => (8, digits),
        _ => (10, digits),
    };
    let plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    i64::from_str_radix(digits, base)
        .ok()
        .filter(|_| plain)
        .map(|number| sign * number)
}
