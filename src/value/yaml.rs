//! YAML that people wrote, read into values with spans.

mod fault;
mod loader;
mod loose;
mod scalar;
mod tag;
mod verbatim;

use std::sync::Arc;

use super::{Kind, Value};
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use crate::vault::Keyring;
use loader::Vaults;
pub use verbatim::meant;

/// The documents of a YAML text, in order; an empty text has none.
///
/// Plain scalars resolve as in PyYAML: `yes` and `on` are booleans, `0644` is octal, numbers with an exponent need a dot.
/// Keys that are numbers or booleans become the text Python gives them (`1`, `True`). `<<` merges. What PyYAML would turn
/// into dates or sexagesimal numbers is refused, and so are tags beyond the standard ones, keys that are no scalars,
/// duplicate keys, tabs in indentation, and texts that unfold to more than a million nodes.
///
/// Errors: everything found wrong up to the first break in the structure, in the order of the file.
pub fn parse_yaml(source: &Arc<Source>) -> Result<Vec<Value>, Vec<Diagnostic>> {
    loader::load(source, Vaults::Refused)
}

/// The one document of a YAML text; an empty text is null, a second document an error at its start.
pub fn parse_yaml_one(source: &Arc<Source>) -> Result<Value, Vec<Diagnostic>> {
    one(source, loader::load(source, Vaults::Refused)?)
}

/// The one document of a YAML text that may hold `!vault` values, which are opened and hidden from now on, and `!unsafe` ones: a text
/// of theirs that would be a template becomes one that gives it as it is.
pub fn parse_vaulted_yaml(
    source: &Arc<Source>,
    keyring: &Keyring,
) -> Result<Value, Vec<Diagnostic>> {
    one(source, loader::load(source, Vaults::Open(keyring))?)
}

/// The one document of a YAML text whose `!vault` values stay encrypted until [`super::opened`] is asked for them.
pub fn parse_closed_yaml(source: &Arc<Source>) -> Result<Value, Vec<Diagnostic>> {
    one(source, loader::load(source, Vaults::Stay)?)
}

fn one(source: &Arc<Source>, mut documents: Vec<Value>) -> Result<Value, Vec<Diagnostic>> {
    if let Some(second) = documents.get(1) {
        return Err(vec![
            Diagnostic::at(
                &second.span,
                format!("`{}` holds more than one YAML document", source.name()),
            )
            .label("the second one begins here")
            .help("remove the `---` between them, or split the file"),
        ]);
    }
    Ok(documents
        .pop()
        .unwrap_or_else(|| Value::new(Kind::Null, &Span::new(source, 0, 0))))
}

/// Whether every reader of YAML takes a text, written without quotes, for that text; `flow` when it stands
/// inside brackets.
pub fn is_plain_text(text: &str, flow: bool) -> bool {
    let reserved = |c: char| "-?:,[]{}#&*!|>'\"%@`=".contains(c) || c.is_whitespace();
    if text.is_empty() || text.contains('\n') || text.ends_with([' ', ':']) {
        return false;
    }
    let mut chars = text.chars();
    let first = chars.next().unwrap_or(' ');
    let follows = chars.next();
    let opens = reserved(first)
        && !(matches!(first, '-' | '?' | ':') && follows.is_some_and(|c| !c.is_whitespace()));
    let plain = matches!(scalar::resolve(text), scalar::Plain::Is(Kind::Str(_)));
    !opens
        && plain
        && !text.starts_with("---")
        && !text.starts_with("...")
        && !matches!(text, "=" | "<<")
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains('\t')
        && !(flow && text.contains([',', '[', ']', '{', '}', ':', '?']))
}

#[cfg(test)]
mod tests;
