//! What is said of values and specifications, held against ansible-core 2.19.

use super::*;
use crate::source::Source;
use crate::value::parse_yaml_one;

fn map(value: Option<&Entry>) -> Map {
    let map = value.and_then(|entry| entry.value.as_map());
    map.cloned().unwrap_or_default()
}

#[test]
fn the_same_is_said_as_by_ansible() {
    let source = Source::new("cases.yaml", include_str!("cases.yaml"));
    let table = parse_yaml_one(&source).expect("YAML");
    let mut count = 0;
    for block in table.as_list().expect("a list") {
        let block = block.as_map().expect("a mapping");
        let spec = map(block.get("spec"));
        for case in block["cases"].value.as_list().expect("a list") {
            let case = case.as_map().expect("a mapping");
            let said = case.get("said").and_then(|entry| entry.value.as_list());
            let said = said.unwrap_or_default().iter();
            let said: Vec<&str> = said.filter_map(Value::as_str).collect();
            let problems = validate(&spec, map(case.get("given")));
            let found: Vec<&str> = problems.iter().map(|it| it.message.as_str()).collect();
            let given = case["given"].value.to_json();
            assert_eq!(found, said, "{}", given);
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
}

#[test]
fn problems_name_the_options_at_the_top() {
    let read = |text: &str| {
        let value = parse_yaml_one(&Source::new("x", text)).expect("YAML");
        value.as_map().cloned().unwrap_or_default()
    };
    let spec =
        "{a: {type: dict, options: {k: {type: int}}}, b: {required: true}, c: {required: true}}";
    let problems = validate(&read(spec), read("{a: {k: x, l: 1}, d: 1}"));
    let options: Vec<Vec<&str>> = problems
        .iter()
        .map(|problem| problem.options.iter().map(Arc::as_ref).collect())
        .collect();
    assert_eq!(options, [vec!["b", "c"], vec!["a"], vec!["a", "d"]]);
}

/// What is said of a specification, one a line as `severity line:column message`.
fn said(spec: &str) -> Vec<String> {
    let value = parse_yaml_one(&Source::new("s", spec)).expect("YAML");
    let faults = faults(value.as_map().expect("a mapping"));
    faults
        .iter()
        .map(|fault| format!("{} {}", fault.severity.word(), fault.one_line()))
        .collect()
}

#[test]
fn what_is_wrong_with_a_specification_is_said_at_its_place() {
    for (spec, words) in [
        ("a: {type: integer}", "error s:1:11: `integer` is no type"),
        (
            "a: {type: list, elements: txt}",
            "error s:1:27: `txt` is no type",
        ),
        (
            "a:",
            "error s:1:2: the option `a` is a mapping, not nothing",
        ),
        (
            "a: int",
            "error s:1:4: the option `a` is a mapping, not text",
        ),
        (
            "a: {elements: int}",
            "error s:1:15: only a `list` has `elements`",
        ),
        (
            "a: {choices: x}",
            "error s:1:14: `choices` is a list, not text",
        ),
        (
            "a: {aliases: x}",
            "error s:1:14: `aliases` is a list, not text",
        ),
        (
            "a: {required: true, default: 1}",
            "error s:1:30: `a` is required and has a default",
        ),
        (
            "a: {fallback: [x]}",
            "error s:1:5: `fallback` is for modules: a file can name no function",
        ),
        (
            "a: {type: dict, options: {b: {type: number}}}",
            "error s:1:37: `number` is no type",
        ),
        (
            "a: {type: dict, options: {}, required_if: [[x, y]]}",
            "error s:1:44: `required_if` is a list of `[option, value, [other options]]`",
        ),
        (
            "a: {type: dict, options: {}, required_together: [x, y]}",
            "error s:1:50: `required_together` is a list of lists of options",
        ),
        (
            "a: {type: dict, options: {}, required_by: [x]}",
            "error s:1:43: `required_by` is a mapping of an option to the ones that it needs",
        ),
        (
            "a: {type: str, options: {b: {}}}",
            "warning s:1:16: the options below `a` are not checked",
        ),
        (
            "a: {requierd: true}",
            "warning s:1:5: `requierd` says nothing of an option",
        ),
        (
            "a: {type: int, default: x}",
            "warning s:1:25: argument 'a' is of type str and we were unable to convert to int: \"'x'\" cannot be converted to an int",
        ),
    ] {
        let found = said(spec);
        assert_eq!(found.len(), 1, "{spec}: {found:?}");
        assert!(found[0].starts_with(words), "{spec}: {found:?}");
    }
}

#[test]
fn nothing_is_said_of_what_is_right_or_seen_only_in_the_run() {
    for spec in [
        "{}",
        "a: {}",
        "a: {type: list, elements: dict, options: {b: {type: int, default: 1}}, required_one_of: [[b]]}",
        "a: {type: int, default: '{{ x }}', choices: '{{ y }}'}",
        "a: {type: '{{ t }}', elements: int}",
        "a: {author: me, description: [x], version_added: '1'}",
    ] {
        assert_eq!(said(spec), Vec::<String>::new(), "{spec}");
    }
}
