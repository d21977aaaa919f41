//! What a plain scalar means: the implicit types of PyYAML.

use crate::value::Kind;

/// What a plain scalar is, or why it is refused.
#[derive(Debug, PartialEq)]
pub(super) enum Plain {
    /// A value.
    Is(Kind),
    /// PyYAML would read it as something nobody means: what that is.
    Refused(&'static str),
}

/// Resolves the spelling of a plain scalar.
pub(super) fn resolve(text: &str) -> Plain {
    let Some(first) = text.bytes().next() else {
        return Plain::Is(Kind::Null);
    };
    match first {
        b'~' | b'n' | b'N' | b'y' | b'Y' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' => word(text),
        b'0'..=b'9' | b'+' | b'-' | b'.' => number(text),
        _ => None,
    }
    .unwrap_or_else(|| Plain::Is(Kind::Str(text.into())))
}

fn word(text: &str) -> Option<Plain> {
    let kind = match text {
        "~" | "null" | "Null" | "NULL" => Kind::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Kind::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Kind::Bool(false)
        }
        _ => return None,
    };
    Some(Plain::Is(kind))
}

fn number(text: &str) -> Option<Plain> {
    let (sign, digits) = match text.as_bytes()[0] {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    if let Some((radix, digits)) = integer(digits) {
        let plain: String = digits.chars().filter(|digit| *digit != '_').collect();
        if plain.is_empty() {
            return None;
        }
        return Some(match i128::from_str_radix(&plain, radix) {
            Ok(whole) => match i64::try_from(sign * whole) {
                Ok(whole) => Plain::Is(Kind::Int(whole)),
                Err(_) => Plain::Refused("a whole number beyond 64 bits"),
            },
            Err(_) => Plain::Refused("a whole number beyond 64 bits"),
        });
    }
    if sexagesimal(digits) {
        return Some(Plain::Refused("a number in base 60"));
    }
    if date(text) {
        return Some(Plain::Refused("a date"));
    }
    float(text, digits).map(|value| Plain::Is(Kind::Float(value)))
}

/// Radix and digits of a whole number without its sign.
fn integer(digits: &str) -> Option<(u32, &str)> {
    let all = |digits: &str, valid: fn(u8) -> bool| {
        !digits.is_empty() && digits.bytes().all(|byte| byte == b'_' || valid(byte))
    };
    if let Some(binary) = digits.strip_prefix("0b") {
        return all(binary, |byte| matches!(byte, b'0' | b'1')).then_some((2, binary));
    }
    if let Some(hex) = digits.strip_prefix("0x") {
        return all(hex, |byte| byte.is_ascii_hexdigit()).then_some((16, hex));
    }
    if digits == "0" {
        return Some((10, digits));
    }
    if let Some(octal) = digits.strip_prefix('0') {
        return all(octal, |byte| matches!(byte, b'0'..=b'7')).then_some((8, octal));
    }
    (digits.starts_with(|first: char| first.is_ascii_digit())
        && all(digits, |byte| byte.is_ascii_digit()))
    .then_some((10, digits))
}

/// `12:30`, `1:30:00`, `190:20:30.15`.
fn sexagesimal(digits: &str) -> bool {
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    if fraction.is_some_and(|rest| {
        !rest
            .bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_digit())
    }) {
        return false;
    }
    let mut parts = whole.split(':');
    let head = parts.next().unwrap_or("");
    let starts_right = match head.as_bytes().first() {
        Some(b'0') => fraction.is_some(),
        Some(first) => first.is_ascii_digit(),
        None => false,
    };
    if !starts_right
        || !head
            .bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_digit())
    {
        return false;
    }
    let mut any = false;
    for part in parts {
        any = true;
        let valid = match part.as_bytes() {
            [unit] => unit.is_ascii_digit(),
            [ten, unit] => (b'0'..=b'5').contains(ten) && unit.is_ascii_digit(),
            _ => false,
        };
        if !valid {
            return false;
        }
    }
    any
}

/// `2024-01-01`, and with a time behind it.
fn date(text: &str) -> bool {
    let digits = |part: &str, least: usize, most: usize| {
        (least..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    if !digits(year, 4, 4) || !digits(month, 1, 2) {
        return false;
    }
    let day_end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (day, time) = rest.split_at(day_end);
    if time.is_empty() {
        return month.len() == 2 && digits(day, 2, 2);
    }
    if !digits(day, 1, 2) || !time.starts_with(['T', 't', ' ', '\t']) {
        return false;
    }
    let clock = time[1..].trim_start_matches([' ', '\t']);
    let mut fields = clock.splitn(3, ':');
    let (Some(hour), Some(minute), Some(second)) = (fields.next(), fields.next(), fields.next())
    else {
        return false;
    };
    digits(hour, 1, 2)
        && digits(minute, 2, 2)
        && second.len() >= 2
        && second.is_char_boundary(2)
        && digits(&second[..2], 2, 2)
        && second[2..]
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b".Z+-: \t".contains(&byte))
}

fn float(text: &str, unsigned: &str) -> Option<f64> {
    match unsigned {
        ".inf" | ".Inf" | ".INF" => {
            return Some(if text.starts_with('-') {
                f64::NEG_INFINITY
            } else {
                f64::INFINITY
            });
        }
        _ => {}
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(f64::NAN);
    }
    let (whole, rest) = unsigned.split_once('.')?;
    if whole.is_empty() && text.len() != unsigned.len() {
        return None;
    }
    let (fraction, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let mantissa = |part: &str| part.bytes().all(|b| b == b'_' || b.is_ascii_digit());
    let starts_with_digit = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    let valid = mantissa(whole)
        && mantissa(fraction)
        && if whole.is_empty() {
            starts_with_digit(fraction)
        } else {
            starts_with_digit(whole)
        }
        && exponent.is_none_or(|exponent| {
            exponent.starts_with(['+', '-'])
                && exponent.len() > 1
                && exponent[1..].bytes().all(|b| b.is_ascii_digit())
        });
    if !valid {
        return None;
    }
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    plain.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_pyyaml() {
        let int = |value| Plain::Is(Kind::Int(value));
        let float = |value| Plain::Is(Kind::Float(value));
        let text = |value: &str| Plain::Is(Kind::Str(value.into()));
        let cases = [
            ("0", int(0)),
            ("0644", int(420)),
            ("0o17", text("0o17")),
            ("0x1f", int(31)),
            ("0b101", int(5)),
            ("1_000", int(1000)),
            ("-12", int(-12)),
            ("+12", int(12)),
            ("089", text("089")),
            ("1e3", text("1e3")),
            ("1.5e3", text("1.5e3")),
            ("1.5e+3", float(1500.0)),
            ("1.", float(1.0)),
            (".5", float(0.5)),
            ("-.5", text("-.5")),
            ("1.2.3", text("1.2.3")),
            ("-", text("-")),
            (".", text(".")),
            ("-.inf", float(f64::NEG_INFINITY)),
            ("12:30", Plain::Refused("a number in base 60")),
            ("1:30:00", Plain::Refused("a number in base 60")),
            ("80:8080", text("80:8080")),
            ("08:30", text("08:30")),
            ("2024-01-01", Plain::Refused("a date")),
            ("2024-1-1", text("2024-1-1")),
            ("2024-01-01 10:00:00", Plain::Refused("a date")),
            ("2024-01-01x", text("2024-01-01x")),
            (
                "99999999999999999999",
                Plain::Refused("a whole number beyond 64 bits"),
            ),
            ("192.168.1.1", text("192.168.1.1")),
            ("1.5", float(1.5)),
        ];
        for (spelling, expected) in cases {
            assert_eq!(resolve(spelling), expected, "{spelling}");
        }
    }

    #[test]
    fn words_are_those_of_pyyaml() {
        for yes in ["yes", "Yes", "YES", "on", "true", "TRUE"] {
            assert_eq!(resolve(yes), Plain::Is(Kind::Bool(true)), "{yes}");
        }
        for text in ["y", "n", "yEs", "oN", "nuLL", "none", "None"] {
            assert_eq!(resolve(text), Plain::Is(Kind::Str(text.into())), "{text}");
        }
        assert_eq!(resolve(""), Plain::Is(Kind::Null));
        assert_eq!(resolve("~"), Plain::Is(Kind::Null));
    }
}
