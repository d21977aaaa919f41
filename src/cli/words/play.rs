//! The words of a play, and of what it says about rolling updates.

use super::Shape::{
    Any, Choice, Choices, Conditions, Count, Duration, Flag, List, Literal, Mapping, Maps, Name,
    Number, Switch, Tasks, Text, Texts, Vars, Words,
};
use super::{Word, word};

/// Keys of a play.
pub const PLAY: &[Word] = &[
    word("name", Text, "What it is called in the output."),
    word(
        "hosts",
        Texts,
        "Which hosts: names, groups, globs, `web:!n3`.",
    ),
    word(
        "gather_facts",
        Flag,
        "Whether the facts of the hosts are read first; they are unless this says false.",
    ),
    word(
        "gather_subset",
        Texts,
        "Accepted; all facts are read in one script, whichever are wanted.",
    ),
    word(
        "gather_timeout",
        Count,
        "Accepted; the facts take milliseconds.",
    ),
    word("vars", Vars, "Variables of the play."),
    word(
        "vars_files",
        Choices,
        "Files of variables, beside the playbook; of a list inside, the first that is there. Each may be a vault.",
    ),
    word(
        "vars_prompt",
        List(PROMPT),
        "Variables that somebody is asked for before the run.",
    ),
    word("remote_user", Text, "Who logs in."),
    word("port", Count, "The port of SSH."),
    word(
        "connection",
        Choice(&["ssh", "smart", "local"]),
        "How hosts are reached; `local` is this machine.",
    ),
    word(
        "become",
        Flag,
        "Whether tasks act as another account, by sudo.",
    ),
    word("become_user", Text, "That account; root unless named."),
    word("become_method", Choice(&["sudo"]), "Only sudo."),
    word(
        "environment",
        Maps,
        "Variables of the environment of programs on the node.",
    ),
    word("tags", Texts, "Tags of all its tasks."),
    word(
        "serial",
        Any,
        "Hosts at a time: a number, a share such as `30%`, or a list of them.",
    ),
    word(
        "max_fail_percentage",
        Number,
        "When more than this share of the hosts failed, the run ends; it counts over the whole play, not for each batch.",
    ),
    word(
        "collections",
        Texts,
        "Collections in which short names of roles are searched.",
    ),
    word(
        "any_errors_fatal",
        Flag,
        "Whether one failed host ends the run.",
    ),
    word(
        "force_handlers",
        Flag,
        "Whether handlers run on hosts that failed.",
    ),
    word(
        "order",
        Choice(&["inventory", "reverse_inventory", "sorted", "reverse_sorted"]),
        "The order of the hosts; `inventory` unless given.",
    ),
    word(
        "strategy",
        Choice(&["linear", "free", "host_pinned"]),
        "Whether hosts wait for each other at what acts: they do with `linear`, which it is unless given.",
    ),
    word(
        "no_log",
        Flag,
        "Whether nothing its tasks are given or give is shown.",
    ),
    word(
        "check_mode",
        Flag,
        "With false its tasks run in a plan too; with true never for real.",
    ),
    word("diff", Flag, "Whether differences of texts are shown."),
    word("timeout", Number, "Seconds each of its tasks may take."),
    word(
        "throttle",
        Count,
        "At most so many hosts act at once for one of its tasks.",
    ),
    word(
        "ignore_errors",
        Flag,
        "Whether a host goes on when a task failed.",
    ),
    word(
        "ignore_unreachable",
        Flag,
        "Whether a host goes on when it could not be reached for a task; the next one tries again.",
    ),
    word(
        "run_once",
        Flag,
        "Whether one host does each of its tasks for all.",
    ),
    word(
        "module_defaults",
        Maps,
        "Parameters that all its tasks of a kind have, unless they give them.",
    ),
    word(
        "rolling",
        Words(ROLLING),
        "Nodes leave the balancer, are changed, and come back when they are healthy: see `hadeploy doc rolling`.",
    ),
    word(
        "pre_tasks",
        Tasks,
        "Tasks before all others; their handlers run behind them.",
    ),
    word(
        "roles",
        List(ROLE),
        "Roles that are done before `tasks`: names, or mappings with `role`. Such a mapping may have what an `import_role` has beside it, such as `when`, `tags` and `vars`; all else are variables of the role.",
    ),
    word("tasks", Tasks, "Its tasks."),
    word(
        "post_tasks",
        Tasks,
        "Tasks behind all others, handlers included.",
    ),
    word(
        "handlers",
        Tasks,
        "Tasks that run when another one notifies them.",
    ),
];

/// Keys of an entry of `roles`; any other is a variable of the role.
pub const ROLE: &[Word] = &[
    word("role", Literal, "The role."),
    word("name", Literal, "The same, where there is no `role`."),
    word("when", Conditions, "Conditions of all its tasks."),
    word(
        "vars",
        Vars,
        "Variables of the role, weaker than those of its tasks.",
    ),
    word("tags", Texts, "Tags of all its tasks."),
    word(
        "environment",
        Maps,
        "Variables of the environment of programs on the node.",
    ),
    word(
        "become",
        Flag,
        "Whether its tasks act as another account, by sudo.",
    ),
    word("become_user", Text, "That account; root unless named."),
    word("become_method", Choice(&["sudo"]), "Only sudo."),
    word("remote_user", Text, "Who logs in."),
    word("no_log", Flag, "Whether nothing of its tasks is shown."),
    word(
        "check_mode",
        Flag,
        "With false its tasks run in a plan too; with true never for real.",
    ),
    word("diff", Flag, "Whether differences of texts are shown."),
    word("timeout", Number, "Seconds each of its tasks may take."),
    word(
        "throttle",
        Count,
        "At most so many hosts act at once for one of its tasks.",
    ),
    word(
        "ignore_errors",
        Flag,
        "Whether the host goes on when one of them failed.",
    ),
    word(
        "ignore_unreachable",
        Flag,
        "Whether the host goes on when it could not be reached for one of them; the next one tries again.",
    ),
    word(
        "collections",
        Texts,
        "Has no effect: a role names the collections it needs in its `meta`.",
    ),
    word(
        "any_errors_fatal",
        Switch,
        "Whether all hosts stop when one of its tasks failed on a host.",
    ),
    word(
        "rollout",
        Choice(&["before", "once"]),
        "In a rolling play: on all nodes, or on one, ahead of the first drain.",
    ),
    word("run_once", Flag, "Whether one host does it for all."),
    word(
        "delegate_to",
        Text,
        "The host that acts in place of this one.",
    ),
    word(
        "delegate_facts",
        Flag,
        "Whether facts are those of the host that acts.",
    ),
    word(
        "module_defaults",
        Maps,
        "Parameters that all its tasks of a kind have, unless they give them.",
    ),
];

/// Keys of an entry of `vars_prompt`.
pub const PROMPT: &[Word] = &[
    word("name", Name, "The variable."),
    word("prompt", Literal, "The question."),
    word(
        "private",
        Switch,
        "Whether what is typed is not shown; it is not unless this says false.",
    ),
    word("default", Any, "What it is when nothing is typed."),
    word("confirm", Switch, "Whether it is asked for twice."),
    word(
        "unsafe",
        Switch,
        "Accepted; what is typed is never a template.",
    ),
];

/// Keys of `rolling`.
pub const ROLLING: &[Word] = &[
    word(
        "batch",
        Text,
        "Nodes at a time: a number, or a share such as `25%`; 1 unless given.",
    ),
    word(
        "max_unavailable",
        Text,
        "Nodes that may be out at once, those included that were out before; 1 unless given.",
    ),
    word(
        "canary",
        Text,
        "The node that goes first; the first in order unless named.",
    ),
    word(
        "canary_hold",
        Duration,
        "How long the first node must stay healthy before it gets traffic again; 30s unless given.",
    ),
    word(
        "soak",
        Duration,
        "How long each batch is watched before the next; 0 unless given.",
    ),
    word(
        "on_failure",
        Choice(&["stop", "rollback"]),
        "What to do when a node turns out bad; `stop` unless given.",
    ),
    word(
        "health",
        Words(HEALTH),
        "When a node is healthy: see `hadeploy doc health`. No node gets traffic again before; needed.",
    ),
    word(
        "balancer",
        Mapping,
        "What takes nodes out of traffic and back; the README has the providers.",
    ),
    word(
        "release",
        Words(RELEASE),
        "Where a rollback finds the release that was there before.",
    ),
];

/// Keys of `health`; at least one of the first four.
pub const HEALTH: &[Word] = &[
    word(
        "http",
        Any,
        "Addresses asked on the node itself, such as `http://127.0.0.1:3001/readyz`; or mappings with `url`, `status`, `contains`, `host` and `timeout`.",
    ),
    word("units", Texts, "Units of systemd that must run."),
    word("ports", Any, "TCP ports that must be open on the node."),
    word("command", Text, "A shell line that must succeed."),
    word("checks", Count, "How often in a row all of it must hold."),
    word("interval", Duration, "Time between two checks."),
    word("timeout", Duration, "How long it is waited for."),
];

/// Keys of `release`.
pub const RELEASE: &[Word] = &[
    word(
        "variable",
        Text,
        "The variable that names the release; `app_release` unless given.",
    ),
    word(
        "path",
        Text,
        "The folder of the application; `/srv/app` unless given.",
    ),
];

/// Beside its file, what an import of a playbook may have.
pub const IMPORT_PLAYBOOK: &[Word] = &[
    word(
        "import_playbook",
        Literal,
        "A playbook whose plays stand here.",
    ),
    word("name", Text, "What it is called."),
    word("when", Conditions, "Conditions of all its tasks."),
    word("vars", Vars, "Variables of all its plays."),
    word("tags", Texts, "Tags of all its tasks."),
];
