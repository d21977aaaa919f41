//! What binding a task may ask of the controller: its files, and templates in the task's scope.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::bind::Binder;
use super::scope::TaskScope;
use crate::change::Content;
use crate::diagnostic::{Diagnostic, list};
use crate::event::Mode;
use crate::playbook::{Search, Task};
use crate::resource::{Controller, RenderOptions};
use crate::source::Span;
use crate::template::{Lookup, Scope, Stop};
use crate::value::Value;
use crate::vault::{FileError, is_vault_file};

/// What binding a task may ask of the controller.
pub struct TaskController<'a> {
    pub binder: &'a Binder,
    pub task: &'a Task,
    pub scope: Arc<TaskScope>,
    pub actor: String,
    pub folder: String,
}

impl TaskController<'_> {
    fn names(&self) -> Arc<dyn Scope> {
        self.scope.clone()
    }
}

fn unreadable(path: &Path, at: &Span, error: &std::io::Error) -> Diagnostic {
    Diagnostic::at(at, format!("`{}` cannot be read: {error}", path.display()))
}

fn closed(path: &Path, at: &Span, error: &FileError) -> Diagnostic {
    let fault = Diagnostic::at(at, format!("`{}` cannot be read: {error}", path.display()));
    match error {
        FileError::Closed(why) => fault.help(why.help()),
        _ => fault,
    }
}

impl Controller for TaskController<'_> {
    fn find(&self, src: &Value, folder: &str) -> Result<PathBuf, Stop> {
        let run = &self.binder.play.run;
        let search: Search = run.project.search(&self.binder.play.play, self.task);
        let name = src.as_str().unwrap_or_default();
        search.find(name, folder).map_err(|places| {
            if let Some(task) = run.files.awaited() {
                return Stop::After(task.clone());
            }
            let places: Vec<String> = places
                .iter()
                .map(|place| place.display().to_string())
                .collect();
            let places = list(places.iter().map(String::as_str));
            Diagnostic::at(&src.span, format!("there is no `{name}`"))
                .help(format!("looked at {places}"))
                .into()
        })
    }

    fn content(&self, path: &Path, at: &Value) -> Result<Content, Diagnostic> {
        let run = &self.binder.play.run;
        match run.files.opened(path, &run.project.keyring) {
            Ok(Some(content)) => Ok(content),
            Ok(None) => self.content_as_it_is(path, at),
            Err(error) => Err(closed(path, &at.span, &error)),
        }
    }

    fn is_vault(&self, path: &Path) -> bool {
        is_vault_file(path).unwrap_or(false)
    }

    fn content_as_it_is(&self, path: &Path, at: &Value) -> Result<Content, Diagnostic> {
        self.binder
            .play
            .run
            .files
            .content(path)
            .map_err(|error| unreadable(path, &at.span, &error))
    }

    fn digest(&self, path: &Path, at: &Value) -> Result<(u64, Arc<str>), Diagnostic> {
        self.binder
            .play
            .run
            .files
            .digest(path)
            .map_err(|error| unreadable(path, &at.span, &error))
    }

    fn render_file(
        &self,
        path: &Path,
        at: &Value,
        options: &RenderOptions,
    ) -> Result<String, Stop> {
        let run = &self.binder.play.run;
        let source = run
            .files
            .source(path, &run.project.keyring)
            .map_err(|error| closed(path, &at.span, &error))?;
        let text = run
            .templates
            .render_source(&source, &self.names(), options)?;
        if source.is_sealed() {
            run.project.keyring.hide(&text);
        }
        Ok(text)
    }

    fn render_file_with(
        &self,
        path: &Path,
        at: &Value,
        options: &RenderOptions,
        name: &str,
        value: &str,
    ) -> Result<String, Stop> {
        let mut own = self.scope.own.clone();
        own.push((name.into(), value.into()));
        let with = TaskController {
            scope: self.binder.scope(self.task, own),
            actor: self.actor.clone(),
            folder: self.folder.clone(),
            ..*self
        };
        with.render_file(path, at, options)
    }

    fn test(&self, expression: &Value) -> Result<bool, Stop> {
        self.binder
            .play
            .run
            .templates
            .test(expression, &self.names())
    }

    fn eval(&self, expression: &Value) -> Result<Value, Stop> {
        self.binder
            .play
            .run
            .templates
            .eval(expression, &self.names())
    }

    fn variable(&self, name: &str, at: &Span) -> Result<Option<Value>, Stop> {
        match self.scope.lookup(name) {
            Lookup::Undefined => Ok(None),
            Lookup::After(task) => Err(Stop::After(task)),
            Lookup::Written(value) => self.binder.render(&value, &self.scope).map(Some),
            Lookup::Ready(_) => self.eval(&Value::str(name, at)).map(Some),
        }
    }

    fn destination(&self, path: &str) -> PathBuf {
        let run = &self.binder.play.run;
        let search = run.project.search(&self.binder.play.play, self.task);
        search.playbook.join(path)
    }

    fn host(&self) -> &str {
        &self.binder.play.host.name
    }

    fn mode(&self) -> Mode {
        self.binder.play.run.settings.mode
    }

    fn user(&self) -> &str {
        &self.actor
    }

    fn folder(&self) -> &str {
        &self.folder
    }

    fn verbosity(&self) -> u8 {
        self.binder.play.run.settings.verbosity
    }
}
