//! The gathered facts of a node: `ansible_facts`. One script of short programs, and pure parsers of what they print.

mod hardware;
mod local;
mod network;
mod surroundings;
mod system;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::FactError;

pub use local::NAME as LOCAL;
pub use surroundings::SOMETIMES;

/// The names of all facts that every node has; each interface is one more, by its name.
pub const NAMES: &[&str] = &[
    "all_ipv4_addresses",
    "all_ipv6_addresses",
    "ansible_local",
    "apparmor",
    "architecture",
    "bios_date",
    "bios_vendor",
    "bios_version",
    "board_asset_tag",
    "board_name",
    "board_serial",
    "board_vendor",
    "board_version",
    "chassis_asset_tag",
    "chassis_serial",
    "chassis_vendor",
    "chassis_version",
    "cmdline",
    "date_time",
    "default_ipv4",
    "default_ipv6",
    "distribution",
    "distribution_file_parsed",
    "distribution_file_path",
    "distribution_file_variety",
    "distribution_major_version",
    "distribution_minor_version",
    "distribution_release",
    "distribution_version",
    "dns",
    "domain",
    "effective_group_id",
    "effective_user_id",
    "env",
    "fips",
    "form_factor",
    "fqdn",
    "hostname",
    "interfaces",
    "is_chroot",
    "kernel",
    "kernel_version",
    "loadavg",
    "lsb",
    "machine",
    "machine_id",
    "memfree_mb",
    "memory_mb",
    "memtotal_mb",
    "mounts",
    "nodename",
    "os_family",
    "pkg_mgr",
    "proc_cmdline",
    "processor",
    "processor_cores",
    "processor_count",
    "processor_nproc",
    "processor_threads_per_core",
    "processor_vcpus",
    "product_name",
    "product_serial",
    "product_uuid",
    "product_version",
    "python",
    "python_version",
    "real_group_id",
    "real_user_id",
    "selinux",
    "service_mgr",
    "swapfree_mb",
    "swaptotal_mb",
    "system",
    "system_vendor",
    "uptime_seconds",
    "user_dir",
    "user_gecos",
    "user_gid",
    "user_id",
    "user_shell",
    "user_uid",
    "userspace_bits",
    "virtualization_role",
    "virtualization_tech_guest",
    "virtualization_tech_host",
    "virtualization_type",
];

/// `grep` prints many files in one go, each line behind its file's name; shell loops over files would read byte by byte.
/// `ip` is not on every node; without it the kernel's tables have to do. `df` looks only at local file systems, since a dead
/// server behind a mount would hang it.
pub(super) fn script() -> String {
    let before = r#"ip=
if command -v ip >/dev/null; then echo '@ip'; ip address 2>/dev/null
else ip='/sys/class/net/*/address /sys/class/net/*/mtu /sys/class/net/*/flags /sys/class/net/*/type /proc/net/fib_trie /proc/net/if_inet6'; fi
echo '@files'
grep -aHs '' /etc/os-release /etc/debian_version /etc/machine-id /etc/hosts /proc/sys/kernel/hostname /proc/sys/kernel/osrelease /proc/sys/kernel/arch /proc/meminfo /proc/self/mounts /proc/net/route /proc/net/ipv6_route /proc/1/comm /sys/devices/system/cpu/online /run/systemd/container /sys/class/dmi/id/[bcp]*_* /sys/class/dmi/id/sys_vendor /sys/hypervisor/type /sys/fs/selinux/enforce /proc/sys/crypto/fips_enabled /proc/sys/kernel/version /proc/uptime /proc/loadavg /proc/cmdline /etc/resolv.conf /etc/ssh/ssh_host_*_key.pub /proc/self/environ $ip
[ -r /proc/sys/kernel/arch ] || printf '/proc/sys/kernel/arch:%s\n' "$(uname -m)"
[ ! -e /.dockerenv ] || echo /.dockerenv:yes
grep -qs '^flags.* hypervisor' /proc/cpuinfo && echo hypervisor:yes
grep -HsE '^(processor|vendor_id|model name|physical id|siblings|core id|cpu cores)[[:space:]]*:' /proc/cpuinfo
own=$(getent passwd "$(id -u)")
printf '@nproc:%s\n@bits:%s\n@account:%s\n' "$(nproc)" "$(getconf LONG_BIT)" "$own"
[ ! -d /sys/kernel/security/apparmor ] || echo @apparmor:yes
[ ! -x /usr/bin/python3 ] || printf '@python:%s\n' "$(/usr/bin/python3 -V 2>&1)"
echo '@df'
df -PlB1 2>/dev/null
echo
"#;
    let after = r#"echo '@date'
date '+%s %N %z %Z %A %w %W'
printf '@user\n%s' "${own%%:*}"
[ -n "$own" ] || id -un
echo
"#;
    [before, local::SCRIPT, after].concat()
}

/// What the parts of the script printed.
struct Raw<'a> {
    /// Lines of `ip address`.
    ip: Vec<&'a str>,
    /// Lines of each file.
    files: BTreeMap<&'a str, Vec<&'a str>>,
    df: Vec<&'a str>,
    /// Lines of what `local::SCRIPT` prints.
    local: Vec<&'a str>,
    date: &'a str,
    user: &'a str,
}

impl<'a> Raw<'a> {
    fn read(text: &'a str) -> Raw<'a> {
        let mut raw = Raw {
            ip: Vec::new(),
            files: BTreeMap::new(),
            df: Vec::new(),
            local: Vec::new(),
            date: "",
            user: "",
        };
        let mut part = "";
        for line in text.split('\n') {
            match (line, part) {
                ("@ip" | "@files" | "@df" | "@local" | "@date" | "@user", _) => part = line,
                (_, "@ip") => raw.ip.push(line),
                (_, "@files") => {
                    if let Some((file, line)) = line.split_once(':') {
                        raw.files.entry(file).or_default().push(line);
                    }
                }
                (_, "@df") => raw.df.push(line),
                (_, "@local") => raw.local.push(line),
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

    /// What the kernel says of its memory, in KiB; 0 where it says nothing.
    fn memory(&self, key: &str) -> u64 {
        self.lines("/proc/meminfo")
            .iter()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))
            .and_then(|value| value.trim().trim_end_matches("kB").trim().parse().ok())
            .unwrap_or(0)
    }
}

/// The variable that a fact also is: `ansible_` and its name.
pub fn variable(fact: &str) -> String {
    match fact {
        LOCAL => fact.to_owned(),
        fact => format!("ansible_{fact}"),
    }
}

/// The fact that a variable is, if its name is that of one.
pub fn of_variable(variable: &str) -> Option<&str> {
    match variable {
        LOCAL => Some(variable),
        variable => variable.strip_prefix("ansible_"),
    }
}

/// Keys are without `ansible_`, but for [`LOCAL`].
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
    hardware::facts(&raw, &mut facts);
    surroundings::facts(&raw, &mut facts);
    local::facts(&raw, &mut facts);
    network::facts(&raw, &mut facts);
    Ok(Arc::new(facts))
}

#[cfg(test)]
mod tests;
