//! Names, distribution, machine, mounts, environment and clock among the gathered facts.

use serde_json::{Map, Value, json};

use super::{FactError, Raw};

type Facts = Map<String, Value>;

/// The full name is what /etc/hosts says: a question to DNS could take seconds where it does not answer.
pub(super) fn name(raw: &Raw, facts: &mut Facts) {
    let node = raw.line("/proc/sys/kernel/hostname");
    let short = node.split('.').next().unwrap_or(node);
    let fqdn = if node.contains('.') {
        node
    } else {
        raw.lines("/etc/hosts")
            .iter()
            .map(|line| line.split('#').next().unwrap_or(""))
            .find_map(|line| {
                let names: Vec<&str> = line.split_whitespace().skip(1).collect();
                let ours = names.contains(&node);
                names.into_iter().find(|name| ours && name.contains('.'))
            })
            .unwrap_or(node)
    };
    facts.insert("nodename".into(), node.into());
    facts.insert("hostname".into(), short.into());
    facts.insert("fqdn".into(), fqdn.into());
    let domain = fqdn.split_once('.').map_or("", |(_, domain)| domain);
    facts.insert("domain".into(), domain.into());
}

pub(super) fn distribution(raw: &Raw, facts: &mut Facts) {
    let release = |key: &str| {
        raw.lines("/etc/os-release")
            .iter()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .unwrap_or("")
            .trim_matches(['"', '\''])
    };
    let id = release("ID");
    let name = match id {
        "debian" => "Debian".to_owned(),
        "ubuntu" => "Ubuntu".to_owned(),
        "raspbian" => "Raspbian".to_owned(),
        other => other.to_owned(),
    };
    let debian = raw.line("/etc/debian_version");
    let point = debian.starts_with(|c: char| c.is_ascii_digit());
    let version = if id == "debian" && point {
        debian
    } else {
        release("VERSION_ID")
    };
    let major = version.split('.').next().unwrap_or(version);
    let debian_like =
        matches!(id, "debian" | "ubuntu" | "raspbian") || release("ID_LIKE").contains("debian");
    facts.insert("distribution".into(), name.into());
    facts.insert("distribution_version".into(), version.into());
    facts.insert("distribution_major_version".into(), major.into());
    facts.insert(
        "distribution_release".into(),
        release("VERSION_CODENAME").into(),
    );
    facts.insert(
        "os_family".into(),
        if debian_like { "Debian" } else { id }.into(),
    );
    facts.insert(
        "pkg_mgr".into(),
        if debian_like { "apt" } else { "unknown" }.into(),
    );
    facts.insert("system".into(), "Linux".into());
    facts.insert(
        "kernel".into(),
        raw.line("/proc/sys/kernel/osrelease").into(),
    );
    facts.insert(
        "architecture".into(),
        raw.line("/proc/sys/kernel/arch").into(),
    );
    facts.insert("machine_id".into(), raw.line("/etc/machine-id").into());
    let init = raw.line("/proc/1/comm");
    facts.insert(
        "service_mgr".into(),
        if init.is_empty() { "unknown" } else { init }.into(),
    );
}

pub(super) fn machine(raw: &Raw, facts: &mut Facts) {
    let memory = |key: &str| raw.memory(key) / 1024;
    facts.insert("memtotal_mb".into(), memory("MemTotal").into());
    facts.insert("memfree_mb".into(), memory("MemFree").into());
    facts.insert("swaptotal_mb".into(), memory("SwapTotal").into());
    let vcpus = count(raw.line("/sys/devices/system/cpu/online"));
    facts.insert("processor_vcpus".into(), vcpus.into());
    facts.insert("virtualization_type".into(), virtualization(raw).into());
}

/// `0-3,6` is five.
fn count(ranges: &str) -> u64 {
    ranges
        .split(',')
        .filter_map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
            Some(last.saturating_sub(first).saturating_add(1))
        })
        .fold(0, u64::saturating_add)
}

/// Ansible's words; `NA` is a machine of its own.
fn virtualization(raw: &Raw) -> &'static str {
    match raw.line("/run/systemd/container") {
        "" => {}
        "docker" => return "docker",
        "lxc" | "lxc-libvirt" => return "lxc",
        "podman" => return "podman",
        "wsl" => return "wsl",
        _ => return "container",
    }
    if !raw.line("/.dockerenv").is_empty() {
        return "docker";
    }
    let vendor = raw.line("/sys/class/dmi/id/sys_vendor");
    let product = raw.line("/sys/class/dmi/id/product_name");
    let bios = raw.line("/sys/class/dmi/id/bios_vendor");
    let says = |word: &str| {
        [vendor, product, bios]
            .iter()
            .any(|text| text.contains(word))
    };
    if says("VMware") {
        "VMware"
    } else if says("VirtualBox") || says("innotek") {
        "virtualbox"
    } else if says("Xen") || raw.line("/sys/hypervisor/type") == "xen" {
        "xen"
    } else if vendor == "Microsoft Corporation" && product == "Virtual Machine" {
        "VirtualPC"
    } else if says("QEMU")
        || says("KVM")
        || says("Amazon EC2")
        || says("Google")
        || says("DigitalOcean")
        || says("Hetzner")
        || !raw.line("hypervisor").is_empty()
    {
        "kvm"
    } else {
        "NA"
    }
}

/// Mounts of a device or a server, as Ansible lists them; sizes for those `df` may look at.
pub(super) fn mounts(raw: &Raw, facts: &mut Facts) {
    let mut mounts = Vec::new();
    for line in raw.lines("/proc/self/mounts") {
        let mut columns = line.split(' ');
        let (Some(device), Some(mount), Some(kind), Some(options)) = (
            columns.next(),
            columns.next(),
            columns.next(),
            columns.next(),
        ) else {
            continue;
        };
        if !(device.starts_with('/') || device.contains(":/") || kind == "overlay" && mount == "/")
            || kind == "none"
        {
            continue;
        }
        let mount = unescaped(mount);
        let mut entry = json!({"device": unescaped(device), "mount": mount, "fstype": kind, "options": options, "dump": 0, "passno": 0});
        if let (Some((total, available)), Some(entry)) = (size(raw, &mount), entry.as_object_mut())
        {
            entry.insert("size_total".into(), total.into());
            entry.insert("size_available".into(), available.into());
        }
        mounts.push(entry);
    }
    facts.insert("mounts".into(), mounts.into());
}

/// Total and available bytes by `df`; the last line of a mount point is the one on top.
fn size(raw: &Raw, mount: &str) -> Option<(u64, u64)> {
    raw.df.iter().rev().find_map(|line| {
        let rest = line.strip_suffix(mount)?.strip_suffix(' ')?;
        let mut columns = rest.split_whitespace().rev().skip(1);
        let available = columns.next()?.parse().ok()?;
        let total = columns.nth(1)?.parse().ok()?;
        Some((total, available))
    })
}

/// The kernel writes blanks in paths as `\040`.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = (*first == b'\\')
            .then(|| tail.get(..3))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(super) fn environment(raw: &Raw, facts: &mut Facts) {
    // A value with newlines came as several lines of the file.
    let text = raw.lines("/proc/self/environ").join("\n");
    let env: Facts = text
        .split('\0')
        .filter_map(|entry| entry.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    facts.insert("env".into(), env.into());
    facts.insert("user_id".into(), raw.user.into());
}

pub(super) fn date_time(raw: &Raw, facts: &mut Facts) -> Result<(), FactError> {
    let wrong = || FactError {
        subject: "its clock",
        reason: format!("`{}` is not understood", raw.date),
    };
    let words: Vec<&str> = raw.date.split_whitespace().collect();
    let [epoch, nanos, offset, zone, weekday, weekday_number, week] = words.as_slice() else {
        return Err(wrong());
    };
    let seconds: i64 = epoch.parse().map_err(|_| wrong())?;
    let subsecond: i32 = nanos.parse().map_err(|_| wrong())?;
    // Hours and minutes, as four digits with a sign.
    let minutes: i16 = offset.parse().map_err(|_| wrong())?;
    let minutes = i32::from(minutes);
    let shift = jiff::tz::Offset::from_seconds((minutes / 100) * 3600 + (minutes % 100) * 60)
        .map_err(|_| wrong())?;
    let utc = jiff::Timestamp::new(seconds, subsecond).map_err(|_| wrong())?;
    let local = shift.to_datetime(utc);
    let here = |format: &str| local.strftime(format).to_string();
    let there = |format: &str| utc.strftime(format).to_string();
    let micro = subsecond / 1000;
    facts.insert(
        "date_time".into(),
        json!({
            "year": here("%Y"), "month": here("%m"), "day": here("%d"),
            "weekday": weekday, "weekday_number": weekday_number, "weeknumber": week,
            "hour": here("%H"), "minute": here("%M"), "second": here("%S"),
            "date": here("%Y-%m-%d"), "time": here("%H:%M:%S"),
            "epoch": epoch, "epoch_int": epoch,
            "iso8601": there("%Y-%m-%dT%H:%M:%SZ"),
            "iso8601_micro": format!("{}.{micro:06}Z", there("%Y-%m-%dT%H:%M:%S")),
            "iso8601_basic": format!("{}{micro:06}", here("%Y%m%dT%H%M%S")),
            "iso8601_basic_short": here("%Y%m%dT%H%M%S"),
            "tz": zone, "tz_dst": zone, "tz_offset": offset,
        }),
    );
    Ok(())
}
