//! What is wrong in a YAML text, said so that it can be mended.

use std::sync::Arc;

use granit_parser::{ErrorKind, ScanError};

use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// A break in the structure, as the parser found it, and where in the source that is.
pub(super) fn broken(source: &Arc<Source>, error: &ScanError, offset: usize) -> Diagnostic {
    let text = source.text();
    let offset = offset as u32;
    let line = source.line_column(offset).0;
    // The parser may notice at the line before or behind the one that is wrong.
    if let Some(fault) = tab(source, line + 1) {
        return fault;
    }
    for near in [line, line.saturating_sub(1).max(1)] {
        if let Some(fault) = tab(source, near) {
            return fault;
        }
        if let Some(fault) = unquoted_template(source, near) {
            return fault;
        }
    }
    let (offset, line) = settle(source, offset, line);
    let width = text[offset as usize..]
        .chars()
        .next()
        .filter(|c| *c != '\n')
        .map_or(0, char::len_utf8) as u32;
    let span = Span::new(source, offset, offset + width);
    let message = format!("YAML: {}", error.info().trim_end_matches('.'));
    let fault = Diagnostic::at(&span, message);
    let begins = line_text(source, line).trim_start_matches([' ', '-']);
    match error.kind() {
        ErrorKind::UnknownAnchor => fault
            .label("no anchor of that name stands above")
            .help("a value that begins with `*` must be quoted"),
        _ if line_text(source, line).contains(": ") && begins.matches(": ").count() > 1 => {
            fault.help("a value that holds `: ` must be quoted, as in `name: \"a: b\"`")
        }
        _ if begins.contains(": @") || begins.contains(": `") || begins.contains(": %") => {
            fault.help("a value that begins with `@`, `%` or a backquote must be quoted")
        }
        _ => fault
            .help("look at the indentation, quotes and brackets of this line and the one above it"),
    }
}

/// An end of file reported as the place is moved back to the last line with something on it.
fn settle(source: &Arc<Source>, offset: u32, line: usize) -> (u32, usize) {
    let text = source.text();
    let mut end = offset as usize;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    if end < text.len() || text.trim().is_empty() {
        return (end as u32, line);
    }
    let last = text.trim_end();
    let at = last.len() - last.chars().next_back().map_or(0, char::len_utf8);
    (at as u32, source.line_column(at as u32).0)
}

/// A tab in the indentation of a line.
pub(super) fn tab(source: &Arc<Source>, line: usize) -> Option<Diagnostic> {
    let text = line_text(source, line);
    let indent = text.len() - text.trim_start_matches([' ', '\t']).len();
    if text.trim().is_empty() {
        return None;
    }
    let at = text[..indent].find('\t')? as u32;
    let start = source.line_start(line) + at;
    let width = text[at as usize..indent]
        .bytes()
        .take_while(|byte| *byte == b'\t')
        .count() as u32;
    Some(
        Diagnostic::at(
            &Span::new(source, start, start + width),
            "a tab in the indentation",
        )
        .label("YAML is indented with spaces")
        .help("replace it by spaces; most editors do so with a setting for YAML files"),
    )
}

/// A value that begins with `{{` outside quotes, on a line.
pub(super) fn unquoted_template(source: &Arc<Source>, line: usize) -> Option<Diagnostic> {
    let text = line_text(source, line);
    let at = [": {{", "- {{"]
        .iter()
        .filter_map(|opening| text.find(opening).map(|at| at + 2))
        .min()
        .or_else(|| {
            let bare = text.trim_start();
            bare.starts_with("{{").then(|| text.len() - bare.len())
        })?;
    if text[..at].contains(['"', '\'']) || text.trim_start().starts_with('#') {
        return None;
    }
    Some(template_at(source, source.line_start(line) + at as u32))
}

/// The hint for a value that begins with `{{` at `start`.
pub(super) fn template_at(source: &Arc<Source>, start: u32) -> Diagnostic {
    let rest = &source.text()[start as usize..];
    let value = rest.lines().next().unwrap_or("").trim_end();
    let value = value.split(" #").next().unwrap_or(value).trim_end();
    let quoted = if value.contains('"') {
        format!("'{}'", value.replace('\'', "''"))
    } else {
        format!("\"{value}\"")
    };
    Diagnostic::at(
        &Span::new(source, start, start + value.len() as u32),
        "a value that begins with `{{` must be quoted",
    )
    .label("YAML reads `{` as the start of a mapping")
    .help(format!("write {quoted}"))
}

/// A key written twice.
pub(super) fn duplicate(key: &str, second: &Span, first: &Span) -> Diagnostic {
    Diagnostic::at(second, format!("the key `{key}` is given twice"))
        .label("second time")
        .related(first, "first time")
        .help("keep one of them; YAML would silently take the last")
}

/// A plain scalar PyYAML would turn into something nobody means.
pub(super) fn refused(span: &Span, text: &str, meaning: &str) -> Diagnostic {
    Diagnostic::at(span, format!("`{text}` unquoted is {meaning} in YAML"))
        .label("quote it")
        .help(format!("write \"{text}\" to mean the text"))
}

/// A tag that is not known.
pub(super) fn tagged(span: &Span, tag: &str) -> Diagnostic {
    let fault = Diagnostic::at(span, format!("the tag `{tag}` is not supported"));
    match tag {
        "!vault" | "!vault-encrypted" => fault.help(
            "encrypted values stand in inventories, playbooks and files of variables; not here",
        ),
        "!unsafe" => fault.help(
            "inventories, playbooks and files of variables hold such values; take the tag away here",
        ),
        _ => fault.help("remove it; the standard tags such as `!!str` and `!!int` are accepted"),
    }
}

fn line_text(source: &Source, line: usize) -> &str {
    let start = source.line_start(line) as usize;
    let rest = &source.text()[start..];
    let rest = rest.trim_start_matches('\u{feff}');
    rest.split('\n').next().unwrap_or("").trim_end_matches('\r')
}
