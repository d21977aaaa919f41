//! Times as people write them.

use std::time::Duration;

use super::{Kind, Value};

/// The longest time that is taken, a year: a deadline so far away still is one.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// `90s`, `5m`, `1h 30m`, `1d 12h`; a bare number is seconds. A day has 24 hours. None for everything else, and for more than a year.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let time = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        Err(_) => match days(text) {
            Some((days, "")) => days,
            Some((days, rest)) => days.checked_add(units(rest)?)?,
            None => units(text)?,
        },
    };
    (time <= LONGEST).then_some(time)
}

/// Hours and what is shorter. With units alone: a day has as many hours as the calendar says, so days are no part of them.
fn units(text: &str) -> Option<Duration> {
    let time: jiff::SignedDuration = text.parse().ok()?;
    Duration::try_from(time).ok()
}

/// The days that a time begins with, and the rest of it.
fn days(text: &str) -> Option<(Duration, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, rest) = text.split_at(end);
    let rest = rest.trim_start();
    let rest = ["days", "day", "d"]
        .iter()
        .find_map(|unit| rest.strip_prefix(unit))?;
    let days = DAY.checked_mul(number.parse().ok()?)?;
    // A word that only begins so is no unit; `1d12h` is as good as `1d 12h`.
    let apart = rest.chars().next().is_none_or(|c| !c.is_alphabetic());
    apart.then(|| (days, rest.trim_start()))
}

impl Value {
    /// A time: a number of seconds, or text as [`parse_duration`] takes it.
    pub fn duration(&self) -> Option<Duration> {
        match &self.kind {
            Kind::Int(seconds) => parse_duration(&seconds.to_string()),
            Kind::Float(seconds) => parse_duration(&seconds.to_string()),
            Kind::Str(text) => parse_duration(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (text, milliseconds) in [
            ("90s", 90_000),
            ("5m", 300_000),
            (" 1h 30m ", 5_400_000),
            ("0", 0),
            ("7", 7_000),
            ("0.5", 500),
            ("8784h", 31_622_400_000),
            ("1d", 86_400_000),
            ("2 days", 172_800_000),
            ("1d 12h", 129_600_000),
            ("1d12h 30m", 131_400_000),
            ("366d", 31_622_400_000),
        ] {
            let time = Duration::from_millis(milliseconds);
            assert_eq!(parse_duration(text), Some(time), "{text}");
        }
        for bad in [
            "",
            "soon",
            "-5s",
            "-1",
            "5x",
            "m",
            "nan",
            "inf",
            "1e300",
            "8785h",
            "367d",
            "366d 1s",
            "d",
            "1.5d",
            "-1d",
            "1d -5s",
            "1d 5",
            "1d ago",
            "1dozen",
            "12h 1d",
            "99999999999999999999d",
            "18446744073709551615",
        ] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }
}
