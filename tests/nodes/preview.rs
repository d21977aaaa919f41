//! What a rolling update and a deploy show on a terminal before they ask, and that a "no" changes nothing.

use std::thread;
use std::time::Duration;

use crate::Case;
use crate::balancers::{platform, remove};
use crate::run::Site;
use crate::terminal::{Shown, on_a_terminal};
use crate::world::{Node, World};

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![crate::waiting("preview::of_rolling_updates", previews)]
}

const PLAY: &str = "- name: Pages
  hosts: n2,n3
  gather_facts: false
  rolling:
    balancer: {readiness: {interval: 500ms, unhealthy_threshold: 2, healthy_threshold: 2, drain_timeout: 5s}}
    health: {units: [nginx], checks: 1, timeout: 20s}
  tasks:
    - name: page
      copy: {content: \"{{ app_release | default('1') }}\\n\", dest: /srv/previewed, mode: '0644'}
      notify: restart nginx
  handlers:
    - name: restart nginx
      service: {name: nginx, state: restarted}
";

/// All that a run could have left on a node.
fn state(node: &Node) -> String {
    node.sh("cat /srv/previewed 2>&1; systemctl show -p MainPID --value nginx; cat /var/log/hadeploy.log 2>/dev/null | wc -l; ls /run/hadeploy; grep -c ' 503 ' /var/log/nginx/healthz.log; true")
}

/// Shown before the question: the nodes, what would change on them, what would be restarted.
#[track_caller]
fn asks(shown: &Shown) {
    let (before, after) = shown
        .text
        .split_once("[y/N]")
        .unwrap_or_else(|| panic!("it does not ask\n{shown}"));
    for words in [
        "n2",
        "n3",
        "page",
        "restarts nginx.service",
        "on n2, n3",
        "pending on 2 of 2 hosts",
        "to 2 hosts, node after node?",
    ] {
        assert!(before.contains(words), "not shown: {words}\n{shown}");
    }
    assert!(!before.contains("draining"), "{shown}");
    assert!(!after.contains("[y/N]"), "{shown}");
}

fn previews(world: &World) {
    let [lb, first, second] = &platform(world);
    let nodes = [first, second];
    for node in nodes {
        node.sh("rm -f /srv/previewed");
    }
    let site = Site::with(&lb.lab, PLAY);
    let playbook = site.path("play.yml").display().to_string();
    let update = site.command(&["rolling-update", &playbook]);
    let deploy = site.command(&["deploy", "r7", "--playbook", &playbook]);
    let all = || [state(first), state(second)];
    let before = all();
    for command in [&update, &deploy] {
        for answer in ["n\n", "\n"] {
            let shown = on_a_terminal(command, "[y/N] ", answer);
            assert_eq!(shown.code, 1, "{shown}");
            asks(&shown);
            shown.says(&["nothing was touched"]);
            assert_eq!(all(), before, "{shown}");
        }
    }
    let shown = on_a_terminal(&deploy, "[y/N] ", "y\n");
    assert_eq!(shown.code, 0, "{shown}");
    asks(&shown);
    for node in nodes {
        assert_eq!(node.sh("cat /srv/previewed"), "r7", "{shown}");
    }
    // Where it would be refused nobody is asked.
    lb.sh("systemctl stop haproxy");
    // As long as a node takes to notice that no balancer asks for it any more.
    thread::sleep(Duration::from_secs(3));
    let refused = on_a_terminal(&deploy, "[y/N] ", "n\n");
    assert_eq!(refused.code, 1, "{refused}");
    refused.says(&["the rolling update was refused", "nothing was touched"]);
    assert!(!refused.text.contains("[y/N]"), "{refused}");
    remove(&[lb, first, second]);
}
