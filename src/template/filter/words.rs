//! Jinja's smaller filters of text, and names made of text.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, Value as Native};
use uuid::Uuid;

use super::given::Given;
use super::{expected, items_of, pairs_of, text_of};
use crate::template::convert::fault;
use crate::template::python;
use crate::template::test::loose;

pub(super) fn register(environment: &mut Environment<'static>) {
    for name in ["e", "escape", "forceescape"] {
        environment.add_filter(name, |value: &Native| {
            text_of(value).map(|text| escaped(&text))
        });
    }
    environment.add_filter("center", center);
    environment.add_filter("truncate", truncate);
    environment.add_filter("wordcount", |value: &Native| {
        let text = text_of(value)?;
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let words = text.split(|c| !word(c)).filter(|part| !part.is_empty());
        Ok::<_, Error>(words.count())
    });
    environment.add_filter("striptags", striptags);
    environment.add_filter("xmlattr", xmlattr);
    environment.add_filter("pprint", |value: &Native| {
        let mut out = String::new();
        python::write(&mut out, value, true, 0)?;
        Ok::<_, Error>(out)
    });
    environment.add_filter("tojson", tojson);
    environment.add_filter("to_uuid", to_uuid);
    environment.add_filter("crc32", |value: &Native| {
        let Some(text) = value.as_str() else {
            return Err(expected("text", value));
        };
        Ok(format!("{:x}", crc32fast::hash(text.as_bytes())))
    });
    environment.add_filter("version_sort", version_sort);
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// In the middle of so many columns, as Python's `str.center` does.
fn center(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<String, Error> {
    let given = Given::read(&["width"], args, &kwargs)?;
    let width = given.whole("width")?.unwrap_or(80);
    let text = text_of(value)?;
    let long = text.chars().count();
    let width = usize::try_from(width).unwrap_or(0).min(10_000);
    let free = width.saturating_sub(long);
    let left = free / 2 + (free & width & 1);
    Ok(format!(
        "{}{text}{}",
        " ".repeat(left),
        " ".repeat(free - left)
    ))
}

fn truncate(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<String, Error> {
    let given = Given::read(&["length", "killwords", "end", "leeway"], args, &kwargs)?;
    let text = text_of(value)?;
    let end = given.text_or("end", "...")?;
    let size = |name: &str, other: i64| given.whole(name).map(|size| size.unwrap_or(other));
    let (length, leeway) = (size("length", 255)?, size("leeway", 5)?);
    let marks = i64::try_from(end.chars().count()).unwrap_or(i64::MAX);
    if length < marks || leeway < 0 {
        return Err(fault(
            "`length` leaves no room for `end`, or `leeway` is negative",
        ));
    }
    let chars: Vec<char> = text.chars().collect();
    if i64::try_from(chars.len()).unwrap_or(i64::MAX) <= length.saturating_add(leeway) {
        return Ok(text);
    }
    let kept: String = chars[..(length - marks) as usize].iter().collect();
    if given.flag("killwords") {
        return Ok(kept + &end);
    }
    let whole = kept
        .rsplit_once(' ')
        .map_or(kept.as_str(), |(words, _)| words);
    Ok(format!("{whole}{end}"))
}

/// Text without tags and comments, with single blanks.
fn striptags(value: &Native) -> Result<String, Error> {
    let mut text = text_of(value)?;
    while let Some(start) = text.find("<!--") {
        let Some(end) = text[start..].find("-->") else {
            break;
        };
        text.replace_range(start..start + end + 3, "");
    }
    while let Some(start) = text.find('<') {
        let Some(end) = text[start..].find('>') else {
            break;
        };
        text.replace_range(start..=start + end, "");
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let plain = words.join(" ");
    Ok(plain
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#34;", "\"")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&"))
}

fn xmlattr(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<String, Error> {
    let given = Given::read(&["autospace"], args, &kwargs)?;
    let mut parts = Vec::new();
    for (key, item) in pairs_of(value)? {
        let key = text_of(&key)?;
        if key.contains([' ', '\t', '\n', '\r', '/', '>', '=']) {
            return Err(fault(
                "the name of an attribute has a sign in it that cannot be there",
            ));
        }
        if !item.is_none() && !item.is_undefined() {
            parts.push(format!(
                "{}=\"{}\"",
                escaped(&key),
                escaped(&text_of(&item)?)
            ));
        }
    }
    let text = parts.join(" ");
    Ok(match given.flag_or_true("autospace") && !text.is_empty() {
        true => format!(" {text}"),
        false => text,
    })
}

/// Jinja's JSON, which may stand in HTML.
fn tojson(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<String, Error> {
    let given = Given::read(&["indent"], args, &kwargs)?;
    let indent = given
        .whole("indent")?
        .and_then(|width| usize::try_from(width).ok());
    let text = super::json::text(value, indent, true)?;
    Ok(text
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\'', "\\u0027"))
}

/// The namespace that Ansible takes where none is given.
const NAMESPACE: Uuid = Uuid::from_u128(0x361E6D51_FAEC_444A_9079_341386DA8E2E);

fn to_uuid(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<String, Error> {
    let given = Given::read(&["namespace"], args, &kwargs)?;
    let namespace = match given.text("namespace")? {
        None => NAMESPACE,
        Some(text) => Uuid::parse_str(&text).map_err(|_| fault("`namespace` is no UUID"))?,
    };
    let text = text_of(value)?;
    Ok(Uuid::new_v5(&namespace, text.as_bytes()).to_string())
}

fn version_sort(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<Native, Error> {
    let given = Given::read(&["reverse"], args, &kwargs)?;
    let mut items = items_of(value)?;
    if let Some(item) = items.iter().find(|item| item.kind() != ValueKind::String) {
        return Err(expected("a list of versions as text", item));
    }
    let text = |item: &Native| item.as_str().unwrap_or("").to_owned();
    items.sort_by(|a, b| {
        let order = loose(&text(a), &text(b));
        if given.flag("reverse") {
            order.reverse()
        } else {
            order
        }
    });
    Ok(Native::from(items))
}
