//! The names a task may use: one precedence, Ansible's.

mod asked;
mod hostvars;
mod task;

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use minijinja::Value as Native;

use super::around::Around;
use super::native;
use super::place::Place;
use super::progress::Progress;
use super::state::{HostState, Out, Run, lock};
use crate::change::FACT;
use crate::fact::gather;
use crate::playbook::{
    Layer, Role, STRONGEST_FIRST, Scheduled, VarsFile, chosen_vars_file, load_vars_file,
};
use crate::template::{Lookup, Scope, Stop, Surroundings};
use crate::value::Map;
use asked::asked;
use hostvars::HostVars;

pub use task::TaskScope;

/// Who waits for facts is told this name.
pub const GATHERING: &str = "Gathering Facts";

/// A play as one host sees it: everything that does not depend on the task.
pub struct PlayScope {
    /// The run.
    pub run: Arc<Run>,
    /// The play.
    pub play: Arc<Scheduled>,
    /// The host.
    pub host: Arc<HostState>,
    /// The hosts that do it at the same time, in order.
    pub batch: Arc<[Arc<str>]>,
    files: OnceLock<Vec<Arc<Map>>>,
    around: Around,
    /// While a task is bound: where it stands among those of the other hosts.
    here: Mutex<Option<(Arc<Progress>, Place)>>,
    /// What names are to the tasks of this host that tasks behind them will set: what they were before.
    aside: Mutex<Aside>,
}

/// Names with what they are in place of what the host has; none for nothing.
pub type Aside = HashMap<Arc<str>, Option<Native>>;

impl PlayScope {
    /// The play for a host.
    pub fn new(
        run: Arc<Run>,
        play: Arc<Scheduled>,
        host: Arc<HostState>,
        batch: Arc<[Arc<str>]>,
    ) -> Arc<PlayScope> {
        Arc::new(PlayScope {
            around: Around::of_play(&run, &play),
            run,
            play,
            host,
            batch,
            files: OnceLock::new(),
            here: Mutex::default(),
            aside: Mutex::default(),
        })
    }

    /// What stands in place of values of the host, for its own tasks alone.
    pub fn aside(&self) -> MutexGuard<'_, Aside> {
        lock(&self.aside)
    }

    /// Binds a task at its place. What depends on how the other hosts fared is known there only once they have come as far.
    pub fn at_place<T>(
        &self,
        progress: &Arc<Progress>,
        place: &Place,
        bind: impl FnOnce() -> T,
    ) -> T {
        *lock(&self.here) = Some((progress.clone(), place.clone()));
        let bound = bind();
        *lock(&self.here) = None;
        bound
    }

    /// Whether who is still in the play is known: nobody is on the way to the task that asks.
    fn is_decided(&self) -> bool {
        let here = lock(&self.here);
        let behind =
            |(progress, place): &(Arc<Progress>, Place)| !progress.all_at(&self.host.name, place);
        !self.run.settings.mode.may_change() || !here.as_ref().is_some_and(behind)
    }

    /// Reads those `vars_files` whose names are templates. To be called before the first task is bound; again once facts are there when
    /// it says [`Stop::After`].
    pub fn read_vars_files(self: &Arc<Self>) -> Result<(), Stop> {
        if self.files.get().is_some() {
            return Ok(());
        }
        let mut read = Vec::new();
        for file in &self.play.play.vars_files {
            match file {
                VarsFile::Read { vars, .. } => read.push(vars.clone()),
                VarsFile::Template(name) => {
                    let scope: Arc<dyn Scope> = self.clone();
                    let name = self.run.templates.render(name, &scope)?;
                    let folder = &self.play.play.folder;
                    let (name, vars) = chosen_vars_file(folder, &name)
                        .and_then(|name| {
                            let vars = load_vars_file(folder, &name, &self.run.project.keyring)?;
                            Ok((name, vars))
                        })
                        .map_err(|faults| match faults.into_iter().next() {
                            Some(fault) => Stop::from(fault),
                            None => Stop::After(GATHERING.to_owned()),
                        })?;
                    if let (Some(record), Some(text)) = (&self.run.settings.record, name.as_str()) {
                        record.files([folder.join(text)]);
                    }
                    read.push(vars);
                }
            }
        }
        let _ = self.files.set(read);
        Ok(())
    }

    /// Whether facts will be there, now or later.
    fn facts(&self) -> Lookup {
        let vars = self.host.vars();
        let brought: Vec<(Native, Native)> = vars
            .set
            .iter()
            .filter_map(|(name, value)| Some((name.strip_prefix(FACT)?.into(), value.clone())))
            .collect();
        match &vars.facts {
            None if brought.is_empty() && self.host.factless.load(Ordering::Relaxed) => {
                Lookup::Ready(Native::from_pairs(brought))
            }
            None if self.play.play.gather_facts && !self.host.factless.load(Ordering::Relaxed) => {
                Lookup::After(GATHERING.to_owned())
            }
            None if brought.is_empty() => Lookup::Undefined,
            Some(facts) if brought.is_empty() => Lookup::Ready(facts.clone()),
            facts => {
                let names = facts.as_ref().and_then(|facts| facts.try_iter().ok());
                let gathered = names.into_iter().flatten().map(|name| {
                    let value = facts.as_ref().and_then(|facts| facts.get_item(&name).ok());
                    (name, value.unwrap_or_default())
                });
                Lookup::Ready(Native::from_pairs(gathered.chain(brought)))
            }
        }
    }

    /// A fact that a task brought, by its own name.
    fn brought(&self, name: &str) -> Option<Lookup> {
        let value = self.host.vars().set.get(&*format!("{FACT}{name}")).cloned();
        value.map(Lookup::Ready)
    }

    fn is_live(&self, name: &str) -> bool {
        let host = self.run.hosts.get(name);
        host.is_none_or(|host| host.out() == Out::Alive)
    }

    fn fact(&self, name: &str) -> Lookup {
        match self.facts() {
            Lookup::Ready(facts) => match facts.get_attr(name) {
                Ok(value) if !value.is_undefined() => Lookup::Ready(value),
                _ => Lookup::Undefined,
            },
            other => other,
        }
    }

    fn magic(&self, name: &str) -> Lookup {
        let host = &self.host.host;
        let inventory = &self.run.project.inventory;
        let value = match name {
            "inventory_hostname" => Native::from(host.name.as_str()),
            "inventory_hostname_short" => {
                Native::from(host.name.as_str().split('.').next().unwrap_or_default())
            }
            "group_names" => native(
                host.groups
                    .iter()
                    .map(|name| name.as_str())
                    .collect::<Vec<_>>(),
            ),
            "groups" => native(
                inventory
                    .groups
                    .values()
                    .map(|group| {
                        let hosts: Vec<&str> =
                            group.hosts.iter().map(|host| host.as_str()).collect();
                        (group.name.as_str(), hosts)
                    })
                    .collect::<indexmap::IndexMap<_, _>>(),
            ),
            "hostvars" => Native::from_object(HostVars {
                run: self.run.clone(),
                play: self.play.clone(),
                batch: self.batch.clone(),
            }),
            "vars" => return Lookup::Undefined,
            "play_hosts" | "ansible_play_batch" | "ansible_play_hosts" if !self.is_decided() => {
                return Lookup::After("what the other hosts do before it".to_owned());
            }
            "play_hosts" | "ansible_play_batch" => native(
                self.batch
                    .iter()
                    .map(Arc::as_ref)
                    .filter(|name| self.is_live(name))
                    .collect::<Vec<_>>(),
            ),
            "ansible_play_hosts" => native(
                self.play
                    .hosts
                    .iter()
                    .map(|name| name.as_str())
                    .filter(|name| self.is_live(name))
                    .collect::<Vec<_>>(),
            ),
            "ansible_play_hosts_all" => native(
                self.play
                    .hosts
                    .iter()
                    .map(|name| name.as_str())
                    .collect::<Vec<_>>(),
            ),
            "ansible_play_role_names" | "role_names" => names(&self.play.play.roles.named),
            "ansible_dependent_role_names" => names(&self.play.play.roles.dependent),
            "ansible_role_names" => {
                let roles = &self.play.play.roles;
                let all: Vec<Arc<str>> = roles
                    .dependent
                    .iter()
                    .chain(&roles.named)
                    .cloned()
                    .collect();
                names(&all)
            }
            "ansible_play_name" => Native::from(self.play.play.name.as_ref()),
            "ansible_check_mode" => Native::from(!self.run.settings.mode.may_change()),
            "ansible_diff_mode" => Native::from(self.run.settings.diff),
            "ansible_managed" => Native::from("Ansible managed"),
            "ansible_facts" => return self.facts(),
            "playbook_dir" => Native::from(absolute(&self.play.playbook_folder)),
            "inventory_dir" => match inventory.files.first().and_then(|file| file.parent()) {
                Some(folder) => Native::from(absolute(folder)),
                None => return Lookup::Undefined,
            },
            "inventory_file" => match inventory.files.first() {
                Some(file) => Native::from(absolute(file)),
                None => return Lookup::Undefined,
            },
            _ => return asked(&self.run, name).unwrap_or(Lookup::Undefined),
        };
        Lookup::Ready(value)
    }
}

/// Names, each once.
fn names(all: &[Arc<str>]) -> Native {
    let unique: indexmap::IndexSet<&str> = all.iter().map(Arc::as_ref).collect();
    native(unique.into_iter().collect::<Vec<_>>())
}

fn absolute(path: &std::path::Path) -> String {
    let path = if path.as_os_str().is_empty() {
        std::path::Path::new(".")
    } else {
        path
    };
    path.canonicalize()
        .unwrap_or_else(|_| path.to_owned())
        .display()
        .to_string()
}

fn written(map: &Map, name: &str) -> Option<Lookup> {
    map.get(name)
        .map(|entry| Lookup::Written(entry.value.clone()))
}

impl PlayScope {
    /// What tasks have set.
    fn set(&self, name: &str) -> Option<Lookup> {
        let aside = self.aside().get(name).cloned();
        let vars = self.host.vars();
        if let Some(set) = aside.unwrap_or_else(|| vars.set.get(name).cloned()) {
            return Some(Lookup::Ready(set));
        }
        vars.read.iter().rev().find_map(|map| written(map, name))
    }

    /// The layers that a play sees of its roles, strongest first.
    fn shown(&self, layers: fn(&Role) -> &Vec<Arc<Map>>, name: &str) -> Option<Lookup> {
        let find = |role: &Arc<Role>| layers(role).iter().rev().find_map(|map| written(map, name));
        let play = &self.play;
        let vars = self.host.vars();
        let included = vars.shown.iter().rev();
        let mut included = included.filter(|(number, _)| *number == play.number);
        included
            .find_map(|(_, role)| find(role))
            .or_else(|| play.play.roles.public.iter().rev().find_map(find))
    }

    /// What one of the layers says of a name. Those of a task are the task's.
    fn of(&self, layer: Layer, name: &str) -> Option<Lookup> {
        let known = |found: Lookup| (!matches!(found, Lookup::Undefined)).then_some(found);
        match layer {
            Layer::Params | Layer::TaskVars => None,
            Layer::Extra => written(&self.run.project.extra, name),
            Layer::Set => self.set(name),
            Layer::RoleVars => self.shown(|role| &role.shown_vars, name),
            Layer::VarsFiles => {
                let mut files = self.files.get().into_iter().flatten().rev();
                files.find_map(|file| written(file, name))
            }
            Layer::PlayVars => written(&self.play.play.vars, name),
            Layer::Magic => known(self.magic(name)),
            Layer::Brought => self.brought(name),
            Layer::Inventory => written(&self.host.host.vars, name),
            Layer::Facts => known(match gather::of_variable(name)? {
                "host" => Lookup::Ready(Native::from(self.host.connection.address.as_str())),
                "user" => Lookup::Ready(Native::from(self.host.login.as_str())),
                "port" => Lookup::Ready(Native::from(self.host.connection.port.unwrap_or(22))),
                fact => self.fact(fact),
            }),
            Layer::Defaults => self.shown(|role| &role.shown_defaults, name),
        }
    }

    /// Of a name that no layer has.
    fn nowhere(&self) -> Lookup {
        match self.files.get() {
            None => Lookup::After(GATHERING.to_owned()),
            Some(_) => Lookup::Undefined,
        }
    }

    fn all_names(&self) -> Vec<String> {
        let mut names: Vec<String> = crate::playbook::magic::MAGIC
            .iter()
            .map(|name| (*name).to_owned())
            .collect();
        for map in [
            &*self.run.project.extra,
            &self.play.play.vars,
            &*self.host.host.vars,
        ] {
            names.extend(map.keys().map(|name| name.to_string()));
        }
        for file in self.files.get().into_iter().flatten() {
            names.extend(file.keys().map(|name| name.to_string()));
        }
        let vars = self.host.vars();
        let set = |name: &Arc<str>| name.strip_prefix(FACT).unwrap_or(name).to_owned();
        let read = vars.read.iter().flat_map(|map| map.keys());
        names.extend(vars.set.keys().map(set));
        names.extend(read.map(|name| name.to_string()));
        drop(vars);
        names
    }
}

impl Scope for PlayScope {
    fn lookup(&self, name: &str) -> Lookup {
        let mut layers = STRONGEST_FIRST.into_iter();
        layers
            .find_map(|layer| self.of(layer, name))
            .unwrap_or_else(|| self.nowhere())
    }

    fn names(&self) -> Vec<String> {
        self.all_names()
    }

    fn surroundings(&self) -> Option<&dyn Surroundings> {
        Some(&self.around)
    }
}
