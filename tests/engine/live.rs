//! What a step says while it takes its time is shown at once, and what it says in all is told in the end.

use hadeploy::event::{Event, Mode, Status};
use tokio::sync::mpsc;

use crate::bench::{Bench, Told};

fn shown(told: &Told) -> Vec<&str> {
    let words = told.events.iter().filter_map(|event| match event {
        Event::HostWorking { what, .. } => Some(what.as_str()),
        _ => None,
    });
    words.collect()
}

/// The step goes on from each line when `next` lets it.
fn play(next: [&str; 2], more: &str) -> String {
    let [first, second] = next;
    format!(
        "- name: p\n  hosts: all\n  gather_facts: false\n  tasks:\n    - name: long\n      shell: echo begun; echo half; {first}; echo 'more' >&2; {second}; echo end\n      register: r\n{more}    - {{name: whole, copy: {{content: '{{{{ r.stdout_lines | length }}}} {{{{ r.stderr }}}}', dest: '{{{{ dir }}}}/whole'}}}}\n"
    )
}

/// However slow this machine is, a line is the last one until it was seen, or long enough to have been.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_line_of_a_long_step_is_shown() {
    let bench = Bench::new(&["a"]);
    let host = bench.host().clone();
    let seen = ["half", "more"].map(|line| {
        format!(
            "for i in $(seq 300); do [ ! -e {{{{ dir }}}}/seen-{line} ] || break; sleep 0.1; done"
        )
    });
    let play = play([&seen[0], &seen[1]], "");
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let run = tokio::spawn(bench.engine(Mode::Apply, &play, "live", sender));
    let mut events = Vec::new();
    while let Some(event) = receiver.recv().await {
        if let Event::HostWorking { what, .. } = &event
            && ["half", "more"].contains(&what.as_str())
        {
            std::fs::write(host.path(&format!("seen-{what}")), "").expect("written");
        }
        events.push(event);
    }
    let recap = run.await.expect("an end");
    let told = Told { events, recap };
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
    let told = bench
        .apply(&play(["sleep 2.4", "sleep 1.4"], "      no_log: true\n"))
        .await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    let shown = shown(&told);
    assert!(
        !shown.iter().any(|words| ["half", "more"].contains(words)),
        "{shown:?}"
    );
    assert_eq!(bench.host().read("whole"), "3 more");
}
