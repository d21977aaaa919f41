//! The engine's errors as diagnostics: names and places, never values.

use std::ops::Range;
use std::sync::Arc;

use minijinja::{Error, ErrorKind, Value as Native};

use super::chain::{self, Chain};
use super::check::{self, Problem};
use super::evaluation::{Carried, Evaluation, Halt, Written};
use super::known::{self, FUNCTIONS};
use super::lookup::Hint;
use super::rewrite::Offsets;
use super::scan::{self, Part, Token, Word};
use crate::diagnostic::{Diagnostic, nearest};
use crate::source::Span;
use crate::value::{Value, place};

/// Why an evaluation failed.
pub(super) fn halt(
    evaluation: &Arc<Evaluation>,
    error: &Error,
    offsets: &Offsets,
    written: &Written<'_>,
) -> Halt {
    let mut innermost = error;
    let mut hinted = None;
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(carried) = error.downcast_ref::<Carried>() {
            return carried.0.clone();
        }
        if let Some(Hint(hint)) = error.downcast_ref::<Hint>() {
            hinted = Some(hint.clone());
        }
        if let Some(error) = error.downcast_ref::<Error>() {
            innermost = error;
        }
        next = error.source();
    }
    let (span, text) = spot(evaluation, innermost, offsets, written);
    if let Some(hint) = hinted {
        let fault = Diagnostic::at(&span, hint).label("not defined here");
        return Halt::Undefined(Box::new(fault));
    }
    if innermost.kind() == ErrorKind::UndefinedError {
        return Halt::Undefined(Box::new(undefined(evaluation, &span, &text)));
    }
    Halt::Fault(Box::new(other(innermost, &span)))
}

/// Where an error is, and a closure's worth of text to look for names in.
fn spot(
    evaluation: &Arc<Evaluation>,
    error: &Error,
    offsets: &Offsets,
    written: &Written<'_>,
) -> (Span, Looked) {
    let included = error
        .name()
        .filter(|name| *name != written.span.source().name())
        .and_then(|name| evaluation.engine().includes().source(name));
    if let Some(source) = included {
        let text = source.text();
        let start = source.line_start(error.line().unwrap_or(1)) as usize;
        let line = text[start..].split('\n').next().unwrap_or("");
        let range = error
            .range()
            .filter(|range| text.get(range.clone()).is_some())
            .unwrap_or(start..start + line.len());
        let whole = Span::new(&source, 0, text.len() as u32);
        let span = place(&whole, text, range.clone());
        return (span, Looked::new(&whole, text, range));
    }
    let range = error
        .range()
        .map(|range| offsets.written(range))
        .unwrap_or(0..written.text.len());
    let end = range.end.min(written.text.len());
    let range = range.start.min(end)..end;
    let span = place(written.span, written.text, range.clone());
    (span, Looked::new(written.span, written.text, range))
}

/// A text and the range in it that an error points at.
struct Looked {
    span: Span,
    text: String,
    range: Range<usize>,
}

impl Looked {
    fn new(span: &Span, text: &str, range: Range<usize>) -> Looked {
        Looked {
            span: span.clone(),
            text: text.to_owned(),
            range,
        }
    }
}

fn undefined(evaluation: &Arc<Evaluation>, span: &Span, looked: &Looked) -> Diagnostic {
    let Some(Missing { name, root, range }) = evaluation.quietly(|| looked.missing(evaluation))
    else {
        if let Some(hint) = evaluation.hinted() {
            return Diagnostic::at(span, hint).label("not defined on purpose");
        }
        return Diagnostic::at(span, "a value used here is not defined")
            .label("comes to nothing")
            .help("give it a value, or a `default`");
    };
    let span = place(&looked.span, &looked.text, range);
    let last = name.rsplit('.').next().unwrap_or(&name);
    for part in [root.as_str(), last] {
        if let Some(why) = evaluation.missing(part) {
            return if why.related.is_some() {
                *why
            } else {
                why.related(&span, format!("needed for `{part}`, used here"))
            };
        }
    }
    let fault = Diagnostic::at(&span, format!("`{name}` is not defined"));
    if root == name {
        let names = evaluation.names();
        match nearest(&name, names.iter().map(String::as_str)) {
            Some(near) => fault.label(format!("did you mean `{near}`?")),
            None => fault.label("no variable of this name"),
        }
        .help("define it, or give it a value with `default`")
    } else {
        fault
            .label(format!("`{root}` is defined, this part of it is not"))
            .help("correct the name, or give it a value with `default`")
    }
}

/// What is not defined: the path as written, its first name, and where it stands.
struct Missing {
    name: String,
    root: String,
    range: Range<usize>,
}

impl Looked {
    /// The first path in the range that comes to nothing.
    fn missing(&self, evaluation: &Arc<Evaluation>) -> Option<Missing> {
        let text = self.text.as_str();
        let locals = check::defined_within(text);
        let around = scan::pieces(text, &scan::MARKERS)
            .into_iter()
            .find(|piece| piece.part != Part::Data && piece.outer.contains(&self.range.start))
            .map_or(0..text.len(), |piece| piece.inner);
        let tokens = scan::tokens(text, around);
        // What stands in the range comes first, then what stands before it, the nearest first.
        let mut chains = chain::chains(text, &tokens);
        let begin = |chain: &Chain| tokens[chain.root].range.start;
        chains.retain(|chain| begin(chain) < self.range.end.max(self.range.start + 1));
        chains.sort_by_key(|chain| match begin(chain) {
            start if start >= self.range.start => (0, start),
            start => (1, self.range.start - start),
        });
        let mut local = None;
        for chain in chains {
            let root = tokens[chain.root].of(text);
            let start = tokens[chain.root].range.start;
            let upto = |end: usize| Missing {
                name: text[start..end].to_owned(),
                root: root.to_owned(),
                range: start..end,
            };
            if chain::guarded(text, &tokens, chain.end) || FUNCTIONS.contains(&root) {
                continue;
            }
            if locals.contains(&root) || root == "loop" {
                local = local.or_else(|| {
                    let last = chain.links.last()?;
                    Some(upto(tokens[last.end - 1].range.end))
                });
                continue;
            }
            let mut at = match evaluation.lookup(root) {
                Some(found) => found,
                None => return Some(upto(tokens[chain.root].range.end)),
            };
            for link in &chain.links {
                let Some(key) = literal(text, &tokens[link.clone()]) else {
                    break;
                };
                at = at.get_item(&key).unwrap_or(Native::UNDEFINED);
                if at.is_undefined() {
                    return Some(upto(tokens[link.end - 1].range.end));
                }
            }
        }
        local
    }
}

/// The key of a link, when it is written out.
fn literal(text: &str, link: &[Token]) -> Option<Native> {
    let [_, key, ..] = link else { return None };
    let spelled = key.of(text);
    match key.word {
        Word::Name if link.len() == 2 => Some(Native::from(spelled)),
        Word::Number => spelled.parse::<u32>().ok().map(Native::from),
        Word::Text if link.len() == 3 => Some(Native::from(&spelled[1..spelled.len() - 1])),
        _ => None,
    }
}

fn other(error: &Error, span: &Span) -> Diagnostic {
    let detail = error.detail().unwrap_or("");
    let fault = |message: String| Diagnostic::at(span, message);
    match error.kind() {
        ErrorKind::UnknownFilter => fault(if detail.is_empty() {
            "a filter named here is not known".to_owned()
        } else {
            detail.to_owned()
        }),
        ErrorKind::UnknownTest => fault(if detail.is_empty() {
            "a test named here is not known".to_owned()
        } else {
            detail.to_owned()
        }),
        ErrorKind::UnknownMethod => fault("this value has no such method".to_owned())
            .help("the methods of Python's strings, lists and dictionaries are known, those that change a value are not"),
        ErrorKind::TemplateNotFound => fault("an included template is not found".to_owned())
            .label("asked for here")
            .help("templates are looked for beside the one that includes them"),
        ErrorKind::OutOfFuel => fault("the template does not come to an end".to_owned())
            .help("the limit is 20 million instructions; make its loops smaller"),
        ErrorKind::WriteFailure => fault("the template makes more than 32 MiB of text".to_owned()),
        ErrorKind::TooManyArguments => fault("too many arguments, or one that is not known".to_owned())
            .label(known_arguments(detail)),
        ErrorKind::MissingArgument => fault("an argument is missing".to_owned()),
        ErrorKind::SyntaxError => fault(detail.to_owned()),
        _ if detail.starts_with("unable to calculate") => {
            fault("this calculation fails".to_owned()).label("division by zero, or too large a number")
        }
        _ if detail.contains("operator on unsupported types") && detail.contains('%') => {
            fault(detail.to_owned()).help("text is put together with the `format` filter: `\"%s\" | format(x)`")
        }
        kind if detail.is_empty() => fault(kind.to_string()),
        _ => fault(detail.to_owned()),
    }
}

fn known_arguments(detail: &str) -> String {
    if detail.is_empty() {
        "here".to_owned()
    } else {
        detail.to_owned()
    }
}

/// A syntax error.
pub(super) fn syntax(error: &Error, offsets: &Offsets) -> Problem {
    let range = error.range().unwrap_or(0..0);
    let message = match error.detail() {
        Some(detail) => format!("template syntax: {detail}"),
        None => error.kind().to_string(),
    };
    let problem = Problem::new(offsets.written(range), message);
    let word = error.detail().unwrap_or_default();
    match word.strip_prefix("unknown statement ").and_then(block_of) {
        Some(block) => problem
            .label(format!("no `{block}` is open here"))
            .help(format!(
                "the `{{% {block} … %}}` that belongs to it is gone from above, or ended already"
            )),
        None => problem,
    }
}

/// The block that a statement ends or goes on with.
fn block_of(statement: &str) -> Option<&str> {
    match statement {
        "elif" | "else" => Some("if"),
        _ => statement.strip_prefix("end"),
    }
}

/// An expression that gives nothing, as `x if false` does.
pub(super) fn nothing(written: &Written<'_>) -> Diagnostic {
    Diagnostic::at(written.span, "the expression gives no value")
        .label("nothing when its condition is false")
        .help("add an `else`")
}

/// A condition that is no boolean.
pub(super) fn not_boolean(condition: &Value, native: &Native) -> Diagnostic {
    let help = match known::kind_word(native) {
        "text" => "compare it, or convert it with `| bool`",
        "a list" | "a mapping" => "write `… | length > 0`",
        "nothing" => "write `… is not none`, or `… | default(false)`",
        "a whole number" | "a number" => "compare it, as in `… != 0`, or convert it with `| bool`",
        _ => "use a comparison or a test",
    };
    Diagnostic::at(
        &condition.span,
        format!(
            "the condition gives {}, not a boolean",
            known::kind_word(native)
        ),
    )
    .label("must be true or false")
    .help(help)
}

/// Names that need each other.
pub(super) fn cycle<'a>(
    names: impl Iterator<Item = &'a str>,
    last: &str,
    span: &Span,
) -> Diagnostic {
    let mut chain: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    chain.push(last);
    let shown: Vec<String> = chain.iter().map(|name| format!("`{name}`")).collect();
    Diagnostic::at(span, format!("`{last}` is defined by itself"))
        .label(shown.join(" needs "))
        .help("give one of them a value that does not need the others")
}

/// Too many templates within templates.
pub(super) fn too_deep(span: &Span) -> Diagnostic {
    Diagnostic::at(span, "variables refer to variables more than 40 deep")
        .help("one of them probably needs itself")
}
