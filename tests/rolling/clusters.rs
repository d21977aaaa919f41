//! Nodes whose machines restart while they are members of the clusters.

use crate::crowd::{Crowd, SMALL};
use crate::platform::{NODES, Platform, comes_to};
use crate::{Case, World};

pub fn cases() -> Vec<Case> {
    vec![Case::long(
        "clusters::reboot_of_each_node",
        reboot_of_each_node,
    )]
}

/// Tasks behind those of the site: each machine restarts once for a mark.
fn restarting(site: &str, mark: &str) -> String {
    let last = "    - import_tasks: tasks/running.yml\n";
    assert_eq!(site.matches(last).count(), 1);
    let more = format!(
        "{last}    - stat:
        path: /var/lib/restarted
      register: restarted
    - name: What was restarted for
      command: cat /var/lib/restarted
      register: mark
      changed_when: false
      when: restarted.stat.exists
    - name: The machine restarts
      reboot:
      when: not restarted.stat.exists or mark.stdout != \"{mark}\"
    - name: It was restarted
      copy:
        dest: /var/lib/restarted
        content: \"{mark}\\n\"
"
    );
    site.replace(last, &more)
}

/// One row after the other through the node's pooler, each with its time.
const WRITER: &str = "rm -f /root/beats /root/misses
systemd-run -q --collect --unit=writer sh -c 'set -a; . /etc/hadeploy/app.env; psql -Xqc \"create table if not exists beat (at timestamptz default now())\"; while :; do if psql -Xqc \"insert into beat default values\" 2>>/root/misses; then date +%%s%%N >>/root/beats; fi; sleep 0.02; done'";

/// Milliseconds of the longest pause between two rows, and how many writes were refused.
fn pause(platform: &Platform, name: &str) -> (u64, u64) {
    let node = platform.node(name);
    node.sh("systemctl stop writer");
    let longest = node.sh(
        "awk 'p && $1 - p > m { m = $1 - p } { p = $1 } END { printf \"%d\", m / 1000000 }' /root/beats",
    );
    let misses = node.sh("grep -c . /root/misses || :");
    (longest.parse().unwrap(), misses.parse().unwrap())
}

fn boot(platform: &Platform, name: &str) -> String {
    platform.node(name).sh("uptime -s; stat -c %Z /proc/1")
}

fn reboot_of_each_node(world: &World) {
    let platform = world.platform();
    let release = platform.runs();
    let mark = format!("{}", std::process::id());
    let edited = platform.edit(|site| restarting(site, &mark));
    let before = NODES.map(|name| boot(platform, name));
    let crowd = Crowd::come(&platform.lab, SMALL);
    let mut running = platform.start(&release, &["-e", "health_timeout=90s"]);
    running.until("n3 is back", comes_to("n3", "attached"));
    platform.node("n3").sh(WRITER);
    let run = running.wait();
    assert_eq!(run.code, 0, "{run}");
    let (longest, misses) = pause(platform, "n3");
    crowd.leave_content();
    for (name, before) in NODES.iter().zip(&before) {
        assert_ne!(boot(platform, name), *before, "{name}\n{run}");
    }
    platform.is_whole(&release);
    let recap = run.events.last().unwrap()["rollout"].as_array().unwrap();
    let moved: Vec<(&str, String)> = recap
        .iter()
        .filter(|node| !node["switchovers"].is_null())
        .map(|node| {
            (
                node["host"].as_str().unwrap(),
                node["switchovers"].to_string(),
            )
        })
        .collect();
    println!("    writes paused for {longest} ms, {misses} were refused; switchovers: {moved:?}");
    // Replicas went first: no primary moved but for a node that was one.
    assert!((1..=2).contains(&moved.len()), "{run}");
    assert!(
        moved.iter().any(|(_, to)| to.contains("PostgreSQL to")),
        "{run}"
    );
    assert!(longest < 10_000, "{longest} ms");
    // The same again: nothing is changed, nobody is taken out, no cluster has another primary.
    let again = platform.roll_well(&release, &[]);
    again.drained_nobody();
    drop(edited);
}
