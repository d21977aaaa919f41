//! Roles that say what their arguments are: the first task of the role checks them. What is said is what ansible-core 2.19 says.

use hadeploy::event::{Mode, Status};

use crate::bench::Bench;
use crate::includes::{log, written_out};

const SPEC: &str = "argument_specs:
  main:
    short_description: a server
    options:
      port: {type: int, required: true}
      names: {type: list, elements: str}
      key: {type: str, no_log: true, choices: [abc]}
";
const CHECK: &str = "r : Validating arguments against arg spec 'main' - a server";

fn bench() -> Bench {
    let bench = Bench::new(&["a"]);
    bench.file("roles/r/meta/argument_specs.yml", SPEC);
    bench.file(
        "roles/r/tasks/main.yml",
        &written_out("- log r{{ port }}\n"),
    );
    bench
}

fn play(tasks: &str) -> String {
    let tasks = written_out(tasks);
    format!("- name: p\n  hosts: all\n  gather_facts: false\n  tasks:\n{tasks}")
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_the_run_are_checked_before_the_role_does_anything() {
    let bench = bench();
    let first = play(
        "    - {command: echo 80, register: told}\n    - include_role: {name: r}\n      vars: {port: '{{ told.stdout }}', names: '{{ nothing | default(omit) }}'}\n",
    );
    let second = play(
        "    - set_fact: {port: eighty, key: hidden}\n    - include_role: {name: r}\n    - log no\n",
    );
    let told = bench.apply(&format!("{first}{second}")).await;
    assert_eq!(log(&bench), "r80", "{}", told.story());
    let checks = told.tasks().filter(|task| &*task.task == CHECK);
    let checks: Vec<(Status, &str)> = checks.map(|task| (task.status, &*task.msg)).collect();
    assert_eq!(
        checks,
        [
            (Status::Ok, "The arg spec validation passed"),
            (
                Status::Failed,
                "Validation of arguments failed:\nargument 'port' is of type str and we were unable to convert to int: \"'eighty'\" cannot be converted to an int\nvalue of key must be one of: abc, got: ********"
            )
        ],
        "{}",
        told.story()
    );
    assert!(!told.story().contains("hidden"), "{}", told.story());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rescue_reads_what_was_wrong() {
    let bench = bench();
    let told = bench
        .apply(&play(
            "    - set_fact: {names: {k: 1}, wanted: '{{ nothing | default(omit) }}'}\n    - block:\n        - include_role: {name: r}\n          vars: {port: '{{ nothing | default(omit) }}'}\n      rescue:\n        - log {{ ansible_failed_result.argument_errors | length }} {{ ansible_failed_result.argument_errors | first }} {{ ansible_failed_result.validate_args_context.name }}\n",
        ))
        .await;
    assert_eq!(
        log(&bench),
        "2 missing required arguments: port r",
        "{}",
        told.story()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_it_waits_for() {
    let bench = bench();
    let told = bench
        .run(
            Mode::Plan,
            &play(
                "    - {command: echo 80, register: told}\n    - include_role: {name: r}\n      vars: {port: '{{ told.stdout }}'}\n",
            ),
        )
        .await;
    let check = told.tasks().find(|task| &*task.task == CHECK);
    let check = check.expect("the task is told of");
    assert!(check.known_after.is_some(), "{}", told.story());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_checks_variables_against_a_specification_that_is_one() {
    let bench = Bench::new(&["a"]);
    let told = bench
        .apply(&play(
            "    - validate_argument_spec:\n        argument_spec: '{{ spec }}'\n      vars: {b: '{{ 1 + 2 }}', spec: {b: {type: int, choices: [3]}}}\n    - validate_argument_spec:\n        argument_spec: {b: {type: int}}\n      vars: {b: '{{ c }}', c: x}\n      ignore_errors: true\n    - validate_argument_spec:\n        argument_spec: '{{ spec }}'\n      vars: {spec: {b: {type: number}}}\n",
        ))
        .await;
    let said: Vec<(Status, bool)> = told
        .tasks()
        .map(|task| (task.status, task.ignored))
        .collect();
    assert_eq!(
        said,
        [
            (Status::Ok, false),
            (Status::Failed, true),
            (Status::Failed, false)
        ],
        "{}",
        told.story()
    );
    let last = told.tasks().last().expect("a task");
    assert!(last.msg.contains("`number` is no type"), "{}", last.msg);
}
