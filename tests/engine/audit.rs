//! The line that a node keeps of each run that held its lease.

use crate::bench::Bench;

const PLAY: &str = r#"- name: p
  hosts: all
  gather_facts: false
  tasks:
    - name: write it
      copy: {content: "x\n", dest: "{{ dir }}/x"}
    - name: look at it
      stat: {path: "{{ dir }}/x"}
"#;

const FAILS: &str = r#"- name: p
  hosts: all
  gather_facts: false
  tasks:
    - name: write it again
      copy: {content: "y\n", dest: "{{ dir }}/x"}
    - name: stop there
      command: "false"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn each_run_leaves_a_line_and_no_script_more() {
    let bench = Bench::new(&["a"]);
    let first = bench.apply(PLAY).await;
    assert_eq!(first.recap.exit_code, 0, "{}", first.story());
    assert!(bench.host().free().await);
    let again = bench.apply(PLAY).await;
    assert!(again.recap.hosts["a"].round_trips <= 2, "{}", again.story());
    assert!(bench.host().free().await);
    let failed = bench.apply(FAILS).await;
    assert_eq!(failed.recap.exit_code, 3, "{}", failed.story());
    assert!(bench.host().free().await);
    if bench.host().login != "root" {
        assert!(bench.host().kept().is_empty(), "only root writes the log");
        return;
    }
    let kept = bench.host().kept();
    let of = |number: usize, name: &str| kept[number][name].clone();
    assert_eq!(kept.len(), 3, "{kept:?}");
    assert_eq!(of(0, "who"), "ann@a");
    assert_eq!(of(0, "command"), "a test");
    assert_eq!(of(0, "status"), "done");
    assert_eq!(of(0, "changed"), 1);
    assert_eq!(of(0, "tasks"), serde_json::json!(["write it"]));
    assert_ne!(of(0, "run"), of(1, "run"));
    assert_eq!(of(1, "status"), "unchanged");
    assert_eq!(of(1, "tasks"), serde_json::json!([]));
    assert_eq!(of(2, "status"), "failed");
    assert_eq!(of(2, "tasks"), serde_json::json!(["write it again"]));
    let why = of(2, "why");
    assert!(
        why.as_str().expect("words").starts_with("stop there: "),
        "{why}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_leaves_none() {
    let bench = Bench::new(&["a"]);
    let told = bench.plan(PLAY).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(bench.host().kept().is_empty());
}
