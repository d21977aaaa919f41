//! Saved plans on real nodes, the line that each run leaves there, and the timer of docs/drift.md.

use std::path::Path;

use serde_json::Value;

use crate::Case;
use crate::run::{Run, Site};
use crate::world::World;

/// All cases.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("promise::a_saved_plan", a_saved_plan),
        Case::new("promise::the_timer_of_the_documentation", the_timer),
    ]
}

/// A package, and behind it what it may bring along or start by itself.
const PLAY: &str = r#"
- name: cache
  hosts: n1,n2
  become: true
  tasks:
    - name: package
      apt: {name: [memcached], state: present, update_cache: true, cache_valid_time: 86400}
    - name: account
      user: {name: promised, shell: /bin/sh}
    - name: folder
      file: {path: /srv/promised, state: directory, owner: promised, mode: '0750'}
    - name: settings
      template: {src: memcached.j2, dest: /etc/memcached.conf}
      notify: restart memcached
    - name: page
      copy: {content: "promised\n", dest: /srv/promised/page, owner: promised}
    - name: no defaults
      file: {path: /etc/default/memcached, state: absent}
      notify: restart memcached
    - name: memcached runs
      service: {name: memcached, state: started, enabled: true}
  handlers:
    - name: restart memcached
      service: {name: memcached, state: restarted}
"#;

fn settings(port: u16) -> String {
    format!("-m 16\n-p {port}\n-u memcache\n-l 127.0.0.1\n")
}

fn moved(run: &Run) -> Vec<String> {
    let events = run.events.iter();
    events
        .filter(|event| event["event"] == "plan_moved")
        .map(|event| {
            let text = |name: &str| event[name].as_str().unwrap_or("-").to_owned();
            format!("{} {} {}", text("host"), text("task"), text("field"))
        })
        .collect()
}

fn a_saved_plan(world: &World) {
    let site = Site::with(world.lab(12), PLAY);
    site.write("templates/memcached.j2", settings(11300));
    let file = site.path("site.plan");
    let file = file.to_str().unwrap();
    let (n1, n2) = (world.node("n1"), world.node("n2"));
    for node in [&n1, &n2] {
        node.sh("apt-get -qq -y purge memcached >/dev/null 2>&1; rm -rf /srv/promised /etc/default/memcached; userdel promised 2>/dev/null; true");
    }
    let plan = site.expect(&["plan", "--out", file], 0);
    let task = plan.on("n1", "settings");
    assert_eq!(task["effect"], "restart", "{task}");
    assert_eq!(task["unit"], "memcached.service", "{task}");
    // What the package brings, nobody can tell before it is there.
    assert_eq!(plan.on("n1", "no defaults")["status"], "ok");
    let first = site.expect(&["apply", "--from", file], 0);
    assert_eq!(
        first.on("n1", "no defaults")["status"],
        "changed",
        "{first}"
    );
    assert_eq!(
        n1.sh("systemctl is-active memcached; cat /srv/promised/page"),
        "active\npromised"
    );
    assert_eq!(
        n1.sh("cat /etc/memcached.conf").trim(),
        settings(11300).trim()
    );
    let again = site.expect(&["apply", "--from", file], 1);
    assert!(!moved(&again).is_empty(), "{again}");
    let plan = site.expect(&["plan", "--out", file, "--detailed-exitcode"], 0);
    assert_eq!(plan.count("n1", "changed"), 0, "{plan}");
    let idle = site.expect(&["apply", "--from", file], 0);
    assert_eq!(idle.count("n2", "changed"), 0, "{idle}");
    assert!(idle.count("n2", "round_trips") <= 3, "{idle}");

    // Something is pending on both, and one is changed by hand between.
    for node in [&n1, &n2] {
        node.sh("echo other >/srv/promised/page");
    }
    site.expect(&["plan", "--out", file, "--detailed-exitcode"], 2);
    n2.sh("echo 'by hand' >/srv/promised/page");
    let refused = site.expect(&["apply", "--from", file], 1);
    assert_eq!(moved(&refused), ["n2 page content"], "{refused}");
    assert_eq!(refused.events.last().unwrap()["touched"], false);
    assert_eq!(n1.sh("cat /srv/promised/page"), "other");
    assert_eq!(n2.sh("cat /srv/promised/page"), "by hand");

    // The project moves.
    n2.sh("echo other >/srv/promised/page");
    site.write("templates/memcached.j2", settings(11400));
    let refused = site.expect(&["apply", "--from", file], 1);
    refused.says(&["memcached.j2"]);
    assert_eq!(n1.sh("cat /srv/promised/page"), "other");
    site.write("templates/memcached.j2", settings(11300));
    let done = site.expect(&["apply", "--from", file], 0);
    assert_eq!(
        (done.count("n1", "changed"), done.count("n2", "changed")),
        (1, 1),
        "{done}"
    );
    assert_eq!(n2.sh("cat /srv/promised/page"), "promised");
    let unchanged = site.apply();
    for host in ["n1", "n2"] {
        assert_eq!(unchanged.count(host, "changed"), 0, "{unchanged}");
        assert!(unchanged.count(host, "round_trips") <= 3, "{unchanged}");
    }
    lines(world);
}

/// What the node kept of the runs above.
fn lines(world: &World) {
    let node = world.node("n1");
    // A run that changed nothing does not wait until its line is written.
    node.wait_for("tail -n 1 /var/log/hadeploy.log | grep -q '\"status\":\"unchanged\"'");
    assert_eq!(
        node.sh("stat -c '%a %U %G' /var/log/hadeploy.log"),
        "640 root adm"
    );
    let text = node.sh("tail -n 3 /var/log/hadeploy.log");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let last = &lines[2];
    assert_eq!(last["changed"], 0, "{last}");
    let before = &lines[1];
    assert_eq!(before["status"], "done", "{before}");
    assert_eq!(before["tasks"], serde_json::json!(["page"]), "{before}");
    let command = before["command"].as_str().expect("words");
    assert!(
        command.starts_with("hadeploy apply ") && command.contains("--from"),
        "{command}"
    );
    // The lab's bridge is where the controller comes from.
    let from = before["from"].as_str().expect("an address");
    let own = node.address();
    let network = own.rsplit_once('.').expect("an address").0;
    assert!(from.starts_with(network), "{from} is not of {network}");
}

/// The fenced block of docs/drift.md whose first line names that file.
fn unit(name: &str) -> String {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/drift.md"));
    let text = text.unwrap();
    let head = format!("# /etc/systemd/system/{name}\n");
    let from = text.find(&head).expect(name);
    let length = text[from..].find("```").expect("its end");
    text[from..from + length].to_owned()
}

fn the_timer(world: &World) {
    let node = world.node("n1");
    let binary = env!("CARGO_BIN_EXE_hadeploy");
    let site = Site::with(
        world.lab(12),
        &format!(
            r#"
- hosts: n1
  become: true
  tasks:
    - user: {{name: deploy, shell: /bin/bash}}
    - copy: {{src: "{binary}", dest: /usr/local/bin/hadeploy, mode: '0755'}}
    - file: {{path: "/srv/platform/{{{{ item }}}}", state: directory}}
      loop: [playbooks]
    - copy:
        dest: /srv/platform/playbooks/site.yml
        content: "- hosts: all\n  gather_facts: false\n  tasks:\n    - name: note\n      copy: {{content: \"as wanted\", dest: /srv/platform/note}}\n"
    - copy:
        dest: /srv/platform/inventory.yml
        content: "all: {{hosts: {{here: {{ansible_connection: local}}}}}}\n"
    - copy: {{src: "{{{{ item }}}}", dest: "/etc/systemd/system/{{{{ item }}}}"}}
      loop: [hadeploy-drift.service, hadeploy-drift.timer]
    - systemd_service: {{daemon_reload: true}}
"#
        ),
    );
    for name in ["hadeploy-drift.service", "hadeploy-drift.timer"] {
        site.write(&format!("files/{name}"), unit(name));
    }
    site.apply();
    node.sh("cd /etc/systemd/system && systemd-analyze verify hadeploy-drift.service hadeploy-drift.timer");
    // Nothing stands there yet: that is drift.
    node.sh("rm -rf /srv/platform/note /etc/systemd/system/hadeploy-drift.timer.d; systemctl daemon-reload");
    let (status, ..) = node.try_sh("systemctl start hadeploy-drift.service");
    assert_ne!(status, 0);
    let ended = "systemctl show -p ExecMainStatus --value hadeploy-drift.service";
    assert_eq!(node.sh(ended), "2");
    let last = "journalctl -u hadeploy-drift -t hadeploy-drift -o cat | tail -n 1";
    node.wait_for(&format!("{last} | grep -q run_finished"));
    let event: Value = serde_json::from_str(&node.sh(last)).unwrap();
    assert_eq!(event["exit_code"], 2, "{event}");
    assert_eq!(event["hosts"]["here"]["changed"], 1, "{event}");
    // As it should be, found by the timer itself.
    node.sh(
        "printf 'as wanted' >/srv/platform/note
         systemctl reset-failed hadeploy-drift.service
         mkdir -p /etc/systemd/system/hadeploy-drift.timer.d
         printf '[Timer]\\nOnCalendar=\\nOnCalendar=*:*:0/2\\nRandomizedDelaySec=0\\nAccuracySec=100ms\\n' >/etc/systemd/system/hadeploy-drift.timer.d/soon.conf
         systemctl daemon-reload; systemctl enable --now hadeploy-drift.timer",
    );
    node.wait_for(&format!("{last} | grep -q '\"exit_code\":0'"));
    assert_eq!(node.sh(ended), "0");
    node.sh("systemctl disable --now hadeploy-drift.timer");
}
