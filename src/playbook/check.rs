//! What can be said of templates and sources without any value: syntax, and whether the files are there.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fields::is_literal;
use super::idle::Idle;
use super::project::{Project, Scheduled};
use super::uses::{self, Use};
use super::{Task, TaskAction, VarsFile};
use crate::diagnostic::Diagnostic;
use crate::inventory::unreadable;
use crate::resource::{Args, ParamType, RenderOptions};
use crate::source::Source;
use crate::template::Templates;
use crate::value::{Kind, Map, Value};
use crate::vault::{Keyring, is_vault_file, read_source};

/// Parameters of `template` that change how its file is read; such a file is checked when it is rendered.
const MARKERS: &[&str] = &[
    "block_start_string",
    "block_end_string",
    "comment_start_string",
    "comment_end_string",
    "variable_start_string",
    "variable_end_string",
];

/// The faults of all templates and sources of a project.
pub(super) fn templates(
    project: &Project,
    templates: &Templates,
    idle: &Idle<'_>,
) -> Vec<Diagnostic> {
    let mut checker = Checker {
        templates,
        keyring: &project.keyring,
        faults: Vec::new(),
        maps: HashSet::new(),
        files: HashSet::new(),
    };
    for host in project.inventory.hosts.values() {
        for layer in &host.layers {
            checker.shared(&layer.vars);
        }
    }
    checker.shared(&project.extra);
    let mut may_be_written = false;
    for scheduled in &project.plays {
        checker.play(scheduled);
        may_be_written |= is_local(project, scheduled);
        for task in scheduled.play.tasks_and_handlers() {
            checker.variables(task);
            let before = checker.faults.len();
            checker.task(task);
            let files = (!task.when.is_empty()).then(|| checker.files.clone());
            checker.sources(project, scheduled, task, may_be_written);
            // Another task may use its files.
            if idle.forgive(task, &mut checker.faults, before)
                && let Some(files) = files
            {
                checker.files = files;
            }
        }
    }
    checker.faults
}

/// The template files that a task names literally, as far as they can be read.
pub(super) fn template_files(
    project: &Project,
    scheduled: &Scheduled,
    task: &Task,
) -> Vec<Arc<Source>> {
    let source = template_args(task).and_then(|args| args.get("src"));
    let Some(name) = source
        .filter(|value| is_literal(value))
        .and_then(Value::as_str)
    else {
        return Vec::new();
    };
    let Ok(path) = project.search(scheduled, task).find(name, "templates") else {
        return Vec::new();
    };
    let read = |path: PathBuf| read_source(&path, &project.keyring).ok();
    below(&path).into_iter().filter_map(read).collect()
}

/// The file itself, or all templates below a folder.
fn below(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths.retain(|path| path.is_dir() || path.extension().is_some_and(|ending| ending == "j2"));
    paths.iter().flat_map(|path| below(path)).collect()
}

/// The arguments of a task whose templates are read with Jinja's own markers.
fn template_args(task: &Task) -> Option<&Args> {
    match &task.action {
        TaskAction::Kind { kind, args } if kind.name == "template" => {
            let plain = args.iter().all(|(name, _)| !MARKERS.contains(&name));
            plain.then_some(args)
        }
        TaskAction::Kind { kind, args } if kind.name == "config_tree" => Some(args),
        _ => None,
    }
}

/// Whether a play works on the controller, so that its tasks may write sources of later ones.
fn is_local(project: &Project, scheduled: &Scheduled) -> bool {
    let local = |value: &Value| value.as_str() == Some("local");
    scheduled.play.connection.as_ref().is_some_and(local)
        || scheduled.hosts.iter().any(|host| {
            project.inventory.hosts.get(host).is_some_and(|host| {
                host.vars
                    .get("ansible_connection")
                    .is_some_and(|entry| local(&entry.value))
            })
        })
}

struct Checker<'a> {
    templates: &'a Templates,
    keyring: &'a Keyring,
    faults: Vec<Diagnostic>,
    maps: HashSet<*const Map>,
    files: HashSet<PathBuf>,
}

impl Checker<'_> {
    /// A mapping that many hosts may share.
    fn shared(&mut self, map: &Arc<Map>) {
        if self.maps.insert(Arc::as_ptr(map)) {
            self.map(map);
        }
    }

    fn map(&mut self, map: &Map) {
        for entry in map.values() {
            self.value(&entry.value);
        }
    }

    fn value(&mut self, value: &Value) {
        self.faults.append(&mut self.templates.check(value));
    }

    fn play(&mut self, scheduled: &Scheduled) {
        let play = &scheduled.play;
        self.map(&play.vars);
        for file in &play.vars_files {
            match file {
                VarsFile::Read { vars, .. } => self.shared(vars),
                VarsFile::Template(name) => self.value(name),
            }
        }
        uses::of_play(play).for_each(|value| self.value(value));
    }

    /// Those of a task and its role, which other tasks share.
    fn variables(&mut self, task: &Task) {
        let role = task.role.iter().flat_map(|role| role.layers());
        for vars in task.vars.iter().chain(&task.params).chain(role) {
            self.shared(vars);
        }
    }

    fn task(&mut self, task: &Task) {
        if let (TaskAction::Kind { kind, .. }, Some(delegate)) = (&task.action, &task.delegate)
            && kind.name == "synchronize"
        {
            self.faults.push(
                Diagnostic::at(&delegate.span, "`synchronize` always sends from the controller to the task's own host")
                    .help("take `delegate_to` away; between two paths of one node use `copy` with `remote_src: true`"),
            );
        }
        for (value, how) in uses::of(task) {
            match how {
                Use::Template => self.value(value),
                Use::Expression | Use::When => {
                    let mut faults = self.templates.check_condition(value);
                    self.faults.append(&mut faults);
                }
            }
        }
    }

    /// Files of the controller that are named literally must be there; a template's text must be right.
    fn sources(&mut self, project: &Project, scheduled: &Scheduled, task: &Task, lenient: bool) {
        let TaskAction::Kind { kind, args } = &task.action else {
            return;
        };
        let on_the_node = args
            .iter()
            .find(|(name, _)| *name == "remote_src")
            .is_some_and(|(_, entry)| entry.value.kind != Kind::Bool(false));
        if on_the_node {
            return;
        }
        let folder = match kind.name {
            "template" | "config_tree" => "templates",
            _ => "files",
        };
        for param in kind.params.iter().filter(|it| it.ty == ParamType::Source) {
            let Some(value) = args.get(param.name).filter(|value| is_literal(value)) else {
                continue;
            };
            let Some(text) = value.as_str() else { continue };
            match project.search(scheduled, task).find(text, folder) {
                Ok(path) if template_args(task).is_some() => {
                    let files = below(&path);
                    files.iter().for_each(|path| self.template(path, value));
                }
                Ok(path) => self.vault(args, &path, value),
                Err(_) if lenient => {}
                Err(places) => self.faults.push(missing(kind.name, text, value, &places)),
            }
        }
    }

    /// A source that is a vault must open before anything is connected.
    fn vault(&mut self, args: &Args, path: &Path, at: &Value) {
        let stays = args
            .iter()
            .any(|(name, entry)| name == "decrypt" && entry.value.kind == Kind::Bool(false));
        if path.is_dir() || stays {
            return;
        }
        if !matches!(is_vault_file(path), Ok(true)) || !self.files.insert(path.to_owned()) {
            return;
        }
        let Ok(bytes) = std::fs::read(path) else {
            return;
        };
        if let Err(why) = self.keyring.open(&bytes) {
            let fault = why.of_file(&path.display().to_string());
            self.faults.push(fault.place(&at.span));
        }
    }

    fn template(&mut self, path: &Path, at: &Value) {
        if !self.files.insert(path.to_owned()) {
            return;
        }
        match read_source(path, self.keyring) {
            Ok(source) => self.template_source(&source),
            Err(error) => {
                let said = unreadable(&path.display().to_string(), &error);
                self.faults.push(said.place(&at.span));
            }
        }
    }

    /// A template, and those that it names.
    fn template_source(&mut self, source: &Arc<Source>) {
        let options = RenderOptions::default();
        let mut faults = self.templates.check_source(source, &options);
        for named in self.templates.named_in(source, &mut faults) {
            if self.files.insert(named.name().into()) {
                self.template_source(&named);
            }
        }
        self.faults.append(&mut faults);
    }
}

/// A source that is nowhere, with every place looked at. Also for sources whose name was a template.
pub fn missing(kind: &str, text: &str, at: &Value, places: &[PathBuf]) -> Diagnostic {
    let looked: Vec<String> = places
        .iter()
        .map(|place| format!("`{}`", place.display()))
        .collect();
    let what = if kind == "template" {
        "template"
    } else {
        "file"
    };
    Diagnostic::at(&at.span, format!("there is no {what} `{text}`"))
        .help(format!("looked for {}", looked.join(", then ")))
}
