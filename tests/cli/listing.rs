//! `validate`, `hosts` and the `--list-…` options: answers without connecting.

use crate::{INVENTORY, Ran, Sandbox};

const SITE: &str = "- name: site
  hosts: web
  tasks:
    - name: install
      apt: {name: nginx}
      tags: [nginx]
    - command: uptime
";

fn sandbox() -> Sandbox {
    Sandbox::new(&[("h.yml", INVENTORY), ("s.yml", SITE)])
}

#[test]
fn validate_says_what_it_saw() {
    let sandbox = sandbox();
    let ran = sandbox.run(&["validate", "s.yml", "-i", "h.yml"]);
    assert_eq!(
        (ran.status, ran.stdout.as_str(), ran.stderr.as_str()),
        (0, "1 play, 2 tasks: nothing to complain about\n", "")
    );
    let ran = sandbox.run(&["validate", "s.yml", "-i", "h.yml", "--output", "json"]);
    let events = ran.events();
    assert_eq!((ran.status, events.len()), (0, 1));
    assert_eq!(events[0]["event"], "run_finished");
    assert_eq!(events[0]["exit_code"], 0);
}

#[test]
fn validate_counts_warnings_and_still_passes() {
    let inventory =
        "all:\n  vars: {ansible_python_interpreter: /usr/bin/python3}\n  hosts:\n    n1:\n";
    let sandbox = Sandbox::new(&[
        ("h.yml", inventory),
        ("s.yml", "- hosts: all\n  tasks:\n    - ping:\n"),
    ]);
    let ran = sandbox.run(&["validate", "s.yml", "-i", "h.yml"]);
    assert_eq!(
        (ran.status, ran.stdout.as_str()),
        (0, "1 play, 1 task: 1 warning\n"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("h.yml:2"), "{}", ran.stderr);
}

#[test]
fn hosts_are_one_a_line_with_address_and_groups() {
    let sandbox = sandbox();
    let ran = sandbox.run(&["hosts", "-i", "h.yml"]);
    assert_eq!(
        (ran.status, ran.stdout.as_str(), ran.stderr.as_str()),
        (
            0,
            "n1  10.0.0.1  web\nn2  n2        web\nn3  10.0.0.3  db\n",
            ""
        )
    );
    let ran = sandbox.run(&["hosts", "web:!n2", "--vars", "-i", "h.yml"]);
    assert_eq!(
        ran.stdout,
        "n1  10.0.0.1  web\n\
        \x20   ansible_host: 10.0.0.1  # host n1, h.yml:5\n\
        \x20   port: 80                # host n1, h.yml:5\n\
        \x20   db_password: (masked)   # host n1, h.yml:5\n"
    );
}

#[test]
fn hosts_for_programs() {
    let ran = sandbox().run(&["hosts", "db", "-i", "h.yml", "--output", "json"]);
    let events = ran.events();
    assert_eq!((ran.status, events.len()), (0, 2));
    assert_eq!(events[0]["host"], "n3");
    assert_eq!(events[0]["address"], "10.0.0.3");
    assert_eq!(events[0]["groups"][0], "db");
    assert_eq!(events[1]["event"], "run_finished");
}

#[test]
fn hosts_that_are_not_there_are_an_error() {
    let sandbox = sandbox();
    for (words, said) in [
        (&["hosts", "wbe", "-i", "h.yml"][..], "did you mean `web`?"),
        (&["hosts", "web:!web", "-i", "h.yml"], "selects no host"),
        (&["hosts", "-i", "none.yml"], "`none.yml`"),
        (&["hosts"], "no inventory is given"),
    ] {
        let ran = sandbox.run(words);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{words:?}");
        assert!(ran.stderr.contains(said), "{words:?}: {}", ran.stderr);
    }
}

#[test]
fn lists_show_what_would_run_and_connect_to_nothing() {
    let sandbox = sandbox();
    let words = [
        "apply",
        "s.yml",
        "-i",
        "h.yml",
        "--list-hosts",
        "--list-tasks",
        "--list-tags",
        "-t",
        "nginx",
    ];
    let ran = sandbox.run(&words);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(
        ran.stdout,
        "play site (web)\n  2 hosts\n    n1\n    n2\n  1 task\n    install  s.yml:4  [nginx]\n  tags: nginx\n"
    );
    let json = [&words[..], &["--output", "json"]].concat();
    let events = sandbox.run(&json).events();
    assert_eq!(events[0]["hosts"][1], "n2");
    assert_eq!(events[0]["tasks"][0]["at"], "s.yml:4");
    assert_eq!(events[1]["event"], "run_finished");
}

#[test]
fn settings_of_the_nearest_folder_are_defaults() {
    let sandbox = Sandbox::new(&[
        ("hadeploy.yml", "inventory: h.yml\n"),
        ("h.yml", INVENTORY),
        ("other.yml", "all: {hosts: {m1: }}\n"),
        ("sub/deeper/x", ""),
    ]);
    let mut below = sandbox.command(&["hosts", "db"]);
    let folder = below
        .get_current_dir()
        .expect("a folder")
        .join("sub/deeper");
    below.current_dir(folder);
    assert_eq!(Ran::of(below).stdout, "n3  10.0.0.3  db\n");
    let given = sandbox.run(&["hosts", "-i", "other.yml"]);
    assert_eq!(given.stdout, "m1  m1  ungrouped\n", "{}", given.stderr);
}

#[test]
fn the_inventory_of_the_settings_may_be_of_any_kind() {
    let files = [
        ("i/a.ini", "[web]\na\n"),
        ("i/b.yml", "web: {hosts: {b: }}\n"),
        ("sub/x", ""),
    ];
    for (inventory, listed) in [
        ("i", "a  a  web\nb  b  web\n"),
        ("i/a.ini", "a  a  web\n"),
        ("'c,d:2222,'", "c  c  ungrouped\nd  d  ungrouped\n"),
        ("[i/a.ini, 'c,']", "a  a  web\nc  c  ungrouped\n"),
    ] {
        let sandbox = Sandbox::new(&files);
        let settings = sandbox.home("../work/hadeploy.yml");
        std::fs::write(settings, format!("inventory: {inventory}\n")).expect("a file");
        let mut below = sandbox.command(&["hosts"]);
        let folder = below.get_current_dir().expect("a folder").join("sub");
        below.current_dir(folder);
        let ran = Ran::of(below);
        assert_eq!(
            (ran.status, ran.stdout.as_str()),
            (0, listed),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn wrong_settings_are_errors_with_a_place() {
    let sandbox = Sandbox::new(&[("hadeploy.yml", "inventry: h.yml\n"), ("h.yml", INVENTORY)]);
    let ran = sandbox.run(&["hosts", "-i", "h.yml"]);
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("hadeploy.yml:1:1"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("did you mean `inventory`?"),
        "{}",
        ran.stderr
    );
}

#[test]
fn validate_tells_of_two_names_of_one_machine_as_a_run_does() {
    let inventory = "all:\n  hosts:\n    one: {ansible_host: 127.0.0.1, ansible_port: 1}\n    two: {ansible_host: 127.0.0.1, ansible_port: 1}\n";
    let play = "- hosts: all\n  gather_facts: false\n  tasks:\n    - ping:\n";
    let sandbox = Sandbox::new(&[("h.yml", inventory), ("s.yml", play)]);
    let words = "h.yml:4:25: `one` and `two` are one machine (127.0.0.1:1): they take turns on it";
    for command in ["validate", "plan"] {
        let ran = sandbox.run(&[command, "s.yml", "-i", "h.yml", "--output", "json"]);
        let told = ran.events().into_iter().filter(|event| {
            let message = event["message"].as_str().unwrap_or_default();
            let at = format!(
                "{}:{}:{}",
                event["file"].as_str().unwrap_or_default(),
                event["line"],
                event["column"]
            );
            format!("{at}: {message}").starts_with(words) && event["severity"] == "warning"
        });
        assert_eq!(told.count(), 1, "{command}: {}", ran.stdout);
    }
    let ran = sandbox.run(&["validate", "s.yml", "-i", "h.yml"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("1 warning"), "{}", ran.stdout);
    // One that only the limit leaves.
    let ran = sandbox.run(&["validate", "s.yml", "-i", "h.yml", "--limit", "one"]);
    assert!(
        ran.stdout.contains("nothing to complain about"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    // Members of a cluster must be machines of their own.
    let cluster = "- hosts: all\n  become: true\n  tasks:\n    - redis_cluster: {group: all, password: tr0ub4dor-and-more}\n";
    let sandbox = Sandbox::new(&[("h.yml", inventory), ("s.yml", cluster)]);
    let ran = sandbox.run(&["validate", "s.yml", "-i", "h.yml"]);
    assert_eq!(ran.status, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stderr
            .contains("a redis_cluster needs a machine for each"),
        "{}",
        ran.stderr
    );
}
