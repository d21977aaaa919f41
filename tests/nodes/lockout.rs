//! Changes that take the way in away: the node opens it again by itself within its minute, is as it was before, and the reason is named.

use std::fs;
use std::thread;

use crate::Case;
use crate::run::{Run, Site};
use crate::world::Node;

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![
        crate::waiting("lockout::what_has_no_way_back_is_refused", |world| {
            refused(&world.spare("n1"));
        }),
        crate::waiting(
            "lockout::a_port_is_kept_until_the_inventory_says_the_new_one",
            |world| port(&world.spare("n1")),
        ),
        Case::new("lockout::a_port_is_kept_on_13", |world| {
            port(&world.first(13));
        })
        .beside(13),
        crate::waiting("lockout::our_own_key_is_removed", |world| {
            let node = world.spare("n2");
            account(&node);
            FAULTS[0].undone(&node);
        }),
        Case::long("lockout::each_opens_again", |world| {
            let nodes = ["n1", "n2", "n3"].map(|name| world.spare(name));
            thread::scope(|scope| {
                for (at, node) in nodes.iter().enumerate() {
                    let own = FAULTS.iter().skip(at).step_by(nodes.len());
                    scope.spawn(move || each(node, own));
                }
            });
        })
        .beside(1),
        Case::long("lockout::each_opens_again_on_13", |world| {
            each(&world.first(13), FAULTS.iter());
        })
        .beside(13),
    ]
}

const OTHER: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEoejEGXWCgk0WEdzu7s31PFvg511P5cdvEXa1xgV900 other";

/// One way to lock the run out.
struct Fault {
    user: &'static str,
    /// The task's arguments. `KEY` is a key that is not ours.
    task: &'static str,
    /// What must be said about it.
    why: &'static [&'static str],
}

static FAULTS: &[Fault] = &[
    Fault {
        user: "ops",
        task: "authorized_key: {user: ops, key: KEY, exclusive: true}",
        why: &["~ops/.ssh/authorized_keys", "`ops` is not let in"],
    },
    Fault {
        user: "ops",
        task: "copy: {dest: /home/ops/.ssh/authorized_keys, content: \"KEY\\n\"}",
        why: &["/home/ops/.ssh/authorized_keys", "`ops` is not let in"],
    },
    Fault {
        user: "root",
        task: "copy: {dest: /root/.ssh/authorized_keys, content: \"KEY\\n\"}",
        why: &["/root/.ssh/authorized_keys", "`root` is not let in"],
    },
    Fault {
        user: "ops",
        task: "file: {path: /home/ops, state: directory, mode: \"0777\"}",
        why: &["/home/ops", "`ops` is not let in"],
    },
    Fault {
        user: "ops",
        task: "file: {path: /home/ops/.ssh, state: absent}",
        why: &["/home/ops/.ssh", "`ops` is not let in"],
    },
    Fault {
        user: "ops",
        task: "user: {name: ops, shell: /usr/sbin/nologin}",
        why: &["the account ops"],
    },
    Fault {
        user: "ops",
        task: "user: {name: ops, expires: 86400}",
        why: &["the account ops"],
    },
    Fault {
        user: "ops",
        task: "user: {name: ops, groups: [], append: false}",
        why: &["the account ops", "sudo"],
    },
    Fault {
        user: "ops",
        task: "copy: {dest: /etc/sudoers.d/wheels, content: \"%wheels ALL=(ALL:ALL) NOPASSWD: /bin/true\\n\", mode: \"0440\"}",
        why: &["/etc/sudoers.d/wheels", "sudo asks for a password"],
    },
    Fault {
        user: "ops",
        task: "lineinfile: {path: /etc/pam.d/sshd, insertbefore: BOF, line: account required pam_deny.so}",
        why: &["/etc/pam.d/sshd", "is not let in"],
    },
    Fault {
        user: "ops",
        task: "replace: {path: /etc/systemd/network/10-lab.network, regexp: 'Address=.*', replace: 'Address=10.99.9.9/24'}",
        why: &["/etc/systemd/network/10-lab.network"],
    },
    Fault {
        user: "ops",
        task: "copy: {dest: /etc/ssh/sshd_config.d/10-test.conf, content: \"ListenAddress 127.0.0.1\\n\"}",
        why: &["/etc/ssh/sshd_config.d/10-test.conf", "connection refused"],
    },
    Fault {
        user: "ops",
        task: "service: {name: ssh, state: stopped}",
        why: &["ssh.service", "connection refused"],
    },
    Fault {
        user: "ops",
        task: "copy: {dest: /etc/nologin, content: closed}",
        why: &["/etc/nologin"],
    },
];

impl Fault {
    /// The run ends with 3 and says why, and the node is as it was and lets us in.
    #[track_caller]
    fn undone(&self, node: &Node) {
        let task = self.task.replace("KEY", OTHER);
        let before = state(node);
        let run = site(node, self.user, None, &task).run(&["apply"]);
        assert_eq!(run.code, 3, "{task}\n{run}");
        run.says(&[
            "the way in was lost",
            "the node put the old state back by itself",
        ]);
        run.says(self.why);
        assert!(after_s(&run) <= 60, "{task}\n{run}");
        assert_eq!(state(node), before, "{task}\n{run}");
        let ping = site(node, self.user, None, "ping:").apply();
        assert_eq!(ping.with("ok"), ["task"], "{ping}");
        assert!(!ping.text().contains("old state"), "{ping}");
    }
}

fn each<'a>(node: &Node, faults: impl Iterator<Item = &'a Fault>) {
    account(node);
    for fault in faults {
        fault.undone(node);
    }
    gone(node);
}

/// An account that logs in by the lab's key, and may become root by a rule of its own or by that of its group.
fn account(node: &Node) {
    node.sh("getent group wheels >/dev/null || groupadd wheels; id ops >/dev/null 2>&1 || useradd -m -s /bin/bash ops; usermod -G wheels ops
        mkdir -p -m 0700 /home/ops/.ssh; cp /root/.ssh/authorized_keys /home/ops/.ssh/; chown -R ops: /home/ops
        printf '# mine\\n' >/etc/sudoers.d/ops; printf '%%wheels ALL=(ALL:ALL) NOPASSWD: ALL\\n' >/etc/sudoers.d/wheels; chmod 0440 /etc/sudoers.d/*");
}

/// What [`account`] made is gone.
fn gone(node: &Node) {
    node.sh("userdel -f -r ops 2>/dev/null; groupdel wheels; rm /etc/sudoers.d/ops /etc/sudoers.d/wheels; ! id ops 2>/dev/null");
}

/// A play of one task on that node, by that account and port.
pub fn site(node: &Node, user: &str, port: Option<u16>, task: &str) -> Site {
    let play = format!(
        "- hosts: {}\n  gather_facts: false\n  become: true\n  tasks:\n    - name: task\n      {task}\n",
        node.name
    );
    let mut site = Site::with(&node.lab, &play);
    let known = fs::read_to_string(node.lab.known_hosts()).unwrap();
    let address = node.address();
    let other = known.replace(&format!("{address} "), &format!("[{address}]:2222 "));
    site.write("known_hosts", known + &other);
    let port = port.map_or(String::new(), |port| {
        format!("\n      ansible_port: {port}")
    });
    site.inventory(&format!(
        "all:\n  hosts:\n    {}:\n      ansible_host: {address}\n      ansible_user: {user}{port}\n      ansible_ssh_private_key_file: {}\n      ansible_ssh_common_args: -o UserKnownHostsFile={} -o StrictHostKeyChecking=yes\n",
        node.name,
        node.lab.key().display(),
        site.path("known_hosts").display(),
    ));
    site
}

/// All that may be told of the node's ways in: bytes, owners and modes of what they are made of, and what runs.
pub fn state(node: &Node) -> String {
    node.sh("find /etc /root /home -xdev -path /etc/.pwd.lock -prune -o -printf '%p %y %m %u %g %l\\n' | sort | sha256sum
        find /etc /root /home -xdev -type f -exec sha256sum {} + | sort -k 2 | sha256sum
        systemctl is-enabled ssh; systemctl is-active ssh; ip -o -4 addr show | cut -d ' ' -f 1-7; ss -Hltn | sort; ls /etc/nologin 2>&1
        ls /var/lib/hadeploy/guard 2>/dev/null; ls /etc/systemd/system/sysinit.target.wants 2>/dev/null | grep hadeploy; systemctl list-units --all --plain --no-legend 'hadeploy-guard*'")
}

/// So many seconds after the change the way in was open again.
#[track_caller]
pub fn after_s(run: &Run) -> u64 {
    let text = run.text();
    let words = text.split("let us in again after ").nth(1);
    let number = words.and_then(|words| words.split(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap()
}

fn refused(node: &Node) {
    account(node);
    let before = state(node);
    let fails = |task: &str, words: &[&str]| {
        let run = site(node, "ops", None, task).expect(&["apply"], 3);
        run.says(words);
        assert_eq!(state(node), before, "{task}\n{run}");
    };
    fails(
        "copy: {dest: /etc/sudoers.d/ops, content: \"ops ALL=(ALL:ALL NOPASSWD: ALL\\n\", mode: '0440'}",
        &[
            "/etc/sudoers.d/ops:1:",
            "syntax error",
            "the old one stands",
        ],
    );
    fails(
        "copy: {dest: /etc/sudoers.d/more, content: \"User_Alias OPS = ops\\nUser_Alias OPS = root\\n\", mode: '0440'}",
        &["/etc/sudoers.d/more:2", "OPS"],
    );
    fails(
        "user: {name: ops, state: absent, remove: true, force: true}",
        &["this run logs in as `ops`"],
    );
    fails(
        "apt: {name: openssh-server, state: absent}",
        &["needs the package `openssh-server`"],
    );
    fails(
        "apt: {name: sudo, state: absent}",
        &["needs the package `sudo`"],
    );
    fails(
        "systemd: {name: ssh, state: stopped, enabled: false}",
        &["would start at the next boot"],
    );
    fails(
        "copy: {dest: /etc/ssh/sshd_config.d/10-test.conf, content: \"Port 99999\\n\"}",
        &["/etc/ssh/sshd_config.d/10-test.conf", "line 1"],
    );
    node.sh("systemd-run --quiet --collect --unit=taken perl -MIO::Socket::INET -e 'my @s = (IO::Socket::INET->new(LocalPort => 2223, Listen => 1)); sleep 600'");
    node.wait_for("ss -Hltn sport = 2223 | grep .");
    let run = site(
        node,
        "ops",
        None,
        "copy: {dest: /etc/ssh/sshd_config.d/10-test.conf, content: \"Port 22\\nPort 2223\\n\"}",
    )
    .expect(&["apply"], 3);
    run.says(&["sshd does not listen on 0.0.0.0:2223, which perl has"]);
    node.sh("systemctl stop taken; test ! -e /etc/ssh/sshd_config.d/10-test.conf");
    assert_eq!(state(node), before, "{run}");
    // What is right is done, and the way in proved.
    let right = site(node, "ops", None, "user: {name: ops, comment: Ada}");
    assert_eq!(right.apply().with("changed"), ["task"]);
    let again = right.apply();
    assert_eq!(again.with("ok"), ["task"], "{again}");
    assert!(again.count(&node.name, "round_trips") <= 1, "{again}");
    // A folder above is guarded too, and sshd is left alone where its files stay.
    let since = || node.sh("systemctl show -p StateChangeTimestampMonotonic ssh");
    let before = since();
    let above = site(node, "ops", None, "copy: {src: etc/, dest: /etc/}");
    above.write("files/etc/x-motd", "hello\n");
    let run = above.apply();
    assert_eq!(run.with("changed"), ["task"], "{run}");
    assert_eq!(since(), before, "{run}");
    node.sh("rm /etc/x-motd; test ! -e /var/lib/hadeploy/guard/*");
    gone(node);
}

fn port(node: &Node) {
    account(node);
    let ports = || {
        node.sh("ss -Hltn | sed -n 's/.*0\\.0\\.0\\.0:\\([0-9]*\\) .*/\\1/p' | grep -x -e 22 -e 2222 | sort -n | tr '\\n' ' '")
    };
    let there = "copy: {dest: /etc/ssh/sshd_config.d/10-test.conf, content: \"Port 2222\\n\"}";
    let away = "file: {path: /etc/ssh/sshd_config.d/10-test.conf, state: absent}";
    for (task, old, new) in [(there, 22, 2222), (away, 2222, 22)] {
        let by = |port: u16, task: &str| site(node, "ops", Some(port), task).apply();
        let run = by(old, task);
        assert_eq!(run.with("changed"), ["task"], "{run}");
        run.says(&[&format!("listens on port {new}, and still on {old}")]);
        assert_eq!(ports(), "22 2222");
        // Until then each run says so, and the task has nothing to do.
        let again = by(old, task);
        assert_eq!(again.with("ok"), ["task"], "{again}");
        again.says(&[&format!("the next apply takes {old} away")]);
        assert_eq!(ports(), "22 2222");
        let plan = site(node, "ops", Some(new), task).expect(&["plan", "--detailed-exitcode"], 0);
        assert!(!plan.text().contains("no more"), "{plan}");
        let moved = by(new, task);
        assert_eq!(moved.with("ok"), ["task"], "{moved}");
        moved.says(&[&format!("listens on port {old} no more")]);
        assert_eq!(ports(), new.to_string());
        let quiet = by(new, task);
        assert!(quiet.named("warning").is_empty(), "{quiet}");
    }
    node.sh("test ! -e /etc/ssh/sshd_config.d/00-hadeploy-kept-port.conf");
    gone(node);
}
