//! Roles of collections: where they are found, and by which names.

use hadeploy::playbook::{Installed, Options, Project};
use hadeploy::template::Templates;

use crate::Folder;
use crate::kinds::KINDS;

/// What is wrong, then the labels of all tasks and handlers. Collections are installed in `first` and `second`.
fn read(play: &str, files: &[(&str, &str)]) -> String {
    let site = format!("- hosts: all\n{play}");
    let mut all = vec![
        ("hosts.yml", "all: {hosts: {a: }}\n"),
        ("hadeploy.yml", "forks: 5\n"),
        ("playbooks/site.yml", &*site),
    ];
    all.extend(files);
    let folder = Folder::new(&all);
    let options = Options {
        kinds: KINDS,
        installed: Installed {
            collections: vec![folder.path("first"), folder.path("second")],
            ..Installed::default()
        },
        ..Options::default()
    };
    let (site, hosts) = (folder.name("playbooks/site.yml"), folder.name("hosts.yml"));
    let (project, faults) = Project::load(&[site], &[hosts], &options, &Templates::new());
    let plays = project.plays.iter();
    let tasks = plays.flat_map(|scheduled| scheduled.play.tasks_and_handlers());
    let labels: Vec<&str> = tasks
        .flat_map(|task| task.with_included())
        .map(|task| &*task.label)
        .collect();
    format!("{}{}", folder.said(&faults), labels.join(", "))
}

const TASK: &str = "- {name: go, command: x}\n";
const BESIDE: &str = "playbooks/collections/ansible_collections/n/c/roles/r/tasks/main.yml";
const PROJECT: &str = "collections/ansible_collections/n/c/roles/r/tasks/main.yml";
const FIRST: &str = "first/ansible_collections/n/c/roles/r/tasks/main.yml";
const SECOND: &str = "second/ansible_collections/n/c/roles/r/tasks/main.yml";
const PLAIN: &str = "roles/r/tasks/main.yml";

#[test]
fn the_first_place_that_has_the_collection_counts() {
    let places = [BESIDE, PROJECT, FIRST, SECOND];
    for (index, place) in places.iter().enumerate() {
        let mut files = vec![(*place, TASK)];
        let other = "- {name: other, command: x}\n";
        files.extend(places[index + 1..].iter().map(|later| (*later, other)));
        let found = read("  roles: [n.c.r]\n", &files);
        assert_eq!(found, "n.c.r : go", "{place}");
    }
    // The first one hides what later ones have.
    let hidden = read(
        "  roles: [n.c.r]\n",
        &[
            (SECOND, TASK),
            (
                "first/ansible_collections/n/c/roles/other/tasks/main.yml",
                TASK,
            ),
        ],
    );
    let said = "there is no role `n.c.r` | the collection `first/ansible_collections/n/c` has `other`; looked for `first/ansible_collections/n/c/roles/r`, then `playbooks/roles/n.c.r`";
    assert!(hidden.contains(said), "{hidden}");
}

#[test]
fn every_way_to_name_a_role_finds_it() {
    for play in [
        "  roles: [n.c.r]\n",
        "  roles: [{role: n.c.r, tags: t}]\n",
        "  tasks: [import_role: {name: n.c.r}]\n",
        "  collections: [other.one, n.c]\n  roles: [r]\n",
        "  collections: n.c\n  tasks: [import_role: {name: r}]\n",
        "  tasks: [{import_role: {name: r}, collections: [n.c]}]\n",
        "  tasks: [{block: [import_role: {name: r}], collections: [n.c]}]\n",
    ] {
        let plain = (PLAIN, "- {name: plain, command: x}\n");
        assert_eq!(read(play, &[(FIRST, TASK), plain]), "n.c.r : go", "{play}");
    }
    for play in [
        "  tasks: [include_role: {name: n.c.r}]\n",
        "  tasks: [{include_role: {name: r}, collections: [n.c]}]\n",
        "  collections: [n.c]\n  tasks: [include_role: {name: r}]\n",
    ] {
        let found = read(play, &[(FIRST, TASK)]);
        assert!(
            found.ends_with(", n.c.r : go") && !found.contains("error"),
            "{play}{found}"
        );
    }
    // Dots behind the collection are folders; a plain role may have dots too.
    let deep = "first/ansible_collections/n/c/roles/web/front/tasks/main.yml";
    assert_eq!(
        read("  roles: [n.c.web.front]\n", &[(deep, TASK)]),
        "n.c.web.front : go"
    );
    assert_eq!(
        read(
            "  roles: [a.b.c]\n",
            &[("roles/a.b.c/tasks/main.yml", TASK)]
        ),
        "a.b.c : go"
    );
    // What no collection has is looked for among plain roles.
    let plain = read("  collections: [n.c]\n  roles: [r]\n", &[(PLAIN, TASK)]);
    assert_eq!(plain, "r : go");
}

#[test]
fn a_role_searches_its_own_collection_and_those_it_names() {
    let own = "first/ansible_collections/n/c/roles/base/tasks/main.yml";
    let meta = "first/ansible_collections/n/c/roles/r/meta/main.yml";
    let base = "- {name: base, command: x}\n";
    let plain = ("roles/base/tasks/main.yml", "- {name: plain, command: x}\n");
    let siblings = read(
        "  roles: [n.c.r]\n",
        &[
            (
                FIRST,
                "- import_role: {name: base}\n- {name: go, command: x}\n",
            ),
            (own, base),
            (meta, "dependencies: [base]\n"),
            plain,
        ],
    );
    assert_eq!(siblings, "n.c.base : base, n.c.base : base, n.c.r : go");
    let named = read(
        "  roles: [r]\n",
        &[
            (PLAIN, TASK),
            (
                "roles/r/meta/main.yml",
                "collections: [n.c]\ndependencies: [base]\n",
            ),
            (own, base),
        ],
    );
    assert_eq!(named, "n.c.base : base, r : go");
    // Those of the play are not handed on to its roles.
    let play = read(
        "  collections: [n.c]\n  roles: [q]\n",
        &[
            ("roles/q/tasks/main.yml", "- import_role: {name: base}\n"),
            (own, base),
            plain,
        ],
    );
    assert_eq!(play, "base : plain");
}

#[test]
fn what_a_role_of_a_collection_is_called() {
    let handlers = "first/ansible_collections/n/c/roles/r/handlers/main.yml";
    for name in ["h", "r : h", "n.c.r : h"] {
        let tasks = format!(
            "- {{name: \"{{{{ role_name }}}} {{{{ ansible_role_name }}}} {{{{ ansible_collection_name }}}}\", command: x, notify: '{name}'}}\n"
        );
        let found = read(
            "  roles: [n.c.r]\n",
            &[(FIRST, &*tasks), (handlers, "- {name: h, command: x}\n")],
        );
        assert!(
            !found.contains("error") && found.ends_with("n.c.r : h"),
            "{name}: {found}"
        );
    }
}

#[test]
fn what_is_wrong_is_said_with_the_way_out() {
    let missing = read("  roles: [n.c.r]\n", &[]);
    let said = "error playbooks/site.yml:2:11: there is no role `n.c.r` | `ansible-galaxy collection install n.c -p collections` fetches its collection; looked for `playbooks/collections/ansible_collections/n/c/roles/r`, then `collections/ansible_collections/n/c/roles/r`, then `first/ansible_collections/n/c/roles/r`, then `second/ansible_collections/n/c/roles/r`, then `playbooks/roles/n.c.r`";
    assert!(missing.starts_with(said), "{missing}");
    let near = read(
        "  roles: [n.c.rolle]\n",
        &[(
            "first/ansible_collections/n/c/roles/role/tasks/main.yml",
            TASK,
        )],
    );
    assert!(near.contains("did you mean `n.c.role`?"), "{near}");
    let short = read("  collections: [n.c]\n  roles: [r]\n", &[]);
    assert!(short.contains("there is no role `r` | looked for `playbooks/collections/ansible_collections/n/c/roles/r`, then"), "{short}");
    let name = read("  collections: [n]\n  tasks: []\n", &[]);
    assert!(name.contains("error playbooks/site.yml:2:17: `n` is no name of a collection | it is written `namespace.name`"), "{name}");
}
