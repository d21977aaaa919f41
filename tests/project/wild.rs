//! What roles of others do: they pass on all that their users may say, ask which system and which program runs them, and name loops in full.

use hadeploy::playbook::{Options, Project};
use hadeploy::template::Templates;

use crate::Folder;

/// What is said about the playbook and the inventory of a folder.
fn load(folder: &Folder) -> String {
    let (_, faults) = Project::load(
        &[folder.name("site.yml")],
        &[folder.name("hosts.yml")],
        &Options::default(),
        &Templates::new(),
    );
    folder.said(&faults)
}

/// What is said about a playbook of these tasks, with the kinds that hadeploy has.
fn said(tasks: &str) -> String {
    let indented: String = tasks.lines().map(|line| format!("    {line}\n")).collect();
    let site = format!("- hosts: web\n  tasks:\n{indented}");
    let folder = Folder::new(&[
        ("hosts.yml", "web: {hosts: {web1: }}\n"),
        ("site.yml", &site),
    ]);
    load(&folder)
}

#[test]
fn what_may_be_omitted_is_no_fault_before_its_value_is_known() {
    for tasks in [
        "- copy: {dest: /x, src: '{{ a | default(omit) }}', content: '{{ b | default(omit) }}'}\n  vars: {a: x, b: y}",
        "- service: {name: php8.4-fpm, state: started, use: service}",
        "- uri: {url: 'http://x/', use_proxy: '{{ a | bool }}'}\n  vars: {a: true}",
        "- get_url: {url: 'http://x/', dest: /x, use_proxy: true}",
        "- openssl_csr: {path: /x, privatekey_path: /y, digest: sha256}",
        "- file: {path: /x, seuser: '{{ a | default(omit) }}', unsafe_writes: false}\n  vars: {a: x}",
        "- copy: {dest: /x, content: x, unsafe_writes: '{{ a | d(omit) }}'}\n  vars: {a: false}",
        "- postgresql_user: {name: x, login_host: \"{{ a | default('localhost') }}\", login_password: '{{ a | d(omit) }}'}\n  vars: {a: x}",
    ] {
        assert_eq!(said(tasks), "", "{tasks}");
    }
}

#[test]
fn what_is_wrong_whether_or_not_something_is_omitted_is_said() {
    for (tasks, words) in [
        (
            "- copy: {dest: /x, src: /y, content: z, mode: '{{ a | default(omit) }}'}\n  vars: {a: '0600'}",
            "`src` and `content` exclude each other",
        ),
        (
            "- file: {path: /x, seuser: system_u}",
            "hadeploy's `file` does not have `seuser`",
        ),
        (
            "- file: {path: /x, unsafe_writes: true}",
            "hadeploy's `file` does not have `unsafe_writes`",
        ),
        (
            "- uri: {url: 'http://x/', use_proxy: false}",
            "hadeploy's `uri` does not have `use_proxy`",
        ),
        (
            "- openssl_csr: {path: /x, privatekey_path: /y, digest: sha512}",
            "hadeploy's `openssl_csr` does not have `digest`",
        ),
        (
            "- postgresql_user: {name: x, login_host: db.example.com}",
            "hadeploy's `postgresql_user` does not have `login_host`",
        ),
    ] {
        let said = said(tasks);
        assert!(said.contains(words), "{tasks}:\n{said}");
    }
}

#[test]
fn the_run_and_the_node_are_asked() {
    for tasks in [
        "- debug: {msg: '{{ ansible_version.full }} {{ ansible_verbosity }} {{ ansible_forks }}'}\n  when: \"'x' in ansible_run_tags or 'y' in ansible_skip_tags or ansible_limit is defined\"",
        "- debug: {msg: '{{ ansible_local.app.version }}'}\n  when: ansible_facts.ansible_local is defined",
        "- debug: {msg: '{{ ansible_lsb.codename }}'}\n  when: ansible_selinux.status == 'disabled' and ansible_facts['python'].version.major == 3",
        "- shell: set -o pipefail\n  args: {executable: bash}",
        "- debug: {msg: '{{ item }}'}\n  with_community.general.flattened: [[1], 2]",
    ] {
        assert_eq!(said(tasks), "", "{tasks}");
    }
    assert_eq!(
        said(
            "- debug: {msg: x}\n  when:\n    - ansible_facts.services['x'] is defined\n    - ansible_facts['services']['x'].state == 'running'"
        ),
        ""
    );
    let wrong = said("- debug: {msg: x}\n  when: ansible_facts.services.x.state == 'running'");
    assert!(wrong.contains("unknown fact `services`"), "{wrong}");
    let wrong = said("- debug: {msg: '{{ ansible_facts.local }}'}");
    assert!(wrong.contains("unknown fact `local`"), "{wrong}");
}

#[test]
fn names_of_set_fact_may_be_templates() {
    assert_eq!(
        said(
            "- set_fact: {'{{ item.key }}': '{{ item.value }}'}\n  loop: [{key: a, value: 1}]\n- debug: {msg: '{{ a }}'}"
        ),
        ""
    );
}

#[test]
fn what_is_switched_off_need_not_be_here() {
    for tasks in [
        "- firewalld: {port: 80/tcp}\n  when: firewall | bool\n  vars: {firewall: false}",
        "- ufw: {rule: allow}\n  when: false",
        "- block:\n    - community.general.ufw: {rule: allow}\n    - acme.web.module: {x: 1}\n  when: firewall == 'ufw'\n  vars: {firewall: none}",
        "- block:\n    - ufw: {rule: allow}\n      when: firewall == 'ufw'\n  vars: {firewall: none}",
        // One that is false is enough, whatever comes of the other.
        "- command: 'true'\n  register: ran\n- pip: {name: x}\n  when: [ran is changed, wanted]\n  vars: {wanted: '{{ all and python }}', all: false, python: true}",
        "- debug: {msg: '{{ 1 | acme.web.filter }} {{ ansible_facts.services_of_mine }}'}\n  when: wanted | default(false)",
        "- copy: {dest: /x, content: x, unsafe_writes: true}\n  when: wanted is defined",
    ] {
        assert_eq!(said(tasks), "", "{tasks}");
    }
    for (tasks, words) in [
        (
            "- firewalld: {port: 80/tcp}\n  when: firewall | bool\n  vars: {firewall: true}",
            "site.yml:3:7: hadeploy does not have the module `firewalld`",
        ),
        (
            "- set_fact: {firewall: true}\n- ufw: {rule: allow}\n  when: firewall\n  vars: {firewall: false}",
            "does not have the module `ufw`",
        ),
        (
            "- command: 'true'\n  register: ran\n- ufw: {rule: allow}\n  when: ran is changed",
            "does not have the module `ufw`",
        ),
        (
            "- ufw: {rule: '{{ item }}'}\n  loop: [allow]\n  when: item is defined and item == 'allow'",
            "does not have the module `ufw`",
        ),
        (
            "- ufw: {rule: allow}\n  when: ansible_facts.distribution_major_version == '13'",
            "does not have the module `ufw`",
        ),
        (
            "- debug: {msg: '{{ 1 | acme.web.filter }}'}\n  when: wanted | default(true)",
            "the filter `acme.web.filter` is not supported",
        ),
        // What is misspelt is wrong all the same.
        (
            "- copy: {dset: /x, content: x}\n  when: false",
            "unknown parameter `dset`",
        ),
        ("- cpoy: {dest: /x}\n  when: false", "`cpoy`"),
    ] {
        let said = said(tasks);
        assert!(said.contains(words), "{tasks}:\n{said}");
    }
}

#[test]
fn includes_are_switched_off_with_all_that_is_in_them() {
    let tasks = "- ufw: {rule: allow}\n- include_tasks: more.yml\n";
    let said = |wanted: &str| {
        let folder = Folder::new(&[
            ("hosts.yml", "web: {hosts: {web1: }}\n"),
            ("site.yml", "- hosts: web\n  roles: [fire]\n"),
            (
                "roles/fire/defaults/main.yml",
                &format!("wanted: {wanted}\n"),
            ),
            (
                "roles/fire/tasks/main.yml",
                "- include_tasks: \"{{ ansible_os_family }}.yml\"\n",
            ),
            (
                "roles/fire/tasks/Debian.yml",
                "- include_tasks: ufw.yml\n  when: wanted\n",
            ),
            ("roles/fire/tasks/ufw.yml", tasks),
            ("roles/fire/tasks/more.yml", "- npm: {name: x}\n"),
        ]);
        load(&folder)
    };
    assert_eq!(said("false"), "");
    let said = said("true");
    for words in [
        "roles/fire/tasks/ufw.yml:1:3: hadeploy does not have the module `ufw`",
        "roles/fire/tasks/more.yml:1:3: hadeploy does not have the module `npm`",
    ] {
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn tasks_for_selinux_are_passed_over() {
    assert_eq!(
        said("- selinux: {state: enforcing}\n  when: ansible_facts.selinux.status == 'enabled'"),
        ""
    );
}
