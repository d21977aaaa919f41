//! How often a run waits for an answer: the play of 96 tasks, for the first time and unchanged, on three nodes at once.

use crate::Case;
use crate::run::Site;
use crate::world::World;

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("budget::the_96_tasks", the_96_tasks),
        Case::new("budget::answers_of_debconf", answers_of_debconf),
    ]
}

const HOSTS: [&str; 3] = ["n1", "n2", "n3"];

fn the_96_tasks(world: &World) {
    for host in HOSTS {
        world
            .node(host)
            .sh("apt-get -qq -y install hello tree sl >/dev/null 2>&1");
    }
    let site = Site::with(world.lab(12), &playbook());
    site.write("templates/page.j2", template());
    for number in 0..5 {
        site.write(
            &format!("files/blob{number}"),
            format!("{number} bytes of a file\n").repeat(5000),
        );
    }
    let first = site.apply();
    let again = site.apply();
    for host in HOSTS {
        assert!(first.count(host, "changed") >= 90, "{first}");
        let trips = first.count(host, "round_trips");
        assert!(trips <= 12, "{trips} round trips for the first run");
        assert_eq!(again.count(host, "changed"), 0, "{again}");
        assert_eq!(again.count(host, "ok"), 96, "{again}");
        let trips = again.count(host, "round_trips");
        assert!(trips <= 3, "{trips} round trips for the unchanged play");
        let sums =
            "cat /srv/b96/*/page* | sha256sum; systemctl is-active b96-0 b96-9; id -nG b96u4";
        assert!(
            world
                .node(host)
                .sh(sums)
                .ends_with("active\nactive\nb96u4 b96g1")
        );
    }
    assert!(again.peak_kb < 60 << 10, "{} kB", again.peak_kb);
}

/// Answers go together: one question about all of them, and one script that gives them.
fn answers_of_debconf(world: &World) {
    let node = world.node("n1");
    node.sh("echo PURGE | debconf-communicate k-budget >/dev/null 2>&1");
    let tasks: String = (0..9)
        .map(|number| {
            format!("    - debconf: {{name: k-budget, question: k-budget/q{number}, vtype: string, value: v{number}}}\n")
        })
        .collect();
    let play = format!(
        "- hosts: n1\n  gather_facts: false\n  tasks:\n{tasks}    - {{name: again, debconf: {{name: k-budget, question: k-budget/q1, vtype: seen, value: false}}}}\n    - {{name: read, debconf: {{name: k-budget}}, register: found}}\n    - {{name: told, assert: {{that: \"found.current['k-budget/q8'] == 'v8'\"}}}}\n"
    );
    let site = Site::with(world.lab(12), &play);
    let first = site.apply();
    assert_eq!(first.count("n1", "changed"), 10, "{first}");
    // The lease with the questions, the answers with the reading behind them, and what the reading is bound to.
    let trips = first.count("n1", "round_trips");
    assert!(trips <= 3, "{trips} round trips: {first}");
    assert!(site.apply().with("changed").is_empty());
}

/// No fact is read in it: what needs facts to be rendered is asked about one script later.
fn template() -> String {
    let line = "{% for n in range(3) %}{{ inventory_hostname }} {{ groups.nodes | length }} {{ n * 7 }} {% endfor %} and more\n";
    line.repeat(30)
}

fn playbook() -> String {
    let mut text =
        "- hosts: nodes\n  become: true\n  tasks:\n    - apt: {name: [hello, tree, sl]}\n"
            .to_owned();
    let mut add = |count: usize, task: &str| {
        for number in 0..count {
            text.push_str(&format!(
                "    - {}\n",
                task.replace('@', &number.to_string())
            ));
        }
    };
    add(
        12,
        "file: {path: /srv/b96/d@, state: directory, mode: '0750'}",
    );
    add(40, "template: {src: page.j2, dest: /srv/b96/d1/page@}");
    add(
        5,
        "copy: {src: blob@, dest: /srv/b96/d2/blob@, mode: '0600'}",
    );
    add(3, "group: {name: b96g@}");
    add(5, "user: {name: b96u@, groups: [b96g1], shell: /bin/sh}");
    add(
        10,
        "lineinfile: {path: /srv/b96/settings, create: true, regexp: '^key@=', line: key@=value@}",
    );
    add(
        10,
        "copy: {content: \"[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n\", dest: /etc/systemd/system/b96-@.service}",
    );
    add(
        10,
        "systemd_service: {name: b96-@, state: started, enabled: true}",
    );
    text
}
