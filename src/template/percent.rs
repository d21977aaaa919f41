//! Python's `'…' % value`: the engine's `%` counts only.

use std::ops::Range;

use super::chain::{chains, matching};
use super::scan::{Token, Word};

/// What turns `'%s' % value` into the filter `'%s' |__percent(value)`, where the pattern is written out or a variable. Of numbers the filter
/// gives what the engine gives.
pub(super) fn calls(text: &str, tokens: &[Token]) -> Vec<(Range<usize>, &'static str)> {
    let mut edits = Vec::new();
    if !tokens.iter().any(|token| token.of(text) == "%") {
        return edits;
    }
    let chains = chains(text, tokens);
    let is_variable = |at: usize| {
        let chain = chains.iter().find(|chain| chain.end == at);
        chain.is_some_and(|chain| begins_operand(text, tokens, chain.root))
    };
    for at in 1..tokens.len() {
        if tokens[at].of(text) != "%" || (tokens[at - 1].word != Word::Text && !is_variable(at)) {
            continue;
        }
        if let Some(last) = operand(text, tokens, at + 1) {
            if tokens
                .get(last + 1)
                .is_some_and(|token| token.of(text) == "**")
            {
                continue;
            }
            edits.push((tokens[at].range.clone(), "|__percent("));
            let end = tokens[last].range.end;
            edits.push((end..end, ")"));
        }
    }
    edits
}

/// Whether what stands before the token leaves it to the `%` behind it: a filter binds tighter than `*` and the sign of a number.
fn begins_operand(text: &str, tokens: &[Token], at: usize) -> bool {
    let Some(before) = at.checked_sub(1) else {
        return true;
    };
    match tokens[before].of(text) {
        "*" | "/" | "//" | "%" | "**" => false,
        "-" | "+" => before.checked_sub(1).is_some_and(|operand| {
            let token = &tokens[operand];
            token.word != Word::Sign || matches!(token.of(text), ")" | "]" | "}")
        }),
        _ => true,
    }
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
