//! Networks that netplan writes. A node of the lab has no udev, so that of `netplan apply` only its parts are seen here: what is generated, and
//! networkd reading it.

use crate::Case;
use crate::lockout::{after_s, site, state};
use crate::world::Node;

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![
        Case::long("netplan::right_stays_and_wrong_is_undone", |world| {
            with_netplan(&world.spare("n3"), right_and_wrong);
        })
        .beside(1),
    ]
}

/// Runs `act` on a node whose network netplan may say, which gets its own back.
fn with_netplan(node: &Node, act: fn(&Node)) {
    node.sh(
        "apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends netplan.io >/dev/null 2>&1
         mkdir -p /etc/netplan; cd /etc/systemd/network; [ ! -e 10-lab.network ] || mv 10-lab.network 50-lab.network; networkctl reload",
    );
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| act(node)));
    node.sh(
        "rm -rf /etc/netplan /run/systemd/network/*netplan*; cd /etc/systemd/network; mv 50-lab.network 10-lab.network; networkctl reload
         DEBIAN_FRONTEND=noninteractive apt-get -qq -y purge --autoremove netplan.io >/dev/null 2>&1",
    );
    if let Err(why) = done {
        std::panic::resume_unwind(why);
    }
}

/// A definition of the node's one network.
fn definition(device: &str, address: &str, gateway: &str) -> String {
    let text = format!(
        "network:\\n  version: 2\\n  renderer: networkd\\n  ethernets:\\n    {device}:\\n      addresses: [{address}]\\n      routes: [{{to: default, via: {gateway}}}]\\n"
    );
    copied(&text)
}

fn copied(text: &str) -> String {
    format!("copy: {{dest: /etc/netplan/20-site.yaml, mode: '0600', content: \"{text}\"}}")
}

/// What netplan generated, and what the network is.
fn network(node: &Node) -> String {
    node.sh("cat /run/systemd/network/*netplan* 2>/dev/null; ip -o -4 address show scope global | tr -s ' ' | cut -d ' ' -f 2-4; ip -4 route show default | cut -d ' ' -f 1-5; ls /var/lib/hadeploy/guard 2>/dev/null; true")
}

fn right_and_wrong(node: &Node) {
    let device = node.sh("ip -o -4 address show scope global | cut -d ' ' -f 2 | head -n 1");
    let own =
        node.sh("ip -o -4 address show scope global | tr -s ' ' | cut -d ' ' -f 4 | head -n 1");
    let gateway = node.sh("ip -4 route show default | cut -d ' ' -f 3 | head -n 1");
    let play = |task: &str| site(node, "root", None, task);

    // What netplan cannot read is undone at once.
    for text in [
        "network:\\n  version: 2\\n  ethernet:\\n    x: {}\\n",
        "network:\\n  version: 2\\n  ethernets:\\n    x:\\n      addresses: [10.0.0.300/24]\\n",
    ] {
        let before = (state(node), network(node));
        let run = play(&copied(text)).expect(&["apply"], 3);
        run.says(&["/etc/netplan/20-site.yaml"]);
        assert!(!run.text().contains("the way in was lost"), "{run}");
        assert_eq!((state(node), network(node)), before, "{run}");
    }

    let run = play(&definition(&device, &own, &gateway)).apply();
    assert_eq!(run.with("changed"), ["task"], "{run}");
    let now = network(node);
    for said in [&format!("Name={device}"), &format!("Address={own}"), &own] {
        assert!(now.contains(said.as_str()), "{said}: {now}");
    }
    node.sh("test -z \"$(ls /var/lib/hadeploy/guard 2>/dev/null)\"");

    let before = (state(node), now);
    let run = play(&definition(&device, "10.99.9.9/24", "10.99.9.1")).run(&["apply"]);
    assert_eq!(run.code, 3, "{run}");
    run.says(&[
        "/etc/netplan/20-site.yaml",
        "the way in was lost",
        "the node put the old state back by itself",
    ]);
    assert!(after_s(&run) <= 66, "{run}");
    assert_eq!((state(node), network(node)), before, "{run}");
    assert_eq!(play("ping:").apply().with("ok"), ["task"]);

    // Away again: what it generated goes with it.
    let run = play("file: {path: /etc/netplan/20-site.yaml, state: absent}").apply();
    assert_eq!(run.with("changed"), ["task"], "{run}");
    assert!(!network(node).contains("Name="), "{}", network(node));
}
