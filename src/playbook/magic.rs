//! Names that are there without anyone setting them: magic variables and facts.

use crate::fact::gather;

/// Variables that every task can read. Whoever makes the scope of a task provides each of them.
pub const MAGIC: &[&str] = &[
    "ansible_check_mode",
    "ansible_dependent_role_names",
    "ansible_diff_mode",
    "ansible_facts",
    "ansible_forks",
    "ansible_limit",
    "ansible_managed",
    "ansible_play_batch",
    "ansible_play_hosts",
    "ansible_play_hosts_all",
    "ansible_play_name",
    "ansible_play_role_names",
    "ansible_role_names",
    "ansible_run_tags",
    "ansible_skip_tags",
    "ansible_verbosity",
    "ansible_version",
    "group_names",
    "groups",
    "hostvars",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname",
    "inventory_hostname_short",
    "omit",
    "play_hosts",
    "playbook_dir",
    "role_names",
    "vars",
];

/// Variables of a task of a role.
pub const ROLE: &[&str] = &[
    "ansible_collection_name",
    "ansible_parent_role_names",
    "ansible_parent_role_paths",
    "ansible_role_name",
    "role_name",
    "role_path",
];

/// Variables of a task with a loop, beside the loop's own.
pub const LOOP: &[&str] = &["ansible_loop", "ansible_loop_var", "ansible_index_var"];

/// Variables that are there once a rescue took over.
pub const RESCUE: &[&str] = &["ansible_failed_result", "ansible_failed_task"];

/// How the names of network interfaces begin on Linux.
const INTERFACES: &[&str] = &[
    "bond", "br", "docker", "dummy", "en", "eth", "host", "ib", "tap", "team", "tun", "usb",
    "veth", "virbr", "vlan", "wg", "wl", "ww",
];

/// Whether a fact of that name can be there: gathered on every node, or an interface.
pub fn is_fact(name: &str) -> bool {
    gather::NAMES.contains(&name)
        || gather::SOMETIMES.contains(&name)
        || name == "lo"
        || (name.contains(|c: char| c.is_ascii_digit())
            && INTERFACES.iter().any(|prefix| name.starts_with(prefix)))
}
