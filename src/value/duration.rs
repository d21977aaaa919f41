//! Times as people write them.

use std::time::Duration;

use super::{Kind, Value};

/// The longest time that is taken, a year: a deadline so far away still is one.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// `90s`, `5m`, `1h 30m`; a bare number is seconds. None for everything else, and for more than a year.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let time = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        Err(_) => {
            let time: jiff::SignedDuration = text.parse().ok()?;
            Duration::try_from(time).ok()?
        }
    };
    (time <= LONGEST).then_some(time)
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
            "18446744073709551615",
        ] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }
}
