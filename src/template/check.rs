//! What can be said of a template without its values: syntax, and names that do not exist.

use std::ops::Range;
use std::sync::Arc;

use super::arguments::{self, Called};
use super::compile::{Compiled, Engine, Form};
use super::known::FUNCTIONS;
use super::scan::{self, Part, Piece, Token, Word};
use super::{filter, lookup, refused, test};
use crate::diagnostic::{Diagnostic, nearest};
use crate::resource::RenderOptions;
use crate::source::{Source, Span};
use crate::value::{Kind, Value, place};

/// Something wrong in a text, wherever that text stands.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    range: Range<usize>,
    message: String,
    label: Option<String>,
    help: Option<String>,
    /// Whether it is of something that Ansible has and hadeploy has not.
    absent: bool,
}

impl Problem {
    pub(super) fn new(range: Range<usize>, message: impl Into<String>) -> Problem {
        Problem {
            range,
            message: message.into(),
            label: None,
            help: None,
            absent: false,
        }
    }

    pub(super) fn label(mut self, label: impl Into<String>) -> Problem {
        self.label = Some(label.into());
        self
    }

    fn absent(mut self) -> Problem {
        self.absent = true;
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    fn nearest<'a>(mut self, word: &str, valid: impl IntoIterator<Item = &'a str>) -> Problem {
        self.label = nearest(word, valid).map(|near| format!("did you mean `{near}`?"));
        self
    }

    /// The problem at the place of a text.
    pub(super) fn diagnostic(&self, text: &str, span: &Span) -> Diagnostic {
        let end = self.range.end.min(text.len());
        let range = self.range.start.min(end)..end;
        Diagnostic {
            label: self.label.clone(),
            help: self.help.clone(),
            absent: self.absent,
            ..Diagnostic::at(&place(span, text, range), self.message.clone())
        }
    }
}

/// Checks all texts of a value.
pub(super) fn value(engine: &Arc<Engine>, value: &Value, faults: &mut Vec<Diagnostic>) {
    match &value.kind {
        Kind::Str(text) if scan::has_markers(text) => {
            faults.extend(problems(&engine.text(text, Form::Text), text, &value.span));
        }
        Kind::List(items) => items
            .iter()
            .for_each(|item| self::value(engine, item, faults)),
        Kind::Map(map) => map
            .values()
            .for_each(|entry| self::value(engine, &entry.value, faults)),
        _ => {}
    }
}

/// Checks a condition.
pub(super) fn condition(engine: &Arc<Engine>, condition: &Value) -> Vec<Diagnostic> {
    match &condition.kind {
        Kind::Str(text) => {
            let mut faults = problems(&engine.text(text, Form::Expression), text, &condition.span);
            if faults.is_empty() && text.trim_start().starts_with("{{") {
                faults.push(
                    Diagnostic::warning(&condition.span, "a condition is written in braces")
                        .label("it is an expression already")
                        .help("remove the `{{` and `}}`"),
                );
            }
            faults
        }
        Kind::List(items) => items
            .iter()
            .flat_map(|item| self::condition(engine, item))
            .collect(),
        Kind::Bool(_) => Vec::new(),
        _ => vec![
            Diagnostic::at(
                &condition.span,
                format!("a condition cannot be {}", condition.type_name()),
            )
            .help("write an expression, such as `x is defined`"),
        ],
    }
}

/// Checks a template file.
pub(super) fn source(
    engine: &Arc<Engine>,
    source: &Arc<Source>,
    options: &RenderOptions,
) -> Vec<Diagnostic> {
    let span = Span::new(source, 0, source.text().len() as u32);
    problems(&engine.file(source, options), source.text(), &span)
}

fn problems(compiled: &Compiled, text: &str, span: &Span) -> Vec<Diagnostic> {
    match &compiled.program {
        Ok(_) => Vec::new(),
        Err(problems) => problems
            .iter()
            .map(|problem| problem.diagnostic(text, span))
            .collect(),
    }
}

/// Unknown names in one expression; braces where none belong.
pub(super) fn expression(text: &str, range: Range<usize>, form: Form) -> Vec<Problem> {
    if range.len() == text.len() && form == Form::Expression {
        if text.trim().is_empty() {
            return vec![
                Problem::new(0..text.len(), "an empty condition")
                    .help("remove it, or write `true`"),
            ];
        }
        if let Some(at) = text.find("{{").filter(|_| text.contains("}}")) {
            let end = text[at..].find("}}").map_or(text.len(), |end| at + end + 2);
            return vec![
                Problem::new(at..end, "braces inside an expression")
                    .help("write the variable's name without `{{ }}`"),
            ];
        }
        if let Some(at) = text.find("{%") {
            return vec![
                Problem::new(at..at + 2, "a block inside an expression")
                    .help("write it as `a if condition else b`"),
            ];
        }
    }
    let tokens = scan::tokens(text, range);
    unknown(text, &tokens, &[])
}

/// Unknown names in all parts of a template.
pub(super) fn pieces(text: &str, pieces: &[Piece]) -> Vec<Problem> {
    let words: Vec<(Part, Vec<Token>)> = pieces
        .iter()
        .filter(|piece| matches!(piece.part, Part::Expression | Part::Block))
        .map(|piece| (piece.part, scan::tokens(text, piece.inner.clone())))
        .collect();
    let mut local = Vec::new();
    for (_, tokens) in words.iter().filter(|(part, _)| *part == Part::Block) {
        locals(text, tokens, &mut local);
    }
    let mut problems = Vec::new();
    for (part, tokens) in &words {
        let first = tokens.first().map_or("", |token| token.of(text));
        if *part == Part::Block && matches!(first, "macro" | "raw" | "endraw" | "block") {
            continue;
        }
        if *part == Part::Block && first == "filter" {
            continue;
        }
        problems.extend(unknown(text, tokens, &local));
    }
    problems
}

/// The names that blocks of a text define.
pub(super) fn defined_within(text: &str) -> Vec<&str> {
    let mut local = Vec::new();
    for piece in scan::pieces(text, &scan::MARKERS) {
        if piece.part == Part::Block {
            locals(text, &scan::tokens(text, piece.inner), &mut local);
        }
    }
    local
}

/// Names a block defines: macros and their parameters, sets, imports, loop variables.
fn locals<'t>(text: &'t str, tokens: &[Token], local: &mut Vec<&'t str>) {
    let word = tokens.first().map_or("", |token| token.of(text));
    let end = match word {
        "for" => "in",
        "set" | "with" => "=",
        "macro" | "import" | "from" | "call" => "",
        _ => return,
    };
    local.extend(
        tokens[1..]
            .iter()
            .take_while(|token| token.of(text) != end)
            .filter(|token| token.word == Word::Name)
            .map(|token| token.of(text)),
    );
}

fn unknown(text: &str, tokens: &[Token], local: &[&str]) -> Vec<Problem> {
    let word = |index: usize| tokens.get(index).map_or("", |token| token.of(text));
    let mut problems = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if token.word != Word::Name {
            continue;
        }
        let before = index.checked_sub(1).map_or("", word);
        let is_test = before == "is" && token.of(text) != "not"
            || before == "not" && index.checked_sub(2).map_or("", word) == "is";
        if before == "|" || is_test {
            let (name, range) = dotted(text, tokens, index);
            let end = tokens.iter().position(|token| token.range.end == range.end);
            let (called, names, collections) = match before {
                "|" => (Called::Filter, filter::NAMES, filter::COLLECTIONS),
                _ => (Called::Test, test::NAMES, test::COLLECTIONS),
            };
            // Of what is there, the arguments are looked at.
            if let (Some(name), Some(end)) = (known(&name, names, collections), end)
                && word(end + 1) == "("
            {
                problems.extend(arguments::problem(called, name, text, tokens, end + 1));
            }
            problems.extend(unknown_called(called, &name, range));
        } else if word(index + 1) == "(" && before != "." && !local.contains(&token.of(text)) {
            problems.extend(unknown_function(token.of(text), token.range.clone()));
            if matches!(token.of(text), "lookup" | "query" | "q")
                && let Some(name) = tokens.get(index + 2)
            {
                problems.extend(match known_lookup(text, name) {
                    Some(known) if matches!(word(index + 3), "," | ")") => {
                        arguments::problem(Called::Lookup, known, text, tokens, index + 1)
                    }
                    _ => unknown_lookup(text, name),
                });
            }
        }
    }
    problems
}

/// `ansible.builtin.b64encode` as one name.
fn dotted(text: &str, tokens: &[Token], index: usize) -> (String, Range<usize>) {
    let mut name = tokens[index].of(text).to_owned();
    let mut end = index;
    while tokens
        .get(end + 1)
        .is_some_and(|token| token.of(text) == ".")
        && tokens
            .get(end + 2)
            .is_some_and(|token| token.word == Word::Name)
    {
        name.push('.');
        name.push_str(tokens[end + 2].of(text));
        end += 2;
    }
    (name, tokens[index].range.start..tokens[end].range.end)
}

/// The short name of what is there; a full name counts in its own collection.
pub(super) fn known(
    name: &str,
    names: &'static [&'static str],
    collections: &[(&str, &[&str])],
) -> Option<&'static str> {
    let (collection, short) = name.rsplit_once('.').unwrap_or(("", name));
    let at_home = match collection {
        "" | "ansible.builtin" => true,
        // Where the filters of addresses were before.
        "ansible.netcommon" => collections
            .iter()
            .any(|(known, names)| *known == "ansible.utils" && names.contains(&short)),
        collection => collections
            .iter()
            .any(|(known, names)| *known == collection && names.contains(&short)),
    };
    names
        .iter()
        .copied()
        .find(|known| at_home && *known == short)
}

/// A name that is not there: what to use instead, or the nearest that is.
fn unknown_name(
    what: &str,
    name: &str,
    range: Range<usize>,
    refused: refused::Refused,
    names: &'static [&'static str],
) -> Problem {
    let problem = Problem::new(range, format!("the {what} `{name}` is not supported"));
    match refused::instead(refused, name) {
        Some(instead) => problem.help(instead).absent(),
        None => {
            let short = name.rsplit('.').next().unwrap_or(name);
            problem.nearest(short, names.iter().copied())
        }
    }
}

/// A filter or test that is not there.
pub(super) fn unknown_called(called: Called, name: &str, range: Range<usize>) -> Option<Problem> {
    match called {
        Called::Filter => unknown_filter(name, range),
        Called::Test => unknown_test(name, range),
        Called::Lookup => None,
    }
}

fn unknown_filter(name: &str, range: Range<usize>) -> Option<Problem> {
    if known(name, filter::NAMES, filter::COLLECTIONS).is_some() || name.starts_with("__") {
        return None;
    }
    Some(unknown_name(
        "filter",
        name,
        range,
        refused::FILTERS,
        filter::NAMES,
    ))
}

fn unknown_test(name: &str, range: Range<usize>) -> Option<Problem> {
    if known(name, test::NAMES, test::COLLECTIONS).is_some() {
        return None;
    }
    Some(unknown_name(
        "test",
        name,
        range,
        refused::TESTS,
        test::NAMES,
    ))
}

/// The name of the lookup that a call names literally.
fn named_lookup<'t>(text: &'t str, name: &Token) -> Option<&'t str> {
    // One whose quote is not closed ends with the text.
    let spelled = name.of(text);
    match name.word {
        Word::Text => ['"', '\'']
            .into_iter()
            .find_map(|quote| spelled.strip_prefix(quote)?.strip_suffix(quote)),
        _ => None,
    }
}

fn known_lookup(text: &str, name: &Token) -> Option<&'static str> {
    let word = named_lookup(text, name)?;
    known(word, lookup::NAMES, lookup::COLLECTIONS)
}

fn unknown_lookup(text: &str, name: &Token) -> Option<Problem> {
    let word = named_lookup(text, name)?;
    if known_lookup(text, name).is_some() {
        return None;
    }
    let range = name.range.start + 1..name.range.end - 1;
    Some(unknown_name(
        "lookup",
        word,
        range,
        refused::LOOKUPS,
        lookup::NAMES,
    ))
}

fn unknown_function(name: &str, range: Range<usize>) -> Option<Problem> {
    const WORDS: &[&str] = &[
        "and", "or", "not", "in", "is", "if", "else", "elif", "for", "set", "include", "import",
        "call", "caller", "super", "loop", "varargs", "kwargs", "block", "macro", "from", "with",
        "self",
    ];
    if FUNCTIONS.contains(&name) || WORDS.contains(&name) {
        return None;
    }
    Some(unknown_name(
        "function",
        name,
        range,
        refused::FUNCTIONS,
        FUNCTIONS,
    ))
}
