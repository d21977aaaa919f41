//! Roles: which of their tasks run, in which order, and what their variables are. The expected logs are those of ansible-core 2.19.

use hadeploy::event::{Mode, Status};

use crate::bench::Bench;
use crate::includes::{log, written_out};

/// Files, the play, and what it logs.
#[allow(clippy::type_complexity)]
const TABLE: &[(&[(&str, &str)], &str, &str)] = &[
    // Two roles that depend on one: it runs once.
    (
        &[
            ("roles/common/tasks/main.yml", "- log common\n"),
            ("roles/x/meta/main.yml", "dependencies: [common]\n"),
            ("roles/x/tasks/main.yml", "- log x\n"),
            ("roles/y/meta/main.yml", "dependencies:\n  - role: common\n"),
            ("roles/y/tasks/main.yml", "- log y\n"),
        ],
        "  roles: [x, y]\n",
        "common x y",
    ),
    // Where the first one is skipped, it runs for the second.
    (
        &[
            ("roles/common/tasks/main.yml", "- log common\n"),
            ("roles/x/meta/main.yml", "dependencies: [common]\n"),
            ("roles/x/tasks/main.yml", "- log x\n"),
            ("roles/y/meta/main.yml", "dependencies:\n  - role: common\n"),
            ("roles/y/tasks/main.yml", "- log y\n"),
        ],
        "  roles: [{role: x, when: 1 == 2}, y]\n",
        "common y",
    ),
    // Parameters and tags make another use of it.
    (
        &[("roles/c/tasks/main.yml", "- log c{{ n | default(0) }}\n")],
        "  roles: [c, c, {role: c, n: 1}, {role: c, n: 1}, {role: c, tags: t}]\n",
        "c0 c1 c0",
    ),
    (
        &[
            ("roles/c/tasks/main.yml", "- log c\n"),
            ("roles/c/meta/main.yml", "allow_duplicates: true\n"),
        ],
        "  roles: [c, c]\n",
        "c c",
    ),
    // The order of a play; a handler by its name alone and with that of its role.
    (
        &[
            ("roles/r/tasks/main.yml", "- log r\n  notify: h\n"),
            ("roles/r/handlers/main.yml", "- name: h\n  log rh\n"),
        ],
        "  pre_tasks:\n    - log pre\n      notify: h\n  roles: [r]\n  tasks:\n    - log t\n  post_tasks:\n    - log post\n      notify: 'r : h'\n",
        "pre rh r t rh post rh",
    ),
    // The play's own handler of that name comes last and wins.
    (
        &[
            ("roles/r/tasks/main.yml", "- log r\n  notify: h\n"),
            ("roles/r/handlers/main.yml", "- name: h\n  log rh\n"),
        ],
        "  roles: [r]\n  handlers:\n    - name: h\n      log ph\n",
        "r ph",
    ),
    (
        &[
            ("roles/r/tasks/main.yml", "- log r\n  notify: 'r : h'\n"),
            ("roles/r/handlers/main.yml", "- name: h\n  log rh\n"),
        ],
        "  roles: [r]\n  handlers:\n    - name: h\n      log ph\n",
        "r rh",
    ),
    (
        &[
            (
                "roles/r/tasks/main.yml",
                "- log r{{ n }}\n  notify: topic\n",
            ),
            (
                "roles/r/handlers/main.yml",
                "- name: h\n  log rh{{ n }}\n  listen: topic\n",
            ),
        ],
        "  roles: [{role: r, n: 1}, {role: r, n: 2}]\n  handlers:\n    - name: h\n      log ph\n      listen: topic\n",
        "r1 r2 ph",
    ),
    // Of a role that is used twice the handlers of the last use count.
    (
        &[
            ("roles/r/tasks/main.yml", "- log r{{ n }}\n  notify: h\n"),
            ("roles/r/handlers/main.yml", "- name: h\n  log rh{{ n }}\n"),
        ],
        "  roles: [{role: r, n: 1}, {role: r, n: 2}]\n",
        "r1 r2 rh2",
    ),
    // An import shows its variables to the whole play, unless it is told not to.
    (
        &[
            (
                "roles/r/tasks/main.yml",
                "- log r{{ n }}{{ v | default('') }}\n  notify: h\n",
            ),
            ("roles/r/tasks/other.yml", "- log other{{ n }} {{ d }}\n"),
            ("roles/r/defaults/main.yml", "d: d0\n"),
            ("roles/r/defaults/two.yml", "d: d2\n"),
            ("roles/r/vars/main.yml", "v: v1\n"),
            ("roles/r/handlers/main.yml", "- name: h\n  log rh{{ n }}\n"),
        ],
        "  tasks:\n    - log {{ d }} {{ v }}\n    - import_role: {name: r}\n      vars: {n: 1}\n    - import_role: {name: r, tasks_from: other, defaults_from: two.yml, public: false}\n      vars: {n: 2}\n    - log {{ d }}\n",
        "d0 v1 r1v1 other2 d2 d0 rh2",
    ),
    // An include in a loop, with a condition, and by a name that is known in the run; its variables are its own.
    (
        &[
            ("roles/r/tasks/main.yml", "- log r{{ n }}\n  notify: h\n"),
            ("roles/r/tasks/other.yml", "- log other{{ n }} {{ d }}\n"),
            ("roles/r/defaults/main.yml", "d: d0\n"),
            ("roles/r/handlers/main.yml", "- name: h\n  log rh{{ n }}\n"),
        ],
        "  tasks:\n    - include_role: {name: r}\n      loop: [1, 2, 3]\n      loop_control: {loop_var: n}\n      when: n != 2\n    - log {{ d is defined }}\n    - include_role: {name: r, public: true}\n      vars: {n: 3}\n    - log {{ d is defined }}\n    - include_role: {name: '{{ rr }}', tasks_from: '{{ oo }}'}\n      vars: {n: 2, rr: r, oo: other.yml}\n    - log end\n",
        "r1 r3 False r3 True other2 d0 end rh2",
    ),
    // Roles in roles.
    (
        &[
            (
                "roles/a/tasks/main.yml",
                "- log a {{ role_name }} {{ ansible_parent_role_names | default('') | join('+') }}\n- include_role: {name: b}\n- import_role: {name: c}\n",
            ),
            (
                "roles/b/tasks/main.yml",
                "- log b {{ role_name }} {{ ansible_parent_role_names | default('') | join('+') }}\n- include_role: {name: c}\n",
            ),
            (
                "roles/c/tasks/main.yml",
                "- log c {{ role_path | basename }} {{ ansible_parent_role_names | default('') | join('+') }} {{ xa | default('-') }}\n",
            ),
            ("roles/a/defaults/main.yml", "xa: fromA\n"),
        ],
        "  roles: [a]\n",
        "a a b b a c c b+a fromA c c a fromA",
    ),
    // Its own files come before those of the play, and before those of the roles around it.
    (
        &[
            (
                "roles/a/tasks/main.yml",
                "- copy: {src: f.txt, dest: '{{ dir }}/f'}\n- shell: cat {{ dir }}/f >> {{ dir }}/log\n- template: {src: t.j2, dest: '{{ dir }}/t'}\n- shell: cat {{ dir }}/t >> {{ dir }}/log\n- import_role: {name: b}\n- include_tasks: sub/x.yml\n",
            ),
            (
                "roles/a/tasks/sub/x.yml",
                "- include_tasks: y.yml\n- import_tasks: z.yml\n",
            ),
            ("roles/a/tasks/z.yml", "- log z\n"),
            ("roles/a/tasks/sub/y.yml", "- log y\n"),
            ("roles/a/files/f.txt", "role file\n"),
            ("files/f.txt", "play file\n"),
            (
                "roles/a/templates/t.j2",
                "role template {{ role_name }} {% include 'i.j2' %}.\n",
            ),
            ("roles/a/templates/i.j2", "inner"),
            (
                "roles/b/tasks/main.yml",
                "- copy: {src: f.txt, dest: '{{ dir }}/g'}\n- shell: cat {{ dir }}/g >> {{ dir }}/log\n",
            ),
        ],
        "  roles: [a]\n",
        "role file role template a inner. role file y z",
    ),
    // A role may use itself with other tasks.
    (
        &[
            (
                "roles/a/tasks/main.yml",
                "- log main\n- import_role: {name: a, tasks_from: two}\n- include_role: {name: a, tasks_from: two}\n",
            ),
            ("roles/a/tasks/two.yml", "- log two\n"),
        ],
        "  roles: [a]\n",
        "main two two",
    ),
    // Variables in a folder; endings.
    (
        &[
            ("roles/a/tasks/main.yaml", "- log {{ q }} {{ w }} {{ e }}\n"),
            ("roles/a/vars/main/1.yml", "q: 1\nw: 1\n"),
            ("roles/a/vars/main/2.yaml", "w: 2\n"),
            ("roles/a/defaults/main/x/3.yml", "e: 3\n"),
        ],
        "  roles: [a]\n",
        "1 2 3",
    ),
    (
        &[
            ("own/a/tasks/main.yml", "- log {{ role_name }}\n"),
            ("roles/deep/b/tasks/main.yml", "- log {{ role_name }}\n"),
        ],
        "  roles: [deep/b]\n  tasks:\n    - import_role: {name: ./own/a}\n",
        "deep/b ./own/a",
    ),
    // In a block.
    (
        &[("roles/a/tasks/main.yml", "- log {{ z }}\n- FAIL\n")],
        "  tasks:\n    - block:\n        - import_role: {name: a}\n        - log no\n      rescue:\n        - include_role: {name: a}\n      always:\n        - log W\n      vars: {z: 7}\n",
        "7 7 W",
    ),
];

fn bench(files: &[(&str, &str)]) -> Bench {
    let bench = Bench::new(&["a"]);
    for (name, text) in files {
        bench.file(name, &written_out(text));
    }
    bench
}

fn play(text: &str) -> String {
    format!(
        "- name: p\n  hosts: all\n  gather_facts: false\n{}",
        written_out(text)
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_do_what_they_do_in_ansible() {
    for (files, text, logged) in TABLE {
        let bench = bench(files);
        let told = bench.apply(&play(text)).await;
        assert_eq!(log(&bench), *logged, "{text}\n{}", told.story());
    }
}

/// The layers of variables, weakest first: `ansible-playbook` of ansible-core 2.19 gave the stronger one for each pair of them.
const LAYERS: &[&str] = &[
    "other_defaults",
    "dep_defaults",
    "defaults",
    "group",
    "play",
    "file",
    "other_vars",
    "dep_vars",
    "role_vars",
    "entry",
    "block",
    "task",
    "fact",
    "param",
    "include",
];

/// For each layer beside this one a variable that only the two of them define.
fn layer(name: &str, indent: usize) -> String {
    let mut text = String::new();
    for (index, weaker) in LAYERS.iter().enumerate() {
        for stronger in &LAYERS[index + 1..] {
            if [weaker, stronger].contains(&&name) {
                text += &format!("{:indent$}p_{weaker}__{stronger}: {name}\n", "");
            }
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_of_roles_have_the_precedence_of_ansible() {
    let bench = Bench::new(&["a"]);
    for (file, name) in [
        ("group_vars/all.yml", "group"),
        ("vars.yml", "file"),
        ("roles/other/defaults/main.yml", "other_defaults"),
        ("roles/other/vars/main.yml", "other_vars"),
        ("roles/dep/defaults/main.yml", "dep_defaults"),
        ("roles/dep/vars/main.yml", "dep_vars"),
        ("roles/it/defaults/main.yml", "defaults"),
        ("roles/it/vars/main.yml", "role_vars"),
    ] {
        bench.file(file, &layer(name, 0));
    }
    bench.file("roles/it/meta/main.yml", "dependencies: [dep]\n");
    let tasks = format!(
        "- set_fact:\n{}- include_tasks: inner.yml\n  vars:\n{}",
        layer("fact", 4),
        layer("include", 4)
    );
    bench.file("roles/it/tasks/main.yml", &tasks);
    let mut shown = String::new();
    for (index, weaker) in LAYERS.iter().enumerate() {
        for stronger in &LAYERS[index + 1..] {
            shown += &format!("          {weaker} {stronger} {{{{ p_{weaker}__{stronger} }}}}\n");
        }
    }
    let inner = format!(
        "- block:\n    - copy: {{content: \"{{{{ shown }}}}\", dest: \"{{{{ dir }}}}/log\"}}\n      vars:\n        shown: |\n{shown}{}  vars:\n{}",
        layer("task", 8),
        layer("block", 4)
    );
    bench.file("roles/it/tasks/inner.yml", &inner);
    let text = format!(
        "- name: p\n  hosts: all\n  gather_facts: false\n  vars:\n{}  vars_files: [vars.yml]\n  roles:\n    - other\n    - role: it\n      vars:\n{}{}",
        layer("play", 4),
        layer("entry", 8),
        layer("param", 6)
    );
    let told = bench.apply(&text).await;
    let log = bench.host().read("log");
    assert_eq!(log.lines().count(), 15 * 14 / 2, "{}", told.story());
    for line in log.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(
            words[1], words[2],
            "{} is weaker than {}",
            words[0], words[1]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_of_roles_are_called_by_role_and_name() {
    let bench = bench(&[
        (
            "roles/r/tasks/main.yml",
            "- {name: \"do {{ x }}\", debug: {msg: m}}\n- debug: {msg: m}\n",
        ),
        ("roles/r/defaults/main.yml", "x: it\n"),
    ]);
    let told = bench.plan(&play("  roles: [r]\n")).await;
    let names: Vec<&str> = told.tasks().map(|task| &*task.task).collect();
    assert_eq!(names, ["r : do it", "r : debug"]);
}

/// Roles, dependencies that run once and includes are asked about together with everything else.
#[tokio::test(flavor = "multi_thread")]
async fn unchanged_roles_cost_no_script() {
    let write = "- copy: {content: x, dest: \"{{ dir }}/{{ role_name }}{{ n | default(0) }}\"}\n";
    let bench = bench(&[
        ("roles/common/tasks/main.yml", write),
        ("roles/x/meta/main.yml", "dependencies: [common]\n"),
        ("roles/x/tasks/main.yml", write),
        ("roles/y/meta/main.yml", "dependencies: [common]\n"),
        ("roles/y/tasks/main.yml", write),
    ]);
    let text = play(
        "  roles: [x, y, {role: y, n: 1}]\n  tasks:\n    - include_role: {name: x}\n      loop: [1, 2]\n      loop_control: {loop_var: n}\n",
    );
    let told = bench.apply(&text).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    bench.rested().await;
    for mode in [Mode::Plan, Mode::Apply] {
        let told = bench.run(mode, &text).await;
        let tally = &told.recap.hosts["a"];
        assert_eq!(tally.changed, 0, "{}", told.story());
        assert!(tally.round_trips <= 3, "{}", told.story());
        let common = told.tasks().filter(|task| &*task.task == "common : copy");
        assert_eq!(common.count(), 1, "{}", told.story());
        assert!(told.tasks().all(|task| task.status == Status::Ok));
    }
}
