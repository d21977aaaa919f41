//! `serial`, how many hosts may fail, and `run_once`.

use hadeploy::event::{Mode, Status};

use crate::bench::{Bench, Told};

/// A play whose `{all}` is a file that all hosts share.
fn play(bench: &Bench, head: &str, tasks: &str) -> String {
    let shared = bench.host().path("all").display().to_string();
    format!("- name: p\n  hosts: all\n  gather_facts: false\n{head}  tasks:\n{tasks}")
        .replace("{all}", &shared)
}

const HANDLER: &str =
    "  handlers:\n    - {name: h, shell: \"echo h{{ inventory_hostname }} >> {all}\"}\n";

fn log(bench: &Bench) -> Vec<String> {
    let log = bench.host().read("all");
    log.lines().map(str::to_owned).collect()
}

fn failed(told: &Told) -> Vec<&str> {
    let hosts = told.recap.hosts.iter();
    hosts
        .filter(|(_, tally)| tally.failed > 0)
        .map(|(name, _)| &**name)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_do_the_play_one_after_the_other_with_their_handlers() {
    let bench = Bench::new(&["a", "b", "c", "d"]);
    let tasks = "    - {shell: \"echo 1{{ inventory_hostname }}{{ ansible_play_batch | join('') }}{{ ansible_play_hosts | length }} >> {all}\", notify: h}\n";
    let tasks = format!("{tasks}{HANDLER}");
    let told = bench
        .apply(&play(&bench, "  serial: [1, \"50%\"]\n", &tasks))
        .await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    let mut lines = log(&bench);
    lines[2..4].sort();
    lines[4..6].sort();
    assert_eq!(
        lines,
        ["1aa4", "ha", "1bbc4", "1cbc4", "hb", "hc", "1dd4", "hd"],
        "{}",
        told.story()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_hosts_all_failed_ends_the_play() {
    let bench = Bench::new(&["a", "b", "c"]);
    let fails = "    - {shell: \"echo {{ inventory_hostname }} >> {all}; test {{ inventory_hostname }} != b\"}\n";
    let told = bench.apply(&play(&bench, "  serial: 1\n", fails)).await;
    assert_eq!(told.recap.exit_code, 3, "{}", told.story());
    assert_eq!(log(&bench), ["a", "b"]);
    assert_eq!(failed(&told), ["b"]);
    assert!(told.warnings()[0].ends_with("every host of the batch failed: nothing was done on c"));
}

/// Counted over the whole play, also in the middle of a batch.
#[tokio::test(flavor = "multi_thread")]
async fn more_failures_than_may_be_stop_the_others() {
    let tasks = "    - {shell: \"test {{ inventory_hostname }} != a\"}\n    - {shell: \"echo {{ inventory_hostname }} >> {all}\"}\n";
    for (head, wanted) in [
        ("  any_errors_fatal: true\n", &[][..]),
        ("  max_fail_percentage: 24\n", &[]),
        ("  max_fail_percentage: 25\n", &["b", "c", "d"]),
        ("  serial: 2\n  max_fail_percentage: 24\n", &[]),
        ("  serial: 2\n  max_fail_percentage: 25\n", &["b", "c", "d"]),
    ] {
        let bench = Bench::new(&["a", "b", "c", "d"]);
        let told = bench.apply(&play(&bench, head, tasks)).await;
        assert_eq!(told.recap.exit_code, 3, "{head}{}", told.story());
        let mut lines = log(&bench);
        lines.sort();
        assert_eq!(lines, wanted, "{head}{}", told.story());
        assert_eq!(failed(&told), ["a"], "{head}");
    }
}

/// A host counts as failed from the failure on, and not only when its forced handlers have run.
#[tokio::test(flavor = "multi_thread")]
async fn forced_handlers_run_where_the_others_stop() {
    let bench = Bench::new(&["a", "b", "c"]);
    let tasks = format!(
        "    - {{shell: \"true\", notify: h}}\n    - {{shell: \"test {{{{ inventory_hostname }}}} != a\"}}\n    - {{shell: \"echo {{{{ inventory_hostname }}}} >> {{all}}\"}}\n{HANDLER}"
    );
    let head = "  any_errors_fatal: true\n  force_handlers: true\n";
    let told = bench.apply(&play(&bench, head, &tasks)).await;
    assert_eq!(told.recap.exit_code, 3, "{}", told.story());
    assert_eq!(log(&bench), ["ha"], "{}", told.story());
    assert_eq!(failed(&told), ["a"]);
}

const ONCE: &str = r#"    - {name: once, shell: "echo once{{ inventory_hostname }} >> {all}; echo said", run_once: true, register: r, notify: h}
    - {name: fact, set_fact: {x: "{{ inventory_hostname }}"}, run_once: true}
    - {shell: "echo {{ r.stdout }}{{ x }} >> {all}"}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn one_host_does_it_for_all_batches() {
    for head in ["", "  serial: 1\n"] {
        let bench = Bench::new(&["a", "b", "c"]);
        let text = play(
            &bench,
            head,
            &format!("{ONCE}{HANDLER}")
                .replace("{all}", &bench.host().path("all").display().to_string()),
        );
        let told = bench.plan(&text).await;
        assert_eq!(told.recap.exit_code, 0, "{}", told.story());
        assert_eq!(told.tasks().filter(|task| &*task.task == "once").count(), 1);
        let told = bench.apply(&text).await;
        assert_eq!(told.recap.exit_code, 0, "{}", told.story());
        let mut lines = log(&bench);
        assert_eq!(lines[0], "oncea");
        lines.sort();
        assert_eq!(
            lines,
            ["ha", "oncea", "saida", "saida", "saida"],
            "{}",
            told.story()
        );
        assert_eq!(told.tasks().filter(|task| &*task.task == "once").count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_what_runs_once_is_everybodys() {
    let bench = Bench::new(&["a", "b"]);
    let tasks =
        "    - {shell: \"exit 3\", run_once: true}\n    - {shell: \"echo never >> {all}\"}\n";
    let told = bench.apply(&play(&bench, "", tasks)).await;
    assert_eq!(told.recap.exit_code, 3, "{}", told.story());
    assert_eq!(log(&bench), [""; 0]);
    assert!(told.recap.reason.contains("a, b"), "{}", told.recap.reason);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_what_runs_once_is_rescued_everywhere() {
    let bench = Bench::new(&["a", "b"]);
    let tasks = "    - block:\n        - {shell: \"exit 3\", run_once: true}\n      rescue:\n        - {shell: \"echo {{ inventory_hostname }} >> {all}\"}\n    - {shell: \"echo {{ inventory_hostname }} >> {all}\"}\n";
    let told = bench.apply(&play(&bench, "", tasks)).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    let mut lines = log(&bench);
    lines.sort();
    assert_eq!(lines, ["a", "a", "b", "b"], "{}", told.story());
}

/// The first host is out before it comes there, or does not come there at all.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_live_host_does_it() {
    let bench = Bench::new(&["a", "b", "c"]);
    let tasks = "    - {shell: \"test {{ inventory_hostname }} != a\"}\n    - {shell: \"echo {{ inventory_hostname }} >> {all}\", run_once: true}\n";
    let told = bench.apply(&play(&bench, "", tasks)).await;
    assert_eq!(log(&bench), ["b"], "{}", told.story());
    let bench = Bench::new(&["a", "b", "c"]);
    let tasks = "    - block: [{shell: \"test {{ inventory_hostname }} != c\"}]\n      rescue: [{shell: \"echo {{ inventory_hostname }} >> {all}\", run_once: true}]\n    - {shell: \"echo z >> {all}\", run_once: true}\n";
    let told = bench.apply(&play(&bench, "", tasks)).await;
    assert_eq!(log(&bench), ["c", "z"], "{}", told.story());
}

/// Also where another task decides it, and only of the hosts on which it does.
#[tokio::test(flavor = "multi_thread")]
async fn run_once_may_be_a_template() {
    let tasks = r#"    - {shell: "echo yes", register: r, check_mode: false}
    - {name: one, shell: "echo one{{ inventory_hostname }} >> {all}; echo said", run_once: "{{ r.stdout == 'yes' }}", register: s}
    - {name: told, assert: {that: s.stdout == 'said'}}
    - {name: each, shell: "echo each >> {all}", run_once: "{{ x | default(false) }}"}
    - {name: some, shell: "echo some{{ inventory_hostname }} >> {all}", run_once: "{{ inventory_hostname != 'a' }}"}
    - {name: there, set_fact: {y: "{{ inventory_hostname }}"}, delegate_to: c, delegate_facts: "{{ inventory_hostname == 'a' }}", when: inventory_hostname == 'a'}
    - {name: found, assert: {that: "hostvars.c.y == 'a'"}}
"#;
    let bench = Bench::new(&["a", "b", "c"]);
    let told = bench.apply(&play(&bench, "", tasks)).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    let mut lines = log(&bench);
    lines.sort();
    assert_eq!(
        lines,
        ["each", "each", "each", "onea", "somea", "someb"],
        "{}",
        told.story()
    );
}

/// Waiting for another host costs no script.
#[tokio::test(flavor = "multi_thread")]
async fn unchanged_tasks_that_run_once_cost_nothing() {
    let bench = Bench::new(&["a", "b", "c"]);
    let tasks: String = (0..5)
        .map(|n| format!("    - {{copy: {{content: x, dest: \"{{{{ dir }}}}/{n}\"}}, run_once: true, register: r{n}}}\n    - {{copy: {{content: \"{{{{ r{n}.changed }}}}\", dest: \"{{{{ dir }}}}/o{n}\"}}}}\n"))
        .collect();
    let text = play(&bench, "", &tasks).replace("{{ r", "{{ false and r");
    assert_eq!(bench.apply(&text).await.recap.exit_code, 0);
    bench.rested().await;
    for mode in [Mode::Apply, Mode::Plan] {
        let told = bench.run(mode, &text).await;
        assert!(
            told.tasks().all(|task| task.status == Status::Ok),
            "{}",
            told.story()
        );
        for (name, tally) in &told.recap.hosts {
            assert!(tally.round_trips <= 3, "{name}: {}", told.story());
        }
    }
}

/// Who is still in the play is known only when the slowest host has come as far.
#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_are_left_are_told_in_the_order_of_tasks() {
    let bench = Bench::new(&["a", "b"]);
    let tasks = "    - {name: slow, shell: \"sleep 0.4; false\", when: inventory_hostname == 'a'}\n    - {name: left, set_fact: {left: \"{{ ansible_play_hosts }} {{ play_hosts }}\"}}\n    - {name: told, assert: {that: \"left == \\\"['b'] ['b']\\\"\"}}\n";
    let told = bench.apply(&play(&bench, "", tasks)).await;
    assert_eq!(failed(&told), ["a"], "{}", told.story());
    assert_eq!(told.status("told"), Some(Status::Ok), "{}", told.story());
}
