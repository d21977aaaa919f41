//! Python's `'…' % value`: the engine's `%` counts only.

use std::ops::Range;

use super::chain::matching;
use super::scan::{Token, Word};

/// What turns `'%s' % value` into the filter `'%s' |__percent(value)`, where the pattern is written out.
pub(super) fn calls(text: &str, tokens: &[Token]) -> Vec<(Range<usize>, &'static str)> {
    let mut edits = Vec::new();
    for at in 1..tokens.len() {
        if tokens[at].of(text) != "%" || tokens[at - 1].word != Word::Text {
            continue;
        }
        if let Some(last) = operand(text, tokens, at + 1) {
            edits.push((tokens[at].range.clone(), "|__percent("));
            let end = tokens[last].range.end;
            edits.push((end..end, ")"));
        }
    }
    edits
}

/// The last token of the operand that begins at `at`: what hangs on it and its filters bind tighter than `%`.
fn operand(text: &str, tokens: &[Token], at: usize) -> Option<usize> {
    let sign = |index: usize| tokens.get(index).map_or("", |token| token.of(text));
    let mut first = at;
    while matches!(sign(first), "-" | "+") {
        first += 1;
    }
    let mut last = match sign(first) {
        "(" | "[" | "{" => matching(text, tokens, first)?,
        _ if tokens.get(first)?.word == Word::Sign => return None,
        _ => first,
    };
    loop {
        last = match sign(last + 1) {
            "." | "|" if tokens.get(last + 2)?.word != Word::Sign => last + 2,
            "(" | "[" => matching(text, tokens, last + 1)?,
            _ => return Some(last),
        };
    }
}
