//! Mistakes in the user's files: exit status 1, the words on standard error, nothing touched.

use crate::{INVENTORY, Sandbox};

/// Name, playbook, words on standard error.
const MISTAKES: &[(&str, &str, &[&str])] = &[
    (
        "unknown task key",
        "- hosts: web\n  tasks:\n    - ping:\n      whn: x\n",
        &["`whn`", "s.yml:4:7", "did you mean `when`?"],
    ),
    (
        "unknown play key",
        "- hosts: web\n  taks: []\n",
        &["`taks`", "s.yml:2:3", "did you mean"],
    ),
    (
        "unknown module",
        "- hosts: web\n  tasks:\n    - aptt: {name: x}\n",
        &["`aptt`", "s.yml:3:7", "did you mean `apt`?"],
    ),
    (
        "unknown parameter",
        "- hosts: web\n  tasks:\n    - apt: {nam: x}\n",
        &["`nam`", "s.yml:3:13", "did you mean `name`?"],
    ),
    (
        "wrong type",
        "- hosts: web\n  tasks:\n    - apt: {name: x, update_cache: [1]}\n",
        &["`update_cache` must be true or false", "s.yml:3:36"],
    ),
    (
        "missing parameter",
        "- hosts: web\n  tasks:\n    - command: {chdir: /}\n",
        &["`command` needs", "s.yml:3:7"],
    ),
    (
        "two modules",
        "- hosts: web\n  tasks:\n    - ping:\n      command: ls\n",
        &["`ping` and `command`", "s.yml:4:7"],
    ),
    (
        "duplicate key",
        "- hosts: web\n  hosts: db\n",
        &["`hosts` is given twice", "s.yml:2:3"],
    ),
    ("tab", "- hosts: web\n\ttasks: []\n", &["tab", "s.yml:2:1"]),
    (
        "undefined variable",
        "- hosts: web\n  tasks:\n    - debug: {msg: \"{{ nope }}\"}\n",
        &["`nope` is not defined", "s.yml:3:24"],
    ),
    (
        "template syntax",
        "- hosts: web\n  tasks:\n    - debug: {msg: \"{{ a | }}\"}\n",
        &["template syntax", "s.yml:3"],
    ),
    (
        "template syntax in a file",
        "- hosts: web\n  tasks:\n    - template: {src: bad.j2, dest: /x}\n",
        &["bad.j2:2"],
    ),
    (
        "missing template",
        "- hosts: web\n  tasks:\n    - template: {src: none.j2, dest: /x}\n",
        &["none.j2", "s.yml:3"],
    ),
    (
        "missing vars file",
        "- hosts: web\n  vars_files: [none.yml]\n  tasks: []\n",
        &["`none.yml`", "s.yml:2:16"],
    ),
    (
        "import loop",
        "- import_playbook: s.yml\n",
        &["imports itself", "s.yml:1:20"],
    ),
    (
        "unknown handler",
        "- hosts: web\n  tasks:\n    - ping:\n      notify: nobody\n",
        &["no handler is called `nobody`", "s.yml:4:15"],
    ),
    (
        "unknown group",
        "- hosts: wbe\n  tasks: []\n",
        &["`wbe`", "did you mean `web`?", "s.yml:1:10"],
    ),
    (
        "no match",
        "- hosts: web:!web\n  tasks: []\n",
        &["no play has a host"],
    ),
    (
        "bad pattern",
        "- hosts: \"web[\"\n  tasks: []\n",
        &["bad host pattern `web[`", "s.yml:1:11"],
    ),
    (
        "bad state",
        "- hosts: web\n  tasks:\n    - apt: {name: x, state: gone}\n",
        &["`state` cannot be `gone`", "s.yml:3:29"],
    ),
    (
        "bad mode",
        "- hosts: web\n  tasks:\n    - file: {path: /x, mode: \"9z\"}\n",
        &["9z", "s.yml:3"],
    ),
    (
        "loop over no list",
        "- hosts: web\n  tasks:\n    - ping:\n      loop: 5\n",
        &["`loop` must be a list", "s.yml:4:13"],
    ),
    (
        "no list of plays",
        "hosts: web\n",
        &["a playbook is a list of plays", "s.yml:1:1"],
    ),
    (
        "a bomb",
        "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\n",
        &["more than a million", "s.yml:"],
    ),
];

#[test]
fn each_mistake_has_its_place_and_exit_status_1() {
    let mut wrong = Vec::new();
    for (name, playbook, said) in MISTAKES {
        let sandbox = Sandbox::new(&[
            ("h.yml", INVENTORY),
            ("s.yml", playbook),
            ("bad.j2", "fine\n{% if %}\n"),
        ]);
        let ran = sandbox.run(&["apply", "s.yml", "-i", "h.yml"]);
        let last = ran.stderr.trim_end().lines().last().unwrap_or("");
        let good = ran.status == 1
            && ran.stdout.is_empty()
            && said.iter().all(|words| ran.stderr.contains(words))
            && last.contains("error")
            && last.contains("nothing was touched");
        if !good {
            wrong.push(format!(
                "{name}: {} {}{}",
                ran.status, ran.stdout, ran.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_mistakes_are_told_together() {
    let playbook = "- hosts: wbe\n  taks: []\n  tasks:\n    - apt: {nam: x}\n";
    let sandbox = Sandbox::new(&[("h.yml", INVENTORY), ("s.yml", playbook)]);
    let ran = sandbox.run(&["validate", "s.yml", "-i", "h.yml"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.contains("3 errors; nothing was touched"),
        "{}",
        ran.stderr
    );
}

#[test]
fn for_programs_mistakes_are_events_and_the_run_ends() {
    let playbook = "- hosts: wbe\n  tasks: []\n";
    let sandbox = Sandbox::new(&[("h.yml", INVENTORY), ("s.yml", playbook)]);
    for command in ["plan", "apply", "validate"] {
        let ran = sandbox.run(&[command, "s.yml", "-i", "h.yml", "--output", "json"]);
        assert_eq!((ran.status, ran.stderr.as_str()), (1, ""), "{command}");
        let events = ran.events();
        assert_eq!(events.len(), 2, "{command}: {}", ran.stdout);
        assert_eq!(events[0]["event"], "diagnostic");
        assert_eq!(events[0]["severity"], "error");
        assert_eq!(events[0]["file"], "s.yml");
        assert_eq!(
            (&events[0]["line"], &events[0]["column"]),
            (&1.into(), &10.into())
        );
        assert_eq!(events[1]["event"], "run_finished");
        assert_eq!(events[1]["exit_code"], 1);
        assert_eq!(events[1]["touched"], false);
    }
}

#[test]
fn the_options_are_checked_against_the_files() {
    let playbook = "- hosts: web\n  tasks:\n    - name: one\n      ping:\n      tags: [a]\n";
    let sandbox = Sandbox::new(&[("h.yml", INVENTORY), ("s.yml", playbook)]);
    for (words, said) in [
        (&["--limit", "n9"][..], "`n9`"),
        (&["--limit", "db"], "no play has a host"),
        (&["-t", "b"], "no task has the tag `b`"),
        (&["-e", "1x=2"], "`1x` is not a variable name"),
        (&["-e", "@none.yml"], "none.yml"),
        (&["--start-at-task", "two"], "no task is called `two`"),
        (&["-K"], "there is no terminal"),
        (
            &["--become-password-file", "none"],
            "cannot read the password file `none`",
        ),
    ] {
        let words = [&["apply", "s.yml", "-i", "h.yml"], words].concat();
        let ran = sandbox.run(&words);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{words:?}");
        assert!(ran.stderr.contains(said), "{words:?}: {}", ran.stderr);
    }
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let sandbox = Sandbox::new(&[("s.yml", "hosts: web\n")]);
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "xterm-256color")] {
        let mut command = sandbox.command(&["validate", "s.yml"]);
        command.env(name, value);
        let ran = crate::Ran::of(command);
        assert_eq!(ran.status, 1);
        assert!(!ran.stderr.contains('\u{1b}'), "{:?}", ran.stderr);
    }
}
