//! Modules of ansible.builtin, ansible.posix and the commonest of community.general that are no kinds here, each with what to use instead.

use super::keywords::look_up;

/// What to do without a module of a collection or of the project.
pub(super) const OF_OTHERS: &str = "modules of collections and of your own (`library/`) are not run: use `script`, or `command` with `creates`; `hadeploy doc` lists the kinds of tasks";

/// What is made once, and lost by one mistake.
const MAKES_DISKS: &str = "use `command` with `creates`, and a `when` that has looked at the device; `mount` mounts what was made";

const REFUSED: &[(&str, &str)] = &[
    (
        "acl",
        "use `command` with `setfacl`, or `group` and `mode` of `file`",
    ),
    ("add_host", "write the host into the inventory"),
    (
        "apt_key",
        "put the key below `/etc/apt/keyrings` with `copy`, and name it with `signed-by` in the source",
    ),
    (
        "async_status",
        "each step runs detached anyway; remove the task",
    ),
    (
        "async_wrapper",
        "each step runs detached anyway; remove the task",
    ),
    (
        "at",
        "write a systemd timer with `copy`, or use `command` with `systemd-run --on-calendar`",
    ),
    ("dnf", "nodes are Debian: use `apt`"),
    ("dnf5", "nodes are Debian: use `apt`"),
    ("easy_install", "use `command` with `creates`"),
    ("expect", "use `command` with `stdin`"),
    ("filesystem", MAKES_DISKS),
    ("firewalld", "use `iptables_rules`"),
    (
        "gem",
        "use `apt` for Debian's `ruby-…` packages, or `command` with `creates`",
    ),
    (
        "group_by",
        "write the group into the inventory, or use `when`",
    ),
    ("include", "use `include_tasks` or `import_tasks`"),
    (
        "interfaces_file",
        "write `/etc/network/interfaces.d/NAME` with `copy` or `template`",
    ),
    (
        "iptables",
        "use hadeploy's own `iptables_rules`, which keeps the way in open",
    ),
    (
        "iptables_state",
        "use hadeploy's own `iptables_rules`, which keeps the way in open",
    ),
    ("lvg", MAKES_DISKS),
    ("lvol", MAKES_DISKS),
    ("make", "use `command: make` with `chdir` and `creates`"),
    ("mount_facts", "use the fact `ansible_mounts`"),
    (
        "mysql_db",
        "hadeploy looks after PostgreSQL; use `command` with `mysql`",
    ),
    (
        "mysql_user",
        "hadeploy looks after PostgreSQL; use `command` with `mysql`",
    ),
    (
        "nmcli",
        "write the connection with `template`, and restart the unit by a handler",
    ),
    ("npm", "use `command: npm ci` with `chdir` and `creates`"),
    (
        "pamd",
        "use `lineinfile` or `template`: a change of PAM is taken back when nobody can log in by it",
    ),
    ("parted", MAKES_DISKS),
    (
        "patch",
        "use `command: patch` with a `when` that has looked, or `copy` the patched file",
    ),
    (
        "redis",
        "use `redis_cluster`, or `command` with `redis-cli`",
    ),
    ("rpm_key", "nodes are Debian: use `apt`"),
    ("seboolean", "Debian nodes run without SELinux"),
    ("selinux", "Debian nodes run without SELinux"),
    ("set_stats", "use `set_fact`"),
    ("snap", "use `apt`, or `command` with `creates`"),
    (
        "ssh_config",
        "use `blockinfile` on the account's `~/.ssh/config`, or `template`",
    ),
    (
        "supervisorctl",
        "use `systemd_service`, with a unit for the program",
    ),
    ("sysvinit", "use `service`"),
    ("ufw", "use `iptables_rules`"),
    ("win_command", "nodes are Debian"),
    (
        "xml",
        "write the file with `template`, or a line of it with `lineinfile` or `replace`",
    ),
    ("yum", "nodes are Debian: use `apt`"),
    ("yum_repository", "nodes are Debian: use `apt`"),
];

/// Kinds that had another name in Ansible; the collections say which (`plugin_routing` in their `meta/runtime.yml`).
const RENAMED: &[(&str, &str)] = &[
    ("openssl_certificate", "x509_certificate"),
    ("postgresql_lang", "postgresql_ext"),
];

/// What a kind is called whose old name this is. Full names work too.
pub fn renamed_module(word: &str) -> Option<&'static str> {
    let short = word.rsplit('.').next().unwrap_or(word);
    look_up(RENAMED, short)
}

/// What to do instead of a module of Ansible's that is not there. Full names work too.
pub fn refused_module(word: &str) -> Option<&'static str> {
    let short = word.rsplit('.').next().unwrap_or(word);
    look_up(REFUSED, short)
}

#[cfg(test)]
mod tests {
    use super::{REFUSED, RENAMED};
    use crate::resource::KINDS;

    #[test]
    fn new_names_are_kinds_and_old_ones_are_not() {
        for (old, new) in RENAMED {
            assert!(crate::resource::kind(new).is_some(), "{new}");
            assert!(crate::resource::kind(old).is_none(), "{old}");
        }
    }

    #[test]
    fn what_is_there_is_not_refused() {
        let absent: Vec<_> = REFUSED.iter().map(|(name, _)| name).collect();
        for kind in KINDS {
            for name in kind.aliases.iter().chain([&kind.name]) {
                let short = name.rsplit('.').next().unwrap_or(name);
                assert!(!absent.contains(&&short), "`{name}` is a kind");
            }
        }
    }
}
