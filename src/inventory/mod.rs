//! What machines there are, in which groups, with which variables; before anything is connected.

mod address;
pub mod connection;
mod draft;
mod graph;
mod ini;
mod json;
mod listing;
mod literal;
mod opening;
mod pattern;
mod plugin;
mod range;
mod script;
mod sources;
mod term;
mod vars_folder;
mod words;
mod yaml;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use crate::diagnostic::Diagnostic;
use crate::name::{GroupName, HostName, NameError};
use crate::source::Span;
use crate::value::{Entry, Map, Value};
use crate::vault::Keyring;

pub(crate) use vars_folder::{read_closed_vars, read_vars};
pub(crate) use yaml::unreadable;

pub use connection::{Connection, ConnectionVars, Method, check_names, is_connection_variable};
pub use listing::{ListedHost, ListedVar, Setting};
pub use pattern::{HostPattern, Matched};

/// All hosts and groups of all inventory files.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// In the order in which the files name them.
    pub hosts: IndexMap<HostName, Host>,
    /// `all` and `ungrouped` are always there.
    pub groups: IndexMap<GroupName, Group>,
    /// The files it was read from, as the user gave them.
    pub files: Vec<PathBuf>,
}

/// One machine.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its name in the inventory.
    pub name: HostName,
    /// `group_names`: its groups and their parents, sorted, without `all`.
    pub groups: Vec<GroupName>,
    /// Its variables by Ansible's precedence; each entry keeps the place it came from.
    pub vars: Arc<Map>,
    /// What was laid over what, weakest first.
    pub layers: Vec<Layer>,
    /// Where it is first named.
    pub span: Span,
}

/// A named set of hosts.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its name.
    pub name: GroupName,
    /// Its hosts and those of the groups below it, in inventory order.
    pub hosts: Vec<HostName>,
    /// The hosts that are named in it, and not only in a group below it.
    pub direct: Vec<HostName>,
    /// The groups directly below it.
    pub children: Vec<GroupName>,
    /// The longest way from `all`, which has depth 0.
    pub depth: usize,
    /// `ansible_group_priority`; 1 unless set.
    pub priority: i64,
    /// Where it is first named.
    pub span: Span,
}

/// Variables from one origin.
#[derive(Debug, Clone)]
pub struct Layer {
    /// `group web`, `group_vars/web`, `host web1`, `host_vars/web1`.
    pub origin: Arc<str>,
    /// What it sets.
    pub vars: Arc<Map>,
}

impl Inventory {
    /// Reads what each `-i` names, and `group_vars` and `host_vars` beside it and in `playbook_folders`. Later ones win.
    /// All faults are returned; the inventory is then as complete as it could be made. An inventory that is a vault is opened with the passwords
    /// of `keyring`; variables that are encrypted stay so until [`Inventory::open`] or [`Inventory::opened`] is asked for them.
    pub fn load(
        paths: &[String],
        playbook_folders: &[PathBuf],
        keyring: &Keyring,
    ) -> (Inventory, Vec<Diagnostic>) {
        let mut reading = sources::Reading {
            keyring,
            draft: draft::Draft::default(),
            faults: Vec::new(),
            files: Vec::new(),
            folders: Vec::new(),
        };
        for path in paths {
            reading.source(path);
        }
        let sources::Reading {
            draft,
            mut faults,
            files,
            folders,
            ..
        } = reading;
        let near = each_once(&folders, &[]);
        let far = each_once(playbook_folders, &near);
        let mut inventory = draft.finish(&near, &far, &mut faults);
        inventory.files = files;
        (inventory, once(faults))
    }

    /// The names of all hosts and groups, for suggestions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.hosts
            .keys()
            .map(HostName::as_str)
            .chain(self.groups.keys().map(GroupName::as_str))
    }

    /// Adds the controller itself as `localhost` with a local connection, in no group, if the inventory has no such host.
    pub fn add_localhost(&mut self) {
        let Ok(name) = HostName::new("localhost") else {
            return;
        };
        let span = Span::synthetic("<implicit localhost>");
        let entry = Entry {
            key: span.clone(),
            value: Value::str("local", &span),
        };
        let vars = Arc::new(Map::from_iter([(Arc::from("ansible_connection"), entry)]));
        self.hosts.entry(name.clone()).or_insert(Host {
            name,
            groups: Vec::new(),
            layers: vec![Layer {
                origin: "implicit localhost".into(),
                vars: vars.clone(),
            }],
            vars,
            span,
        });
    }
}

/// Each folder once, however it is spelled, where it stands last: there it is strongest. None that is among `known`.
fn each_once(folders: &[PathBuf], known: &[PathBuf]) -> Vec<PathBuf> {
    let real = |path: &Path| {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        path.canonicalize().unwrap_or(path.to_owned())
    };
    let mut seen: HashSet<PathBuf> = known.iter().map(|path| real(path)).collect();
    let mut kept: Vec<PathBuf> = folders
        .iter()
        .rev()
        .filter(|folder| seen.insert(real(folder)))
        .cloned()
        .collect();
    kept.reverse();
    kept
}

/// Why a host cannot be called so.
fn host_fault(name: &str, span: &Span, error: &NameError) -> Diagnostic {
    Diagnostic::at(span, format!("`{name}` cannot be the name of a host"))
        .label(error.to_string())
        .help("a name holds letters, digits, `.`, `_` and `-`")
}

/// One note for each variable without effect, however many hosts set it.
fn once(faults: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut said = HashSet::new();
    faults
        .into_iter()
        .filter(|fault| fault.is_error() || said.insert(fault.message.clone()))
        .collect()
}
