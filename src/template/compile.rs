//! Texts compiled once: the environments of the engine and the cache.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Expression, Template, UndefinedBehavior};

use super::check::Problem;
use super::header::header;
use super::include::Included;
use super::rewrite::{Offsets, Rewriter};
use super::scan::{self, MARKERS, Markers, Part, Piece};
use super::surroundings::Outside;
use super::{Includes, check, explain, filter, lookup, output, test};
use crate::resource::RenderOptions;
use crate::source::Source;

/// Instructions one evaluation may take.
const FUEL: u64 = 20_000_000;

/// How a text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// Text with templates in it.
    Text,
    /// An expression without braces; one in braces is accepted.
    Expression,
}

/// A compiled text.
pub(super) struct Compiled {
    /// The program, or what is wrong.
    pub program: Result<Program, Vec<Problem>>,
    /// From offsets of the compiled text to those of the written one.
    pub offsets: Offsets,
    /// How many line breaks stand at the end: a result that is text has as many at its end, as in Ansible.
    pub newlines: usize,
}

/// What is run.
pub(super) enum Program {
    /// One expression, with its own type.
    Expression {
        /// Evaluated.
        expression: Expression<'static, 'static>,
        /// The same as a template, for a message when it gives nothing.
        text: &'static str,
    },
    /// Blocks and expressions only: one value is itself, several are joined to text.
    Blocks(Template<'static, 'static>),
    /// A template, with text as its result.
    Template(Template<'static, 'static>),
}

/// A template file as it was read, and what came of it.
type CompiledFile = (RenderOptions, Arc<Source>, Arc<Compiled>);

/// What is compiled, by its text.
type Cache<Key> = HashMap<Key, Arc<Compiled>>;

/// The environments of one run. They live to its end: what is compiled borrows from them.
pub(super) struct Engine {
    /// Of values in YAML.
    values: &'static Environment<'static>,
    /// Of values that are blocks and expressions only.
    blocks: &'static Environment<'static>,
    /// Of files, by their options.
    files: Mutex<HashMap<String, &'static Environment<'static>>>,
    cache: RwLock<HashMap<Form, Cache<Arc<str>>>>,
    file_cache: RwLock<HashMap<String, Vec<CompiledFile>>>,
    includes: Arc<Included>,
    outside: Outside,
}

impl Engine {
    pub(super) fn new(find: Box<Includes>, outside: Outside) -> Arc<Engine> {
        let includes = Included::new(find);
        let syntax = syntax(&RenderOptions::default()).expect("the standard markers are valid");
        Arc::new(Engine {
            values: environment(syntax.clone(), &includes, Gives::Text),
            blocks: environment(syntax, &includes, Gives::Values),
            files: Mutex::default(),
            cache: RwLock::default(),
            file_cache: RwLock::default(),
            includes,
            outside,
        })
    }

    /// Included templates.
    pub(super) fn includes(&self) -> &Included {
        &self.includes
    }

    /// The controller's environment and its shell.
    pub(super) fn outside(&self) -> &Outside {
        &self.outside
    }

    /// The names of functions, filters aside.
    pub(super) fn environment(&self) -> &'static Environment<'static> {
        self.values
    }

    /// A text of a value, compiled.
    pub(super) fn text(&self, text: &str, form: Form) -> Arc<Compiled> {
        if let Some(found) = self
            .cache
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&form)
            .and_then(|texts| texts.get(text))
        {
            return found.clone();
        }
        let compiled = Arc::new(self.compile(text, form));
        self.cache
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(form)
            .or_default()
            .entry(text.into())
            .or_insert(compiled)
            .clone()
    }

    /// A template file, compiled.
    pub(super) fn file(&self, source: &Arc<Source>, options: &RenderOptions) -> Arc<Compiled> {
        let same = |(read, of, _): &&CompiledFile| {
            same_syntax(read, options) && (Arc::ptr_eq(of, source) || of.text() == source.text())
        };
        if let Some((.., compiled)) = self
            .file_cache
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(source.name())
            .and_then(|known| known.iter().find(same))
        {
            return compiled.clone();
        }
        let compiled = Arc::new(self.compile_file(source, options));
        self.file_cache
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(source.name().to_owned())
            .or_default()
            .push((options.clone(), source.clone(), compiled.clone()));
        compiled
    }

    fn compile(&self, text: &str, form: Form) -> Compiled {
        if let Some(body) = text.strip_suffix('\n').filter(|_| form == Form::Text) {
            let pieces = scan::pieces(body, &MARKERS);
            if single(body, &pieces).is_some() || only_blocks(body, &pieces) {
                return Compiled {
                    newlines: 1,
                    ..self.compile(body, form)
                };
            }
        }
        let pieces = scan::pieces(text, &MARKERS);
        let single = single(text, &pieces);
        let expression = match (form, single) {
            (_, Some(inner)) => Some(inner),
            (Form::Expression, None) => Some(0..text.len()),
            (Form::Text, None) => None,
        };
        let problems = match &expression {
            Some(range) => check::expression(text, range.clone(), form),
            None => check::pieces(text, &pieces),
        };
        if !problems.is_empty() {
            return Compiled {
                program: Err(problems),
                offsets: Offsets::default(),
                newlines: 0,
            };
        }
        match expression {
            Some(range) => {
                let braced = range.start > 0;
                self.compile_expression(text, range, braced)
            }
            None => {
                let mut rewriter = Rewriter::of_value(text);
                for piece in &pieces {
                    rewriter.piece(piece);
                }
                let original = text;
                let (text, offsets) = rewriter.finish();
                let bare = only_blocks(original, &pieces);
                let program = if bare { self.blocks } else { self.values }
                    .template_from_named_str("", leak(text))
                    .map(if bare {
                        Program::Blocks
                    } else {
                        Program::Template
                    })
                    .map_err(|error| vec![explain::syntax(&error, &offsets)]);
                Compiled {
                    program,
                    offsets,
                    newlines: newlines(original),
                }
            }
        }
    }

    fn compile_expression(&self, text: &str, range: Range<usize>, braced: bool) -> Compiled {
        let mut rewriter = if braced {
            Rewriter::of_value(text).from(range.start)
        } else {
            Rewriter::new(text, range.start)
        };
        rewriter.expression(range, braced);
        let (rewritten, offsets) = rewriter.finish();
        let rewritten = leak(rewritten);
        let program = self
            .values
            .compile_expression(rewritten)
            .map(|expression| Program::Expression {
                expression,
                text: rewritten,
            })
            .map_err(|error| vec![explain::syntax(&error, &offsets)]);
        Compiled {
            program,
            offsets,
            newlines: 0,
        }
    }

    fn compile_file(&self, source: &Source, options: &RenderOptions) -> Compiled {
        let text = source.text();
        let fail = |problem| Compiled {
            program: Err(vec![problem]),
            offsets: Offsets::default(),
            newlines: 0,
        };
        let (start, options) = match header(text, options) {
            Ok(read) => read,
            Err(problem) => return fail(problem),
        };
        let environment = match self.file_environment(&options) {
            Ok(environment) => environment,
            Err(error) => return fail(explain::syntax(&error, &Offsets::default())),
        };
        let markers = markers(&options);
        let pieces: Vec<Piece> = scan::pieces(&text[start..], &markers)
            .into_iter()
            .map(|piece| Piece {
                outer: piece.outer.start + start..piece.outer.end + start,
                inner: piece.inner.start + start..piece.inner.end + start,
                ..piece
            })
            .collect();
        let problems = check::pieces(text, &pieces);
        let mut rewriter = Rewriter::new(text, start).trimming(options.trim_blocks);
        for piece in &pieces {
            rewriter.piece(piece);
        }
        let (rewritten, offsets) = rewriter.finish();
        if !problems.is_empty() {
            return Compiled {
                program: Err(problems),
                offsets: Offsets::default(),
                newlines: 0,
            };
        }
        let program = environment
            .template_from_named_str(leak(source.name().to_owned()), leak(rewritten))
            .map(Program::Template)
            .map_err(|error| vec![explain::syntax(&error, &offsets)]);
        Compiled {
            program,
            offsets,
            newlines: newlines(text),
        }
    }

    fn file_environment(
        &self,
        options: &RenderOptions,
    ) -> Result<&'static Environment<'static>, minijinja::Error> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = files.get(&key(options)) {
            return Ok(found);
        }
        let environment = environment(syntax(options)?, &self.includes, Gives::Text);
        files.insert(key(options), environment);
        Ok(environment)
    }
}

/// How many line breaks end a text.
pub(super) fn newlines(text: &str) -> usize {
    text.len() - text.trim_end_matches('\n').len()
}

/// Texts live as long as the environments: a run compiles each once and ends.
fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn same_syntax(one: &RenderOptions, other: &RenderOptions) -> bool {
    one.trim_blocks == other.trim_blocks
        && one.lstrip_blocks == other.lstrip_blocks
        && one.markers == other.markers
}

fn key(options: &RenderOptions) -> String {
    format!(
        "\0{}{}{:?}",
        options.trim_blocks, options.lstrip_blocks, options.markers
    )
}

pub(super) fn markers(options: &RenderOptions) -> Markers<'_> {
    match &options.markers {
        Some(markers) => std::array::from_fn(|index| markers[index].as_str()),
        None => MARKERS,
    }
}

fn syntax(options: &RenderOptions) -> Result<SyntaxConfig, minijinja::Error> {
    let markers = markers(options).map(str::to_owned);
    let [a, b, c, d, e, f] = markers;
    SyntaxConfig::builder()
        .variable_delimiters(a, b)
        .block_delimiters(c, d)
        .comment_delimiters(e, f)
        .trim_blocks(options.trim_blocks)
        .lstrip_blocks(options.lstrip_blocks)
        .keep_trailing_newline(false)
        .build()
}

/// What `{{ }}` does with its value.
enum Gives {
    Text,
    Values,
}

fn environment(
    syntax: SyntaxConfig,
    includes: &Arc<Included>,
    gives: Gives,
) -> &'static Environment<'static> {
    let mut environment = Environment::new();
    environment.set_syntax(syntax);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    match gives {
        Gives::Text => environment.set_formatter(output::emit),
        Gives::Values => environment.set_formatter(output::collect),
    }
    environment.set_debug(false);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(60);
    environment.set_unknown_method_callback(filter::method);
    filter::register(&mut environment);
    test::register(&mut environment);
    lookup::register(&mut environment);
    Included::serve(includes, &mut environment);
    Box::leak(Box::new(environment))
}

/// Whether a text has no text of its own, and no block that makes text of its content.
fn only_blocks(text: &str, pieces: &[Piece]) -> bool {
    const PLAIN: &[&str] = &["if", "elif", "else", "endif", "for", "endfor", "set"];
    // The line break behind a block goes with it.
    let trimmed = |at: usize| {
        at > 0 && pieces[at - 1].part == Part::Block && text[pieces[at].outer.clone()] == *"\n"
    };
    pieces
        .iter()
        .enumerate()
        .all(|(at, piece)| match piece.part {
            Part::Data => trimmed(at),
            Part::Block => {
                let words = text[piece.inner.clone()].trim();
                let first = words.split_whitespace().next().unwrap_or("");
                PLAIN.contains(&first) && (first != "set" || words.contains('='))
            }
            Part::Expression | Part::Comment => true,
        })
        && pieces.iter().any(|piece| piece.part == Part::Expression)
}

/// The range inside the braces, when a text is exactly one `{{ }}`.
fn single(text: &str, pieces: &[Piece]) -> Option<Range<usize>> {
    match pieces {
        [piece] if piece.part == Part::Expression && piece.closed => Some(piece.inner.clone()),
        [first, piece, last]
            if piece.part == Part::Expression
                && piece.closed
                && text[first.outer.clone()].trim().is_empty()
                && text[last.outer.clone()].trim().is_empty()
                && text[piece.outer.clone()].starts_with("{{-")
                && text[piece.outer.clone()].ends_with("-}}") =>
        {
            Some(piece.inner.clone())
        }
        _ => None,
    }
}
