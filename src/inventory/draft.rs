//! The inventory while it is read: direct members only; finishing it finds depths, members and variables.

use std::path::PathBuf;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use super::vars_folder::VarsFolder;
use super::{Group, Host, Inventory, Layer, connection};
use crate::diagnostic::Diagnostic;
use crate::name::{GroupName, HostName, is_identifier};
use crate::source::Span;
use crate::value::{Kind, Map, is_closed_file};

#[derive(Default)]
pub(super) struct Draft {
    groups: IndexMap<GroupName, DraftGroup>,
    hosts: IndexMap<HostName, DraftHost>,
}

struct DraftGroup {
    children: IndexSet<GroupName>,
    /// What each place sets, the later ones stronger.
    vars: Vec<Arc<Map>>,
    priority: i64,
    span: Span,
}

struct DraftHost {
    /// Groups that name it directly.
    groups: IndexSet<GroupName>,
    /// What each place sets, the later ones stronger.
    vars: Vec<Arc<Map>>,
    span: Span,
}

impl Draft {
    pub(super) fn add_group(&mut self, name: &GroupName, span: &Span) {
        self.groups
            .entry(name.clone())
            .or_insert_with(|| DraftGroup {
                children: IndexSet::new(),
                vars: Vec::new(),
                priority: 1,
                span: span.clone(),
            });
    }

    /// Whether a group of that name is there already; two always are.
    pub(super) fn has_group(&self, name: &GroupName) -> bool {
        name.is_all() || name.as_str() == "ungrouped" || self.groups.contains_key(name)
    }

    /// Whether a host of that name is there already.
    pub(super) fn has_host(&self, name: &HostName) -> bool {
        self.hosts.contains_key(name)
    }

    /// Whether a place gives a host what `vars` has, and no place behind it something else.
    pub(super) fn sets(&self, name: &HostName, vars: &Map) -> bool {
        let set = |key: &str| {
            let host = self.hosts.get(name)?;
            host.vars.iter().rev().find_map(|vars| vars.get(key))
        };
        vars.iter().all(|(key, entry)| set(key) == Some(entry))
    }

    /// How many hosts there are so far.
    pub(super) fn host_count(&self) -> usize {
        self.hosts.len()
    }

    pub(super) fn add_child(
        &mut self,
        group: &GroupName,
        child: &GroupName,
        span: &Span,
        faults: &mut Vec<Diagnostic>,
    ) {
        if self.reaches(child, group) {
            faults.push(
                Diagnostic::at(span, format!("the group `{child}` is inside itself"))
                    .help(format!("take `{child}` out of the children of `{group}`")),
            );
            return;
        }
        if let Some(found) = self.groups.get_mut(group) {
            found.children.insert(child.clone());
        }
    }

    fn reaches(&self, from: &GroupName, to: &GroupName) -> bool {
        let mut seen: IndexSet<&GroupName> = IndexSet::from([from]);
        let mut at = 0;
        while let Some(name) = seen.get_index(at).copied() {
            if name == to {
                return true;
            }
            if let Some(group) = self.groups.get(name) {
                seen.extend(&group.children);
            }
            at += 1;
        }
        false
    }

    pub(super) fn add_group_vars(
        &mut self,
        name: &GroupName,
        vars: &Map,
        faults: &mut Vec<Diagnostic>,
    ) {
        check_vars(vars, true, faults);
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        let mut kept = Map::new();
        for (key, entry) in vars {
            if key.as_ref() == "ansible_group_priority" {
                match entry.value.kind {
                    Kind::Int(priority) => group.priority = priority,
                    _ => faults.push(Diagnostic::at(
                        &entry.value.span,
                        "`ansible_group_priority` must be a whole number",
                    )),
                }
                continue;
            }
            kept.insert(key.clone(), entry.clone());
        }
        group.vars.push(Arc::new(kept));
    }

    /// Names a host in a group; the variables must be checked.
    pub(super) fn add_host(
        &mut self,
        name: &HostName,
        group: &GroupName,
        vars: Option<&Arc<Map>>,
        span: &Span,
    ) {
        let host = self.hosts.entry(name.clone()).or_insert_with(|| DraftHost {
            groups: IndexSet::new(),
            vars: Vec::new(),
            span: span.clone(),
        });
        host.groups.insert(group.clone());
        host.vars
            .extend(vars.filter(|vars| !vars.is_empty()).cloned());
    }

    /// Gives a host that is there already variables; they must be checked.
    pub(super) fn set_host_vars(&mut self, name: &HostName, vars: &Arc<Map>) {
        if let Some(host) = self.hosts.get_mut(name) {
            host.vars.push(vars.clone());
        }
    }

    /// Depths, members and merged variables. `near` are the folders of inventory files, `far` those of playbooks.
    pub(super) fn finish(
        mut self,
        near: &[PathBuf],
        far: &[PathBuf],
        faults: &mut Vec<Diagnostic>,
    ) -> Inventory {
        self.complete(faults);
        let parents = self.parents();
        let depths = depths(&self.groups, &parents);
        let mut inventory = Inventory::default();
        for (name, group) in &self.groups {
            inventory.groups.insert(
                name.clone(),
                Group {
                    name: name.clone(),
                    hosts: Vec::new(),
                    direct: Vec::new(),
                    children: group.children.iter().cloned().collect(),
                    depth: depths.get(name).copied().unwrap_or(0),
                    priority: group.priority,
                    span: group.span.clone(),
                },
            );
        }
        let folders = Folders::read(near, far, &self, faults);
        let shared: IndexMap<GroupName, Vec<Arc<Map>>> = self
            .groups
            .iter_mut()
            .map(|(name, group)| (name.clone(), std::mem::take(&mut group.vars)))
            .collect();
        for (name, host) in self.hosts {
            for group in &host.groups {
                if let Some(group) = inventory.groups.get_mut(group) {
                    group.direct.push(name.clone());
                }
            }
            let groups = ancestors(&host.groups, &parents, &inventory);
            for group in &groups {
                if let Some(group) = inventory.groups.get_mut(group) {
                    group.hosts.push(name.clone());
                }
            }
            let layers = folders.layers(&name, &host.vars, &groups, &shared);
            let mut names: Vec<GroupName> =
                groups.into_iter().filter(|group| !group.is_all()).collect();
            names.sort();
            let host = Host {
                name: name.clone(),
                groups: names,
                vars: Arc::new(merge(&layers)),
                layers,
                span: host.span,
            };
            inventory.hosts.insert(name, host);
        }
        inventory
    }

    /// Adds `all` and `ungrouped`, and what belongs into them.
    fn complete(&mut self, faults: &mut Vec<Diagnostic>) {
        let nowhere = Span::synthetic("<inventory>");
        let (Ok(all), Ok(ungrouped)) = (GroupName::new("all"), GroupName::new("ungrouped")) else {
            return;
        };
        self.add_group(&all, &nowhere);
        self.add_group(&ungrouped, &nowhere);
        let with_parent: IndexSet<GroupName> = self
            .groups
            .values()
            .flat_map(|group| group.children.iter().cloned())
            .collect();
        let orphans: Vec<GroupName> = self
            .groups
            .keys()
            .filter(|name| !name.is_all() && !with_parent.contains(*name))
            .cloned()
            .collect();
        self.groups[&all].children.extend(orphans);
        for (name, host) in &mut self.hosts {
            host.groups.shift_remove(&all);
            if host.groups.len() > 1 {
                host.groups.shift_remove(&ungrouped);
            }
            if host.groups.is_empty() {
                host.groups.insert(ungrouped.clone());
            }
            if let Some(group) = self.groups.get(name.as_str()) {
                faults.push(
                    Diagnostic::warning(&host.span, format!("`{name}` is a host and a group"))
                        .related(&group.span, "the group")
                        .help("in patterns the name means the group"),
                );
            }
        }
    }

    fn parents(&self) -> IndexMap<GroupName, Vec<GroupName>> {
        let mut parents: IndexMap<GroupName, Vec<GroupName>> = IndexMap::new();
        for (name, group) in &self.groups {
            for child in &group.children {
                parents.entry(child.clone()).or_default().push(name.clone());
            }
        }
        parents
    }
}

/// Variables of one origin: names, and connection variables that exist.
pub(super) fn check_vars(vars: &Map, in_group: bool, faults: &mut Vec<Diagnostic>) {
    for (name, entry) in vars {
        if !is_identifier(name) && !is_closed_file(name) {
            faults.push(
                Diagnostic::at(
                    &entry.key,
                    format!("`{name}` cannot be the name of a variable"),
                )
                .help("a name begins with a letter or `_` and holds letters, digits and `_`"),
            );
        }
    }
    faults.extend(connection::check_names(vars, in_group));
}

/// The longest way from `all` to each group. There are no circles: `add_child` refuses them.
fn depths(
    groups: &IndexMap<GroupName, DraftGroup>,
    parents: &IndexMap<GroupName, Vec<GroupName>>,
) -> IndexMap<GroupName, usize> {
    let mut open: IndexMap<&GroupName, usize> = groups
        .keys()
        .map(|name| (name, parents.get(name).map_or(0, Vec::len)))
        .collect();
    let mut known: IndexMap<GroupName, usize> = IndexMap::new();
    let mut ready: Vec<&GroupName> = open
        .iter()
        .filter(|(_, above)| **above == 0)
        .map(|(name, _)| *name)
        .collect();
    // A group is reached when all groups above it are: chains of any length need no stack.
    while let Some(name) = ready.pop() {
        let above = parents.get(name).into_iter().flatten();
        let deepest = above.filter_map(|parent| known.get(parent)).max();
        let depth = deepest.map_or(0, |depth| depth + 1);
        known.insert(name.clone(), depth);
        for child in groups.get(name).into_iter().flat_map(|it| &it.children) {
            if let Some(left) = open.get_mut(child) {
                *left -= 1;
                if *left == 0 {
                    ready.push(child);
                }
            }
        }
    }
    known
}

/// All groups of a host, weakest first: by depth, then priority, then name.
fn ancestors(
    direct: &IndexSet<GroupName>,
    parents: &IndexMap<GroupName, Vec<GroupName>>,
    inventory: &Inventory,
) -> Vec<GroupName> {
    let mut found: IndexSet<GroupName> = direct.clone();
    let mut at = 0;
    while let Some(name) = found.get_index(at).cloned() {
        found.extend(parents.get(&name).into_iter().flatten().cloned());
        at += 1;
    }
    let mut groups: Vec<GroupName> = found.into_iter().collect();
    groups.sort_by_key(|name| {
        let group = &inventory.groups[name];
        (group.depth, group.priority, name.clone())
    });
    groups
}

pub(super) fn merge(layers: &[Layer]) -> Map {
    let mut vars = Map::new();
    for layer in layers {
        vars.extend(
            layer
                .vars
                .iter()
                .map(|(name, entry)| (name.clone(), entry.clone())),
        );
    }
    vars
}

/// The variable files beside the inventories and beside the playbooks: of each folder, the later ones stronger.
struct Folders {
    near_groups: Vec<VarsFolder>,
    far_groups: Vec<VarsFolder>,
    near_hosts: Vec<VarsFolder>,
    far_hosts: Vec<VarsFolder>,
}

impl Folders {
    fn read(
        near: &[PathBuf],
        far: &[PathBuf],
        draft: &Draft,
        faults: &mut Vec<Diagnostic>,
    ) -> Folders {
        let groups: Vec<&str> = draft.groups.keys().map(GroupName::as_str).collect();
        let hosts: Vec<&str> = draft.hosts.keys().map(HostName::as_str).collect();
        let mut read = |folders: &[PathBuf], name: &str, owners: &[&str]| {
            let read = folders.iter().map(|folder| {
                let folder = VarsFolder::read(folder, name, owners, faults);
                for vars in folder.all() {
                    check_vars(vars, false, faults);
                }
                folder
            });
            read.collect()
        };
        Folders {
            near_groups: read(near, "group_vars", &groups),
            far_groups: read(far, "group_vars", &groups),
            near_hosts: read(near, "host_vars", &hosts),
            far_hosts: read(far, "host_vars", &hosts),
        }
    }

    /// Ansible's order: the inventories' own group variables, `group_vars/all` of inventory and playbook, the other
    /// `group_vars`, then the host's own and its `host_vars`. Of several folders, the last is the strongest, whatever the group.
    fn layers(
        &self,
        host: &HostName,
        own: &[Arc<Map>],
        groups: &[GroupName],
        inline: &IndexMap<GroupName, Vec<Arc<Map>>>,
    ) -> Vec<Layer> {
        let mut layers = Vec::new();
        let mut add = |origin: &str, name: &str, maps: &[Arc<Map>]| {
            layers.extend(
                maps.iter()
                    .filter(|vars| !vars.is_empty())
                    .map(|vars| Layer {
                        origin: format!("{origin}{name}").into(),
                        vars: vars.clone(),
                    }),
            );
        };
        for group in groups {
            let maps = inline.get(group).map_or(&[][..], Vec::as_slice);
            add("group ", group.as_str(), maps);
        }
        let (all, others): (Vec<_>, Vec<_>) = groups.iter().partition(|group| group.is_all());
        for part in [all, others] {
            for folder in self.near_groups.iter().chain(&self.far_groups) {
                for group in &part {
                    add("group_vars/", group.as_str(), folder.of(group.as_str()));
                }
            }
        }
        add("host ", host.as_str(), own);
        for folder in self.near_hosts.iter().chain(&self.far_hosts) {
            add("host_vars/", host.as_str(), folder.of(host.as_str()));
        }
        layers
    }
}
