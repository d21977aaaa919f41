//! Who sets a variable of a host: every layer that has it, the strongest first, without a run.
//!
//! The order is that of the engine's scopes.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use minijinja::Value as Native;
use minijinja::value::Serde;

use super::magic::{MAGIC, is_fact};
use super::setter::{Counts, Setter, set_behind, set_within, setter};
use super::{
    Layer, Project, Role, STRONGEST_FIRST, Scheduled, TaskAction, VarsFile, chosen_vars_file,
    load_vars_file,
};
use crate::fact::gather;
use crate::inventory::Host;
use crate::template::{Lookup, Scope, Stop, Templates, from_native};
use crate::value::{Map, Value};

/// Who waits for facts is told this name.
const FACTS: &str = "Gathering Facts";

/// A variable of a host.
#[derive(Debug, Clone)]
pub struct Explained {
    /// The plays it is so in; none where the inventory alone says it.
    pub plays: Vec<Arc<str>>,
    /// Everything that sets it, the strongest first.
    pub chain: Vec<Setter>,
    /// What a task without `vars` of its own finds before any task has set it, templates rendered.
    pub value: Found,
}

/// What a name comes to.
#[derive(Debug, Clone)]
pub enum Found {
    /// This value.
    Value(Value),
    /// It is known only after the task of that name.
    After(String),
    /// A template in it cannot be rendered: why.
    Fault(String),
    /// No such name.
    Nothing,
}

impl Project {
    /// The variable `name` of a host in each play that has it; plays in which it is the same are told together. Without plays, what the
    /// inventory and `-e` say.
    pub fn explain(
        self: &Arc<Self>,
        templates: &Arc<Templates>,
        host: &Host,
        name: &str,
    ) -> Vec<Explained> {
        let plays: Vec<usize> = (0..self.plays.len())
            .filter(|play| self.plays[*play].hosts.contains(&host.name))
            .collect();
        let mut all: Vec<Explained> = Vec::new();
        let alone = plays.is_empty().then_some(None);
        for play in alone.into_iter().chain(plays.into_iter().map(Some)) {
            let told = Names::new(self, templates, host, play).explain(name);
            let alike = all.iter_mut().find(|other| other.is_like(&told));
            match alike {
                Some(other) => other.plays.extend(told.plays),
                None => all.push(told),
            }
        }
        all
    }

    /// All names that are set for a host somewhere, for the nearest one.
    pub fn names_of(self: &Arc<Self>, templates: &Arc<Templates>, host: &Host) -> BTreeSet<String> {
        let plays = (0..self.plays.len()).map(Some);
        plays
            .chain([None])
            .flat_map(|play| Names::new(self, templates, host, play).names())
            .collect()
    }
}

impl Explained {
    fn is_like(&self, other: &Explained) -> bool {
        let of = |it: &Explained| -> Vec<(String, String, Counts)> {
            it.chain
                .iter()
                .map(|setter| (setter.origin.clone(), setter.at.clone(), setter.when))
                .collect()
        };
        of(self) == of(other) && format!("{:?}", self.value) == format!("{:?}", other.value)
    }
}

/// The names a task of a play can use on a host, as far as they are known without a run.
#[derive(Clone)]
struct Names {
    project: Arc<Project>,
    templates: Arc<Templates>,
    host: Host,
    /// Which play.
    play: Option<usize>,
    /// Those of `vars_files`, in order, with the names as written.
    files: Vec<(String, Arc<Map>)>,
    /// Whether some of them are known only with facts.
    open: bool,
}

impl Names {
    fn new(
        project: &Arc<Project>,
        templates: &Arc<Templates>,
        host: &Host,
        play: Option<usize>,
    ) -> Names {
        let mut names = Names {
            project: project.clone(),
            templates: templates.clone(),
            host: host.clone(),
            play,
            files: Vec::new(),
            open: false,
        };
        let Some(scheduled) = names.scheduled().cloned() else {
            return names;
        };
        for file in &scheduled.play.vars_files {
            match file {
                VarsFile::Read { name, vars } => {
                    let name = name.as_str().unwrap_or_default().to_owned();
                    names.files.push((name, vars.clone()));
                }
                VarsFile::Template(name) => {
                    let scope: Arc<dyn Scope> = Arc::new(names.clone());
                    let folder = &scheduled.play.folder;
                    let read = templates.render(name, &scope).ok().and_then(|name| {
                        let name = chosen_vars_file(folder, &name).ok()?;
                        let vars = load_vars_file(folder, &name, &project.keyring).ok()?;
                        Some((name.as_str()?.to_owned(), vars))
                    });
                    names.open |= read.is_none();
                    names.files.extend(read);
                }
            }
        }
        names
    }

    fn scheduled(&self) -> Option<&Scheduled> {
        self.play.and_then(|play| self.project.plays.get(play))
    }

    fn explain(self, name: &str) -> Explained {
        let plays = self.scheduled().map(|it| it.play.name.clone());
        let chain = self.chain(name);
        let scope: Arc<dyn Scope> = Arc::new(self.clone());
        let value = match self.lookup(name) {
            Lookup::Written(value) => match self.templates.render(&value, &scope) {
                Ok(value) => Found::Value(value),
                Err(Stop::After(task)) => Found::After(task),
                Err(Stop::Fault(fault)) => Found::Fault(fault.message),
            },
            Lookup::Ready(native) => {
                match from_native(&native, &crate::source::Span::synthetic("<hadeploy>")) {
                    Ok(value) => Found::Value(value),
                    Err(why) => Found::Fault(why.to_string()),
                }
            }
            Lookup::After(task) => Found::After(task),
            Lookup::Undefined => Found::Nothing,
        };
        Explained {
            plays: plays.into_iter().collect(),
            chain,
            value,
        }
    }

    fn chain(&self, name: &str) -> Vec<Setter> {
        let layers = STRONGEST_FIRST.into_iter();
        layers.flat_map(|layer| self.setters(layer, name)).collect()
    }

    /// What sets a name in one layer, the strongest first.
    fn setters(&self, layer: Layer, name: &str) -> Vec<Setter> {
        let play = self.scheduled();
        match layer {
            // Those of roles and includes are among the `vars` of their tasks here.
            Layer::Params | Layer::Brought => Vec::new(),
            Layer::Extra => Vec::from_iter(setter(&self.project.extra, name, "-e")),
            Layer::Set => self.set_by_tasks(name),
            Layer::TaskVars => {
                let mut found = play.map_or(Vec::new(), |play| set_within(play, name));
                // A role's own are told once, where the whole play sees them.
                let shown = self.setters(Layer::RoleVars, name);
                found.retain(|own| shown.iter().all(|other| other.at != own.at));
                found
            }
            Layer::RoleVars => {
                let mut found = self.set_by_included("vars", |role| &role.shown_vars, name);
                found.extend(self.set_by_roles("vars", |role| &role.shown_vars, name));
                found
            }
            Layer::VarsFiles => {
                let files = self.files.iter().rev();
                files
                    .filter_map(|(file, vars)| setter(vars, name, &format!("vars_files, {file}")))
                    .collect()
            }
            Layer::PlayVars => {
                let own = play.and_then(|it| setter(&it.play.vars, name, "vars of the play"));
                Vec::from_iter(own)
            }
            Layer::Magic => {
                let known = self.magic(name).is_some();
                Vec::from_iter(known.then(|| Setter::of_hadeploy("hadeploy itself")))
            }
            Layer::Inventory => {
                let layers = self.host.layers.iter().rev();
                layers
                    .filter_map(|layer| setter(&layer.vars, name, &layer.origin))
                    .collect()
            }
            Layer::Facts => {
                let fact = gather::of_variable(name).is_some_and(is_fact);
                Vec::from_iter(fact.then(|| Setter::of_hadeploy("a fact of the node")))
            }
            Layer::Defaults => {
                let what = "defaults";
                let mut found = self.set_by_included(what, |role| &role.shown_defaults, name);
                found.extend(self.set_by_roles(what, |role| &role.shown_defaults, name));
                found
            }
        }
    }

    /// What tasks set for all behind them: those of the play, the last first, then those of earlier plays of the host.
    fn set_by_tasks(&self, name: &str) -> Vec<Setter> {
        let (Some(play), Some(scheduled)) = (self.play, self.scheduled()) else {
            return Vec::new();
        };
        let mut found = set_behind(scheduled, name, Counts::Behind);
        let earlier = self.project.plays[..play].iter().rev();
        let earlier = earlier.filter(|play| play.hosts.contains(&self.host.name));
        found.extend(earlier.flat_map(|play| set_behind(play, name, Counts::Earlier)));
        found
    }

    /// What the roles bring that the whole play sees.
    fn set_by_roles(
        &self,
        what: &str,
        layers: fn(&Role) -> &Vec<Arc<Map>>,
        name: &str,
    ) -> Vec<Setter> {
        let roles = self.scheduled().into_iter();
        let roles = roles.flat_map(|it| it.play.roles.public.iter().rev());
        let of = |role: &Arc<Role>| -> Vec<Setter> {
            let origin = format!("{what} of the role `{}`", role.own.name);
            let maps = layers(role).iter().rev();
            maps.filter_map(|map| setter(map, name, &origin)).collect()
        };
        roles.flat_map(of).collect()
    }

    /// What roles bring that tasks include with `public: true`, the last first: the play sees it from there on.
    fn set_by_included(
        &self,
        what: &str,
        layers: fn(&Role) -> &Vec<Arc<Map>>,
        name: &str,
    ) -> Vec<Setter> {
        let tasks = self.scheduled().into_iter();
        let tasks = tasks.flat_map(|it| it.play.tasks_and_handlers());
        let mut found: Vec<Setter> = tasks
            .filter_map(|task| match &task.action {
                TaskAction::Include(include) => Some((task, include.read.as_ref()?)),
                _ => None,
            })
            .flat_map(|(task, read)| {
                let of = move |role: &Arc<Role>| -> Vec<Setter> {
                    let (role_name, label) = (&role.own.name, &task.label);
                    let origin = format!("{what} of the role `{role_name}`, included by `{label}`");
                    let maps = layers(role).iter();
                    let found = maps.filter_map(|map| setter(map, name, &origin));
                    let behind = |found: Setter| Setter {
                        when: Counts::Behind,
                        task: Some(label.clone()),
                        ..found
                    };
                    found.map(behind).collect()
                };
                read.public.iter().flat_map(of)
            })
            .collect();
        found.reverse();
        found
    }

    fn magic(&self, name: &str) -> Option<Lookup> {
        let host = &self.host;
        let inventory = &self.project.inventory;
        let names = |names: Vec<&str>| Native::from(Serde(names));
        let value = match name {
            "inventory_hostname" => Native::from(host.name.as_str()),
            "inventory_hostname_short" => {
                Native::from(host.name.as_str().split('.').next().unwrap_or_default())
            }
            "group_names" => names(host.groups.iter().map(|group| group.as_str()).collect()),
            "groups" => Native::from(Serde(
                inventory
                    .groups
                    .values()
                    .map(|group| {
                        let hosts = group.hosts.iter().map(|host| host.as_str());
                        (group.name.as_str(), hosts.collect::<Vec<_>>())
                    })
                    .collect::<indexmap::IndexMap<_, _>>(),
            )),
            // A host whose vaults stay closed is left out.
            "hostvars" => Native::from_pairs(inventory.hosts.values().filter_map(|other| {
                let other = other.opened(&self.project.keyring).ok()?;
                let names = Names::new(&self.project, &self.templates, &other, None);
                let scope: Arc<dyn Scope> = Arc::new(names);
                Some((other.name.to_string(), self.templates.bound(&scope)))
            })),
            "ansible_managed" => Native::from("Ansible managed"),
            "inventory_file" => path(inventory.files.first()?),
            "inventory_dir" => path(inventory.files.first()?.parent()?),
            "playbook_dir" => path(&self.scheduled()?.playbook_folder),
            "ansible_play_name" => Native::from(&*self.scheduled()?.play.name),
            "ansible_play_hosts_all" => names(
                self.scheduled()?
                    .hosts
                    .iter()
                    .map(|it| it.as_str())
                    .collect(),
            ),
            "vars" | "omit" => return None,
            "ansible_facts" => return Some(Lookup::After(FACTS.to_owned())),
            other if MAGIC.contains(&other) => {
                self.scheduled()?;
                return Some(Lookup::After("the run has begun".to_owned()));
            }
            _ => return None,
        };
        Some(Lookup::Ready(value))
    }
}

fn path(path: &Path) -> Native {
    let path = match path.as_os_str().is_empty() {
        true => Path::new("."),
        false => path,
    };
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    Native::from(real.display().to_string())
}

impl Scope for Names {
    fn lookup(&self, name: &str) -> Lookup {
        let found = STRONGEST_FIRST.into_iter().find_map(|layer| match layer {
            Layer::Magic => self.magic(name),
            // The layers of the inventory, one over the other.
            Layer::Inventory => {
                let entry = self.host.vars.get(name)?;
                Some(Lookup::Written(entry.value.clone()))
            }
            Layer::Facts => {
                let fact = gather::of_variable(name).is_some_and(is_fact);
                fact.then(|| Lookup::After(FACTS.to_owned()))
            }
            layer => {
                let mut setters = self.setters(layer, name).into_iter();
                let setter = setters.find(|setter| setter.when.is_steady())?;
                Some(match (setter.task, setter.value) {
                    (None, Some(value)) => Lookup::Written(value),
                    (task, _) => Lookup::After(task.map_or(String::new(), |it| it.to_string())),
                })
            }
        });
        let behind = || {
            let by_roles = [Layer::RoleVars, Layer::Defaults].into_iter();
            let mut behind = self.set_by_tasks(name).into_iter();
            let setter = behind
                .next()
                .or_else(|| by_roles.flat_map(|layer| self.setters(layer, name)).next())?;
            setter.task.map(|task| Lookup::After(task.to_string()))
        };
        found.or_else(behind).unwrap_or(match self.open {
            true => Lookup::After(FACTS.to_owned()),
            false => Lookup::Undefined,
        })
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = MAGIC.iter().map(|name| (*name).to_owned()).collect();
        let maps = [&*self.project.extra, &*self.host.vars].into_iter();
        let files = self.files.iter().map(|(_, vars)| &**vars);
        let play = self.scheduled().map(|it| &it.play.vars);
        for map in maps.chain(files).chain(play) {
            names.extend(map.keys().map(ToString::to_string));
        }
        if let Some(scheduled) = self.scheduled() {
            for role in &scheduled.play.roles.public {
                let maps = role.shown_vars.iter().chain(&role.shown_defaults);
                names.extend(maps.flat_map(|map| map.keys().map(ToString::to_string)));
            }
            for task in scheduled.play.tasks_and_handlers() {
                names.extend(task.register.as_ref().map(ToString::to_string));
                let maps = task.vars.iter();
                names.extend(maps.flat_map(|map| map.keys().map(ToString::to_string)));
            }
        }
        names
    }
}
