//! Paths, as text.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, Value as Native};

use super::given::Given;
use super::{expected, items_of, text_of};
use crate::template::convert::fault;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("basename", |value: &Native| {
        let text = text_of(value)?;
        Ok::<_, Error>(text.rsplit('/').next().unwrap_or("").to_owned())
    });
    environment.add_filter("dirname", dirname);
    environment.add_filter("splitext", splitext);
    environment.add_filter("normpath", |value: &Native| {
        text_of(value).map(|text| normal(&text))
    });
    environment.add_filter("path_join", path_join);
    environment.add_filter("commonpath", commonpath);
    environment.add_filter("relpath", relpath);
    environment.add_filter("win_basename", |value: &Native| {
        let text = text_of(value)?;
        let rest = drive(&text).1;
        Ok::<_, Error>(rest.rsplit(['\\', '/']).next().unwrap_or("").to_owned())
    });
    environment.add_filter("win_dirname", |value: &Native| {
        let text = text_of(value)?;
        let (drive, rest) = drive(&text);
        let head = &rest[..rest.rfind(['\\', '/']).map_or(0, |at| at + 1)];
        let trimmed = head.trim_end_matches(['\\', '/']);
        let head = if trimmed.is_empty() { head } else { trimmed };
        Ok::<_, Error>(format!("{drive}{head}"))
    });
    environment.add_filter("win_splitdrive", |value: &Native| {
        let text = text_of(value)?;
        let (drive, rest) = drive(&text);
        Ok::<_, Error>(Native::from(vec![Native::from(drive), Native::from(rest)]))
    });
}

fn dirname(value: &Native) -> Result<String, Error> {
    let text = text_of(value)?;
    let head = match text.rfind('/') {
        Some(at) => &text[..=at],
        None => "",
    };
    let trimmed = head.trim_end_matches('/');
    // A head of slashes only is kept, as Python does.
    Ok(if trimmed.is_empty() { head } else { trimmed }.to_owned())
}

fn splitext(value: &Native) -> Result<Native, Error> {
    let text = text_of(value)?;
    let name = text.rfind('/').map_or(0, |at| at + 1);
    let lead = text[name..].len() - text[name..].trim_start_matches('.').len();
    let at = text[name + lead..]
        .rfind('.')
        .map_or(text.len(), |at| name + lead + at);
    Ok(Native::from(vec![
        Native::from(&text[..at]),
        Native::from(&text[at..]),
    ]))
}

/// Python's `os.path.normpath`.
fn normal(text: &str) -> String {
    let root = match text {
        _ if text.starts_with("//") && !text.starts_with("///") => "//",
        _ if text.starts_with('/') => "/",
        _ => "",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if !root.is_empty() => {}
            part => parts.push(part),
        }
    }
    match parts.is_empty() && root.is_empty() {
        true => ".".to_owned(),
        false => format!("{root}{}", parts.join("/")),
    }
}

fn path_join(value: &Native) -> Result<String, Error> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    if !matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return Err(expected("text or a list", value));
    }
    let parts = items_of(value)?;
    if parts.is_empty() {
        return Err(fault("there is nothing to join"));
    }
    let mut out = String::new();
    for (index, part) in parts.iter().enumerate() {
        let Some(part) = part.as_str() else {
            return Err(expected("paths as text", part));
        };
        if index == 0 || part.starts_with('/') {
            out = part.to_owned();
            continue;
        }
        if !out.is_empty() && !out.ends_with('/') {
            out.push('/');
        }
        out.push_str(part);
    }
    Ok(out)
}

fn commonpath(value: &Native) -> Result<String, Error> {
    if !matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return Err(expected("a list of paths", value));
    }
    let paths = items_of(value)?
        .iter()
        .map(text_of)
        .collect::<Result<Vec<String>, Error>>()?;
    let Some(first) = paths.first() else {
        return Err(fault("there are no paths"));
    };
    let absolute = first.starts_with('/');
    if paths.iter().any(|path| path.starts_with('/') != absolute) {
        return Err(fault("absolute and relative paths have nothing in common"));
    }
    let parts = |path: &str| -> Vec<String> {
        path.split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .map(str::to_owned)
            .collect()
    };
    let mut common = parts(first);
    for path in &paths {
        let same = parts(path)
            .iter()
            .zip(&common)
            .take_while(|(a, b)| a == b)
            .count();
        common.truncate(same);
    }
    Ok(format!(
        "{}{}",
        if absolute { "/" } else { "" },
        common.join("/")
    ))
}

/// The way from one path to another; both are absolute or both are relative, so that no working folder counts.
fn relpath(value: &Native, args: &[Native], kwargs: Kwargs) -> Result<String, Error> {
    let given = Given::read(&["start"], args, &kwargs)?;
    let path = text_of(value)?;
    let Some(start) = given.text("start")? else {
        return Err(fault(
            "without a start it depends on the folder the command runs in; give one",
        ));
    };
    if path.is_empty() || path.starts_with('/') != start.starts_with('/') {
        return Err(fault(
            "the path and the start are both absolute or both relative",
        ));
    }
    let parts = |text: &str| -> Vec<String> {
        normal(text)
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .map(str::to_owned)
            .collect()
    };
    let (path, start) = (parts(&path), parts(&start));
    let same = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    if start[same..].iter().any(|part| part == "..") {
        return Err(fault("the start leaves the folder the path begins in"));
    }
    let up = start[same..].iter().map(|_| "..".to_owned());
    let way: Vec<String> = up.chain(path[same..].iter().cloned()).collect();
    Ok(match way.is_empty() {
        true => ".".to_owned(),
        false => way.join("/"),
    })
}

/// The drive or share of a path of Windows, and the rest.
fn drive(text: &str) -> (&str, &str) {
    let plain = text.replace('/', "\\");
    if plain.starts_with("\\\\") && !plain.starts_with("\\\\\\") {
        let Some(host) = plain[2..].find('\\') else {
            return (text, "");
        };
        let share = 2 + host + 1;
        let end = plain[share..]
            .find('\\')
            .map_or(text.len(), |at| share + at);
        return text.split_at(end);
    }
    match text.as_bytes() {
        [letter, b':', ..] if letter.is_ascii() => text.split_at(2),
        _ => ("", text),
    }
}
