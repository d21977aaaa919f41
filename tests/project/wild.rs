//! What roles of others do: they pass on all that their users may say, ask which system and which program runs them, and name loops in full.

use hadeploy::playbook::{Options, Project};
use hadeploy::template::Templates;

use crate::Folder;

/// What is said about a playbook of these tasks, with the kinds that hadeploy has.
fn said(tasks: &str) -> String {
    let indented: String = tasks.lines().map(|line| format!("    {line}\n")).collect();
    let site = format!("- hosts: web\n  tasks:\n{indented}");
    let folder = Folder::new(&[
        ("hosts.yml", "web: {hosts: {web1: }}\n"),
        ("site.yml", &site),
    ]);
    let (_, faults) = Project::load(
        &[folder.name("site.yml")],
        &[folder.name("hosts.yml")],
        &Options::default(),
        &Templates::new(),
    );
    folder.said(&faults)
}

#[test]
fn what_may_be_omitted_is_no_fault_before_its_value_is_known() {
    for tasks in [
        "- copy: {dest: /x, src: '{{ a | default(omit) }}', content: '{{ b | default(omit) }}'}\n  vars: {a: x, b: y}",
        "- file: {path: /x, seuser: '{{ a | default(omit) }}', unsafe_writes: false}\n  vars: {a: x}",
        "- copy: {dest: /x, content: x, unsafe_writes: '{{ a | d(omit) }}'}\n  vars: {a: false}",
        "- postgresql_user: {name: x, login_host: \"{{ a | default('localhost') }}\", login_password: '{{ a | d(omit) }}'}\n  vars: {a: x}",
    ] {
        assert_eq!(said(tasks), "", "{tasks}");
    }
}

#[test]
fn what_is_wrong_whether_or_not_something_is_omitted_is_said() {
    for (tasks, words) in [
        (
            "- copy: {dest: /x, src: /y, content: z, mode: '{{ a | default(omit) }}'}\n  vars: {a: '0600'}",
            "`src` and `content` exclude each other",
        ),
        (
            "- file: {path: /x, seuser: system_u}",
            "hadeploy's `file` does not have `seuser`",
        ),
        (
            "- file: {path: /x, unsafe_writes: true}",
            "hadeploy's `file` does not have `unsafe_writes`",
        ),
        (
            "- postgresql_user: {name: x, login_host: db.example.com}",
            "hadeploy's `postgresql_user` does not have `login_host`",
        ),
    ] {
        let said = said(tasks);
        assert!(said.contains(words), "{tasks}:\n{said}");
    }
}

#[test]
fn the_run_and_the_node_are_asked() {
    for tasks in [
        "- debug: {msg: '{{ ansible_version.full }} {{ ansible_verbosity }} {{ ansible_forks }}'}\n  when: \"'x' in ansible_run_tags or 'y' in ansible_skip_tags or ansible_limit is defined\"",
        "- debug: {msg: '{{ ansible_local.app.version }}'}\n  when: ansible_facts.ansible_local is defined",
        "- debug: {msg: '{{ ansible_lsb.codename }}'}\n  when: ansible_selinux.status == 'disabled' and ansible_facts['python'].version.major == 3",
        "- shell: set -o pipefail\n  args: {executable: bash}",
        "- debug: {msg: '{{ item }}'}\n  with_community.general.flattened: [[1], 2]",
    ] {
        assert_eq!(said(tasks), "", "{tasks}");
    }
    let wrong = said("- debug: {msg: '{{ ansible_facts.local }}'}");
    assert!(wrong.contains("unknown fact `local`"), "{wrong}");
}

#[test]
fn names_of_set_fact_may_be_templates() {
    assert_eq!(
        said(
            "- set_fact: {'{{ item.key }}': '{{ item.value }}'}\n  loop: [{key: a, value: 1}]\n- debug: {msg: '{{ a }}'}"
        ),
        ""
    );
}

#[test]
fn tasks_for_selinux_are_passed_over() {
    assert_eq!(
        said("- selinux: {state: enforcing}\n  when: ansible_facts.selinux.status == 'enabled'"),
        ""
    );
}
