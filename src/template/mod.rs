//! Strict Jinja templates with Ansible's filters and tests.

mod arguments;
mod chain;
mod check;
mod compile;
mod convert;
mod current;
mod evaluation;
mod explain;
mod filter;
mod free;
mod header;
mod include;
mod known;
mod lazy;
mod lookup;
mod named;
mod output;
mod percent;
mod python;
mod refused;
mod rewrite;
mod scan;
mod slice;
mod surroundings;
mod test;

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::resource::RenderOptions;
use crate::source::Source;
use crate::value::{Kind, Value};

use compile::{Engine, Form};
use evaluation::{Evaluation, Halt};

pub use convert::{from_native, is_omit, to_native};
pub use evaluation::pending;
pub use filter::size;
pub use free::FreeName;
pub use python::python;
pub use scan::is_template;
pub use surroundings::{Outside, Shell, Surroundings};

/// Why binding stopped.
#[derive(Debug, Clone)]
pub enum Stop {
    /// A value is known only after another task: its name.
    After(String),
    /// It is wrong.
    Fault(Box<Diagnostic>),
}

impl From<Diagnostic> for Stop {
    fn from(diagnostic: Diagnostic) -> Stop {
        Stop::Fault(Box::new(diagnostic))
    }
}

/// The names a template may use, for one host and task.
pub trait Scope: Send + Sync {
    /// What a name stands for.
    fn lookup(&self, name: &str) -> Lookup;
    /// All names, for the nearest word in messages.
    fn names(&self) -> Vec<String>;
    /// The controller, for the lookups of tasks.
    fn surroundings(&self) -> Option<&dyn Surroundings> {
        None
    }
}

/// What a name stands for.
#[derive(Debug, Clone)]
pub enum Lookup {
    /// Written by the user: rendered when it is used, each part on its own, in this scope.
    Written(Value),
    /// A value of the run, such as a fact or a registered result: never a template. Parts that are not known yet may be
    /// [`pending`].
    Ready(minijinja::Value),
    /// Known only after the task of that name.
    After(String),
    /// No such name.
    Undefined,
}

/// Finds a template that another includes or imports: the name asked for, and the name of the template that asks.
pub type Includes = dyn Fn(&str, &str) -> Option<Arc<Source>> + Send + Sync;

/// The template engine of a run: every text is compiled once, whatever host renders it.
pub struct Templates {
    engine: Arc<Engine>,
}

impl Templates {
    /// An engine whose templates include nothing.
    pub fn new() -> Arc<Templates> {
        Templates::with_includes(Box::new(|_, _| None))
    }

    /// An engine whose templates include what `includes` finds.
    pub fn with_includes(includes: Box<Includes>) -> Arc<Templates> {
        Arc::new(Templates {
            engine: Engine::new(includes, Outside::none()),
        })
    }

    /// The same, whose lookups know the controller's environment and its shell.
    pub fn with_outside(includes: Box<Includes>, outside: Outside) -> Arc<Templates> {
        Arc::new(Templates {
            engine: Engine::new(includes, outside),
        })
    }

    /// The value with all templates in it rendered. A text that is exactly one `{{ }}` becomes the expression's own type.
    /// Entries of lists and mappings that come out as `omit` are dropped; a whole value that does is told by [`is_omit`].
    pub fn render(&self, value: &Value, scope: &Arc<dyn Scope>) -> Result<Value, Stop> {
        if !is_template(value) {
            return Ok(value.clone());
        }
        let running = Evaluation::start(&self.engine, scope);
        running.finish(running.value(value))
    }

    /// Whether a condition holds, as `when` reads it: a boolean, an expression, or a list of them that must all hold. Any
    /// other result is an error, as in ansible-core 2.19.
    pub fn test(&self, condition: &Value, scope: &Arc<dyn Scope>) -> Result<bool, Stop> {
        match &condition.kind {
            Kind::Bool(value) => Ok(*value),
            Kind::List(items) => {
                for item in items.iter() {
                    if !self.test(item, scope)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            _ => {
                let running = Evaluation::start(&self.engine, scope);
                running.finish(running.condition(condition))
            }
        }
    }

    /// What an expression without braces comes to. A value that is no text is itself.
    pub fn eval(&self, expression: &Value, scope: &Arc<dyn Scope>) -> Result<Value, Stop> {
        let Some(text) = expression.as_str() else {
            return self.render(expression, scope);
        };
        let running = Evaluation::start(&self.engine, scope);
        let result = running
            .text(text, &expression.span, Form::Expression)
            .and_then(|native| running.own(&native, &expression.span));
        running.finish(result)
    }

    /// Renders a template file. A first line `#jinja2: trim_blocks: false, …` overrides the options.
    pub fn render_source(
        &self,
        source: &Arc<Source>,
        scope: &Arc<dyn Scope>,
        options: &RenderOptions,
    ) -> Result<String, Stop> {
        let running = Evaluation::start(&self.engine, scope);
        running.finish(running.file(source, options))
    }

    /// A mapping of everything in a scope, rendered when it is used: for `hostvars` and `vars`.
    pub fn bound(&self, scope: &Arc<dyn Scope>) -> minijinja::Value {
        Evaluation::bound(&self.engine, scope)
    }

    /// What is wrong with the templates in a value, as far as can be said without values: syntax, unknown filters, tests
    /// and functions.
    pub fn check(&self, value: &Value) -> Vec<Diagnostic> {
        let mut faults = Vec::new();
        check::value(&self.engine, value, &mut faults);
        faults
    }

    /// What is wrong with a condition or expression; also a warning for one written in braces.
    pub fn check_condition(&self, condition: &Value) -> Vec<Diagnostic> {
        check::condition(&self.engine, condition)
    }

    /// What is wrong with a template file.
    pub fn check_source(&self, source: &Arc<Source>, options: &RenderOptions) -> Vec<Diagnostic> {
        check::source(&self.engine, source, options)
    }

    /// The templates that a template file includes, imports or extends by name, as far as they are found; a missing one is a fault.
    pub fn named_in(&self, source: &Arc<Source>, faults: &mut Vec<Diagnostic>) -> Vec<Arc<Source>> {
        named::of(self.engine.includes(), source, faults)
    }

    /// The names the templates of a value look up and do not define.
    pub fn free_names(&self, value: &Value) -> Vec<FreeName> {
        let mut names = Vec::new();
        free::value(&self.engine, value, &mut names);
        names
    }

    /// The names a condition or expression looks up.
    pub fn free_names_of_condition(&self, condition: &Value) -> Vec<FreeName> {
        free::condition(&self.engine, condition)
    }

    /// The names a template file looks up, those of included files not among them.
    pub fn free_names_of_source(
        &self,
        source: &Arc<Source>,
        options: &RenderOptions,
    ) -> Vec<FreeName> {
        free::source(&self.engine, source, options)
    }
}

impl From<Halt> for Stop {
    fn from(halt: Halt) -> Stop {
        match halt {
            Halt::After(task) => Stop::After(task),
            Halt::Undefined(diagnostic) | Halt::Fault(diagnostic) => Stop::Fault(diagnostic),
        }
    }
}

#[cfg(test)]
mod tests;
