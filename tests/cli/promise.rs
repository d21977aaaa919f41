//! `plan --out FILE` and `apply --from FILE` on this machine; exit statuses of plans.

use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::{Ran, Sandbox};

/// Two files below the playbook's folder, one from a template.
const PLAY: &str = r#"- name: here
  hosts: localhost
  gather_facts: false
  tasks:
    - name: conf
      template: {src: conf.j2, dest: "{{ playbook_dir }}/out/conf", mode: "0600"}
      notify: restart of the promise
    - name: notes
      copy: {content: "{{ token | default('none') }}\n", dest: "{{ playbook_dir }}/out/notes"}
  handlers:
    - name: restart of the promise
      service: {name: hadeploy-no-such-unit, state: restarted}
      when: false
"#;

/// One project at a time: a handler that one apply on this machine owes for a moment, another one of the same name would find.
struct Project {
    sandbox: Sandbox,
    _turn: MutexGuard<'static, ()>,
}

impl Deref for Project {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

fn sandbox() -> Project {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let files = [
        ("s.yml", PLAY),
        ("templates/conf.j2", "listen 80\n"),
        ("out/keep", ""),
    ];
    Project {
        sandbox: Sandbox::new(&files),
        _turn: turn,
    }
}

/// Runs as who really runs the tests: files that are written belong to that account.
fn run(sandbox: &Sandbox, words: &[&str]) -> Ran {
    let name = std::process::Command::new("id").arg("-un").output();
    let name = String::from_utf8(name.expect("id").stdout).expect("text");
    let mut command = sandbox.command(words);
    command.env("USER", name.trim());
    Ran::of(command)
}

/// Applies on this machine take turns: they share its lease.
fn apply(sandbox: &Sandbox, words: &[&str]) -> Ran {
    run(
        sandbox,
        &[
            &["apply", "--lock-timeout", "2m", "--output", "json"],
            words,
        ]
        .concat(),
    )
}

fn moved(ran: &Ran) -> Vec<String> {
    let events = ran.events();
    let moved = events.iter().filter(|event| event["event"] == "plan_moved");
    let text = |event: &Value, name: &str| event[name].as_str().unwrap_or("").to_owned();
    moved
        .map(|event| {
            let what = text(event, "task") + &text(event, "file");
            let words = ["field", "planned", "now"].map(|name| text(event, name));
            format!("{what} {}: {} / {}", words[0], words[1], words[2])
        })
        .collect()
}

fn saved(sandbox: &Sandbox, words: &[&str]) -> std::path::PathBuf {
    let ran = run(
        sandbox,
        &[&["plan", "s.yml", "--out", "p.plan"], words].concat(),
    );
    assert_eq!(ran.status, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("saved to p.plan"), "{}", ran.stdout);
    if ran.stdout.contains("pending") {
        assert!(ran.stdout.contains(" --from p.plan`"), "{}", ran.stdout);
    }
    sandbox.home("../work/p.plan")
}

#[test]
fn a_saved_plan_is_applied_once() {
    let sandbox = sandbox();
    let file = saved(&sandbox, &[]);
    let mode = std::fs::metadata(&file)
        .expect("a plan")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let ran = apply(&sandbox, &["--from", "p.plan"]);
    assert_eq!(ran.status, 0, "{}{}", ran.stdout, ran.stderr);
    let conf = sandbox.home("../work/out/conf");
    assert_eq!(
        std::fs::read_to_string(&conf).expect("applied"),
        "listen 80\n"
    );
    let again = apply(&sandbox, &["--from", "p.plan"]);
    assert_eq!(again.status, 1, "{}", again.stdout);
    assert_eq!(
        moved(&again),
        [
            "conf change: create (content, mode 0600) / nothing",
            "notes change: create (content) / nothing",
            "restart of the promise task: skipped / it does not come"
        ]
    );
    let events = again.events();
    let last = events.last().expect("an end");
    assert_eq!(last["touched"], false);
    assert!(
        last["reason"]
            .as_str()
            .expect("words")
            .contains("plan again"),
        "{last}"
    );
    // A plan without changes is done without anything.
    saved(&sandbox, &[]);
    let ran = apply(&sandbox, &["--from", "p.plan"]);
    assert_eq!(ran.status, 0, "{}{}", ran.stdout, ran.stderr);
    let events = ran.events();
    assert_eq!(
        events.last().expect("an end")["hosts"]["localhost"]["ok"],
        2
    );
}

#[test]
fn what_moved_on_the_node_is_said_and_nothing_is_written() {
    let sandbox = sandbox();
    saved(&sandbox, &[]);
    let conf = sandbox.home("../work/out/conf");
    std::fs::write(&conf, "by hand\n").expect("written");
    let ran = apply(&sandbox, &["--from", "p.plan"]);
    assert_eq!(ran.status, 1, "{}", ran.stdout);
    let moved = moved(&ran);
    assert_eq!(moved[0], "conf action: create / update");
    assert!(moved[1].starts_with("conf content: "), "{moved:?}");
    assert_eq!(std::fs::read_to_string(&conf).expect("there"), "by hand\n");
    assert!(!sandbox.home("../work/out/notes").exists());
    let words = run(&sandbox, &["apply", "--from", "p.plan", "--yes"]);
    assert_eq!(words.status, 1);
    for said in ["localhost  moved  conf (s.yml:5)", "nothing was touched"] {
        assert!(words.stdout.contains(said), "{}", words.stdout);
    }
}

#[test]
fn what_changed_in_the_project_is_named_before_anything_connects() {
    let sandbox = sandbox();
    saved(&sandbox, &[]);
    let template = sandbox.home("../work/templates/conf.j2");
    std::fs::write(template, "listen 81\n").expect("written");
    let ran = apply(&sandbox, &["--from", "p.plan"]);
    assert_eq!(ran.status, 1, "{}", ran.stdout);
    assert_eq!(
        moved(&ran),
        ["templates/conf.j2 file: as it was read / changed"]
    );
    assert!(!sandbox.home("../work/out/conf").exists());
}

#[test]
fn a_plan_of_something_else_is_refused() {
    let sandbox = sandbox();
    saved(&sandbox, &["-e", "token=hunter2"]);
    let text = std::fs::read_to_string(sandbox.home("../work/p.plan")).expect("a plan");
    for (name, text) in [
        ("cut.plan", text[..text.len() / 2].to_owned()),
        ("edited.plan", text.replace("\"conf\"", "\"cnof\"")),
        (
            "newer.plan",
            text.replace("\"hadeploy_plan\": 1", "\"hadeploy_plan\": 9"),
        ),
        ("other.plan", "{}".to_owned()),
    ] {
        std::fs::write(sandbox.home("../work").join(name), text).expect("written");
    }
    for (words, said) in [
        (
            &["--from", "none.plan"][..],
            "cannot apply the plan `none.plan`: No such file",
        ),
        (&["--from", "cut.plan"], "it is no plan of hadeploy"),
        (&["--from", "edited.plan"], "it was altered or cut off"),
        (&["--from", "newer.plan"], "made by a newer hadeploy"),
        (&["--from", "other.plan"], "it has no `hadeploy_plan`"),
        (
            &["t.yml", "--from", "p.plan"],
            "of another playbook: `s.yml`, not `t.yml`",
        ),
        (
            &["--from", "p.plan", "-l", "n1"],
            "of another `--limit`: none, not `n1`",
        ),
        (&["--from", "p.plan"], "with other extra variables: `token`"),
        (
            &["--from", "p.plan", "-e", "token=hunter3"],
            "with other extra variables: `token`",
        ),
    ] {
        let ran = run(&sandbox, &[&["apply", "--yes"], words].concat());
        assert_eq!(ran.status, 1, "{words:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(said), "{words:?}: {}", ran.stderr);
    }
    assert!(!sandbox.home("../work/out/conf").exists());
    let ran = apply(
        &sandbox,
        &["s.yml", "--from", "p.plan", "-e", "token=hunter2"],
    );
    assert_eq!(ran.status, 0, "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn a_plan_that_failed_is_not_saved() {
    let sandbox = Sandbox::new(&[(
        "s.yml",
        "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - fail: {msg: no}\n",
    )]);
    let ran = run(
        &sandbox,
        &["plan", "s.yml", "--out", "p.plan", "--output", "json"],
    );
    assert_eq!(ran.status, 1, "{}", ran.stdout);
    assert!(
        ran.stdout.contains("`p.plan` was not written"),
        "{}",
        ran.stdout
    );
    assert!(!sandbox.home("../work/p.plan").exists());
    let ran = run(&sandbox, &["plan", "s.yml", "--out", "no/such/p.plan"]);
    assert_eq!(ran.status, 1, "{}", ran.stdout);
}

#[test]
fn a_plan_tells_by_its_exit_status_whether_something_is_pending() {
    let failing = "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - copy: {content: x, dest: /tmp/hadeploy-never}\n    - fail: {msg: no}\n";
    let sandbox = Sandbox::new(&[
        ("s.yml", PLAY),
        ("templates/conf.j2", "a"),
        ("out/keep", ""),
        ("f.yml", failing),
    ]);
    let status = |words: &[&str]| run(&sandbox, &[&["plan"], words].concat()).status;
    assert_eq!(status(&["s.yml"]), 0);
    assert_eq!(
        status(&["s.yml", "--detailed-exitcode", "--output", "json"]),
        2
    );
    // A failure beats what is pending.
    assert_eq!(status(&["f.yml", "--detailed-exitcode"]), 1);
    let ran = apply(&sandbox, &["s.yml"]);
    assert_eq!(ran.status, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(
        status(&["s.yml", "--detailed-exitcode", "--output", "json"]),
        0
    );
}
