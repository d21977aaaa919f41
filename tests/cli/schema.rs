//! `hadeploy schema`: what the repository's own files hold is right by it, and what hadeploy refuses is wrong by it too.

use std::path::{Path, PathBuf};

use hadeploy::resource::KINDS;
use hadeploy::source::Source;
use hadeploy::value::parse_yaml_one;
use jsonschema::Validator;

use crate::Sandbox;

fn schema(of: &str) -> Validator {
    let ran = Sandbox::new(&[]).run(&["schema", of]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    let schema: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    jsonschema::draft202012::meta::validate(&schema).expect("a schema of schemas");
    jsonschema::draft202012::new(&schema).expect("a schema")
}

fn json(name: &str, text: &str) -> serde_json::Value {
    let read = parse_yaml_one(&Source::new(name.to_owned(), text.to_owned()));
    read.expect(name).to_json()
}

fn right(schema: &Validator, name: &str, text: &str) {
    let value = json(name, text);
    let faults: Vec<String> = schema
        .iter_errors(&value)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{name}: {faults:#?}");
}

fn wrong(schema: &Validator, text: &str) {
    assert!(
        !schema.is_valid(&json("wrong", text)),
        "this is right by the schema:\n{text}"
    );
}

fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&root).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|end| end == "yml") {
            let text = std::fs::read_to_string(&path).expect("text");
            found.push((path, text));
        }
    }
    assert!(!found.is_empty(), "{folder} is empty");
    found
}

#[test]
fn the_playbooks_of_the_repository_are_right() {
    let plays = schema("playbook");
    for (path, text) in files("playbooks") {
        right(&plays, &path.display().to_string(), &text);
    }
    let tasks = schema("tasks");
    for (path, text) in files("playbooks/tasks") {
        right(&tasks, &path.display().to_string(), &text);
    }
}

#[test]
fn the_inventory_of_the_repository_is_right() {
    let text = include_str!("../../inventory.example");
    right(&schema("inventory"), "inventory.example", text);
    right(
        &schema("inventory"),
        "the one of the tests",
        crate::INVENTORY,
    );
}

#[test]
fn examples_of_kinds_are_right() {
    let tasks = schema("tasks");
    for kind in KINDS {
        for example in kind.doc().examples {
            right(&tasks, kind.name, &example);
        }
    }
}

#[test]
fn ways_to_write_a_task_are_right() {
    let tasks = schema("tasks");
    for text in [
        "- command: ls\n  args: { chdir: / }\n",
        "- ansible.builtin.copy: { content: a, dest: /a, mode: 0644 }\n",
        "- ansible.legacy.copy: content=a dest=/a\n",
        "- action: copy content=a dest=/a\n",
        "- action: { module: copy, content: a, dest: /a }\n",
        "- ping:\n",
        "- meta: flush_handlers\n",
        "- import_tasks: a.yml\n  when: a is defined\n",
        "- include_tasks: { file: a.yml, apply: { tags: [x] } }\n",
        "- file: { path: \"{{ a }}\", state: \"{{ b }}\", mode: \"u=rw,go=r\" }\n  when: [a, b]\n  loop: \"{{ c }}\"\n",
        "- apt: { name: \"a,b\", update_cache: yes, cache_valid_time: '3600' }\n  become: true\n  retries: 3\n",
        "- apt: { upgrade: true }\n",
        "- set_fact: { any: [1], name: x }\n",
        "- block: [{ ping: }]\n  rescue: [{ ping: }]\n  always:\n",
        "",
    ] {
        right(&tasks, text, text);
    }
}

#[test]
fn what_a_reader_takes_as_not_given_is_right() {
    let plays = schema("playbook");
    let text = include_str!("../ansible/projects/wild_facts/site.yml");
    right(&plays, "wild_facts", text);
    let tasks = schema("tasks");
    let copy = |words: &str| format!("- copy: {{ content: a, dest: /a, {words} }}\n");
    for words in [
        "seuser: null",
        "seuser: \"{{ omit }}\"",
        "seuser: \"{{ item.seuser | default(omit) }}\"",
        "unsafe_writes: false",
        "unsafe_writes: 'No'",
        "unsafe_writes: \"{{ a.unsafe | default(omit, true) }}\"",
    ] {
        right(&tasks, words, &copy(words));
    }
    let db = |words: &str| format!("- postgresql_db: {{ name: a, {words} }}\n");
    for words in [
        "login_host: localhost",
        "login_host: \"{{ host | default('localhost') }}\"",
        "login_host: ''",
        "login_password: ''",
    ] {
        right(&tasks, words, &db(words));
    }
    for words in [
        "seuser: root",
        "seuser: omit",
        "seuser: \"{{ omitted }}\"",
        "seuser: false",
        "unsafe_writes: true",
        "unsafe_writes: \"{{ a }}\"",
    ] {
        wrong(&tasks, &copy(words));
    }
    for words in [
        "login_host: db1",
        "login_host: \"{{ host }}\"",
        "login_password: a",
    ] {
        wrong(&tasks, &db(words));
    }
}

#[test]
fn slips_in_tasks_are_wrong() {
    let tasks = schema("tasks");
    for text in [
        "- copy: { dest: /a, conten: a }\n",
        "- copy: { content: a }\n",
        "- copy: { content: a, dest: relative }\n",
        "- copy: { content: a, dest: /a, mode: rw-r--r-- }\n",
        "- copy: { content: a, dest: /a, attributes: i }\n",
        "- copy:\n",
        "- copy: [a]\n",
        "- copi: { content: a, dest: /a }\n",
        "- yum: { name: nginx }\n",
        "- apt: { name: a, state: presnt }\n",
        "- apt: { name: a, update_cache: maybe }\n",
        "- apt: { name: a, cache_valid_time: soon }\n",
        "- apt: { name: { a: b } }\n",
        "- apt: { name: a }\n  copy: { content: a, dest: /a }\n",
        "- name: nothing\n",
        "- ping:\n  whn: a\n",
        "- ping:\n  async: 5\n",
        "- ping:\n  become: maybe\n",
        "- ping:\n  become_method: su\n",
        "- ping:\n  loop: 5\n",
        "- ping:\n  loop_control: { loop_vr: a }\n",
        "- ping:\n  register: \"{{ a }}\"\n",
        "- ping:\n  register: 1x\n",
        "- ping:\n  retries: often\n",
        "- ping:\n  vars: [a]\n",
        "- ping:\n  vars: { a-b: 1 }\n",
        "- ping:\n  environment: PATH\n",
        "- ping:\n  notify: { a: b }\n",
        "- ping:\n  rollout: after\n",
        "- block: [{ ping: }]\n  loop: [1]\n",
        "- block: [{ pin: }]\n",
        "- block: { ping: }\n",
        "- 5\n",
        "ping:\n",
    ] {
        wrong(&tasks, text);
    }
}

#[test]
fn slips_in_plays_are_wrong() {
    let plays = schema("playbook");
    let rolling = |text: &str| format!("- hosts: a\n  rolling: {text}\n");
    right(
        &plays,
        "a play",
        "- hosts: [a, b]\n  serial: [1, 50%]\n  become: yes\n  tasks:\n",
    );
    right(&plays, "an import", "- import_playbook: a.yml\n  tags: x\n");
    right(
        &plays,
        "rolling",
        &rolling("{ health: { units: nginx, interval: 2s }, batch: 25% }"),
    );
    for text in [
        "- tasks: []\n",
        "- hosts: a\n  task: []\n",
        "- hosts: a\n  tasks: { ping: }\n",
        "- hosts: a\n  strategy: free\n  bcome: true\n",
        "- hosts: a\n  gather_facts: sometimes\n",
        "- hosts: a\n  connection: docker\n",
        "- hosts: a\n  vars_prompt: [{ nam: a }]\n",
        "- hosts: a\n  order: shuffle\n",
        "- hosts: { a: b }\n",
        "- import_playbook: a.yml\n  hosts: a\n",
        "hosts: a\n",
    ] {
        wrong(&plays, text);
    }
    for text in [
        "{ helth: { units: nginx } }",
        "{ health: { unit: nginx } }",
        "{ on_failure: pray }",
        "{ canary_hold: soon }",
        "5",
    ] {
        wrong(&plays, &rolling(text));
    }
}

#[test]
fn slips_in_inventories_and_settings_are_wrong() {
    let inventory = schema("inventory");
    for text in [
        "all: [n1]\n",
        "all: { host: { n1: } }\n",
        "all: { hosts: [n1] }\n",
        "all: { hosts: { n1: { ansible_port: many } } }\n",
        "all: { hosts: { n1: { ansible_ssh_pass: x } } }\n",
        "all: { hosts: { n1: { a-b: x } } }\n",
        "all: { vars: { ansible_connection: docker } }\n",
        "all: { children: { web: { hosts: n1 } } }\n",
    ] {
        wrong(&inventory, text);
    }
    let settings = schema("settings");
    for text in [
        "",
        "inventory: [a, b]\nforks: 5\nhost_key_checking: yes\nlock_timeout: 5m\n",
    ] {
        right(&settings, text, text);
    }
    for text in [
        "forks: 0\n",
        "fork: 5\n",
        "host_key_checking: maybe\n",
        "log_dir: [a]\n",
        "lock_timeout: soon\n",
    ] {
        wrong(&settings, text);
    }
}
