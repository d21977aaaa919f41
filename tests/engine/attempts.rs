//! `until`, `retries` and `delay`, and pauses between items.

use std::time::{Duration, Instant};

use hadeploy::event::{Event, Status};

use crate::bench::{Bench, Told};

fn play(tasks: &str) -> String {
    format!("- name: p\n  hosts: all\n  gather_facts: false\n  tasks:\n{tasks}")
}

/// What the live line said of attempts.
fn attempts(told: &Told) -> Vec<&str> {
    told.events
        .iter()
        .filter_map(|event| match event {
            Event::HostWorking { what, .. } if what.contains("attempt") => Some(what.as_str()),
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_tried_until_it_is_as_wanted() {
    let bench = Bench::new(&["a"]);
    let told = bench
        .apply(&play(
            r#"    - {name: before, shell: "echo before >> {{ dir }}/log"}
    - name: try
      shell: "echo try >> {{ dir }}/log; grep -c try {{ dir }}/log"
      register: r
      until: r.stdout | int >= 3
      delay: 0
    - {name: told, assert: {that: [r.attempts == 3, "r.stdout == '3'", r is changed]}}
    - {shell: "echo behind >> {{ dir }}/log"}
"#,
        ))
        .await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(
        bench.host().read("log"),
        "before\ntry\ntry\ntry\nbehind\n",
        "{}",
        told.story()
    );
    let said = attempts(&told);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("try: attempt 1 of 4: "), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_attempt_fails_the_task_with_its_number() {
    let bench = Bench::new(&["a"]);
    let told = bench
        .apply(&play(
            r#"    - {name: never, shell: "echo x >> {{ dir }}/log; exit 3", register: r, until: r.rc == 0, retries: 2, delay: 0, ignore_errors: true}
    - {name: told, assert: {that: [r is failed, r.attempts == 3, r.rc == 3]}}
    - {name: success, shell: "echo y >> {{ dir }}/log; exit 1", retries: 1, delay: 0, ignore_errors: true}
    - {name: unwanted, shell: "echo z >> {{ dir }}/log", register: s, until: false, retries: 0}
    - {shell: "echo never >> {{ dir }}/log"}
"#,
        ))
        .await;
    assert_eq!(told.recap.exit_code, 3, "{}", told.story());
    assert_eq!(told.status("told"), Some(Status::Ok), "{}", told.story());
    assert_eq!(bench.host().read("log"), "x\nx\nx\ny\ny\nz\n");
    let failure = |name: &str| {
        let mut tasks = told.tasks();
        let result = tasks.find(|result| &*result.task == name);
        result.map_or(String::new(), |result| result.msg.clone())
    };
    assert!(failure("never").ends_with("(after 3 attempts)"));
    assert_eq!(
        failure("unwanted"),
        "`until` does not hold after one attempt"
    );
}

/// Each item has its own attempts; what is read is read again, and templates are bound again.
#[tokio::test(flavor = "multi_thread")]
async fn items_and_reading_kinds_are_tried_each() {
    let bench = Bench::new(&["a"]);
    let late = bench.host().path("late");
    let writer = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(600)).await;
        std::fs::write(late, "here").expect("written");
    });
    let told = bench
        .apply(&play(
            r#"    - name: wait
      stat: {path: "{{ dir }}/late"}
      register: r
      until: r.stat.exists
      retries: 100
      delay: 0.05
    - name: items
      shell: "echo {{ item }} >> {{ dir }}/log; grep -c {{ item }} {{ dir }}/log"
      loop: [x, y]
      register: s
      until: s.stdout == '2'
      delay: 0
    - name: told
      assert:
        that:
          - r.attempts > 1
          - s.results | map(attribute='attempts') | list == [2, 2]
"#,
        ))
        .await;
    writer.await.expect("wrote");
    assert_eq!(told.status("told"), Some(Status::Ok), "{}", told.story());
    assert_eq!(bench.host().read("log"), "x\nx\ny\ny\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_makes_no_attempts_and_items_pause_only_in_an_apply() {
    let bench = Bench::new(&["a"]);
    let tasks = play(
        r#"    - {name: try, shell: "echo x >> {{ dir }}/log", register: r, until: r.rc == 5, delay: 60}
    - {name: behind, copy: {content: "{{ r.attempts }}", dest: "{{ dir }}/n"}}
"#,
    );
    let told = bench.plan(&tasks).await;
    assert_eq!(told.status("try"), Some(Status::Unknown));
    assert_eq!(told.status("behind"), Some(Status::Unknown));
    let tasks = play(
        "    - {shell: \"true\", loop: [1, 2, 3], loop_control: {pause: 0.3}}\n    - {debug: {msg: x}, loop: [1, 2], loop_control: {pause: 0.3}}\n",
    );
    let began = Instant::now();
    assert_eq!(bench.apply(&tasks).await.recap.exit_code, 0);
    assert!(began.elapsed() > Duration::from_millis(900));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_is_owed_only_by_the_last_attempt() {
    let bench = Bench::new(&["a"]);
    let handlers = "  handlers:\n    - {name: h, shell: \"echo h >> {{ dir }}/log\"}\n";
    let told = bench
        .apply(&format!(
            "{}{handlers}",
            play("    - {shell: \"exit 3\", register: r, until: r.rc == 0, retries: 1, delay: 0, notify: h, ignore_errors: true}\n")
        ))
        .await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!((bench.host().owed(), bench.host().count("h")), (0, 0));
}

/// The items of `set_fact` build on each other, its conditions too.
#[tokio::test(flavor = "multi_thread")]
async fn items_of_set_fact_read_what_was_set_before_them() {
    let bench = Bench::new(&["a"]);
    let told = bench
        .apply(&play(
            r#"    - {shell: "echo before >> {{ dir }}/log"}
    - name: grow
      set_fact: {grown: "{{ grown | default([]) + [item] }}"}
      loop: [1, 2, 2, 3]
      when: item not in grown | default([])
    - {name: told, assert: {that: "grown == [1, 2, 3]"}}
"#,
        ))
        .await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(told.status("told"), Some(Status::Ok), "{}", told.story());
}
