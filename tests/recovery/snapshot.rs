//! What an apply leaves on a node, as lines that can be compared.

use std::collections::BTreeSet;

/// Everything that the site decides: files with kind, mode and owner, their content, packages, units and their states, rules, accounts, settings
/// of the kernel, and what hadeploy leaves of itself.
pub const SCRIPT: &str = r#"export LC_ALL=C; cd /
find /etc /usr/local /usr/lib/systemd/system /srv /opt /var/www /var/lib/hadeploy /var/spool/cron /root /home -xdev -printf 'file %p %y %m %u %g %l\n' 2>/dev/null
find /etc /usr/local /srv /opt /var/www /var/spool/cron /root /home -xdev -type f -print0 2>/dev/null | xargs -0 sha256sum | sed 's/^/content /'
dpkg-query -W -f 'package ${db:Status-Abbrev} ${Package} ${Version}\n'; dpkg --audit
apt-mark showmanual | sed 's/^/manual /'
systemctl list-unit-files --no-legend --plain | while read -r unit state _; do echo "enabled $unit $state"; done
systemctl list-units --all --no-legend --plain --type=service,timer,socket | while read -r unit _ state _; do echo "unit $unit $state"; done
{ iptables-save; ip6tables-save; } | sed '/^#/d; s/\[[0-9:]*\]$//; s/^/rule /'
getent passwd | sed 's/^/account /'; getent group | sed 's/^/group /'
while IFS=: read -r name word _; do echo "password $name $(printf %.3s "$word")"; done </etc/shadow
sysctl net.core.somaxconn vm.overcommit_memory vm.swappiness net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies 2>/dev/null | sed 's/^/kernel /'
ls -A /run/hadeploy /var/lib/hadeploy/owed /var/lib/hadeploy/guard /var/lib/hadeploy/stage 2>/dev/null | sed 's/^/left /'
"#;

/// What differs between any two machines: keys, names, and what a server writes of itself.
const OWN: &[&str] = &[
    "/etc/hadeploy/ca/",
    "/etc/hadeploy/tls/",
    "/etc/machine-id",
    "/etc/redis/sentinel.conf",
    "/etc/ssh/ssh_host_",
    "/etc/ssl/certs/ssl-cert-snakeoil.pem",
    "/etc/ssl/private/ssl-cert-snakeoil.key",
];
/// Units that come and go with who is logged in, or by themselves.
const PASSING: &[&str] = &[
    "user@",
    "user-runtime-dir@",
    "session-",
    "systemd-oomd.",
    "hadeploy-",
];

/// The lines of what [`SCRIPT`] printed that must be the same.
pub fn parse(text: &str) -> BTreeSet<String> {
    let counts = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["content", _, path, ..] => !OWN.iter().any(|own| path.starts_with(own)),
            ["unit" | "enabled", unit, _] => {
                !PASSING.iter().any(|passing| unit.starts_with(passing))
            }
            _ => true,
        }
    };
    text.lines().filter(counts).map(str::to_owned).collect()
}

/// What only one of them has, marked with `-` for the first and `+` for the second.
pub fn differences(first: &BTreeSet<String>, second: &BTreeSet<String>) -> Vec<String> {
    let gone = first.difference(second).map(|line| format!("- {line}"));
    let new = second.difference(first).map(|line| format!("+ {line}"));
    let mut lines: Vec<String> = gone.chain(new).collect();
    lines.sort_by(|one, other| one[2..].cmp(&other[2..]));
    lines
}
