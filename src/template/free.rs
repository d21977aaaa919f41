//! The names a template looks up and does not define itself.

use std::collections::HashSet;
use std::sync::Arc;

use super::chain;
use super::compile::{Compiled, Engine, Form, Program};
use super::known::FUNCTIONS;
use super::scan::{self, MARKERS, Part};
use crate::resource::RenderOptions;
use crate::source::{Source, Span};
use crate::value::{Kind, Value, place};

/// A name that a template looks up.
#[derive(Debug, Clone)]
pub struct FreeName {
    /// The name at the root, without what hangs on it.
    pub name: String,
    /// Whether it may be missing: it stands under `default` or `is defined`, or where it may not be evaluated at all.
    pub guarded: bool,
    /// Where it stands first.
    pub span: Span,
}

/// Of all texts in a value.
pub(super) fn value(engine: &Arc<Engine>, value: &Value, names: &mut Vec<FreeName>) {
    match &value.kind {
        Kind::Str(text) if scan::has_markers(text) => {
            names.extend(of(&engine.text(text, Form::Text), text, &value.span, false));
        }
        Kind::List(items) => items
            .iter()
            .for_each(|item| self::value(engine, item, names)),
        Kind::Map(map) => map
            .values()
            .for_each(|entry| self::value(engine, &entry.value, names)),
        _ => {}
    }
}

/// Of a condition or expression.
pub(super) fn condition(engine: &Arc<Engine>, condition: &Value) -> Vec<FreeName> {
    match &condition.kind {
        Kind::Str(text) => of(
            &engine.text(text, Form::Expression),
            text,
            &condition.span,
            !text.trim_start().starts_with("{{"),
        ),
        Kind::List(items) => items
            .iter()
            .flat_map(|item| self::condition(engine, item))
            .collect(),
        _ => Vec::new(),
    }
}

/// Of a template file.
pub(super) fn source(
    engine: &Arc<Engine>,
    source: &Arc<Source>,
    options: &RenderOptions,
) -> Vec<FreeName> {
    let span = Span::new(source, 0, source.text().len() as u32);
    of(&engine.file(source, options), source.text(), &span, false)
}

fn of(compiled: &Compiled, text: &str, span: &Span, bare: bool) -> Vec<FreeName> {
    let free: HashSet<String> = match &compiled.program {
        Ok(Program::Expression { expression, .. }) => expression.undeclared_variables(false),
        Ok(Program::Template(template) | Program::Blocks(template)) => {
            template.undeclared_variables(false)
        }
        Err(_) => return Vec::new(),
    };
    let mut names: Vec<FreeName> = Vec::new();
    let mut conditional = 0usize;
    for (block, range) in parts(text, bare) {
        let tokens = scan::tokens(text, range);
        let word = |index: usize| tokens.get(index).map_or("", |token| token.of(text));
        if block && word(0) == "endif" {
            conditional = conditional.saturating_sub(1);
        }
        let first_branch = (0..tokens.len())
            .find(|index| matches!(word(*index), "and" | "or" | "else") && *index > 0)
            .unwrap_or(tokens.len());
        let inline_if = !block && (0..tokens.len()).any(|index| word(index) == "if");
        for chain in chain::chains(text, &tokens) {
            let name = word(chain.root);
            if !free.contains(name) || FUNCTIONS.contains(&name) || name == "omit" {
                continue;
            }
            let guarded = conditional > 0
                || inline_if
                || chain.root > first_branch
                || chain::guarded(text, &tokens, chain.end);
            match names.iter_mut().find(|known| known.name == name) {
                Some(known) => known.guarded |= guarded,
                None => names.push(FreeName {
                    name: name.to_owned(),
                    guarded,
                    span: place(span, text, tokens[chain.root].range.clone()),
                }),
            }
        }
        if block && word(0) == "if" {
            conditional += 1;
        }
    }
    names
}

/// The ranges with words in them, and whether each is a block.
fn parts(text: &str, bare: bool) -> Vec<(bool, std::ops::Range<usize>)> {
    if bare {
        return vec![(false, 0..text.len())];
    }
    scan::pieces(text, &MARKERS)
        .into_iter()
        .filter(|piece| matches!(piece.part, Part::Expression | Part::Block))
        .map(|piece| (piece.part == Part::Block, piece.inner))
        .collect()
}
