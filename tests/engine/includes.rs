//! `include_tasks`: what is laid out, in which order, and what of it other tasks know.

use hadeploy::event::{Mode, Status};

use crate::bench::{Bench, Told};

const HANDLER: &str = "  handlers:\n    - {name: h, shell: \"echo h >> {{ dir }}/log\"}\n";

/// `log X` becomes a task that logs X, `FAIL` one that fails.
pub fn written_out(tasks: &str) -> String {
    let log = regex::Regex::new(r"\blog ([^\n,\]]+)").expect("constant");
    log.replace_all(tasks, "shell: \"echo $1 >> {{ dir }}/log\"")
        .replace("FAIL", "{shell: \"exit 3\"}")
}

fn play(tasks: &str) -> String {
    let tasks = written_out(tasks);
    format!("- name: p\n  hosts: all\n  gather_facts: false\n  tasks:\n{tasks}{HANDLER}")
}

fn bench(hosts: &[&str], files: &[(&str, &str)]) -> Bench {
    let bench = Bench::new(hosts);
    for (name, text) in files {
        bench.file(name, &written_out(text));
    }
    bench
}

pub fn log(bench: &Bench) -> String {
    bench.host().read("log").trim().replace('\n', " ")
}

fn counts(told: &Told) -> (u8, u32, u32, u32) {
    let tally = &told.recap.hosts["a"];
    (
        told.recap.exit_code,
        tally.failed,
        tally.rescued,
        tally.skipped,
    )
}

const AB: (&str, &str) = ("ab.yml", "- log A\n- log B\n");
const X: (&str, &str) = ("x.yml", "- log X{{ item }}\n");

/// Files, tasks, what they log, and how often a task failed, was rescued and was skipped.
#[allow(clippy::type_complexity)]
const TABLE: &[(&[(&str, &str)], &str, &str, (u8, u32, u32, u32))] = &[
    (
        &[AB],
        "    - log 1\n    - include_tasks: ab.yml\n    - log 2\n",
        "1 A B 2",
        (0, 0, 0, 0),
    ),
    // Its condition and its tags are its own.
    (
        &[AB],
        "    - include_tasks: ab.yml\n      when: 1 == 2\n    - log 2\n",
        "2",
        (0, 0, 0, 1),
    ),
    (
        &[("t.yml", "- set_fact: {t: 1}\n- log T\n")],
        "    - include_tasks: {file: t.yml}\n      when: t is not defined\n    - log 2\n",
        "T 2",
        (0, 0, 0, 0),
    ),
    // That of `apply` is asked for each task.
    (
        &[("t.yml", "- set_fact: {t: 1}\n- log T\n")],
        "    - include_tasks: t.yml\n      args: {apply: {when: t is not defined}}\n    - log 2\n",
        "2",
        (0, 0, 0, 1),
    ),
    (
        &[X],
        "    - include_tasks: x.yml\n      loop: [1, 2]\n    - log 2\n",
        "X1 X2 2",
        (0, 0, 0, 0),
    ),
    (
        &[X],
        "    - include_tasks: x.yml\n      loop: [1, 2, 3]\n      when: item != 2\n",
        "X1 X3",
        (0, 0, 0, 0),
    ),
    // A loop in a loop; names of both, and `vars`.
    (
        &[
            (
                "outer.yml",
                "- include_tasks: inner.yml\n  with_items: [a, b]\n  vars: {both: \"{{ o }}{{ item }}\"}\n",
            ),
            ("inner.yml", "- log {{ n }}{{ both }}\n"),
        ],
        "    - include_tasks: outer.yml\n      loop: [1, 2]\n      loop_control: {loop_var: o, index_var: n}\n",
        "01a 01b 12a 12b",
        (0, 0, 0, 0),
    ),
    // A file that is known only in the run; found beside the including one first.
    (
        &[
            (
                "sub/one.yml",
                "- include_tasks: \"{{ which.stdout }}.yml\"\n",
            ),
            ("sub/two.yml", "- log sub\n  register: said\n"),
            ("two.yml", "- log top\n"),
        ],
        "    - shell: echo two\n      register: which\n    - include_tasks: sub/one.yml\n    - log {{ said is defined }}\n    - include_tasks: \"{{ which.stdout }}.yml\"\n",
        "sub True top",
        (0, 0, 0, 0),
    ),
    // In a block; a block in the file, more than once.
    (
        &[("f.yml", "- log F\n- FAIL\n- log G\n")],
        "    - block:\n        - include_tasks: f.yml\n        - log 1\n      rescue:\n        - log R\n      always:\n        - log W\n    - log 2\n",
        "F R W 2",
        (0, 0, 1, 0),
    ),
    (
        &[(
            "b.yml",
            "- block: [FAIL]\n  rescue:\n    - log R{{ item }}\n  always:\n    - log W{{ item }}\n",
        )],
        "    - include_tasks: b.yml\n      loop: [1, 2]\n    - log 2\n",
        "R1 W1 R2 W2 2",
        (0, 0, 2, 0),
    ),
    // In a rescue and in what always runs.
    (
        &[AB, ("c.yml", "- log C\n- FAIL\n- log D\n")],
        "    - block: [FAIL]\n      rescue:\n        - include_tasks: ab.yml\n      always:\n        - include_tasks: c.yml\n        - log 1\n    - log 2\n",
        "A B C",
        (3, 1, 1, 0),
    ),
    // A file that is not there, or is wrong.
    (
        &[("bad.yml", "- shel: x\n")],
        "    - block:\n        - include_tasks: \"{{ 'no' }}.yml\"\n      rescue:\n        - log R\n    - include_tasks: \"{{ 'bad' }}.yml\"\n    - log 2\n",
        "R",
        (3, 1, 1, 0),
    ),
    // What follows is bound for the way that was taken.
    (
        &[AB, X],
        "    - block: [FAIL]\n      rescue:\n        - set_fact: {way: 1}\n    - include_tasks: ab.yml\n      when: way is not defined\n    - include_tasks: x.yml\n      loop: \"{{ [1] if way is defined else [2, 3] }}\"\n",
        "X1",
        (0, 0, 1, 1),
    ),
    // Names that the tasks of a file would have set are not waited for when it is not included.
    (
        &[("r.yml", "- log R\n  register: r\n")],
        "    - log 1\n    - include_tasks: r.yml\n      when: 1 == 2\n    - log {{ r is defined }}\n    - include_tasks: r.yml\n    - log {{ r.rc }}\n",
        "1 False R 0",
        (0, 0, 0, 1),
    ),
    // A file that tries itself again.
    (
        &[(
            "again.yml",
            "- block:\n    - set_fact: {n: \"{{ n | default(0) | int + 1 }}\"}\n    - shell: \"echo try{{ n }} >> {{ dir }}/log; test {{ n }} = 3\"\n  rescue:\n    - include_tasks: again.yml\n",
        )],
        "    - include_tasks: again.yml\n    - log 2\n",
        "try1 try2 try3 2",
        (0, 0, 2, 0),
    ),
    // Handlers, and a flush in a file.
    (
        &[(
            "n.yml",
            "- log N\n  notify: h\n- log M\n- meta: flush_handlers\n- log L\n  notify: h\n",
        )],
        "    - include_tasks: n.yml\n    - log 2\n",
        "N M h L 2 h",
        (0, 0, 0, 0),
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_tasks_of_a_file_stand_where_it_is_included() {
    for (files, tasks, logged, wanted) in TABLE {
        let bench = bench(&["a"], files);
        let told = bench.apply(&play(tasks)).await;
        assert_eq!(log(&bench), *logged, "{tasks}\n{}", told.story());
        assert_eq!(counts(&told), *wanted, "{tasks}\n{}", told.story());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_includes_itself_for_ever_fails() {
    let bench = bench(&["a"], &[("x.yml", "- include_tasks: x.yml\n")]);
    let told = bench.apply(&play("    - include_tasks: x.yml\n")).await;
    assert_eq!(told.recap.exit_code, 3, "{}", told.story());
    assert!(
        told.story().contains("nested more than 100 deep"),
        "{}",
        told.story()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_faulty_file_fails_its_task_with_the_place() {
    let bench = bench(&["a"], &[("x.yml", "- debug: {msg: x}\n- shel: x\n")]);
    let tasks = "    - include_tasks: \"{{ 'x' }}.yml\"\n";
    for mode in [Mode::Plan, Mode::Apply] {
        let told = bench.run(mode, &play(tasks)).await;
        let failed = told.tasks().find(|task| task.status == Status::Failed);
        let failed = failed.unwrap_or_else(|| panic!("{}", told.story()));
        assert_eq!(failed.kind, "include_tasks");
        assert!(failed.msg.contains("x.yml:2:3"), "{}", failed.msg);
        assert!(failed.msg.contains("`shel`"), "{}", failed.msg);
    }
}

/// What is known is planned; of a file that only a command names, nothing is.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_shows_what_is_included_as_far_as_it_is_known() {
    let bench = bench(
        &["a"],
        &[
            (
                "in.yml",
                "- {name: inner, copy: {content: x, dest: \"{{ dir }}/{{ item }}\"}}\n",
            ),
            ("late.yml", "- {name: late, shell: echo, register: late}\n"),
        ],
    );
    let tasks = "    - {name: known, include_tasks: in.yml, loop: [f]}\n    - {shell: echo late, register: r}\n    - {name: unknown, include_tasks: \"{{ r.stdout }}.yml\"}\n    - {name: after, debug: {msg: \"{{ late.rc }}\"}}\n";
    let told = bench.plan(&play(tasks)).await;
    let story = told.story();
    assert_eq!(told.recap.exit_code, 0, "{story}");
    assert_eq!(told.status("known"), Some(Status::Ok), "{story}");
    assert_eq!(told.status("inner"), Some(Status::Changed), "{story}");
    let unknown = told
        .tasks()
        .find(|task| &*task.task == "unknown")
        .expect(&story);
    assert_eq!(unknown.status, Status::Unknown, "{story}");
    assert_eq!(told.status("late"), None, "{story}");
    assert_eq!(told.status("after"), Some(Status::Unknown), "{story}");
    let told = bench.apply(&play(tasks)).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(told.status("after"), Some(Status::Ok), "{}", told.story());
}

/// Hosts that include different things keep one order where tasks are cuts.
#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_include_different_files_meet_behind_them() {
    let bench = Bench::new(&["a", "b", "c"]);
    let all = bench.host().path("all").display().to_string();
    let line =
        |word: &str| format!("- shell: \"echo {word}{{{{ inventory_hostname }}}} >> {all}\"\n");
    bench.file("a.yml", &[line("1"), line("2"), line("3")].concat());
    bench.file(
        "b.yml",
        &format!("- include_tasks: a.yml\n  loop: [1, 2]\n{}", line("4")),
    );
    bench.file("once.yml", &format!("{}  run_once: true\n", line("o")));
    let tasks = format!(
        "    {}    - include_tasks: \"{{{{ inventory_hostname }}}}.yml\"\n      when: inventory_hostname != 'c'\n    {}    - include_tasks: once.yml\n      when: inventory_hostname != 'a'\n    - include_tasks: once.yml\n      run_once: true\n    {}",
        line("begin"),
        line("end"),
        line("z")
    );
    let told = bench.apply(&play(&tasks)).await;
    let story = told.story();
    assert_eq!(told.recap.exit_code, 0, "{story}");
    let log = bench.host().read("all");
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 3 + 3 + 7 + 3 + 1 + 1 + 3, "{lines:?}\n{story}");
    let first = |word: &str| {
        lines
            .iter()
            .position(|line| line.starts_with(word))
            .expect(word)
    };
    let last = |word: &str| {
        lines
            .iter()
            .rposition(|line| line.starts_with(word))
            .expect(word)
    };
    assert!(last("begin") < first("1"), "{lines:?}");
    assert!(last("3").max(last("4")) < first("end"), "{lines:?}");
    assert!(last("end") < first("o"), "{lines:?}");
    assert!(last("o") < first("z"), "{lines:?}");
    let once: Vec<&str> = lines
        .iter()
        .copied()
        .filter(|line| line.starts_with('o'))
        .collect();
    assert_eq!(once, ["ob", "oa"], "{story}");
}

/// What is included is asked about together with everything else.
#[tokio::test(flavor = "multi_thread")]
async fn unchanged_includes_cost_no_script() {
    let bench = bench(
        &["a"],
        &[(
            "f.yml",
            "- copy: {content: x, dest: \"{{ dir }}/{{ item }}{{ n }}\"}\n",
        )],
    );
    let tasks: String = (0..6)
        .map(|n| format!("    - {{include_tasks: f.yml, loop: [a, b], vars: {{n: {n}}}}}\n"))
        .collect();
    assert_eq!(bench.apply(&play(&tasks)).await.recap.exit_code, 0);
    bench.rested().await;
    let told = bench.apply(&play(&tasks)).await;
    let tally = &told.recap.hosts["a"];
    assert_eq!((tally.changed, tally.ok), (0, 18), "{}", told.story());
    assert!(tally.round_trips <= 3, "{}", told.story());
}
