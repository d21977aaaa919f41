//! A bad release whose way back fails too: which release `rollback` then brings to every node.

use crate::Case;
use crate::run::{Run, Site};
use crate::world::{Node, World};

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![crate::waiting("ways_back::after_one_that_failed", failed)]
}

/// A balancer is a folder of flags on this machine.
const PLAY: &str = r#"- name: The shop
  hosts: n2,n3
  gather_facts: false
  vars: {flag: "{{ playbook_dir }}/out-{{ inventory_hostname }}"}
  rolling:
    balancer:
      command:
        state: [sh, -c, 'cat >/dev/null; if [ -e "$0" ]; then echo "{\"state\": \"out\"}"; else echo "{\"state\": \"in_service\"}"; fi', "{{ flag }}"]
        drain: [touch, "{{ flag }}"]
        enable: [rm, -f, "{{ flag }}"]
        readiness: false
    health: {units: [way-shop], checks: 2, interval: 1s, timeout: 6s}
    release: {path: /srv/way}
    canary_hold: 0s
  tasks:
    - name: unit
      copy:
        dest: /etc/systemd/system/way-shop.service
        content: |
          [Service]
          ExecStart=/bin/sh /srv/way/current/run
      notify: shop
    - name: release
      release: {path: /srv/way, release: "{{ app_release }}", src: "{{ omit if rolling_back is defined else app_release }}"}
      notify: shop
  handlers:
    - name: shop
      systemd_service: {name: way-shop, state: restarted, daemon_reload: true}
"#;

const RUNS: &str = "test ! -e /srv/way/ill && exec sleep infinity\n";

fn reason(run: &Run) -> String {
    let last = run.events.last().map(|event| &event["reason"]);
    last.and_then(|reason| reason.as_str())
        .unwrap_or_default()
        .to_owned()
}

fn failed(world: &World) {
    let nodes = [world.spare("n2"), world.spare("n3")];
    for node in &nodes {
        node.sh("systemctl stop way-shop 2>/dev/null; rm -rf /srv/way /etc/systemd/system/way-shop.service; mkdir /srv/way");
    }
    let site = Site::with(&nodes[0].lab, PLAY);
    for release in ["v1", "v2", "v3"] {
        site.write(&format!("files/{release}/run"), RUNS);
    }
    site.write(
        "files/v3/run",
        format!("test $(hostname) != n3 || exit 1\n{RUNS}"),
    );
    let order = |words: &[&str], code: i32| -> Run {
        let run = site.order(words).wait();
        assert_eq!(run.code, code, "{run}");
        run
    };
    let links = |node: &Node| {
        node.sh("cd /srv/way; for l in current previous; do readlink $l || echo none; done | sed 's#.*/##' | paste -sd ' '")
    };
    let stand = |first: &str, second: &str| {
        assert_eq!([links(&nodes[0]), links(&nodes[1])], [first, second]);
    };
    order(&["deploy", "v1"], 0);
    order(&["deploy", "v2"], 0);
    stand("v2 v1", "v2 v1");

    // Bad on the second node, where the way back fails as well.
    nodes[1].sh("touch /srv/way/ill");
    let run = order(&["deploy", "v3", "--on-failure", "rollback"], 3);
    assert!(reason(&run).contains("the way back failed: n3"), "{run}");
    stand("v3 v2", "v2 v1");
    nodes[1].sh("rm /srv/way/ill");
    let run = order(&["rollback"], 0);
    run.says(&["going back to the release `v2`"]);
    stand("v2 v1", "v2 v1");
    for node in &nodes {
        node.sh("systemctl is-active way-shop && ! test -e /srv/way/.going-back");
    }
    assert!(!site.path("out-n3").exists(), "{run}");

    // A way back that came to its end leaves nothing of the bad one behind.
    let run = order(&["deploy", "v3", "--on-failure", "rollback"], 3);
    assert!(
        reason(&run).contains("every node has its previous release again"),
        "{run}"
    );
    stand("v2 v1", "v2 v1");
    let run = order(&["rollback"], 0);
    run.says(&["going back to the release `v1`"]);
    stand("v1 none", "v1 none");
    let run = order(&["rollback"], 1);
    assert!(reason(&run).contains("has no release before `v1`"), "{run}");
    for node in &nodes {
        node.sh("systemctl stop way-shop; rm -rf /srv/way /etc/systemd/system/way-shop.service");
    }
}
