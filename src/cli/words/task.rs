//! The words of a task and of a block.

use super::Shape::{
    Any, Choice, Conditions, Count, Flag, Items, Literal, Mapping, Maps, Number, Switch, Tasks,
    Text, Texts, Vars, Words,
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
        "loop_control",
        Words(LOOP_CONTROL),
        "How the loop is gone through: see `hadeploy doc loop_control`.",
    ),
    word(
        "register",
        Literal,
        "The variable that gets what came of it.",
    ),
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
        "rollout",
        Choice(&["before", "once"]),
        "In a rolling play: on all nodes, or on one, ahead of the first drain.",
    ),
    word(
        "run_once",
        Switch,
        "Whether one host does it for all; it counts over the whole play.",
    ),
    word(
        "delegate_to",
        Text,
        "The host that acts in place of this one.",
    ),
    word(
        "delegate_facts",
        Switch,
        "Whether facts are those of the host that acts.",
    ),
    word("local_action", Any, "As `action`, by this machine."),
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
        "With false its tasks run in a plan too.",
    ),
    word("diff", Flag, "Whether differences of texts are shown."),
    word("timeout", Number, "Seconds each of its tasks may take."),
    word(
        "ignore_errors",
        Flag,
        "Whether the host goes on when one of them failed.",
    ),
    word("notify", Texts, "Handlers that any of its tasks notifies."),
    word(
        "rollout",
        Choice(&["before", "once"]),
        "In a rolling play: on all nodes, or on one, ahead of the first drain.",
    ),
    word("run_once", Switch, "Whether one host does it for all."),
    word(
        "delegate_to",
        Text,
        "The host that acts in place of this one.",
    ),
    word(
        "delegate_facts",
        Switch,
        "Whether facts are those of the host that acts.",
    ),
];

/// Keys of `loop_control`.
pub const LOOP_CONTROL: &[Word] = &[
    word(
        "loop_var",
        Literal,
        "What the item is called; `item` unless given.",
    ),
    word("index_var", Literal, "The variable that counts, from 0."),
    word("label", Any, "What is shown of an item."),
    word("pause", Number, "Seconds between two items."),
    word("extended", Switch, "Whether `ansible_loop` is there."),
];
