//! A plan that is kept, and an apply that does what it says and nothing else; and what follows from changes for services.

use std::collections::BTreeMap;
use std::sync::Arc;

use hadeploy::change::Effect;
use hadeploy::plan::{Identity, Plan, Promise, Record, Salt};

use crate::bench::{Bench, Told};

/// Plans `plays` and keeps it.
async fn kept(bench: &mut Bench, plays: &str) -> Plan {
    let record = Arc::new(Record::new(Salt::new([5; 16])));
    bench.record = Some(record.clone());
    let told = bench.plan(plays).await;
    bench.record = None;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    let (hosts, files) = record.take();
    assert!(files.is_empty(), "{files:?}");
    Plan {
        version: String::new(),
        made: String::new(),
        by: String::new(),
        commit: None,
        of: Identity::default(),
        salt: record.salt().clone(),
        files: BTreeMap::new(),
        hosts,
    }
}

async fn applied(bench: &mut Bench, plan: &Plan, plays: &str) -> Told {
    bench.promise = Some(Arc::new(Promise::new(plan)));
    let told = bench.apply(plays).await;
    bench.promise = None;
    told
}

const PLAY: &str = r#"- name: p
  hosts: all
  gather_facts: false
  tasks:
    - name: folder
      file: {path: "{{ dir }}/f", state: directory, mode: "0750"}
    - name: files
      copy: {content: "{{ item }}\n", dest: "{{ dir }}/f/{{ item }}", mode: "0600"}
      loop: [one, two, three]
      notify: tell
    - name: line
      lineinfile: {path: "{{ dir }}/f/one", line: "more"}
    - name: link
      file: {src: "{{ dir }}/f/one", dest: "{{ dir }}/f/link", state: link}
    - name: run
      shell: "echo ran >> {{ dir }}/log"
      register: ran
    - name: behind
      copy: {content: "{{ ran.rc }}", dest: "{{ dir }}/behind"}
  handlers:
    - {name: tell, shell: "echo told >> {{ dir }}/log"}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_planned_is_applied_on_all_hosts() {
    let mut bench = Bench::new(&["a", "b", "c"]);
    let plan = kept(&mut bench, PLAY).await;
    let told = applied(&mut bench, &plan, PLAY).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    for host in &bench.hosts {
        assert_eq!(host.read("f/one"), "one\nmore\n");
        assert_eq!(host.read("log"), "ran\ntold\n");
        assert_eq!(host.read("behind"), "0");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moves_stops_its_host_before_anything_of_the_task_is_written() {
    let mut bench = Bench::new(&["a", "b"]);
    let plan = kept(&mut bench, PLAY).await;
    // An item in the middle of the loop.
    let there = bench.hosts[0].path("f");
    std::fs::create_dir(&there).expect("made");
    std::fs::write(there.join("two"), "other\n").expect("written");
    let plan = Plan {
        hosts: plan
            .hosts
            .into_iter()
            .map(|(host, mut tasks)| {
                // That the folder stands there is not what this is about.
                tasks[0].status = "unknown".to_owned();
                (host, tasks)
            })
            .collect(),
        ..plan
    };
    let told = applied(&mut bench, &plan, PLAY).await;
    assert_eq!(told.recap.exit_code, 3, "{}", told.story());
    let failed: Vec<String> = told
        .tasks()
        .filter(|task| task.failure.is_some())
        .map(|task| format!("{} {}: {}", task.host, task.task, task.msg))
        .collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(
        failed[0].starts_with(
            "a files: moved since the plan was made: action: planned create, now update"
        ),
        "{failed:?}"
    );
    let (a, b) = (&bench.hosts[0], &bench.hosts[1]);
    assert_eq!(a.read("f/two"), "other\n");
    assert!(!a.path("f/one").exists(), "an item before it was written");
    assert_eq!((a.read("log"), a.owed()), (String::new(), 0));
    assert_eq!(b.read("log"), "ran\ntold\n", "{}", told.story());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_rescue_and_no_ignoring_follows() {
    let play = r#"- name: p
  hosts: all
  gather_facts: false
  tasks:
    - block:
        - name: write
          copy: {content: "x", dest: "{{ dir }}/x"}
          ignore_errors: true
        - name: more
          copy: {content: "y", dest: "{{ dir }}/y"}
      rescue:
        - name: rescue
          copy: {content: "z", dest: "{{ dir }}/z"}
"#;
    let mut bench = Bench::new(&["a"]);
    let plan = kept(&mut bench, play).await;
    std::fs::write(bench.host().path("x"), "moved").expect("written");
    let told = applied(&mut bench, &plan, play).await;
    assert_eq!(told.recap.exit_code, 3, "{}", told.story());
    assert!(!told.tasks().any(|task| task.ignored || task.rescued));
    for file in ["y", "z"] {
        assert!(!bench.host().path(file).exists(), "{file}");
    }
    assert_eq!(bench.host().read("x"), "moved");
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_command_what_is_found_may_be_otherwise_but_not_what_is_written() {
    let play = |content: &str| {
        format!(
            r#"- name: p
  hosts: all
  gather_facts: false
  tasks:
    - name: run
      shell: "echo made > {{{{ dir }}}}/x; echo made > {{{{ dir }}}}/gone"
    - name: write
      copy: {{content: "{content}", dest: "{{{{ dir }}}}/x"}}
    - name: clear
      file: {{path: "{{{{ dir }}}}/gone", state: absent}}
"#
        )
    };
    let mut bench = Bench::new(&["a"]);
    let plan = kept(&mut bench, &play("new")).await;
    let told = applied(&mut bench, &plan, &play("new")).await;
    assert_eq!(told.recap.exit_code, 0, "{}", told.story());
    assert_eq!(bench.host().read("x"), "new");
    assert!(!bench.host().path("gone").exists());
    let told = applied(&mut bench, &plan, &play("other")).await;
    assert_eq!(told.recap.exit_code, 3, "{}", told.story());
    assert_eq!(bench.host().read("x"), "made\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_not_in_what_is_kept() {
    let play = r#"- name: p
  hosts: all
  gather_facts: false
  tasks:
    - name: hidden
      lineinfile: {path: "{{ dir }}/x", create: true, line: "pw=hunter2"}
      no_log: true
    - name: command
      shell: "echo hunter2 > {{ dir }}/y"
      no_log: true
"#;
    let mut bench = Bench::new(&["a"]);
    let plan = kept(&mut bench, play).await;
    let text = serde_json::to_string(&plan).expect("json");
    assert!(!text.contains("hunter2"), "{text}");
    let other = play.replace("hunter2", "hunter3");
    let told = applied(&mut bench, &plan, &other).await;
    assert_eq!(told.recap.exit_code, 3, "{}", told.story());
    assert!(!bench.host().path("x").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_says_what_its_handlers_do() {
    let play = r#"- name: p
  hosts: all
  gather_facts: false
  vars: {unit: web}
  tasks:
    - name: conf
      copy: {content: "x", dest: "{{ dir }}/x"}
      notify: [reload web, topic]
    - name: same
      copy: {content: "x", dest: "{{ dir }}/x"}
      notify: other
    - name: asks
      shell: "true"
      notify: other
    - name: asks more
      shell: "true"
      notify: file
  handlers:
    - {name: reload web, service: {name: "{{ unit }}", state: reloaded}}
    - {name: never, service: {name: db.socket, state: restarted}, listen: topic, when: false}
    - {name: restart db, systemd_service: {name: db.socket, state: restarted}, listen: topic, notify: chained}
    - {name: keep up, service: {name: db, state: started}, listen: topic}
    - {name: chained, shell: "true"}
    - {name: other, service: {name: other, state: restarted}}
    - {name: file, include_tasks: more.yml}
"#;
    let bench = Bench::new(&["a"]);
    bench.file(
        "more.yml",
        "- {service: {name: more, state: restarted}}\n- {service: {name: less, state: restarted}, when: false}\n- {service: {name: more, state: reloaded}, notify: other}\n",
    );
    let told = bench.plan(play).await;
    let of = |name: &str| {
        let task = told.tasks().find(|task| &*task.task == name);
        let follows = task.expect("told").follows.iter();
        let words = follows.map(|it| {
            let unit = it.effect.unit().unwrap_or_default();
            format!(
                "{} {unit} {}",
                it.effect.word(),
                it.handler.as_deref().unwrap_or("")
            )
        });
        words.collect::<Vec<_>>()
    };
    assert_eq!(
        of("conf"),
        [
            "reload web.service reload web",
            "restart db.socket restart db",
            "none  chained"
        ],
        "{}",
        told.story()
    );
    assert!(of("same").is_empty());
    assert_eq!(of("asks"), ["restart other.service other"]);
    assert_eq!(
        of("asks more"),
        [
            "restart more.service file",
            "reload more.service file",
            "restart other.service other"
        ]
    );
    let impact = &told.recap.impact;
    let units = |effects: &[(Effect, Vec<Arc<str>>)]| {
        let words = effects.iter().map(|(effect, hosts)| {
            assert_eq!(hosts.len(), 1);
            format!("{} {}", effect.word(), effect.unit().unwrap_or_default())
        });
        words.collect::<Vec<_>>()
    };
    assert_eq!(
        units(&impact.effects),
        ["reload web.service", "restart db.socket"]
    );
    assert_eq!(
        units(&impact.possible),
        [
            "restart other.service",
            "restart more.service",
            "reload more.service"
        ]
    );
    assert!(impact.open.iter().any(|(task, _)| &**task == "asks"));
}
