//! What a role is to the tasks of it: the variables that only they see, and the folders that they find files in.

use std::path::PathBuf;
use std::sync::Arc;

use crate::value::Map;

/// What one use of a role brings with it.
#[derive(Debug)]
pub struct Own {
    /// Its name; of a role of a collection the full one.
    pub name: Arc<str>,
    /// Its name within its collection; else its name.
    pub short: Arc<str>,
    /// The collection it belongs to.
    pub collection: Option<Arc<str>>,
    /// Its folder.
    pub path: PathBuf,
    /// `defaults/main.yml`.
    pub defaults: Arc<Map>,
    /// `vars/main.yml`.
    pub vars: Arc<Map>,
    /// `vars` beside the name of the role.
    pub given: Arc<Map>,
    /// Other keys beside the name of the role.
    pub params: Arc<Map>,
}

/// One use of a role, as its tasks see it. Layers of variables stand weakest first; their order is that of ansible-core 2.19
/// (`VariableManager.get_vars` and `Role.get_vars`).
#[derive(Debug)]
pub struct Role {
    /// What is its own.
    pub own: Arc<Own>,
    /// Weaker than the inventory: of dependencies, of the roles that use it, and its own.
    pub defaults: Vec<Arc<Map>>,
    /// Weaker than the variables of a task, stronger than those of the play.
    pub vars: Vec<Arc<Map>>,
    /// Stronger than `set_fact`.
    pub params: Vec<Arc<Map>>,
    /// The defaults that the whole play sees of it, where it is public.
    pub shown_defaults: Vec<Arc<Map>>,
    /// The variables that the whole play sees of it, where it is public.
    pub shown_vars: Vec<Arc<Map>>,
    /// The roles it is used by: the one that depends on it, or whose task includes it, last.
    pub chain: Vec<Arc<Own>>,
    /// The roles whose tasks import or include it, inner first.
    pub parents: Vec<Arc<Own>>,
    /// What two uses of it have in common of which only one runs; none where it may run again.
    pub identity: Option<Arc<str>>,
    /// The number of this use, unique in the run.
    pub number: usize,
}

impl Role {
    /// The folders its tasks look for files in: its own, then those of the roles that use it.
    pub fn folders(&self) -> Vec<PathBuf> {
        let around = self.chain.iter().rev().map(|own| &own.path);
        let mut folders: Vec<PathBuf> = Vec::new();
        for path in [&self.own.path].into_iter().chain(around) {
            if !folders.contains(path) {
                folders.push(path.clone());
            }
        }
        folders
    }

    /// Whether one of its own layers, or of those around it, defines a name.
    pub fn defines(&self, name: &str) -> bool {
        self.layers().any(|map| map.contains_key(name))
    }

    /// All layers of variables that its tasks see.
    pub fn layers(&self) -> impl Iterator<Item = &Arc<Map>> {
        self.defaults.iter().chain(&self.vars).chain(&self.params)
    }
}

/// The roles of a play, as far as the play itself knows of them.
#[derive(Debug, Clone, Default)]
pub struct PlayRoles {
    /// Those whose defaults and variables all tasks of the play see, weakest first.
    pub public: Vec<Arc<Role>>,
    /// The names of those that the play names itself.
    pub named: Vec<Arc<str>>,
    /// The names of those that others depend on.
    pub dependent: Vec<Arc<str>>,
}

/// The layers of variables of one use of a role; who it is comes later.
pub(super) fn layers(
    own: Arc<Own>,
    dependencies: &[Arc<Role>],
    chain: &[Arc<Own>],
    parents: &[Arc<Own>],
) -> Role {
    let with = |more: &Arc<Map>, of: fn(&Role) -> &Vec<Arc<Map>>| {
        let below = dependencies.iter().flat_map(|role| of(role));
        below.chain([more]).cloned().collect::<Vec<_>>()
    };
    let mut defaults = with(&own.defaults, |role| &role.shown_defaults);
    let last = defaults.len() - 1;
    defaults.splice(last..last, chain.iter().map(|own| own.defaults.clone()));
    let around = chain.iter().chain([&own]);
    let mut vars: Vec<Arc<Map>> = around
        .flat_map(|own| [own.given.clone(), own.vars.clone()])
        .collect();
    vars.extend(with(&own.vars, |role| &role.shown_vars));
    vars.push(own.given.clone());
    let params = chain.iter().map(|own| &own.params).chain([&own.params]);
    let full = |layers: Vec<Arc<Map>>| -> Vec<Arc<Map>> {
        layers.into_iter().filter(|map| !map.is_empty()).collect()
    };
    Role {
        shown_defaults: full(with(&own.defaults, |role| &role.shown_defaults)),
        shown_vars: full(with(&own.vars, |role| &role.shown_vars)),
        defaults: full(defaults),
        vars: full(vars),
        params: full(params.cloned().collect()),
        chain: chain.to_vec(),
        parents: parents.to_vec(),
        identity: None,
        number: 0,
        own,
    }
}
