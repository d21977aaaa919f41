//! The text the engine compiles, made from the one that was written.

use std::ops::Range;

use super::chain::{self, Chain};
use super::percent;
use super::scan::{self, Part, Piece, Token, Word};
use super::slice;

/// Copies a text, giving missing parts of guarded names a way to be missing: `a.b.c | default(…)` looks the links up by a
/// filter that is content with nothing, as Ansible's undefined values are.
///
/// In `{{ }}` of values, backslashes in strings stand for themselves, as in Ansible: YAML has read them already.
pub(super) struct Rewriter<'t> {
    text: &'t str,
    at: usize,
    literal: bool,
    trims: bool,
    out: String,
    offsets: Vec<(usize, usize, bool)>,
}

impl<'t> Rewriter<'t> {
    /// Copies from `at` on.
    pub(super) fn new(text: &'t str, at: usize) -> Rewriter<'t> {
        Rewriter {
            text,
            at,
            literal: false,
            trims: true,
            out: String::with_capacity(text.len()),
            offsets: Vec::new(),
        }
    }

    /// Copies a text of a value.
    pub(super) fn of_value(text: &'t str) -> Rewriter<'t> {
        Rewriter {
            literal: true,
            ..Rewriter::new(text, 0)
        }
    }

    /// Of a template whose line breaks behind blocks stay, or not.
    pub(super) fn trimming(self, trims: bool) -> Rewriter<'t> {
        Rewriter { trims, ..self }
    }

    /// Begins at an offset.
    pub(super) fn from(self, at: usize) -> Rewriter<'t> {
        Rewriter { at, ..self }
    }

    fn copy(&mut self, to: usize) {
        let part = &self.text[self.at..to];
        let mut from = self.at;
        for line in part.split_inclusive("\r\n") {
            self.offsets.push((self.out.len(), from, true));
            from += line.len();
            match line.strip_suffix("\r\n") {
                Some(line) => {
                    self.out.push_str(line);
                    self.out.push('\n');
                }
                None => self.out.push_str(line),
            }
        }
        self.at = to;
    }

    fn insert(&mut self, text: &str) {
        self.offsets.push((self.out.len(), self.at, false));
        self.out.push_str(text);
        self.offsets.push((self.out.len(), self.at, true));
    }

    /// Copies a part.
    pub(super) fn piece(&mut self, piece: &Piece) {
        if matches!(piece.part, Part::Expression | Part::Block) {
            self.expression(piece.inner.clone(), piece.part == Part::Expression);
        }
        self.copy(piece.outer.end);
        // Jinja keeps the line break behind this one block, the engine does not.
        let raw = piece.part == Part::Block && self.text[piece.inner.clone()].trim() == "raw";
        if raw && self.trims && self.text[self.at..].starts_with('\n') {
            self.insert("\n");
        }
    }

    /// Copies an expression to its end; `braced` when it stands in `{{ }}`.
    pub(super) fn expression(&mut self, range: Range<usize>, braced: bool) {
        let end = range.end;
        let tokens = scan::tokens(self.text, range);
        let guarded = chain::all_guarded(self.text, &tokens);
        let mut edits = self.links(&tokens, &guarded);
        edits.extend(slice::calls(self.text, &tokens, &guarded));
        edits.extend(percent::calls(self.text, &tokens));
        if self.literal && braced {
            for token in tokens.iter().filter(|token| token.word == Word::Text) {
                for (at, _) in token.of(self.text).match_indices('\\') {
                    let at = token.range.start + at;
                    // One that stands before a quote hides it, and itself stays.
                    let quote = self.text[at + 1..].starts_with(['"', '\'']);
                    edits.push((at..at, if quote { "\\\\" } else { "\\" }));
                }
            }
        }
        edits.sort_by_key(|(range, _)| range.start);
        for (range, text) in edits {
            if range.start >= self.at {
                self.copy(range.start);
                self.insert(text);
                self.at = range.end;
            }
        }
        self.copy(end);
    }

    /// What turns the links of guarded chains into filters.
    fn links(&self, tokens: &[Token], guarded: &[Chain]) -> Vec<(Range<usize>, &'static str)> {
        let mut edits = Vec::new();
        for link in guarded.iter().flat_map(|chain| &chain.links) {
            let first = &tokens[link.start];
            let last = &tokens[link.end - 1];
            if first.of(self.text) == "." {
                edits.push((first.range.start..last.range.start, "|__link('"));
                edits.push((last.range.end..last.range.end, "')"));
            } else if slice::parts(self.text, tokens, link.start).is_none() {
                edits.push((first.range.clone(), "|__link("));
                edits.push((last.range.clone(), ")"));
            }
        }
        edits
    }

    /// The copy, and the offsets it came from.
    pub(super) fn finish(self) -> (String, Offsets) {
        (self.out, Offsets(self.offsets))
    }
}

/// A rewritten text's offsets: pairs of a start there and a start in the written text.
#[derive(Debug, Default, Clone)]
pub(super) struct Offsets(Vec<(usize, usize, bool)>);

impl Offsets {
    /// The written range of a compiled one.
    pub(super) fn written(&self, range: Range<usize>) -> Range<usize> {
        let start = self.one(range.start);
        start..self.one(range.end).max(start)
    }

    /// The same for a compiled text that stands `shift` bytes further on.
    pub(super) fn shifted(&self, shift: usize) -> Offsets {
        let moved = self
            .0
            .iter()
            .map(|(from, to, copied)| (from + shift, *to, *copied));
        Offsets(moved.collect())
    }

    fn one(&self, offset: usize) -> usize {
        let index = self.0.partition_point(|(from, ..)| *from <= offset);
        match index.checked_sub(1).map(|index| self.0[index]) {
            Some((from, to, true)) => to + (offset - from),
            Some((_, to, false)) => to,
            None => offset,
        }
    }
}
