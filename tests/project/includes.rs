//! `include_tasks`: what is said before anything is connected.

use hadeploy::playbook::{Options, Project, TagChoice};
use hadeploy::template::Templates;

use crate::Folder;
use crate::kinds::KINDS;

/// What is said about a playbook of these tasks, with files beside it.
fn said(tasks: &str, files: &[(&str, &str)], tags: &[&str]) -> String {
    let indented: String = tasks.lines().map(|line| format!("    {line}\n")).collect();
    said_of(&format!("- hosts: all\n  tasks:\n{indented}"), files, tags)
}

fn said_of(site: &str, files: &[(&str, &str)], tags: &[&str]) -> String {
    let mut all = vec![("hosts.yml", "all: {hosts: {a: }}\n"), ("site.yml", site)];
    all.extend(files);
    let folder = Folder::new(&all);
    let options = Options {
        kinds: KINDS,
        tags: TagChoice {
            only: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            skip: Vec::new(),
        },
        ..Options::default()
    };
    let (site, hosts) = (folder.name("site.yml"), folder.name("hosts.yml"));
    let (_, faults) = Project::load(&[site], &[hosts], &options, &Templates::new());
    folder.said(&faults)
}

const FILE: (&str, &str) = ("x.yml", "- command: x\n  register: inner\n  tags: deep\n");

#[test]
fn what_is_wrong_with_an_include_is_said_at_once() {
    for (text, words) in [
        (
            "- include_tasks: y.yml",
            "error site.yml:3:22: there is no file `y.yml` | looked for `tasks/y.yml`, then `y.yml`",
        ),
        (
            "- include_task: x.yml",
            "unknown key or module `include_task` of a task | did you mean `include_tasks`?",
        ),
        (
            "- include_tasks:",
            "error site.yml:3:7: `include_tasks` needs `file`",
        ),
        (
            "- include_tasks: [x.yml]",
            "error site.yml:3:22: `file` must be the name of a file, not a list",
        ),
        (
            "- include_tasks: {fiel: x.yml, file: x.yml}",
            "error site.yml:3:23: unknown parameter `fiel` for `include_tasks` | did you mean `file`?",
        ),
        (
            "- include_tasks: x.yml\n  register: r",
            "error site.yml:4:7: `register` does not go with `include_tasks` | write it on the tasks in the file",
        ),
        (
            "- include_tasks: x.yml\n  until: false",
            "`until` does not go with `include_tasks`",
        ),
        (
            "- include_tasks: x.yml\n  delegate_to: a",
            "`delegate_to` does not go with `include_tasks` | for the tasks in the file, write it below `apply:`",
        ),
        (
            "- include_tasks: {file: x.yml, apply: {taags: x}}",
            "error site.yml:3:44: `taags` does not go below `apply` | did you mean `tags`?",
        ),
        (
            "- include_tasks: {file: x.yml, apply: {become: maybe}}",
            "`become` must be true or false",
        ),
        (
            "- include_tasks: bad.yml",
            "error bad.yml:2:3: unknown key or module `commnd` of a task",
        ),
        (
            "- include_tasks: outer.yml",
            "error bad.yml:2:3: unknown key or module `commnd` of a task",
        ),
        (
            "- include_tasks: names.yml",
            "error names.yml:1:20: `nothing` is not defined",
        ),
        (
            "- include_tasks: '{{ nothing }}.yml'",
            "error site.yml:3:25: `nothing` is not defined",
        ),
        (
            "- include_tasks: item.yml\n  loop: [1]\n  loop_control: {loop_var: it}",
            "error item.yml:1:20: `item` is not defined",
        ),
        (
            "- include_tasks: notify.yml",
            "error notify.yml:2:11: no handler is called `h`",
        ),
        (
            "- include_tasks: rolling.yml",
            "error rolling.yml:1:3: `rollout` on a task of an included file | write it on the include",
        ),
    ] {
        let files = [
            FILE,
            ("bad.yml", "- command: x\n- commnd: x\n"),
            ("outer.yml", "- include_tasks: bad.yml\n"),
            ("names.yml", "- debug: {msg: '{{ nothing }}'}\n"),
            ("item.yml", "- debug: {msg: '{{ item }}'}\n"),
            ("notify.yml", "- command: x\n  notify: h\n"),
            ("rolling.yml", "- command: x\n  rollout: before\n"),
        ];
        // What a template includes may define every name.
        let said = said(text, &files, &[]);
        if text.contains("{{ nothing }}.yml") {
            assert_eq!(said, "", "{text}");
            continue;
        }
        assert!(said.contains(words), "{text}:\n{said}");
        assert_eq!(said.lines().count(), 1, "{text}:\n{said}");
    }
}

/// What stands in files that handlers bring, and what can be notified of it; nothing is wrong with an empty one.
#[test]
fn handlers_bring_files() {
    let files = [
        ("inner.yml", "- name: inner\n  command: x\n"),
        ("bad.yml", "- commnd: x\n"),
        (
            "block.yml",
            "- block:\n    - command: x\n  rescue:\n    - command: y\n",
        ),
        ("role.yml", "- import_role: {name: r}\n"),
        ("deep.yml", "- include_tasks: role.yml\n"),
        ("flush.yml", "- meta: flush_handlers\n"),
        ("listens.yml", "- command: x\n  listen: t\n"),
        ("notifies.yml", "- command: x\n  notify: other\n"),
    ];
    for (notify, handler, words) in [
        ("h", "include_tasks: inner.yml", ""),
        ("t", "include_tasks: inner.yml\n      listen: t", ""),
        ("h", "include_tasks: '{{ inventory_hostname }}.yml'", ""),
        ("h", "include_tasks: block.yml", ""),
        ("inner", "import_tasks: inner.yml", ""),
        (
            "h",
            "include_tasks: bad.yml",
            "error bad.yml:1:3: unknown key or module `commnd`",
        ),
        (
            "h",
            "include_tasks: none.yml",
            "error site.yml:6:22: there is no file `none.yml`",
        ),
        (
            "inner",
            "include_tasks: inner.yml",
            "error site.yml:3:39: no handler is called `inner` | notify that handler; or bring the file with `import_tasks`",
        ),
        (
            "h",
            "import_tasks: inner.yml",
            "error site.yml:3:39: no handler is called `h` | an import is no handler: notify the tasks of its file",
        ),
        (
            "h",
            "include_tasks: notifies.yml",
            "error notifies.yml:2:11: no handler is called `other`",
        ),
        (
            "h",
            "include_tasks: role.yml",
            "error role.yml:1:3: a role cannot be a handler",
        ),
        (
            "h",
            "include_tasks: deep.yml",
            "error role.yml:1:3: a role cannot be a handler",
        ),
        (
            "h",
            "include_role: {name: r}",
            "error site.yml:5:7: a role cannot be a handler | its own handlers are there as soon as the role is",
        ),
        (
            "h",
            "meta: flush_handlers",
            "`meta: flush_handlers` cannot be a handler",
        ),
        (
            "h",
            "include_tasks: flush.yml",
            "error flush.yml:1:3: `meta: flush_handlers` cannot be a handler",
        ),
        (
            "h",
            "include_tasks: listens.yml",
            "warning listens.yml:2:3: nothing can notify this task: a handler includes its file",
        ),
        (
            "h",
            "include_tasks: inner.yml\n      notify: h",
            "`notify` does not go with `include_tasks`",
        ),
    ] {
        let site = format!(
            "- hosts: all\n  tasks:\n    - {{name: one, command: x, notify: {notify}}}\n  handlers:\n    - name: h\n      {handler}\n"
        );
        let said = said_of(&site, &files, &[]);
        match words {
            "" => assert_eq!(said, "", "{site}"),
            words => {
                assert!(said.contains(words), "{site}\n{said}");
                assert_eq!(said.lines().count(), 1, "{site}\n{said}");
            }
        }
    }
}

#[test]
fn names_and_tags_of_included_tasks_count() {
    for (text, tags) in [
        (
            "- include_tasks: x.yml\n- debug: {msg: '{{ inner.rc }}'}",
            &[][..],
        ),
        ("- include_tasks: item.yml\n  loop: [1]", &[]),
        ("- include_tasks: var.yml\n  vars: {thing: 1}", &[]),
        ("- include_tasks: x.yml", &["deep"]),
        (
            "- include_tasks: '{{ inventory_hostname }}.yml'",
            &["whatever"],
        ),
        ("- ansible.builtin.include_tasks: self.yml", &[]),
        ("- action: include_tasks x.yml", &[]),
        ("- include_tasks: sub/up.yml", &[]),
        ("- include_tasks: in.yml", &[]),
    ] {
        let files = [
            FILE,
            ("item.yml", "- debug: {msg: '{{ item }}'}\n"),
            ("var.yml", "- debug: {msg: '{{ thing }}'}\n"),
            ("self.yml", "- include_tasks: self.yml\n  when: false\n"),
            (
                "sub/up.yml",
                "- include_tasks: x.yml\n- include_tasks: beside.yml\n",
            ),
            ("sub/beside.yml", "- debug:\n"),
            ("tasks/in.yml", "- debug:\n"),
        ];
        assert_eq!(said(text, &files, tags), "", "{text}");
    }
    let said = said("- include_tasks: x.yml", &[FILE], &["shallow"]);
    assert!(said.contains("no task has the tag `shallow`"), "{said}");
}
