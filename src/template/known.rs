//! The names of filters, tests and functions: those that exist here, and those of Ansible that do not.

use minijinja::Value as Native;
use minijinja::value::ValueKind;

/// Functions.
pub(super) const FUNCTIONS: &[&str] = &["range", "dict", "namespace"];

/// What Ansible has and this has not, with what to use instead.
pub(super) const REFUSED_FUNCTIONS: &[(&str, &str)] = &[
    (
        "lookup",
        "use a variable, a fact, `vars_files`, or the `template` and `copy` kinds",
    ),
    ("query", "use a variable, a fact or `vars_files`"),
    ("q", "use a variable, a fact or `vars_files`"),
    (
        "now",
        "a template that tells the time changes with every run; use the fact `ansible_date_time`",
    ),
    ("undef", "use the `mandatory` filter"),
    ("lipsum", "write the text"),
    ("cycler", "use `loop.cycle`"),
    ("joiner", "use `loop.last` or the `join` filter"),
];

/// Filters of Ansible that do not exist here.
pub(super) const REFUSED_FILTERS: &[(&str, &str)] = &[
    (
        "password_hash",
        "it comes in a later release; give the hash itself",
    ),
    (
        "expanduser",
        "the controller's home folder is not the node's; write the path",
    ),
    (
        "expandvars",
        "the controller's environment is not the node's; write the value",
    ),
    (
        "realpath",
        "it reads the controller's files; write the path",
    ),
    ("relpath", "it reads the controller's files; write the path"),
    ("fileglob", "it reads the controller's files; write a list"),
    (
        "vault",
        "a new vault differs with every run; encrypt with `hadeploy vault encrypt-string`",
    ),
    (
        "unvault",
        "values with `!vault` and files that are vaults are opened where they are read",
    ),
    (
        "random",
        "a template with chance in it changes with every run",
    ),
    (
        "shuffle",
        "a template with chance in it changes with every run",
    ),
    ("json_query", "use `selectattr`, `map` and `dict2items`"),
    ("ipaddr", "it comes in a later release"),
    ("strftime", "use the fact `ansible_date_time`"),
    ("to_datetime", "use the fact `ansible_date_time`"),
    ("pprint", "use `to_nice_json`"),
    ("tojson", "use `to_json`"),
];

/// What a value is called in messages.
pub(super) fn kind_word(native: &Native) -> &'static str {
    match native.kind() {
        ValueKind::Undefined => "nothing",
        ValueKind::None => "nothing",
        ValueKind::Bool => "a boolean",
        ValueKind::Number if native.is_integer() => "a whole number",
        ValueKind::Number => "a number",
        ValueKind::String | ValueKind::Bytes => "text",
        ValueKind::Seq | ValueKind::Iterable => "a list",
        ValueKind::Map => "a mapping",
        _ => "no value",
    }
}
