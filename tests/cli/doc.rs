//! `hadeploy doc`: a page for each kind, made from the kinds themselves.

use hadeploy::diagnostic::Diagnostic;
use hadeploy::playbook::{Installed, parse_playbook};
use hadeploy::resource::KINDS;
use hadeploy::vault::Keyring;

use crate::Sandbox;

#[test]
fn all_kinds_are_listed_by_groups() {
    let ran = Sandbox::new(&[]).run(&["doc"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert!(
        ran.stdout
            .starts_with("Files\n  archive                packs files and folders of the node"),
        "{}",
        ran.stdout
    );
    for kind in KINDS {
        let row = format!("\n  {:<22} ", kind.name);
        assert!(ran.stdout.contains(&row), "{}", kind.name);
    }
    assert!(ran.stdout.contains("\nWords around tasks\n  play "));
}

#[test]
fn a_page_tells_all_there_is() {
    let ran = Sandbox::new(&[]).run(&["doc", "stat"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    let wanted = "\
stat: reads what stands at a path; `register` gets it as `stat`
  Reads what stands at a path, for `register`.

Parameters
  path  a path of the node; needed; also called dest, name
      The path.
  follow  true or false; default false
      Whether what stands behind a link is read.
";
    assert!(ran.stdout.starts_with(wanted), "{}", ran.stdout);
    for part in [
        "\nAnsible has these, hadeploy has not\n  get_md5                write `checksum_algorithm: sha256`\n",
        "\nDiffers from Ansible\n  - there is a checksum only with `checksum_algorithm: sha256`\n",
        "\nReturns\n  - `stat`: a mapping with `exists`,",
        "\nExamples\n  - name: is there a swap file?\n    stat: { path: /swapfile }\n    register: swap\n",
        "\nAlso called\n  ansible.builtin.stat, ansible.legacy.stat\n",
    ] {
        assert!(ran.stdout.contains(part), "{part}\n---\n{}", ran.stdout);
    }
    assert!(!ran.stdout.contains('\u{1b}'));
}

#[test]
fn no_page_is_wider_than_a_terminal() {
    let sandbox = Sandbox::new(&[]);
    let mut names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    names.extend([
        "play",
        "task",
        "block",
        "loop_control",
        "rolling",
        "health",
        "inventory",
        "settings",
    ]);
    for name in names {
        let ran = sandbox.run(&["doc", name]);
        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{name}");
        let wide: Vec<&str> = ran
            .stdout
            .lines()
            .filter(|line| line.chars().count() > 80)
            .collect();
        assert!(wide.is_empty(), "{name}: {wide:?}");
    }
}

#[test]
fn aliases_and_full_names_lead_to_their_kind() {
    let sandbox = Sandbox::new(&[]);
    for name in [
        "systemd",
        "ansible.builtin.systemd",
        "ansible.legacy.copy",
        "ansible.posix.sysctl",
    ] {
        let ran = sandbox.run(&["doc", name]);
        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{name}");
    }
}

#[test]
fn what_is_no_kind_has_a_nearest_name_or_something_instead() {
    let sandbox = Sandbox::new(&[]);
    for (name, said) in [
        (
            "templte",
            "error: there is no kind of task `templte`\nhelp: did you mean `template`? `hadeploy doc` lists all\n",
        ),
        (
            "zzzzzz",
            "error: there is no kind of task `zzzzzz`\nhelp: `hadeploy doc` lists all\n",
        ),
        (
            "yum",
            "error: hadeploy does not have the module `yum`\nhelp: nodes are Debian: use `apt`\n",
        ),
        (
            "ansible.builtin.dnf",
            "error: hadeploy does not have the module `ansible.builtin.dnf`\nhelp: nodes are Debian: use `apt`\n",
        ),
    ] {
        let ran = sandbox.run(&["doc", "copy", name]);
        assert_eq!(
            (ran.status, ran.stdout.as_str(), ran.stderr.as_str()),
            (1, "", said)
        );
    }
}

#[test]
fn programs_get_a_line_for_each_kind() {
    let sandbox = Sandbox::new(&[]);
    let all = sandbox.run(&["doc", "--output", "json"]).events();
    let kinds: Vec<&str> = all
        .iter()
        .filter_map(|line| line["kind"].as_str())
        .collect();
    assert_eq!(
        kinds,
        KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>()
    );
    assert_eq!(
        all.last().map(|line| &line["event"]),
        Some(&"run_finished".into())
    );
    let one = sandbox.run(&["doc", "find", "--output", "json"]).events();
    let find = &one[0];
    assert_eq!(find["event"], "kind");
    assert_eq!(find["parameters"][0]["name"], "paths");
    assert_eq!(find["parameters"][0]["required"], true);
    assert_eq!(find["parameters"][0]["aliases"][1], "name");
    assert_eq!(find["parameters"][6]["choices"][0], "any");
    assert_eq!(find["parameters"][6]["default"], "file");
    assert_eq!(find["refused"]["limit"], "cut the list with `files[:N]`");
    assert_eq!(one.len(), 2);
}

/// All that `text` holds of plays is read without a word.
fn read(name: &str, text: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("p.yml");
    std::fs::write(&path, text).expect("a file");
    let (_, faults) = parse_playbook(
        &path.display().to_string(),
        KINDS,
        0,
        &Keyring::default(),
        &Installed::default(),
    );
    let said: Vec<String> = faults.iter().map(Diagnostic::one_line).collect();
    assert!(said.is_empty(), "{name}: {said:?}\n{text}");
}

/// Tasks in a play, with the handlers that they notify.
fn play(tasks: &str) -> String {
    let body: String = tasks.lines().map(|line| format!("    {line}\n")).collect();
    let notified = tasks
        .lines()
        .filter_map(|line| line.trim().strip_prefix("notify: "));
    let handlers: String = notified
        .map(|name| format!("    - name: {name}\n      ping:\n"))
        .collect();
    format!("- hosts: all\n  tasks:\n{body}  handlers:\n{handlers}")
}

#[test]
fn examples_are_right() {
    for kind in KINDS {
        for example in kind.doc().examples {
            read(kind.name, &play(&example));
        }
    }
}

#[test]
fn examples_of_words_are_right() {
    let all = Sandbox::new(&[]).run(&["doc", "--output", "json"]).events();
    for topic in all.iter().filter(|line| line["event"] == "keys") {
        let name = topic["of"].as_str().expect("a name");
        let text = topic["example"].as_str().expect("an example");
        match name {
            "play" | "rolling" | "health" => read(name, text),
            "task" | "block" | "loop_control" => read(name, &play(text)),
            "inventory" => {
                let sandbox = Sandbox::new(&[("i.yml", text)]);
                assert_eq!(sandbox.run(&["hosts", "-i", "i.yml"]).status, 0);
            }
            _ => {
                let sandbox = Sandbox::new(&[
                    ("hadeploy.yml", text),
                    ("inventory.yml", "all:\n  hosts:\n    n1:\n"),
                ]);
                let ran = sandbox.run(&["hosts"]);
                assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
            }
        }
    }
}
