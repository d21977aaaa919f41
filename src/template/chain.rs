//! Names in expressions with what hangs on them, and whether they may be missing.

use std::ops::Range;

use super::scan::{Token, Word};

/// A name at the root of `a.b['c'].d`, with all that hangs on it.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    /// The index of the root's token.
    pub root: usize,
    /// The links: token ranges, `.name` or `[…]`.
    pub links: Vec<Range<usize>>,
    /// The index of the token behind.
    pub end: usize,
}

/// All names that are looked up, in the order they stand in.
pub(super) fn chains(text: &str, tokens: &[Token]) -> Vec<Chain> {
    let sign = |index: usize| tokens.get(index).map_or("", |token| token.of(text));
    let mut chains = Vec::new();
    for (root, token) in tokens.iter().enumerate() {
        let name = token.of(text);
        let before = root.checked_sub(1).map_or("", sign);
        let beside = root.checked_sub(2).map_or("", sign);
        if token.word != Word::Name
            || KEYWORDS.contains(&name)
            || matches!(before, "." | "|" | "is")
            || before == "not" && beside == "is"
            || sign(root + 1) == "=" && matches!(before, "(" | ",")
        {
            continue;
        }
        chains.push(from(text, tokens, root));
    }
    chains
}

/// What hangs on a root.
fn from(text: &str, tokens: &[Token], root: usize) -> Chain {
    let mut links = Vec::new();
    let mut end = root + 1;
    loop {
        match tokens.get(end).map_or("", |token| token.of(text)) {
            "." if tokens
                .get(end + 1)
                .is_some_and(|token| matches!(token.word, Word::Name | Word::Number)) =>
            {
                links.push(end..end + 2);
                end += 2;
            }
            "[" => {
                let Some(close) = matching(text, tokens, end) else {
                    break;
                };
                links.push(end..close + 1);
                end = close + 1;
            }
            _ => break,
        }
    }
    Chain { root, links, end }
}

/// The chains whose value may be missing, those among them that hang on what was called or written out.
pub(super) fn all_guarded(text: &str, tokens: &[Token]) -> Vec<Chain> {
    let mut all = chains(text, tokens);
    for (root, token) in tokens.iter().enumerate() {
        let ends = token.word == Word::Text || matches!(token.of(text), ")" | "]" | "}");
        if ends
            && !all
                .iter()
                .any(|chain| (chain.root..chain.end).contains(&root))
        {
            all.push(from(text, tokens, root));
        }
    }
    all.retain(|chain| guarded(text, tokens, chain.end));
    all
}

/// The index of the bracket that closes the one at `open`.
pub(super) fn matching(text: &str, tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.of(text) {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => {
                depth -= 1;
                if depth == 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether what stands at `end` asks for a value that may be missing: `default`, `is defined`, `is undefined`.
pub(super) fn guarded(text: &str, tokens: &[Token], end: usize) -> bool {
    let word = |index: usize| tokens.get(index).map_or("", |token| token.of(text));
    match word(end) {
        "|" => matches!(word(end + 1), "default" | "d"),
        "is" => {
            let at = if word(end + 1) == "not" { 2 } else { 1 };
            matches!(word(end + at), "defined" | "undefined")
        }
        _ => false,
    }
}

const KEYWORDS: &[&str] = &[
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "else",
    "elif",
    "endif",
    "for",
    "endfor",
    "true",
    "false",
    "none",
    "True",
    "False",
    "None",
    "recursive",
];
