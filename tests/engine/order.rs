//! Linear order at commands, over hosts of different speed.

use std::time::Duration;

use crate::bench::{Bench, Dice};

/// Every command appends its number to a file that all hosts share.
async fn attempt(seed: u64, forks: usize, failing: Option<usize>) {
    let mut bench = Bench::new(&["a", "b", "c"]);
    bench.forks = forks;
    let shared = bench.host().path("all").display().to_string();
    let mut tasks = String::new();
    for number in 0..4 {
        let fails = match failing {
            Some(at) if at == number => "{{ 'exit 1' if inventory_hostname == 'b' else 'true' }}",
            _ => "true",
        };
        tasks.push_str(&format!(
            "    - shell: \"echo {number} {{{{ inventory_hostname }}}} >> {shared}; {fails}\"\n"
        ));
        tasks.push_str(&format!(
            "    - copy: {{content: '{number}', dest: '{{{{ dir }}}}/{number}'}}\n"
        ));
    }
    for host in &bench.hosts {
        let name = host.name.len() as u64 + u64::from(host.name.as_bytes()[0]);
        host.before_launch(move |launch| async move {
            let pause = Dice::new(seed * 1000 + name * 100 + u64::from(launch)).roll(60);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        });
    }
    let play = format!("- name: p\n  hosts: all\n  gather_facts: false\n  tasks:\n{tasks}");
    let run = tokio::time::timeout(Duration::from_secs(60), bench.apply(&play));
    let told = run
        .await
        .unwrap_or_else(|_| panic!("seed {seed}, {forks} forks: it hangs"));
    let lines = bench.host().read("all");
    let numbers: Vec<usize> = lines
        .lines()
        .map(|line| line[..1].parse().expect("a number"))
        .collect();
    assert!(
        numbers.is_sorted(),
        "seed {seed}: {lines}\n{}",
        told.story()
    );
    let wanted = match failing {
        Some(at) => 12 - (3 - at),
        None => 12,
    };
    assert_eq!(
        numbers.len(),
        wanted,
        "seed {seed}: {lines}\n{}",
        told.story()
    );
    assert_eq!(told.recap.exit_code, if failing.is_some() { 3 } else { 0 });
}

#[tokio::test(flavor = "multi_thread")]
async fn no_host_runs_a_command_before_all_have_done_what_comes_before() {
    for seed in 0..4 {
        attempt(seed, 50, None).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_host_holds_nobody_back() {
    for seed in 10..13 {
        attempt(seed, 50, Some(seed as usize % 4)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_fork_is_enough() {
    attempt(20, 1, None).await;
    attempt(21, 1, Some(1)).await;
    attempt(22, 2, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moved_between_question_and_step_is_compared_again() {
    let bench = Bench::new(&["a"]);
    let file = bench.host().path("file");
    std::fs::write(&file, "old\n").expect("written");
    bench.host().before_launch(move |launch| {
        if launch == 1 {
            std::fs::write(&file, "someone else's\n").expect("written");
        }
        std::future::ready(())
    });
    let told = bench
        .apply("- name: p\n  hosts: all\n  gather_facts: false\n  tasks:\n    - lineinfile: {path: \"{{ dir }}/file\", line: mine}\n")
        .await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(bench.host().read("file"), "someone else's\nmine\n");
    assert!(
        told.warnings()
            .iter()
            .any(|words| words.contains("compared again")),
        "{}",
        told.story()
    );
}
