//! `include_tasks` and `include_role`: tasks of another file or of a role, chosen when their turn has come. Where it is named literally,
//! they are read and checked with everything else.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::action::Asked;
use super::collections::{Bases, Installed};
use super::fields::is_literal;
use super::never::on_every_node;
use super::parse::Reader;
use super::role::Role;
use super::role_use::RoleAsk;
use super::search::{Search, project_folder};
use super::task::Outer;
use super::{Task, TaskAction, check, keywords};
use crate::diagnostic::Diagnostic;
use crate::resource::Kind;
use crate::value::{Map, Value};
use crate::vault::Keyring;

/// Includes in includes, at most.
const DEPTH: usize = 100;

/// What an `include_tasks` or `include_role` includes.
#[derive(Debug)]
pub struct Include {
    /// The file, or the name of the role; perhaps a template.
    pub file: Value,
    /// The tasks, where their file or role is named literally, or by facts that are the same on every node. None for a template, and for a file that includes itself: it is read when
    /// its turn has come.
    pub read: Option<Arc<Loaded>>,
    role: Option<RoleAsk>,
    /// What its tasks inherit.
    outer: Outer,
    folder: PathBuf,
    root: PathBuf,
    bases: Bases,
    kinds: &'static [&'static Kind],
    keyring: Keyring,
}

/// What was read of an include.
#[derive(Debug)]
pub struct Loaded {
    /// The file, or the folder of the role.
    pub path: PathBuf,
    /// Its tasks.
    pub tasks: Arc<[Task]>,
    /// Handlers of roles that are not yet among those of the play.
    pub handlers: Vec<Arc<Task>>,
    /// Roles whose variables the tasks behind it see.
    pub public: Vec<Arc<Role>>,
    /// Every file that was read for it.
    pub files: Vec<PathBuf>,
    /// What was noticed.
    pub warnings: Vec<Diagnostic>,
}

/// What is included, its names filled in.
#[derive(Debug, Clone)]
pub struct Chosen {
    file: Value,
    role: Option<RoleAsk>,
    /// The path of a file, or what is asked of a role: the same for what is the same.
    pub key: String,
}

impl Include {
    /// What it is called in a playbook.
    pub fn word(&self) -> &'static str {
        match self.role {
            Some(_) => "include_role",
            None => "include_tasks",
        }
    }

    /// The role that it names literally.
    pub(super) fn role_name(&self) -> Option<&str> {
        let name = self.role.as_ref().map(|role| &role.name);
        name.filter(|name| is_literal(name)).and_then(Value::as_str)
    }

    /// Whether nothing is known of its tasks before the run.
    pub fn is_open(&self) -> bool {
        self.read.is_none() && !self.names().all(is_literal)
    }

    /// The names that say what is included.
    pub fn names(&self) -> impl Iterator<Item = &Value> {
        let from = self.role.iter().flat_map(|role| &role.from);
        [&self.file].into_iter().chain(from.map(|(_, value)| value))
    }

    /// What is meant now: a file beside the including one, else where sources are; or a role. `render` fills in templates.
    pub fn choose<E: From<Diagnostic>>(
        &self,
        render: impl Fn(&Value) -> Result<Value, E>,
    ) -> Result<Chosen, E> {
        let file = render(&self.file)?;
        let Some(role) = &self.role else {
            let path = find(&self.folder, &self.root, &self.outer, &file)?;
            let key = path.display().to_string();
            let file = Value::str(&key, &file.span);
            return Ok(Chosen {
                file,
                role: None,
                key,
            });
        };
        let mut role = role.clone();
        role.name = file.clone();
        for (_, value) in &mut role.from {
            *value = render(value)?;
        }
        let words = role.from.iter().map(|(_, value)| value).chain([&file]);
        let words: Vec<&str> = words.filter_map(Value::as_str).collect();
        Ok(Chosen {
            key: words.join("\n"),
            role: Some(role),
            file,
        })
    }

    /// Reads what was chosen; the numbers of its tasks begin with `first_id`.
    pub fn load(&self, chosen: &Chosen, first_id: usize) -> Result<Loaded, Vec<Diagnostic>> {
        if self.outer.includes > DEPTH {
            return Err(vec![
                Diagnostic::at(
                    &chosen.file.span,
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
            &Installed::default(),
        );
        reader.bases = self.bases.clone();
        let loaded = match &chosen.role {
            Some(role) => reader.included_role(role, &self.outer),
            None => {
                let path = PathBuf::from(&chosen.key);
                Some(reader.included(&path, &chosen.file, &self.outer))
            }
        };
        let Some(mut loaded) = loaded.filter(|_| !reader.faults.iter().any(Diagnostic::is_error))
        else {
            return Err(reader.faults);
        };
        let of_play = std::mem::take(&mut reader.of_play);
        loaded.handlers = of_play.late.into_iter().map(Arc::new).collect();
        loaded.public.extend(of_play.imported);
        loaded.files = reader.files();
        loaded.warnings = reader.faults;
        Ok(loaded)
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
        if handler && asked.role.is_some() {
            return self.no_role_as_handler(&spot.0, map);
        }
        let word = match asked.role {
            Some(_) => "include_role",
            None => "include_tasks",
        };
        self.check_keys(map, word, handler);
        self.check_included_handler(map, outer);
        let (own, inherited) = self.keywords(map, outer);
        let repeat = self.repeat(map);
        let given = inherited.vars[outer.vars.len()..].first().cloned();
        let mut inner = Outer {
            rollout: inherited.rollout,
            includes: outer.includes + 1,
            in_handler: handler,
            collections: inherited.collections.clone(),
            ..outer.clone()
        };
        let mut asked = asked;
        if let (Some(role), Some(given)) = (&mut asked.role, &given) {
            role.given = given.as_ref().clone();
        }
        inner.params.extend(given);
        if let Some(repeat) = &repeat {
            inner.given.push(repeat.var.clone());
            inner.given.extend(repeat.index_var.clone());
            inner.given.push("ansible_loop_var".into());
            inner.given.push("ansible_loop".into());
        }
        if let Some(apply) = asked.apply {
            inner = self.apply(&apply, &inner);
        }
        let read = match &asked.role {
            Some(role) => self.read_role(role, &inner),
            None => self.read_literal(&asked.file, &inner),
        };
        let include = Include {
            file: asked.file,
            read: read.map(Arc::new),
            role: asked.role,
            outer: inner,
            folder: self.folder(),
            root: self.root.clone(),
            bases: self.bases.clone(),
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

    fn check_keys(&mut self, map: &Map, word: &str, handler: bool) {
        for (key, entry) in map {
            let is_action = !keywords::TASK.contains(&&**key);
            let listens = handler && &**key == "listen";
            if is_action || listens || keywords::INCLUDE.contains(&key.as_ref()) {
                continue;
            }
            let message = format!("`{key}` does not go with `{word}`");
            let fault = Diagnostic::at(&entry.key, message);
            self.fault(if keywords::BLOCK.contains(&key.as_ref()) {
                fault.help(format!(
                    "for the tasks in the {}, write it below `apply:`: `{word}: {{{}: …, apply: {{{key}: …}}}}`",
                    if word == "include_role" { "role" } else { "file" },
                    if word == "include_role" { "name" } else { "file" },
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

    fn read_literal(&mut self, file: &Value, inner: &Outer) -> Option<Loaded> {
        let named = on_every_node(file);
        let file = named.as_ref().unwrap_or(file);
        if !is_literal(file) {
            return None;
        }
        let path = match find(&self.folder(), &self.root, inner, file) {
            Ok(path) => path,
            // Whether it is missed turns out when its turn has come.
            Err(_) if named.is_some() => return None,
            Err(fault) => {
                self.fault(fault);
                return None;
            }
        };
        if self.is_within(&path) {
            return None;
        }
        Some(self.included(&path, file, inner))
    }

    fn read_role(&mut self, role: &RoleAsk, inner: &Outer) -> Option<Loaded> {
        let mut names = role.from.iter().map(|(_, value)| value);
        if !is_literal(&role.name) || !names.all(is_literal) {
            return None;
        }
        let tasks = self.tasks_file(role, inner);
        if tasks.is_some_and(|path| self.is_within(&path)) {
            return None;
        }
        self.included_role(role, inner)
    }

    fn included(&mut self, path: &Path, at: &Value, inner: &Outer) -> Loaded {
        let tasks = match self.enter(path, Some(at)) {
            Some(value) => {
                let what = format!("`{}`", path.display());
                let tasks = self.tasks(&value, &what, inner, inner.in_handler);
                self.leave();
                tasks
            }
            None => Vec::new(),
        };
        self.loaded(path.to_owned(), tasks, inner)
    }

    fn included_role(&mut self, role: &RoleAsk, inner: &Outer) -> Option<Loaded> {
        let used = self.role_of_task(role, inner)?;
        self.of_play.late.extend(used.handlers);
        let mut loaded = self.loaded(used.role.own.path.clone(), used.tasks, inner);
        if role.public == Some(true) {
            loaded.public.push(used.role);
        }
        Some(loaded)
    }

    fn loaded(&mut self, path: PathBuf, tasks: Vec<Task>, inner: &Outer) -> Loaded {
        for task in tasks.iter().filter(|task| task.rollout != inner.rollout) {
            self.fault(
                Diagnostic::at(&task.span, "`rollout` on a task of an included file")
                    .help("write it on the include: all of its tasks run at the same time"),
            );
        }
        Loaded {
            path,
            tasks: tasks.into(),
            handlers: Vec::new(),
            public: Vec::new(),
            files: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

fn find(folder: &Path, root: &Path, inner: &Outer, file: &Value) -> Result<PathBuf, Diagnostic> {
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
    let role = inner.role.as_deref();
    // As in Ansible, a handler looks among the handlers of its role before it looks among the tasks.
    let of_role = role.map(|role| role.own.path.join("handlers").join(name));
    if let Some(path) = of_role.filter(|path| inner.in_handler && path.is_file()) {
        return Ok(path);
    }
    let search = Search {
        roles: role.map(Role::folders).unwrap_or_default(),
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
