//! Ctrl-C at any moment: what runs comes to its end and is told, nothing new begins, leases go back, and the next run does the rest, once.

use std::sync::Arc;
use std::time::Duration;

use hadeploy::event::{Mode, Status};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::bench::{Bench, Dice, Told};

/// Each command appends its own word to a log, and is done then.
const PLAY: &str = r#"
- name: all
  hosts: all
  gather_facts: false
  tasks:
    - {name: one, shell: "sleep 0.1; echo one >> {{ dir }}/log; touch {{ dir }}/one", args: {creates: "{{ dir }}/one"}}
    - {name: file, copy: {content: "{{ inventory_hostname }}\n", dest: "{{ dir }}/file"}, notify: handler}
    - {name: two, shell: "sleep 0.1; echo two >> {{ dir }}/log; touch {{ dir }}/two", args: {creates: "{{ dir }}/two"}, register: two}
    - {name: three, shell: "sleep 0.1; echo three >> {{ dir }}/log; touch {{ dir }}/three", args: {creates: "{{ dir }}/three"}, when: two is success}
    - {name: folder, file: {path: "{{ dir }}/sub/sub", state: directory}}
  handlers:
    - {name: handler, shell: "sleep 0.1; echo handler >> {{ dir }}/log"}
- name: again
  hosts: all
  gather_facts: false
  tasks:
    - {name: four, shell: "sleep 0.1; echo four >> {{ dir }}/log; touch {{ dir }}/four", args: {creates: "{{ dir }}/four"}}
"#;

const LINES: [&str; 5] = ["one", "two", "three", "handler", "four"];

/// What was told is what happened; whether everything had been done.
fn check(seed: u64, bench: &Bench, told: &Told) -> bool {
    let mut whole = true;
    for host in &bench.hosts {
        for line in LINES {
            let changed = told.tasks().any(|result| {
                &*result.task == line
                    && *result.host == *host.name
                    && result.status == Status::Changed
            });
            assert_eq!(
                host.count(line),
                usize::from(changed),
                "seed {seed}, `{line}` on {}\n{}",
                host.name,
                told.story()
            );
            whole &= changed;
        }
    }
    whole
}

/// True when the interrupt came in the middle.
async fn attempt(seed: u64) -> bool {
    let mut bench = Bench::new(&["a", "b"]);
    let mut dice = Dice::new(seed);
    let moment = Duration::from_millis(dice.roll(1800));
    let stop = bench.interrupt.clone();
    let later = tokio::spawn(async move {
        tokio::time::sleep(moment).await;
        stop.cancel();
    });
    let run = tokio::time::timeout(Duration::from_secs(60), bench.run(Mode::Apply, PLAY));
    let Ok(told) = run.await else {
        panic!("seed {seed} hangs");
    };
    later.abort();
    let whole = check(seed, &bench, &told);
    let story = told.story();
    match told.recap.exit_code {
        0 => assert!(whole, "seed {seed}\n{story}"),
        130 => {}
        other => panic!("seed {seed}: {other}\n{story}"),
    }
    for host in &bench.hosts {
        assert!(host.free().await, "seed {seed}: the lease stays\n{story}");
        assert!(host.swept().await, "seed {seed}\n{story}");
    }
    bench.interrupt = Default::default();
    let next = bench.run(Mode::Apply, PLAY).await;
    assert_eq!(
        next.recap.exit_code,
        0,
        "seed {seed}\n{story}\n{}",
        next.story()
    );
    for host in &bench.hosts {
        for line in LINES {
            assert_eq!(
                host.count(line),
                1,
                "seed {seed}, `{line}`\n{story}\n{}",
                next.story()
            );
        }
        assert_eq!(host.read("file"), format!("{}\n", host.name));
        assert_eq!(host.owed(), 0, "seed {seed}");
    }
    let again = bench.run(Mode::Apply, PLAY).await;
    let tallies = again.recap.hosts.values();
    assert!(
        tallies.clone().all(|tally| tally.changed == 0),
        "{}",
        again.story()
    );
    told.recap.exit_code == 130
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_told_and_the_next_run_does_the_rest_once() {
    let permits = Arc::new(Semaphore::new(8));
    let mut runs = JoinSet::new();
    for seed in 0..24 {
        let permits = permits.clone();
        runs.spawn(async move {
            let _permit = permits.acquire_owned().await;
            attempt(seed).await
        });
    }
    let mut midway = 0;
    while let Some(end) = runs.join_next().await {
        midway += u64::from(end.expect("an attempt"));
    }
    // Else the moments were not in the middle.
    assert!(midway > 3, "{midway}");
}
