//! The terms of a host pattern, read from text.

use globset::Glob;
use regex::Regex;

use super::pattern::{Matcher, Role, Subscript, Term};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::place;

/// Adds the terms of one text.
pub(super) fn parse(text: &str, span: &Span, terms: &mut Vec<Term>, faults: &mut Vec<Diagnostic>) {
    if let Some(path) = text.strip_prefix('@') {
        faults.push(
            Diagnostic::at(span, "a pattern cannot be read from a file").help(format!(
                "write the names that `{path}` holds, with `,` between them"
            )),
        );
        return;
    }
    for (start, end) in split(text) {
        let raw = &text[start..end];
        let lead = raw.len() - raw.trim_start().len();
        let word = raw.trim();
        if word.is_empty() {
            continue;
        }
        let start = start + lead;
        let spot = place(span, text, start..start + word.len());
        match parse_term(word, &spot) {
            Ok(term) => terms.push(term),
            Err(fault) => faults.push(*fault),
        }
    }
}

/// Byte ranges between `,` and `:`, which part terms except inside brackets; an IPv6 address stays whole.
fn split(text: &str) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    for (start, end) in cut(text, 0, ',') {
        let bare = text[start..end].trim().trim_start_matches(['!', '&']);
        if bare.parse::<std::net::Ipv6Addr>().is_ok() {
            parts.push((start, end));
        } else {
            parts.extend(cut(&text[start..end], start, ':'));
        }
    }
    parts
}

fn cut(text: &str, offset: usize, separator: char) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let mut depth = 0usize;
    let mut start = 0;
    for (at, c) in text.char_indices() {
        match c {
            '[' | '(' | '{' => depth += 1,
            ']' | ')' | '}' => depth = depth.saturating_sub(1),
            c if c == separator && depth == 0 => {
                parts.push((offset + start, offset + at));
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push((offset + start, offset + text.len()));
    parts
}

fn parse_term(word: &str, span: &Span) -> Result<Term, Box<Diagnostic>> {
    let bad = |why: String| {
        Box::new(Diagnostic::at(span, format!("bad host pattern `{word}`")).label(why))
    };
    let (role, text) = match word.as_bytes().first() {
        Some(b'!') => (Role::Remove, &word[1..]),
        Some(b'&') => (Role::Keep, &word[1..]),
        _ => (Role::Add, word),
    };
    if text.is_empty() {
        return Err(bad(format!("a name is missing behind `{word}`")));
    }
    let (matcher, subscript) = if let Some(expression) = text.strip_prefix('~') {
        let regex = Regex::new(expression).map_err(|error| {
            bad(error
                .to_string()
                .lines()
                .last()
                .unwrap_or("not a regular expression")
                .trim_start_matches("error: ")
                .to_owned())
        })?;
        (Matcher::Regex(regex), None)
    } else {
        let (name, subscript) = subscript(text).map_err(bad)?;
        (matcher(name).map_err(bad)?, subscript)
    };
    Ok(Term {
        role,
        matcher,
        subscript,
        text: text.to_owned(),
        span: span.clone(),
    })
}

fn matcher(name: &str) -> Result<Matcher, String> {
    if name == "all" || name == "*" {
        return Ok(Matcher::All);
    }
    if name.contains(['*', '?', '[']) {
        let glob = Glob::new(name).map_err(|error| error.kind().to_string())?;
        return Ok(Matcher::Glob(glob.compile_matcher()));
    }
    if let Some(odd) = name
        .chars()
        .find(|c| c.is_whitespace() || matches!(c, ']' | '{' | '}' | '(' | ')' | '!' | '&' | '/'))
    {
        return Err(format!(
            "`{}` cannot stand in a name; terms are parted by `:` or `,`",
            odd.escape_default()
        ));
    }
    Ok(Matcher::Name(name.to_owned()))
}

/// Takes `[0]`, `[-1]`, `[0:2]`, `[1:]` off the end of a term; other brackets belong to a glob.
fn subscript(text: &str) -> Result<(&str, Option<Subscript>), String> {
    let Some((name, inner)) = text
        .strip_suffix(']')
        .and_then(|text| text.rsplit_once('['))
    else {
        return if text.contains('[') && !text.contains(']') {
            Err("`[` without `]`".to_owned())
        } else {
            Ok((text, None))
        };
    };
    let numeric = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |text: &str| {
        text.parse::<usize>()
            .ok()
            .filter(|number| *number < 1_000_000_000)
            .ok_or(format!("the index `{text}` is too large"))
    };
    if inner.is_empty() {
        return Err("an index is missing in `[]`".to_owned());
    }
    if name.is_empty() {
        return Err("a name is missing before `[`".to_owned());
    }
    if numeric(inner.strip_prefix('-').unwrap_or(inner)) {
        let magnitude = number(inner.trim_start_matches('-'))? as i64;
        let index = if inner.starts_with('-') {
            -magnitude
        } else {
            magnitude
        };
        return Ok((name, Some(Subscript::At(index))));
    }
    if let Some((first, last)) = inner.split_once([':', '-'])
        && (numeric(first) || first.is_empty())
        && (numeric(last) || last.is_empty())
    {
        let from = if first.is_empty() { 0 } else { number(first)? };
        let to = if last.is_empty() {
            None
        } else {
            Some(number(last)?)
        };
        if to.is_some_and(|to| to < from) {
            return Err(format!("`[{inner}]` ends before it begins"));
        }
        return Ok((name, Some(Subscript::From(from, to))));
    }
    if inner.contains(':') {
        return Err(format!("`[{inner}]` is not a range such as `[0:2]`"));
    }
    Ok((text, None))
}
