//! What is told in pipelines: JUnit's report, GitHub's annotations and summary, GitLab's sections.

use crate::{LOCAL, Ran, Sandbox};

const BROKEN: &str = "- name: \"here & <there>\"
  hosts: localhost
  gather_facts: false
  tasks:
    - name: say it
      debug: {msg: hello}
    - name: \"ends: badly, 100%\"
      fail: {msg: \"one\\ntwo ::error::three\"}
";

#[test]
fn a_report_of_a_run_goes_to_standard_output_and_lines_for_people_to_the_other() {
    let sandbox = Sandbox::new(&[("s.yml", BROKEN)]);
    let ran = sandbox.run(&["apply", "s.yml", "--yes", "--output", "junit"]);
    assert_eq!(ran.status, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("ends: badly, 100%"), "{}", ran.stderr);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[0], "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    assert!(lines[1].starts_with("<testsuites name=\"hadeploy apply s.yml\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\" time=\""), "{}", ran.stdout);
    assert!(
        lines[2].starts_with("  <testsuite name=\"here &amp; &lt;there&gt;\" tests=\"2\""),
        "{}",
        ran.stdout
    );
    assert!(
        lines[3].starts_with("    <testcase name=\"say it\" classname=\"localhost\" time=\"0."),
        "{}",
        ran.stdout
    );
    assert!(
        lines[3].ends_with(" file=\"s.yml\" line=\"5\"/>"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout
            .contains("<failure message=\"one&#10;two ::error::three\">one\ntwo ::error::three"),
        "{}",
        ran.stdout
    );
    assert_eq!(lines.last(), Some(&"</testsuites>"));
}

#[test]
fn what_is_no_run_has_no_report() {
    let sandbox = Sandbox::new(&[("s.yml", LOCAL)]);
    for words in [&["validate", "s.yml"][..], &["hosts"], &["doc", "apt"]] {
        let ran = sandbox.run(&[words, &["--output", "junit"]].concat());
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{words:?}");
        assert!(
            ran.stderr.contains("no tasks to report"),
            "{words:?}: {}",
            ran.stderr
        );
    }
}

fn on_github(sandbox: &Sandbox, words: &[&str]) -> (Ran, String) {
    let summary = sandbox.home("summary.md");
    let mut command = sandbox.command(words);
    command
        .env("GITHUB_ACTIONS", "true")
        .env(
            "GITHUB_WORKSPACE",
            sandbox.home("..").canonicalize().expect("a folder"),
        )
        .env("GITHUB_STEP_SUMMARY", &summary);
    let ran = Ran::of(command);
    (ran, std::fs::read_to_string(summary).unwrap_or_default())
}

#[test]
fn github_gets_annotations_and_a_summary_and_no_command_of_a_node() {
    let sandbox = Sandbox::new(&[("s.yml", BROKEN)]);
    let (ran, summary) = on_github(&sandbox, &["apply", "s.yml", "--yes"]);
    assert_eq!(ran.status, 3, "{}", ran.stderr);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let token = lines[0]
        .strip_prefix("::stop-commands::")
        .expect("commands stop");
    assert_eq!(token.len(), 32);
    let at = lines
        .iter()
        .position(|line| line.starts_with("::error "))
        .expect("an annotation");
    assert_eq!(
        lines[at],
        "::error file=work/s.yml,line=7,title=ends%3A badly%2C 100%25 on localhost::one%0Atwo ::error::three"
    );
    assert_eq!(lines[at - 1], format!("::{token}::"));
    assert_eq!(lines[at + 1], format!("::stop-commands::{token}"));
    assert_eq!(lines.last(), Some(&format!("::{token}::").as_str()));
    // Between them, nothing is taken for a command.
    let open = lines
        .iter()
        .filter(|line| **line == format!("::{token}::"))
        .count();
    assert_eq!(open, 2);
    for part in [
        "### hadeploy apply s.yml\n",
        "| localhost | 1 | 0 | 0 | 1 | 0 |",
        "| localhost | ends: badly, 100% | s.yml:7 | one two ::error::three |",
    ] {
        assert!(summary.contains(part), "{part}\n---\n{summary}");
    }
}

#[test]
fn github_gets_what_is_wrong_in_files_at_its_line_and_json_stays_json() {
    let sandbox = Sandbox::new(&[(
        "s.yml",
        "- hosts: localhost\n  tasks:\n    - copi: {a: b}\n",
    )]);
    let (ran, _) = on_github(&sandbox, &["validate", "s.yml"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
    assert!(
        ran.stderr
            .contains("\n::error file=work/s.yml,line=3,title=hadeploy::"),
        "{}",
        ran.stderr
    );
    let (ran, _) = on_github(&sandbox, &["validate", "s.yml", "--output", "json"]);
    assert!(!ran.events().is_empty());
    assert!(
        ran.stderr.starts_with("::error file=work/s.yml,line=3,"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_a_program_paints_is_no_part_of_a_report() {
    let playbook = "- hosts: localhost
  gather_facts: false
  tasks:
    - name: fails
      shell: printf '\\033[31mred\\033[0m end\\nlast' >&2; exit 1
";
    let sandbox = Sandbox::new(&[("s.yml", playbook)]);
    let (ran, summary) = on_github(&sandbox, &["apply", "s.yml", "--yes"]);
    assert!(ran.stdout.contains("%0Ared end%0A"), "{}", ran.stdout);
    assert!(!ran.stdout.contains('\u{1b}'), "{}", ran.stdout);
    assert!(summary.contains("1 host failed: localhost ("), "{summary}");
    let ran = sandbox.run(&["apply", "s.yml", "--yes", "--output", "junit"]);
    assert!(ran.stdout.contains("\nred end\n"), "{}", ran.stdout);
    // A page that GitHub would drop whole.
    let long = "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - fail: {msg: \"{{ 'x' * 200000 }}\"}\n";
    let sandbox = Sandbox::new(&[("s.yml", long)]);
    let (ran, summary) = on_github(&sandbox, &["apply", "s.yml", "--yes"]);
    assert_eq!(ran.status, 3, "{}", ran.stderr);
    assert!(
        summary.len() < 2_000 && summary.contains("xxx… |"),
        "{}",
        summary.len()
    );
}

#[test]
fn gitlab_can_fold_each_play() {
    let sandbox = Sandbox::new(&[("s.yml", LOCAL)]);
    let mut command = sandbox.command(&["apply", "s.yml", "--yes"]);
    command.env("GITLAB_CI", "true");
    let ran = Ran::of(command);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let start = ran.stdout.find("section_start:").expect("a section");
    let end = ran.stdout.find("section_end:").expect("its end");
    let said = ran.stdout.find("say it").expect("the task");
    assert!(start < said && said < end, "{}", ran.stdout);
    let plain = sandbox.run(&["apply", "s.yml", "--yes"]);
    assert!(!plain.stdout.contains("section_"));
}

/// What was in a vault or is masked elsewhere is masked here.
#[test]
fn secrets_stay_hidden() {
    let playbook = "- hosts: localhost
  gather_facts: false
  tasks:
    - name: fails
      command: /bin/sh -c 'echo hunter2secret; exit 1'
      no_log: true
";
    let sandbox = Sandbox::new(&[("s.yml", playbook)]);
    let (ran, summary) = on_github(&sandbox, &["apply", "s.yml", "--yes", "--output", "junit"]);
    assert_eq!(ran.status, 3);
    for text in [&ran.stdout, &ran.stderr, &summary] {
        assert!(!text.contains("hunter2secret"), "{text}");
    }
    assert!(ran.stdout.contains("<failure "), "{}", ran.stdout);
}

#[test]
fn the_summary_of_a_deploy_names_the_release() {
    let inventory = "web:\n  hosts:\n    gone: {ansible_host: 127.0.0.1, ansible_port: 1}\n";
    let play = "- hosts: web\n  become: true\n  gather_facts: false\n  rolling: {health: {ports: [80]}}\n  tasks:\n    - ping:\n";
    let title = "### hadeploy rolling-update s.yml";
    for (words, head) in [
        (
            &["rolling-update", "s.yml", "-e", "app_release=v42"][..],
            format!("{title}, release v42\n"),
        ),
        (
            &["deploy", "4b825dc642cb", "--playbook", "s.yml"],
            format!("{title}, release 4b825dc642cb\n"),
        ),
        (&["rolling-update", "s.yml"], format!("{title}\n")),
        // Which one that is, nodes say.
        (&["rollback", "--playbook", "s.yml"], format!("{title}\n")),
    ] {
        let sandbox = Sandbox::new(&[("h.yml", inventory), ("s.yml", play)]);
        let words = [words, &["-i", "h.yml", "--yes"]].concat();
        let (ran, summary) = on_github(&sandbox, &words);
        assert_eq!(ran.status, 1, "{words:?}: {}", ran.stdout);
        assert!(summary.starts_with(&head), "{words:?}: {summary}");
        let mut command = sandbox.command(&words);
        command.args(["--output", "json"]);
        let events = Ran::of(command).events();
        let told = events.iter().find(|event| event["event"] == "release");
        let named = head.contains("release");
        assert_eq!(told.is_some(), named, "{words:?}: {events:?}");
    }
}
