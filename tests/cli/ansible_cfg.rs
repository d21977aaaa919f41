//! What of `ansible.cfg` a project is read by.

use std::os::unix::fs::PermissionsExt;

use crate::{Ran, Sandbox};

const CFG: &str = "[defaults]\ninventory = hosts.yml\nroles_path = shared:~/more\n";

fn sandbox() -> Sandbox {
    let task = |name: &str| format!("- {{name: {name}, command: x}}\n");
    let sandbox = Sandbox::new(&[
        ("site.yml", "- hosts: all\n  roles: [one, two, three]\n"),
        ("hosts.yml", "all: {hosts: {a: }}\n"),
        ("ansible.cfg", CFG),
        ("roles/one/tasks/main.yml", &task("own")),
        ("shared/one/tasks/main.yml", &task("hidden")),
        ("shared/two/tasks/main.yml", &task("shared")),
        ("given/two/tasks/main.yml", &task("given")),
        ("three/tasks/main.yml", &task("beside")),
    ]);
    for (place, name) in [("more/three", "home"), (".ansible/roles/two", "usual")] {
        let path = sandbox.home(place).join("tasks/main.yml");
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(path, task(name)).expect("a role");
    }
    sandbox
}

/// The names of the tasks of all roles.
fn listed(sandbox: &Sandbox, variable: Option<(&str, &str)>, words: &[&str]) -> Vec<String> {
    let words = [&["validate", "site.yml", "--list-tasks"], words].concat();
    let mut command = sandbox.command(&words);
    command.envs(variable);
    let ran = Ran::of(command);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    let named = ran.stdout.split(" : ").skip(1);
    let names = named.filter_map(|rest| rest.split_whitespace().next());
    names.map(str::to_owned).collect()
}

#[test]
fn roles_are_found_where_ansible_finds_them() {
    let sandbox = sandbox();
    assert_eq!(listed(&sandbox, None, &[]), ["own", "shared", "home"]);
    let given = Some(("ANSIBLE_ROLES_PATH", "given"));
    assert_eq!(listed(&sandbox, given, &[]), ["own", "given", "beside"]);
    let cfg = sandbox.home("../work/ansible.cfg");
    std::fs::write(&cfg, "[defaults]\n").expect("ansible.cfg");
    let words = ["-i", "hosts.yml"];
    assert_eq!(listed(&sandbox, None, &words), ["own", "usual", "beside"]);
    let other = sandbox.home("other.cfg");
    std::fs::write(&other, "[defaults]\nroles_path = ../work/shared\n").expect("a file");
    let named = Some(("ANSIBLE_CONFIG", "~/other.cfg"));
    assert_eq!(listed(&sandbox, named, &words), ["own", "shared", "beside"]);
}

/// Anybody could have put it there.
#[test]
fn in_a_folder_that_anybody_writes_to_it_is_passed_over() {
    let sandbox = sandbox();
    let folder = sandbox.home("../work");
    let ran = sandbox.run(&["hosts"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).expect("a mode");
    let ran = sandbox.run(&["hosts"]);
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("inventory"), "{}", ran.stderr);
}
