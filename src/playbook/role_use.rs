//! The use of a role: its dependencies, then its tasks; and its handlers, which belong to the whole play.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::parse::{OfPlay, Reader};
use super::role::{Own, PlayRoles, Role, layers};
use super::role_folder::{Found, file, find};
use super::task::Outer;
use super::{Play, Task, is_template, keywords};
use crate::diagnostic::Diagnostic;
use crate::value::{Kind, Map, Value};

/// Who asks for a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// `roles` of a play.
    Play,
    /// `dependencies` of another role.
    Dependency,
    /// `import_role` or `include_role`.
    Task,
}

/// A role as it is asked for.
#[derive(Debug, Clone)]
pub(super) struct RoleAsk {
    pub(super) name: Value,
    pub(super) origin: Origin,
    pub(super) given: Map,
    pub(super) params: Map,
    /// `tasks_from` and the like, by the folder they are about.
    pub(super) from: Vec<(&'static str, Value)>,
    /// `allow_duplicates` of an import or include.
    pub(super) again: Option<bool>,
    pub(super) public: Option<bool>,
    /// `rolespec_validate`.
    pub(super) checked: bool,
    /// What else makes two uses differ.
    pub(super) beside: String,
}

/// A role with everything it brings.
pub(super) struct Used {
    pub(super) role: Arc<Role>,
    pub(super) tasks: Vec<Task>,
    pub(super) handlers: Vec<Task>,
}

/// What `meta/main.yml` says.
#[derive(Default)]
struct Meta {
    dependencies: Vec<Value>,
    collections: Vec<Arc<str>>,
    again: bool,
    /// `argument_specs`.
    specs: Option<Value>,
}

impl RoleAsk {
    pub(super) fn from(&self, part: &str) -> Option<(&str, &Value)> {
        let (_, value) = self.from.iter().find(|(name, _)| *name == part)?;
        Some((value.as_str()?, value))
    }

    /// What two uses have in common of which only one runs.
    fn identity(&self, path: &Path) -> Arc<str> {
        let json = |map: &Map| {
            let map = Value::new(Kind::Map(Arc::new(map.clone())), &self.name.span);
            map.to_json().to_string()
        };
        let path = path.canonicalize().unwrap_or(path.to_owned());
        let from: Vec<String> = self
            .from
            .iter()
            .map(|(part, value)| format!("{part}={}", value.to_json()))
            .collect();
        format!(
            "{}\n{:?}\n{}\n{}\n{}\n{}",
            path.display(),
            self.origin == Origin::Task,
            json(&self.given),
            json(&self.params),
            from.join(" "),
            self.beside
        )
        .into()
    }
}

impl Reader {
    /// `roles` of a play: the tasks of all of them.
    pub(super) fn roles_of_play(&mut self, value: &Value, outer: &Outer) -> Vec<Task> {
        let mut tasks = Vec::new();
        for entry in self.role_list("roles", value) {
            let Some((ask, inner)) = self.role_entry(&entry, outer, Origin::Play) else {
                continue;
            };
            if let Some(used) = self.use_role(&ask, &inner, &[], &[]) {
                tasks.extend(used.tasks);
                self.of_play.early.extend(used.handlers);
                self.of_play.named.push(used.role);
            }
        }
        tasks
    }

    fn role_list(&mut self, key: &str, value: &Value) -> Vec<Value> {
        match &value.kind {
            Kind::List(items) => items.to_vec(),
            Kind::Null => Vec::new(),
            _ => {
                let fault = Diagnostic::at(
                    &value.span,
                    format!("`{key}` must be a list of roles, not {}", value.type_name()),
                );
                self.fault(fault.help(format!("write `{key}: [NAME]`")));
                Vec::new()
            }
        }
    }

    /// One entry of `roles` or `dependencies`: a name, or a mapping with it.
    fn role_entry(
        &mut self,
        entry: &Value,
        outer: &Outer,
        origin: Origin,
    ) -> Option<(RoleAsk, Outer)> {
        let Some(map) = entry.as_map() else {
            let ask = RoleAsk {
                name: self.role_name(entry)?,
                origin,
                given: Map::new(),
                params: Map::new(),
                from: Vec::new(),
                again: None,
                public: None,
                checked: true,
                beside: beside(None),
            };
            return Some((ask, outer.clone()));
        };
        let Some(name) = map.get("role").or(map.get("name")) else {
            let fault = Diagnostic::at(&entry.span, "the role has no name");
            self.fault(match map.contains_key("src") {
                true => fault.help("hadeploy fetches no roles: put it into `roles/`, and name it"),
                false => fault.help("write `role: NAME`"),
            });
            return None;
        };
        let (mut words, mut params) = (Map::new(), Map::new());
        for (key, given) in map {
            match key.as_ref() {
                "role" | "name" | "collections" => {}
                key if keywords::ROLE.contains(&key) => {
                    words.insert(key.into(), given.clone());
                }
                key if keywords::TASK.contains(&key) => self.fault(
                    Diagnostic::at(&given.key, format!("`{key}` does not go with a role"))
                        .help("write it on the tasks of the role"),
                ),
                key => {
                    if let Some(instead) = keywords::refused_in_task(key) {
                        self.fault(
                            Diagnostic::at(
                                &given.key,
                                format!("hadeploy does not have `{key}` on a role"),
                            )
                            .help(instead),
                        );
                        continue;
                    }
                    let near = crate::diagnostic::nearest(key, keywords::ROLE.iter().copied());
                    if let Some(near) = near {
                        self.fault(
                            Diagnostic::warning(
                                &given.key,
                                format!("`{key}` becomes a variable of the role"),
                            )
                            .help(format!("did you mean `{near}`?")),
                        );
                    }
                    if self.variable(key, &given.key) {
                        params.insert(key.into(), given.clone());
                    }
                }
            }
        }
        let given = words.shift_remove("vars");
        let given = given.map_or_else(Map::new, |entry| self.vars(&entry.value));
        let (_, inner) = self.keywords(&words, outer);
        let ask = RoleAsk {
            name: self.role_name(&name.value)?,
            origin,
            given,
            params,
            from: Vec::new(),
            again: None,
            public: None,
            checked: true,
            beside: beside(Some(map)),
        };
        Some((ask, inner))
    }

    /// A name that is known before any host is.
    pub(super) fn role_name(&mut self, value: &Value) -> Option<Value> {
        if value.as_str().is_some_and(is_template) {
            self.fault(
                Diagnostic::at(&value.span, "the name of the role cannot be a template")
                    .help("it is read before any host is known; `include_role` takes a template"),
            );
            return None;
        }
        if !matches!(value.kind, Kind::Str(_) | Kind::Int(_)) {
            self.wrong("role", "the name of a role", value);
            return None;
        }
        self.text("role", value)
    }

    /// Reads a role with its dependencies. `chain` holds the roles that use it, `parents` those whose tasks do.
    pub(super) fn use_role(
        &mut self,
        ask: &RoleAsk,
        outer: &Outer,
        chain: &[Arc<Own>],
        parents: &[Arc<Own>],
    ) -> Option<Used> {
        let around = chain.last().map(|own| own.path.clone());
        let found = match find(
            &self.bases,
            around.as_deref(),
            &outer.collections,
            &ask.name,
        ) {
            Ok(found) => found,
            Err(fault) => {
                self.fault(*fault);
                return None;
            }
        };
        let Found {
            path,
            name,
            short,
            collection,
        } = found;
        let real = |path: &Path| path.canonicalize().unwrap_or(path.to_owned());
        if ask.origin == Origin::Dependency
            && let Some(first) = chain.iter().position(|it| real(&it.path) == real(&path))
        {
            let way = chain[first..].iter().map(|own| &own.name).chain([&name]);
            let way: Vec<String> = way.map(|name| format!("`{name}`")).collect();
            self.fault(
                Diagnostic::at(&ask.name.span, format!("role `{name}` depends on itself"))
                    .label(way.join(" depends on "))
                    .help("take the name out of the `dependencies` of one of them"),
            );
            return None;
        }
        let own = Arc::new(Own {
            defaults: self.role_vars(&path, "defaults", ask.from("defaults")),
            vars: self.role_vars(&path, "vars", ask.from("vars")),
            given: Arc::new(ask.given.clone()),
            params: Arc::new(ask.params.clone()),
            name,
            short,
            collection,
            path,
        });
        let meta = self.role_meta(&own.path, &ask.name);
        // The play's are not handed on to its roles: each names its own, as in Ansible.
        let home = own.collection.iter().cloned();
        let named = meta.collections.into_iter();
        let named = named.filter(|name| Some(name) != own.collection.as_ref());
        let outer = &Outer {
            collections: home.chain(named).collect(),
            ..outer.clone()
        };
        let (mut tasks, mut handlers) = (Vec::new(), Vec::new());
        let inner_chain: Vec<Arc<Own>> = chain.iter().chain([&own]).cloned().collect();
        let mut dependencies = Vec::new();
        for entry in &meta.dependencies {
            let Some((wanted, inner)) = self.role_entry(entry, outer, Origin::Dependency) else {
                continue;
            };
            if let Some(used) = self.use_role(&wanted, &inner, &inner_chain, parents) {
                tasks.extend(used.tasks);
                handlers.extend(used.handlers);
                self.of_play.dependent.push(used.role.own.name.clone());
                dependencies.push(used.role);
            }
        }
        let again = ask.again.unwrap_or(meta.again);
        let role = Arc::new(Role {
            identity: (!again).then(|| ask.identity(&own.path)),
            number: self.task_id(),
            ..layers(own, &dependencies, chain, parents)
        });
        let mut inner = outer.clone();
        inner.role = Some(role.clone());
        if ask.checked {
            let specs = self.role_specs(&role.own.path, &ask.name, meta.specs);
            tasks.extend(self.role_check(&role, ask, &specs, &inner));
        }
        tasks.extend(self.role_tasks(&role, "tasks", ask, &inner));
        inner.within = Vec::new();
        inner.rollout = None;
        handlers.extend(self.role_tasks(&role, "handlers", ask, &inner));
        Some(Used {
            role,
            tasks,
            handlers,
        })
    }

    fn role_tasks(
        &mut self,
        role: &Role,
        part: &'static str,
        ask: &RoleAsk,
        inner: &Outer,
    ) -> Vec<Task> {
        let path = match file(&role.own.path, part, ask.from(part)) {
            Ok(Some(path)) => path,
            Ok(None) => return Vec::new(),
            Err(fault) => {
                self.fault(*fault);
                return Vec::new();
            }
        };
        let Some(value) = self.enter(&path, Some(&ask.name)) else {
            return Vec::new();
        };
        let what = format!("`{}`", path.display());
        let tasks = self.tasks(&value, &what, inner, part == "handlers");
        self.leave();
        tasks
    }

    /// The file with the tasks of a role, for one that is asked for by its literal name.
    pub(super) fn tasks_file(&self, ask: &RoleAsk, outer: &Outer) -> Option<PathBuf> {
        let around = outer.role.as_ref().map(|role| role.own.path.as_path());
        let found = find(&self.bases, around, &outer.collections, &ask.name).ok()?;
        file(&found.path, "tasks", ask.from("tasks")).ok()?
    }

    fn role_meta(&mut self, role: &Path, at: &Value) -> Meta {
        let mut meta = Meta::default();
        let Ok(Some(path)) = file(role, "meta", None) else {
            return meta;
        };
        let Some(value) = self.enter(&path, Some(at)) else {
            return meta;
        };
        self.leave();
        let Some(map) = value.as_map() else {
            if !value.is_null() {
                self.wrong("meta/main.yml", "a mapping", &value);
            }
            return meta;
        };
        for (key, entry) in map {
            match key.as_ref() {
                "dependencies" => {
                    meta.dependencies = self.role_list("dependencies", &entry.value);
                }
                "allow_duplicates" => {
                    meta.again = self.switch(key, &entry.value).unwrap_or(false);
                }
                "argument_specs" => meta.specs = Some(entry.value.clone()),
                "collections" => meta.collections = self.collections(&entry.value),
                "galaxy_info" => {}
                other => self.fault(
                    Diagnostic::at(&entry.key, format!("unknown key `{other}` of `meta`")).nearest(
                        other,
                        [
                            "dependencies",
                            "allow_duplicates",
                            "collections",
                            "galaxy_info",
                            "argument_specs",
                        ],
                    ),
                ),
            }
        }
        meta
    }
}

/// The conditions and tags of an entry: two that differ in them are not the same.
fn beside(map: Option<&Map>) -> String {
    let written = |key: &str| Some(map?.get(key)?.value.to_json());
    format!("{:?} {:?}", written("when"), written("tags"))
}

impl OfPlay {
    /// Gives a play what its roles bring.
    pub(super) fn join(self, play: &mut Play) {
        let own = std::mem::take(&mut play.handlers);
        for handler in self.early.into_iter().chain(own).chain(self.late) {
            // Of a role that is used twice the handlers of the last use count, as in Ansible.
            if handler.role.is_some() {
                let same = |other: &Task| other.at == handler.at && other.label == handler.label;
                play.handlers.retain(|other| !same(other));
            }
            play.handlers.push(handler);
        }
        let public = self.named.iter().chain(&self.imported);
        play.roles = PlayRoles {
            named: public.clone().map(|role| role.own.name.clone()).collect(),
            public: public.cloned().collect(),
            dependent: self.dependent,
        };
    }
}
