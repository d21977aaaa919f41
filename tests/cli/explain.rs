//! `hosts --vars`, `hosts --graph` and `explain`: who sets what.

use crate::Sandbox;

const INI: &str = "\
[web]
w1 port=1 host_only=\"{{ base }}/x\"
w2
[web:vars]
port=2
base=http://{{ inventory_hostname }}
[all:vars]
port=3
db_password=hunter2
";

const SITE: &str = "- name: first
  hosts: web
  gather_facts: false
  vars: {port: 4}
  vars_files: [files.yml]
  tasks:
    - name: set it
      set_fact: {port: 6, later: 1}
    - name: own
      debug: {msg: '{{ port }}'}
      vars: {port: 7}
    - shell: 'true'
      register: answer
- name: second
  hosts: w1
  tasks: []
";

fn sandbox() -> Sandbox {
    Sandbox::new(&[
        ("h.ini", INI),
        ("s.yml", SITE),
        ("files.yml", "port: 5\n"),
        ("group_vars/web.yml", "port: 8\nlist: [a, {b: 1}]\n"),
    ])
}

#[test]
fn variables_are_shown_with_their_places_and_what_they_override() {
    let sandbox = sandbox();
    let ran = sandbox.run(&["hosts", "w1", "--vars", "-i", "h.ini"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert_eq!(
        ran.stdout,
        "w1  w1  web\n\
        \x20   port: 1                                # host w1, h.ini:2; over 8 (group_vars/web, group_vars/web.yml:1), 2 (group web, h.ini:5), 3 (group all, h.ini:8)\n\
        \x20   db_password: (masked)                  # group all, h.ini:9\n\
        \x20   base: http://{{ inventory_hostname }}  # group web, h.ini:6\n\
        \x20   list:                                  # group_vars/web, group_vars/web.yml:2\n\
        \x20   - a\n\
        \x20   - b: 1\n\
        \x20   host_only: '{{ base }}/x'              # host w1, h.ini:2\n"
    );
    let json = sandbox.run(&["hosts", "w1", "--vars", "-i", "h.ini", "--output", "json"]);
    let host = &json.events()[0];
    assert_eq!(host["vars"]["port"], 1);
    assert_eq!(host["vars"]["db_password"], "(masked)");
    assert_eq!(host["origins"]["port"]["at"], "h.ini:2");
    assert_eq!(host["origins"]["port"]["over"][0]["value"], 8);
    assert_eq!(host["origins"]["port"]["over"][2]["origin"], "group all");
    assert!(!json.stdout.contains("hunter2"));
}

#[test]
fn groups_are_drawn() {
    let sandbox = sandbox();
    let ran = sandbox.run(&["hosts", "--graph", "-i", "h.ini"]);
    assert_eq!(
        (ran.status, ran.stdout.as_str()),
        (
            0,
            "@all:\n  |--@ungrouped:\n  |--@web:\n  |  |--w1\n  |  |--w2\n"
        ),
        "{}",
        ran.stderr
    );
    let one = sandbox.run(&["hosts", "web", "--graph", "-i", "h.ini"]);
    assert_eq!(one.stdout, "@web:\n  |--w1\n  |--w2\n");
    let events = sandbox
        .run(&["hosts", "--graph", "-i", "h.ini", "--output", "json"])
        .events();
    let web = events.iter().find(|event| event["group"] == "web");
    assert_eq!(web.expect("the group")["hosts"][1], "w2");
    let none = sandbox.run(&["hosts", "w1", "--graph", "-i", "h.ini"]);
    assert_eq!(none.status, 1);
    assert!(
        none.stderr.contains("no group is called `w1`"),
        "{}",
        none.stderr
    );
}

#[test]
fn the_inventory_alone_is_explained() {
    let sandbox = sandbox();
    let ran = sandbox.run(&["explain", "w1", "port", "-i", "h.ini"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert_eq!(
        ran.stdout,
        "port on w1: 1\n\
        \x20 → 1  host w1         h.ini:2\n\
        \x20   8  group_vars/web  group_vars/web.yml:1\n\
        \x20   2  group web       h.ini:5\n\
        \x20   3  group all       h.ini:8\n"
    );
    let ran = sandbox.run(&["explain", "w1", "host_only", "-i", "h.ini"]);
    assert_eq!(
        ran.stdout,
        "host_only on w1: http://w1/x\n  → {{ base }}/x  host w1  h.ini:2\n"
    );
    let secret = sandbox.run(&["explain", "w1", "db_password", "-i", "h.ini"]);
    assert_eq!(
        secret.stdout,
        "db_password on w1: (masked)\n  → (masked)  group all  h.ini:9\n"
    );
    let extra = sandbox.run(&["explain", "w1", "port", "-i", "h.ini", "-e", "port=9"]);
    assert!(
        extra
            .stdout
            .starts_with("port on w1: 9\n  → 9  -e              <command line>:1\n"),
        "{}",
        extra.stdout
    );
}

#[test]
fn a_playbook_counts_in_each_of_its_plays() {
    let sandbox = sandbox();
    let ran = sandbox.run(&["explain", "w1", "port", "-p", "s.yml", "-i", "h.ini"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert_eq!(
        ran.stdout,
        "port on w1, in the play `first`: 5\n\
        \x20   6  set_fact in the task `set it`, from then on  s.yml:7\n\
        \x20   7  vars of the task `own`, only there           s.yml:11\n\
        \x20 → 5  vars_files, files.yml                        files.yml:1\n\
        \x20   4  vars of the play                             s.yml:4\n\
        \x20   1  host w1                                      h.ini:2\n\
        \x20   8  group_vars/web                               group_vars/web.yml:1\n\
        \x20   2  group web                                    h.ini:5\n\
        \x20   3  group all                                    h.ini:8\n\
        \n\
        port on w1, in the play `second`: known only in a run, after `set it`\n\
        \x20 → 6  set_fact in the task `set it`, in an earlier play  s.yml:7\n\
        \x20   1  host w1                                            h.ini:2\n\
        \x20   8  group_vars/web                                     group_vars/web.yml:1\n\
        \x20   2  group web                                          h.ini:5\n\
        \x20   3  group all                                          h.ini:8\n"
    );
    let json = sandbox.run(&[
        "explain", "w1", "port", "-p", "s.yml", "-i", "h.ini", "--output", "json",
    ]);
    let events = json.events();
    assert_eq!(events.len(), 3, "{}", json.stdout);
    assert_eq!(events[0]["event"], "variable");
    assert_eq!(events[0]["value"], 5);
    assert_eq!(events[0]["chain"][1]["counts"], "within_task");
    assert_eq!(events[2]["event"], "run_finished");
    let answer = sandbox.run(&["explain", "w1", "answer", "-p", "s.yml", "-i", "h.ini"]);
    assert!(
        answer
            .stdout
            .starts_with("answer on w1, in the play `first`: known only in a run, after `shell`"),
        "{}",
        answer.stdout
    );
    let fact = sandbox.run(&["explain", "w1", "ansible_kernel", "-i", "h.ini"]);
    assert_eq!(
        fact.stdout,
        "ansible_kernel on w1: known only in a run, after `Gathering Facts`\n  →   a fact of the node\n"
    );
}

#[test]
fn a_name_that_nothing_sets_has_a_nearest_one() {
    let sandbox = sandbox();
    let ran = sandbox.run(&["explain", "w1", "prot", "-i", "h.ini"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
    assert!(
        ran.stderr.contains("nothing sets `prot` on `w1`"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("did you mean `port`?"),
        "{}",
        ran.stderr
    );
    let host = sandbox.run(&["explain", "w3", "port", "-i", "h.ini"]);
    assert_eq!(host.status, 1);
    assert!(host.stderr.contains("did you mean `w"), "{}", host.stderr);
}

/// What is explained is what a task finds.
#[test]
fn a_run_finds_what_is_explained() {
    let play = "- name: p
  hosts: localhost
  gather_facts: false
  vars: {a: play, b: play, c: '{{ a }}-{{ d }}', g: play}
  vars_files: [v.yml]
  roles: [r]
  tasks:
    - debug: {msg: 'a={{ a }} b={{ b }} c={{ c }} d={{ d }} e={{ e }} f={{ f }} g={{ g }}'}
";
    let sandbox = Sandbox::new(&[
        (
            "h.ini",
            "localhost ansible_connection=local a=host d=host\n[g]\nlocalhost\n[g:vars]\nd=group\ne=group\n[all:vars]\ne=all\n",
        ),
        ("p.yml", play),
        ("v.yml", "b: file\n"),
        ("roles/r/defaults/main.yml", "d: default\nf: default\n"),
        ("roles/r/vars/main.yml", "b: role\ng: role\n"),
        ("roles/r/tasks/main.yml", "- set_fact: {other: 1}\n"),
    ]);
    let roles = sandbox.run(&["explain", "localhost", "b", "-p", "p.yml", "-i", "h.ini"]);
    assert_eq!(
        roles.stdout,
        "b on localhost, in the play `p`: role\n\
        \x20 → role  vars of the role `r`  roles/r/vars/main.yml:1\n\
        \x20   file  vars_files, v.yml     v.yml:1\n\
        \x20   play  vars of the play      p.yml:4\n"
    );
    let ran = sandbox.run(&[
        "apply", "p.yml", "-i", "h.ini", "-e", "e=extra", "--output", "json",
    ]);
    assert_eq!(ran.status, 0, "{}{}", ran.stdout, ran.stderr);
    let found = ran
        .events()
        .into_iter()
        .find(|event| event["event"] == "task_finished" && event["kind"] == "debug");
    let told: Vec<String> = ["a", "b", "c", "d", "e", "f", "g"]
        .iter()
        .map(|name| {
            let ran = sandbox.run(&[
                "explain",
                "localhost",
                name,
                "-p",
                "p.yml",
                "-i",
                "h.ini",
                "-e",
                "e=extra",
                "--output",
                "json",
            ]);
            let value = ran.events()[0]["value"]
                .as_str()
                .expect("a text")
                .to_owned();
            format!("{name}={value}")
        })
        .collect();
    assert_eq!(found.expect("the task")["msg"], told.join(" "));
}

/// A role that a task includes shows its variables from there on.
#[test]
fn the_variables_of_public_roles_that_are_included_count() {
    let sandbox = Sandbox::new(&[
        ("h.ini", "w1\n"),
        ("roles/r/defaults/main.yml", "port: 1\nweak: 2\n"),
        ("roles/r/vars/main.yml", "port: 3\n"),
        ("roles/r/tasks/main.yml", "- debug:\n"),
        ("roles/quiet/defaults/main.yml", "silent: 1\n"),
        ("roles/quiet/tasks/main.yml", "- debug:\n"),
        (
            "s.yml",
            "- hosts: all\n  tasks:\n    - {name: brings, include_role: {name: r, public: true}}\n    - include_role: {name: quiet}\n",
        ),
    ]);
    let told = |name: &str| sandbox.run(&["explain", "w1", name, "-p", "s.yml", "-i", "h.ini"]);
    assert_eq!(
        told("port").stdout,
        "port on w1, in the play `all`: known only in a run, after `brings`\n\
        \x20   3  vars of the role `r`, included by `brings`, from then on      roles/r/vars/main.yml:1\n\
        \x20   1  defaults of the role `r`, included by `brings`, from then on  roles/r/defaults/main.yml:1\n"
    );
    let weak = told("weak");
    assert!(
        weak.stdout.contains("    2  defaults of the role `r`"),
        "{}",
        weak.stdout
    );
    assert_eq!(told("silent").status, 1);
}

#[test]
fn texts_that_are_no_templates_are_shown_as_they_are_written() {
    let sandbox = Sandbox::new(&[
        (
            "h.yml",
            "all: {hosts: {w1: {plain: !unsafe 'a {{ b }} {% c', list: [!unsafe '{{ d }}']}}}\n",
        ),
        ("group_vars/all.yml", "plain: !unsafe '{{ e }}'\n"),
    ]);
    let ran = sandbox.run(&["hosts", "w1", "--vars", "-i", "h.yml"]);
    let told = "plain: a {{ b }} {% c";
    assert!(
        ran.stdout.contains(told) && ran.stdout.contains("- '{{ d }}'"),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("raw"), "{}", ran.stdout);
    let json = sandbox.run(&["hosts", "w1", "--vars", "-i", "h.yml", "--output", "json"]);
    assert_eq!(json.events()[0]["vars"]["plain"], "a {{ b }} {% c");
    assert_eq!(
        json.events()[0]["origins"]["plain"]["over"][0]["value"],
        "{{ e }}"
    );
    let explained = sandbox.run(&["explain", "w1", "plain", "-i", "h.yml", "--output", "json"]);
    let event = &explained.events()[0];
    assert_eq!(event["value"], "a {{ b }} {% c");
    assert_eq!(event["chain"][0]["value"], "a {{ b }} {% c");
    assert_eq!(event["chain"][0]["template"], false);
}
