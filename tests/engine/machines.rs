//! One machine under several names of the inventory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use hadeploy::event::Status;

use crate::bench::Bench;
use crate::wire::Fault;

/// `a`, and `also`, which is the same machine.
fn twins(more: &str) -> Bench {
    let mut bench = Bench::new(&["a"]);
    let host = bench.host().clone();
    bench.twins = vec![("also".to_owned(), host, more.to_owned())];
    bench
}

fn play(tasks: &str) -> String {
    format!("- name: p\n  hosts: all\n  gather_facts: false\n  tasks:\n{tasks}")
}

const BOTH: &str = r#"    - {name: own, copy: {content: "{{ inventory_hostname }}", dest: "{{ dir }}/{{ inventory_hostname }}"}, notify: again}
    - {name: shared, lineinfile: {path: "{{ dir }}/f", line: "{{ inventory_hostname }}", create: true}}
    - {name: act, shell: "echo {{ inventory_hostname }} >> {{ dir }}/log"}
  handlers:
    - {name: again, shell: "echo handler >> {{ dir }}/log"}
"#;

/// Each name does its tasks, the lease is one, and what one wrote the other sees.
#[tokio::test(flavor = "multi_thread")]
async fn two_names_of_a_machine_take_turns() {
    // Which of the two connects first is chance.
    for _ in 0..4 {
        let bench = twins("");
        let running = Arc::new(AtomicBool::new(false));
        let launches = Arc::new(AtomicU32::new(0));
        let count = launches.clone();
        bench.host().before_launch(move |_| {
            let (running, count) = (running.clone(), count.clone());
            async move {
                count.fetch_add(1, Ordering::Relaxed);
                assert!(!running.swap(true, Ordering::SeqCst), "both at once");
                tokio::time::sleep(Duration::from_millis(20)).await;
                running.store(false, Ordering::SeqCst);
            }
        });
        let told = bench.plan(&play(BOTH)).await;
        assert_eq!(told.recap.exit_code, 0, "{}", told.story());
        let told = bench.apply(&play(BOTH)).await;
        assert_eq!(told.recap.exit_code, 0, "{}", told.story());
        let lines = |name: &str| {
            let text = bench.host().read(name);
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(lines("f"), ["a", "also"], "{}", told.story());
        assert_eq!(
            lines("log"),
            ["a", "also", "handler", "handler"],
            "{}",
            told.story()
        );
        assert_eq!(
            (bench.host().read("a"), bench.host().read("also")),
            ("a".into(), "also".into())
        );
        assert!(launches.load(Ordering::Relaxed) >= 2);
        let said: Vec<&str> = told.warnings();
        assert_eq!(said.len(), 1, "{}", told.story());
        assert!(said[0].contains("are one machine"), "{}", told.story());
        assert!(bench.host().free().await && bench.host().swept().await);
        assert_eq!(bench.host().owed(), 0, "{}", told.story());
        // The node keeps one line of the run, with what was done under both names.
        let kept = bench.host().kept();
        assert_eq!(kept.len(), 1, "{kept:?}");
        assert_eq!(kept[0]["changed"], 8, "{kept:?}");
        let told = bench
            .apply(&play(&BOTH.replace(
                "{name: act, shell",
                "{name: act, when: false, shell",
            )))
            .await;
        assert_eq!(told.recap.exit_code, 0, "{}", told.story());
        let changed = |name: &str| told.recap.hosts[name].changed;
        assert_eq!((changed("a"), changed("also")), (0, 0), "{}", told.story());
    }
}

/// A handler that one name has run is still owed where the other name's failed.
#[tokio::test(flavor = "multi_thread")]
async fn the_note_stays_while_another_name_owes() {
    let bench = twins("");
    let tasks = |last: &str| {
        play(&format!(
            "    - {{name: own, copy: {{content: x, dest: \"{{{{ dir }}}}/{{{{ inventory_hostname }}}}\"}}, notify: again}}\n  handlers:\n    - {{name: again, shell: \"echo {{{{ inventory_hostname }}}} >> {{{{ dir }}}}/log; {last}\"}}\n"
        ))
    };
    let told = bench
        .apply(&tasks("[ {{ inventory_hostname }} = a ]"))
        .await;
    assert_eq!(told.recap.exit_code, 3, "{}", told.story());
    assert_eq!(bench.host().owed(), 1, "{}", told.story());
    let told = bench.apply(&tasks("true")).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert!(bench.host().count("also") >= 2, "{}", told.story());
    assert_eq!(bench.host().owed(), 0, "{}", told.story());
}

/// What is delegated to another name of the machine that does the play, as to `localhost` where that is one of the nodes.
#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_delegated_to_another_name_of_its_machine() {
    let bench = twins("");
    let tasks = r#"    - {name: mine, copy: {content: one, dest: "{{ dir }}/f"}}
    - {name: theirs, copy: {content: two, dest: "{{ dir }}/f"}, delegate_to: also}
    - {name: again, copy: {content: one, dest: "{{ dir }}/f"}}
"#;
    let text = play(tasks).replace("hosts: all", "hosts: a");
    let told = bench.apply(&text).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    for task in ["mine", "theirs", "again"] {
        assert_eq!(told.status(task), Some(Status::Changed), "{}", told.story());
    }
    assert_eq!(bench.host().read("f"), "one");
    assert!(bench.host().free().await);
}

/// A connection that is lost gives no lease back under which the machine's other name works.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_leaves_the_lease_to_the_other_name() {
    for after in [2_000, 6_000, 10_000, 14_000] {
        let bench = twins("");
        bench
            .host()
            .faults
            .lock()
            .expect("whole")
            .push_back(Fault::Cut {
                to_host: true,
                after,
                lag: Duration::from_millis(10),
            });
        let text = play(&BOTH.replace(
            ">> {{ dir }}/log\"}\n  h",
            ">> {{ dir }}/log; sleep 0.5\"}\n  h",
        ));
        let told = bench.apply(&text).await;
        assert_eq!(told.recap.exit_code, 0, "{after}: {}", told.story());
        assert_eq!(bench.host().count("a"), 1, "{after}: {}", told.story());
        assert_eq!(bench.host().count("also"), 1, "{after}: {}", told.story());
    }
}

/// Where the inventory says so, it is said with its place and before anything connects.
#[tokio::test(flavor = "multi_thread")]
async fn one_address_is_told_before_connecting() {
    let bench = twins(", ansible_host: a");
    bench
        .host()
        .faults
        .lock()
        .expect("whole")
        .extend([Fault::Refused; 12]);
    let told = bench
        .apply(&play("    - {name: x, shell: \"true\"}\n"))
        .await;
    assert_eq!(told.recap.exit_code, 1, "{}", told.story());
    let story = told.story();
    assert!(
        story.contains("inventory:4:") && story.contains("`a` and `also` are one machine (a:22)"),
        "{story}"
    );
    assert!(told.warnings().is_empty(), "{story}");
}

/// Members of a cluster are machines of their own.
#[tokio::test(flavor = "multi_thread")]
async fn the_members_of_a_cluster_are_not_one_machine() {
    let text = "- name: p\n  hosts: all\n  gather_facts: false\n  become: true\n  tasks:\n    - redis_cluster: {group: all, password: secret}\n";
    let bench = twins(", ansible_host: a");
    let told = bench.apply(text).await;
    assert_eq!(told.recap.exit_code, 1, "{}", told.story());
    let words =
        "`a` and `also` are one machine (a:22), and a redis_cluster needs a machine for each";
    assert!(told.story().contains(words), "{}", told.story());
    assert_eq!(bench.host().tries.load(Ordering::SeqCst), 0);
    // Its members are known by their addresses.
    let mut bench = Bench::new(&["10.0.0.1"]);
    let host = bench.host().clone();
    bench.twins = vec![("10.0.0.2".to_owned(), host, String::new())];
    let told = bench.apply(text).await;
    assert_ne!(told.recap.exit_code, 0, "{}", told.story());
    assert!(
        told.story()
            .contains("and a redis_cluster needs a machine for each"),
        "{}",
        told.story()
    );
    assert!(!told.recap.touched, "{}", told.story());
}
