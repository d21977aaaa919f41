//! What ansible-core 2.19 makes of the same templates, kept as data: pairs of a template and its result.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::template::{filter, lookup, test};

/// The variables of `generate.py`.
const VARS: &str = include_str!("vars.yaml");

/// The cases, and those that come out differently here on purpose.
fn cases() -> Vec<(String, serde_json::Value)> {
    serde_json::from_str(include_str!("ansible.json")).expect("pairs")
}

/// Where this differs on purpose: the template, what it gives here, and why.
fn differences() -> BTreeMap<String, (serde_json::Value, String)> {
    let rows: Vec<(String, serde_json::Value, String)> =
        serde_json::from_str(include_str!("differences.json")).expect("rows of three");
    rows.into_iter()
        .map(|(text, here, why)| (text, (here, why)))
        .collect()
}

/// The folder of the files that lookups of the cases read.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/template/tests/files")
}

struct Case(Vars);

impl Scope for Case {
    fn lookup(&self, name: &str) -> Lookup {
        self.0.lookup(name)
    }

    fn names(&self) -> Vec<String> {
        self.0.names()
    }

    fn surroundings(&self) -> Option<&dyn Surroundings> {
        Some(&Here)
    }
}

/// The controller as `generate.py` has it.
struct Here;

impl Surroundings for Here {
    fn places(&self, name: &str, below: &str) -> Vec<PathBuf> {
        vec![folder().join(below).join(name), folder().join(name)]
    }

    fn playbook(&self) -> PathBuf {
        folder()
    }

    fn awaited(&self) -> Option<String> {
        None
    }

    fn read(&self, path: &Path) -> Result<Arc<Source>, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        Ok(Source::new(path.display().to_string(), text))
    }

    fn acts(&self) -> bool {
        true
    }

    fn keep(&self, _: &Path, _: &str) -> std::io::Result<()> {
        Err(std::io::Error::other("nothing is written here"))
    }

    fn hide(&self, _: &str) {}

    fn hosts(&self, pattern: &str) -> Result<Vec<String>, String> {
        let hosts: &[&str] = match pattern {
            "web" | "web*" => &["web1", "web2"],
            "all:!web" => &["db1"],
            _ => return Err("no such pattern".to_owned()),
        };
        Ok(hosts.iter().map(|host| (*host).to_owned()).collect())
    }
}

/// The shell of the cases.
fn shell(line: &str, _: &Path) -> Result<Vec<u8>, String> {
    let output = crate::process::Program::new("/bin/sh")
        .args(["-c", line])
        .run()
        .map_err(|error| error.to_string())?;
    match output.status {
        0 => Ok(output.stdout),
        status => Err(format!("status {status}")),
    }
}

fn outside() -> Outside {
    Outside {
        variables: [("ANSIBLE_CASE".to_owned(), "from outside".to_owned())].into(),
        shell: Box::new(shell),
    }
}

#[test]
fn templates_come_out_as_in_ansible() {
    let (cases, mut differences) = (cases(), differences());
    assert!(cases.len() > 900);
    let templates = Templates::with_outside(Box::new(|_, _| None), outside());
    let vars = yaml(VARS);
    let scope: Arc<dyn Scope> = Arc::new(Case(Vars {
        map: vars.as_map().cloned().unwrap_or_default(),
        after: Vec::new(),
        ready: Vec::new(),
    }));
    let mut wrong = String::new();
    let mut count = 0;
    for (text, expected) in &cases {
        let expected = match differences.remove(text) {
            Some((here, why)) => {
                assert!(here != *expected, "{text} is no difference any more");
                assert!(why.len() > 10, "{text}: say why");
                here
            }
            None => expected.clone(),
        };
        let value = Value::str(text, &crate::source::Span::synthetic("t"));
        let (got, said) = match templates.render(&value, &scope) {
            Ok(value) => (value.to_json(), String::new()),
            Err(Stop::Fault(fault)) => (
                serde_json::json!({"fault": true}),
                format!(" {} {:?}", fault.message, fault.label),
            ),
            Err(Stop::After(task)) => (task.into(), String::new()),
        };
        let text_of = |value: &serde_json::Value| {
            let folder = folder().display().to_string();
            value.to_string().replace(&folder, "FOLDER")
        };
        if text_of(&got) != text_of(&expected) {
            count += 1;
            wrong.push_str(&format!(
                "{text}\n  here:    {}{said}\n  ansible: {expected}\n",
                text_of(&got)
            ));
        }
    }
    assert!(wrong.is_empty(), "{count} differ\n{wrong}");
    assert!(differences.is_empty(), "no cases: {differences:?}");
}

#[test]
fn everything_has_cases() {
    let cases = cases();
    let count = |named: &dyn Fn(&str) -> bool| cases.iter().filter(|(text, _)| named(text)).count();
    let bare = |text: &str, mark: &str, name: &str| {
        text.match_indices(mark).any(|(at, _)| {
            let word = text[at + mark.len()..].trim_start();
            let end = word
                .find(|c: char| !c.is_alphanumeric() && c != '_' && c != '.')
                .unwrap_or(word.len());
            word[..end].rsplit('.').next() == Some(name)
        })
    };
    let mut few = Vec::new();
    for name in filter::NAMES {
        let found = count(&|text| bare(text, "|", name) || bare(text, "map('", name));
        if found < 3 {
            few.push(format!("filter {name}: {found}"));
        }
    }
    for name in test::NAMES {
        // One case of a list asks for many values.
        let asked: usize = cases
            .iter()
            .map(|(text, _)| {
                let marks = text.matches(&format!("is {name}")).count();
                let full = text.matches(&format!(".{name}")).count();
                marks + full + text.matches(&format!("'{name}'")).count()
            })
            .sum();
        if asked < 3 {
            few.push(format!("test {name}: {asked}"));
        }
    }
    for name in lookup::NAMES.iter().filter(|name| **name != "password") {
        let found = count(&|text| {
            text.contains(&format!("('{name}'")) || text.contains(&format!(".{name}'"))
        });
        if found < 3 {
            few.push(format!("lookup {name}: {found}"));
        }
    }
    assert!(few.is_empty(), "{few:#?}");
}
