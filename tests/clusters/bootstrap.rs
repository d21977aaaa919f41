//! No cluster is made while a member cannot be seen: it might hold the data.

use crate::node::{Node, is_kept};
use crate::platform::{site, up};
use crate::{Case, World};

pub fn cases() -> Vec<Case> {
    [12, 13]
        .into_iter()
        .map(|release| {
            Case::long(
                format!("bootstrap::one_node_unreachable_{release}"),
                move |_: &World| one_node_unreachable(release),
            )
        })
        .collect()
}

fn one_node_unreachable(release: u8) {
    let lab = up("b", release, None);
    lab.kill("n3").unwrap();
    for from in ["- name: Databases\n", "- name: Caches\n"] {
        let run = site(&lab, from).run(&["apply"]);
        assert_ne!(run.code, 0, "{run}");
        println!(
            "    {}: {}",
            from.trim_end(),
            run.events.last().unwrap()["reason"]
        );
    }
    for name in ["n1", "n2"] {
        let node = Node {
            lab: lab.clone(),
            name: name.to_owned(),
        };
        node.sh("! ls -d /var/lib/postgresql/*/main/PG_VERSION /var/lib/redis/appendonlydir /var/lib/redis/dump.rdb");
    }
    if !is_kept() {
        lab.down().unwrap();
    }
}
