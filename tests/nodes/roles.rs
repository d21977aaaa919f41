//! Roles on real nodes: dependencies, handlers, files and templates of their own; a second apply changes nothing and asks no more.

use crate::Case;
use crate::run::Site;
use crate::world::World;

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![Case::new("roles::on_two_nodes", on_two_nodes)]
}

const SITE: &str = r#"- hosts: n1:n2
  become: true
  vars: {from_play: play}
  roles:
    - web
    - {role: app, app_name: one, tags: apps}
  tasks:
    - include_role: {name: app, tasks_from: more}
      loop: [two, three]
      loop_control: {loop_var: app_name}
      when: app_name == 'two' or inventory_hostname == 'n2'
"#;

const FILES: &[(&str, &str)] = &[
    (
        "roles/base/tasks/main.yml",
        "- name: folder\n  file: {path: /srv/roles, state: directory}\n",
    ),
    ("roles/web/meta/main.yml", "dependencies: [base]\n"),
    (
        "roles/web/tasks/main.yml",
        "- include_vars: \"{{ ansible_facts.os_family }}.yml\"\n- name: page\n  template: {src: page.j2, dest: /srv/roles/page}\n  notify: web changed\n- import_tasks: extra.yml\n- yum: {name: httpd}\n  when: ansible_os_family == 'RedHat'\n",
    ),
    (
        "roles/web/tasks/extra.yml",
        "- name: logo\n  copy: {src: logo, dest: /srv/roles/logo}\n  notify: web changed\n",
    ),
    ("roles/web/vars/Debian.yml", "web_system: Debian\n"),
    ("roles/web/vars/RedHat.yml", "web_system: other\n"),
    (
        "roles/web/defaults/main.yml",
        "web_title: \"{{ role_name }} of {{ from_play }}\"\n",
    ),
    (
        "roles/web/templates/page.j2",
        "{{ web_title }} on {{ web_system }}\n",
    ),
    ("roles/web/files/logo", "logo\n"),
    (
        "roles/web/handlers/main.yml",
        "- name: web changed\n  shell: echo changed >>/srv/roles/log\n",
    ),
    ("roles/app/meta/main.yml", "dependencies:\n  - role: base\n"),
    (
        "roles/app/tasks/main.yml",
        "- name: app\n  copy: {content: \"{{ app_name }}\\n\", dest: \"/srv/roles/{{ app_name }}\"}\n",
    ),
    ("roles/app/tasks/more.yml", "- import_tasks: main.yml\n"),
];

fn on_two_nodes(world: &World) {
    let nodes = ["n1", "n2"].map(|host| world.node(host));
    for node in &nodes {
        node.sh("rm -rf /srv/roles");
    }
    let site = Site::with(&nodes[0].lab, SITE);
    for (name, text) in FILES {
        site.write(name, text);
    }
    let plan = site.plan();
    assert_eq!(plan.count("n1", "failed"), 0, "{plan}");
    nodes[0].sh("test ! -e /srv/roles");
    let run = site.apply();
    for (node, files) in nodes
        .iter()
        .zip(["log logo one page two", "log logo one page three two"])
    {
        let seen = node.sh("cd /srv/roles; echo $(ls); cat page log");
        let wanted = format!("{files}\nweb of play on Debian\nchanged");
        assert_eq!(seen, wanted, "{}\n{run}", node.name);
    }
    let of_base = run.tasks().filter(|task| task["task"] == "base : folder");
    assert_eq!(of_base.count(), 2, "once on each node\n{run}");
    let again = site.apply();
    for host in ["n1", "n2"] {
        assert_eq!(again.count(host, "changed"), 0, "{again}");
        assert!(again.count(host, "round_trips") <= 3, "{again}");
    }
}
