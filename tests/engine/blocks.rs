//! Blocks: rescue and always, nested, with handlers, in plans and over several hosts.

use hadeploy::event::{Mode, Status};

use crate::bench::{Bench, Told};

fn play(tasks: &str) -> String {
    format!("- name: p\n  hosts: all\n  gather_facts: false\n  tasks:\n{tasks}")
}

fn log(told: &Told, bench: &Bench) -> String {
    let log = bench.host().read("log").replace('\n', " ");
    assert!(!log.is_empty(), "{}", told.story());
    log.trim().to_owned()
}

/// Tasks, what they log, the exit status, and how often a task counts as failed and as rescued.
const TABLE: &[(&str, &str, u8, u32, u32)] = &[
    // Nothing fails.
    (
        "    - {block: [B1, B2], rescue: [R], always: [A]}\n    - E\n",
        "B1 B2 A E",
        0,
        0,
        0,
    ),
    // The rest of the block is left out.
    (
        "    - {block: [B1, F, B2], rescue: [R], always: [A]}\n    - E\n",
        "B1 R A E",
        0,
        0,
        1,
    ),
    // Without a rescue, what always runs does, and then the host is out.
    (
        "    - {block: [B1, F, B2], always: [A1, A2]}\n    - E\n",
        "B1 A1 A2",
        3,
        1,
        0,
    ),
    // A rescue that fails.
    (
        "    - {block: [F], rescue: [R1, F, R2], always: [A]}\n    - E\n",
        "R1 A",
        3,
        1,
        1,
    ),
    // The failure of what always runs overtakes the one before it.
    (
        "    - {block: [F], always: [A1, F, A2]}\n    - E\n",
        "A1",
        3,
        2,
        0,
    ),
    // An outer rescue takes over behind the inner always.
    (
        "    - {block: [{block: [F, B], always: [A1]}, B], rescue: [R], always: [A2]}\n    - E\n",
        "A1 R A2 E",
        0,
        0,
        1,
    ),
    // An outer rescue takes over when the inner one fails.
    (
        "    - {block: [{block: [F], rescue: [R1, F], always: [A1]}], rescue: [R2], always: [A2]}\n    - E\n",
        "R1 A1 R2 A2 E",
        0,
        0,
        2,
    ),
    // A block in a rescue.
    (
        "    - {block: [F], rescue: [{block: [F], rescue: [R1], always: [A1]}, R2]}\n    - E\n",
        "R1 A1 R2 E",
        0,
        0,
        2,
    ),
    // A block in always, behind a failure.
    (
        "    - {block: [F], always: [{block: [F], rescue: [R], always: [A1]}, A2]}\n    - E\n",
        "R A1 A2",
        3,
        1,
        1,
    ),
    // What is ignored is not rescued.
    (
        "    - {block: [F, B], ignore_errors: true, rescue: [R]}\n    - E\n",
        "B E",
        0,
        0,
        0,
    ),
    // A failure that no command made.
    (
        "    - {block: [B1, {fail: {msg: no}}, B2], rescue: [R]}\n    - {block: [{assert: {that: 1 == 2}}], rescue: [E]}\n",
        "B1 R E",
        0,
        0,
        2,
    ),
    // A template that cannot be rendered.
    (
        "    - {block: [{debug: {msg: '{{ {}.x.y }}'}}], rescue: [R]}\n    - E\n",
        "R E",
        0,
        0,
        1,
    ),
    // A condition of the block is that of its tasks; it is asked for each.
    (
        "    - {block: [B], rescue: [R], always: [A], when: 1 == 2}\n    - E\n",
        "E",
        0,
        0,
        0,
    ),
];

/// `B1` is a task that logs `B1`; `F` fails.
fn written_out(tasks: &str) -> String {
    let word = regex::Regex::new(r"\b([A-EG-Z]\d?|F)\b(\]|,|\n)").expect("constant");
    word.replace_all(tasks, |found: &regex::Captures| {
        let task = match &found[1] {
            "F" => "{shell: 'exit 3'}".to_owned(),
            name => format!("{{shell: 'echo {name} >> {{{{ dir }}}}/log'}}"),
        };
        format!("{task}{}", &found[2])
    })
    .into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_goes_the_way_its_blocks_lead() {
    for (tasks, logged, exit, failed, rescued) in TABLE {
        let bench = Bench::new(&["a"]);
        let told = bench.apply(&play(&written_out(tasks))).await;
        assert_eq!(log(&told, &bench), *logged, "{tasks}\n{}", told.story());
        let tally = &told.recap.hosts["a"];
        assert_eq!(
            (told.recap.exit_code, tally.failed, tally.rescued),
            (*exit, *failed, *rescued),
            "{tasks}\n{}",
            told.story()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rescue_reads_what_failed_and_names_are_what_they_were() {
    let bench = Bench::new(&["a"]);
    let told = bench
        .apply(&play(
            r#"    - {set_fact: {x: first}}
    - {shell: "echo one", register: r}
    - block:
        - {name: breaks, shell: "echo out; exit 7"}
        - {shell: "echo two", register: r}
        - {set_fact: {x: second, y: third}}
      rescue:
        - name: told
          assert:
            that:
              - ansible_failed_task.name == 'breaks'
              - ansible_failed_result.rc == 7
              - ansible_failed_result is failed
              - r.stdout == 'one'
              - x == 'first'
              - y is not defined
        - {set_fact: {way: rescued}}
      always:
        - {name: way, debug: {msg: "{{ way | default('straight') }}"}}
"#,
        ))
        .await;
    assert_eq!(told.status("told"), Some(Status::Ok), "{}", told.story());
    let way = told.tasks().find(|task| &*task.task == "way");
    assert_eq!(way.map(|task| task.msg.as_str()), Some("rescued"));
}

#[tokio::test(flavor = "multi_thread")]
async fn notified_handlers_survive_a_rescue() {
    let bench = Bench::new(&["a"]);
    let handlers = "  handlers:\n    - {name: h, shell: \"echo h >> {{ dir }}/log\"}\n    - {name: bad, shell: \"exit 4\"}\n    - {name: z, shell: \"echo z >> {{ dir }}/log\"}\n";
    let tasks = r#"    - block:
        - {copy: {content: x, dest: "{{ dir }}/x"}, notify: h}
        - {shell: "exit 3"}
      rescue:
        - {shell: "echo r >> {{ dir }}/log"}
      notify: z
"#;
    let told = bench.apply(&format!("{}{handlers}", play(tasks))).await;
    assert_eq!(log(&told, &bench), "r h z", "{}", told.story());
    assert_eq!((told.recap.exit_code, bench.host().owed()), (0, 0));
    // A handler that fails at a flush in a block is rescued; those behind it stay due.
    let bench = Bench::new(&["a"]);
    let tasks = r#"    - block:
        - {shell: "true", notify: [bad, z]}
        - meta: flush_handlers
        - {shell: "echo never >> {{ dir }}/log"}
      rescue:
        - {shell: "echo r >> {{ dir }}/log"}
"#;
    let told = bench.apply(&format!("{}{handlers}", play(tasks))).await;
    assert_eq!(log(&told, &bench), "r z", "{}", told.story());
}

#[tokio::test(flavor = "multi_thread")]
async fn forced_handlers_run_behind_what_always_runs() {
    let bench = Bench::new(&["a"]);
    let tasks = "    - {shell: \"true\", notify: h}\n    - block: [{shell: \"exit 3\"}]\n      always: [{shell: \"echo a >> {{ dir }}/log\"}]\n  handlers:\n    - {name: h, shell: \"echo h >> {{ dir }}/log\"}\n";
    let forced = play(tasks).replace("gather_facts", "force_handlers: true\n  gather_facts");
    let told = bench.apply(&forced).await;
    assert_eq!(log(&told, &bench), "a h", "{}", told.story());
    assert_eq!(told.recap.exit_code, 3);
}

/// As long as nothing fails, blocks cost no script; the always part is read with the rest, the rescue is not.
#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_block_costs_nothing_and_a_plan_shows_no_rescue() {
    let bench = Bench::new(&["a"]);
    let tasks: String = (0..10)
        .map(|n| {
            format!(
                r#"    - block:
        - {{copy: {{content: x, dest: "{{{{ dir }}}}/{n}"}}}}
        - {{lineinfile: {{path: "{{{{ dir }}}}/{n}", line: y}}}}
      rescue:
        - {{name: rescue, copy: {{content: z, dest: "{{{{ dir }}}}/{n}"}}}}
      always:
        - {{file: {{path: "{{{{ dir }}}}/d{n}", state: directory}}}}
"#
            )
            .replace("{content: x,", "{content: \"x\\ny\\n\",")
        })
        .collect();
    let told = bench.plan(&play(&tasks)).await;
    assert_eq!(told.status("rescue"), None, "{}", told.story());
    assert_eq!(told.recap.hosts["a"].changed, 20, "{}", told.story());
    let told = bench.apply(&play(&tasks)).await;
    assert_eq!(told.recap.hosts["a"].changed, 20, "{}", told.story());
    bench.rested().await;
    for mode in [Mode::Plan, Mode::Apply] {
        let told = bench.run(mode, &play(&tasks)).await;
        let tally = &told.recap.hosts["a"];
        assert_eq!(tally.ok, 30, "{}", told.story());
        assert!(tally.round_trips <= 2, "{}", told.story());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_goes_to_the_rescue_of_what_must_fail() {
    let bench = Bench::new(&["a"]);
    let told = bench
        .plan(&play(
            "    - block: [{fail: {msg: no}}]\n      rescue: [{name: r, copy: {content: x, dest: \"{{ dir }}/x\"}}]\n",
        ))
        .await;
    assert_eq!(told.status("r"), Some(Status::Changed), "{}", told.story());
    assert_eq!(told.recap.exit_code, 0);
}

/// One host fails and is rescued, the others are not held back, and the order stays linear.
#[tokio::test(flavor = "multi_thread")]
async fn hosts_go_their_own_ways_in_order() {
    let bench = Bench::new(&["a", "b", "c"]);
    let shared = bench.host().path("all").display().to_string();
    let echo = |word: &str| format!("{{shell: \"echo {word} >> {shared}\"}}");
    let tasks = format!(
        "    - block:\n        - {}\n        - {{shell: \"exit {{{{ 1 if inventory_hostname == 'b' else 0 }}}}\"}}\n        - {}\n      rescue:\n        - {}\n      always:\n        - {}\n    - {}\n",
        echo("1"),
        echo("2"),
        echo("3"),
        echo("4"),
        echo("5")
    );
    let told = bench.apply(&play(&tasks)).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    let lines = bench.host().read("all");
    assert_eq!(
        lines.split_whitespace().collect::<Vec<_>>().join(""),
        "1112234445 55".replace(' ', ""),
        "{}",
        told.story()
    );
}
