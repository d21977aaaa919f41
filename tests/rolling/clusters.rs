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

/// One row after the other through the node's pooler; the database says when each was written.
const WRITER: &str = "systemd-run -q --collect --unit=writer sh -c 'set -a; . /etc/hadeploy/app.env; psql -Xqc \"create table if not exists beat (at timestamptz default now()); truncate beat\" || exit; rm -f /run/misses; while :; do psql -Xqc \"insert into beat default values\" 2>>/run/misses; sleep 0.02; done'";

/// Milliseconds of the longest pause between two rows, and what was said of writes that were refused.
fn pause(platform: &Platform, name: &str) -> (u64, String) {
    let node = platform.node(name);
    node.sh("systemctl stop writer");
    let longest = node.sh("set -a; . /etc/hadeploy/app.env; psql -XAtqc 'select round(extract(epoch from max(gap)) * 1000) from (select at - lag(at) over (order by at) as gap from beat) as gaps'");
    (longest.parse().unwrap(), node.sh("cat /run/misses"))
}

fn boot(platform: &Platform, name: &str) -> String {
    platform
        .node(name)
        .sh("cat /proc/sys/kernel/random/boot_id; stat -c %Y /run/systemd/system")
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
    println!("    writes paused for {longest} ms at most; switchovers: {moved:?}");
    assert_eq!(misses, "", "{run}");
    // Replicas went first: no primary moved but for a node that was one.
    assert!((1..=2).contains(&moved.len()), "{run}");
    assert!(
        moved.iter().any(|(_, to)| to.contains("PostgreSQL to")),
        "{run}"
    );
    assert!(longest < 15_000, "{longest} ms");
    // The same again: nothing is changed, nobody is taken out, no cluster has another primary.
    let again = platform.roll_well(&release, &[]);
    again.drained_nobody();
    drop(edited);
}
