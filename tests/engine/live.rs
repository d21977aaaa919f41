//! What a step says while it takes its time is shown at once, and what it says in all is told in the end.

use hadeploy::event::{Event, Status};

use crate::bench::{Bench, Told};

fn shown(told: &Told) -> Vec<&str> {
    let words = told.events.iter().filter_map(|event| match event {
        Event::HostWorking { what, .. } => Some(what.as_str()),
        _ => None,
    });
    words.collect()
}

fn play(more: &str) -> String {
    format!(
        "- name: p\n  hosts: all\n  gather_facts: false\n  tasks:\n    - name: long\n      shell: echo begun; echo half; sleep 2.4; echo 'more' >&2; sleep 1.4; echo end\n      register: r\n{more}    - {{name: whole, copy: {{content: '{{{{ r.stdout_lines | length }}}} {{{{ r.stderr }}}}', dest: '{{{{ dir }}}}/whole'}}}}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_line_of_a_long_step_is_shown() {
    let bench = Bench::new(&["a"]);
    let told = bench.apply(&play("")).await;
    assert_eq!(
        told.status("long"),
        Some(Status::Changed),
        "{}",
        told.story()
    );
    let shown = shown(&told);
    let at = |line: &str| shown.iter().position(|words| *words == line);
    assert!(at("half").is_some() && at("half") < at("more"), "{shown:?}");
    assert_eq!(bench.host().read("whole"), "3 more");
    assert!(bench.host().free().await && bench.host().swept().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_log_hides_is_not_shown() {
    let bench = Bench::new(&["a"]);
    let told = bench.apply(&play("      no_log: true\n")).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    let shown = shown(&told);
    assert!(
        !shown.iter().any(|words| ["half", "more"].contains(words)),
        "{shown:?}"
    );
    assert_eq!(bench.host().read("whole"), "3 more");
}
