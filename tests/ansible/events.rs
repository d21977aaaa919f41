//! What the two programs say of each task, in the same words.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

/// What a run said.
#[derive(Clone)]
pub struct Said {
    /// Of each host the tasks and handlers in their order, one line each.
    pub tasks: BTreeMap<String, Vec<String>>,
    /// Of each host how many tasks ended how. A task has one count only.
    counts: BTreeMap<String, BTreeMap<String, u64>>,
    /// What it said to people.
    pub stderr: String,
}

/// Tasks that only Ansible tells of, by their module: what differs on purpose. Each stands in docs/ansible.md.
const ONLY_ANSIBLE: &[(&str, &str)] = &[
    // Facts come with the first script, which is no task.
    ("Gathering Facts", "gather_facts"),
];

/// The check of a role's arguments: Ansible does not know where it stands.
const CHECKER: &str = "validate_argument_spec";

/// Tasks that bring others.
const INCLUDES: &[&str] = &["include_tasks", "include_role"];

impl Said {
    /// From our callback plugin.
    pub fn by_ansible(ran: &Output, folder: &Path) -> Said {
        let mut said = Said::new(ran);
        let folder = format!("{}/", folder.canonicalize().unwrap().display());
        // Tasks that count as ok for Ansible, and are none here.
        let mut apart: BTreeMap<String, u64> = BTreeMap::new();
        // Each file that a looped include reads counts for Ansible; here the include is one task, as other loops are.
        let mut includes: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for event in events(ran) {
            if event["event"] == "included" {
                includes.entry(text(&event["host"])).or_default().0 += 1;
            } else if event["event"] == "task" {
                let host = text(&event["host"]);
                let action = text(&event["action"]);
                let action = action.rsplit('.').next().unwrap_or_default();
                let name = text(&event["task"]);
                if ONLY_ANSIBLE.contains(&(name.as_str(), action)) {
                    *apart.entry(host).or_default() += 1;
                    continue;
                }
                if INCLUDES.contains(&action) && event["status"] == "ok" {
                    includes.entry(host).or_default().1 += 1;
                }
                let at = match action == CHECKER {
                    true => String::new(),
                    false => text(&event["at"]).replace(&folder, ""),
                };
                let items: Vec<String> = event["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(text)
                    .collect();
                said.add(&event, &at, &items.join(" "));
            } else {
                for (host, counts) in event["hosts"].as_object().unwrap() {
                    let count = |word: &str| counts[word].as_u64().unwrap();
                    let (files, tasks) = includes.get(host).copied().unwrap_or_default();
                    let apart = apart.get(host).copied().unwrap_or_default() + files - tasks;
                    said.count(
                        host,
                        "ok",
                        count("ok") - count("changed") - count("ignored") - apart,
                    );
                    said.count(host, "changed", count("changed"));
                    said.count(host, "skipped", count("skipped"));
                    said.count(host, "failed", count("failures"));
                    said.count(host, "unreachable", count("unreachable"));
                    said.count(host, "rescued", count("rescued"));
                    said.count(host, "ignored", count("ignored"));
                }
            }
        }
        said
    }

    /// From `--output json`.
    pub fn by_hadeploy(ran: &Output) -> Said {
        let mut said = Said::new(ran);
        for event in events(ran) {
            match event["event"].as_str().unwrap() {
                "task_finished" | "handler_finished" => {
                    let items = event["items"].as_array().unwrap();
                    let items: Vec<String> =
                        items.iter().map(|item| text(&item["status"])).collect();
                    let at = match event["kind"] == CHECKER {
                        true => String::new(),
                        false => text(&event["at"]),
                    };
                    said.add(&event, &at, &items.join(" "));
                }
                "run_finished" => {
                    for (host, counts) in event["hosts"].as_object().unwrap() {
                        for word in [
                            "ok",
                            "changed",
                            "skipped",
                            "failed",
                            "unreachable",
                            "rescued",
                            "ignored",
                        ] {
                            said.count(host, word, counts[word].as_u64().unwrap());
                        }
                    }
                }
                "diagnostic" => said.stderr += &format!("{event}\n"),
                _ => {}
            }
        }
        said
    }

    /// The same with other words for some tasks.
    pub fn with(&self, differs: &[(&str, &str, &str)]) -> Said {
        let mut said = self.clone();
        for (host, lines) in &mut said.tasks {
            for line in lines {
                for (task, theirs, ours) in differs {
                    if *line != format!("{task}: {theirs} []") {
                        continue;
                    }
                    *line = format!("{task}: {ours} []");
                    let counts = said.counts.entry(host.clone()).or_default();
                    *counts.entry((*ours).to_owned()).or_default() += 1;
                    *counts.entry((*theirs).to_owned()).or_default() -= 1;
                }
            }
        }
        said
    }

    fn new(ran: &Output) -> Said {
        Said {
            tasks: BTreeMap::new(),
            counts: BTreeMap::new(),
            stderr: String::from_utf8_lossy(&ran.stderr).into_owned(),
        }
    }

    fn add(&mut self, event: &Value, at: &str, items: &str) {
        let ignored = if event["ignored"] == true {
            ", ignored"
        } else {
            ""
        };
        let (task, status) = (text(&event["task"]), text(&event["status"]));
        // Ansible puts the name of the role before it.
        let task = task.split_once(" : ").map_or(&*task, |(_, name)| name);
        let line = format!("{at} {task}: {status}{ignored} [{items}]");
        self.tasks
            .entry(text(&event["host"]))
            .or_default()
            .push(line);
    }

    fn count(&mut self, host: &str, word: &str, count: u64) {
        if count > 0 {
            let counts = self.counts.entry(host.to_owned()).or_default();
            counts.insert(word.to_owned(), count);
        }
    }
}

/// The lines that only one of them said, and the counts that are not the same.
pub fn differences(theirs: &Said, ours: &Said) -> Vec<String> {
    let mut lines = Vec::new();
    let none = Vec::new();
    let hosts: std::collections::BTreeSet<&String> =
        theirs.tasks.keys().chain(ours.tasks.keys()).collect();
    for host in hosts {
        let of = |said: &'_ Said| said.tasks.get(host).unwrap_or(&none).join("\n");
        let (first, second) = (of(theirs), of(ours));
        let diff = similar::TextDiff::from_lines(&first, &second);
        for change in diff.iter_all_changes() {
            let mark = match change.tag() {
                similar::ChangeTag::Equal => continue,
                similar::ChangeTag::Delete => '-',
                similar::ChangeTag::Insert => '+',
            };
            lines.push(format!("{mark} {host}: {}", change.value().trim_end()));
        }
    }
    if theirs.counts != ours.counts {
        lines.push(format!("- {:?}", theirs.counts));
        lines.push(format!("+ {:?}", ours.counts));
    }
    lines
}

fn events(ran: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&ran.stdout);
    let event = |line: &str| {
        serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("no event: {line}\n{error}\n{text}"))
    };
    text.lines().map(event).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
