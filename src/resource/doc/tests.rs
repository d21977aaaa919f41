//! Each kind is held to the rule that the doc comment of `resource` gives.

use std::path::Path;

use super::{COMMENTS, Doc, GROUPS, OTHERS, cut, parse};
use crate::resource::{KINDS, Kind};

/// The source files below `folder`, with what they hold.
fn sources(folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source");
            files.push((path.display().to_string(), text));
        }
    }
}

fn all_sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/resource");
    sources(&folder, &mut files);
    files
}

fn none(faults: &[String]) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The rule about comments.
fn faults(kind: &Kind) -> Vec<String> {
    let Some((_, comment)) = COMMENTS.iter().find(|(name, _)| *name == kind.name) else {
        return vec![
            "its row does not begin with `pub static …: Kind = Kind {` and `name`".to_owned(),
        ];
    };
    let (doc, mut faults) = parse(comment);
    match doc.intro.first().map(String::as_str) {
        None => faults.push("no comment stands above its row".to_owned()),
        Some(text) if text.starts_with("The row of") => {
            faults.push(format!("`{text}` tells nothing to who uses it"));
        }
        Some(text) if !text.ends_with('.') => {
            faults.push(format!("`{text}` does not end with a full stop"));
        }
        Some(_) => {}
    }
    if doc.examples.is_empty() {
        faults.push("it has no example: `# Examples`, and tasks in ```yaml".to_owned());
    }
    for item in [&doc.differs, &doc.needs, &doc.returns]
        .into_iter()
        .flatten()
    {
        if item.ends_with('.') {
            faults.push(format!("`- {item}` ends with a full stop; items do not"));
        }
    }
    faults
}

#[test]
fn each_kind_has_a_comment_in_the_shape_of_the_rule() {
    let found: Vec<String> = KINDS
        .iter()
        .flat_map(|kind| {
            let name = kind.name;
            faults(kind)
                .into_iter()
                .map(move |fault| format!("{name}: {fault}"))
        })
        .collect();
    none(&found);
}

/// Nothing a kind takes is left without a word, and no word is about what it does not take.
#[test]
fn each_parameter_is_described_once() {
    let mut faults = Vec::new();
    for kind in KINDS {
        let mut names = Vec::new();
        for param in kind.params {
            names.push(param.name);
            names.extend(param.aliases);
            if param.doc.is_empty() || !param.doc.ends_with(['.', '…']) {
                faults.push(format!(
                    "{}: the `doc` of `{}` is no sentence: {}",
                    kind.name, param.name, param.doc
                ));
            }
        }
        for (name, instead) in kind.refused {
            names.push(name);
            if instead.is_empty() {
                faults.push(format!("{}: `{name}` is refused without a word", kind.name));
            }
        }
        names.sort_unstable();
        for pair in names.windows(2).filter(|pair| pair[0] == pair[1]) {
            faults.push(format!("{}: `{}` stands there twice", kind.name, pair[0]));
        }
    }
    none(&faults);
}

/// What `hadeploy doc` says of results, against the keys that the code gives.
#[test]
fn each_result_is_told_of() {
    let mut faults = Vec::new();
    let files = all_sources();
    for (path, text) in &files {
        let kinds: Vec<Doc> = cut::kinds(text)
            .into_iter()
            .map(|(_, comment)| parse(&comment).0)
            .collect();
        if kinds.is_empty() {
            continue;
        }
        let below = path.trim_end_matches(".rs").to_owned() + "/";
        let code = files
            .iter()
            .filter(|(other, code)| {
                other == path || (other.starts_with(&below) && cut::kinds(code).is_empty())
            })
            .map(|(_, code)| code.as_str());
        for key in code.flat_map(results) {
            let told = |doc: &Doc| {
                doc.returns
                    .iter()
                    .any(|item| item.contains(&format!("`{key}`")))
            };
            if !kinds.iter().any(told) {
                faults.push(format!("{path}: `# Returns` tells nothing of `{key}`"));
            }
        }
    }
    faults.sort();
    faults.dedup();
    none(&faults);
}

/// The keys of `.result("key", …)`, those of the program's options apart.
fn results(code: &str) -> Vec<String> {
    let packed: String = code.split_whitespace().collect();
    packed
        .split(".result(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        // How the engine is to read the output of a program; it is taken out again.
        .filter(|key| *key != "strip_empty_ends")
        .map(str::to_owned)
        .collect()
}

#[test]
fn each_kind_stands_in_one_group() {
    let faults: Vec<String> = KINDS
        .iter()
        .filter(|kind| {
            let groups = GROUPS
                .iter()
                .filter(|(_, kinds)| kinds.contains(&kind.name));
            groups.count() != 1 || kind.group() == OTHERS
        })
        .map(|kind| format!("`{}` stands in none of GROUPS, or in two", kind.name))
        .collect();
    none(&faults);
    for name in GROUPS.iter().flat_map(|(_, kinds)| *kinds) {
        assert!(super::super::kind(name).is_some(), "`{name}` is no kind");
    }
}

#[test]
fn what_has_another_shape_is_told() {
    let (doc, faults) = parse(
        "Does it.\nWell.\n\nMore.\n\n# Needs\n- a\n  b\n- c\n\n# Examples\n```yaml\n- ping:\n# no heading\n```\n",
    );
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(doc.intro, ["Does it. Well.", "More."]);
    assert_eq!(doc.needs, ["a b", "c"]);
    assert_eq!(doc.examples, ["- ping:\n# no heading\n"]);
    for (comment, said) in [
        ("A.\n# Return\n- x", "`# Return` is none of its headings"),
        (
            "A.\n# Returns\n- x\n# Needs\n- y",
            "its headings are not in order",
        ),
        (
            "A.\n# Needs\n- x\n# Needs\n- y",
            "its headings are not in order",
        ),
        ("A.\n# Needs\nx", "`x` belongs to no item of a list"),
        ("A.\n# Examples\n- ping:", "stands outside of ```yaml"),
        ("A.\n# Examples\n```yaml\n- ping:", "an example has no end"),
    ] {
        let (_, faults) = parse(comment);
        assert!(
            faults.iter().any(|fault| fault.contains(said)),
            "{comment}: {faults:?}"
        );
    }
}
