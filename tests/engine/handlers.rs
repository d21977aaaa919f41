//! Handlers: in order, once, and never forgotten.

use hadeploy::event::{Event, Mode, Status};

use crate::bench::{Bench, begun};

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
    begun(&bench.host().path("begun")).await;
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

/// The expected log is that of ansible-core 2.19.
#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_includes_a_file_runs_all_of_it() {
    let bench = Bench::new(&["a"]);
    let log = |word: &str| format!("shell: \"echo {word} >> {{{{ dir }}}}/log\"");
    bench.file(
        "inc.yml",
        &format!(
            "- name: a\n  {}\n  tags: never\n- include_tasks: deep/more.yml\n- name: b\n  {}\n  notify: last\n",
            log("a-{{ which }}"),
            log("b-{{ which }}")
        ),
    );
    bench.file("deep/more.yml", &format!("- {}\n", log("deep-{{ which }}")));
    bench.file(
        "imp.yml",
        &format!("- name: i1\n  {}\n- name: i2\n  {}\n", log("i1"), log("i2")),
    );
    let play = format!(
        r#"- hosts: all
  gather_facts: false
  tasks:
    - {one}
      notify: [inc, i2, topic]
    - {two}
  handlers:
    - name: inc
      include_tasks: inc.yml
      vars: {{which: w}}
    - name: looped
      listen: topic
      include_tasks: "{{{{ 'inc' }}}}.yml"
      vars: {{which: "{{{{ item }}}}"}}
      loop: [x, y, z]
      when: item != 'y'
    - name: passed over
      listen: topic
      include_tasks: inc.yml
      when: 1 == 2
    - name: imp
      import_tasks: imp.yml
    - name: last
      {last}
"#,
        one = log("one"),
        two = log("two"),
        last = log("last")
    );
    let told = bench.apply(&play).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(
        bench.host().read("log").replace('\n', " "),
        "one two a-w deep-w b-w a-x deep-x b-x a-z deep-z b-z i2 last ",
        "{}",
        told.story()
    );
    assert_eq!(bench.host().owed(), 0, "{}", told.story());
    let ran: Vec<_> = told.tasks().filter(|task| &*task.task == "a").collect();
    assert!(ran.iter().all(|task| task.handler), "told as handlers");
    assert_eq!(ran.len(), 3, "{}", told.story());
}

/// The note on the node stays until the last task of the file has run.
#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_fails_inside_its_file_is_owed() {
    let bench = Bench::new(&["a"]);
    bench.file(
        "inc.yml",
        r#"- shell: "echo a >> {{ dir }}/log"
- block:
    - shell: "test -e {{ dir }}/good"
  always:
    - shell: "echo always >> {{ dir }}/log"
- shell: "echo c >> {{ dir }}/log"
"#,
    );
    let play = "- hosts: all\n  gather_facts: false\n  tasks:\n    - {name: y, copy: {content: y, dest: \"{{ dir }}/y\"}, notify: inc}\n  handlers:\n    - {name: inc, include_tasks: inc.yml}\n    - {name: other, shell: \"echo other >> {{ dir }}/log\"}\n";
    let told = bench.apply(play).await;
    assert_eq!(told.recap.exit_code, 3, "{}", told.story());
    assert_eq!(bench.host().read("log"), "a\nalways\n", "{}", told.story());
    assert_eq!(bench.host().owed(), 1, "{}", told.story());
    std::fs::write(bench.host().path("good"), "").expect("written");
    let told = bench.apply(play).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(
        bench.host().read("log"),
        "a\nalways\na\nalways\nc\n",
        "{}",
        told.story()
    );
    assert_eq!(
        (told.status("y"), bench.host().owed()),
        (Some(Status::Ok), 0)
    );
    let told = bench.apply(play).await;
    assert_eq!(
        (told.recap.hosts["a"].changed, told.tasks().count()),
        (0, 1)
    );
}

/// Two hosts of which only one is notified, and handlers behind the file that both run, in step.
#[tokio::test(flavor = "multi_thread")]
async fn hosts_stay_in_step_around_an_included_handler() {
    let bench = Bench::new(&["a", "b"]);
    bench.file(
        "inc.yml",
        "- shell: \"sleep 1; date +%s%N > {{ dir }}/inner\"\n",
    );
    let told = bench
        .apply(
            r#"- hosts: all
  gather_facts: false
  tasks:
    - {shell: "true", notify: inc, when: inventory_hostname == 'a'}
    - {shell: "true", notify: both}
  handlers:
    - {name: inc, include_tasks: inc.yml}
    - {name: both, shell: "date +%s%N > {{ dir }}/both"}
"#,
        )
        .await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    let at = |host: usize, name: &str| -> u64 {
        bench.hosts[host].read(name).trim().parse().expect("a time")
    };
    assert!(
        at(0, "inner") < at(1, "both"),
        "b waits for what a includes"
    );
    assert!(at(0, "inner") < at(0, "both"));
    assert!(!bench.hosts[1].path("inner").exists());
}

/// One host runs it for all; the others owe it no more than that one.
#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_runs_once_is_owed_by_nobody_behind_it() {
    let bench = Bench::new(&["a", "b"]);
    let told = bench
        .apply("- hosts: all\n  gather_facts: false\n  tasks:\n    - {copy: {content: y, dest: \"{{ dir }}/y\"}, notify: once}\n  handlers:\n    - {name: once, run_once: true, shell: \"echo once >> {{ dir }}/log\"}\n")
        .await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    let ran: usize = bench.hosts.iter().map(|host| host.count("once")).sum();
    let owed: usize = bench.hosts.iter().map(|host| host.owed()).sum();
    assert_eq!((ran, owed), (1, 0), "{}", told.story());
}
