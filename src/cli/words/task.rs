//! The words of a task and of a block.

use super::Shape::{
    Any, Choice, Conditions, Count, Flag, Items, Mapping, Maps, Name, Number, Switch, Tasks, Text,
    Texts, Vars, Words,
};
use super::{Word, word};

/// Keys of a task.
pub const TASK: &[Word] = &[
    word("name", Text, "What it is called in the output."),
    word(
        "action",
        Any,
        "The kind and its parameters, in one line or as a mapping with `module`.",
    ),
    word("args", Mapping, "More parameters of the kind."),
    word(
        "when",
        Conditions,
        "It is skipped unless all of these hold.",
    ),
    word(
        "loop",
        Items,
        "It is done for each item, which is called `item`.",
    ),
    word(
        "with_items",
        Items,
        "The same; lists in the list are flattened once.",
    ),
    word(
        "with_dict",
        Any,
        "It is done for each entry of a mapping, as `item.key` and `item.value`.",
    ),
    word(
        "with_list",
        Items,
        "It is done for each item of a list; nothing is flattened.",
    ),
    word(
        "with_flattened",
        Items,
        "It is done for each item; lists in lists are flattened, however deep.",
    ),
    word(
        "with_together",
        Items,
        "It is done for each place in several lists, as `item.0`, `item.1` and so on.",
    ),
    word(
        "with_nested",
        Items,
        "It is done for each combination of items of several lists, as `item.0`, `item.1` and so on.",
    ),
    word("with_cartesian", Items, "The same as `with_nested`."),
    word(
        "with_indexed_items",
        Items,
        "It is done for each item, as `item.1`; `item.0` counts from 0.",
    ),
    word(
        "with_subelements",
        Items,
        "It is done for each item of a list in each mapping of a list, as `item.1`; the mapping is `item.0`.",
    ),
    word(
        "with_sequence",
        Texts,
        "It is done for each number, as text: `start=1 end=9 stride=2 format=web%02d`, `count=3` or `1-9/2`.",
    ),
    word(
        "with_csvfile",
        Any,
        "It is done for the entry of each key in a table on this machine, such as `web file=hosts.csv delimiter=,`.",
    ),
    word(
        "with_env",
        Any,
        "It is done for the value of each of these variables in the environment of hadeploy.",
    ),
    word(
        "with_file",
        Any,
        "It is done for the text of each of these files on this machine.",
    ),
    word(
        "with_fileglob",
        Any,
        "It is done for each file on this machine that fits one of these patterns.",
    ),
    word(
        "with_first_found",
        Any,
        "It is done for the first of these files that is there, on this machine.",
    ),
    word(
        "with_ini",
        Any,
        "It is done for the value of each key in an INI file on this machine, such as `port section=web file=a.ini`.",
    ),
    word(
        "with_inventory_hostnames",
        Any,
        "It is done for each host of these patterns.",
    ),
    word(
        "with_lines",
        Any,
        "It is done for each line that these commands write on this machine; a plan runs none.",
    ),
    word(
        "with_password",
        Any,
        "It is done for the password in each of these files on this machine; an apply makes what is not there.",
    ),
    word(
        "with_pipe",
        Any,
        "It is done for what each of these commands writes on this machine; a plan runs none.",
    ),
    word(
        "with_template",
        Any,
        "It is done for the text that each of these templates makes.",
    ),
    word(
        "with_unvault",
        Any,
        "It is done for the content of each of these files on this machine, vaults opened.",
    ),
    word(
        "with_varnames",
        Any,
        "It is done for each name of a variable that fits one of these regular expressions.",
    ),
    word(
        "with_vars",
        Any,
        "It is done for the value of each of these variables.",
    ),
    word(
        "loop_control",
        Words(LOOP_CONTROL),
        "How the loop is gone through: see `hadeploy doc loop_control`.",
    ),
    word("register", Name, "The variable that gets what came of it."),
    word(
        "notify",
        Texts,
        "Handlers that are to run when it changed something.",
    ),
    word(
        "listen",
        Texts,
        "Of a handler: topics it can be notified by, beside its name.",
    ),
    word("changed_when", Conditions, "When it counts as changed."),
    word("failed_when", Conditions, "When it counts as failed."),
    word("until", Conditions, "It is tried again until these hold."),
    word(
        "retries",
        Count,
        "How often it is tried again; 3 unless given.",
    ),
    word(
        "delay",
        Number,
        "Seconds between two tries; 5 unless given.",
    ),
    word(
        "ignore_errors",
        Flag,
        "Whether the host goes on when it failed.",
    ),
    word(
        "ignore_unreachable",
        Flag,
        "Whether the host goes on when it could not be reached for it; the next task tries again.",
    ),
    word(
        "collections",
        Texts,
        "Collections in which the short name of a role is searched.",
    ),
    word(
        "any_errors_fatal",
        Switch,
        "Whether all hosts stop when it failed on one.",
    ),
    word("tags", Texts, "Words by which `--tags` chooses it."),
    word("vars", Vars, "Variables of this task."),
    word(
        "environment",
        Maps,
        "Variables of the environment of programs on the node.",
    ),
    word(
        "become",
        Flag,
        "Whether it acts as another account, by sudo.",
    ),
    word("become_user", Text, "That account; root unless named."),
    word("become_method", Choice(&["sudo"]), "Only sudo."),
    word(
        "remote_user",
        Text,
        "Who logs in; a play has one connection to a host.",
    ),
    word(
        "no_log",
        Flag,
        "Whether nothing it is given or gives is shown.",
    ),
    word(
        "check_mode",
        Flag,
        "With false it runs in a plan too; with true never for real.",
    ),
    word("diff", Flag, "Whether differences of texts are shown."),
    word("timeout", Number, "Seconds it may take."),
    word(
        "throttle",
        Count,
        "At most so many hosts act for it at once.",
    ),
    word(
        "rollout",
        Choice(&["before", "once"]),
        "In a rolling play: on all nodes, or on one, ahead of the first drain.",
    ),
    word(
        "run_once",
        Flag,
        "Whether one host does it for all; it counts over the whole play.",
    ),
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
    word("local_action", Any, "As `action`, by this machine."),
    word(
        "module_defaults",
        Maps,
        "Parameters that it has by its kind, unless it gives them itself.",
    ),
];

/// Keys of a block.
pub const BLOCK: &[Word] = &[
    word("block", Tasks, "Tasks that are tried in order."),
    word(
        "rescue",
        Tasks,
        "What is done when one of them failed; the host then goes on.",
    ),
    word("always", Tasks, "What is done in any case."),
    word("name", Text, "What it is called."),
    word("when", Conditions, "Conditions of all its tasks."),
    word("vars", Vars, "Variables of all its tasks."),
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
        "Collections in which the short name of a role is searched.",
    ),
    word(
        "any_errors_fatal",
        Switch,
        "Whether all hosts stop when one of its tasks failed on a host.",
    ),
    word("notify", Texts, "Handlers that any of its tasks notifies."),
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

/// Keys of `loop_control`.
pub const LOOP_CONTROL: &[Word] = &[
    word(
        "loop_var",
        Name,
        "What the item is called; `item` unless given.",
    ),
    word("index_var", Name, "The variable that counts, from 0."),
    word("label", Any, "What is shown of an item."),
    word("pause", Number, "Seconds between two items."),
    word("extended", Switch, "Whether `ansible_loop` is there."),
    word(
        "extended_allitems",
        Switch,
        "Whether `ansible_loop` has all items as `allitems`; it has unless this says false.",
    ),
    word(
        "break_when",
        Conditions,
        "The loop ends behind the first item for which these hold.",
    ),
];
