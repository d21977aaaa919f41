//! One evaluation: names looked up when they are used, what they hold rendered on the way, cycles found.

mod running;

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minijinja::{Error, ErrorKind, Template, Value as Native};

use super::check::Problem;
use super::compile::{Compiled, Engine, Form, Program, newlines};
use super::lazy::{List, Mapping, Root};
use super::output::Capped;
use super::rewrite::Offsets;
use super::surroundings::Surroundings;
use super::{Lookup, Scope, convert, current, explain, output, scan};
use crate::diagnostic::Diagnostic;
use crate::resource::RenderOptions;
use crate::source::{Source, Span};
use crate::value::{Entry, Kind, Map, Value};

pub(super) use running::Running;

/// How deep templates may look up templates.
const DEEPEST: usize = 40;

/// Why an evaluation stopped. Something undefined inside a name makes the name undefined, so that `default` works on it.
#[derive(Debug, Clone)]
pub(super) enum Halt {
    After(String),
    Undefined(Box<Diagnostic>),
    Fault(Box<Diagnostic>),
}

/// A halt on its way through the engine.
#[derive(Debug, thiserror::Error)]
#[error("the evaluation stopped")]
pub(super) struct Carried(pub Halt);

/// A value that is known only after a task: whoever reads it stops with [`super::Stop::After`].
pub fn pending(task: &str) -> Native {
    Native::from(carry(Halt::After(task.to_owned())))
}

pub(super) fn carry(halt: Halt) -> Error {
    Error::new(ErrorKind::InvalidOperation, "stopped").with_source(Carried(halt))
}

/// A text that is run: as written, and its place.
pub(super) struct Written<'a> {
    pub text: &'a str,
    pub span: &'a Span,
}

/// The state of one evaluation.
pub(super) struct Evaluation {
    engine: Arc<Engine>,
    scope: Arc<dyn Scope>,
    notes: Mutex<Notes>,
    remember: bool,
}

#[derive(Default)]
struct Notes {
    after: Option<String>,
    known: HashMap<String, Option<Native>>,
    missing: HashMap<String, Box<Diagnostic>>,
    /// What the last `undef` says.
    hint: Option<String>,
    /// Texts being rendered: their address and the name they were found under.
    running: Vec<(usize, String)>,
}

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

impl Evaluation {
    pub(super) fn start(engine: &Arc<Engine>, scope: &Arc<dyn Scope>) -> Running {
        Running(Arc::new(Evaluation {
            engine: engine.clone(),
            scope: scope.clone(),
            notes: Mutex::default(),
            remember: true,
        }))
    }

    pub(super) fn bound(engine: &Arc<Engine>, scope: &Arc<dyn Scope>) -> Native {
        Native::from_object(Root(Arc::new(Evaluation {
            engine: engine.clone(),
            scope: scope.clone(),
            notes: Mutex::default(),
            remember: false,
        })))
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The names it may use.
    pub(super) fn scope(&self) -> &Arc<dyn Scope> {
        &self.scope
    }

    /// The controller around it, if a task asks.
    pub(super) fn surroundings(&self) -> Option<&dyn Surroundings> {
        self.scope.surroundings()
    }

    /// Evaluates something with other names, as a part of this.
    pub(super) fn within<T>(
        &self,
        scope: &Arc<dyn Scope>,
        run: impl FnOnce(&Arc<Evaluation>) -> Result<T, Halt>,
    ) -> Result<T, Halt> {
        let running = Evaluation::start(&self.engine, scope);
        let depth = DEPTH.get();
        // A template takes as much of the stack as many variables.
        if depth + 5 > DEEPEST {
            return Err(Halt::Fault(Box::new(explain::too_deep(&Span::synthetic(
                "lookup",
            )))));
        }
        DEPTH.set(depth + 5);
        let result = running.finish(run(&running));
        DEPTH.set(depth);
        result.map_err(|stop| match stop {
            super::Stop::After(task) => Halt::After(task),
            super::Stop::Fault(fault) => Halt::Fault(fault),
        })
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.scope.names()
    }

    /// Looks for an explanation: what it reads on the way does not count.
    pub(super) fn quietly<T>(&self, look: impl FnOnce() -> T) -> T {
        let after = self.notes().after.clone();
        let found = look();
        self.notes().after = after;
        found
    }

    /// Keeps what is to be said should the value be used.
    pub(super) fn hint(&self, hint: String) {
        self.notes().hint = Some(hint);
    }

    /// What was kept.
    pub(super) fn hinted(&self) -> Option<String> {
        self.notes().hint.clone()
    }

    /// Why a name that exists came out undefined.
    pub(super) fn missing(&self, name: &str) -> Option<Box<Diagnostic>> {
        self.notes().missing.get(name).cloned()
    }

    /// A value with all its templates rendered.
    pub(super) fn value(self: &Arc<Self>, value: &Value) -> Result<Value, Halt> {
        match &value.kind {
            Kind::Str(text) if scan::has_markers(text) => {
                let native = self.leaf(text, &value.span, "")?;
                self.own(&native, &value.span)
            }
            Kind::List(items) if scan::is_template(value) => {
                let mut rendered = Vec::with_capacity(items.len());
                for item in items.iter() {
                    let item = self.value(item)?;
                    if !convert::is_omit(&item) {
                        rendered.push(item);
                    }
                }
                Ok(Value::new(Kind::List(Arc::new(rendered)), &value.span))
            }
            Kind::Map(map) if scan::is_template(value) => {
                let mut rendered = Map::with_capacity(map.len());
                for (name, entry) in map.iter() {
                    let value = self.value(&entry.value)?;
                    if !convert::is_omit(&value) {
                        let key = entry.key.clone();
                        rendered.insert(name.clone(), Entry { key, value });
                    }
                }
                Ok(Value::new(Kind::Map(Arc::new(rendered)), &value.span))
            }
            _ => Ok(value.clone()),
        }
    }

    /// A condition's verdict.
    pub(super) fn condition(self: &Arc<Self>, condition: &Value) -> Result<bool, Halt> {
        let native = match condition.as_str() {
            Some(text) => self.text(text, &condition.span, Form::Expression)?,
            None => convert::to_native(condition),
        };
        convert::boolean(&native)
            .ok_or_else(|| Halt::Fault(Box::new(explain::not_boolean(condition, &native))))
    }

    /// Runs a text.
    pub(super) fn text(
        self: &Arc<Self>,
        text: &str,
        span: &Span,
        form: Form,
    ) -> Result<Native, Halt> {
        let compiled = self.engine.text(text, form);
        self.run(&compiled, &Written { text, span })
    }

    /// Renders a template file.
    pub(super) fn file(
        self: &Arc<Self>,
        source: &Arc<Source>,
        options: &RenderOptions,
    ) -> Result<String, Halt> {
        let compiled = self.engine.file(source, options);
        let span = Span::new(source, 0, source.text().len() as u32);
        let written = Written {
            text: source.text(),
            span: &span,
        };
        let _entered = current::enter(self);
        let text = match &compiled.program {
            Ok(Program::Template(template)) => {
                ended(self.template(template, &compiled, &written)?, &compiled)
            }
            Ok(Program::Expression { .. } | Program::Blocks(_)) => String::new(),
            Err(problems) => return Err(self.problem(problems, &written)),
        };
        Ok(if options.newline == "\n" {
            text
        } else {
            text.replace('\n', options.newline)
        })
    }

    /// A native value as one of ours, at a place.
    pub(super) fn own(self: &Arc<Self>, native: &Native, span: &Span) -> Result<Value, Halt> {
        convert::own(native, span).map_err(|error| {
            let written = Written {
                text: span.text(),
                span,
            };
            explain::halt(self, &error, &Offsets::default(), &written)
        })
    }

    fn run(self: &Arc<Self>, compiled: &Compiled, written: &Written<'_>) -> Result<Native, Halt> {
        let native = self.result(compiled, written)?;
        match native.as_str() {
            Some(text) if newlines(text) < compiled.newlines => {
                Ok(Native::from(ended(text.to_owned(), compiled)))
            }
            _ => Ok(native),
        }
    }

    fn result(
        self: &Arc<Self>,
        compiled: &Compiled,
        written: &Written<'_>,
    ) -> Result<Native, Halt> {
        let _entered = current::enter(self);
        match &compiled.program {
            Ok(Program::Expression { expression, text }) => {
                let native = expression
                    .eval(self.root())
                    .map_err(|error| explain::halt(self, &error, &compiled.offsets, written))?;
                if native.is_undefined() {
                    return Err(self.undefined(text, compiled, written));
                }
                Ok(native)
            }
            Ok(Program::Template(template)) => {
                self.template(template, compiled, written).map(Native::from)
            }
            Ok(Program::Blocks(template)) => self.blocks(template, compiled, written),
            Err(problems) => Err(self.problem(problems, written)),
        }
    }

    /// Runs a text of blocks: one value is itself, several are text.
    fn blocks(
        self: &Arc<Self>,
        template: &Template<'static, 'static>,
        compiled: &Compiled,
        written: &Written<'_>,
    ) -> Result<Native, Halt> {
        let halt = |error| explain::halt(self, &error, &compiled.offsets, written);
        let captured = template.render_captured(self.root()).map_err(halt)?;
        let collected = captured.state().get_extension::<output::Collected>();
        match collected.map(|collected| collected.0.as_slice()) {
            Some([one]) if !one.is_undefined() => Ok(one.clone()),
            many => output::joined(many.unwrap_or(&[]))
                .map(Native::from)
                .map_err(halt),
        }
    }

    fn problem(&self, problems: &[Problem], written: &Written<'_>) -> Halt {
        let problem = problems.first().expect("a text that failed has a problem");
        Halt::Fault(Box::new(problem.diagnostic(written.text, written.span)))
    }

    /// An expression came to nothing: what it was that is not defined.
    fn undefined(self: &Arc<Self>, text: &str, compiled: &Compiled, written: &Written<'_>) -> Halt {
        // Printed, it fails with the name of what is missing.
        let printed = format!("{{{{{text}}}}}");
        let offsets = compiled.offsets.shifted(2);
        match self
            .engine
            .environment()
            .render_named_str("", &printed, self.root())
        {
            Err(error) => explain::halt(self, &error, &offsets, written),
            Ok(_) => Halt::Undefined(Box::new(explain::nothing(written))),
        }
    }

    fn template(
        self: &Arc<Self>,
        template: &Template<'static, 'static>,
        compiled: &Compiled,
        written: &Written<'_>,
    ) -> Result<String, Halt> {
        let mut out = Capped::with_capacity(written.text.len());
        match template.render_captured_to(self.root(), &mut out) {
            Ok(_) => Ok(out.text()),
            Err(error) => Err(explain::halt(self, &error, &compiled.offsets, written)),
        }
    }

    fn root(self: &Arc<Self>) -> Native {
        Native::from_object(Root(self.clone()))
    }

    /// Renders a text found under a name, watching for cycles.
    fn leaf(self: &Arc<Self>, text: &Arc<str>, span: &Span, name: &str) -> Result<Native, Halt> {
        let address = Arc::as_ptr(text).cast::<u8>() as usize;
        {
            let mut notes = self.notes();
            let again = notes
                .running
                .iter()
                .position(|(other, _)| *other == address);
            if let Some(again) = again {
                let names = notes.running[again..].iter().map(|(_, name)| name.as_str());
                return Err(Halt::Fault(Box::new(explain::cycle(names, name, span))));
            }
            notes.running.push((address, name.to_owned()));
        }
        let depth = DEPTH.get();
        let result = if depth < DEEPEST {
            DEPTH.set(depth + 1);
            self.text(text, span, Form::Text)
        } else {
            Err(Halt::Fault(Box::new(explain::too_deep(span))))
        };
        DEPTH.set(depth);
        self.notes().running.pop();
        result
    }

    /// A name as the engine sees it.
    pub(super) fn lookup(self: &Arc<Self>, name: &str) -> Option<Native> {
        if let Some(known) = self.notes().known.get(name) {
            return known.clone();
        }
        let found = match self.scope.lookup(name) {
            Lookup::Undefined => None,
            Lookup::Ready(native) => Some(native),
            Lookup::After(task) => {
                self.notes().after.get_or_insert_with(|| task.clone());
                return Some(pending(&task));
            }
            Lookup::Written(value) => self.part(&value, name),
        };
        if self.remember {
            self.notes().known.insert(name.to_owned(), found.clone());
        }
        found
    }

    /// A written value as the engine sees it: texts rendered, lists and mappings when they are read.
    pub(super) fn part(self: &Arc<Self>, value: &Value, name: &str) -> Option<Native> {
        match &value.kind {
            Kind::Str(text) if scan::has_markers(text) => {
                match self.leaf(text, &value.span, name) {
                    Ok(native) => Some(native),
                    Err(Halt::Undefined(why)) => {
                        self.notes().missing.insert(name.to_owned(), why);
                        None
                    }
                    Err(halt) => Some(Native::from(carry(halt))),
                }
            }
            Kind::List(items) => Some(Native::from_object(List {
                evaluation: self.clone(),
                items: items.clone(),
                name: name.to_owned(),
            })),
            Kind::Map(map) => Some(Native::from_object(Mapping {
                evaluation: self.clone(),
                map: map.clone(),
            })),
            _ => Some(convert::to_native(value)),
        }
    }

    /// The same, for what is counted among the parts of a whole: there it may not be missing.
    pub(super) fn parts(self: &Arc<Self>, value: &Value, name: &str) -> Native {
        self.part(value, name)
            .unwrap_or_else(|| match self.missing(name) {
                Some(why) => Native::from(carry(Halt::Undefined(why))),
                None => Native::UNDEFINED,
            })
    }
}

/// A result with the line breaks at its end that its template has there: Jinja takes one away, and that behind a block. Blocks that
/// come to nothing leave nothing.
fn ended(mut text: String, compiled: &Compiled) -> String {
    if text.is_empty() && matches!(compiled.program, Ok(Program::Template(_))) {
        return text;
    }
    for _ in newlines(&text)..compiled.newlines {
        text.push('\n');
    }
    text
}
