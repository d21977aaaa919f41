//! What the keywords of a task come to, in a plan and in an apply.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use hadeploy::event::{Mode, Status};

use crate::bench::Bench;

use Status::{Changed, Failed, Ok, Skipped, Unknown};

/// The task `t` behind what is written, how it ends in a plan, and in an apply.
const TABLE: &[(&str, Status, Status)] = &[
    ("{shell: 'true'}", Unknown, Changed),
    ("{shell: 'true', changed_when: false}", Unknown, Ok),
    ("{shell: 'exit 2'}", Unknown, Failed),
    ("{shell: 'exit 2', ignore_errors: true}", Unknown, Failed),
    ("{shell: 'exit 2', failed_when: false}", Unknown, Changed),
    (
        "{file: {path: '{{ dir }}/none', state: file, mode: '0600'}, failed_when: false}",
        Ok,
        Ok,
    ),
    (
        "{file: {path: '{{ dir }}/{{ item }}', state: file}, failed_when: false, loop: [a, b]}",
        Ok,
        Ok,
    ),
    (
        "{shell: 'exit {{ item }}', failed_when: false, loop: [0, 2]}",
        Unknown,
        Changed,
    ),
    ("{fail: {msg: no}, failed_when: false}", Ok, Ok),
    (
        "{shell: 'exit 2', register: r, failed_when: r.rc != 2, changed_when: r.rc == 3}",
        Unknown,
        Ok,
    ),
    (
        "{shell: 'echo bad', register: r, failed_when: \"'bad' in r.stdout\"}",
        Unknown,
        Failed,
    ),
    ("{shell: 'echo hi', check_mode: false}", Changed, Changed),
    (
        "{shell: 'echo hi', check_mode: false, changed_when: false}",
        Ok,
        Ok,
    ),
    ("{shell: 'true', when: false}", Skipped, Skipped),
    ("{shell: 'true', when: [true, '1 == 1']}", Unknown, Changed),
    ("{shell: 'echo {{ item }}', loop: [1, 2]}", Unknown, Changed),
    (
        "{shell: 'echo {{ item }}', loop: [1, 2], when: item > 2}",
        Skipped,
        Skipped,
    ),
    (
        "{shell: 'exit {{ item }}', loop: [0, 1, 0]}",
        Unknown,
        Failed,
    ),
    ("{shell: 'true', loop: []}", Skipped, Skipped),
    (
        "{copy: {content: x, dest: '{{ dir }}/x'}}",
        Changed,
        Changed,
    ),
    ("{file: {path: '{{ dir }}', state: directory}}", Ok, Ok),
    ("{fail: {msg: no}, when: 1 == 2}", Skipped, Skipped),
    ("{debug: {msg: hi}}", Ok, Ok),
    ("{set_fact: {x: 1}}", Ok, Ok),
];

fn play(task: &str) -> String {
    format!(
        "- name: p\n  hosts: all\n  gather_facts: false\n  tasks:\n    - {}\n",
        task.replacen('{', "{name: t, ", 1)
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn each_keyword_in_both_modes() {
    for (task, planned, applied) in TABLE {
        let bench = Bench::new(&["a"]);
        for (mode, wanted) in [(Mode::Plan, planned), (Mode::Apply, applied)] {
            let told = bench.run(mode, &play(task)).await;
            assert_eq!(
                told.status("t"),
                Some(*wanted),
                "{mode:?} of {task}\n{}",
                told.story()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_registered_is_read_later() {
    let bench = Bench::new(&["a"]);
    let told = bench
        .apply(
            r#"- name: p
  hosts: all
  gather_facts: false
  tasks:
    - {shell: "echo '{{ item }}'; exit {{ item }}", loop: [0, 3], register: r, ignore_errors: true}
    - {shell: "true", when: false, register: s}
    - {copy: {content: "{{ item }}", dest: "{{ dir }}/c"}, register: c, loop: [k]}
    - {set_fact: {x: "{{ r.results[1].rc }}"}}
    - name: t
      assert:
        that:
          - r is failed
          - r.results | map(attribute='rc') | list == [0, 3]
          - r.results[0].item == 0 and r.results[0].stdout == '0'
          - s is skipped and s is not changed
          - c is changed and c.results | length == 1
          - x | int == 3
"#,
        )
        .await;
    assert_eq!(told.status("t"), Some(Ok), "{}", told.story());
}

/// As in ansible-core 2.19: a command that ended has changed something, whatever its status; what never got to act has not.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_is_passed_over_has_changed_what_its_act_did() {
    let bench = Bench::new(&["a"]);
    let tasks = r#"- name: p
  hosts: all
  gather_facts: false
  tasks:
    - {file: {path: "{{ dir }}/none", state: file}, failed_when: false, register: file, notify: left}
    - {file: {path: "{{ dir }}/none", state: file}, ignore_errors: true, register: kept}
    - {file: {path: "{{ dir }}/{{ item }}", state: file}, failed_when: false, register: files, loop: [a, b], notify: left}
    - {shell: exit 3, failed_when: false, register: ended, notify: raised, check_mode: false}
    - {shell: exit 3, ignore_errors: true, register: ignored, check_mode: false}
    - {shell: exit 3, ignore_errors: true, register: quiet, check_mode: false, changed_when: false}
    - {shell: exit 0, ignore_errors: true, register: judged, check_mode: false, failed_when: true}
    - {shell: "exit {{ item }}", failed_when: false, register: all, loop: [3, 0], check_mode: false}
    - name: t
      assert:
        that:
          - file is not changed and file is not failed and file.changed == false
          - kept is failed and kept is not changed
          - files is not changed and files.results | map(attribute='changed') | list == [false, false]
          - ended is changed and ended is not failed and ended.rc == 3
          - ignored is failed and ignored is changed
          - quiet is failed and quiet is not changed
          - judged is failed and judged is changed
          - all is changed and all.results | map(attribute='changed') | list == [true, true]
  handlers:
    - {name: left, debug: {msg: x}}
    - {name: raised, debug: {msg: x}}
"#;
    for mode in [Mode::Plan, Mode::Apply] {
        let told = bench.run(mode, tasks).await;
        assert_eq!(told.status("t"), Some(Ok), "{mode:?}\n{}", told.story());
        let handled = (told.status("left"), told.status("raised"));
        assert_eq!(handled, (None, Some(Ok)), "{mode:?}\n{}", told.story());
    }
    assert_eq!(bench.host().owed(), 0);
}

fn listing(folder: &Path, found: &mut BTreeMap<String, (i64, i64, u64)>) {
    let meta = folder.symlink_metadata().expect("there");
    let key = folder.display().to_string();
    found.insert(key, (meta.mtime(), meta.mtime_nsec(), meta.ino()));
    if meta.is_dir() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            listing(&entry.expect("there").path(), found);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_writes_nothing() {
    let bench = Bench::new(&["a"]);
    std::fs::write(bench.host().path("f"), "old\n").expect("written");
    let look = || {
        let mut found = BTreeMap::new();
        listing(Path::new(&bench.host().folder), &mut found);
        found
    };
    let before = look();
    let told = bench
        .plan(
            r#"- name: p
  hosts: all
  tasks:
    - {copy: {content: new, dest: "{{ dir }}/f"}, notify: h}
    - {lineinfile: {path: "{{ dir }}/f", line: more}}
    - {file: {path: "{{ dir }}/d", state: directory}}
    - {shell: "touch {{ dir }}/touched", register: r}
    - {copy: {content: "{{ r.stdout }}", dest: "{{ dir }}/g"}}
    - {shell: "cat {{ dir }}/f", check_mode: false, changed_when: false, register: q}
    - {name: t, debug: {msg: "{{ q.stdout }}"}}
  handlers:
    - {name: h, shell: "touch {{ dir }}/handled"}
"#,
        )
        .await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(told.status("t"), Some(Ok), "{}", told.story());
    assert_eq!(before, look());
    assert!(!bench.host().base().exists(), "a plan takes no lease");
}
