//! A host that cannot be reached yet is waited for where the first task says so, and only in an apply.

use std::sync::atomic::Ordering;

use crate::bench::Bench;
use crate::wire::Fault;

const PLAY: &str = "- name: p\n  hosts: all\n  gather_facts: false\n  pre_tasks:\n    - {name: said, debug: {msg: hello}}\n  tasks:\n    - {name: there, wait_for_connection: {timeout: TIME, sleep: 0}}\n    - {name: made, copy: {content: x, dest: '{{ dir }}/made'}}\n";

fn play(timeout: u32) -> String {
    PLAY.replace("TIME", &timeout.to_string())
}

fn refusing(times: usize) -> Bench {
    let bench = Bench::new(&["a"]);
    let mut faults = bench.host().faults.lock().expect("whole");
    faults.extend((0..times).map(|_| Fault::Refused));
    drop(faults);
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_waits() {
    let bench = refusing(3);
    let told = bench.apply(&play(60)).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(bench.host().read("made"), "x");
    assert_eq!(bench.host().tries.load(Ordering::SeqCst), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_waiting_ends() {
    let bench = refusing(1000);
    let told = bench.apply(&play(0)).await;
    assert_ne!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(bench.host().tries.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_otherwise() {
    let bench = refusing(1);
    bench.plan(&play(60)).await;
    assert_eq!(bench.host().tries.load(Ordering::SeqCst), 1);
    let bench = refusing(1);
    let later = play(60).replace("debug: {msg: hello}", "shell: 'true'");
    let told = bench.apply(&later).await;
    assert_ne!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(bench.host().tries.load(Ordering::SeqCst), 1);
}
