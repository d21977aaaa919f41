//! Playbooks that are right.

use hadeploy::playbook::{
    Installed, LoopKind, Meta, Playbook, Rollout, Task, TaskAction, parse_playbook,
};
use hadeploy::vault::Keyring;

use crate::Folder;
use crate::kinds::KINDS;

fn read(folder: &Folder) -> Playbook {
    let (playbook, faults) = parse_playbook(
        &folder.name("site.yml"),
        KINDS,
        0,
        &Keyring::default(),
        &Installed::default(),
    );
    assert_eq!(folder.said(&faults), "");
    playbook
}

fn arg(task: &Task, name: &str) -> String {
    match &task.action {
        TaskAction::Kind { args, .. } => args
            .iter()
            .find(|(param, _)| *param == name)
            .map_or("-".to_owned(), |(_, entry)| {
                entry.value.to_json().to_string()
            }),
        TaskAction::Meta(_) => "meta".to_owned(),
        other => other.name().to_owned(),
    }
}

#[test]
fn a_play_with_everything() {
    let folder = Folder::new(&[
        ("vars/web.yml", "port: 80\n"),
        (
            "site.yml",
            "\
- name: the site
  hosts: web
  gather_facts: no
  become: yes
  become_user: root
  remote_user: admin
  vars: {page: hello}
  vars_files: [vars/web.yml, \"vars/{{ x }}.yml\"]
  environment: {LANG: C}
  tags: site
  force_handlers: true
  pre_tasks:
    - meta: flush_handlers
  tasks:
    - name: packages
      ansible.builtin.apt: {name: [nginx, curl], state: present}
      tags: [a, 'b,c']
      notify: restart nginx
    - command: ls -l 'a b' creates=/x other=1
      args: {chdir: /tmp}
      register: listing
      changed_when: false
      when: [page is defined, port == 80]
      loop: [1, 2]
      loop_control: {loop_var: n, index_var: i, label: '{{ n }}', pause: 1, extended: true}
    - apt: name=\"{{ a }}\" state=latest update_cache=yes
      with_items: '{{ x }}'
      vars: {y: 1}
      ignore_errors: yes
      no_log: true
      check_mode: false
      timeout: 30
    - action: copy src=a dest=/b mode=0644
    - action: {module: file, path: /b, state: absent}
      become: no
      with_dict: {a: 1}
  handlers:
    - name: restart nginx
      service: {name: nginx, state: restarted}
      listen: web
",
        ),
    ]);
    let playbook = read(&folder);
    let play = &playbook.plays[0];
    assert_eq!(&*play.name, "the site");
    assert!(!play.gather_facts && play.force_handlers);
    assert_eq!(play.vars_files.len(), 2);
    assert_eq!(play.folder, folder.root());
    assert!(matches!(
        play.pre_tasks[0].action,
        TaskAction::Meta(Meta::FlushHandlers)
    ));
    let [apt, command, words, copy, file] = play.tasks.as_slice() else {
        panic!("five tasks, not {}", play.tasks.len());
    };
    assert_eq!(&*apt.label, "packages");
    assert_eq!(
        apt.tags.iter().map(|tag| &**tag).collect::<Vec<_>>(),
        ["site", "a", "b", "c"]
    );
    assert_eq!(&*apt.at, folder.name("site.yml:15"));
    assert_eq!(&*command.label, "command");
    assert_eq!(arg(command, "cmd"), "\"ls -l 'a b'  other=1\"");
    assert_eq!(arg(command, "creates"), "\"/x\"");
    assert_eq!(arg(command, "chdir"), "\"/tmp\"");
    assert_eq!(command.when.len(), 2);
    let repeat = command.repeat.as_ref().expect("a loop");
    assert_eq!((&*repeat.var, repeat.kind), ("n", LoopKind::List));
    assert!(repeat.extended);
    assert_eq!(arg(words, "update_cache"), "true");
    assert_eq!(arg(words, "name"), "\"{{ a }}\"");
    assert_eq!(
        words.repeat.as_ref().map(|it| it.kind),
        Some(LoopKind::Items)
    );
    assert_eq!(arg(copy, "mode"), "\"0644\"");
    assert_eq!(arg(file, "state"), "\"absent\"");
    assert!(file.privilege.over(&play.privilege).user.is_some());
    assert!(play.handlers[0].handler);
    let ids: Vec<usize> = play.tasks_and_handlers().map(|task| task.id).collect();
    assert_eq!(ids, [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn imports_hand_on_what_stands_beside_them() {
    let folder = Folder::new(&[
        (
            "site.yml",
            "\
- import_playbook: plays/web.yml
  when: outer
  tags: p
  vars: {v: 1}
- hosts: db
  tasks: []
",
        ),
        (
            "plays/web.yml",
            "\
- hosts: web
  tasks:
    - import_tasks: tasks/a.yml
      when: middle
      tags: i
      become: true
      vars: {one: 1}
      environment: {A: b}
",
        ),
        (
            "plays/tasks/a.yml",
            "\
- import_tasks: b.yml
- import_tasks: {file: shared.yml}
",
        ),
        (
            "plays/tasks/b.yml",
            "- debug: {msg: b}\n  when: inner\n  vars: {two: 2}\n",
        ),
        ("shared.yml", "- debug: {msg: shared}\n"),
    ]);
    let playbook = read(&folder);
    assert_eq!(playbook.plays.len(), 2);
    let play = &playbook.plays[0];
    assert!(play.vars.contains_key("v"));
    let task = &play.tasks[0];
    let when: Vec<&str> = task
        .when
        .iter()
        .filter_map(|value| value.as_str())
        .collect();
    assert_eq!(when, ["outer", "middle", "inner"]);
    assert_eq!(
        task.tags.iter().map(|tag| &**tag).collect::<Vec<_>>(),
        ["p", "i"]
    );
    assert_eq!(task.vars.len(), 2);
    assert!(task.privilege.become_.is_some());
    assert_eq!(task.environment.len(), 1);
    assert_eq!(task.folder, folder.path("plays/tasks"));
    assert_eq!(&*play.tasks[1].at, folder.name("shared.yml:1"));
    assert_eq!(playbook.plays[1].tasks.len(), 0);
}

#[test]
fn notified_topics_and_templates_need_no_handler_name() {
    let folder = Folder::new(&[(
        "site.yml",
        "\
- hosts: web
  tasks:
    - debug: {msg: x}
      notify: [topic, 'restart {{ x }}']
  handlers:
    - name: one
      debug: {msg: x}
      listen: [topic]
",
    )]);
    let playbook = read(&folder);
    let play = &playbook.plays[0];
    assert_eq!(play.tasks[0].notify.len(), 2);
    let raw = |task: &Task| Some(task.label.clone());
    assert_eq!(play.notified("topic", raw).len(), 1);
    assert_eq!(play.notified("one", raw).len(), 1);
    assert!(play.notified("two", raw).is_empty());
}

#[test]
fn a_rolling_play_keeps_its_settings_and_imports_hand_on_when_tasks_run() {
    let folder = Folder::new(&[
        (
            "site.yml",
            "\
- hosts: web
  rolling: {max_unavailable: 1}
  tasks:
    - import_tasks: schema.yml
      rollout: once
    - debug: {msg: x}
",
        ),
        (
            "schema.yml",
            "- debug: {msg: a}\n- debug: {msg: b}\n  rollout: before\n",
        ),
    ]);
    let playbook = read(&folder);
    let play = &playbook.plays[0];
    let rolling = play.rolling.as_ref().and_then(|value| value.as_map());
    assert!(rolling.is_some_and(|map| map.contains_key("max_unavailable")));
    let when: Vec<_> = play.tasks.iter().map(|task| task.rollout).collect();
    assert_eq!(when, [Some(Rollout::Once), Some(Rollout::Before), None]);
}
