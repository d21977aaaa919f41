//! Changes that could close the way in: a node opens it again by itself, and what is right stays.

use std::thread;
use std::time::{Duration, Instant};

use crate::Case;
use crate::run::{Run, Site};
use crate::world::{Node, World};

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![
        crate::waiting("guard::the_way_in_opens_again", opens_again),
        crate::waiting("guard::a_reboot_opens_it_too", reboot_in_the_window),
        crate::waiting(
            "guard::a_wrong_sshd_config_never_takes_effect",
            wrong_config,
        ),
        crate::waiting("guard::right_rules_stay_on_12", |world| {
            right_rules(&world.spare("n1"))
        }),
        Case::new("guard::right_rules_stay_on_13", |world| {
            right_rules(&world.first(13))
        })
        .beside(13),
        crate::waiting("guard::rules_stand_after_a_restart", restart),
        Case::long("guard::no_ssh_on_13", |world| {
            let node = world.first(13);
            let run = site(&node, &rules("- {name: web, ports: [80]}")).run(&["apply"]);
            undone(&run, &node, "packet filter");
            clean(&node);
        })
        .beside(13),
    ]
}

/// A play of one node.
fn site(node: &Node, tasks: &str) -> Site {
    let tasks: String = tasks.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!(
        "- name: guarded\n  hosts: {}\n  gather_facts: false\n  tasks:\n{tasks}  handlers:\n    - {{name: later, command: touch /run/later}}\n",
        node.name
    );
    Site::with(&node.lab, &text)
}

fn rules(rules: &str) -> String {
    let rules = rules.replace('\n', "\n      ");
    format!(
        "- name: iptables\n  apt: {{name: iptables, update_cache: true, cache_valid_time: 86400}}\n- name: filter\n  iptables_rules:\n    rules:\n      {rules}\n  notify: later"
    )
}

fn sshd(line: &str) -> String {
    format!(
        "- name: sshd\n  copy: {{dest: /etc/ssh/sshd_config.d/10-test.conf, content: \"{line}\\n\"}}\n  notify: later"
    )
}

/// The task failed for the reason, and the node is as before and open.
#[track_caller]
fn undone(run: &Run, node: &Node, what: &str) {
    assert_eq!(run.code, 3, "{run}");
    run.says(&[
        what,
        "the way in was lost",
        "the node put the old state back by itself",
    ]);
    as_before(node);
    let ping = site(node, "- name: ping\n  ping:").apply();
    assert_eq!(ping.with("ok"), ["ping"], "{ping}");
}

/// Nothing of a guarded change, nor of its handler, is left.
#[track_caller]
fn as_before(node: &Node) {
    let left = node.sh(
        "ls /etc/ssh/sshd_config.d; ls /var/lib/hadeploy/guard /var/lib/hadeploy/owed 2>/dev/null | grep -v -e : -e '^$'; ls /etc/systemd/system | grep guard; systemctl list-units --all --plain --no-legend 'hadeploy-guard*'; ls /run/later 2>/dev/null; true",
    );
    assert_eq!(left, "");
}

/// Waits until a run has armed a guard.
fn armed(node: &Node) {
    node.wait_for("ls /var/lib/hadeploy/guard/*/armed");
}

/// Waits until the node has put the old state back.
fn restored(node: &Node, limit: Duration) {
    let start = Instant::now();
    while node.try_sh("ls /var/lib/hadeploy/guard/*/restored").0 != 0 {
        assert!(start.elapsed() < limit, "{} stays shut", node.name);
        thread::sleep(Duration::from_millis(500));
    }
}

/// Takes the chain away again, so that other cases find open nodes.
fn clean(node: &Node) {
    let site = site(node, "- name: none\n  iptables_rules: {state: absent}");
    site.apply();
    let again = site.apply();
    assert!(again.with("changed").is_empty(), "{again}");
    node.sh("! iptables-save | grep HADEPLOY && ! ip6tables-save | grep HADEPLOY && test ! -e /etc/hadeploy && test ! -e /etc/systemd/system/hadeploy-firewall.service");
}

/// Three nodes side by side, since each takes its minute.
fn opens_again(world: &World) {
    let [one, two, three] = ["n1", "n2", "n3"].map(|name| world.spare(name));
    // Installed before: a node knows whence it is asked in a run's first script only.
    one.sh("apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install iptables >/dev/null 2>&1");
    let no_ssh = site(
        &one,
        "- name: filter\n  iptables_rules: {rules: [{name: web, ports: [80, 443]}]}\n  notify: later",
    );
    let no_ssh = no_ssh.start(&["apply"]);
    let elsewhere = site(&two, &sshd("ListenAddress 127.0.0.1:2222"));
    let elsewhere = elsewhere.start(&["apply"]);
    let killed_site = site(&three, &sshd("AllowUsers nobody"));
    let killed = killed_site.start(&["apply"]);
    armed(&three);
    killed.kill();
    // The change is in effect, and nobody is there to confirm it.
    three.wait_for("sshd -T | grep -q 'allowusers nobody'");

    let run = no_ssh.wait();
    run.says(&["no rule of HADEPLOY-IN lets in the connection", "no answer"]);
    undone(&run, &one, "packet filter");
    one.sh("! iptables-save | grep HADEPLOY && ! ip6tables-save | grep HADEPLOY && test ! -e /etc/hadeploy");
    let run = elsewhere.wait();
    run.says(&["connection refused"]);
    undone(&run, &two, "/etc/ssh/sshd_config.d/10-test.conf");

    restored(&three, Duration::from_secs(70));
    let told = site(&three, "- name: ping\n  ping:").apply();
    told.says(&[
        "/etc/ssh/sshd_config.d/10-test.conf",
        "the old state is back",
    ]);
    as_before(&three);
    let quiet = site(&three, "- name: ping\n  ping:").apply();
    assert!(!quiet.text().contains("old state"), "{quiet}");
}

/// The node is started anew while nobody confirms: what lies on its disk is put back before sshd starts.
fn reboot_in_the_window(world: &World) {
    let node = world.spare("n2");
    let site = site(&node, &sshd("AllowUsers nobody"));
    let run = site.start(&["apply"]);
    armed(&node);
    // A node that goes down before the change is whole undoes it at once, and has nothing to tell. Behind it only the timer is left.
    node.wait_for("sshd -T | grep -q 'allowusers nobody' && ! systemctl list-units --plain --no-legend --state=active,activating 'hadeploy-*.service' | grep . && ls /etc/systemd/system/sysinit.target.wants/hadeploy-boot-guard-*");
    run.kill();
    let start = Instant::now();
    let boot = node.sh("cat /proc/sys/kernel/random/boot_id");
    let _ = node.lab.exec(&node.name, &["systemctl", "reboot"]);
    let up = format!(
        "[ \"$(cat /proc/sys/kernel/random/boot_id)\" != {boot} ] && systemctl is-active ssh"
    );
    // It cannot be asked while it is down.
    let asked = || node.lab.exec(&node.name, &["sh", "-c", &up]);
    while !asked().is_ok_and(|ran| ran.status == 0) {
        assert!(
            start.elapsed() < Duration::from_secs(50),
            "it does not come back"
        );
        thread::sleep(Duration::from_millis(200));
    }
    restored(&node, Duration::from_secs(20));
    assert!(
        start.elapsed() < Duration::from_secs(50),
        "the timer did it"
    );
    let told = self::site(&node, "- name: ping\n  ping:").apply();
    told.says(&["the old state is back"]);
    as_before(&node);
}

fn wrong_config(world: &World) {
    let node = world.spare("n2");
    let run = site(&node, &sshd("AllowUser ada")).expect(&["apply"], 3);
    run.says(&["Bad configuration option", "nothing of it took effect"]);
    as_before(&node);
    // A right one is in effect at once.
    let site = site(&node, &sshd("MaxAuthTries 5"));
    let run = site.apply();
    assert_eq!(run.with("changed"), ["sshd", "later"], "{run}");
    assert_eq!(node.sh("sshd -T | grep maxauthtries"), "maxauthtries 5");
    let again = site.apply();
    assert!(again.with("changed").is_empty(), "{again}");
    assert!(again.count("n2", "round_trips") <= 3, "{again}");
    let gone = "- name: gone\n  file: {path: /etc/ssh/sshd_config.d/10-test.conf, state: absent}";
    self::site(&node, gone).apply();
    node.sh("rm /run/later");
    as_before(&node);
}

const RULES: &str = "- {name: ssh, ports: 22, limit: 60/minute, burst: 20}\n- {name: web, ports: [80, 443]}\n- {name: vrrp, proto: vrrp, from: [10.0.0.0/8, fd00::/8]}\n- {name: mosh, ports: '60000:61000', proto: udp}";

/// Rules beside those of others; what is altered by hand is mended, and nothing else.
fn right_rules(node: &Node) {
    let site = site(node, &rules(RULES));
    let run = site.apply();
    assert_eq!(run.status("filter"), "changed", "{run}");
    node.sh("rm /run/later");
    let settled = || {
        let again = site.apply();
        assert!(again.with("changed").is_empty(), "{again}");
        site.expect(&["plan", "--detailed-exitcode"], 0);
    };
    settled();
    assert_eq!(node.sh("systemctl is-enabled hadeploy-firewall"), "enabled");
    node.sh("iptables -N f2b-sshd; iptables -A f2b-sshd -s 203.0.113.7 -j REJECT; iptables -I INPUT -p tcp -m multiport --dports 22 -j f2b-sshd");
    settled();
    for tamper in [
        "iptables -F HADEPLOY-IN",
        "ip6tables -D INPUT -j HADEPLOY-IN",
        "iptables -I INPUT 2 -j ACCEPT",
        "iptables -I HADEPLOY-IN -p tcp --dport 6379 -j ACCEPT",
        "echo >/etc/hadeploy/firewall/HADEPLOY-IN.v6",
        "systemctl disable hadeploy-firewall",
    ] {
        node.sh(tamper);
        site.expect(&["plan", "--detailed-exitcode"], 2);
        let run = site.apply();
        assert_eq!(run.status("filter"), "changed", "{tamper}\n{run}");
        settled();
    }
    // The jump stands behind the ban and before what lets in everything.
    assert_eq!(
        node.sh("iptables -S INPUT | sed 1d"),
        "-A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd\n-A INPUT -j HADEPLOY-IN\n-A INPUT -j ACCEPT"
    );
    node.sh("iptables -S f2b-sshd | grep -q 203.0.113.7; iptables -F INPUT; iptables -F f2b-sshd; iptables -X f2b-sshd; rm -f /run/later");
    clean(node);
    as_before(node);
}

/// The run goes on behind a restart, and the rules stand there.
fn restart(world: &World) {
    let node = world.spare("n3");
    let tasks = format!(
        "{}\n- name: restart\n  reboot: {{test_command: test -d /etc}}\n  register: restart\n- name: look\n  command: iptables-save\n  register: saved\n- name: said\n  assert: {{that: [restart.rebooted, restart.elapsed < 60, \"'--dport 22' in saved.stdout\"]}}",
        rules("- {name: ssh, ports: [22]}")
    );
    let boot = node.sh("cat /proc/sys/kernel/random/boot_id");
    let run = site(&node, &tasks).apply();
    assert_eq!(run.status("restart"), "changed", "{run}");
    assert_ne!(node.sh("cat /proc/sys/kernel/random/boot_id"), boot);
    assert_eq!(
        node.sh("systemctl is-active hadeploy-firewall; test -e /run/later && rm /run/later"),
        "active"
    );
    clean(&node);
    as_before(&node);
}
