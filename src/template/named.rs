//! The templates that a template file names: they are read before connecting, as it is.

use std::sync::Arc;

use super::include::Included;
use super::scan::{self, MARKERS, Part};
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// What includes, imports and parents of a file name by a text alone. Files that are found are given; one that is not is a fault where
/// it is named outside of any block, for there it is always looked for.
pub(super) fn of(
    includes: &Included,
    source: &Arc<Source>,
    faults: &mut Vec<Diagnostic>,
) -> Vec<Arc<Source>> {
    let text = source.text();
    let mut depth = 0_usize;
    let mut found = Vec::new();
    for piece in scan::pieces(text, &MARKERS) {
        if piece.part != Part::Block {
            continue;
        }
        let tokens = scan::tokens(text, piece.inner.clone());
        let words: Vec<&str> = tokens.iter().map(|token| token.of(text)).collect();
        match words.as_slice() {
            [word, ..] if word.starts_with("end") => depth = depth.saturating_sub(1),
            ["include" | "import" | "from" | "extends", name, rest @ ..] => {
                let Some(file) = literal(name, rest) else {
                    continue;
                };
                if let Some(named) = includes.look(file, source.name()) {
                    found.push(named);
                } else if depth == 0 && !rest.contains(&"missing") {
                    let at = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
                    let range = &tokens[1].range;
                    let span = Span::new(source, at(range.start), at(range.end));
                    let fault = Diagnostic::at(&span, format!("there is no template `{file}`"));
                    faults.push(fault.help(
                        "it is looked for beside this file, then where the playbooks' templates are",
                    ));
                }
            }
            [
                "if" | "for" | "macro" | "call" | "filter" | "block" | "with" | "autoescape",
                ..,
            ] => {
                depth += 1;
            }
            ["set", ..] if !words.contains(&"=") => depth += 1,
            _ => {}
        }
    }
    found
}

/// The text of a name that is a text alone.
fn literal<'t>(word: &'t str, rest: &[&str]) -> Option<&'t str> {
    let quote = word.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inner = word.strip_prefix(quote)?.strip_suffix(quote)?;
    let alone = matches!(
        rest.first(),
        None | Some(&("ignore" | "with" | "without" | "as" | "import"))
    );
    (alone && !inner.contains('\\')).then_some(inner)
}
