//! `throttle`: never more hosts at a task than it says.

use hadeploy::event::Status;

use crate::bench::Bench;

/// Each host counts itself in and out in a folder that all share; a pile of more than `most` is told by the log.
fn play(bench: &Bench, head: &str, keys: &str) -> String {
    let shared = bench.host().path("shared").display().to_string();
    std::fs::create_dir_all(&shared).expect("made");
    format!(
        r#"- hosts: all
  gather_facts: false
{head}  tasks:
    - name: act
      shell: "touch {shared}/in-{{{{ inventory_hostname }}}}; ls {shared} | grep -c in- >> {{{{ dir }}}}/log; sleep 0.4; rm {shared}/in-{{{{ inventory_hostname }}}}"
{keys}
    - {{name: after, shell: "echo after >> {{{{ dir }}}}/after"}}
"#
    )
}

/// The most hosts that were there at once.
fn most(bench: &Bench) -> usize {
    let logs = bench.hosts.iter().map(|host| host.read("log"));
    let counts: Vec<usize> = logs
        .flat_map(|log| {
            let numbers = log
                .lines()
                .map(|line| line.trim().parse().expect("a number"));
            numbers.collect::<Vec<usize>>()
        })
        .collect();
    counts.into_iter().max().expect("they ran")
}

#[tokio::test(flavor = "multi_thread")]
async fn at_most_so_many_act_at_once() {
    for (head, keys, limit) in [
        ("", "      throttle: 1", 1),
        ("", "      throttle: '{{ 1 + 1 }}'", 2),
        ("  throttle: 1\n", "", 1),
        ("  strategy: free\n", "      throttle: 1", 1),
        ("  serial: 3\n", "      throttle: 2", 2),
        ("", "      throttle: 1\n      loop: [a, b]", 1),
    ] {
        let bench = Bench::new(&["a", "b", "c", "d"]);
        let told = bench.apply(&play(&bench, head, keys)).await;
        assert_eq!(told.recap.exit_code, 0, "{keys}: {}", told.story());
        assert!(most(&bench) <= limit, "{head}{keys}: {}", most(&bench));
        for host in &bench.hosts {
            assert_eq!(host.read("after"), "after\n", "{keys}: {}", told.story());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_it_they_act_together() {
    let bench = Bench::new(&["a", "b", "c", "d"]);
    let told = bench
        .apply(&play(&bench, "  throttle: 1\n", "      throttle: 0"))
        .await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert!(most(&bench) > 1, "nobody ever met another");
}

/// A host keeps its turn until its attempts have come to an end.
#[tokio::test(flavor = "multi_thread")]
async fn a_turn_lasts_over_all_attempts() {
    let bench = Bench::new(&["a", "b"]);
    let shared = bench.host().path("shared").display().to_string();
    let told = bench
        .apply(&format!(
            r#"- hosts: all
  gather_facts: false
  tasks:
    - name: act
      shell: "echo {{{{ inventory_hostname }}}} >> {shared}; test $(grep -c {{{{ inventory_hostname }}}} {shared}) -ge 3"
      register: r
      until: r is success
      retries: 5
      delay: 0
      throttle: 1
"#
        ))
        .await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    let order = bench.host().read("shared").replace('\n', "");
    assert!(["aaabbb", "bbbaaa"].contains(&&*order), "{order}");
}

/// Who waits for its turn does not begin when the one before has failed for all.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_for_all_ends_the_waiting() {
    let bench = Bench::new(&["a", "b", "c"]);
    let shared = bench.host().path("shared").display().to_string();
    let told = bench
        .apply(&format!(
            "- hosts: all\n  gather_facts: false\n  any_errors_fatal: true\n  tasks:\n    - {{name: act, throttle: 1, shell: \"echo x >> {shared}; sleep 0.3; exit 3\"}}\n"
        ))
        .await;
    assert_eq!(told.recap.exit_code, 3, "{}", told.story());
    assert_eq!(bench.host().read("shared"), "x\n", "{}", told.story());
    let failed = told.tasks().filter(|task| task.status == Status::Failed);
    assert_eq!(failed.count(), 1);
}
