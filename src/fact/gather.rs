//! The gathered facts of a node: `ansible_facts`. One script of five short programs, and pure parsers of what they print.

mod network;
mod system;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::FactError;

/// The names of all facts that every node has; each interface is one more, by its name.
pub const NAMES: &[&str] = &[
    "all_ipv4_addresses",
    "all_ipv6_addresses",
    "architecture",
    "date_time",
    "default_ipv4",
    "default_ipv6",
    "distribution",
    "distribution_major_version",
    "distribution_release",
    "distribution_version",
    "domain",
    "env",
    "fqdn",
    "hostname",
    "interfaces",
    "kernel",
    "machine_id",
    "memfree_mb",
    "memtotal_mb",
    "mounts",
    "nodename",
    "os_family",
    "pkg_mgr",
    "processor_vcpus",
    "service_mgr",
    "swaptotal_mb",
    "system",
    "user_id",
    "virtualization_type",
];

/// `grep` prints many files in one go, each line behind its file's name; shell loops over files would read byte by byte.
/// `ip` is not on every node; without it the kernel's tables have to do. `df` looks only at local file systems, since a dead
/// server behind a mount would hang it.
pub(super) fn script() -> String {
    r#"ip=
if command -v ip >/dev/null; then echo '@ip'; ip address 2>/dev/null
else ip='/sys/class/net/*/address /sys/class/net/*/mtu /sys/class/net/*/flags /sys/class/net/*/type /proc/net/fib_trie /proc/net/if_inet6'; fi
echo '@files'
grep -aHs '' /etc/os-release /etc/debian_version /etc/machine-id /etc/hosts /proc/sys/kernel/hostname /proc/sys/kernel/osrelease /proc/sys/kernel/arch /proc/meminfo /proc/self/mounts /proc/net/route /proc/net/ipv6_route /proc/1/comm /sys/devices/system/cpu/online /run/systemd/container /sys/class/dmi/id/sys_vendor /sys/class/dmi/id/product_name /sys/class/dmi/id/bios_vendor /sys/hypervisor/type /proc/self/environ $ip
[ -r /proc/sys/kernel/arch ] || printf '/proc/sys/kernel/arch:%s\n' "$(uname -m)"
[ ! -e /.dockerenv ] || echo /.dockerenv:yes
grep -qs '^flags.* hypervisor' /proc/cpuinfo && echo hypervisor:yes
echo '@df'
df -PlB1 2>/dev/null
printf '\n@date\n'
date '+%s %N %z %Z %A %w %W'
printf '@user\n'
id -un
"#
    .to_owned()
}

/// What the parts of the script printed.
struct Raw<'a> {
    /// Lines of `ip address`.
    ip: Vec<&'a str>,
    /// Lines of each file.
    files: BTreeMap<&'a str, Vec<&'a str>>,
    df: Vec<&'a str>,
    date: &'a str,
    user: &'a str,
}

impl<'a> Raw<'a> {
    fn read(text: &'a str) -> Raw<'a> {
        let mut raw = Raw {
            ip: Vec::new(),
            files: BTreeMap::new(),
            df: Vec::new(),
            date: "",
            user: "",
        };
        let mut part = "";
        for line in text.split('\n') {
            match (line, part) {
                ("@ip" | "@files" | "@df" | "@date" | "@user", _) => part = line,
                (_, "@ip") => raw.ip.push(line),
                (_, "@files") => {
                    if let Some((file, line)) = line.split_once(':') {
                        raw.files.entry(file).or_default().push(line);
                    }
                }
                (_, "@df") => raw.df.push(line),
                (_, "@date") if raw.date.is_empty() => raw.date = line.trim(),
                (_, "@user") if raw.user.is_empty() => raw.user = line.trim(),
                _ => {}
            }
        }
        raw
    }

    fn lines(&self, file: &str) -> &[&'a str] {
        self.files.get(file).map_or(&[], Vec::as_slice)
    }

    /// The first line of a file, empty when it is not there.
    fn line(&self, file: &str) -> &'a str {
        self.lines(file).first().map_or("", |line| line.trim())
    }
}

/// Keys are without `ansible_`.
pub(super) fn parse(body: &[u8]) -> Result<Arc<Map<String, Value>>, FactError> {
    let text = String::from_utf8_lossy(body);
    let raw = Raw::read(&text);
    if raw.line("/proc/sys/kernel/hostname").is_empty() || raw.date.is_empty() {
        return Err(FactError {
            subject: "its facts",
            reason: "host name or date are missing".to_owned(),
        });
    }
    let mut facts = Map::new();
    system::name(&raw, &mut facts);
    system::distribution(&raw, &mut facts);
    system::machine(&raw, &mut facts);
    system::mounts(&raw, &mut facts);
    system::environment(&raw, &mut facts);
    system::date_time(&raw, &mut facts)?;
    network::facts(&raw, &mut facts);
    Ok(Arc::new(facts))
}

#[cfg(test)]
mod tests;
