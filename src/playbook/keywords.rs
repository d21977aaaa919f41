//! The words of plays and tasks: those that are known, and those of Ansible that are refused by name.

/// Keys of a play.
pub const PLAY: &[&str] = &[
    "name",
    "hosts",
    "gather_facts",
    "remote_user",
    "connection",
    "port",
    "become",
    "become_user",
    "become_method",
    "vars",
    "vars_files",
    "vars_prompt",
    "environment",
    "tags",
    "force_handlers",
    "serial",
    "max_fail_percentage",
    "any_errors_fatal",
    "strategy",
    "order",
    "no_log",
    "check_mode",
    "diff",
    "timeout",
    "ignore_errors",
    "run_once",
    "module_defaults",
    "rolling",
    "pre_tasks",
    "roles",
    "tasks",
    "post_tasks",
    "handlers",
];

/// Keys of a play that its tasks inherit as they do those of a block.
pub(super) const INHERITED: &[&str] = &[
    "no_log",
    "check_mode",
    "diff",
    "timeout",
    "ignore_errors",
    "run_once",
    "module_defaults",
];

/// Keys of an entry of `roles` that are no variables of the role.
pub(super) const ROLE: &[&str] = &[
    "when",
    "vars",
    "tags",
    "environment",
    "become",
    "become_user",
    "become_method",
    "remote_user",
    "no_log",
    "check_mode",
    "diff",
    "timeout",
    "ignore_errors",
    "rollout",
    "run_once",
    "delegate_to",
    "delegate_facts",
    "module_defaults",
    "any_errors_fatal",
];

/// Keys of a task, beside the names of kinds.
pub const TASK: &[&str] = &[
    "name",
    "action",
    "args",
    "when",
    "loop",
    "with_items",
    "with_dict",
    "with_list",
    "with_flattened",
    "with_together",
    "with_subelements",
    "with_sequence",
    "with_nested",
    "with_cartesian",
    "with_indexed_items",
    "loop_control",
    "register",
    "notify",
    "listen",
    "changed_when",
    "failed_when",
    "until",
    "retries",
    "delay",
    "ignore_errors",
    "tags",
    "vars",
    "environment",
    "become",
    "become_user",
    "become_method",
    "remote_user",
    "no_log",
    "check_mode",
    "diff",
    "timeout",
    "rollout",
    "run_once",
    "delegate_to",
    "delegate_facts",
    "local_action",
    "module_defaults",
    "any_errors_fatal",
];

/// Keys that an import of tasks may have beside its file.
pub const IMPORT: &[&str] = &[
    "name",
    "when",
    "vars",
    "tags",
    "args",
    "environment",
    "become",
    "become_user",
    "become_method",
    "remote_user",
    "no_log",
    "check_mode",
    "diff",
    "timeout",
    "ignore_errors",
    "rollout",
    "run_once",
    "delegate_to",
    "delegate_facts",
    "module_defaults",
    "any_errors_fatal",
];

/// Keys that an include of tasks may have beside its file.
pub const INCLUDE: &[&str] = &[
    "name",
    "when",
    "loop",
    "with_items",
    "with_dict",
    "with_list",
    "with_flattened",
    "with_together",
    "with_subelements",
    "with_sequence",
    "with_nested",
    "with_cartesian",
    "with_indexed_items",
    "loop_control",
    "vars",
    "tags",
    "args",
    "action",
    "no_log",
    "run_once",
    "rollout",
];

/// Keys that a block may have.
pub const BLOCK: &[&str] = &[
    "block",
    "rescue",
    "always",
    "name",
    "when",
    "vars",
    "tags",
    "environment",
    "become",
    "become_user",
    "become_method",
    "remote_user",
    "no_log",
    "check_mode",
    "diff",
    "timeout",
    "ignore_errors",
    "notify",
    "rollout",
    "run_once",
    "delegate_to",
    "delegate_facts",
    "module_defaults",
    "any_errors_fatal",
];

/// Keys that an import of a playbook may have beside its file.
pub const IMPORT_PLAYBOOK: &[&str] = &["name", "when", "vars", "tags"];

const LATER: &str = "it comes in a later release";

/// What Ansible has there and this has not, each with what to do instead.
pub const PLAY_REFUSED: &[(&str, &str)] = &[
    ("become_exe", "only sudo from the node's PATH is used"),
    (
        "become_flags",
        "only `sudo -n`, or sudo with a password, is used",
    ),
    (
        "collections",
        "kinds have Ansible's full names built in; remove the line",
    ),
    (
        "debugger",
        "there is no interactive debugger; run `hadeploy plan -v`",
    ),
    (
        "fact_path",
        "read local facts with a `command` task and `register`",
    ),
    (
        "gather_subset",
        "all facts are read in one script; remove the line",
    ),
    (
        "gather_timeout",
        "facts are read in the first script, which has its own deadline; remove the line",
    ),
    (
        "ignore_unreachable",
        "a host that cannot be reached never stops the others; remove the line",
    ),
    ("throttle", "give `--forks` on the command line"),
    ("validate_argspec", "remove the line"),
    ("when", "write it on the tasks, or on an `import_playbook`"),
    (
        "import_tasks",
        "`import_tasks` is a task: put it below `tasks:`",
    ),
];

/// What Ansible has there and this has not, each with what to do instead.
pub const TASK_REFUSED: &[(&str, &str)] = &[
    (
        "async",
        "each step runs detached anyway; give `timeout` for a long one",
    ),
    ("become_exe", "only sudo from the node's PATH is used"),
    (
        "become_flags",
        "only `sudo -n`, or sudo with a password, is used",
    ),
    (
        "collections",
        "kinds have Ansible's full names built in; remove the line",
    ),
    (
        "connection",
        "set `ansible_connection` for the host, or `connection` on the play",
    ),
    (
        "debugger",
        "there is no interactive debugger; run `hadeploy plan -v`",
    ),
    (
        "ignore_unreachable",
        "a host that cannot be reached never stops the others; remove the line",
    ),
    (
        "poll",
        "each step runs detached anyway; give `timeout` for a long one",
    ),
    ("port", "set `ansible_port` for the host"),
    ("throttle", "give `--forks` on the command line"),
];

/// What is made once, and lost by one mistake.
const MAKES_DISKS: &str = "use `command` with `creates`, and a `when` that has looked at the device; `mount` mounts what was made";

const MODULES_REFUSED: &[(&str, &str)] = &[
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
        "at",
        "write a systemd timer with `copy`, or use `command` with `systemd-run --on-calendar`",
    ),
    (
        "async_status",
        "each step runs detached anyway; remove the task",
    ),
    (
        "async_wrapper",
        "each step runs detached anyway; remove the task",
    ),
    ("dnf", "nodes are Debian: use `apt`"),
    ("dnf5", "nodes are Debian: use `apt`"),
    ("easy_install", "use `command` with `creates`"),
    ("expect", "use `command` with `stdin`"),
    ("filesystem", MAKES_DISKS),
    ("firewalld", "use `iptables_rules`"),
    (
        "group_by",
        "write the group into the inventory, or use `when`",
    ),
    ("include", "use `include_tasks` or `import_tasks`"),
    ("lvg", MAKES_DISKS),
    ("lvol", MAKES_DISKS),
    (
        "interfaces_file",
        "write `/etc/network/interfaces.d/NAME` with `copy` or `template`",
    ),
    (
        "iptables",
        "use hadeploy's own `iptables_rules`, which keeps the way in open",
    ),
    (
        "ssh_config",
        "use `blockinfile` on the account's `~/.ssh/config`, or `template`",
    ),
    (
        "xml",
        "write the file with `template`, or a line of it with `lineinfile` or `replace`",
    ),
    ("parted", MAKES_DISKS),
    (
        "pip",
        "it needs Python on the node: use `apt` for Debian's `python3-…` packages, or `command` with `/srv/venv/bin/pip install` and `creates`",
    ),
    ("rpm_key", "nodes are Debian: use `apt`"),
    ("set_stats", "use `set_fact`"),
    ("sysvinit", "use `service`"),
    ("ufw", "use `iptables_rules`"),
    ("validate_argument_spec", "use `assert`"),
    ("win_command", "nodes are Debian"),
    ("yum", "nodes are Debian: use `apt`"),
    ("yum_repository", "nodes are Debian: use `apt`"),
];

/// Modules of ansible.builtin, ansible.posix and the commonest of community.general that have no row above.
const MODULES_LATER: &[&str] = &[
    "gem",
    "iptables_state",
    "make",
    "mount_facts",
    "mysql_db",
    "mysql_user",
    "nmcli",
    "npm",
    "pamd",
    "patch",
    "redis",
    "seboolean",
    "selinux",
    "snap",
    "supervisorctl",
];

const META_REFUSED: &[(&str, &str)] = &[
    (
        "clear_host_errors",
        "a host that failed stays out of the run; give the tasks that may fail a `rescue`, or `ignore_errors`",
    ),
    (
        "refresh_inventory",
        "the inventory is read once, before anything is connected; remove the task",
    ),
];

/// What to do instead of a refused word of `meta`.
pub(super) fn refused_meta(word: &str) -> Option<&'static str> {
    look_up(META_REFUSED, word)
}

/// What to do instead of a refused key of a play.
pub(super) fn refused_in_play(word: &str) -> Option<&'static str> {
    look_up(PLAY_REFUSED, word)
}

/// What to do instead of a refused key of a task.
pub(super) fn refused_in_task(word: &str) -> Option<&'static str> {
    if word.starts_with("with_") && !TASK.contains(&word) {
        return Some(match word {
            "with_fileglob" => "use `loop: \"{{ query('fileglob', …) }}\"`",
            "with_first_found" => "use `loop: \"{{ query('first_found', …) }}\"`",
            _ => "use `loop` with a lookup or a filter, or `with_items` or `with_dict`",
        });
    }
    look_up(TASK_REFUSED, word)
}

/// What to do instead of a module of Ansible's that is not there. Full names work too.
pub fn refused_module(word: &str) -> Option<&'static str> {
    let short = word.rsplit('.').next().unwrap_or(word);
    look_up(MODULES_REFUSED, short).or_else(|| MODULES_LATER.contains(&short).then_some(LATER))
}

fn look_up(table: &[(&str, &'static str)], word: &str) -> Option<&'static str> {
    table
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, instead)| *instead)
}

#[cfg(test)]
mod tests {
    use super::{MODULES_LATER, MODULES_REFUSED};
    use crate::resource::KINDS;

    #[test]
    fn what_is_there_is_not_refused() {
        let absent = MODULES_REFUSED.iter().map(|(name, _)| name);
        let absent: Vec<_> = absent.chain(MODULES_LATER).collect();
        for kind in KINDS {
            for name in kind.aliases.iter().chain([&kind.name]) {
                let short = name.rsplit('.').next().unwrap_or(name);
                assert!(!absent.contains(&&short), "`{name}` is a kind");
            }
        }
    }
}
