//! What a node holds, as lines that can be compared between two nodes.

use std::collections::BTreeSet;

use crate::node::Node;
use crate::snapshot;

/// Beside files, packages, units and accounts: passwords, settings of the kernel, and crontabs without the lines in which `crontab` says when
/// it wrote them.
const MORE: &str = r#"
while IFS=: read -r name word _; do echo "whole $name $word"; done </etc/shadow
sysctl net.ipv4.ip_forward 2>/dev/null | sed 's/^/kernel /'
for file in /var/spool/cron/crontabs/*; do [ ! -f "$file" ] || sed "1,3{/^# /d}; s|^|crontab ${file##*/} |" "$file"; done
"#;

/// What each program leaves of itself: Ansible its folder for modules, hadeploy its log of runs.
const OWN: &[&str] = &[
    "/root/.ansible",
    "/home/ada/.ansible",
    "  /var/spool/cron/crontabs/",
    "/var/lib/hadeploy",
    "left ",
];

/// The lines of a node.
pub struct State(BTreeSet<String>);

impl State {
    /// Of a node that came to rest.
    pub fn of(node: &Node) -> State {
        node.wait_for(
            "! ls /run/hadeploy/lease 2>/dev/null && ! systemctl list-jobs --no-legend | grep -q .",
        );
        let text = node.sh(&format!("{}{MORE}", snapshot::SCRIPT));
        let mut lines = snapshot::parse(&text);
        lines.retain(|line| !OWN.iter().any(|own| line.contains(own)));
        State(lines)
    }

    /// What only one of two nodes has now, and was no difference between them before.
    pub fn differences(
        first: &State,
        second: &State,
        first_before: &State,
        second_before: &State,
    ) -> Vec<String> {
        let before = snapshot::differences(&first_before.0, &second_before.0);
        let mut now = snapshot::differences(&first.0, &second.0);
        now.retain(|line| !before.contains(line));
        now
    }
}
