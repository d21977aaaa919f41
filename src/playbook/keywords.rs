//! The words of plays and tasks: those that are known, and those of Ansible that are refused by name.

/// Keys of a play.
pub const PLAY: &[&str] = &[
    "name",
    "hosts",
    "gather_facts",
    "gather_subset",
    "gather_timeout",
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
    "throttle",
    "ignore_errors",
    "ignore_unreachable",
    "run_once",
    "module_defaults",
    "collections",
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
    "throttle",
    "ignore_errors",
    "ignore_unreachable",
    "run_once",
    "module_defaults",
    "collections",
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
    "throttle",
    "ignore_errors",
    "ignore_unreachable",
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
    "with_csvfile",
    "with_env",
    "with_file",
    "with_fileglob",
    "with_first_found",
    "with_ini",
    "with_inventory_hostnames",
    "with_lines",
    "with_password",
    "with_pipe",
    "with_template",
    "with_unvault",
    "with_varnames",
    "with_vars",
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
    "ignore_unreachable",
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
    "throttle",
    "rollout",
    "run_once",
    "delegate_to",
    "delegate_facts",
    "local_action",
    "module_defaults",
    "collections",
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
    "throttle",
    "ignore_errors",
    "ignore_unreachable",
    "rollout",
    "run_once",
    "delegate_to",
    "delegate_facts",
    "module_defaults",
    "collections",
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
    "with_csvfile",
    "with_env",
    "with_file",
    "with_fileglob",
    "with_first_found",
    "with_ini",
    "with_inventory_hostnames",
    "with_lines",
    "with_password",
    "with_pipe",
    "with_template",
    "with_unvault",
    "with_varnames",
    "with_vars",
    "loop_control",
    "vars",
    "tags",
    "args",
    "collections",
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
    "throttle",
    "ignore_errors",
    "ignore_unreachable",
    "notify",
    "rollout",
    "run_once",
    "delegate_to",
    "delegate_facts",
    "module_defaults",
    "collections",
    "any_errors_fatal",
];

/// Keys that an import of a playbook may have beside its file.
pub const IMPORT_PLAYBOOK: &[&str] = &["name", "when", "vars", "tags"];

/// What Ansible has there and this has not, each with what to do instead.
pub const PLAY_REFUSED: &[(&str, &str)] = &[
    ("become_exe", "only sudo from the node's PATH is used"),
    (
        "become_flags",
        "only `sudo -n`, or sudo with a password, is used",
    ),
    (
        "debugger",
        "there is no interactive debugger; run `hadeploy plan -v`",
    ),
    (
        "fact_path",
        "local facts are always read from `/etc/ansible/facts.d` of the node; put the files there",
    ),
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
        "connection",
        "set `ansible_connection` for the host, or `connection` on the play",
    ),
    (
        "debugger",
        "there is no interactive debugger; run `hadeploy plan -v`",
    ),
    (
        "poll",
        "each step runs detached anyway; give `timeout` for a long one",
    ),
    ("port", "set `ansible_port` for the host"),
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
        return Some("use `loop` with a lookup or a filter, or `with_items` or `with_dict`");
    }
    look_up(TASK_REFUSED, word)
}

pub(super) fn look_up(table: &[(&str, &'static str)], word: &str) -> Option<&'static str> {
    table
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, instead)| *instead)
}
