//! `ignore_unreachable`: a host that is out of reach goes on, and each task that needs it tries again.

use std::time::Duration;

use hadeploy::event::{Event, Status};

use crate::bench::{Bench, Told};
use crate::wire::Fault;

const PLAY: &str = r#"- name: p
  hosts: all
  gather_facts: false
  tasks:
    - {name: one, shell: "echo one >> {{ dir }}/log", register: one, ignore_unreachable: true}
    - {name: two, copy: {content: x, dest: "{{ dir }}/two"}, loop: [a, b], register: two, ignore_unreachable: true}
    - name: three
      copy:
        content: "{{ one is unreachable }} {{ one is failed }} {{ two.results | map(attribute='unreachable', default=false) | list }} {{ two is changed }}"
        dest: "{{ dir }}/three"
"#;

fn refusing(hosts: &[&str], times: usize) -> Bench {
    let bench = Bench::new(hosts);
    let mut faults = bench.host().faults.lock().expect("whole");
    faults.extend((0..times).map(|_| Fault::Refused));
    drop(faults);
    bench
}

/// A host whose first connection breaks after so many bytes, and which refuses so many after it.
fn breaking(after: usize, refused: usize) -> Bench {
    let bench = refusing(&["a"], 0);
    let mut faults = bench.host().faults.lock().expect("whole");
    faults.push_back(Fault::Cut {
        to_host: true,
        after,
        lag: Duration::from_millis(5),
    });
    faults.extend((0..refused).map(|_| Fault::Refused));
    drop(faults);
    bench
}

fn ends(told: &Told, host: &str) -> Vec<(String, Status, bool)> {
    told.tasks()
        .filter(|task| &*task.host == host)
        .map(|task| (task.task.to_string(), task.status, task.ignored))
        .collect()
}

fn passed_over(name: &str) -> (String, Status, bool) {
    (name.to_owned(), Status::Unreachable, true)
}

fn changed(name: &str) -> (String, Status, bool) {
    (name.to_owned(), Status::Changed, false)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_comes_back_takes_part_again() {
    let bench = refusing(&["a"], 2);
    let told = bench.apply(PLAY).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(
        ends(&told, "a"),
        [passed_over("one"), passed_over("two"), changed("three")],
        "{}",
        told.story()
    );
    assert_eq!(
        bench.host().read("three"),
        "True False [True, True] False",
        "{}",
        told.story()
    );
    let tally = told.recap.hosts["a"];
    assert_eq!((tally.ignored, tally.unreachable, tally.failed), (2, 0, 0));
    assert_eq!(bench.host().count("one"), 0);
    let told = bench.apply(PLAY).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(
        bench.host().read("three"),
        "False False [False, False] True"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_without_it_takes_the_host_out_and_others_go_on() {
    let bench = refusing(&["a", "b"], 1000);
    let told = bench.apply(PLAY).await;
    assert_eq!(told.recap.exit_code, 3, "{}", told.story());
    assert_eq!(
        ends(&told, "a"),
        [passed_over("one"), passed_over("two")],
        "{}",
        told.story()
    );
    assert_eq!(ends(&told, "b").len(), 3, "{}", told.story());
    let tally = told.recap.hosts["a"];
    assert_eq!((tally.ignored, tally.unreachable), (2, 1));
    let out =
        |event: &Event| matches!(event, Event::HostUnreachable { host, .. } if &**host == "a");
    assert!(told.events.iter().any(out));
}

/// What a plan would only run needs no node.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_passes_over_it_as_well() {
    let bench = refusing(&["a"], 1000);
    let told = bench.plan(PLAY).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(ends(&told, "a")[1], passed_over("two"), "{}", told.story());
    let told = bench
        .plan(&PLAY.replace(", ignore_unreachable: true", ""))
        .await;
    assert_eq!(told.recap.exit_code, 1, "{}", told.story());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_play_goes_on_without_facts_and_the_next_one_gathers_them() {
    let bench = refusing(&["a", "b"], 1);
    let fact = "{{ ansible_facts.hostname | default('none') | replace('none', 'NONE') }}";
    let play = |number: u32| {
        format!(
            "- hosts: all\n  ignore_unreachable: true\n  tasks:\n    - {{name: said, copy: {{content: \"{fact} {{{{ hostvars.a.ansible_facts.hostname | default('unknown') }}}}\", dest: \"{{{{ dir }}}}/{number}\"}}}}\n"
        )
    };
    let told = bench.apply(&(play(1) + &play(2))).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(bench.hosts[0].read("1"), "NONE unknown", "{}", told.story());
    assert!(!bench.hosts[0].read("2").contains("NONE"));
    let other = bench.hosts[1].read("1");
    assert!(
        !other.contains("NONE") && other.ends_with(" unknown"),
        "{other}"
    );
    assert!(
        told.warnings()
            .iter()
            .any(|words| words.starts_with("its facts are not known")),
        "{}",
        told.story()
    );
}

/// The connection breaks somewhere, stays away for some tries, and comes back: nothing runs twice, and what is told to have run did.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_loses_one_task_at_most_for_each_try() {
    let play = r#"- hosts: all
  gather_facts: false
  ignore_unreachable: true
  tasks:
    - {name: one, shell: "echo one >> {{ dir }}/log"}
    - {name: file, copy: {content: x, dest: "{{ dir }}/file"}}
    - {name: two, shell: "echo two >> {{ dir }}/log"}
    - {name: three, shell: "echo three >> {{ dir }}/log"}
    - {name: four, shell: "echo four >> {{ dir }}/log"}
"#;
    let mut lost = 0;
    for seed in 0..10_usize {
        let bench = breaking(2000 + seed / 2 * 2500, seed % 2 * 8);
        let run = tokio::time::timeout(Duration::from_secs(90), bench.apply(play));
        let told = run.await.unwrap_or_else(|_| panic!("seed {seed} hangs"));
        let story = told.story();
        assert_eq!(told.recap.exit_code, 0, "seed {seed}\n{story}");
        for (name, status, ignored) in ends(&told, "a") {
            let times = match name.as_str() {
                "file" => usize::from(bench.host().path("file").exists()),
                line => bench.host().count(line),
            };
            match status {
                Status::Changed => assert_eq!(times, 1, "seed {seed}, {name}\n{story}"),
                Status::Unreachable => {
                    assert!(ignored && times <= 1, "seed {seed}, {name}\n{story}");
                    lost += 1;
                }
                other => panic!("seed {seed}, {name}: {other:?}\n{story}"),
            }
        }
        assert_eq!(told.tasks().count(), 5, "seed {seed}\n{story}");
    }
    assert!(lost > 0, "no fault was felt");
}

/// Behind a task that passed over it, a host is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn wait_for_connection_waits_for_a_host_that_was_passed_over() {
    let play = |timeout: u32| {
        format!(
            "- hosts: all\n  gather_facts: false\n  tasks:\n    - {{name: one, copy: {{content: x, dest: \"{{{{ dir }}}}/one\"}}, ignore_unreachable: true}}\n    - {{name: back, wait_for_connection: {{timeout: {timeout}, sleep: 0}}}}\n    - {{name: two, copy: {{content: x, dest: \"{{{{ dir }}}}/two\"}}}}\n"
        )
    };
    let bench = refusing(&["a"], 4);
    let told = bench.apply(&play(60)).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert!(!bench.host().path("one").exists());
    assert_eq!(bench.host().read("two"), "x");
    assert_eq!(told.status("back"), Some(Status::Ok), "{}", told.story());
    let bench = refusing(&["a"], 1000);
    let told = bench.apply(&play(1)).await;
    assert_eq!(told.recap.exit_code, 3, "{}", told.story());
    let out = |event: &Event| matches!(event, Event::HostUnreachable { .. });
    assert!(told.events.iter().any(out), "{}", told.story());
}
