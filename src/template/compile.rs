//! Texts compiled once: the environments of the engine and the cache.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Expression, Template, UndefinedBehavior};

use super::check::Problem;
use super::scan::{self, MARKERS, Markers, Part, Piece};
use super::{Includes, check, explain, filter, python, test};
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
    /// A template, with text as its result.
    Template(Template<'static, 'static>),
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

/// The environments of one run. They live to its end: what is compiled borrows from them.
pub(super) struct Engine {
    /// Of values in YAML.
    values: &'static Environment<'static>,
    /// Of files, by their options.
    files: Mutex<HashMap<String, &'static Environment<'static>>>,
    cache: RwLock<HashMap<Form, HashMap<Arc<str>, Arc<Compiled>>>>,
    file_cache: RwLock<HashMap<(String, Arc<str>), Arc<Compiled>>>,
    includes: Arc<Included>,
}

/// Templates that were included, by name.
pub(super) struct Included {
    find: Box<Includes>,
    found: Mutex<HashMap<String, Arc<Source>>>,
}

impl Included {
    /// The source of an included template, for its place in messages.
    pub(super) fn source(&self, name: &str) -> Option<Arc<Source>> {
        self.found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }
}

impl Engine {
    pub(super) fn new(find: Box<Includes>) -> Arc<Engine> {
        let includes = Arc::new(Included {
            find,
            found: Mutex::default(),
        });
        let syntax = syntax(&RenderOptions {
            trim_blocks: false,
            ..RenderOptions::default()
        })
        .expect("the standard markers are valid");
        Arc::new(Engine {
            values: environment(syntax, &includes),
            files: Mutex::default(),
            cache: RwLock::default(),
            file_cache: RwLock::default(),
            includes,
        })
    }

    /// Included templates.
    pub(super) fn includes(&self) -> &Included {
        &self.includes
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
    pub(super) fn file(&self, source: &Source, options: &RenderOptions) -> Arc<Compiled> {
        let key = (
            source.name().to_owned() + &key(options),
            Arc::from(source.text()),
        );
        if let Some(found) = self
            .file_cache
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
        {
            return found.clone();
        }
        let compiled = Arc::new(self.compile_file(source, options));
        self.file_cache
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(key)
            .or_insert(compiled)
            .clone()
    }

    fn compile(&self, text: &str, form: Form) -> Compiled {
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
            };
        }
        match expression {
            Some(range) => self.compile_expression(text, range),
            None => {
                let mut rewriter = Rewriter::new(text, 0);
                for piece in &pieces {
                    rewriter.piece(piece);
                }
                let (text, offsets) = rewriter.finish();
                let program = self
                    .values
                    .template_from_named_str("", leak(text))
                    .map(Program::Template)
                    .map_err(|error| vec![explain::syntax(&error, &offsets)]);
                Compiled { program, offsets }
            }
        }
    }

    fn compile_expression(&self, text: &str, range: Range<usize>) -> Compiled {
        let mut rewriter = Rewriter::new(text, range.start);
        rewriter.expression(range.clone());
        rewriter.copy(range.end);
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
        Compiled { program, offsets }
    }

    fn compile_file(&self, source: &Source, options: &RenderOptions) -> Compiled {
        let text = source.text();
        let fail = |problem| Compiled {
            program: Err(vec![problem]),
            offsets: Offsets::default(),
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
        let mut rewriter = Rewriter::new(text, start);
        for piece in &pieces {
            rewriter.piece(piece);
        }
        let (rewritten, offsets) = rewriter.finish();
        if !problems.is_empty() {
            return Compiled {
                program: Err(problems),
                offsets: Offsets::default(),
            };
        }
        let program = environment
            .template_from_named_str(leak(source.name().to_owned()), leak(rewritten))
            .map(Program::Template)
            .map_err(|error| vec![explain::syntax(&error, &offsets)]);
        Compiled { program, offsets }
    }

    fn file_environment(
        &self,
        options: &RenderOptions,
    ) -> Result<&'static Environment<'static>, minijinja::Error> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = files.get(&key(options)) {
            return Ok(found);
        }
        let environment = environment(syntax(options)?, &self.includes);
        files.insert(key(options), environment);
        Ok(environment)
    }
}

/// Texts live as long as the environments: a run compiles each once and ends.
fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn key(options: &RenderOptions) -> String {
    format!(
        "\0{}{}{:?}",
        options.trim_blocks, options.lstrip_blocks, options.markers
    )
}

fn markers(options: &RenderOptions) -> Markers<'_> {
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
        .keep_trailing_newline(true)
        .build()
}

fn environment(syntax: SyntaxConfig, includes: &Arc<Included>) -> &'static Environment<'static> {
    let mut environment = Environment::new();
    environment.set_syntax(syntax);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_formatter(python::emit);
    environment.set_debug(false);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(60);
    environment.set_unknown_method_callback(filter::method);
    filter::register(&mut environment);
    test::register(&mut environment);
    let joined = includes.clone();
    environment.set_path_join_callback(move |name, parent| match (joined.find)(name, parent) {
        Some(source) => {
            let found = source.name().to_owned();
            joined
                .found
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(found.clone(), source);
            found.into()
        }
        None => name.into(),
    });
    let loaded = includes.clone();
    environment.set_loader(move |name| {
        Ok(loaded.source(name).map(|source| {
            let mut rewriter = Rewriter::new(source.text(), 0);
            for piece in scan::pieces(source.text(), &MARKERS) {
                rewriter.piece(&piece);
            }
            rewriter.finish().0
        }))
    });
    Box::leak(Box::new(environment))
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

/// Reads `#jinja2: trim_blocks: true, …` and says where the template begins.
fn header(text: &str, options: &RenderOptions) -> Result<(usize, RenderOptions), Problem> {
    let mut options = options.clone();
    let Some(rest) = text.strip_prefix("#jinja2:") else {
        return Ok((0, options));
    };
    let line = rest.split('\n').next().unwrap_or("");
    let end = ("#jinja2:".len() + line.len() + 1).min(text.len());
    let mut custom: [String; 6] = markers(&options).map(str::to_owned);
    for pair in line.split(',') {
        let at = pair.as_ptr() as usize - text.as_ptr() as usize;
        let fault = |message: String| {
            let lead = pair.len() - pair.trim_start().len();
            Problem::new(at + lead..at + pair.trim_end().len(), message)
        };
        let Some((name, value)) = pair.split_once(':') else {
            return Err(fault("`#jinja2:` needs `option: value` pairs".to_owned()));
        };
        let value = value.trim();
        let quoted = value.trim_matches(['\'', '"']).to_owned();
        let flag = || match value {
            "True" | "true" | "yes" => Ok(true),
            "False" | "false" | "no" => Ok(false),
            _ => Err(fault(format!("`{value}` is not `True` or `False`"))),
        };
        match name.trim() {
            "trim_blocks" => options.trim_blocks = flag()?,
            "lstrip_blocks" => options.lstrip_blocks = flag()?,
            "variable_start_string" => custom[0] = quoted,
            "variable_end_string" => custom[1] = quoted,
            "block_start_string" => custom[2] = quoted,
            "block_end_string" => custom[3] = quoted,
            "comment_start_string" => custom[4] = quoted,
            "comment_end_string" => custom[5] = quoted,
            other => {
                return Err(fault(format!("`{other}` is not an option of `#jinja2:`")).help(
                    "known are trim_blocks, lstrip_blocks and the six *_start_string and *_end_string",
                ));
            }
        }
    }
    if custom.iter().map(String::as_str).ne(MARKERS) {
        options.markers = Some(Arc::new(custom));
    }
    Ok((end, options))
}

/// Copies a text, giving missing parts of guarded names a way to be missing: `a.b.c | default(…)` looks the links up by a
/// filter that is content with nothing, as Ansible's undefined values are.
struct Rewriter<'t> {
    text: &'t str,
    at: usize,
    out: String,
    offsets: Vec<(usize, usize, bool)>,
}

impl<'t> Rewriter<'t> {
    fn new(text: &'t str, at: usize) -> Rewriter<'t> {
        Rewriter {
            text,
            at,
            out: String::with_capacity(text.len()),
            offsets: Vec::new(),
        }
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

    fn piece(&mut self, piece: &Piece) {
        if matches!(piece.part, Part::Expression | Part::Block) {
            self.expression(piece.inner.clone());
        }
        self.copy(piece.outer.end);
    }

    fn expression(&mut self, range: Range<usize>) {
        let tokens = scan::tokens(self.text, range);
        for chain in scan::chains(self.text, &tokens) {
            if chain.links.is_empty()
                || !scan::guarded(self.text, &tokens, chain.end)
                || tokens[chain.root].range.start < self.at
            {
                continue;
            }
            for link in &chain.links {
                let first = &tokens[link.start];
                let last = &tokens[link.end - 1];
                self.copy(first.range.start);
                if first.of(self.text) == "." {
                    self.insert("|__link('");
                    self.at = last.range.start;
                    self.copy(last.range.end);
                    self.insert("')");
                } else {
                    self.insert("|__link(");
                    self.at = first.range.end;
                    self.copy(last.range.start);
                    self.at = last.range.end;
                    self.insert(")");
                }
            }
        }
    }

    fn finish(self) -> (String, Offsets) {
        (self.out, Offsets(self.offsets))
    }
}
