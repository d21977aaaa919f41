//! Hosts that act for others.

use hadeploy::event::{Mode, Status};

use crate::bench::Bench;

/// `a` and `b` do the play; `lb` is only in the inventory.
fn play(hosts: &str, tasks: &str) -> String {
    format!("- name: p\n  hosts: {hosts}\n  gather_facts: false\n  tasks:\n{tasks}")
}

#[tokio::test(flavor = "multi_thread")]
async fn another_host_acts_and_the_variables_stay() {
    let bench = Bench::new(&["a", "b", "lb"]);
    let lb = bench.hosts[2].path("").display().to_string();
    let lb = lb.trim_end_matches('/');
    let tasks = format!(
        r#"    - name: line
      lineinfile: {{path: {lb}/f, line: "{{{{ inventory_hostname }}}}", create: true}}
      delegate_to: lb
      register: r
    - name: looped
      shell: "echo {{{{ item }}}}-{{{{ inventory_hostname }}}} >> {lb}/log"
      delegate_to: "{{{{ item }}}}"
      loop: [lb]
    - {{name: told, assert: {{that: [r is changed]}}}}
"#
    );
    let text = play("'a:b'", &tasks);
    let told = bench.plan(&text).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert!(!bench.hosts[2].path("f").exists());
    assert!(!bench.hosts[2].leased());
    let told = bench.apply(&text).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    let sorted = |name: &str| {
        let text = bench.hosts[2].read(name);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted("f"), ["a", "b"], "{}", told.story());
    assert_eq!(sorted("log"), ["lb-a", "lb-b"], "{}", told.story());
    let line = told.tasks().find(|task| &*task.task == "line");
    let line = line.expect("told");
    assert_eq!(line.delegate.as_deref(), Some("lb"));
    assert_ne!(&*line.host, "lb");
    // Its counts are the original host's, its lease was taken with the others.
    assert_eq!(told.recap.hosts["lb"].changed, 0);
    assert!(bench.hosts[2].free().await);
    for mode in [Mode::Plan, Mode::Apply] {
        let told = bench
            .run(mode, &text.replace("[r is changed]", "[true]"))
            .await;
        assert_eq!(told.status("line"), Some(Status::Ok), "{}", told.story());
    }
}

/// What a host's own run knows is asked again when another one acted there.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_known_before_another_acted_is_forgotten() {
    let bench = Bench::new(&["a", "b"]);
    let there = bench.hosts[1].path("").display().to_string();
    let there = there.trim_end_matches('/');
    let tasks = format!(
        r#"    - {{name: first, copy: {{content: one, dest: {there}/f}}, when: inventory_hostname == 'b'}}
    - {{name: other, copy: {{content: two, dest: {there}/f}}, delegate_to: b, run_once: true}}
    - {{name: again, copy: {{content: three, dest: {there}/f}}, when: inventory_hostname == 'b'}}
"#
    );
    let told = bench.apply(&play("all", &tasks)).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(bench.hosts[1].read("f"), "three", "{}", told.story());
    let other = told.tasks().find(|task| &*task.task == "other");
    let other = other.expect("told");
    assert_eq!((&*other.host, other.delegate.as_deref()), ("a", Some("b")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegate_that_fails_fails_the_task() {
    let bench = Bench::new(&["a", "lb"]);
    let tasks = "    - block: [{name: bad, shell: \"exit 4\", delegate_to: lb, register: r}]\n      rescue: [{name: told, assert: {that: [r.rc == 4]}}]\n    - {name: try, shell: \"echo x >> {{ dir }}/n; grep -c x {{ dir }}/n\", delegate_to: lb, register: s, until: s.stdout == '2', delay: 0}\n";
    let told = bench.apply(&play("a", tasks)).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(told.status("told"), Some(Status::Ok), "{}", told.story());
    assert_eq!(bench.host().read("n"), "x\nx\n");
}

/// `a` and `b` do the play, and `lb` cannot be reached.
fn without_lb(times: usize) -> Bench {
    let bench = Bench::new(&["a", "b", "lb"]);
    let mut faults = bench.hosts[2].faults.lock().expect("whole");
    faults.extend((0..times).map(|_| crate::wire::Fault::Refused));
    drop(faults);
    bench
}

/// As ansible-core 2.19 does: who acts for a host and is out of reach takes it along, past any rescue and `ignore_errors`.
#[tokio::test(flavor = "multi_thread")]
async fn a_delegate_that_cannot_be_reached_takes_the_host_out() {
    let tasks = r#"    - block:
        - name: gone
          shell: "true"
          delegate_to: lb
          ignore_errors: true
          when: inventory_hostname == 'a'
      rescue: [{name: rescued, debug: }]
      always: [{name: always, debug: }]
    - {name: behind, shell: "true"}
"#;
    for (key, goes_on) in [("", true), ("\n  any_errors_fatal: true", false)] {
        let bench = without_lb(1000);
        let told = bench.apply(&play(&format!("'a:b'{key}"), tasks)).await;
        assert_eq!(told.recap.exit_code, 3, "{}", told.story());
        let ends = |host: &str| -> Vec<(String, Status)> {
            let tasks = told.tasks().filter(|task| &*task.host == host);
            tasks
                .map(|task| (task.task.to_string(), task.status))
                .collect()
        };
        let gone = ("gone".to_owned(), Status::Unreachable);
        assert_eq!(ends("a"), [gone], "{}", told.story());
        let behind = ends("b").iter().any(|(name, _)| name == "behind");
        assert_eq!(behind, goes_on, "{key}: {}", told.story());
        let tally = told.recap.hosts["a"];
        assert_eq!((tally.unreachable, tally.failed, tally.rescued), (1, 0, 0));
    }
    // Also in a plan.
    let copies = tasks.replace(
        "shell: \"true\"",
        "copy: {content: x, dest: \"{{ dir }}/x\"}",
    );
    let told = without_lb(1000).plan(&play("'a:b'", &copies)).await;
    assert_eq!(told.recap.exit_code, 1, "{}", told.story());
    let mut own = told.tasks().filter(|task| &*task.host == "a");
    let lost = own.next().map(|task| task.status);
    assert_eq!(lost, Some(Status::Unreachable), "{}", told.story());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_may_pass_over_a_delegate_that_cannot_be_reached() {
    let tasks = r#"    - {name: gone, shell: "true", delegate_to: lb, register: r, when: inventory_hostname == 'a', IGNORE}
    - {name: looped, shell: "echo {{ item }} >> {{ dir }}/log", delegate_to: "{{ item }}", loop: [lb, b], register: l, when: inventory_hostname == 'a', IGNORE}
    - name: told
      assert:
        that:
          - (r is unreachable) == (inventory_hostname == 'a')
          - "(l is unreachable) == (inventory_hostname == 'a')"
          - "inventory_hostname == 'b' or l.results | map(attribute='unreachable', default=false) | list == [true, false]"
    - {name: again, shell: "true", delegate_to: lb, run_once: true, LAST}
"#;
    let text = |head: &str, one: &str, last: &str| {
        let tasks = tasks.replace("IGNORE", one).replace("LAST", last);
        play(&format!("'a:b'{head}"), &tasks)
    };
    let task = "ignore_unreachable: true";
    for (head, one) in [
        ("", task),
        ("\n  ignore_unreachable: true", "no_log: false"),
    ] {
        // Three tries fail: when the leases are taken, and for both tasks; then it is there.
        let bench = without_lb(3);
        let told = bench.apply(&text(head, one, "no_log: false")).await;
        assert_eq!(told.recap.exit_code, 0, "{}", told.story());
        assert_eq!(
            told.status("again"),
            Some(Status::Changed),
            "{}",
            told.story()
        );
        assert_eq!(told.recap.hosts["a"].ignored, 2, "{}", told.story());
        assert_eq!(told.recap.hosts["lb"].unreachable, 0, "{}", told.story());
        assert_eq!(bench.host().read("log"), "b\n", "{}", told.story());
    }
    // One that does not pass over it is as before.
    let told = without_lb(1000)
        .apply(&text("", task, "no_log: false"))
        .await;
    assert_eq!(told.recap.exit_code, 3, "{}", told.story());
    assert_eq!(told.status("told"), Some(Status::Ok), "{}", told.story());
    assert_eq!(
        told.status("again"),
        Some(Status::Unreachable),
        "{}",
        told.story()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_go_to_the_original_host_unless_said_otherwise() {
    let bench = Bench::new(&["a", "b"]);
    let tasks = r#"    - {set_fact: {x: "{{ inventory_hostname }}"}, delegate_to: b, when: inventory_hostname == 'a'}
    - {set_fact: {y: "{{ inventory_hostname }}"}, delegate_to: b, delegate_facts: true, when: inventory_hostname == 'a'}
    - {shell: "true"}
    - name: told
      assert:
        that:
          - (x | default('-')) == ('a' if inventory_hostname == 'a' else '-')
          - (y | default('-')) == ('a' if inventory_hostname == 'b' else '-')
"#;
    let told = bench.apply(&play("all", tasks)).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
}

/// What another host does for this one owes this one's handlers, however the run ends.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_host_changed_is_owed_here() {
    let bench = Bench::new(&["a", "lb"]);
    let lb = bench.hosts[1].path("").display().to_string();
    let lb = lb.trim_end_matches('/');
    let text = |act: &str, rc: u8| {
        let tasks = format!(
            "    - {act}\n      delegate_to: lb\n      notify: h\n    - {{shell: \"exit {rc}\", changed_when: false}}\n  handlers:\n    - {{name: h, shell: \"echo h >> {{{{ dir }}}}/log\"}}\n"
        );
        play("a", &tasks)
    };
    let fails = "shell: exit 3";
    let told = bench.apply(&text(fails, 0)).await;
    assert_eq!(told.recap.exit_code, 3, "{}", told.story());
    assert_eq!(bench.host().owed(), 0, "{}", told.story());
    let writes = format!("copy: {{content: x, dest: {lb}/f}}");
    let told = bench.apply(&text(&writes, 3)).await;
    assert_eq!(told.recap.exit_code, 3, "{}", told.story());
    assert_eq!((bench.host().owed(), bench.hosts[1].owed()), (1, 0));
    let told = bench.apply(&text(&writes, 0)).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!((bench.host().owed(), bench.host().count("h")), (0, 1));
}

/// Who acts for an item is known before anything is connected wherever the items are: its lease is taken with the others.
#[tokio::test(flavor = "multi_thread")]
async fn the_items_of_a_loop_are_foreseen() {
    let loops = [
        "loop: \"{{ groups['all'] | reject('eq', 'a') }}\"",
        "with_items: [[lb], [db]]",
        "with_items: \"{{ machines }}\"",
        "with_inventory_hostnames: 'all:!a'",
        "with_nested: [[lb, db], [1]]",
        "with_indexed_items: [lb, db]",
        "with_dict: {lb: 1, db: 2}",
        "loop: \"{{ {'lb': 1, 'db': 2} | dict2items }}\"",
        "loop: [{host: lb, facts: \"{{ later.stdout }}\"}, {host: db, facts: x}]",
        "loop: \"{{ records }}\"",
    ];
    for text in loops {
        let item = match text {
            text if text.contains("with_nested") => "item[0]",
            text if text.contains("indexed") => "item[1]",
            text if text.contains("dict") => "item.key",
            text if text.contains("host:") || text.contains("records") => "item.host",
            _ => "item",
        };
        let bench = Bench::new(&["a", "lb", "db"]);
        bench.file("more.yml", "records: [{host: lb}, {host: db}]\n");
        let tasks = format!(
            "    - {{shell: echo x, register: later}}\n    - name: there\n      shell: \"echo {{{{ inventory_hostname }}}} >> {{{{ hostvars[{item}].dir }}}}/log\"\n      delegate_to: \"{{{{ {item} }}}}\"\n      {text}\n"
        );
        let play = play("a", &tasks).replace(
            "  gather_facts",
            "  vars: {machines: [lb, db]}\n  vars_files: [more.yml]\n  gather_facts",
        );
        let told = bench.apply(&play).await;
        assert_eq!(told.recap.exit_code, 0, "{text}: {}", told.story());
        for host in &bench.hosts[1..] {
            assert_eq!(
                host.count("a"),
                1,
                "{text}: {}: {}",
                host.name,
                told.story()
            );
            assert!(host.free().await, "{text}");
        }
    }
}
