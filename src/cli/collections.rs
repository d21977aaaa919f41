//! Where collections are installed: as ansible-core 2.19 knows it from the environment and `ansible.cfg` (`COLLECTIONS_PATHS`).

use std::path::{Path, PathBuf};

use super::ansible_cfg;
use super::environment::Environment;

/// Folders that hold `ansible_collections`, in the order in which they are searched.
pub fn folders(env: &Environment, playbooks: &[String]) -> Vec<PathBuf> {
    let variables = &env.variables.0;
    let given = |name: &str| variables.get(name).filter(|text| !text.is_empty());
    if let Some(text) = given("ANSIBLE_COLLECTIONS_PATH") {
        return split(text, Path::new(""), env);
    }
    if let Some((text, folder)) = ansible_cfg::collections_path(&env.folder, playbooks) {
        return split(&text, &folder, env);
    }
    let home = match given("ANSIBLE_HOME") {
        Some(home) => env.expand(Path::new(home)),
        None => env.expand(Path::new("~/.ansible")),
    };
    vec![
        home.join("collections"),
        "/usr/share/ansible/collections".into(),
    ]
}

/// Folders between colons; relative ones start in `folder`. Of one that is `ansible_collections` itself the folder above is meant.
fn split(text: &str, folder: &Path, env: &Environment) -> Vec<PathBuf> {
    let parts = text
        .split(':')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let paths = parts.map(|part| folder.join(env.expand(Path::new(part))));
    paths
        .map(|path| match path.parent() {
            Some(above) if path.ends_with("ansible_collections") => above.to_owned(),
            _ => path,
        })
        .collect()
}
