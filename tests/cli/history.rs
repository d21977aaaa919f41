//! `history` and `log`: runs that are over, shown from their logs.

use crate::{LOCAL, Sandbox};

const RUNS: &str = ".local/state/hadeploy/runs";

fn write(sandbox: &Sandbox, name: &str, text: &str) {
    let folder = sandbox.home(RUNS);
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join(name), text).expect("a log");
}

const GOOD: &str = r#"{"v":1,"time":"2026-11-20T10:15:30.100Z","event":"run_started","mode":"apply","run_id":"20261120t101530-aaaaaa","playbook":"site.yml","hosts":["n1","n2"],"log":"x"}
{"v":1,"time":"2026-11-20T10:15:30.200Z","event":"play_started","play":"web","hosts":["n1","n2"]}
{"v":1,"time":"2026-11-20T10:15:31.000Z","event":"task_finished","play":"web","task":"conf","host":"n1","status":"changed","at":"site.yml:4","kind":"copy","action":"update","changes":[{"field":"mode","before":"0600","after":"0644"},{"field":"content","before_sha256":"1","after_sha256":"2","diff":"--- content (before)\n+++ content (after)\n@@ -7,7 +7,7 @@\n a1\n a2\n a3\n-b\n+c\n d1\n d2\n d3\n"}],"effect":"none","unit":null,"msg":"","rc":null,"duration_ms":5,"rescued":false,"ignored":false,"known_after":null,"items":[],"failure":null}
{"v":1,"time":"2026-11-20T10:15:31.100Z","event":"task_finished","play":"web","task":"conf","host":"n2","status":"failed","at":"site.yml:4","kind":"copy","action":"none","changes":[],"effect":"none","unit":null,"msg":"no room","rc":1,"duration_ms":5,"rescued":false,"ignored":false,"known_after":null,"items":[],"failure":{"message":"no room","command":null,"rc":1,"output":["disk full"],"help":null}}
{"v":1,"time":"2026-11-20T10:15:32.000Z","event":"run_finished","exit_code":3,"reason":"1 host failed: n2","touched":true,"elapsed_ms":2000,"hosts":{"n1":{"ok":0,"changed":1,"skipped":0,"failed":0,"rescued":0,"ignored":0,"unknown":0,"unreachable":0,"round_trips":3,"streams":0},"n2":{"ok":0,"changed":0,"skipped":0,"failed":1,"rescued":0,"ignored":0,"unknown":0,"unreachable":0,"round_trips":3,"streams":0}}}
"#;

/// Killed, with a line that was cut and one that is none.
const KILLED: &str = r#"{"v":1,"time":"2026-11-21T10:15:30.100Z","event":"run_started","mode":"plan","run_id":"20261121t101530-bbbbbb","playbook":"db.yml","hosts":["d1"],"log":null}
no json
{"v":1,"time":"2026-11-21T10:15:31.000Z","event":"task_fin"#;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new(&[("s.yml", LOCAL)]);
    write(&sandbox, "20261120t101530-aaaaaa.jsonl", GOOD);
    write(&sandbox, "20261121t101530-bbbbbb.jsonl", KILLED);
    write(&sandbox, "notes.txt", "mine");
    sandbox
}

#[test]
fn runs_are_listed_with_how_they_ended() {
    let sandbox = sandbox();
    let ran = sandbox.run(&["history"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert_eq!(
        ran.stdout,
        "run                     when                  mode   playbook  hosts changes  result\n\
         20261120t101530-aaaaaa  2026-11-20 10:15:30Z  apply  site.yml      2       1  exit 3: 1 host failed: n2\n\
         20261121t101530-bbbbbb  2026-11-21 10:15:30Z  plan   db.yml        1          no end: it goes on, or was killed\n\
         2 lines of these logs could not be read\n"
    );
    let last = sandbox.run(&["history", "-n", "1"]);
    assert!(!last.stdout.contains("aaaaaa"), "{}", last.stdout);
    let events = sandbox.run(&["history", "--output", "json"]).events();
    assert_eq!(events.len(), 3);
    assert_eq!(events[0]["exit_code"], 3);
    assert_eq!(events[0]["changes"], 1);
    assert_eq!(events[1]["exit_code"], serde_json::Value::Null);
    assert_eq!(events[1]["damaged_lines"], 2);
}

#[test]
fn a_run_is_shown_again() {
    let sandbox = sandbox();
    let ran = sandbox.run(&["log", "20261120"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    let text = &ran.stdout;
    assert!(text.starts_with("run 20261120t101530-aaaaaa: apply of site.yml, 2026-11-20T10:15:30.100Z\nplay web (2 hosts)\n"), "{text}");
    for words in [
        "@@ -7,7 +7,7 @@\n     a1\n     a2\n     a3\n    -b\n    +c\n     d1\n",
        "no room",
        "disk full",
        "host  ok  changed  failed\nn1     0        1       0\nn2     0        0       1\n",
        "failed: 1 host failed: n2; 1 change made on 1 of 2 hosts (",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let one = sandbox.run(&["log", "20261120", "--host", "n1"]);
    assert!(
        !one.stdout.contains("no room") && one.stdout.contains("+c"),
        "{}",
        one.stdout
    );
    let json = sandbox.run(&["log", "20261120", "--host", "n2", "--output", "json"]);
    assert_eq!(json.events().len(), 4, "{}", json.stdout);
    assert_eq!(json.events()[2]["host"], "n2");
}

#[test]
fn a_log_without_an_end_says_so() {
    let sandbox = sandbox();
    let ran = sandbox.run(&["log"]);
    assert_eq!(ran.status, 0);
    assert_eq!(
        ran.stdout,
        "run 20261121t101530-bbbbbb: plan of db.yml, 2026-11-21T10:15:30.100Z\nthe log has no end: the run goes on, or was killed\n"
    );
    assert!(ran.stderr.contains("2 lines of"), "{}", ran.stderr);
    for text in [
        "",
        "\n",
        "{}\n",
        "[1]\n{\"event\":1}\n{\"event\":\"x\"}\n",
        "{\"event\":\"run_finished\"}\n",
        "\u{0}\u{1b}[2J",
    ] {
        write(&sandbox, "20261122t101530-cccccc.jsonl", text);
        let ran = sandbox.run(&["log"]);
        assert_eq!(ran.status, 0, "{text:?}: {}", ran.stderr);
        assert_eq!(sandbox.run(&["history"]).status, 0, "{text:?}");
    }
}

#[test]
fn runs_that_are_not_there_are_an_error() {
    let sandbox = sandbox();
    for (words, said) in [
        (&["log", "2027"][..], "no run is called `2027`"),
        (&["log", "2026112"], "2 runs begin with `2026112`"),
        (&["log", "20261120", "--host", "n3"], "did you mean `n"),
    ] {
        let ran = sandbox.run(words);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{words:?}");
        assert!(ran.stderr.contains(said), "{words:?}: {}", ran.stderr);
    }
    let empty = Sandbox::new(&[]);
    assert!(
        empty
            .run(&["history"])
            .stdout
            .starts_with("no run has left a log in")
    );
    assert_eq!(empty.run(&["log"]).status, 1);
}

/// What a run said is what its log says.
#[test]
fn a_real_run_is_shown_as_it_was_seen() {
    let sandbox = Sandbox::new(&[(
        "s.yml",
        "- name: here
  hosts: localhost
  gather_facts: false
  tasks:
    - name: write
      copy: {dest: '{{ to }}', content: \"one\\ntwo\\n\"}
    - name: stop
      fail: {msg: 'no way'}
",
    )]);
    let to = sandbox.home("file");
    std::fs::write(&to, "one\n2\n").expect("a file");
    let to = format!("to={}", to.display());
    let words = [
        "apply",
        "s.yml",
        "--lock-timeout",
        "2m",
        "--diff",
        "-e",
        &to,
    ];
    let ran = sandbox.run(&words);
    assert_eq!(ran.status, 3, "{}{}", ran.stdout, ran.stderr);
    let again = sandbox.run(&["log", "last"]);
    let (head, rest) = again.stdout.split_once('\n').expect("two lines");
    assert!(
        head.starts_with("run ") && head.contains(": apply of s.yml, "),
        "{head}"
    );
    // Only the command that goes on is not in the log.
    let seen = ran.stdout.split("; go on with").next().expect("a part");
    assert!(rest.starts_with(seen), "{rest}\n---\n{}", ran.stdout);
}
