//! Handlers: in order, once, and never forgotten.

use std::time::Duration;

use hadeploy::event::{Event, Mode, Status};

use crate::bench::Bench;

const HANDLERS: &str = r#"
  handlers:
    - {name: first, shell: "echo first >> {{ dir }}/log"}
    - {name: second, shell: "echo second >> {{ dir }}/log", listen: topic}
"#;

fn play(tasks: &str) -> String {
    format!("- name: p\n  hosts: all\n  gather_facts: false\n  tasks:\n{tasks}{HANDLERS}")
}

#[tokio::test(flavor = "multi_thread")]
async fn they_run_once_in_the_order_of_their_definition_and_at_a_flush() {
    let bench = Bench::new(&["a"]);
    let told = bench
        .apply(&play(
            r#"    - {shell: "echo x >> {{ dir }}/log", notify: [topic, first]}
    - {copy: {content: y, dest: "{{ dir }}/y"}, notify: second}
    - meta: flush_handlers
    - {shell: "echo z >> {{ dir }}/log", notify: first}
    - {shell: "true", changed_when: false, notify: second}
"#,
        ))
        .await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(
        bench.host().read("log"),
        "x\nfirst\nsecond\nz\nfirst\n",
        "{}",
        told.story()
    );
    assert_eq!(bench.host().owed(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_failed_owes_nothing_and_one_that_was_made_is_owed() {
    let bench = Bench::new(&["a"]);
    let told = bench
        .apply(&play("    - {shell: \"exit 3\", notify: first}\n"))
        .await;
    assert_eq!(
        (told.recap.exit_code, bench.host().owed()),
        (3, 0),
        "{}",
        told.story()
    );
    let broken = |fail: bool| {
        play(&format!(
            "    - {{copy: {{content: y, dest: \"{{{{ dir }}}}/y\"}}, notify: first}}\n    - {{name: stop, shell: \"exit 3\", when: {fail}}}\n"
        ))
    };
    let told = bench.apply(&broken(true)).await;
    assert_eq!(told.recap.exit_code, 3, "{}", told.story());
    assert_eq!((bench.host().owed(), bench.host().count("first")), (1, 0));
    let told = bench.apply(&broken(false)).await;
    assert!(
        told.events
            .iter()
            .any(|event| matches!(event, Event::Owed { .. })),
        "{}",
        told.story()
    );
    assert_eq!((bench.host().owed(), bench.host().count("first")), (0, 1));
    let told = bench.apply(&broken(false)).await;
    assert_eq!(
        (told.recap.hosts["a"].changed, bench.host().count("first")),
        (0, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn forced_handlers_run_behind_a_failure() {
    let bench = Bench::new(&["a"]);
    let tasks = "    - {shell: \"true\", notify: first}\n    - {shell: \"exit 3\"}\n    - {shell: \"echo never >> {{ dir }}/log\"}\n";
    let forced = play(tasks).replace("gather_facts", "force_handlers: true\n  gather_facts");
    let told = bench.apply(&forced).await;
    assert_eq!(told.recap.exit_code, 3, "{}", told.story());
    assert_eq!(bench.host().read("log"), "first\n");
}

/// The controller dies between the change and its handler.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_controller_owed_is_paid_by_the_next() {
    let bench = Bench::new(&["a"]);
    let plays = play(
        "    - {name: y, copy: {content: y, dest: \"{{ dir }}/y\"}, notify: first}\n    - {shell: \"touch {{ dir }}/begun; sleep 1\", changed_when: false}\n",
    );
    let (events, mut told) = tokio::sync::mpsc::unbounded_channel();
    let run = tokio::spawn(bench.engine(Mode::Apply, &plays, "dying", events));
    let mark = bench.host().path("begun");
    while !mark.exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    run.abort();
    let _ = run.await;
    while told.try_recv().is_ok() {}
    assert_eq!(
        (bench.host().read("y").as_str(), bench.host().owed()),
        ("y", 1)
    );
    assert!(
        bench.host().free().await,
        "the lease of a dead run goes back when its step has ended"
    );
    let told = bench.apply(&plays).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(told.status("y"), Some(Status::Ok));
    assert_eq!(
        (bench.host().count("first"), bench.host().owed()),
        (1, 0),
        "{}",
        told.story()
    );
    assert!(
        bench.host().swept().await,
        "what the dead run left is cleared away"
    );
}

/// A handler that fails for what it reads is owed; the play that mends what it reads comes to its tasks first.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_waits_for_the_tasks_that_mend_it() {
    let bench = Bench::new(&["a"]);
    let plays = |content: &str| {
        format!(
            "- hosts: all\n  gather_facts: false\n  tasks:\n    - {{name: conf, copy: {{content: {content}, dest: \"{{{{ dir }}}}/conf\"}}, notify: check}}\n  handlers:\n    - {{name: check, command: \"grep good {{{{ dir }}}}/conf\"}}\n"
        )
    };
    let told = bench.apply(&plays("bad")).await;
    assert_ne!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(bench.host().owed(), 1);
    let told = bench.apply(&plays("good")).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(bench.host().owed(), 0);
}

/// Two sections, with a flush between them at which nothing is due, go in one script.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_behind_an_idle_flush_runs_once() {
    let bench = Bench::new(&["a"]);
    let told = bench
        .apply("- name: p\n  hosts: all\n  gather_facts: false\n  pre_tasks:\n    - shell: \"echo one >> {{ dir }}/log\"\n  tasks:\n    - shell: \"echo two >> {{ dir }}/log\"\n    - shell: \"echo three >> {{ dir }}/log\"\n")
        .await;
    assert_eq!(
        bench.host().read("log"),
        "one\ntwo\nthree\n",
        "{}",
        told.story()
    );
    assert_eq!(told.recap.hosts["a"].changed, 3, "{}", told.story());
}
