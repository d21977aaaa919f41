//! Roles: what is said about them before anything is connected.

use hadeploy::playbook::{Options, Project, TagChoice};
use hadeploy::template::Templates;

use crate::Folder;
use crate::kinds::KINDS;

fn load(play: &str, files: &[(&str, &str)], options: Options) -> (Project, String) {
    let site = format!("- hosts: all\n{play}");
    let mut all = vec![
        ("hosts.yml", "all: {hosts: {a: }}\n"),
        ("hadeploy.yml", "forks: 5\n"),
        ("playbooks/site.yml", &*site),
    ];
    all.extend(files);
    let folder = Folder::new(&all);
    let (site, hosts) = (folder.name("playbooks/site.yml"), folder.name("hosts.yml"));
    let (project, faults) = Project::load(&[site], &[hosts], &options, &Templates::new());
    (project, folder.said(&faults))
}

fn options() -> Options {
    Options {
        kinds: KINDS,
        ..Options::default()
    }
}

fn said(play: &str, files: &[(&str, &str)]) -> String {
    load(play, files, options()).1
}

const WEB: (&str, &str) = (
    "roles/web/tasks/main.yml",
    "- {name: go, command: x}\n- {command: y, tags: deep}\n",
);

#[test]
fn what_is_wrong_with_a_role_is_said_at_once() {
    let mut unsaid = Vec::new();
    for (play, files, words) in [
        (
            "  roles: [wep]\n",
            &[WEB][..],
            "error playbooks/site.yml:2:11: there is no role `wep` | did you mean `web`? | looked for `playbooks/roles/wep`, then `",
        ),
        (
            "  roles: [geerlingguy.nginx]\n",
            &[],
            "`ansible-galaxy role install -p roles geerlingguy.nginx` fetches a role of Galaxy",
        ),
        (
            "  roles: [a.b.c]\n",
            &[],
            "there is no role `a.b.c` | `ansible-galaxy collection install a.b -p collections` fetches its collection; looked for `playbooks/collections/ansible_collections/a/b/roles/c`, then `collections/ansible_collections/a/b/roles/c`, then `playbooks/roles/a.b.c`, then",
        ),
        (
            "  roles: [{src: x}]\n",
            &[],
            "error playbooks/site.yml:2:11: the role has no name | hadeploy fetches no roles",
        ),
        (
            "  roles: [{vars: {}}]\n",
            &[],
            "the role has no name | write `role: NAME`",
        ),
        (
            "  roles: ['{{ x }}']\n",
            &[],
            "error playbooks/site.yml:2:11: the name of the role cannot be a template",
        ),
        (
            "  roles: [{role: web, loop: [1]}]\n",
            &[WEB],
            "error playbooks/site.yml:2:23: `loop` does not go with a role",
        ),
        (
            "  roles: [{role: web, async: 1}]\n",
            &[WEB],
            "error playbooks/site.yml:2:23: hadeploy does not have `async` on a role",
        ),
        (
            "  roles: [{role: web, tagz: 1}]\n",
            &[WEB],
            "warning playbooks/site.yml:2:23: `tagz` becomes a variable of the role | did you mean `tags`?",
        ),
        (
            "  roles: [{role: web, a-b: 1}]\n",
            &[WEB],
            "error playbooks/site.yml:2:23: `a-b` cannot be the name of a variable",
        ),
        (
            "  roles: [web]\n",
            &[("roles/web/tasks/main.yml", "- shel: x\n")],
            "error roles/web/tasks/main.yml:1:3: unknown key or module `shel` of a task | modules of collections and of your own (`library/`) are not run",
        ),
        (
            "  roles: [web]\n",
            &[("roles/web/tasks/main.yml", "- command: \"{{ nothing }}\"\n")],
            "error roles/web/tasks/main.yml:1:16: `nothing` is not defined",
        ),
        (
            "  roles: [web]\n",
            &[
                ("roles/web/tasks/main.yml", "- command: x\n  notify: hh\n"),
                ("roles/web/handlers/main.yml", "- {name: h, command: x}\n"),
            ],
            "error roles/web/tasks/main.yml:2:11: no handler is called `hh` | did you mean `h`? | the play's handlers are `h` and `web : h`",
        ),
        (
            "  roles: [web]\n",
            &[WEB, ("roles/web/defaults/main.yml", "- x\n")],
            "error roles/web/defaults/main.yml:1:1: a file of variables is a mapping, not a list",
        ),
        (
            "  roles: [web]\n",
            &[WEB, ("roles/web/meta/main.yml", "dependencys: []\n")],
            "error roles/web/meta/main.yml:1:1: unknown key `dependencys` of `meta` | did you mean `dependencies`?",
        ),
        (
            "  roles: [web]\n",
            &[
                WEB,
                ("roles/web/meta/main.yml", "dependencies: [db]\n"),
                ("roles/db/meta/main.yml", "dependencies: [{role: web}]\n"),
            ],
            "error roles/db/meta/main.yml:1:23: role `web` depends on itself | `web` depends on `db` depends on `web`",
        ),
        (
            "  roles: [web]\n",
            &[WEB, ("roles/web/meta/main.yml", "argument_specs: 3\n")],
            "error roles/web/meta/main.yml:1:17: `argument_specs` must be a mapping of entry points, not a whole number",
        ),
        (
            "  roles: [web]\n",
            &[
                WEB,
                ("roles/web/meta/argument_specs.yml", "argument_spec: {}\n"),
            ],
            "warning roles/web/meta/argument_specs.yml:1:1: the file has no key `argument_specs` | did you mean `argument_specs`?",
        ),
        (
            "  tasks: [{import_role: {name: web, tasks_from: mian}}]\n",
            &[WEB],
            "error playbooks/site.yml:2:49: the role has no file `mian` in `",
        ),
        (
            "  tasks: [{import_role: {name: web, tasks_from: ../main}}]\n",
            &[WEB],
            "the role has no file `../main`",
        ),
        (
            "  tasks: [{import_role: {name: '{{ x }}'}}]\n",
            &[WEB],
            "the name of the role cannot be a template",
        ),
        (
            "  tasks: [{import_role: {name: web}, loop: [1]}]\n",
            &[WEB],
            "error playbooks/site.yml:2:38: `loop` does not go with `import_role`",
        ),
        (
            "  tasks: [{include_role: {name: web}, register: x}]\n",
            &[WEB],
            "error playbooks/site.yml:2:39: `register` does not go with `include_role`",
        ),
        (
            "  tasks: [{include_role: {name: web}, become: true}]\n",
            &[WEB],
            "for the tasks in the role, write it below `apply:`: `include_role: {name: …, apply: {become: …}}`",
        ),
        (
            "  tasks: [{import_role: {name: web, apply: {}}}]\n",
            &[WEB],
            "error playbooks/site.yml:2:37: `apply` does not go with `import_role`",
        ),
        (
            "  tasks: [{include_role: }]\n",
            &[],
            "error playbooks/site.yml:2:12: `include_role` needs `name`",
        ),
        (
            "  handlers: [{name: h, include_role: {name: web}}]\n",
            &[WEB],
            "a role cannot be a handler | its own handlers are there as soon as the role is; `include_tasks` of a file",
        ),
        (
            "  handlers: [{name: h, import_role: {name: web}}]\n",
            &[WEB],
            "error playbooks/site.yml:2:24: a role cannot be a handler",
        ),
        (
            "  roles: [web]\n",
            &[("roles/web/tasks/main.yml", "- import_role: {name: web}\n")],
            "imports itself",
        ),
    ] {
        let found = said(play, files);
        if !found.contains(words) {
            unsaid.push(format!("{play}\nwanted: {words}\nsaid: {found}"));
        }
    }
    assert!(unsaid.is_empty(), "{}", unsaid.join("\n"));
}

#[test]
fn what_is_right_is_not_complained_of() {
    for (play, files) in [
        (
            "  roles: [web, {role: web, n: 1, tags: t, when: true}]\n",
            &[WEB][..],
        ),
        // A name of one role that the next one uses; its own handler; what includes and loops give.
        (
            "  roles: [one, two]\n  tasks: [{command: '{{ d }}{{ v }}', notify: 'one : h'}]\n",
            &[
                ("roles/one/defaults/main.yml", "d: 1\n"),
                ("roles/one/vars/main.yml", "v: '{{ d }}'\n"),
                (
                    "roles/one/handlers/main.yml",
                    "- {name: h, command: '{{ role_path }}'}\n",
                ),
                (
                    "roles/two/tasks/main.yml",
                    "- {command: '{{ v }}{{ ansible_role_name }}', notify: h}\n",
                ),
            ],
        ),
        (
            "  tasks:\n    - include_role: {name: web}\n      loop: [1]\n      loop_control: {loop_var: n}\n    - include_role: {name: '{{ x }}'}\n      vars: {x: web}\n    - command: '{{ late }}'\n",
            &[("roles/web/tasks/main.yml", "- command: '{{ n }}'\n")],
        ),
    ] {
        assert_eq!(said(play, files), "", "{play}");
    }
}

#[test]
fn tasks_and_tags_of_roles_are_listed_and_chosen() {
    let play = "  pre_tasks: [{command: first}]\n  roles: [{role: web, tags: w}]\n  tasks: [{command: last}]\n";
    let listed = |options: Options| -> Vec<String> {
        let (project, said) = load(play, &[WEB], options);
        assert_eq!(said, "");
        let play = project.list().remove(0);
        play.tasks
            .iter()
            .map(|task| task.name.to_string())
            .collect()
    };
    assert_eq!(
        listed(options()),
        ["command", "web : go", "web : command", "command"]
    );
    let tags = |only: &str| Options {
        tags: TagChoice {
            only: vec![only.to_owned()],
            skip: Vec::new(),
        },
        ..options()
    };
    assert_eq!(listed(tags("w")), ["web : go", "web : command"]);
    assert_eq!(listed(tags("deep")), ["web : command"]);
    let from = |name: &str| Options {
        start_at_task: Some(name.to_owned()),
        ..options()
    };
    for name in ["web : command", "web*command"] {
        assert_eq!(listed(from(name)), ["web : command", "command"]);
    }
    assert_eq!(listed(from("go")), ["web : go", "web : command", "command"]);
}
