//! Regular expressions in Python's spelling.

use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use minijinja::value::Kwargs;
use minijinja::{Environment, Error, Value as Native};
use regex::{Regex, RegexBuilder};

use super::text_of;
use crate::template::convert::fault;

pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("regex_replace", replace);
    environment.add_filter("regex_search", search);
    environment.add_filter("regex_findall", findall);
    environment.add_filter("regex_escape", escape);
}

/// Flags of a pattern: ignore case, `^` and `$` at each line.
pub(in crate::template) type Flags = (bool, bool);

static KNOWN: LazyLock<RwLock<HashMap<(String, Flags), Regex>>> = LazyLock::new(RwLock::default);

/// The pattern, compiled once per run. Look-around and backreferences do not exist here.
pub(in crate::template) fn pattern(text: &str, flags: Flags) -> Result<Regex, Error> {
    let key = (text.to_owned(), flags);
    if let Some(known) = KNOWN
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&key)
    {
        return Ok(known.clone());
    }
    if ["(?=", "(?!", "(?<=", "(?<!"]
        .iter()
        .any(|part| text.contains(part))
    {
        return Err(fault(
            "look-around such as `(?=…)` is not supported in regular expressions; use a group",
        ));
    }
    let built = RegexBuilder::new(&text.replace("\\Z", "\\z"))
        .case_insensitive(flags.0)
        .multi_line(flags.1)
        .size_limit(4 << 20)
        .build()
        .map_err(|error| {
            let said = error.to_string();
            let last = said
                .lines()
                .last()
                .unwrap_or("")
                .trim_start_matches("error: ");
            fault(format!("not a regular expression: {last}"))
        })?;
    KNOWN
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(key, built.clone());
    Ok(built)
}

fn flags(
    kwargs: &Kwargs,
    ignorecase: Option<bool>,
    multiline: Option<bool>,
) -> Result<Flags, Error> {
    let flag = |given: Option<bool>, name: &str| match given {
        Some(given) => Ok::<bool, Error>(given),
        None => Ok(kwargs.get::<Option<bool>>(name)?.unwrap_or(false)),
    };
    Ok((
        flag(ignorecase, "ignorecase")?,
        flag(multiline, "multiline")?,
    ))
}

fn replace(
    value: &Native,
    pattern_text: String,
    args: &[Native],
    kwargs: Kwargs,
) -> Result<String, Error> {
    let text = text_of(value)?;
    let replacement = match args.first() {
        Some(replacement) => Some(text_of(replacement)?),
        None => kwargs.get::<Option<String>>("replacement")?,
    };
    let flag = |index: usize| args.get(index).map(Native::is_true);
    let flags = flags(&kwargs, flag(1), flag(2))?;
    let count = kwargs.get::<Option<usize>>("count")?.unwrap_or(0);
    let mandatory = kwargs.get::<Option<usize>>("mandatory_count")?.unwrap_or(0);
    kwargs.assert_all_used()?;
    let regex = pattern(&pattern_text, flags)?;
    let replacement = Replacement::read(&replacement.unwrap_or_default())?;
    replacement.check(&regex)?;
    let mut found = 0;
    let mut out = String::new();
    let mut at = 0;
    for captures in regex.captures_iter(&text) {
        if count > 0 && found == count {
            break;
        }
        found += 1;
        let whole = captures.get(0).expect("a match has a whole");
        out.push_str(&text[at..whole.start()]);
        replacement.expand(&captures, &mut out);
        at = whole.end();
    }
    out.push_str(&text[at..]);
    if found < mandatory {
        return Err(fault(
            "the pattern matches less often than `mandatory_count` says",
        ));
    }
    Ok(out)
}

/// A replacement in Python's spelling: `\1`, `\g<1>`, `\g<name>`.
struct Replacement(Vec<Part>);

enum Part {
    Text(String),
    Group(usize),
    Name(String),
}

impl Replacement {
    fn read(text: &str) -> Result<Replacement, Error> {
        let mut parts = Vec::new();
        let mut open = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('\\') {
            open.push_str(&rest[..at]);
            let behind = &rest[at + 1..];
            let digits = behind
                .bytes()
                .take(2)
                .take_while(u8::is_ascii_digit)
                .count();
            if digits > 0 {
                parts.push(Part::Text(std::mem::take(&mut open)));
                parts.push(Part::Group(behind[..digits].parse().expect("digits")));
                rest = &behind[digits..];
            } else if let Some(named) = behind.strip_prefix("g<") {
                let end = named
                    .find('>')
                    .ok_or_else(|| fault("a `\\g<` in the replacement has no `>`"))?;
                parts.push(Part::Text(std::mem::take(&mut open)));
                parts.push(match named[..end].parse() {
                    Ok(number) => Part::Group(number),
                    Err(_) => Part::Name(named[..end].to_owned()),
                });
                rest = &named[end + 1..];
            } else {
                let mut chars = behind.chars();
                match chars.next() {
                    Some('n') => open.push('\n'),
                    Some('t') => open.push('\t'),
                    Some('r') => open.push('\r'),
                    Some('\\') => open.push('\\'),
                    Some(c) if c.is_ascii_alphabetic() => {
                        return Err(fault(format!("`\\{c}` means nothing in a replacement")));
                    }
                    Some(c) => {
                        open.push('\\');
                        open.push(c);
                    }
                    None => open.push('\\'),
                }
                rest = chars.as_str();
            }
        }
        open.push_str(rest);
        parts.push(Part::Text(open));
        Ok(Replacement(parts))
    }

    fn check(&self, regex: &Regex) -> Result<(), Error> {
        for part in &self.0 {
            let known = match part {
                Part::Text(_) => true,
                Part::Group(group) => *group < regex.captures_len(),
                Part::Name(name) => regex.capture_names().flatten().any(|known| known == name),
            };
            if !known {
                return Err(fault(
                    "the replacement names a group the pattern does not have",
                ));
            }
        }
        Ok(())
    }

    fn expand(&self, captures: &regex::Captures<'_>, out: &mut String) {
        for part in &self.0 {
            let found = match part {
                Part::Text(text) => {
                    out.push_str(text);
                    continue;
                }
                Part::Group(group) => captures.get(*group),
                Part::Name(name) => captures.name(name),
            };
            out.push_str(found.map_or("", |found| found.as_str()));
        }
    }
}

fn search(
    value: &Native,
    pattern_text: String,
    groups: &[Native],
    kwargs: Kwargs,
) -> Result<Native, Error> {
    let text = text_of(value)?;
    let flags = flags(&kwargs, None, None)?;
    kwargs.assert_all_used()?;
    let regex = pattern(&pattern_text, flags)?;
    let Some(captures) = regex.captures(&text) else {
        return Ok(Native::from(()));
    };
    if groups.is_empty() {
        return Ok(Native::from(
            captures.get(0).map_or("", |whole| whole.as_str()),
        ));
    }
    let mut found = Vec::new();
    for group in groups {
        let spelled = text_of(group)?;
        let read = Replacement::read(&spelled)?;
        read.check(&regex)?;
        if !matches!(read.0.as_slice(), [Part::Text(a), Part::Group(_) | Part::Name(_), Part::Text(b)] if a.is_empty() && b.is_empty())
        {
            return Err(fault("a group is given as `\\\\1` or `\\\\g<name>`"));
        }
        let mut part = String::new();
        read.expand(&captures, &mut part);
        found.push(Native::from(part));
    }
    Ok(Native::from(found))
}

fn findall(
    value: &Native,
    pattern_text: String,
    multiline: Option<bool>,
    ignorecase: Option<bool>,
    kwargs: Kwargs,
) -> Result<Native, Error> {
    let text = text_of(value)?;
    let flags = flags(&kwargs, ignorecase, multiline)?;
    kwargs.assert_all_used()?;
    let regex = pattern(&pattern_text, flags)?;
    let part = |found: Option<regex::Match<'_>>| Native::from(found.map_or("", |m| m.as_str()));
    Ok(regex
        .captures_iter(&text)
        .map(|captures| match captures.len() {
            1 => part(captures.get(0)),
            2 => part(captures.get(1)),
            more => (1..more).map(|group| part(captures.get(group))).collect(),
        })
        .collect())
}

fn escape(value: &Native, re_type: Option<String>) -> Result<String, Error> {
    let text = text_of(value)?;
    let special = match re_type.as_deref() {
        None | Some("python") => "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}",
        Some("posix_basic") => "[].^$*\\",
        Some(_) => return Err(fault("`re_type` is python or posix_basic")),
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if special.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    Ok(out)
}
