//! What a role says of its arguments: what is told of it, and of values that are known, before anything is connected.

use hadeploy::playbook::{Options, Project};
use hadeploy::template::Templates;

use crate::Folder;

const TASKS: (&str, &str) = ("roles/web/tasks/main.yml", "- debug: {msg: hello}\n");
const SPEC: (&str, &str) = (
    "roles/web/meta/argument_specs.yml",
    "argument_specs:\n  main:\n    short_description: a web server\n    options:\n      door: {type: int, required: true, description: 'such as {{ nothing }}'}\n      mode: {choices: [fast, slow], aliases: [speed]}\n",
);

fn load(play: &str, files: &[(&str, &str)], options: &Options) -> (Project, String) {
    let site = format!("- hosts: all\n  gather_facts: false\n{play}");
    let mut all = vec![
        ("hosts.yml", "all: {hosts: {a: , b: }}\n"),
        ("site.yml", &*site),
    ];
    all.extend(files);
    let folder = Folder::new(&all);
    let (site, hosts) = (folder.name("site.yml"), folder.name("hosts.yml"));
    let (project, faults) = Project::load(&[site], &[hosts], options, &Templates::new());
    (project, folder.said(&faults))
}

fn said(play: &str, files: &[(&str, &str)]) -> String {
    load(play, files, &Options::default()).1
}

/// What is said of a play with the role `web`.
fn web(play: &str, more: &[(&str, &str)]) -> String {
    let files: Vec<_> = [TASKS, SPEC]
        .into_iter()
        .chain(more.iter().copied())
        .collect();
    said(play, &files)
}

/// The labels of the tasks of a play.
fn tasks(play: &str, files: &[(&str, &str)]) -> Vec<String> {
    let (project, said) = load(play, files, &Options::default());
    assert!(!said.contains("error"), "{said}");
    let tasks = project.plays[0].play.tasks_and_handlers();
    tasks.map(|task| task.label.to_string()).collect()
}

const CHECK: &str = "web : Validating arguments against arg spec 'main' - a web server";

#[test]
fn a_role_begins_with_the_check() {
    let vars = "  vars: {door: 1}\n";
    for (play, labels) in [
        ("  roles: [web]\n", vec![CHECK, "web : debug"]),
        (
            "  tasks: [{import_role: {name: web}}]\n",
            vec![CHECK, "web : debug"],
        ),
        (
            "  tasks: [{include_role: {name: web}}]\n",
            vec!["include_role : web", CHECK, "web : debug"],
        ),
        // Another entry point, of which nothing is said; and it can be left out.
        (
            "  tasks: [{import_role: {name: web, tasks_from: main.yml}}]\n",
            vec!["web : debug"],
        ),
        (
            "  tasks: [{import_role: {name: web, rolespec_validate: false}}]\n",
            vec!["web : debug"],
        ),
    ] {
        assert_eq!(
            tasks(&format!("{vars}{play}"), &[TASKS, SPEC]),
            labels,
            "{play}"
        );
    }
}

#[test]
fn specifications_stand_in_one_of_two_files() {
    let meta = (
        "roles/web/meta/main.yml",
        "dependencies: [dep]\nargument_specs: {main: {options: {port: {}}}, other: {options: {x: {}}}}\n",
    );
    let dep = (
        "roles/dep/meta/main.yml",
        "argument_specs: {main: {short_description: d}}\n",
    );
    let roles = "  roles: [web]\n";
    let check = |role: &str| format!("{role} : Validating arguments against arg spec 'main'");
    assert_eq!(
        tasks(roles, &[TASKS, meta, dep]),
        [
            &format!("{} - d", check("dep")),
            &check("web"),
            "web : debug"
        ]
    );
    // That of its own is the only one that counts; an empty one is none.
    let empty = (
        "roles/web/meta/argument_specs.yaml",
        "argument_specs: {main: {}}\n",
    );
    assert_eq!(
        tasks(roles, &[TASKS, meta, dep, empty]),
        [&format!("{} - d", check("dep")), "web : debug"]
    );
    let other = "  tasks: [{import_role: {name: web, tasks_from: other}}]\n";
    let files = [TASKS, meta, dep, ("roles/web/tasks/other.yaml", "")];
    assert_eq!(
        tasks(other, &files)[1],
        "web : Validating arguments against arg spec 'other'"
    );
}

#[test]
fn the_check_is_always_chosen() {
    let mut options = Options::default();
    options.tags.only = vec!["nothing".into()];
    let play = "  vars: {door: 1}\n  roles: [{role: web, tags: [t]}]\n  tasks: [{ping: , tags: nothing}]\n";
    let (project, _) = load(play, &[TASKS, SPEC], &options);
    let labels: Vec<&str> = project.plays[0]
        .play
        .all_tasks()
        .map(|task| &*task.label)
        .collect();
    assert_eq!(labels, [CHECK, "ping"]);
}

#[test]
fn what_is_wrong_with_the_file_is_said_at_its_place() {
    for (spec, words) in [
        (
            "[]\n",
            "error roles/web/meta/argument_specs.yml:1:1: `meta/argument_specs` must be a mapping",
        ),
        (
            "argument_specs: [main]\n",
            "error roles/web/meta/argument_specs.yml:1:17: `argument_specs` must be a mapping of entry points",
        ),
        (
            "argument_specs: {main: [x]}\n",
            "error roles/web/meta/argument_specs.yml:1:24: `main` must be a mapping with `options`",
        ),
        (
            "argument_specs: {main: {options: {port: {type: integer}}}}\n",
            "error roles/web/meta/argument_specs.yml:1:48: `integer` is no type | the types are",
        ),
        (
            "argument_specs: {main: {options: {}, required_together: [[a, b]]}}\n",
            "warning roles/web/meta/argument_specs.yml:1:38: `required_together` of an entry point is not checked",
        ),
        (
            "argument_specs: {main: {opions: {}}}\n",
            "warning roles/web/meta/argument_specs.yml:1:25: `opions` says nothing of an entry point | did you mean `options`?",
        ),
    ] {
        let said = said(
            "  roles: [web]\n",
            &[TASKS, ("roles/web/meta/argument_specs.yml", spec)],
        );
        assert!(said.starts_with(words), "{spec}{said}");
    }
    let play = "  vars: {door: 1}\n  tasks: [{import_role: {name: web, tasks_from: main.yml}}]\n";
    assert_eq!(
        web(play, &[]),
        "warning site.yml:4:49: the arguments of `main` are not checked | write `tasks_from: main`, without the ending\n"
    );
}

/// Plays with values that are surely wrong.
#[test]
fn values_that_are_known_are_refused_at_their_place() {
    let int = "we were unable to convert to int: \"'x'\" cannot be converted to an int";
    for (play, words) in [
        (
            "  roles: [{role: web, door: x}]\n",
            format!("error site.yml:3:29: role `web`: argument 'door' is of type str and {int}\n"),
        ),
        (
            "  roles: [{role: web, vars: {door: x}}]\n",
            format!("error site.yml:3:36: role `web`: argument 'door' is of type str and {int}\n"),
        ),
        (
            "  vars: {door: x}\n  tasks: [{include_role: {name: web}}]\n",
            format!("error site.yml:3:16: role `web`: argument 'door' is of type str and {int}\n"),
        ),
        (
            "  roles: [web]\n",
            "error site.yml:3:11: role `web`: missing required arguments: door\n".to_owned(),
        ),
        (
            "  vars: {door: 1}\n  roles: [{role: web, droo: 3}]\n",
            "error site.yml:4:29: role `web`: droo. Supported parameters include: door, mode (speed).\n".to_owned(),
        ),
        (
            "  roles: [{role: web, door: '{{ 1 }}', speed: quick}]\n",
            "error site.yml:3:47: role `web`: value of mode must be one of: fast, slow, got: quick\n".to_owned(),
        ),
    ] {
        assert_eq!(web(play, &[]), words, "{play}");
    }
    let some = ("host_vars/b.yml", "door: 'x'\n");
    assert_eq!(
        web(
            "  vars: {mode: fast}\n  roles: [web]\n",
            &[some, ("host_vars/a.yml", "door: 1\n")]
        ),
        format!(
            "error host_vars/b.yml:1:7: role `web`: argument 'door' is of type str and {int} | on `b`\n"
        )
    );
}

/// Plays in which the run decides.
#[test]
fn what_may_be_right_in_the_run_is_not_refused() {
    for play in [
        "  roles: [{role: web, when: inventory_hostname == 'c', door: x}]\n",
        "  ignore_errors: true\n  roles: [{role: web, door: x}]\n",
        "  pre_tasks: [{set_fact: {door: 3}}]\n  vars: {door: x}\n  roles: [web]\n",
        "  pre_tasks: [{command: 'true', register: door}]\n  roles: [web]\n",
        "  pre_tasks: [{meta: end_host, when: inventory_hostname == 'a'}]\n  roles: [web]\n",
        "  pre_tasks: [{include_tasks: '{{ inventory_hostname }}.yml'}]\n  roles: [web]\n",
        "  vars: {door: '{{ 80 + 1 }}'}\n  roles: [web]\n",
        "  tasks: [{block: [{import_role: {name: web}}], rescue: [{ping: }]}]\n",
        "  tasks: [{include_role: {name: web}, when: inventory_hostname == 'c'}]\n",
        "  tasks: [{include_role: {name: web}, loop: [], vars: {door: x}}]\n",
        "  roles: [{role: web, door: 1, speed: '{{ inventory_hostname }}'}]\n",
    ] {
        assert_eq!(web(play, &[("a.yml", ""), ("b.yml", "")]), "", "{play}");
    }
    // Its own defaults are values too.
    assert_eq!(
        web(
            "  roles: [web]\n",
            &[("roles/web/defaults/main.yml", "door: 80\n")]
        ),
        ""
    );
}
