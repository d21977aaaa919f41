//! A node that is reached through a port forward: it sees another address than ours.

use std::fs;

use crate::Case;
use crate::run::Site;
use crate::world::{Node, World};

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![
        crate::waiting("nat::the_translated_address_is_let_in", |world| {
            forwarded(world, right);
        }),
        Case::long("nat::only_our_own_address_is_let_in", |world| {
            forwarded(world, wrong);
        })
        .beside(1),
    ]
}

/// The gateway's port behind which the node's sshd stands.
const PORT: u16 = 2201;

/// Runs `act` with a node, its gateway, and our own address; the way through the gateway is open meanwhile.
fn forwarded(world: &World, act: fn(&Node, &str, &str)) {
    let (node, gateway) = (world.spare("n1"), world.spare("n2"));
    for node in [&node, &gateway] {
        node.sh("command -v iptables >/dev/null || { apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -y install iptables >/dev/null 2>&1; }");
    }
    let (to, way) = (node.address(), gateway.address());
    gateway.sh(&format!(
        "sysctl -qw net.ipv4.ip_forward=1
         iptables -t nat -A PREROUTING -p tcp -d {way} --dport {PORT} -j DNAT --to-destination {to}:22
         iptables -t nat -A POSTROUTING -p tcp -d {to} --dport 22 -j MASQUERADE"
    ));
    let ours = node.sh("ip -4 route show default | cut -d ' ' -f 3");
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| act(&node, &way, &ours)));
    gateway.sh("iptables -t nat -F; sysctl -qw net.ipv4.ip_forward=0");
    if let Err(why) = done {
        std::panic::resume_unwind(why);
    }
}

/// A play of one task on the node, which the inventory knows by the gateway's address and port.
fn site(node: &Node, way: &str, task: &str) -> Site {
    let play = format!(
        "- hosts: {}\n  gather_facts: false\n  tasks:\n    - name: task\n      {task}\n",
        node.name
    );
    let mut site = Site::with(&node.lab, &play);
    let known = fs::read_to_string(node.lab.known_hosts()).unwrap();
    let own = format!("{} ", node.address());
    let keys = known.lines().filter(|line| line.starts_with(&own));
    let keys: String = keys
        .map(|line| line.replacen(&own, &format!("[{way}]:{PORT} "), 1) + "\n")
        .collect();
    site.write("known_hosts", keys);
    site.inventory(&format!(
        "all:\n  hosts:\n    {}:\n      ansible_host: {way}\n      ansible_port: {PORT}\n      ansible_user: root\n      ansible_ssh_private_key_file: {}\n      ansible_ssh_common_args: -o UserKnownHostsFile={} -o StrictHostKeyChecking=yes\n",
        node.name,
        node.lab.key().display(),
        site.path("known_hosts").display(),
    ));
    site
}

fn only_from(address: &str) -> String {
    format!("iptables_rules: {{rules: [{{name: ssh, ports: 22, from: {address}}}]}}")
}

const NONE: &str = "iptables_rules: {state: absent}";

fn right(node: &Node, way: &str, ours: &str) {
    let run = site(node, way, "ping:").apply();
    assert_eq!(run.with("ok"), ["task"], "{run}");
    let from = node.sh("tail -n 1 /var/log/hadeploy.log");
    assert!(from.contains(&format!("\"from\":\"{way}\"")), "{from}");
    let run = site(node, way, &only_from(way)).apply();
    assert_eq!(run.with("changed"), ["task"], "{run}");
    assert!(!run.text().contains("no rule of"), "{run}");
    node.sh(
        "test -z \"$(ls /var/lib/hadeploy/guard 2>/dev/null)\"; iptables-save | grep HADEPLOY-IN",
    );
    // Straight from here nobody comes in any more; the way back is the one that was proved.
    assert_ne!(ours, way);
    let mut direct = Site::with(&node.lab, "- hosts: n1\n  tasks:\n    - ping:\n");
    direct.patience(std::time::Duration::from_secs(60));
    let run = direct.expect(&["plan"], 1);
    assert_eq!(run.named("host_unreachable").len(), 1, "{run}");
    let run = site(node, way, NONE).apply();
    assert_eq!(run.with("changed"), ["task"], "{run}");
    direct.expect(&["plan"], 0);
}

fn wrong(node: &Node, way: &str, ours: &str) {
    let run = site(node, way, &only_from(ours)).run(&["apply"]);
    assert_eq!(run.code, 3, "{run}");
    run.says(&[
        "no rule of HADEPLOY-IN lets in the connection",
        way,
        "the way in was lost",
        "the node put the old state back by itself",
    ]);
    assert!(crate::lockout::after_s(&run) <= 66, "{run}");
    node.sh("! iptables-save | grep HADEPLOY && ! ip6tables-save | grep HADEPLOY && test ! -e /etc/hadeploy && test -z \"$(ls /var/lib/hadeploy/guard 2>/dev/null)\"");
    let ping = site(node, way, "ping:").apply();
    assert_eq!(ping.with("ok"), ["task"], "{ping}");
}
