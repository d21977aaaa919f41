//! The names of functions, and of kinds of values.

use minijinja::Value as Native;
use minijinja::value::ValueKind;

/// Functions.
pub(super) const FUNCTIONS: &[&str] = &[
    "range",
    "dict",
    "namespace",
    "lookup",
    "query",
    "q",
    "undef",
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
