//! Times: `strftime`, and durations people write.

use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, Value as Native};

use super::given::Given;
use super::{expected, text_of};
use crate::diagnostic::nearest;
use crate::template::convert::fault;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("strftime", strftime);
    environment.add_filter(
        "to_time_unit",
        |v: &Native, args: &[Native], kwargs: Kwargs| {
            let given = Given::read(&["unit", "year", "month"], args, &kwargs)?;
            let unit = given.text_or("unit", "ms")?;
            to_unit(v, &unit, &given)
        },
    );
    for (name, unit) in [
        ("to_milliseconds", "ms"),
        ("to_seconds", "s"),
        ("to_minutes", "m"),
        ("to_hours", "h"),
        ("to_days", "d"),
        ("to_weeks", "w"),
        ("to_months", "mo"),
        ("to_years", "y"),
    ] {
        environment.add_filter(name, move |v: &Native, args: &[Native], kwargs: Kwargs| {
            if !args.is_empty() {
                return Err(fault("it takes `year` and `month` only, by name"));
            }
            to_unit(v, unit, &Given::read(&["year", "month"], args, &kwargs)?)
        });
    }
}

fn strftime(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<String, Error> {
    let given = Given::read(&["second", "utc"], args, &kwargs)?;
    let format = text_of(value)?;
    let Some(second) = given.value("second") else {
        return Err(fault(
            "without a time it gives another one with every run; give the seconds, as in `'%Y' | strftime(ansible_date_time.epoch)`",
        ));
    };
    let second: f64 = match second.kind() {
        ValueKind::Number => f64::try_from(second.clone())?,
        ValueKind::String => text_of(second)?
            .trim()
            .parse()
            .map_err(|_| expected("seconds since 1970", second))?,
        _ => return Err(expected("seconds since 1970", second)),
    };
    let zone = match given.flag("utc") {
        true => TimeZone::UTC,
        false => TimeZone::system(),
    };
    let time = SignedDuration::try_from_secs_f64(second.floor())
        .ok()
        .and_then(|since| Timestamp::from_duration(since).ok())
        .ok_or_else(|| fault("the time is out of range"))?;
    let time = Zoned::new(time, zone);
    let mut text = String::new();
    BrokenDownTime::from(&time)
        .format(&format, &mut text)
        .map_err(|_| fault("the format has a `%` that means nothing"))?;
    Ok(text)
}

/// Milliseconds of each unit, as the filters of community.general count them.
const UNITS: &[(&str, f64)] = &[
    ("ms", 1.0),
    ("s", 1e3),
    ("m", 60e3),
    ("h", 3600e3),
    ("d", 86400e3),
    ("w", 7.0 * 86400e3),
    ("mo", 30.0 * 86400e3),
    ("y", 365.0 * 86400e3),
];

const LONG: &[(&str, &str)] = &[
    ("millisecond", "ms"),
    ("msec", "ms"),
    ("msecond", "ms"),
    ("sec", "s"),
    ("second", "s"),
    ("hour", "h"),
    ("min", "m"),
    ("minute", "m"),
    ("day", "d"),
    ("week", "w"),
    ("month", "mo"),
    ("year", "y"),
];

fn to_unit(value: &Native, unit: &str, given: &Given) -> Result<Native, Error> {
    let days = |name: &str| -> Result<Option<f64>, Error> {
        match given.value(name) {
            None => Ok(None),
            Some(days) if days.kind() == ValueKind::Number => {
                Ok(Some(f64::try_from(days.clone())?))
            }
            Some(days) => Err(expected("a number of days", days)),
        }
    };
    let (year, month) = (days("year")?, days("month")?);
    let factor = |unit: &str| -> Result<f64, Error> {
        let bare = unit.trim_end_matches('s');
        let short = LONG
            .iter()
            .find(|(long, _)| *long == bare)
            .map_or(unit, |(_, short)| short);
        match (short, year, month) {
            ("y", Some(days), _) | ("mo", _, Some(days)) => return Ok(days * 86400e3),
            _ => {}
        }
        let known = UNITS.iter().find(|(name, _)| *name == short);
        known.map(|(_, factor)| *factor).ok_or_else(|| {
            let words = LONG.iter().map(|(long, _)| *long);
            fault(match nearest(bare, words) {
                Some(near) => format!("no unit of time; did you mean `{near}`?"),
                None => "no unit of time; there are ms, s, m, h, d, w, mo and y".to_owned(),
            })
        })
    };
    let into = factor(unit)?;
    let Some(text) = value.as_str() else {
        return Err(expected("text such as `1h 30m`", value));
    };
    if text == "0" {
        return Ok(Native::from(0));
    }
    let mut sum = 0.0;
    for word in text.split_whitespace() {
        let sign = usize::from(word.starts_with('-'));
        let end = word[sign..]
            .find(|c: char| !c.is_ascii_digit())
            .map(|at| at + sign);
        let end = end.filter(|end| *end > sign);
        let end = end.ok_or_else(|| fault("a time is written as `1h 30m`"))?;
        let count: f64 = word[..end]
            .parse()
            .map_err(|_| fault("a time is written as `1h 30m`"))?;
        let rest: String = word[end..]
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        sum += count * factor(&rest)?;
    }
    let exact = sum / into;
    let rounded: f64 = format!("{exact:.12}").parse().unwrap_or(exact);
    Ok(Native::from(rounded))
}
