//! `include_tasks`: tasks of another file, chosen when their turn has come. Where the file is named literally, they are read and checked
//! with everything else.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::action::Asked;
use super::fields::is_literal;
use super::parse::Reader;
use super::search::{Search, project_folder};
use super::task::Outer;
use super::{Task, TaskAction, check, keywords};
use crate::diagnostic::Diagnostic;
use crate::resource::Kind;
use crate::value::{Map, Value};
use crate::vault::Keyring;

/// Includes in includes, at most.
const DEPTH: usize = 100;

/// What an `include_tasks` includes.
#[derive(Debug)]
pub struct Include {
    /// The file, perhaps a template.
    pub file: Value,
    /// The file that is named literally, with its tasks. None for a template, and for a file that includes itself: it is read when its
    /// turn has come.
    pub read: Option<(PathBuf, Arc<[Task]>)>,
    /// What its tasks inherit.
    outer: Outer,
    folder: PathBuf,
    root: PathBuf,
    kinds: &'static [&'static Kind],
    keyring: Keyring,
}

impl Include {
    /// Whether nothing is known of its tasks before the run.
    pub fn is_open(&self) -> bool {
        self.read.is_none() && !is_literal(&self.file)
    }

    /// The file of a rendered name: beside the including file, else where sources are.
    pub fn find(&self, file: &Value) -> Result<PathBuf, Diagnostic> {
        find(&self.folder, &self.root, file)
    }

    /// Reads the tasks of a file; their numbers begin with `first_id`. Warnings come with the tasks.
    pub fn load(
        &self,
        path: &Path,
        at: &Value,
        first_id: usize,
    ) -> Result<(Vec<Task>, Vec<Diagnostic>), Vec<Diagnostic>> {
        if self.outer.includes > DEPTH {
            return Err(vec![
                Diagnostic::at(
                    &at.span,
                    format!("includes are nested more than {DEPTH} deep"),
                )
                .help("a file that includes itself needs a `when` that ends it"),
            ]);
        }
        let mut reader = Reader::new(
            self.root.clone(),
            self.kinds,
            first_id,
            self.keyring.clone(),
        );
        let tasks = reader.included(path, at, &self.outer);
        match reader.faults.iter().any(Diagnostic::is_error) {
            true => Err(reader.faults),
            false => Ok((tasks, reader.faults)),
        }
    }
}

impl Reader {
    pub(super) fn include(
        &mut self,
        value: &Value,
        map: &Map,
        outer: &Outer,
        handler: bool,
        asked: Asked,
        tasks: &mut Vec<Task>,
    ) {
        let spot = super::play::spot(map, value);
        if handler {
            self.fault(
                Diagnostic::at(&spot.0, "an include cannot be a handler")
                    .help("import the handlers with `import_tasks`"),
            );
            return;
        }
        self.check_keys(map);
        let (own, inherited) = self.keywords(map, outer);
        let repeat = self.repeat(map);
        let mut inner = Outer {
            vars: inherited.vars.clone(),
            rollout: inherited.rollout,
            includes: outer.includes + 1,
            ..outer.clone()
        };
        if let Some(repeat) = &repeat {
            inner.given.push(repeat.var.clone());
            inner.given.extend(repeat.index_var.clone());
            inner.given.push("ansible_loop_var".into());
            inner.given.push("ansible_loop".into());
        }
        if let Some(apply) = asked.apply {
            inner = self.apply(&apply, &inner);
        }
        let read = self.read_literal(&asked.file, &inner);
        let include = Include {
            file: asked.file,
            read,
            outer: inner,
            folder: self.folder(),
            root: self.root.clone(),
            kinds: self.kinds,
            keyring: self.keyring.clone(),
        };
        let action = TaskAction::Include(Arc::new(include));
        let outer = Outer {
            delegate: None,
            notify: Vec::new(),
            ..inherited
        };
        tasks.push(self.made(spot, action, own, outer, repeat, handler));
    }

    fn check_keys(&mut self, map: &Map) {
        for (key, entry) in map {
            let is_action = super::action::is_include(key) || !keywords::TASK.contains(&&**key);
            if is_action || keywords::INCLUDE.contains(&key.as_ref()) {
                continue;
            }
            let message = format!("`{key}` does not go with `include_tasks`");
            let fault = Diagnostic::at(&entry.key, message);
            self.fault(if keywords::BLOCK.contains(&key.as_ref()) {
                fault.help(format!(
                    "for the tasks in the file, write it below `apply:`: `include_tasks: {{file: …, apply: {{{key}: …}}}}`"
                ))
            } else {
                fault.help("write it on the tasks in the file")
            });
        }
    }

    /// What `apply` lays over all tasks of the file.
    fn apply(&mut self, apply: &Value, outer: &Outer) -> Outer {
        let Some(map) = apply.as_map() else {
            if !apply.is_null() {
                self.wrong("apply", "a mapping", apply);
            }
            return outer.clone();
        };
        for (key, entry) in map {
            if matches!(key.as_ref(), "block" | "rescue" | "always" | "rollout")
                || !keywords::BLOCK.contains(&key.as_ref())
            {
                let known = keywords::BLOCK[3..].iter().copied();
                self.fault(
                    Diagnostic::at(&entry.key, format!("`{key}` does not go below `apply`"))
                        .nearest(key, known),
                );
            }
        }
        let (own, mut inner) = self.keywords(map, outer);
        if !own.notify.is_empty() {
            inner.notify = own.notify;
        }
        inner
    }

    fn read_literal(&mut self, file: &Value, inner: &Outer) -> Option<(PathBuf, Arc<[Task]>)> {
        if !is_literal(file) {
            return None;
        }
        let path = match find(&self.folder(), &self.root, file) {
            Ok(path) => path,
            Err(fault) => {
                self.fault(fault);
                return None;
            }
        };
        if self.is_within(&path) {
            return None;
        }
        let tasks = self.included(&path, file, inner);
        Some((path, tasks.into()))
    }

    fn included(&mut self, path: &Path, at: &Value, inner: &Outer) -> Vec<Task> {
        let Some(value) = self.enter(path, Some(at)) else {
            return Vec::new();
        };
        let what = format!("`{}`", path.display());
        let tasks = self.tasks(&value, &what, inner, false);
        self.leave();
        for task in tasks.iter().filter(|task| task.rollout != inner.rollout) {
            self.fault(
                Diagnostic::at(&task.span, "`rollout` on a task of an included file")
                    .help("write it on the include: all of its tasks run at the same time"),
            );
        }
        tasks
    }
}

fn find(folder: &Path, root: &Path, file: &Value) -> Result<PathBuf, Diagnostic> {
    let name = file.as_str().unwrap_or_default();
    if name.is_empty() {
        return Err(Diagnostic::at(
            &file.span,
            "the name of the included file is empty",
        ));
    }
    let beside = folder.join(name);
    if beside.is_file() {
        return Ok(beside);
    }
    let search = Search {
        task: folder.to_owned(),
        playbook: root.to_owned(),
        project: project_folder(root),
    };
    match search.find(name, "tasks") {
        Ok(path) if path.is_file() => Ok(path),
        Ok(path) => Err(Diagnostic::at(
            &file.span,
            format!("`{}` is not a file", path.display()),
        )),
        Err(places) => Err(check::missing("include_tasks", name, file, &places)),
    }
}
