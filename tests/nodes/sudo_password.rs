//! A login user whose sudo wants a password: changes of the rules of sudo that leave it its right, and those that do not.

use std::thread;

use crate::Case;
use crate::lockout::{after_s, state};
use crate::run::Site;
use crate::terminal::on_a_terminal;
use crate::world::Node;

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![
        crate::waiting("sudo_password::what_leaves_it_is_confirmed", |world| {
            confirmed(&world.spare("n3"));
        }),
        Case::new(
            "sudo_password::what_leaves_it_is_confirmed_on_13",
            |world| {
                confirmed(&world.first(13));
            },
        )
        .beside(13),
        Case::long("sudo_password::what_takes_it_is_undone", |world| {
            let nodes = ["n1", "n2", "n3"].map(|name| world.spare(name));
            thread::scope(|scope| {
                for (at, node) in nodes.iter().enumerate() {
                    let own = FAULTS.iter().skip(at).step_by(nodes.len());
                    scope.spawn(move || each(node, own));
                }
            });
        })
        .beside(1),
        Case::long("sudo_password::what_takes_it_is_undone_on_13", |world| {
            each(&world.first(13), FAULTS.iter());
        })
        .beside(13),
    ]
}

const PASSWORD: &str = "right pass\"word";
const OWN: &str = "/etc/sudoers.d/asker";

/// An account that logs in by the lab's key, and becomes root by its password.
fn account(node: &Node) {
    node.sh(&format!(
        "id asker >/dev/null 2>&1 || useradd -m -s /bin/bash asker
         mkdir -p -m 0700 /home/asker/.ssh; cp /root/.ssh/authorized_keys /home/asker/.ssh/; chown -R asker: /home/asker
         echo 'asker:{PASSWORD}' | chpasswd
         printf 'asker ALL=(ALL:ALL) ALL\\n' >{OWN}; chmod 0440 {OWN}"
    ));
}

fn gone(node: &Node) {
    node.sh(&format!(
        "rm -f {OWN} /etc/sudoers.d/zz-asker; userdel -f -r asker 2>/dev/null; ! id asker 2>/dev/null"
    ));
}

/// A play of one task, whose inventory has these words about the password.
fn site(node: &Node, password: &str, task: &str) -> Site {
    let mut site = Site::with(
        &node.lab,
        &format!(
            "- hosts: {}\n  gather_facts: false\n  become: true\n  tasks:\n    - name: task\n      {task}\n",
            node.name
        ),
    );
    site.inventory(&format!(
        "all:\n  hosts:\n    {}:\n      ansible_host: {}\n      ansible_user: asker\n      {password}\n      ansible_ssh_private_key_file: {}\n      ansible_ssh_common_args: -o UserKnownHostsFile={} -o StrictHostKeyChecking=yes\n",
        node.name,
        node.address(),
        node.lab.key().display(),
        node.lab.known_hosts().display(),
    ));
    site
}

/// The password stands in the inventory.
fn known() -> String {
    format!("ansible_become_password: '{PASSWORD}'")
}

fn rules(line: &str) -> String {
    format!("copy: {{dest: {OWN}, content: \"{line}\\n\", mode: '0440'}}")
}

fn confirmed(node: &Node) {
    account(node);
    let left = || {
        node.sh("ls /var/lib/hadeploy/guard 2>/dev/null; systemctl list-units --all --plain --no-legend 'hadeploy-guard*'")
    };
    // From the inventory, from a file, and asked for.
    let first = site(node, &known(), &rules("# seen\\nasker ALL=(ALL:ALL) ALL"));
    assert_eq!(first.apply().with("changed"), ["task"]);
    assert_eq!(left(), "");
    assert_eq!(first.apply().with("ok"), ["task"]);

    let free = site(node, "", &rules("asker ALL=(ALL:ALL) NOPASSWD: ALL"));
    free.write("password", format!("{PASSWORD}\n"));
    let file = free.path("password").display().to_string();
    let run = free.expect(&["apply", "--become-password-file", &file], 0);
    assert_eq!(run.with("changed"), ["task"], "{run}");
    assert_eq!(left(), "");
    // sudo asks no more, and the password is given to nobody.
    let run = free.expect(&["apply", "--become-password-file", &file], 0);
    assert_eq!(run.with("ok"), ["task"], "{run}");

    let back = site(node, "", &rules("asker ALL=(ALL:ALL) ALL"));
    let playbook = back.path("play.yml").display().to_string();
    let command = back.command(&["apply", &playbook, "--yes", "-K"]);
    let shown = on_a_terminal(&command, "sudo password: ", &format!("{PASSWORD}\n"));
    assert_eq!(shown.code, 0, "{shown}");
    shown.says(&["sudo password: ", "1 change made"]);
    assert!(!shown.text.contains("right pass"), "{shown}");
    assert_eq!(node.sh(&format!("cat {OWN}")), "asker ALL=(ALL:ALL) ALL");
    assert_eq!(left(), "");
    gone(node);
}

/// One way to take the right away, or to make the password worthless.
struct Fault {
    task: &'static str,
    /// What must be said about it.
    why: &'static [&'static str],
}

static FAULTS: &[Fault] = &[
    Fault {
        task: "file: {path: /etc/sudoers.d/asker, state: absent}",
        why: &["/etc/sudoers.d/asker"],
    },
    // root has no password that anybody knows.
    Fault {
        task: "copy: {dest: /etc/sudoers.d/zz-asker, content: \"Defaults:asker rootpw\\n\", mode: '0440'}",
        why: &["/etc/sudoers.d/zz-asker", "refused the password"],
    },
    Fault {
        task: "user: {name: asker, password: \"{{ 'another' | password_hash('sha512', 'saltsalt') }}\"}",
        why: &["the account asker", "refused the password"],
    },
    Fault {
        task: "copy: {dest: /etc/sudoers.d/asker, content: \"asker ALL=(ALL:ALL) /usr/bin/true\\n\", mode: '0440'}",
        why: &["/etc/sudoers.d/asker"],
    },
    Fault {
        task: "copy: {dest: /etc/sudoers.d/zz-asker, content: \"Defaults requiretty\\n\", mode: '0440'}",
        why: &["/etc/sudoers.d/zz-asker"],
    },
    Fault {
        task: "lineinfile: {path: /etc/pam.d/sudo, insertbefore: BOF, line: auth requisite pam_deny.so}",
        why: &["/etc/pam.d/sudo"],
    },
];

fn each<'a>(node: &Node, faults: impl Iterator<Item = &'a Fault>) {
    account(node);
    for fault in faults {
        let before = state(node);
        let run = site(node, &known(), fault.task).run(&["apply"]);
        assert_eq!(run.code, 3, "{}\n{run}", fault.task);
        run.says(&[
            "the way in was lost",
            "the node put the old state back by itself",
        ]);
        run.says(fault.why);
        assert!(after_s(&run) <= 66, "{}\n{run}", fault.task);
        assert_eq!(state(node), before, "{}\n{run}", fault.task);
        assert!(!run.text().contains("right pass"), "{run}");
        let ping = site(node, &known(), "ping:").apply();
        assert_eq!(ping.with("ok"), ["task"], "{ping}");
        assert!(!ping.text().contains("old state"), "{ping}");
    }
    gone(node);
}
