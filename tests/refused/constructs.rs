//! What Ansible has and hadeploy has not: each is refused in a little project, at its place, with what to use.

use crate::Trap;

/// A construct, the files of a project that uses it (besides the inventory), its place, and words of the message.
struct Construct {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    at: (&'static str, usize),
    words: &'static [&'static str],
}

const INVENTORY: &str = "web: {hosts: {web1: }}\n";

/// A project of one play with these tasks, which begin in line 4.
macro_rules! tasks {
    ($text:expr) => {
        &[(
            "site.yml",
            concat!("- hosts: web\n  gather_facts: false\n  tasks:\n", $text),
        )]
    };
}

/// A project of one play with these keys, the first in line 2.
macro_rules! play {
    ($text:expr) => {
        &[(
            "site.yml",
            concat!("- hosts: web\n", $text, "  tasks: [{ping: }]\n"),
        )]
    };
}

const SITE: &str = "- hosts: web\n  tasks: [{ping: }]\n";

const CONSTRUCTS: &[Construct] = &[
    Construct {
        name: "async",
        files: tasks!("    - command: sleep 100\n      async: 200\n      poll: 0\n"),
        at: ("site.yml", 5),
        words: &["`async`", "timeout"],
    },
    Construct {
        name: "poll",
        files: tasks!("    - command: sleep 100\n      poll: 5\n"),
        at: ("site.yml", 5),
        words: &["`poll`", "timeout"],
    },
    Construct {
        name: "a module by its old name",
        files: tasks!("    - openssl_certificate: {path: /c.pem, provider: selfsigned}\n"),
        at: ("site.yml", 4),
        words: &["openssl_certificate", "is called `x509_certificate` now"],
    },
    Construct {
        name: "a module of a collection by its old name",
        files: tasks!("    - community.postgresql.postgresql_lang: {lang: plperl, db: a}\n"),
        at: ("site.yml", 4),
        words: &["postgresql_lang", "is called `postgresql_ext` now"],
    },
    Construct {
        name: "async_status",
        files: tasks!("    - ansible.builtin.async_status: {jid: 1}\n"),
        at: ("site.yml", 4),
        words: &["async_status", "remove the task"],
    },
    Construct {
        name: "add_host",
        files: tasks!("    - ansible.builtin.add_host:\n        name: new\n        groups: web\n"),
        at: ("site.yml", 4),
        words: &["add_host", "inventory"],
    },
    Construct {
        name: "group_by",
        files: tasks!("    - name: by release\n      group_by:\n        key: os_x\n"),
        at: ("site.yml", 5),
        words: &["group_by", "`when`"],
    },
    Construct {
        name: "expect",
        files: tasks!("    - expect: {command: passwd, responses: {a: b}}\n"),
        at: ("site.yml", 4),
        words: &["expect", "stdin"],
    },
    Construct {
        name: "apt_key",
        files: tasks!("    - ansible.builtin.apt_key: {url: 'https://example.test/key.asc'}\n"),
        at: ("site.yml", 4),
        words: &["apt_key", "/etc/apt/keyrings"],
    },
    Construct {
        name: "dnf",
        files: tasks!("    - dnf: {name: httpd}\n"),
        at: ("site.yml", 4),
        words: &["`dnf`", "apt"],
    },
    Construct {
        name: "a module of a collection",
        files: tasks!(
            "    - community.docker.docker_container:\n        name: web\n        image: nginx\n"
        ),
        at: ("site.yml", 4),
        words: &["community.docker.docker_container"],
    },
    Construct {
        name: "a module for another system",
        files: tasks!("    - ansible.windows.win_copy: {src: a, dest: b}\n"),
        at: ("site.yml", 4),
        words: &["ansible.windows.win_copy"],
    },
    Construct {
        name: "a module of the project's own",
        files: &[
            (
                "site.yml",
                "- hosts: web\n  tasks:\n    - name: own\n      my_module:\n        a: b\n",
            ),
            ("library/my_module.py", "#!/usr/bin/python3\n"),
        ],
        at: ("site.yml", 4),
        words: &["my_module", "`library/`"],
    },
    Construct {
        name: "a filter of the project's own",
        files: &[
            (
                "site.yml",
                "- hosts: web\n  tasks:\n    - debug:\n        msg: \"{{ 1 | my_filter }}\"\n",
            ),
            ("filter_plugins/mine.py", "class FilterModule: pass\n"),
        ],
        at: ("site.yml", 4),
        words: &["`my_filter`", "filter"],
    },
    Construct {
        name: "a test of the project's own",
        files: tasks!("    - debug:\n        msg: a\n      when: 1 is my_test\n"),
        at: ("site.yml", 6),
        words: &["`my_test`", "test"],
    },
    Construct {
        name: "a lookup that is not there",
        files: tasks!(
            "    - debug:\n        msg: \"{{ lookup('community.general.hiera', 'x') }}\"\n"
        ),
        at: ("site.yml", 5),
        words: &["lookup"],
    },
    Construct {
        name: "a loop by a lookup that is not there",
        files: tasks!("    - debug: {msg: a}\n      with_hiera: [a]\n"),
        at: ("site.yml", 5),
        words: &["with_hiera", "`loop`"],
    },
    Construct {
        name: "the strategy of the debugger",
        files: play!("  strategy: debug\n"),
        at: ("site.yml", 2),
        words: &["strategy"],
    },
    Construct {
        name: "the strategy of a plugin",
        files: play!("  strategy: mitogen_linear\n"),
        at: ("site.yml", 2),
        words: &["strategy"],
    },
    Construct {
        name: "the debugger",
        files: tasks!("    - command: ls\n      debugger: on_failed\n"),
        at: ("site.yml", 5),
        words: &["`debugger`", "plan -v"],
    },
    Construct {
        name: "a connection to network devices, of a play",
        files: play!("  connection: network_cli\n"),
        at: ("site.yml", 2),
        words: &["network_cli", "ssh"],
    },
    Construct {
        name: "a connection to network devices, of a host",
        files: &[
            ("site.yml", SITE),
            (
                "host_vars/web1.yml",
                "ansible_connection: ansible.netcommon.network_cli\n",
            ),
        ],
        at: ("host_vars/web1.yml", 1),
        words: &["`ssh` or `local`", "Debian"],
    },
    Construct {
        name: "a connection into containers",
        files: &[
            ("site.yml", SITE),
            ("group_vars/web.yml", "a: 1\nansible_connection: docker\n"),
        ],
        at: ("group_vars/web.yml", 2),
        words: &["`ssh` or `local`", "Debian"],
    },
    Construct {
        name: "Windows' connection variables",
        files: &[
            ("site.yml", SITE),
            ("group_vars/web.yml", "ansible_winrm_transport: ntlm\n"),
        ],
        at: ("group_vars/web.yml", 1),
        words: &["ansible_winrm_transport"],
    },
    Construct {
        name: "another way to become root",
        files: play!("  become: true\n  become_method: su\n"),
        at: ("site.yml", 3),
        words: &["su", "sudo"],
    },
    Construct {
        name: "flags for sudo",
        files: tasks!("    - command: ls\n      become_flags: -i\n"),
        at: ("site.yml", 5),
        words: &["`become_flags`", "sudo"],
    },
    Construct {
        name: "an include of a file that is not there",
        files: tasks!("    - name: more\n      include_tasks: nowhere.yml\n"),
        at: ("site.yml", 5),
        words: &["nowhere.yml"],
    },
    Construct {
        name: "the include of old",
        files: tasks!("    - include: more.yml\n"),
        at: ("site.yml", 4),
        words: &["`include`", "include_tasks"],
    },
    Construct {
        name: "a playbook among tasks",
        files: tasks!("    - import_playbook: other.yml\n"),
        at: ("site.yml", 4),
        words: &["import_playbook"],
    },
    Construct {
        name: "an import in a loop",
        files: &[
            (
                "site.yml",
                "- hosts: web\n  tasks:\n    - import_tasks: more.yml\n      loop: [1, 2]\n",
            ),
            ("more.yml", "- ping:\n"),
        ],
        at: ("site.yml", 4),
        words: &["`loop`", "include_tasks"],
    },
    Construct {
        name: "a loop twice",
        files: tasks!("    - debug: {msg: a}\n      loop: [1]\n      with_items: [2]\n"),
        at: ("site.yml", 6),
        words: &["one loop"],
    },
    Construct {
        name: "a block in a loop",
        files: tasks!("    - block:\n        - ping:\n      loop: [1, 2]\n"),
        at: ("site.yml", 6),
        words: &["`loop`", "include_tasks"],
    },
    Construct {
        name: "a role as a string that is no role",
        files: &[("site.yml", "- hosts: web\n  roles:\n    - nowhere\n")],
        at: ("site.yml", 2),
        words: &["role"],
    },
    Construct {
        name: "meta that is not there",
        files: tasks!("    - meta: refresh_inventory\n"),
        at: ("site.yml", 4),
        words: &["refresh_inventory"],
    },
];

#[test]
fn what_is_not_there_is_refused_at_its_place() {
    let mut wrong = String::new();
    for construct in CONSTRUCTS {
        let trap = Trap::set();
        trap.write("inventory.yml", INVENTORY);
        for (name, text) in construct.files {
            trap.write(name, text);
        }
        let refusal = trap.apply(&[]);
        let (file, line) = construct.at;
        // A key that opens a list may be named, or the item below it.
        let here = refusal.errors.iter().find(|fault| {
            fault.file == file
                && (line..=line + 1).contains(&fault.line)
                && construct
                    .words
                    .iter()
                    .all(|word| fault.words.contains(word))
        });
        if refusal.status != Some(1) || refusal.connected || here.is_none() {
            let said: Vec<String> = refusal.errors.iter().map(ToString::to_string).collect();
            wrong += &format!(
                "{}: status {:?}, connected {}, wanted {file}:{line} with {:?}\n    {}\n",
                construct.name,
                refusal.status,
                refusal.connected,
                construct.words,
                said.join("\n    ")
            );
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Settings of Ansible that a user would miss are named by `validate`, which has nothing against the project.
#[test]
fn what_ansible_cfg_says_is_told() {
    let trap = Trap::set();
    trap.write("inventory.yml", INVENTORY);
    trap.write("site.yml", SITE);
    trap.write(
        "ansible.cfg",
        "# ours\n[defaults]\ninventory = hosts\nlibrary=../modules\nvault_identity_list = a@b\nnocows = 1\n; nothing\n\n[ssh_connection]\npipelining = True\nretries = 3\n\n[privilege_escalation]\nbecome_user = www\n",
    );
    let said = trap.run("validate", &[]);
    assert_eq!(said.status, Some(0), "{}", said.text);
    let warnings: Vec<(u64, String)> = said
        .text
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|event| event["event"] == "diagnostic" && event["file"] == "ansible.cfg")
        .map(|event| (event["line"].as_u64().expect("a line"), event.to_string()))
        .collect();
    let wanted = [
        (4, "script"),
        (5, "--vault-id"),
        (11, "made again"),
        (14, "become_user"),
    ];
    let lines: Vec<u64> = warnings.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, wanted.map(|(line, _)| line), "{}", said.text);
    for ((_, words), (_, word)) in warnings.iter().zip(wanted) {
        assert!(words.contains(word), "{words}");
    }
    // A run is not held up by it, nor told each time.
    let plan = trap.run("plan", &[]);
    assert!(!plan.text.contains("ansible.cfg"), "{}", plan.text);
}
