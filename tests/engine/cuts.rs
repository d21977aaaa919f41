//! Connections that break anywhere: what is told is what happened, and nothing happens twice.

use std::sync::Arc;
use std::time::Duration;

use hadeploy::event::{Mode, Status};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::bench::{Bench, Dice, Told};
use crate::played::Host;
use crate::wire::Fault;

/// Each `say` appends its own word to a log.
const PLAY: &str = r#"
- name: all
  hosts: all
  gather_facts: false
  tasks:
    - {name: one, shell: "echo one >> {{ dir }}/log"}
    - {name: file, copy: {content: "{{ inventory_hostname }}\n", dest: "{{ dir }}/file", mode: "0640"}}
    - {name: two, shell: "echo two >> {{ dir }}/log; echo out", register: two, notify: handler}
    - {name: line, lineinfile: {path: "{{ dir }}/file", line: "said {{ two.stdout }}"}}
    - {name: three, shell: "echo three >> {{ dir }}/log", changed_when: true}
    - {name: made, command: {argv: [sh, -c, "echo made >> {{ dir }}/log; touch {{ dir }}/made"], creates: "{{ dir }}/made"}}
    - {name: item, shell: "echo {{ item }} >> {{ dir }}/log", loop: [a, b, c]}
    - {name: large, copy: {content: "{{ 'x' * 30000 }}", dest: "{{ dir }}/large"}}
    - {name: folder, file: {path: "{{ dir }}/sub/sub", state: directory}}
  handlers:
    - {name: handler, shell: "echo handler >> {{ dir }}/log"}
"#;

const WORDS: [(&str, &[&str]); 6] = [
    ("one", &["one"]),
    ("two", &["two"]),
    ("three", &["three"]),
    ("made", &["made"]),
    ("item", &["a", "b", "c"]),
    ("handler", &["handler"]),
];

const LOG: &str = "one\ntwo\nthree\nmade\na\nb\nc\nhandler\n";

/// What goes wrong with a host's connections.
fn faults(dice: &mut Dice) -> Vec<Fault> {
    let mut faults = Vec::new();
    for connection in 0..1 + dice.roll(4) {
        // The first connection may only be cut: a host that refuses it is simply out of reach.
        let refusals = match (connection, dice.roll(4)) {
            (1.., 0) => 1 + dice.roll(2),
            (1.., 1) if dice.roll(12) == 0 => 6,
            _ => 0,
        };
        faults.extend((0..refusals).map(|_| Fault::Refused));
        let to_host = dice.roll(2) == 0;
        // As often early as late: the reach doubles by chance.
        let reach = 2 << dice.roll(if to_host { 15 } else { 10 });
        let after = dice.roll(reach) as usize;
        faults.push(Fault::Cut {
            to_host,
            after,
            lag: Duration::from_millis([0, 0, 5, 150][dice.roll(4) as usize]),
        });
    }
    faults
}

fn check(seed: u64, host: &Arc<Host>, told: &Told) {
    let context = || {
        format!(
            "seed {seed}, host {}, log {:?}\n{}",
            host.name,
            host.read("log"),
            told.story()
        )
    };
    let tally = told.recap.hosts[host.name.as_str()];
    for (task, lines) in WORDS {
        let ended = told
            .tasks()
            .find(|result| &*result.task == task && *result.host == *host.name)
            .map(|result| result.status);
        for line in lines {
            let times = host.count(line);
            match ended {
                Some(Status::Changed) => assert_eq!(times, 1, "`{line}`, {}", context()),
                Some(Status::Unreachable | Status::Failed) => {
                    assert!(times <= 1, "`{line}`, {}", context());
                }
                None => assert!(times <= 1, "`{line}`, {}", context()),
                other => panic!("{other:?} of `{task}`, {}", context()),
            }
        }
    }
    if tally.unreachable == 0 {
        assert_eq!(tally.failed, 0, "{}", context());
        assert_eq!(host.read("log"), LOG, "{}", context());
        assert_eq!(
            host.read("file"),
            format!("{}\nsaid out\n", host.name),
            "{}",
            context()
        );
        assert_eq!(host.read("large").len(), 30_000, "{}", context());
        assert!(host.path("sub/sub").is_dir(), "{}", context());
        assert_eq!(host.owed(), 0, "{}", context());
    }
}

/// Two hosts, the first with faults: true when it went through to the end.
async fn attempt(seed: u64) -> bool {
    let bench = Bench::new(&["a", "b"]);
    let mut dice = Dice::new(seed);
    let faults = faults(&mut dice);
    let words = format!("{faults:?}");
    bench.hosts[0].faults.lock().expect("whole").extend(faults);
    let run = tokio::time::timeout(Duration::from_secs(90), bench.run(Mode::Apply, PLAY));
    let Ok(told) = run.await else {
        panic!("seed {seed} hangs: {words}");
    };
    for host in &bench.hosts {
        check(seed, host, &told);
    }
    let tally = told.recap.hosts["b"];
    assert_eq!((tally.unreachable, tally.failed), (0, 0), "seed {seed}");
    let whole = told.recap.hosts["a"].unreachable == 0;
    assert_eq!(
        told.recap.exit_code,
        if whole { 0 } else { 3 },
        "seed {seed}"
    );
    if whole {
        for host in &bench.hosts {
            assert!(host.free().await, "seed {seed}: {words}: the lease stays");
            assert!(host.swept().await, "seed {seed}: {words}\n{}", told.story());
        }
    }
    whole
}

async fn many(seeds: std::ops::Range<u64>) {
    let permits = Arc::new(Semaphore::new(12));
    let mut runs = JoinSet::new();
    let count = seeds.end - seeds.start;
    for seed in seeds {
        let permits = permits.clone();
        runs.spawn(async move {
            let _permit = permits.acquire_owned().await;
            attempt(seed).await
        });
    }
    let mut whole = 0;
    let mut broken = Vec::new();
    while let Some(end) = runs.join_next().await {
        match end {
            Ok(end) => whole += u64::from(end),
            Err(error) => broken.push(error.to_string()),
        }
    }
    broken.truncate(5);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    // Most cuts are survived; were none lost for good, the faults would be too tame.
    assert!(whole > count / 2, "only {whole} of {count} came to the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_done_twice() {
    many(0..60).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "thousands of seeds take minutes"]
async fn nothing_is_lost_or_done_twice_at_length() {
    many(1000..4000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_play_takes_three_round_trips() {
    let bench = Bench::new(&["a", "b"]);
    let tasks: String = (0..100)
        .map(|number| {
            format!("    - copy: {{content: '{number}', dest: '{{{{ dir }}}}/{number}'}}\n")
        })
        .collect();
    let play = format!("- name: p\n  hosts: all\n  tasks:\n{tasks}");
    let first = bench.apply(&play).await;
    assert_eq!(first.recap.hosts["a"].changed, 100, "{}", first.story());
    bench.rested().await;
    let again = bench.apply(&play).await;
    for (name, tally) in &again.recap.hosts {
        assert_eq!((tally.ok, tally.changed), (100, 0), "{}", again.story());
        assert!(tally.round_trips <= 3, "{name}: {tally:?}");
    }
    for host in &bench.hosts {
        assert!(host.free().await);
        assert!(host.swept().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_target_of_a_text_with_facts_is_read_together_with_the_facts() {
    let bench = Bench::new(&["a"]);
    let play = "- name: p\n  hosts: all\n  tasks:\n    - copy: {content: '{{ ansible_facts.kernel }}', dest: '{{ dir }}/kernel'}\n    \
                - copy: {content: 'none', dest: '{{ dir }}/never'}\n      when: ansible_facts.kernel == 'none'\n";
    let first = bench.apply(play).await;
    assert_eq!(first.recap.hosts["a"].changed, 1, "{}", first.story());
    bench.rested().await;
    for again in [bench.apply(play).await, bench.plan(play).await] {
        let tally = again.recap.hosts["a"];
        assert_eq!((tally.ok, tally.skipped), (1, 1), "{}", again.story());
        assert_eq!(tally.round_trips, 1, "{}", again.story());
    }
}
