//! Where collections are installed, by the environment and `ansible.cfg`.

use crate::{Ran, Sandbox};

const SITE: &str = "- hosts: all\n  roles: [n.c.r]\n";
const HOSTS: &str = "all: {hosts: {a: }}\n";

#[test]
fn roles_of_collections_are_found_where_ansible_finds_them() {
    let role = |place: &str| format!("{place}/ansible_collections/n/c/roles/r/tasks/main.yml");
    let sandbox = Sandbox::new(&[
        ("site.yml", SITE),
        ("hosts.yml", HOSTS),
        (&role("given"), "- {name: given, command: x}\n"),
        (&role("conf"), "- {name: conf, command: x}\n"),
    ]);
    for (place, name) in [
        (".ansible/collections", "home"),
        ("other/collections", "other"),
    ] {
        let path = sandbox.home(&role(place));
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(path, format!("- {{name: {name}, command: x}}\n")).expect("a role");
    }
    let words = ["validate", "site.yml", "-i", "hosts.yml", "--list-tasks"];
    let listed = |variable: Option<(&str, &str)>| {
        let mut command = sandbox.command(&words);
        command.envs(variable);
        let ran = Ran::of(command);
        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
        let at = ran.stdout.find("n.c.r : ").expect("the role's task");
        let rest = &ran.stdout[at + "n.c.r : ".len()..];
        rest.split_whitespace().next().unwrap_or("").to_owned()
    };
    assert_eq!(listed(None), "home");
    let home = sandbox.home("other").display().to_string();
    assert_eq!(listed(Some(("ANSIBLE_HOME", &home))), "other");
    let cfg = sandbox.home("../work/ansible.cfg");
    std::fs::write(
        &cfg,
        "[defaults]\ncollections_path = ./none:conf/ansible_collections ; ours\n",
    )
    .expect("ansible.cfg");
    assert_eq!(listed(None), "conf");
    for path in ["given", "none:given", "~/none:given"] {
        assert_eq!(listed(Some(("ANSIBLE_COLLECTIONS_PATH", path))), "given");
    }
    assert_eq!(
        listed(Some(("ANSIBLE_COLLECTIONS_PATH", "~/.ansible/collections"))),
        "home"
    );
    // What stands in ansible.cfg for another tool is not taken for a fault.
    let ran = sandbox.run(&["validate", "site.yml", "-i", "hosts.yml"]);
    assert!(
        ran.status == 0 && !ran.stderr.contains("collections_path"),
        "{}",
        ran.stderr
    );
}
