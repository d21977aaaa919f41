//! Each kind on a real node: a folder of cases, all taken through the same life. Planned, applied, applied again (nothing to do), altered
//! by hand (a plan shows exactly that, an apply mends it), and looked at with the system's own tools each time. The stories of a release
//! share a node: no two of them use the same port, account or file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use crate::Case;
use crate::run::{Run, Site};
use crate::world::{Node, World};

/// One case, as its file says it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    /// Files of the project: path and content; behind `base64:`, bytes.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Shell text run on the node before all.
    #[serde(default)]
    prepare: String,
    /// Variables of the play, as YAML text.
    #[serde(default)]
    vars: String,
    /// The tasks, as YAML text.
    tasks: String,
    /// The handlers, as YAML text.
    #[serde(default)]
    handlers: String,
    /// Tasks that are as wanted from the start, or skipped.
    #[serde(default)]
    idle: Vec<String>,
    /// Tasks that cannot be foreseen in a plan of the bare node.
    #[serde(default)]
    unforeseen: Vec<String>,
    /// Shell commands and what they must print.
    check: Vec<Check>,
    /// Hands that meddle.
    #[serde(default)]
    tamper: Vec<Tamper>,
    /// Debian releases to run on.
    #[serde(default = "both")]
    releases: Vec<u8>,
    /// Those of them where it takes long and shows nothing that the other does not: only when asked for.
    #[serde(default)]
    long: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Check {
    run: String,
    says: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tamper {
    /// Shell text.
    run: String,
    /// The tasks that a plan must then show as changed, with the names of their fields. No other may be.
    plan: BTreeMap<String, Vec<String>>,
    /// Words that must stand somewhere in those changes.
    #[serde(default)]
    shows: Vec<String>,
}

fn both() -> Vec<u8> {
    vec![12, 13]
}

/// A case for each file and release.
pub fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nodes/kinds");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let story: Story = serde_yaml::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        for release in story.releases {
            let text = text.clone();
            let case = Case::new(format!("kinds::{name}_on_{release}"), move |world| {
                tell(world, release, &serde_yaml::from_str(&text).unwrap());
            });
            let long = story.long.contains(&release);
            cases.push(Case { long, ..case }.beside(100 + release));
        }
    }
    cases
}

fn tell(world: &World, release: u8, story: &Story) {
    let node = world.for_kinds(release);
    let site = Site::with(&node.lab, &playbook(story));
    for (name, content) in &story.files {
        match content.strip_prefix("base64:") {
            Some(bytes) => site.write(name, STANDARD.decode(bytes).unwrap()),
            None => site.write(name, content),
        }
    }
    node.sh(&story.prepare);

    let foreseen = site.plan();
    let first = site.apply();
    let all: Vec<&str> = first
        .tasks()
        .filter_map(|task| task["task"].as_str())
        .collect();
    let wanted: Vec<&str> = all
        .iter()
        .copied()
        .filter(|name| !story.idle.iter().any(|idle| idle == name))
        .collect();
    assert_eq!(first.with("changed"), wanted, "{first}");
    let foretold: Vec<&str> = first
        .with("changed")
        .into_iter()
        .filter(|name| !story.unforeseen.iter().any(|task| task == name))
        .collect();
    assert_eq!(
        foreseen.with("changed"),
        foretold,
        "the plan said other than the apply did\n{foreseen}\n{first}"
    );
    assert_eq!(foreseen.with("unknown"), story.unforeseen, "{foreseen}");
    check(&node, story);
    settled(&site, &node, story);
    for tamper in &story.tamper {
        mend(&site, &node, story, tamper);
    }
}

fn playbook(story: &Story) -> String {
    let mut text = "- name: the play\n  hosts: n1\n  gather_facts: false\n".to_owned();
    for (key, lines) in [
        ("vars", &story.vars),
        ("tasks", &story.tasks),
        ("handlers", &story.handlers),
    ] {
        if !lines.is_empty() {
            text.push_str(&format!("  {key}:\n"));
            for line in lines.lines() {
                text.push_str(&format!("    {line}\n"));
            }
        }
    }
    text
}

fn check(node: &Node, story: &Story) {
    for check in &story.check {
        assert_eq!(node.sh(&check.run), check.says.trim_end(), "{}", check.run);
    }
}

/// Nothing is left to do, by an apply's and a plan's word.
fn settled(site: &Site, node: &Node, story: &Story) {
    let again = site.apply();
    assert!(again.with("changed").is_empty(), "{again}");
    assert!(again.named("handler_finished").is_empty(), "{again}");
    assert_eq!(again.events.last().unwrap()["touched"], false, "{again}");
    assert!(again.count("n1", "round_trips") <= 3, "{again}");
    site.expect(&["plan", "--detailed-exitcode"], 0);
    check(node, story);
}

fn mend(site: &Site, node: &Node, story: &Story, tamper: &Tamper) {
    node.sh(&tamper.run);
    let plan = site.expect(&["plan", "--detailed-exitcode"], 2);
    let shown: BTreeMap<String, Vec<String>> = plan
        .tasks()
        .filter(|task| task["status"] == "changed")
        .map(|task| (task["task"].as_str().unwrap().to_owned(), fields(task)))
        .collect();
    assert_eq!(shown, tamper.plan, "after `{}`\n{plan}", tamper.run);
    let changes: String = plan.tasks().map(all_text).collect();
    for word in &tamper.shows {
        assert!(changes.contains(word), "not shown: {word}\n{plan}");
    }
    let apply = site.apply();
    assert_eq!(without_handlers(&apply), without_handlers(&plan), "{apply}");
    check(node, story);
    settled(site, node, story);
}

fn without_handlers(run: &Run) -> Vec<&str> {
    run.named("task_finished")
        .into_iter()
        .filter(|task| task["status"] == "changed")
        .filter_map(|task| task["task"].as_str())
        .collect()
}

/// The names of all fields that differ, also of a loop's items.
fn fields(task: &Value) -> Vec<String> {
    let mut names = Vec::new();
    let items = task["items"].as_array().unwrap();
    for holder in items.iter().chain([task]) {
        for change in holder["changes"].as_array().unwrap() {
            let name = change["field"].as_str().unwrap().to_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// All texts inside, with line breaks as they are.
fn all_text(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text}\n"),
        Value::Array(items) => items.iter().map(all_text).collect(),
        Value::Object(fields) => fields.values().map(all_text).collect(),
        _ => String::new(),
    }
}
