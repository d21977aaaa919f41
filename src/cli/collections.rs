//! Where collections and roles are installed: as ansible-core 2.19 knows it from the environment and `ansible.cfg` (`COLLECTIONS_PATHS`,
//! `DEFAULT_ROLES_PATH`).

use std::path::{Path, PathBuf};

use super::ansible_cfg::{self, Cfg};
use super::environment::Environment;
use crate::playbook::Installed;

/// Where roles and collections are installed.
pub fn installed(env: &Environment, playbooks: &[String]) -> Installed {
    Installed {
        collections: folders(env, playbooks),
        roles: roles(env, playbooks),
    }
}

/// Folders that hold roles: of `ANSIBLE_ROLES_PATH`, else of `roles_path`, else where `ansible-galaxy` puts them.
fn roles(env: &Environment, playbooks: &[String]) -> Vec<PathBuf> {
    if let Some(text) = given(env, "ANSIBLE_ROLES_PATH") {
        return ansible_cfg::split(text, Path::new(""), env);
    }
    let cfg = Cfg::find(env, playbooks);
    if let Some(folders) = cfg.and_then(|cfg| ansible_cfg::folders(&cfg, "roles_path", env)) {
        return folders;
    }
    vec![
        home(env).join("roles"),
        "/usr/share/ansible/roles".into(),
        "/etc/ansible/roles".into(),
    ]
}

/// A variable that says something.
fn given<'a>(env: &'a Environment, name: &str) -> Option<&'a String> {
    let value = env.variables.0.get(name);
    value.filter(|text| !text.is_empty())
}

/// The folder of Ansible's own of who runs this.
fn home(env: &Environment) -> PathBuf {
    match given(env, "ANSIBLE_HOME") {
        Some(home) => env.expand(Path::new(home)),
        None => env.expand(Path::new("~/.ansible")),
    }
}

/// Folders that hold `ansible_collections`, in the order in which they are searched.
fn folders(env: &Environment, playbooks: &[String]) -> Vec<PathBuf> {
    if let Some(text) = given(env, "ANSIBLE_COLLECTIONS_PATH") {
        return above(ansible_cfg::split(text, Path::new(""), env));
    }
    let cfg = Cfg::find(env, playbooks);
    if let Some(folders) = cfg.and_then(|cfg| ansible_cfg::folders(&cfg, "collections_path", env)) {
        return above(folders);
    }
    vec![
        home(env).join("collections"),
        "/usr/share/ansible/collections".into(),
    ]
}

/// Of one that is `ansible_collections` itself the folder above is meant.
fn above(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let paths = paths.into_iter();
    paths
        .map(|path| match path.parent() {
            Some(above) if path.ends_with("ansible_collections") => above.to_owned(),
            _ => path,
        })
        .collect()
}
